"""Find out what can work on this machine, and what a server would answer, before a person signs in."""
