"""What is imported by when: counted, not timed, so that a slow start is noticed on a fast machine too."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from demo_client import FOLLOW_LINK

from loopback_auth.demo.serve import demo_thread
from loopback_auth.model import ServerMetadata
from loopback_auth.outputs.plain import PLAIN
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import IdToken, SignIn, TokenSet

FRAMEWORK = {"aiohttp", "asyncio", "multidict", "rich", "ssl", "yarl"}

BEFORE_THE_LAUNCH = FRAMEWORK | {
    "concurrent",
    "dataclasses",
    "difflib",
    "email",
    "filelock",
    "hashlib",
    "http",
    "importlib.metadata",
    "inspect",
    "logging",
    "loopback_auth.model",
    "pathlib",
    "platformdirs",
    "secrets",
    "tomllib",
    "typing",
    "urllib.request",
    "webbrowser",
}
"""What a sign-in may need, but not to start a browser.

Only `ipaddress` and `urllib.parse` are let in: the addresses of a server are looked at before a person is
troubled with it.
"""

FOR_A_KEPT_TOKEN = BEFORE_THE_LAUNCH | {
    "argparse",
    "ipaddress",
    "locale",
    "loopback_auth.cli",
    "loopback_auth.errors",
    "loopback_auth.settings",
    "random",
    "shutil",
    "socket",
    "subprocess",
    "threading",
    "urllib",
}
"""What the other commands may need, but not to print a token that is fresh."""

MODULES_BEFORE_THE_LAUNCH = 119
"""Starting a browser by socket and subprocess alone takes about 70 of them."""

PYTHONS_OWN = {
    "_contextvars",
    "_py_warnings",
    "_types",
    "array",
    "encodings.utf_8_sig",
    "sitecustomize",
}
"""What the number leaves out, for it depends on the Python and not on what we import.

Python 3.14 has `types` and `warnings` in more parts, and its `socket` does without `array`. Python 3.13 and
later read the `.pth` file of an editable install with a codec of its own. Debian's has a `sitecustomize`.
"""

LOGIN = """
import os, runpy, sys
def launched(event, _):
    if event == "subprocess.Popen":
        os.write(1, " ".join(sys.modules).encode())
        os._exit(0)
sys.addaudithook(launched)
sys.argv[0] = "loopback_auth"
runpy.run_module("loopback_auth", run_name="__main__", alter_sys=True)
"""

LOGIN_OF_A_PROGRAM = """
import os, sys
from loopback_auth import ClientConfig, Provider, ServerMetadata
client = ClientConfig(Provider("x", ServerMetadata("https://as.example")), "x")
before = set(sys.modules)
from loopback_auth import FileTokenStore, login_sync
def launched(event, _):
    if event == "subprocess.Popen":
        os.write(1, " ".join(set(sys.modules) - before).encode())
        os._exit(0)
sys.addaudithook(launched)
login_sync(client, store=FileTokenStore(sys.argv[1]) if sys.argv[1:] else None)
"""

WITHIN_A_LOOP = """
import asyncio, os, sys
from loopback_auth import ClientConfig, FileTokenStore, TokenSource, login
client, store = ClientConfig.at("https://as.example", client_id="x"), FileTokenStore(sys.argv[1])
def launched(event, _):
    if event == "subprocess.Popen":
        os.write(1, " ".join(sys.modules).encode())
        os._exit(0)
