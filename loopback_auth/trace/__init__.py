"""What was seen of a sign-in, without its secrets: learnt, recorded, read."""
