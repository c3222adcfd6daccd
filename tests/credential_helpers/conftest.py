"""What the tests of the helpers share."""

import sys

from helper_home import home, server  # noqa: F401 - fixtures

collect_ignore = ["test_keyring_backend.py"] if sys.platform == "win32" else []
"""Under Wine keyring is not installed."""
