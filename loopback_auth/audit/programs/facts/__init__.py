"""What the sign-ins of a program show by themselves, without an attacker: one room for each place to look."""
