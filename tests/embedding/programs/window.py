"""A window that shows a sign-in itself: link, code, QR code, time left, and buttons; drawn with Textual.

window.py ISSUER
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from typing import Unpack

import segno
from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Input, Static

from loopback_auth import ClientConfig, Controls, LoopbackAuthError, Options, Program, SignIn, login
from loopback_auth.events import (
    CallbackReceived,
    Event,
    FlowsAvailable,
    LinkOpened,
    LinkReady,
    OpenerFailed,
    PasteReady,
    PasteRefused,
    SignInFailed,
    SignInSucceeded,
    VerificationPrompted,
    WaitingForOtherProcess,
    Warned,
)

PROGRAM = Program("Window", returns_to="Window", accent="#7a1fa2")
BUTTONS = {"device": "Use a device code", "paste": "Paste an address"}


def qr(url: str) -> str:
    """Return a QR code of half blocks."""
    drawn = io.StringIO()
    segno.make(url, micro=False).terminal(drawn, compact=True, border=1)
    return drawn.getvalue()


class Window(App[SignIn | None]):
    """The window; its result is the sign-in."""

    CSS = """
    #device, #paste, #address, #question { display: none }
    Horizontal { height: auto }
    """

    def __init__(self, client: ClientConfig, **options: Unpack[Options]) -> None:
        super().__init__()
        self._client = client
        self._controls = Controls()
        self._options: Options = {
            "program": PROGRAM,
            "notify": self._told,
            "controls": self._controls,
            "confirm": self._confirm,
            "paste": self._paste,
            **options,
        }
        self._pasted: asyncio.Queue[str] = asyncio.Queue()
        self._answers: asyncio.Queue[bool] = asyncio.Queue()
        self._deadline: float | None = None
        self.signed_in: SignIn | None = None

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static(id="status", markup=False)
        with Horizontal():
            for flow, label in BUTTONS.items():
                yield Button(label, id=flow)
            yield Button("Cancel", id="cancel")
        with Horizontal(id="question"):
            yield Button("Yes", id="yes")
            yield Button("No", id="no")
        with VerticalScroll():
            for name in ("left", "link", "approval", "code", "qr"):
                yield Static(id=name, markup=False)
            yield Input(id="address", placeholder="The address on which the browser ended")

    def on_mount(self) -> None:
        """Begin."""
        self.set_interval(1.0, self._count_down)
        self.signing_in = self.run_worker(self._sign_in())

    async def _sign_in(self) -> None:
        try:
            self.signed_in = await login(self._client, **self._options)
        except LoopbackAuthError as error:
            self._ended(f"{error.message} {error.hint}")

    def _told(self, event: Event) -> None:
        match event:
            case LinkReady(url=url, lifetime=lifetime):
                self._show("link", url)
                self._show("status", "Go on in the browser." if event.opened_with else "Open this link:")
                self._ends_in(lifetime)
            case VerificationPrompted(url=url, user_code=code, lifetime=lifetime):
                self._show("approval", f"On any device: {event.plain_url or url}")
                self._show("code", code)
                self._show("qr", qr(url))
                self._ends_in(lifetime)
            case PasteReady(url=url):
                self._show("link", url)
                self._show("status", "Open this link, and paste the address on which the browser ends:")
                self.query_one("#address").display = True
            case FlowsAvailable(flows=flows):
                for flow in BUTTONS:
                    self.query_one(f"#{flow}").display = flow in flows
            case LinkOpened():
                self._show("status", "Your browser is there; approve in it.")
            case CallbackReceived():
                self._show("status", "You are back; the tokens are on their way.")
            case OpenerFailed():
                self._show("status", "The browser did not open. Open this link:")
            case WaitingForOtherProcess():
                self._show("status", "Another window signs in already; waiting for it.")
            case PasteRefused(reason=text) | Warned(text=text):
                self.notify(text, markup=False)
            case SignInSucceeded(account=account):
                self._ended(f"Signed in as {account}.")
            case SignInFailed(message=message, hint=hint):
                self._ended(f"{message} {hint}")
            case _:
                pass  # What is left is for logs.

    def _show(self, name: str, text: str) -> None:
        self.query_one(f"#{name}", Static).update(text)

    def _ends_in(self, seconds: float | None) -> None:
        if seconds is not None:
            self._deadline = time.monotonic() + seconds
            self._count_down()

    def _count_down(self) -> None:
        if self._deadline is not None:
            minutes, seconds = divmod(max(0, round(self._deadline - time.monotonic())), 60)
            self._show("left", f"{minutes}:{seconds:02} left")

    def _ended(self, text: str) -> None:
        self._deadline = None
        for name in ("left", "link", "approval", "code", "qr"):
            self._show(name, "")
        for name in ("address", "device", "paste", "question"):
            self.query_one(f"#{name}").display = False
        self.query_one("#cancel", Button).label = "Close"
        self._show("status", text)

    async def _confirm(self, sign_in: SignIn) -> bool:
        self._show("status", f"{sign_in.account} has approved. Is that you?")
        self.query_one("#question").display = True
        return await self._answers.get()

    async def _paste(self, _: object) -> str:
        return await self._pasted.get()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the address; the field is empty for the next one."""
        self._pasted.put_nowait(event.value)
        event.input.clear()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        if event.button.id in BUTTONS:
            self._controls.begin(event.button.id)
        elif event.button.id in ("yes", "no"):
            self._answers.put_nowait(event.button.id == "yes")
        elif self.signing_in.is_running:
            self.signing_in.cancel()
        else:
            self.exit(self.signed_in)


if __name__ == "__main__":
    print(Window(ClientConfig.at(sys.argv[1], client_id="loopback-auth-demo", scope="profile email")).run())
