"""Explanations of a sign-in, step by step: of a rehearsal in memory, or of a recording."""
