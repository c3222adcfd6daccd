"""A script with prompts of its own and a log: what its user reads in one, and types into the other."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pasted_addresses import pasted_by

from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no $BROWSER for a simulated user there"),
]
SCRIPT = Path(__file__).parent / "programs" / "prompt.py"


@contextmanager
def script(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the script, with a pipe at each end."""
    pipe = subprocess.PIPE
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", "BROWSER": "none"}
    command = [sys.executable, str(SCRIPT), *arguments]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environ) as running:
        try:
            yield running
        finally:
            running.kill()


def logged(running: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """Read its log up to a line like this."""
    assert running.stderr is not None
    for line in running.stderr:
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"It never said {pattern}.")


def test_pasted_address(
    demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser
) -> None:
    """The link is in the log, and a wrong address leads to another prompt."""
    with script(demo_authorization_server.issuer, "paste") as running:
        link = logged(running, r"^INFO:script:Open this link, and paste .*: (http\S+)$")[1]
        address = asyncio.run(pasted_by(simulated_user, link))
        printed, told = running.communicate(f"nonsense?\n{address}\n", timeout=60)

    assert printed == "Address: Address: demo@example.com\n"
    assert re.search(r"^WARNING:script:What was pasted", told, re.MULTILINE)
    assert address not in told


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 1)])
def test_account_is_asked_about(
    demo_authorization_server: DemoAuthorizationServer,
    simulated_user: SimulatedUser,
    answer: str,
    status: int,
) -> None:
    """Whoever has the code can approve it (RFC 6749 §10.16)."""
    with script(demo_authorization_server.issuer, "device") as running:
        found = logged(running, r"^INFO:script:Open this link to approve .*: (http\S+) \(code (\S+)\)$")
        simulated_user.visit(found[1], user_code=found[2])
        printed, _ = running.communicate(f"{answer}\n", timeout=60)

    assert "demo@example.com has approved. Is that you? " in printed
    assert printed.endswith("demo@example.com\n") == (answer == "yes")
    assert running.returncode == status


def test_nobody_answers(
    demo_authorization_server: DemoAuthorizationServer, simulated_user: SimulatedUser
) -> None:
    """With stdin closed the redirect still counts."""
    with script(demo_authorization_server.issuer, "paste") as running:
        link = logged(running, r"^INFO:script:Open this link, and paste .*: (http\S+)$")[1]
        assert running.stdin is not None
        running.stdin.close()
        logged(running, "nothing to read from")
        simulated_user.open(link)
        assert running.wait(timeout=60) == 0
    assert simulated_user.page_sync()
