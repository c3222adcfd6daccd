"""These tests open sockets: none of them may be left open."""

from watching import no_socket_left  # noqa: F401 - a fixture
