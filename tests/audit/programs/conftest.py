"""These tests start programs and open sockets: nothing of that may be left."""

from watching import no_socket_left  # noqa: F401 - a fixture
