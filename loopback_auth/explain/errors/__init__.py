"""Error codes explained: of the standards, and of single providers."""
