"""Who takes part in the tests of the commands: a person at a link, a server that writes everything down."""

from __future__ import annotations

import asyncio
import codecs
import json
import os
import secrets
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from command_line import PATIENCE, CommandLine, Ended

from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.agent import Decision
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.run_agent import run_agent
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ServerMetadata
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn, TokenSet

IN_TERMINAL = """\
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
runpy.run_module("loopback_auth", run_name="__main__", alter_sys=True)
"""
"""Makes the terminal the one whose keys are meant for this process, and runs the command."""

CONFIDENTIAL = DemoClient("confidential", "hunter2-hunter2", ("http://127.0.0.1/callback",))
ENOUGH = 20_000
"""Characters, after which a command goes round in circles: its waiting line alone is drawn twice a second."""
NOW = 1_700_000_000.0


class RecordingServer(DemoServer):
    """A demo server that writes down what it is sent."""

    ahead = 0.0
    """Seconds by which its clock is ahead of ours."""

    def __init__(self, issuer: str) -> None:
        super().__init__(issuer, entropy=secrets.token_bytes, clients=(CONFIDENTIAL,))
        self.requests: list[HttpRequest] = []

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Write a request down, and answer it."""
        self.requests.append(request)
        return super().handle(request, now + self.ahead)

    def sent(self, name: str) -> set[str]:
        """Return every value of a parameter, in a query or a form, that was sent so far."""
        texts = [urlsplit(one.url).query for one in self.requests]
        texts += [one.body.decode("latin-1") for one in self.requests]
        return {value for text in texts for key, value in parse_qsl(text) if key == name}


def client_flags(issuer: str) -> tuple[str, ...]:
    """Return the flags that name the demo's own client at a server."""
    return ("--issuer", issuer, "--client-id", CLIENT_ID)


def visit(link: str, decision: Decision = "approve") -> HttpResponse:
    """Open a link as a person with a browser does; return the last page."""
    return asyncio.run(run_agent(link, decision=decision))


def sign_in(
    command_line: CommandLine, *flags: str, decision: Decision = "approve", **environment: str
) -> Ended:
    """Sign in by the link that is shown."""
    with command_line.start("login", "--no-browser", *flags, **environment) as running:
        visit(running.link(), decision)
        return running.end()


def keep(
    command_line: CommandLine,
    name: str,
    *,
    expires_at: float | None = None,
    obtained_at: float = NOW,
    scope: str = "read",
) -> SignIn:
    """Keep a made-up sign-in, whose server is nowhere."""
    tokens = TokenSet(
        f"access-token-of-{name}",
        "Bearer",
        obtained_at=obtained_at,
        expires_at=expires_at,
        refresh_token=f"refresh-token-of-{name}",
        scope=scope,
        account="me@example.com",
    )
    issuer = f"https://{name}.example"
    made = SignIn(
        name, "abc", "none", ServerMetadata(issuer, token_endpoint=f"{issuer}/token"), scope, tokens
    )
    store(command_line).save(made)
    return made


def age(command_line: CommandLine, seconds: float = 4000.0) -> None:
    """Let time go by for everything that is kept; by default more than an access token lives."""
    for file in (kept_in(command_line) / "sign-ins").glob("*.json"):
        members = json.loads(file.read_text())
        for name in ("obtained_at", "expires_at"):
            if members["tokens"].get(name) is not None:
                members["tokens"][name] -= seconds
        file.write_text(json.dumps(members))


def store(command_line: CommandLine) -> FileTokenStore:
    """Return the store of the commands."""
    return FileTokenStore(str(kept_in(command_line)))


def kept_in(command_line: CommandLine) -> Path:
    """Return the data folder of the commands."""
    return command_line.home / "kept"


@dataclass
class Screen:
    """A command that believes to be in a terminal.

    Args:
        process: the command.
        terminal: file descriptor of our end.
        shown: everything that was written so far.
    """

    process: subprocess.Popen[bytes]
    terminal: int
    shown: str = ""
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    def wait_for(self, text: str, *, after: str = "") -> str:
        """Wait until a text is shown, if need be behind another; return all that was shown up to then."""
        while text not in (self.shown.rpartition(after)[2] if after else self.shown):
            if len(self.shown) > ENOUGH:
                raise AssertionError(f"{text!r} was not among all this: {self.shown!r}")
            ready, _, _ = select.select([self.terminal], [], [], PATIENCE)
            if not ready:
                raise AssertionError(f"{text!r} was not shown: {self.shown!r}")
            if not self._read():
                raise AssertionError(f"the command ended without {text!r}: {self.shown!r}")
        return self.shown

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self.terminal, text.encode())

    def end(self) -> int:
        """Wait for the end; return the exit status."""
        while self._read():
            if len(self.shown) > ENOUGH:
                raise AssertionError(f"the command does not end: {self.shown!r}")
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        try:
            piece = os.read(self.terminal, 4096)
        except OSError:  # Linux says so when the other end is closed.
            return False
        self.shown += self._decoder.decode(piece)  # A character may come in two pieces.
        return bool(piece)


@contextmanager
def in_terminal(
    command_line: CommandLine, *arguments: str, columns: int = 80, **environment: str
) -> Iterator[Screen]:
    """Start a command in a pseudo-terminal, whose Ctrl-C reaches it as from a keyboard."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    process = subprocess.Popen(
        [sys.executable, "-c", IN_TERMINAL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=command_line.environment({"TERM": "xterm", **environment}),
        start_new_session=True,
    )
    os.close(theirs)
    try:
        with process:
            try:
                yield Screen(process, ours)
            finally:
                process.kill()
    finally:
        os.close(ours)


def port_of(url: str) -> int:
    """Return the port in a URL."""
    return int(authority_of(url).rpartition(":")[2])


def authority_of(url: str) -> str:
    """Return host and port of a URL."""
    return url.partition("://")[2].partition("/")[0]
