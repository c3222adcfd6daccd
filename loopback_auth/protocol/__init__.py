"""The rules of the specifications as pure functions: `x_request` builds, `x_response` checks.

These functions use no clock, no randomness and no sockets: what depends on the world is an argument.
"""
