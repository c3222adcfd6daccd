"""Servers in front of another server, which add the token that it wants."""
