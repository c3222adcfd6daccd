"""Attacks on a developer's own server, with a simulated user who signs in and approves."""
