"""What can work on this machine, and what a server would answer, found out before a person signs in."""
