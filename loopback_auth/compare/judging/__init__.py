"""What a trace shows: properties side by side, and checks with their evidence."""
