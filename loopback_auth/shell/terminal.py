"""What a person in a terminal sees while a sign-in runs; everything goes to stderr.

One line is kept up to date on a terminal: what is awaited, how long is left, what was turned away and why.
Elsewhere each stage is one line. Server text was cleaned where it came in (`redact.server_text`).

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from loopback_auth.model import SignIn
    from loopback_auth.shell.events import Event

QUIET_SECONDS = 8.0
"""After so long without a visit, help on how to reach this machine is shown; browsers start slower than one
thinks."""


class Terminal:
    """Tells one sign-in as it happens.

    Args:
        name: of the provider.
        verbose: show every exchange, secrets replaced by labels.
    """

    def __init__(self, name: str, *, verbose: bool = False) -> None:
        self._name = name
        self._verbose = verbose
        self._live = sys.stderr.isatty()
        self._awaited = "Waiting for a browser"
        self._ignored = ""
        self._line_open = False
        self._ports: list[str] = []
        self._launched = False
        self._visited = False

    def link(self, url: str, *, program: str, why_not: str) -> None:
        """Show the page where the sign-in begins."""
        self._ports.append(_authority(url))
        self._launched = bool(program)
        if program:
            self._say(f"Opening your browser ({program}) to sign in to {self._name}.")
            self._say("If it does not open, open this link yourself; it works once:")
        else:
            self._say(f"Sign in to {self._name}. No browser is opened here: {why_not}.")
            self._say("Open this link in a browser on this machine; it works once:")
        self._say(f"\n  {url}\n")

    def also_forward(self, url: str) -> None:
        """Note another port that a browser elsewhere would have to reach, and say how if it is elsewhere."""
        self._ports.append(_authority(url))
        if not self._launched:
            self._recipe()

    def notify(self, event: Event) -> None:
        """Show an event."""
        from loopback_auth.shell import events

        match event:
            case events.LinkReady(url, program, why_not):
                self.link(url, program=program, why_not=why_not)
            case events.OpenerFailed(program, status):
                self._say(
                    f"The browser did not open ({program} ended with {status}). Open the link yourself."
                )
                self._launched = False
                self._recipe()
            case events.LinkOpened():
                self._visited = True
                self._stage(f"Your browser is at {self._name}; waiting for you to approve")
            case events.LinkRenewed(url):
                self._say("The link was opened a second time and turned away. If you did that, use this one:")
                self._say(f"\n  {url}\n")
            case events.Ignored(count, _, reason, suspicious):
                self._ignored = f"; turned away {count} other request{'s' * (count > 1)}: {reason}"
                if suspicious:
                    self._say("Something else is calling this port again and again; it is being ignored.")
            case events.CallbackReceived():
                self._stage("You are back; fetching the tokens")
            case events.Warned(text):
                self._say(f"warning: {text}")
            case events.Exchanged():
                if self._verbose:
                    self._exchange(event)

    def waiting(self, timeout: float) -> AbstractAsyncContextManager[None]:
        """Keep the line up to date for as long as the block lasts, at most `timeout` seconds."""
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def line() -> AsyncIterator[None]:
            import asyncio

            deadline = time.monotonic() + timeout
            if not self._live:
                self._say(f"{self._awaited}, {timeout:.0f} seconds at most.")
            task = asyncio.create_task(self._tick(deadline))
            try:
                yield
            finally:
                task.cancel()
                self._clear()

        return line()

    def done(self, sign_in: SignIn, kept_in: str) -> None:
        """Say who is signed in, until when, and where the tokens are."""
        from loopback_auth.redact import server_text

        tokens = sign_in.tokens
        who = f" as {tokens.account}" if tokens.account else ""
        self._say(f"Signed in to {sign_in.name}{who}.")
        self._say(f"  scope      {server_text(tokens.scope) or 'as the server sees fit'}")
        self._say(f"  until      {until(tokens.expires_at)}{renewal(sign_in)}")
        if tokens.id_token is not None:
            self._say(f"  ID token   claims checked, signature {tokens.id_token.signature}")
        self._say(f"  kept in    {kept_in}")
        self._say(f"Print the token with: python -m loopback_auth token {sign_in.name}")

    async def _tick(self, deadline: float) -> None:
        import asyncio

        begun = time.monotonic()
        helped = False
        while True:
            now = time.monotonic()
            if not self._visited and not helped and now - begun > QUIET_SECONDS and self._launched:
                helped = True
                self._say("No browser has come to the link yet.")
                self._recipe()
            if self._live:
                left = max(0, int(deadline - now))
                self._draw(
                    f"{self._awaited}, {left // 60}:{left % 60:02} left{self._ignored}. Ctrl-C gives up."
                )
            await asyncio.sleep(0.5)

    def _recipe(self) -> None:
        # ssh -L needs the name by which the other machine knows this one: the address it connected to.
        connection = os.environ.get("SSH_CONNECTION", "").split()
        host = connection[2] if len(connection) == 4 else _hostname()
        forwards = " ".join(f"-L {_port(one)}:{one}" for one in self._ports)
        self._say(
            f"Is your browser on another machine? Run this there first: ssh {forwards} {_user()}@{host}"
        )

    def _stage(self, text: str) -> None:
        self._awaited = text
        if not self._live:
            self._say(f"{text}.")

    def _exchange(self, event: object) -> None:
        from loopback_auth.redact import server_text
        from loopback_auth.shell.events import Exchanged

        if isinstance(event, Exchanged):
            milliseconds = event.seconds * 1000
            self._say(f"> {event.step}: {event.method} {event.url} {server_text(event.request, 2000)}")
            self._say(f"< {event.status} after {milliseconds:.0f} ms: {server_text(event.response, 2000)}")

    def _say(self, text: str) -> None:
        self._clear()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _draw(self, text: str) -> None:
        width = _width()
        shown = text if len(text) < width else text[: width - 2] + "…"
        sys.stderr.write(f"\r\x1b[K{shown}")
        sys.stderr.flush()
        self._line_open = True

    def _clear(self) -> None:
        if self._line_open:
            sys.stderr.write("\r\x1b[K")
            self._line_open = False


def until(expires_at: float | None) -> str:
    """Say when a token ends, in local time."""
    if expires_at is None:
        return "the server did not say"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(expires_at))


def renewal(sign_in: SignIn) -> str:
    """Say what happens then."""
    if sign_in.temporary:
        return " (the demonstration server is gone by now)"
    return ", then renewed by itself" if sign_in.tokens.refresh_token else ", then you sign in again"


def _authority(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _port(authority: str) -> str:
    return authority.rpartition(":")[2]


def _hostname() -> str:
    import socket

    return socket.gethostname()


def _user() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (ImportError, KeyError, OSError):
        return "you"


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return 80
