"""Sockets, browsers and HTTP. Nothing here knows what a sign-in consists of, or a rule of an RFC about it."""
