"""One sign-in under way: which flows are tried, the race between them, and the driver that runs each flow."""
