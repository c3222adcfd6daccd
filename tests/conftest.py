"""What holds for every test."""

import surroundings  # noqa: F401 - done when it is imported
