"""The commands, each in a process of its own, against demonstration servers on loopback."""
