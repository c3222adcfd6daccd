"""Sign-ins with a real browser."""
