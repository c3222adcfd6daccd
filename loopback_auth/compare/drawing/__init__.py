"""A comparison for people and for programs, one way out a file."""
