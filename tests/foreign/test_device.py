"""Device sign-ins at oidc-provider: the code is entered on its own pages by a scripted person.

This server names no interval, so five seconds pass between two polls (RFC 8628 §3.2), unless the person is
seen to come back to our own tab before the first one.
"""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlsplit
from urllib.request import Request

import pytest

from foreign.client import client
from foreign.keys import Keys
from foreign.person import Page, Person
from foreign.test_client_keys import certified
from loopback_auth.errors import DeviceError
from loopback_auth.events import Event, Exchanged, LinkReady, VerificationPrompted
from loopback_auth.model import ClientConfig
from loopback_auth.network.browser import Opening
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.tokens import SignIn

pytestmark = pytest.mark.foreign

POLL = "device token request"
PENDING = REFUSED = (POLL, 400)
SHORT = 1.0
"""Seconds between two polls, in place of the 5 of RFC 8628 §3.2: oidc-provider names none."""
"""RFC 8628 §3.5: both are error responses."""


class OurTab(HTMLParser):
    """Our waiting page, with a hand in place of its script."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.attributes: dict[str, str] = {}
        self.address = urlsplit(url)
        with urllib.request.urlopen(url, timeout=60) as reply:
            self.page = reply.read().decode()
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the script would read."""
        if tag == "body":
            self.attributes = {name: value or "" for name, value in attrs}

    def come_back(self) -> None:
        """Say that the person is back."""
        origin = f"http://{self.address.netloc}"
        headers = {"X-Loopback-Relay": self.attributes["data-token"], "Origin": origin}
        request = Request(f"{origin}{self.attributes['data-live']}/return", b"", headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            assert reply.status == 204


class Conversation:
    """One sign-in under way, and what it has told so far."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._told = asyncio.Event()

    def notify(self, event: Event) -> None:
        """Take an event in."""
        self.events.append(event)
        self._told.set()

    async def until(self, fits: Callable[[Event], bool]) -> Event:
        """Wait for an event."""
        while True:
            for event in self.events:
                if fits(event):
                    return event
            self._told.clear()
            await self._told.wait()

    @property
    def polls(self) -> list[tuple[str, int]]:
        """What the server answered to each poll."""
        told = [event for event in self.events if isinstance(event, Exchanged)]
        return [(event.step, event.status) for event in told if event.step == POLL]


async def sign_in(
    issuer: str,
    person: Callable[[Conversation, VerificationPrompted], Awaitable[None]],
    told: Conversation,
    *,
    start_page: bool = True,
    asking: ClientConfig | None = None,
) -> SignIn:
    """Sign in while a person, in a task of their own, does what they are asked to."""

    async def approving() -> None:
        invited = await told.until(lambda event: isinstance(event, VerificationPrompted))
        assert isinstance(invited, VerificationPrompted)
        await person(told, invited)

    async with asyncio.timeout(60):
        approval = asyncio.create_task(approving())
        try:
            asking = asking or client(issuer, "device")
            return await session.sign_in(
                asking,
                planned(asking, "device", opener=True),
                notify=told.notify,
                open_browser=lambda _url: Opening(program="somebody else's browser"),
                start_page=start_page,
                exchanges=True,
            )
        finally:
            await approval


async def test_approval_before_the_first_poll(oidc_provider: dict[str, str]) -> None:
    """The person enters the code by hand, approves and comes back: the first poll follows, and has it all."""
    told, pages = Conversation(), list[Page]()

    async def person(told: Conversation, invited: VerificationPrompted) -> None:
        link = next(event for event in told.events if isinstance(event, LinkReady))
        tab = await asyncio.to_thread(OurTab, link.url)
        assert invited.user_code in tab.page
        entering = Person(forged={"user_code": invited.user_code})
        pages.append(await asyncio.to_thread(entering.visit, invited.plain_url))
        await asyncio.to_thread(tab.come_back)

    kept = await sign_in(oidc_provider["either"], person, told)

    assert kept.tokens.account == "ada@example.org"
    assert kept.tokens.id_token is not None
    assert kept.tokens.id_token.signature == "verified"
    assert kept.tokens.refresh_token
    assert "Sign-in Success" in pages[0].text
    assert told.polls == [(POLL, 200)]


async def test_approval_while_polling(oidc_provider: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tab of ours the server is asked at the interval, here a short one, until it says yes."""
    monkeypatch.setattr("loopback_auth.protocol.device.DEFAULT_INTERVAL", SHORT)
    told = Conversation()
    moments: list[float] = []

    async def person(told: Conversation, invited: VerificationPrompted) -> None:
        loop = asyncio.get_running_loop()
        moments.append(loop.time())
        await told.until(lambda event: isinstance(event, Exchanged) and event.step == POLL)
        moments.append(loop.time())
        await asyncio.to_thread(Person().visit, invited.url)

    kept = await sign_in(oidc_provider["either"], person, told, start_page=False)

    assert kept.tokens.account == "ada@example.org"
    assert told.polls == [PENDING, (POLL, 200)]
    assert moments[1] - moments[0] >= SHORT


@pytest.mark.parametrize("proof", ["key", "certificate"])
async def test_client_proves_itself_at_each_poll(
    oidc_provider: dict[str, str], client_keys: Keys, monkeypatch: pytest.MonkeyPatch, proof: str
) -> None:
    """An assertion is accepted once, so that a second poll with the first one would fail (RFC 7523 §3)."""
    monkeypatch.setattr("loopback_auth.protocol.device.DEFAULT_INTERVAL", SHORT)
    told, issuer = Conversation(), oidc_provider["either" if proof == "key" else "certified"]
    asking = replace(client(issuer, "key"), private_key=client_keys.jwk("ES256"))
    if proof == "certificate":
        asking = certified(oidc_provider, client_keys, "certificate", "tls_client_auth", name="client")

    async def person(told: Conversation, invited: VerificationPrompted) -> None:
        await told.until(lambda event: isinstance(event, Exchanged) and event.step == POLL)
        approving = Person(authority=client_keys.file("authority.pem"))
        await asyncio.to_thread(approving.visit, invited.url)

    kept = await sign_in(issuer, person, told, start_page=False, asking=asking)

    assert kept.tokens.account == "ada@example.org"
    assert told.polls == [PENDING, (POLL, 200)]


async def test_denial(oidc_provider: dict[str, str]) -> None:
    """Whoever aborts on the server's page ends the sign-in with the next poll."""
    told = Conversation()

    async def person(told: Conversation, invited: VerificationPrompted) -> None:
        link = next(event for event in told.events if isinstance(event, LinkReady))
        tab = await asyncio.to_thread(OurTab, link.url)
        await asyncio.to_thread(Person(deny=True).visit, invited.url)
        await asyncio.to_thread(tab.come_back)

    with pytest.raises(DeviceError) as caught:
        await sign_in(oidc_provider["either"], person, told)

    assert (caught.value.error, bool(caught.value.hint)) == ("access_denied", True)
    assert told.polls == [REFUSED]
