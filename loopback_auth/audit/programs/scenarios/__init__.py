"""What is tried on a program, as scenarios that read from top to bottom."""
