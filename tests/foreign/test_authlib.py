"""Sign-ins by plain `response_type=token` at a server made with Authlib, and by code at the same one.

oidc-provider has given that response type up; this server still has it. The script of our page between is
played by the scripted person here; `tests/browser` has the real one.
"""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import pytest

from foreign.client import client as client_of
from foreign.conftest import HERE, serving
from foreign.person import Page, Person
from loopback_auth.api import login
from loopback_auth.errors import AttemptExpired, AuthorizationError
from loopback_auth.events import CallbackReceived, Event, Exchanged, RequestIgnored, Warned
from loopback_auth.flow_table import FlowName
from loopback_auth.flows.implicit import EXPOSED_IN_URL
from loopback_auth.model import ClientConfig, Redirect
from loopback_auth.network.browser import Opening
from loopback_auth.tokens import SignIn

pytestmark = pytest.mark.foreign

FLOWS = ("token", "code")
SHORTLY = 1.5
"""Seconds for a sign-in that nobody comes back from."""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The issuer of the server made with Authlib."""
    with serving(sys.executable, HERE / "authlib_server.py") as issuers:
        yield issuers["either"]


client = partial(client_of, scope="email")


@dataclass
class Visit:
    """A sign-in with the real thing, and a scripted person for a browser."""

    person: Person = field(default_factory=Person)
    events: list[Event] = field(default_factory=list)
    arrivals: list[Future[Page]] = field(default_factory=list)

    async def sign_in(self, client: ClientConfig, flow: FlowName, *, seconds: float = 20) -> SignIn:
        """Sign in."""

        def open_browser(url: str) -> Opening:
            self.arrivals.append(self.person.begin(url))
            return Opening(program="a scripted person")

        return await login(
            client, flow=flow, open_browser=open_browser, notify=self.events.append, timeout=seconds
        )

    @property
    def pages(self) -> list[Page]:
        """Every page of the visit, which may end a little later than the sign-in."""
        (arrival,) = self.arrivals
        arrival.result(20)
        return self.person.visited

    @property
    def asked(self) -> dict[str, list[str]]:
        """The parameters of the consent page's address: our request."""
        (url,) = {page.url for page in self.pages if urlsplit(page.url).path == "/authorize"}
        return parse_qs(urlsplit(url).query)

    @property
    def answered(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """What came back in the query, and what came in the fragment."""
        (url,) = {page.url for page in self.pages if urlsplit(page.url).path == "/callback"}
        return parse_qs(urlsplit(url).query), parse_qs(urlsplit(url).fragment)

    @property
    def warnings(self) -> list[str]:
        """What we were warned of."""
        return [event.text for event in self.events if isinstance(event, Warned)]

    @property
    def steps(self) -> set[str]:
        """Which requests we made ourselves."""
        return {event.step for event in self.events if isinstance(event, Exchanged)}


def use(kept: SignIn, access_token: str) -> int:
    """Show a token to the server's resource, and return the status."""
    headers = {"Authorization": f"Bearer {access_token}"}
    request = urllib.request.Request(str(kept.metadata.userinfo_endpoint), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return int(reply.status)
    except HTTPError as exc:
        with exc:
            return exc.code


@pytest.mark.parametrize("flow", FLOWS)
async def test_sign_in(issuer: str, flow: FlowName) -> None:
    """Either way ends with a token that the server's resource takes, and takes only unchanged."""
    visit = Visit()
    kept = await visit.sign_in(client(issuer), flow)
    tokens = kept.tokens

    assert (tokens.account, tokens.token_type, tokens.scope) == ("ada@example.org", "Bearer", "email")
    assert (tokens.refresh_token, tokens.id_token) == (None, None)
    assert tokens.expires_at is not None
    assert use(kept, tokens.access_token) == 200
    assert use(kept, f"{tokens.access_token}x") == 401


async def test_ways_compared(issuer: str) -> None:
    """One way shows the token to the browser and needs no request; the other keeps it from the browser."""
    implicit, code = Visit(), Visit()
    exposed = (await implicit.sign_in(client(issuer), "token")).tokens.access_token
    kept = (await code.sign_in(client(issuer), "code")).tokens.access_token

    assert implicit.answered[1]["access_token"] == [exposed]
    assert implicit.answered[0] == {}
    assert "code_challenge" not in implicit.asked
    assert "token request" not in implicit.steps
    assert code.answered[1] == {}
    assert code.asked["code_challenge_method"] == ["S256"]
    assert "token request" in code.steps
    assert not any(kept in page.url + page.text for page in code.pages)


async def test_warning(issuer: str) -> None:
    """Whoever uses the exposed way is told so before the token comes; of codes there is nothing to say."""
    implicit, code = Visit(), Visit()
    await implicit.sign_in(client(issuer), "token")
    await code.sign_in(client(issuer), "code")
    told = [event for event in implicit.events if isinstance(event, Warned | CallbackReceived)]

    assert told == [Warned(EXPOSED_IN_URL), CallbackReceived(flow="token")]
    assert code.warnings == []


@pytest.mark.parametrize("deny", [False, True])
async def test_state(issuer: str, deny: bool) -> None:
    """Approval and refusal both bring back the state as it was sent (RFC 6749 §4.2.2, §4.2.2.1)."""
    visit = Visit(Person(deny=deny))
    with pytest.raises(AuthorizationError) if deny else nullcontext():
        await visit.sign_in(client(issuer), "token")

    assert visit.answered[1]["state"] == visit.asked["state"]
    assert len(visit.asked["state"][0]) >= 22


async def test_state_of_another_sign_in(issuer: str) -> None:
    """A good token with another state is somebody else's, and ends nothing (RFC 6749 §10.12)."""
    visit = Visit(Person(forged={"state": "of-another-sign-in"}))
    with pytest.raises(AttemptExpired):
        await visit.sign_in(client(issuer), "token", seconds=SHORTLY)

    assert [event.status for event in visit.events if isinstance(event, RequestIgnored)] == [400]
    assert "access_token" in visit.answered[1]


@pytest.mark.parametrize("flow", FLOWS)
async def test_denied(issuer: str, flow: FlowName) -> None:
    """A refusal is understood where the tokens would have been (RFC 6749 §4.1.2.1, §4.2.2.1)."""
    visit = Visit(Person(deny=True))
    with pytest.raises(AuthorizationError) as caught:
        await visit.sign_in(client(issuer), flow)
    query, fragment = visit.answered

    assert (caught.value.error, bool(caught.value.hint)) == ("access_denied", True)
    assert (fragment if flow == "token" else query)["error"] == ["access_denied"]
    assert not (query if flow == "token" else fragment)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("wrong", ["client_id", "redirect_uri"])
async def test_nobody_comes_back(issuer: str, wrong: str, flow: FlowName) -> None:
    """Such a request must not be redirected, so we can but guess what the person sees (RFC 6749 §4.2.2.1)."""
    config = client(issuer, "nobody" if wrong == "client_id" else "native")
    if wrong == "redirect_uri":
        config = replace(config, provider=replace(config.provider, redirect=Redirect(path="/elsewhere")))
    visit = Visit()
    with pytest.raises(AttemptExpired) as caught:
        await visit.sign_in(config, flow, seconds=SHORTLY)
    page = visit.pages[-1]

    assert page.url.startswith(f"{issuer}/authorize")
    assert page.status in (400, 401)
    assert ("invalid_client" if wrong == "client_id" else "Redirect URI") in page.text
    assert f"compare the client ID {config.client_id!r} and the redirect URI" in caught.value.hint


async def test_scope_that_is_narrowed(issuer: str) -> None:
    """A server that grants less than was asked for says so in the fragment (RFC 6749 §3.3, §4.2.2)."""
    visit = Visit()
    kept = await visit.sign_in(replace(client(issuer), scope="email everything"), "token")

    assert visit.answered[1]["scope"] == ["email"] == [kept.tokens.scope]
    assert any("everything" in text for text in visit.warnings)
