"""A sign-in in the forms that other programs read from the standard output of a helper."""
