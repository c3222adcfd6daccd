"""What a person in a terminal sees while a sign-in runs; everything goes to stderr.

One line is kept up to date on a terminal: what is awaited, how long is left, what was turned away and why. It
is redrawn by a carriage return and blanks alone, never by an escape sequence, which an old console would show
as it is; and it is cut to the width, because a line that wraps cannot be redrawn. All else may wrap: then a
link stays one link. Elsewhere each stage is one line.

Server text was cleaned where it came in (`redact.server_text`). Nobody may be reading: that ends no sign-in.
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
    from typing import TextIO

    from loopback_auth.model import SignIn
    from loopback_auth.shell.events import Event, Exchanged, Invited

QUIET_SECONDS = 8.0
"""After so long without a visit, help on how to reach this machine is shown; browsers start slower than one
thinks."""


class Terminal:
    """Tells one sign-in as it happens.

    Args:
        name: of the provider.
        authority: host and port of the redirect URI, which the browser has to reach.
        verbose: show every exchange, secrets replaced by labels.
        quiet: seconds without a visit after which help on how to reach this machine is shown.
    """

    def __init__(
        self, name: str, *, authority: str, verbose: bool = False, quiet: float = QUIET_SECONDS
    ) -> None:
        self._name = name
        self._verbose = verbose
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._awaited = "Waiting for a browser"
        self._ignored = ""
        self._drawn = 0
        self._authorities = [authority]
        self._linked = False
        self._launched = False
        self._visited = False
        self._helped = False

    def link(self, url: str, *, program: str, why_not: str) -> None:
        """Show the page where the sign-in begins."""
        self._linked, self._launched = True, bool(program)
        # The start page is ours and works once; a link to the server itself is the server's.
        once = "; it works once" if _authority(url) == self._authorities[0] else ""
        if program:
            self._say(f"Opening your browser ({program}) to sign in to {self._name}.")
            self._say(f"If it does not open, open this link yourself{once}:")
        else:
            self._say(f"Sign in to {self._name}. No browser is opened here: {why_not}.")
            self._say(f"Open this link in a browser on this machine{once}:")
        self._say(f"\n  {url}\n")

    def also_forward(self, url: str) -> None:
        """Note another port that a browser elsewhere would have to reach; to be called before `waiting`."""
        self._authorities.append(_authority(url))

    def notify(self, event: Event) -> None:
        """Show an event."""
        from loopback_auth.shell import events

        match event:
            case events.LinkReady(url, program, why_not):
                self.link(url, program=program, why_not=why_not)
                self._help_at_once()
            case events.Invited():
                self._invite(event)
            case events.OpenerFailed(program, status):
                self._say(
                    f"The browser did not open ({program} ended with {status}). Open the link yourself."
                )
                self._launched = False
                self._help_at_once()
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
            if self._linked:
                self._help_at_once()
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
        self._say(f"  until      {until(tokens.expires_at)}{_renewal(sign_in)}")
        if tokens.id_token is not None:
            self._say(f"  ID token   claims checked, signature {tokens.id_token.signature}")
        self._say(f"  kept in    {kept_in}")
        self._say(f"Print the token with: python -m loopback_auth token {sign_in.name}")

    async def _tick(self, deadline: float) -> None:
        import asyncio

        begun = time.monotonic()
        while True:
            now = time.monotonic()
            if self._launched and not self._visited and not self._helped and now - begun >= self._quiet:
                self._say("No browser has come to the link yet.")
                self._recipe()
            if self._live:
                self._draw(max(0, int(deadline - now)))
            await asyncio.sleep(0.5)

    def _help_at_once(self) -> None:
        if not self._launched and not self._helped:
            self._recipe()

    def _recipe(self) -> None:
        self._helped = True
        forwards = " ".join(f"-L {_port(one)}:{one}" for one in self._authorities)
        self._say("Is your browser on another machine? Run this there first:")
        self._say(f"\n  ssh {forwards} {_this_machine()}\n")

    def _stage(self, text: str) -> None:
        self._awaited = text
        if not self._live:
            self._say(f"{text}.")

    def _invite(self, event: Invited) -> None:
        if event.opened_with:
            self._say(f"Opening your browser ({event.opened_with}) to sign in to {self._name}.")
        self._say(f"Sign in to {self._name} at this link, on any device:\n\n  {event.url}\n")
        if event.user_code:
            where = event.plain_url or "there"
            self._say(f"Compare this code, or enter it at {where}:\n\n  {event.user_code}\n")
        self._stage("Waiting for you to approve")

    def _exchange(self, event: Exchanged) -> None:
        from loopback_auth.redact import server_text

        self._say(f"> {event.step}: {event.method} {event.url} {server_text(event.request, 2000)}".rstrip())
        milliseconds = event.seconds * 1000
        self._say(f"< {event.status} after {milliseconds:.0f} ms: {server_text(event.response, 2000)}")

    def _say(self, text: str) -> None:
        self._clear()
        write(text + "\n")

    def _draw(self, left: int) -> None:
        text = f"{left // 60}:{left % 60:02} left. {self._awaited}{self._ignored}. Ctrl-C gives up."
        room = _room()
        shown = text if len(text) <= room else text[: room - 3] + "..."
        write("\r" + shown.ljust(min(self._drawn, room)))
        self._drawn = len(shown)

    def _clear(self) -> None:
        if self._drawn:
            write("\r" + " " * min(self._drawn, _room()) + "\r")
            self._drawn = 0


def write(text: str) -> None:
    """Write to stderr for people; when nobody reads there any longer, that is no error."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        mute(sys.stderr)


def mute(stream: TextIO) -> None:
    """Send what a stream still holds to nowhere: Python would try, and complain, once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def until(expires_at: float | None) -> str:
    """Say when a token ends, in local time."""
    if expires_at is None:
        return "the server did not say"
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(expires_at))
    except (OverflowError, ValueError, OSError):
        return "beyond every calendar"


def _renewal(sign_in: SignIn) -> str:
    """Say what happens then."""
    if sign_in.temporary:
        return " (the demonstration server is gone by now)"
    if sign_in.tokens.expires_at is None:
        return ""
    return ", then renewed by itself" if sign_in.tokens.refresh_token else ", then you sign in again"


def _authority(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]


def _port(authority: str) -> str:
    return authority.rpartition(":")[2]


def _this_machine() -> str:
    """Return what ssh on another machine needs to reach this one: the address that it came to, if it did."""
    import socket
    from getpass import getuser

    try:
        user = getuser()
    except (ImportError, KeyError, OSError):
        user = "you"
    connection = os.environ.get("SSH_CONNECTION", "").split()
    if len(connection) != 4:
        return f"{user}@{socket.gethostname()}"
    _, _, host, port = connection
    return f"{user}@{host}" if port == "22" else f"-p {port} {user}@{host}"


def _room() -> int:
    """Return how many columns a line may take so that the echo of Ctrl-C, `^C`, still fits behind."""
    try:
        # A pseudo-terminal that nobody gave a size has none.
        columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        columns = 80
    return max(columns - 3, 4)
