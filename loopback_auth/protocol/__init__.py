"""The rules of the specifications as pure functions, `x_request` builds and `x_response` validates.

No clock, no randomness, no sockets: whatever depends on the world is an argument.
"""
