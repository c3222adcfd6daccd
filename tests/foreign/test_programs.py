"""Sign-ins that others wrote are tried by their recipes: the libraries that are installed for the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

import pytest

from loopback_auth.narrow import is_list, is_object

pytestmark = pytest.mark.foreign

TRIALS = ("plain", "login-csrf", "stolen-code")
ANSWERED = {
    "pkce": "pass",
    "response-type": "pass",
    "port-sharing": "pass",
    "login-csrf": "pass",
    "stolen-code": "pass",
}
"""What holds for each of them; where it listens depends on the place, such as a container."""


@pytest.mark.parametrize("name", ["msal", "google-auth-oauthlib", "fastmcp"])
def test_recipe(name: str) -> None:
    """The program signs in as its documentation says, and what was tried on it is known."""
    command = [sys.executable, "-m", "loopback_auth", "audit", "--alone", "--json", "--recipe", name]
    for trial in TRIALS:
        command += ["--only", trial]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert is_object(document)
    (run,) = _list(document["runs"])
    assert is_object(run)
    assert run["outcome"] == "signed in", run["reason"]
    verdicts = {str(one["id"]): str(one["verdict"]) for one in _objects(run["findings"])}
    assert {id: verdicts[id] for id in ANSWERED} == ANSWERED


def _list(value: object) -> list[object]:
    assert is_list(value)
    return value


def _objects(value: object) -> list[Mapping[str, object]]:
    return [one for one in _list(value) if is_object(one)]
