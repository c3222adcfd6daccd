"""What was seen of a sign-in, without its secrets: redacted, recorded, read."""
