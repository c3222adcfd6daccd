"""Programs and libraries of others, with the doors of this package."""
