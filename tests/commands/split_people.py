"""Who takes part in split sign-ins: whoever began one, a person at its link, and the time that passes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from command_line import PATIENCE, CommandLine, Ended, Running

from commands.people import CONFIDENTIAL, RecordingServer, kept_in
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.demo.agent import Decision, browse
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.flow_table import TwoStepFlow
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.signin.two_step import begin
from loopback_auth.store.pending import PendingStore
from loopback_auth.store.pending_sign_in import JournalEntry, PendingSignIn

NAME = "work"
RUN = """
import runpy, sys
sys.addaudithook(hook)
sys.argv[0] = "loopback_auth"
runpy.run_module("loopback_auth", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True)
class Begun:
    """A sign-in that was begun, as `start` leaves it.

    Args:
        handed: as it was handed to the person.
        pendings: where it is kept.
        server: at which.
    """

    handed: PendingSignIn
    pendings: PendingStore
    server: RecordingServer

    @property
    def handle(self) -> str:
        """By which it is gone on with."""
        return self.handed.handle

    def visit(self, decision: Decision = "approve") -> str:
        """Be the person; return the address on which the browser ends, where it cannot be opened."""
        return visit(self.server, self.handed, decision)

    def pass_time(self, seconds: float = 10.0) -> None:
        """Let time pass, without waiting for it: everything that was, was earlier."""
        self.server.ahead += seconds
        found = self.pendings.load(self.handle)
        assert isinstance(found, PendingSignIn)
        self.pendings.save(
            replace(
                found,
                created_at=found.created_at - seconds,
                expires_at=found.expires_at - seconds,
                journal=tuple(_earlier(each, seconds) for each in found.journal),
            )
        )


def began(
    command_line: CommandLine, server: RecordingServer, flow: TwoStepFlow, *, confidential: bool = False
) -> Begun:
    """Begin a sign-in, and keep it where the commands look for it."""
    provider = Provider(
        NAME, ServerMetadata(issuer=server.issuer), ticket=demo_contract("netlify", server.issuer)
    )
    client = ClientConfig(provider, CLIENT_ID, scope="email")
    if confidential:
        client = replace(client, client_id=CONFIDENTIAL.client_id, client_secret=CONFIDENTIAL.client_secret)
    pendings = PendingStore(str(kept_in(command_line)))
    handed = asyncio.run(begin(client, flow))
    pendings.save(handed)
    return Begun(handed, pendings, server)


def started(command_line: CommandLine, ended: Ended, server: RecordingServer) -> Begun:
    """Return what `start --json` has begun."""
    pendings = PendingStore(str(kept_in(command_line)))
    handed = pendings.load(str(ended.json["handle"]))
    assert isinstance(handed, PendingSignIn)
    return Begun(handed, pendings, server)


def visit(server: RecordingServer, handed: PendingSignIn, decision: Decision = "approve") -> str:
    """Be the person at a link."""
    person = browse(handed.url, decision=decision, user_code=handed.user_code)
    request = next(person)
    try:
        while not (handed.redirect_uri and request.url.startswith(handed.redirect_uri)):
            request = person.send(server.handle(request, time.time()))
    except StopIteration:
        return ""
    return request.url


def ticket_flags(issuer: str) -> tuple[str, ...]:
    """Return the flags that lead to the demo's tickets."""
    return (
        *("--issuer", issuer, "--client-id", CLIENT_ID, "--ticket", "netlify"),
        *("--ticket-base", f"{issuer}/netlify/api/v1", "--ticket-ui", f"{issuer}/netlify"),
    )


def fed(command_line: CommandLine, text: str, *arguments: str, **environment: str) -> Ended:
    """Run a command that finds a text on stdin."""
    done = subprocess.run(
        [sys.executable, "-m", "loopback_auth", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env=command_line.environment(environment),
        start_new_session=True,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def within(command_line: CommandLine, script: str, *arguments: str, **environment: str) -> Iterator[Running]:
    """Start a command within a script that looks on by an audit hook called `hook`."""
    process = subprocess.Popen(
        [sys.executable, "-c", script + RUN, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=command_line.environment(environment),
    )
    with process:
        try:
            yield Running(process)
        finally:
            process.kill()


def pending_files(command_line: CommandLine) -> list[str]:
    """List what is kept of sign-ins under way, and remembered of others."""
    folder = kept_in(command_line) / "pending"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _earlier(answered: JournalEntry, seconds: float) -> JournalEntry:
    moment = answered.moment
    if moment is None:
        return answered
    return replace(answered, moment=replace(moment, now=moment.now - seconds, wall=moment.wall - seconds))