sys.addaudithook(launched)
calls = {
    "login": lambda: asyncio.run(login(client, store=store)),
    "token": lambda: asyncio.run(TokenSource(client, store=store).token()),
    "token_sync": lambda: TokenSource(client, store=store).token_sync(),
}
calls[sys.argv[2]]()
"""

TOKEN = """
import atexit, os, runpy, sys
atexit.register(lambda: os.write(2, " ".join(sys.modules).encode()))
sys.argv[0] = "loopback_auth"
runpy.run_module("loopback_auth", run_name="__main__", alter_sys=True)
"""


def run(script: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run our command line within a script that looks on.

    Coverage is not measured there: it would be among what is counted.
    """
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "BROWSER": sys.executable,
        "LOOPBACK_AUTH_CONFIG_DIR": str(folder / "config"),
        "LOOPBACK_AUTH_DATA_DIR": str(folder / "data"),
    }
    # It is a file, for with -c Python 3.13 and later import linecache at once.
    program = folder / "program.py"
    program.write_text(script, "utf-8")
    command = [sys.executable, str(program), *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def imported_at_launch(folder: Path, *arguments: str) -> set[str]:
    """Return the modules that are loaded when the browser is about to be started."""
    done = run(LOGIN, folder, "login", *arguments)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def among(modules: set[str], unwanted: set[str]) -> set[str]:
    """Return the unwanted ones, and those below them."""
    return {name for name in modules if any(name == one or name.startswith(f"{one}.") for one in unwanted)}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="demo"),
        pytest.param(("github", "--client-id", "x", "--client-auth", "none"), id="preset"),
        pytest.param(("--issuer", "https://as.example", "--client-id", "x"), id="issuer"),
        pytest.param(("--resource-server", "https://mcp.example/mcp"), id="resource"),
    ],
)
def test_the_browser_is_started_before_anything_slow_is_imported(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    """A browser takes a second to start, and everything slow fits into that second if it comes after."""
    modules = imported_at_launch(tmp_path, *arguments)

    assert among(modules, BEFORE_THE_LAUNCH) == set()
    assert len(modules - PYTHONS_OWN) <= MODULES_BEFORE_THE_LAUNCH


def test_signing_in_again_starts_the_browser_as_soon(tmp_path: Path) -> None:
    """What is kept is looked at before the launch, and reading all of it would cost more than all else."""
    keep(tmp_path)
    modules = imported_at_launch(tmp_path, "--issuer", "https://as.example", "--client-id", "x")

    assert among(modules, BEFORE_THE_LAUNCH) == set()


AT_AN_ISSUER = 'ClientConfig(Provider("x", ServerMetadata("https://as.example")), "x")'


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("client", [AT_AN_ISSUER, 'ClientConfig.for_resource("https://mcp.example/mcp")'])
def test_a_program_starts_the_browser_as_soon_as_the_command(
    client: str, stored: bool, tmp_path: Path
) -> None:
    """Its user waits as much: asyncio, TLS and the session are imported, and a resource is asked, later."""
    assert AT_AN_ISSUER in LOGIN_OF_A_PROGRAM
    script = LOGIN_OF_A_PROGRAM.replace(AT_AN_ISSUER, client)
    done = run(script, tmp_path, *([str(tmp_path)] if stored else []))

    assert done.returncode == 0, done.stderr
    assert among(set(done.stdout.split()), BEFORE_THE_LAUNCH) == set()


@pytest.mark.parametrize("call", ["login", "token", "token_sync"])
def test_whatever_needs_a_loop_starts_the_browser_before_the_session(call: str, tmp_path: Path) -> None:
    """Those who wait at the same time share a loop, but HTTP and the session can wait for the browser."""
    done = run(WITHIN_A_LOOP, tmp_path, str(tmp_path / "data"), call)

    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split())
    assert "asyncio" in modules
    late = {"aiohttp", "multidict", "yarl", "loopback_auth.signin.driver", "loopback_auth.signin.session"}
    assert among(modules, late) == set()


def test_a_kept_token_is_printed_with_next_to_no_imports(tmp_path: Path) -> None:
    """Scripts ask for a token many times a minute, so this must cost little more than the interpreter."""
    keep(tmp_path)
    done = run(TOKEN, tmp_path, "token")

    assert (done.returncode, done.stdout) == (0, "kept-token\n")
    assert among(set(done.stderr.split()), FOR_A_KEPT_TOKEN) == set()


