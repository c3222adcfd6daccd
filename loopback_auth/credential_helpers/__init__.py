"""The programs that other tools run, or load, to ask for a password: of git, of docker, and a keyring.

A tool starts them many times a minute, and mostly a token is kept and fresh; so what only the rest needs is
imported inside of functions.
"""
