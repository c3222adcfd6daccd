"""What a person in a terminal sees and does while a sign-in runs."""
