"""What tools read: pure functions, so that no network and no process is needed."""
