"""What a person in a terminal sees and does while a sign-in runs; everything goes to stderr.

The messages about events are decided in `messages`, the actions of keys in `choices`, and which part of the
program gets the keys in `keyboard`. While the person is asked for something, messages wait. A closed stderr
does not end a sign-in.

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import time
from contextlib import contextmanager

from loopback_auth.terminal.messages import Messages
from loopback_auth.terminal.outcome import result_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractAsyncContextManager

    from loopback_auth.authorization_messages import AuthorizationRequest, Callback
    from loopback_auth.events import Event
    from loopback_auth.network.browser import Opening
    from loopback_auth.signin.controls import Controls
    from loopback_auth.terminal.choices import Choices
    from loopback_auth.terminal.keyboard import Listening
    from loopback_auth.tokens import SignIn

QUIET_SECONDS = 8.0
"""After so long without a visit, help on how to reach this machine is shown; browsers start slower than one
thinks."""

TICK = 0.5
"""Seconds between two looks at the time left, the keys and the terminal."""


class Terminal:
    """Shows one sign-in as it happens, and answers the keys that the person presses.

    Args:
        messages: what to say of it.
        controls: by which the person begins further flows; None: there is none to begin.
        open_browser: what the key for it starts a browser with; None: there is no such key.
        quiet: seconds without a visit after which help on how to reach this machine is shown.
    """

    def __init__(
        self,
        messages: Messages,
        *,
        controls: Controls | None = None,
        open_browser: Callable[[str], Opening] | None = None,
        quiet: float = QUIET_SECONDS,
    ) -> None:
        self.messages = messages
        self._line = messages.line
        self._words = self._line.words
        self._controls = controls
        self._open_browser = open_browser
        self._quiet = quiet
        self._choices: Choices | None = None
        self._listening: Listening | None = None

    def notify(self, event: Event) -> None:
        """Show an event."""
        self.messages.tell(event)
        if self._choices is not None:
            self._choices.notice(event, alone=self._only_pasting())

    def waiting(self, timeout: float | None) -> AbstractAsyncContextManager[None]:
        """Keep the line up to date, and answer keys, for as long as the block lasts.

        Args:
            timeout: seconds that are left; None: as long as what the person is invited to is valid.
        """
        from contextlib import asynccontextmanager  # Start-up.

        @asynccontextmanager
        async def line() -> AsyncGenerator[None]:
            import asyncio  # Start-up.

            self.messages.begin(timeout)
            with self._keys():
                task = asyncio.create_task(self._tick())
                try:
                    yield
                finally:
                    task.cancel()
                    self._line.clear()

        return line()

    async def paste(self, request: AuthorizationRequest) -> Callback:
        """Ask for the address on which the browser ended, until it is the right one.

        While other flows are open and keys are heard, that is asked when the person wants to be asked.

        Raises:
            AttemptCancelled: the person gave up.
            Unavailable: there is no terminal to ask on.
        """
        from loopback_auth.signin.pasting import pasted  # Start-up.

        choices = None if self._controls is None or self._only_pasting() else self._choices

        async def read() -> str:
            if choices is not None:
                return await choices.address(ask)
            self.messages.explain(request.redirect_uri)
            return await self._ask(self._words.PASTE_PROMPT)

        async def ask(begun: str) -> str:
            self.messages.explain(request.redirect_uri)
            return await self._ask(
                self._words.PASTE_PROMPT_OR_BACK, begun=begun, afresh=False, may_leave=True
            )

        return await pasted(request, notify=self.notify, read=read)

    async def confirm(self, sign_in: SignIn) -> bool:
        """Ask whether the account is the right one (RFC 6749 §10.16).

        Raises:
            AttemptCancelled: the person gave up.
            Unavailable: there is no terminal to ask on.
        """
        account = sign_in.tokens.account or self._words.UNNAMED_ACCOUNT
        text = self._words.CONFIRM_ACCOUNT.format(account=account)
        return await self.agrees(text, self._words.CONFIRM_PROMPT)

    async def agrees(self, text: str, prompt: str) -> bool:
        """Say something, and ask whether it is right; every answer but yes means no.

        Raises:
            AttemptCancelled: the person gave up.
            Unavailable: there is no terminal to ask on.
        """
        self._line.say(text)
        answer = await self._ask(prompt, hidden=False)
        return answer.strip().lower() in self._words.CONFIRM_YES.split()

    def done(self, sign_in: SignIn, kept_in: str) -> None:
        """Show who is signed in, until when, and where the tokens are."""
        self._line.say(result_text(sign_in, kept_in))

    def _only_pasting(self) -> bool:
        return self.messages.pasting or self.messages.progress.only("paste")

    async def _ask(
        self,
        prompt: str,
        *,
        hidden: bool = True,
        begun: str = "",
        afresh: bool = True,
        may_leave: bool = False,
    ) -> str:
        with self._line.rest():
            if self._listening is not None and self._listening.hears:
                return await self._listening.ask(
                    prompt, hidden=hidden, begun=begun, afresh=afresh, may_leave=may_leave
                )
            from loopback_auth.terminal.paste import read_line  # Start-up.

            return await read_line(prompt, hidden=hidden, words=self._words)

    @contextmanager
    def _keys(self) -> Generator[None]:
        """Answer keys, where they can be heard one by one."""
        if not self._line.live:
            yield
            return
        from loopback_auth.signin.pasting import LIMIT  # Start-up.
        from loopback_auth.terminal.choices import Choices
        from loopback_auth.terminal.keyboard import listening

        choices = Choices(
            self._line,
            self.messages.links,
            controls=self._controls,
            open_browser=self._open_browser,
            opened=self._watch,
        )
        with listening(choices.typed, limit=LIMIT, words=self._words) as heard:
            if heard is not None:
                self._choices, self._listening = choices, heard
            try:
                yield
            finally:
                self._choices = self._listening = None

    def _watch(self, opening: Opening) -> None:
        from loopback_auth.signin.browsers import watch  # Start-up.

        # A browser that is its own opener may end hours later; its exit status has no meaning then.
        watch(opening, lambda event: self.notify(event) if self._choices is not None else None)

    async def _tick(self) -> None:
        import asyncio  # Start-up.

        begun = time.monotonic()
        while True:
            self._look(time.monotonic() - begun)
            await asyncio.sleep(TICK)

    def _look(self, waited: float) -> None:
        if waited >= self._quiet:
            self.messages.trouble.missed()
        self.messages.trouble.lost()
        if self._choices is not None and self._listening is not None:
            self._choices.look()
            self._listening.look()
            if self._listening.away:
                return  # The screen is the shell's by now.
        self._line.draw(*self.messages.progress.texts())
