"""The flows run side by side: in memory, at the demonstration server, at a real provider."""