@pytest.mark.parametrize("tool", PLAIN)
def test_a_tool_gets_a_kept_token_as_quickly(tmp_path: Path, tool: str) -> None:
    """Kubectl and build tools start this command again and again."""
    keep(tmp_path)
    done = run(TOKEN, tmp_path, "token", "as.example", "--as", tool)

    assert done.returncode == 0
    assert "kept-" in done.stdout
    assert among(set(done.stderr.split()), FOR_A_KEPT_TOKEN) == set()


def keep(folder: Path, resource_server: str = "") -> None:
    """Keep a sign-in whose token is fresh."""
    now = time.time()
    metadata = ServerMetadata("https://as.example")
    id_token = IdToken({"exp": now + 600, "iat": now}, "verified", "kept-id-token")
    tokens = TokenSet("kept-token", "Bearer", obtained_at=now, expires_at=now + 600, id_token=id_token)
    FileTokenStore(str(folder / "data")).save(
        SignIn(
            "as.example",
            "x",
            "none",
            metadata,
            requested_scope="",
            tokens=tokens,
            resource_server=resource_server,
            resource=(resource_server,) if resource_server else (),
        )
    )


FOR_A_SOURCE = FOR_A_KEPT_TOKEN - {"loopback_auth.model"} | {
    "contextlib",
    "loopback_auth.codec",
    "loopback_auth.flow_table",
    "loopback_auth.network",
    "loopback_auth.options",
    "loopback_auth.signin",
    "loopback_auth.sign_in_format",
    "loopback_auth.token_acquisition",
    "pickle",
    "tempfile",
    "weakref",
}
"""What a source may need, but not to return a kept token that is fresh."""

MODULES_OF_A_SOURCE = 30
"""Modules beyond those of `import json`: ours, and what the records need."""

SOURCE = """
import json, sys
known = set(sys.modules)
from loopback_auth import ClientConfig, FileTokenStore, Provider, ServerMetadata, TokenSource
client = ClientConfig(Provider("as.example", ServerMetadata("https://as.example")), "x")
source = TokenSource(client, store=FileTokenStore(sys.argv[1]))
assert source.token_sync() == "kept-token"
print(*set(sys.modules) - known)
if len(sys.argv) > 2:
    import asyncio
    known = set(sys.modules)
    assert asyncio.run(source.with_scope("").token()) == "kept-token"
    print(*set(sys.modules) - known)
"""


def test_a_source_returns_a_kept_token_with_next_to_no_imports(tmp_path: Path) -> None:
    """A program that is started for each request pays for them each time, as the command does."""
    keep(tmp_path)
    done = run(SOURCE, tmp_path, str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split())

    assert among(modules, FOR_A_SOURCE) == set()
    assert len(modules) <= MODULES_OF_A_SOURCE


def test_a_kept_token_of_a_resource_costs_what_that_of_an_issuer_does(tmp_path: Path) -> None:
    """Nothing is discovered for it, so that nothing that discovers is imported."""
    keep(tmp_path, resource_server="https://as.example")
    script = SOURCE.replace(
        'ClientConfig(Provider("as.example", ServerMetadata("https://as.example")), "x")',
        'ClientConfig.for_resource("https://as.example")',
    )
    done = run(script, tmp_path, str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split())

    assert among(modules, FOR_A_SOURCE) == set()
    assert len(modules - {"loopback_auth.issuer_client"}) <= MODULES_OF_A_SOURCE


def test_a_client_at_an_issuer_costs_no_table_of_presets(tmp_path: Path) -> None:
    """A program makes one before it can ask for a kept token."""
    script = (
        "import sys; from loopback_auth import ClientConfig\n"
        "ClientConfig.at('https://as.example', client_id='x'); print(*sys.modules)"
    )
    done = run(script, tmp_path)
    assert done.returncode == 0, done.stderr

    unwanted = {
        "dataclasses",
        "inspect",
        "loopback_auth.protocol",
        "loopback_auth.settings",
        "typing",
        "urllib",
    }
    assert among(set(done.stdout.split()), unwanted) == set()


