"""What is tried on a program, as stories that read from top to bottom."""
