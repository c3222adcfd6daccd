"""What the tests of the helpers share."""

from helper_home import home, server  # noqa: F401 - fixtures
