"""A flow told step by step: one that is rehearsed here, or one that somebody has recorded."""
