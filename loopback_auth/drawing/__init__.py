"""Traces as sequence diagrams, and the text around them: what `compare` and `explain` both draw."""
