"""What holds for every test; in a file that mypy reads too, for it takes `shell/conftest.py` for this one."""

import surroundings  # noqa: F401 - done when it is imported
