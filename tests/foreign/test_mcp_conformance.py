"""The official client conformance suite of MCP: every check of every scenario that is about authorization.

The client is the MCP SDK over `loopback_auth.mcp` (see `mcp_client.py`). Not run are the scenarios of grants
in which no user signs in: client credentials, and the exchange of an assertion (cross-app access, workload
identity). This package is for signing users in.

The latest release of the suite is run, and of the next one, an alpha, what is new: the parameter `iss`, DPoP,
and a resource that moves to another authorization server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from command_line import missing, program

from foreign.conftest import HERE

pytestmark = [pytest.mark.foreign, pytest.mark.slow]

LATEST, NEXT = "@modelcontextprotocol/conformance", "mcp-conformance-next"

SUITES: Mapping[tuple[str, str], frozenset[str]] = {
    (LATEST, "auth"): frozenset(
        {
            "metadata-default",
            "metadata-var1",
            "metadata-var2",
            "metadata-var3",
            "basic-cimd",
            "scope-from-www-authenticate",
            "scope-from-scopes-supported",
            "scope-omitted-when-undefined",
            "scope-step-up",
            "scope-retry-limit",
            "token-endpoint-auth-basic",
            "token-endpoint-auth-post",
            "token-endpoint-auth-none",
            "pre-registration",
        }
    ),
    (LATEST, "backcompat"): frozenset(
        {"2025-03-26-oauth-metadata-backcompat", "2025-03-26-oauth-endpoint-fallback"}
    ),
    (LATEST, "draft"): frozenset(
        {"resource-mismatch", "offline-access-scope", "offline-access-not-supported"}
    ),
    (NEXT, "backcompat"): frozenset(
        {"2025-03-26-oauth-metadata-backcompat", "2025-03-26-oauth-endpoint-fallback"}
    ),
    (NEXT, "draft"): frozenset(
        {
            "resource-mismatch",
            "offline-access-scope",
            "offline-access-not-supported",
            "authorization-server-migration",
            "iss-supported",
            "iss-not-advertised",
            "iss-supported-missing",
            "iss-wrong-issuer",
            "iss-unexpected",
            "iss-normalized",
            "metadata-issuer-mismatch",
        }
    ),
    (NEXT, "extensions"): frozenset({"dpop", "dpop-nonce"}),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("package", "suite"), SUITES)
def test_every_check_of_every_scenario(package: str, suite: str, tmp_path: Path) -> None:
    """A warning is a SHOULD of the specification, so none is left, either."""
    found, wanted = run(package, tmp_path, "--suite", suite), SUITES[package, suite]
    checks = {name: each for name, each in found.items() if name in wanted}

    assert checks.keys() == wanted
    assert {name: failed(each) for name, each in checks.items() if failed(each)} == {}
    assert all(any(check["status"] == "SUCCESS" for check in each) for each in checks.values())


def run(package: str, folder: Path, *arguments: str) -> dict[str, list[dict[str, str]]]:
    """Run the suite, and return the checks of each scenario about authorization."""
    node = program("node", purpose="MCP's conformance suite")
    index = HERE / "node_modules" / package / "dist" / "index.js"
    if not index.is_file():
        missing("MCP's conformance suite is not installed")
    client = f"{sys.executable} {HERE / 'mcp_client.py'}"
    subprocess.run(
        [node, index, "client", *arguments, "--command", client, "--timeout", "120000", "-o", folder],
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(HERE.parent), "HOME": str(folder)},
        capture_output=True,
        check=False,  # Its status counts suites of which only a part is run here.
        timeout=280,
    )
    found = {each.parent.name[: -len(STAMP)]: each for each in (folder / "auth").glob("*/checks.json")}
    return {name: json.loads(each.read_text()) for name, each in found.items()}


STAMP = "-2026-11-30T03-31-47-868Z"
"""What the suite appends to the name of a scenario, by its length."""


def failed(checks: list[dict[str, str]]) -> list[str]:
    """Return what the suite found wrong in a scenario."""
    return [
        f"{check['status']} {check['id']}: {check.get('errorMessage', check['description'])}"
        for check in checks
        if check["status"] in ("FAILURE", "WARNING")
    ]
