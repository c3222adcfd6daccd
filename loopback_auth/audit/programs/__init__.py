"""Sign-in programs of other people: what is tried on them, and how it is judged."""
