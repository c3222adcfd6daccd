"""Sign-ins at authorization servers that this project did not write."""
