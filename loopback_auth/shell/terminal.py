"""What a person in a terminal sees while a sign-in runs; everything goes to stderr.

One line is kept up to date on a terminal: what is awaited, how long is left, what was turned away and why. It
is redrawn by a carriage return and blanks alone, never by an escape sequence, which an old console would show
as it is; and it is cut to the width, because a line that wraps cannot be redrawn. All else may wrap: then a
link stays one link. Elsewhere each stage is one line. While the person is asked for something, the line rests
and what there is to say waits.

Server text was cleaned where it came in (`redact.server_text`). Nobody may be reading: that ends no sign-in.
Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import os
import sys
import time

from loopback_auth.shell.drawing import (
    instructions,
    light_background,
    link,
    qr_code,
    takes_blocks,
    takes_escapes,
)
from loopback_auth.shell.forwarding import authority_of, ssh_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from typing import TextIO

    from loopback_auth.model import AuthorizationRequest, Callback, SignIn
    from loopback_auth.shell.events import Event, Exchanged, Invited

QUIET_SECONDS = 8.0
"""After so long without a visit, help on how to reach this machine is shown; browsers start slower than one
thinks."""


TOO_SMALL = "The terminal is too small for a QR code of the link: enlarge it and give --qr.\n"


class Terminal:
    """Tells one sign-in as it happens.

    Args:
        name: of the provider.
        authority: host and port of the redirect URI, which the browser has to reach.
        verbose: show every exchange, secrets replaced by labels.
        quiet: seconds without a visit after which help on how to reach this machine is shown.
        qr: draw the link to approve at as a QR code; None: if no browser was opened.
        pasting: the person will be asked to paste the address, so their browser may be anywhere.
    """

    def __init__(
        self,
        name: str,
        *,
        authority: str,
        verbose: bool = False,
        quiet: float = QUIET_SECONDS,
        qr: bool | None = None,
        pasting: bool = False,
    ) -> None:
        self._name = name
        self._verbose = verbose
        self._quiet = quiet
        self._qr = qr
        self._pasting = pasting
        self._live = sys.stderr.isatty()
        self._escapes = self._live and takes_escapes(os.environ, sys.platform)
        self._awaited = "Waiting for a browser"
        self._ignored = ""
        self._drawn = 0
        self._held: list[str] | None = None
        self._deadline: float | None = None
        self._invited: Invited | None = None
        self._authorities = [authority]
        self._linked = False
        self._launched = False
        self._visited = False
        self._helped = False

    def link(self, url: str, *, program: str, why_not: str) -> None:
        """Show the page where the sign-in begins."""
        self._linked, self._launched = True, bool(program)
        # The start page is ours and works once; a link to the server itself is the server's.
        once = "; it works once" if authority_of(url) == self._authorities[0] else ""
        if program:
            self._say(f"Opening your browser ({program}) to sign in to {self._name}.")
            self._say(f"If it does not open, open this link yourself{once}:")
        else:
            self._say(f"Sign in to {self._name}. No browser is opened here: {why_not}.")
            where = "any browser" if self._pasting else "a browser on this machine"
            self._say(f"Open this link in {where}{once}:")
        self._link(url)

    def also_forward(self, url: str) -> None:
        """Note another port that a browser elsewhere would have to reach; to be called before `waiting`."""
        self._authorities.append(authority_of(url))

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
                if self._invited is not None:
                    self._qr_code(self._invited)
            case events.LinkOpened():
                self._visited = True
                self._stage(f"Your browser is at {self._name}; waiting for you to approve")
            case events.LinkRenewed(url):
                self._say("The link was opened a second time and turned away. If you did that, use this one:")
                self._link(url)
            case events.Ignored(count, _, reason, suspicious):
                self._ignored = f"; turned away {count} other request{'s' * (count > 1)}: {reason}"
                if suspicious:
                    self._say("Something else is calling this port again and again; it is being ignored.")
            case events.CallbackReceived():
                self._stage("You are back; fetching the tokens")
            case events.PasteRefused(reason):
                self._say(f"{reason} Paste again, or give up with Ctrl-C.")
            case events.Warned(text):
                self._say(f"warning: {text}")
            case events.Exchanged():
                if self._verbose:
                    self._exchange(event)

    def waiting(self, timeout: float | None) -> AbstractAsyncContextManager[None]:
        """Keep the line up to date for as long as the block lasts.

        Args:
            timeout: seconds that are left; None: as long as what the person is invited to is valid.
        """
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def line() -> AsyncIterator[None]:
            import asyncio

            self._until(timeout)
            if self._linked:
                self._help_at_once()
            if not self._live:
                most = "" if timeout is None else f", {timeout:.0f} seconds at most"
                self._say(f"{self._awaited}{most}.")
            task = asyncio.create_task(self._tick())
            try:
                yield
            finally:
                task.cancel()
                self._clear()

        return line()

    async def paste(self, request: AuthorizationRequest) -> Callback:
        """Ask for the address on which the browser ended, until it is the right one.

        Raises:
            AttemptCancelled: the person gave up.
            Unavailable: there is nobody to ask.
        """
        from loopback_auth.shell.paste import pasted

        self._say("After you have signed in, the browser ends on an address that it cannot open:")
        self._say(f"\n  {request.redirect_uri}?...\n")
        self._say("Copy that whole address and paste it here, nowhere else. Nothing that you paste is shown.")
        return await pasted(
            request, notify=self.notify, read=lambda: self._ask("Paste the address, then Enter: ")
        )

    async def confirm(self, sign_in: SignIn) -> bool:
        """Ask whether the account is the right one (RFC 6749 §10.16).

        Raises:
            AttemptCancelled: the person gave up.
            Unavailable: there is nobody to ask.
        """
        self._say(f"Approved as {sign_in.tokens.account or 'an account that the server did not name'}.")
        answer = await self._ask("Is that you? [y/N] ", hidden=False)
        return answer.strip().lower() in ("y", "yes")

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

    async def _ask(self, prompt: str, *, hidden: bool = True) -> str:
        from loopback_auth.shell.paste import read_line

        self._clear()
        held: list[str] = []
        self._held = held
        try:
            return await read_line(prompt, hidden=hidden)
        finally:
            self._held = None
            for text in held:
                self._say(text)

    def _until(self, seconds: float | None) -> None:
        """Note a deadline; the earliest counts."""
        if seconds is not None:
            deadline = time.monotonic() + seconds
            self._deadline = min(deadline, self._deadline or deadline)

    async def _tick(self) -> None:
        import asyncio

        begun = time.monotonic()
        while True:
            now = time.monotonic()
            missed = self._launched and not self._visited and not self._helped and not self._pasting
            if missed and now - begun >= self._quiet:
                self._say("No browser has come to the link yet.")
                self._recipe()
            if self._live and self._held is None:
                self._draw(now)
            await asyncio.sleep(0.5)

    def _help_at_once(self) -> None:
        if not self._launched and not self._helped and not self._pasting:
            self._recipe()

    def _recipe(self) -> None:
        self._helped = True
        self._say("Is your browser on another machine? Run this there first:")
        self._say(f"\n  {ssh_command(self._authorities, os.environ)}\n")

    def _stage(self, text: str) -> None:
        self._awaited = text
        if not self._live:
            self._say(f"{text}.")

    def _invite(self, event: Invited) -> None:
        self._invited = event
        if event.opened_with:
            self._launched = True
            self._say(f"Opening your browser ({event.opened_with}) to sign in to {self._name}.")
        self._say(f"Sign in to {self._name} at this link, on any device:")
        self._link(event.url)
        self._qr_code(event)
        self._say(instructions(event, columns=_size()[0], escapes=self._escapes))
        self._until(event.lifetime or None)
        self._stage("Waiting for you to approve")

    def _qr_code(self, event: Invited) -> None:
        if self._qr is False or (self._qr is None and (self._launched or not self._live)):
            return
        if not self._live:
            self._say("No QR code is drawn: this is no terminal.")
            return
        columns, lines = _size()
        if not takes_blocks(sys.stderr.encoding):
            self._say("The characters of this terminal cannot draw a QR code.\n")
            return
        light = light_background(os.environ)
        rows = qr_code(event.url, columns=columns, lines=lines - 1, escapes=self._escapes, light=light)
        self._say("\n".join(rows) + "\n" if rows else TOO_SMALL)

    def _link(self, url: str) -> None:
        # The link to our own start page is short enough to survive as it is.
        escapes = self._escapes and authority_of(url) not in self._authorities
        self._say(f"\n  {link(url, columns=_size()[0], escapes=escapes)}\n")

    def _exchange(self, event: Exchanged) -> None:
        from loopback_auth.redact import server_text

        self._say(f"> {event.step}: {event.method} {event.url} {server_text(event.request, 2000)}".rstrip())
        milliseconds = event.seconds * 1000
        self._say(f"< {event.status} after {milliseconds:.0f} ms: {server_text(event.response, 2000)}")

    def _say(self, text: str) -> None:
        if self._held is not None:
            self._held.append(text)
            return
        self._clear()
        write(text + "\n")

    def _draw(self, now: float) -> None:
        left = None if self._deadline is None else max(0, int(self._deadline - now))
        time_left = "" if left is None else f"{left // 60}:{left % 60:02} left. "
        text = f"{time_left}{self._awaited}{self._ignored}. Ctrl-C gives up."
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


def _room() -> int:
    """Return how many columns a line may take so that the echo of Ctrl-C, `^C`, still fits behind."""
    return max(_size()[0] - 3, 4)


def _size() -> tuple[int, int]:
    """Return columns and lines; a pseudo-terminal that nobody gave a size has none."""
    try:
        columns, lines = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return columns or 80, lines or 24
