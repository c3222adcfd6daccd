"""What the sign-ins of a program show by themselves, without an attacker: a module for each place to look."""
