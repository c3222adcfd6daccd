"""Tokens explained: what a JSON Web Token says, read without a key."""