def test_a_source_in_a_loop_needs_asyncio_and_little_else(tmp_path: Path) -> None:
    """`await token()` costs what asyncio costs: no TLS, no HTTP client, nothing of a sign-in."""
    keep(tmp_path)
    done = run(SOURCE, tmp_path, str(tmp_path / "data"), "loop")
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.splitlines()[1].split())

    ours = {name for name in modules if name.startswith("loopback_auth")}
    assert ours <= {
        "loopback_auth.errors",
        "loopback_auth.network",
        "loopback_auth.network.shared_call",
        "loopback_auth.network.threads",
    }
    assert among(modules - ours, FRAMEWORK | {"dataclasses", "typing", "urllib"}) == set()


FOR_OTHERS_ONLY = {
    "loopback_auth.german",
    "loopback_auth.flows.revocation",
    "loopback_auth.flows.refresh",
    "loopback_auth.protocol.refusal",
    "loopback_auth.protocol.revocation",
    "loopback_auth.settings",
    "loopback_auth.network.client_certificate",
    "loopback_auth.network.failures",
    "loopback_auth.signin.planning",
    "loopback_auth.network.proxy_address",
    "loopback_auth.network.socks",
}
"""What a program needs that renews, meets a proxy or fails; and what only the command line has."""

SIGN_IN = """
import asyncio, sys
from loopback_auth import api
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
client = ClientConfig(Provider("demo", ServerMetadata(sys.argv[1])), "loopback-auth-demo")
asyncio.run(api.login(client))
print(*sys.modules)
"""


@pytest.mark.slow
def test_a_sign_in_that_succeeds_loads_nothing_for_one_that_fails(tmp_path: Path) -> None:
    """Proxies, renewals and reasons to refuse are a tenth of our own share of the CPU of a sign-in."""
    browser = f"{shlex.quote(sys.executable)} -c {shlex.quote(FOLLOW_LINK)} %s"
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BROWSER": browser}
    with demo_thread() as demo:
        command = [sys.executable, "-c", SIGN_IN, demo.issuer]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    modules = set(done.stdout.split())

    assert "loopback_auth.protocol.token" in modules, done.stderr
    assert among(modules, FOR_OTHERS_ONLY) == set()


def test_a_sign_in_does_without_a_web_framework() -> None:
    """Router, applications and web sockets of `aiohttp.web` cost a sixth of the CPU of a whole sign-in."""
    script = "import loopback_auth.api, loopback_auth.network.receiver, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    modules = set(done.stdout.split())

    assert "aiohttp.web_server" in modules
    assert modules.isdisjoint({"aiohttp.web", "aiohttp.web_app", "aiohttp.web_urldispatcher"})


LATE_ON_PRINCIPLE = {
    "__init__.py",
    "__main__.py",
    "api.py",
    "cli",
    "commands/login.py",
    "commands/token.py",
    "credential_helpers",
    "store/__init__.py",
}
"""What is on the way to the browser or to a kept token, whose docstrings say why they import late."""


def test_an_import_inside_a_function_says_why() -> None:
    """Elsewhere it hides what a module needs, and keeps nobody from waiting."""
    package = Path(__file__).resolve().parent.parent / "loopback_auth"
    silent = []
    for path in package.rglob("*.py"):
        name = path.relative_to(package).as_posix()
        if name not in LATE_ON_PRINCIPLE and name.partition("/")[0] not in LATE_ON_PRINCIPLE:
            silent += [f"{name}:{line}" for line in unexplained_imports(path.read_text())]

    assert silent == []


def unexplained_imports(source: str) -> list[int]:
    """Return the lines of the imports inside functions that neither they nor the line above explains.

    Imports that follow each other have one explanation.
    """
    lines = source.splitlines()
    explained: set[int] = set()
    found = []
    inside = [
        node
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    for node in sorted(inside, key=lambda node: node.lineno):
        text = "\n".join(lines[node.lineno - 2 : node.end_lineno])
        above = (
            {node.lineno - 1, node.lineno - 2} if not lines[node.lineno - 2].strip() else {node.lineno - 1}
        )
        if "#" in text or above & explained:
            explained.add(node.end_lineno or node.lineno)
        else:
            found.append(node.lineno)
    return found
