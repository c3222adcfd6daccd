"""What the tests of the commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from command_line import CommandLine

from commands.people import RecordingServer
from loopback_auth.demo.serve import demo_thread


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line with an empty home."""
    return CommandLine(tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    """A server that writes down what it is sent."""
    with demo_thread(server_factory=RecordingServer) as demo:
        yield cast("RecordingServer", demo.server)
