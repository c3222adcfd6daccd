"""A sign-in told in order: one that is rehearsed here, or one that somebody recorded."""
