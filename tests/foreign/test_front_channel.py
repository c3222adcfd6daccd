"""Sign-ins at oidc-provider whose tokens come through the browser, in the fragment or by a form.

The script of our page between is played by the scripted person here; `tests/browser` has the real one.
"""

from __future__ import annotations

import urllib.request
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest

from foreign.client import client
from foreign.person import Person
from loopback_auth.api import login
from loopback_auth.errors import AuthorizationError, ProtocolError
from loopback_auth.events import Event, Exchanged, silent
from loopback_auth.flow_table import FlowName
from loopback_auth.tokens import SignIn

pytestmark = pytest.mark.foreign

Mode = Literal["fragment", "form_post"]
MODES: tuple[Mode, ...] = ("fragment", "form_post")
FLOWS = {"id_token": "implicit", "id_token token": "implicit", "code id_token": "hybrid"}
"""Which client of `provider.mjs` may use a flow."""


async def sign_in(
    issuer: str, flow: FlowName, person: Person, *, mode: Mode = "fragment", events: list[Event] | None = None
) -> SignIn:
    """Sign in with the real thing, and a scripted person for a browser."""
    wanted = client(issuer, FLOWS.get(flow, "implicit"), response_mode=mode)
    notify = silent if events is None else events.append
    return await login(wanted, flow=flow, open_browser=person.open, notify=notify, timeout=60)


def answer(person: Person) -> dict[str, str]:
    """Return what the server put into the fragment."""
    fragments = [urlsplit(page.url).fragment for page in person.visited]
    (carrying,) = [fragment for fragment in fragments if fragment]
    return {name: values[0] for name, values in parse_qs(carrying).items()}


def userinfo(kept: SignIn) -> int:
    """Use the access token, and return the status."""
    headers = {"Authorization": f"Bearer {kept.tokens.access_token}"}
    request = urllib.request.Request(str(kept.metadata.userinfo_endpoint), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return int(reply.status)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("flow", FLOWS)
async def test_sign_in(oidc_provider: dict[str, str], flow: FlowName, mode: Mode) -> None:
    """Each response type brings what its words say, and an ID token whose signature is good."""
    person, events = Person(), list[Event]()
    kept = await sign_in(oidc_provider["either"], flow, person, mode=mode, events=events)
    steps = [event.step for event in events if isinstance(event, Exchanged)]

    assert kept.tokens.account == "ada@example.org"
    assert kept.tokens.id_token is not None
    assert kept.tokens.id_token.signature == "verified"
    assert bool(kept.tokens.access_token) == (flow != "id_token")
    assert bool(kept.tokens.refresh_token) == ("token request" in steps) == (flow == "code id_token")
    assert any("Submitting Callback" in page.text for page in person.visited) == (mode == "form_post")
    assert flow == "id_token" or userinfo(kept) == 200


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("flow", "exchanged", "claim"),
    [("id_token token", "access_token", "at_hash"), ("code id_token", "code", "c_hash")],
)
async def test_what_came_with_another_id_token(
    oidc_provider: dict[str, str], flow: FlowName, exchanged: str, claim: str, mode: Mode
) -> None:
    """The server's hashes tie its ID token to what comes with it (OpenID Connect Core 1.0 §3.3.2.11)."""
    events = list[Event]()
    with pytest.raises(ProtocolError, match=claim):
        await sign_in(
            oidc_provider["either"], flow, Person(forged={exchanged: "made-up"}), mode=mode, events=events
        )

    assert {event.step for event in events if isinstance(event, Exchanged)} <= {
        "metadata request",
        "key set request",
    }


@pytest.mark.parametrize("flow", ["id_token", "code id_token"])
async def test_id_token_of_another_sign_in(oidc_provider: dict[str, str], flow: FlowName) -> None:
    """An ID token that was made for somebody else's sign-in has another nonce (OpenID Core §3.2.2.11)."""
    other = Person("mallory")
    await sign_in(oidc_provider["either"], flow, other)
    stolen = answer(other)["id_token"]

    with pytest.raises(ProtocolError, match="nonce"):
        await sign_in(oidc_provider["either"], flow, Person(forged={"id_token": stolen}))


@pytest.mark.parametrize("flow", FLOWS)
async def test_damaged_signature(oidc_provider: dict[str, str], flow: FlowName) -> None:
    """Nothing but its signature vouches for an ID token that the browser brings (OpenID Core §3.2.2.11)."""
    first = Person()
    await sign_in(oidc_provider["either"], flow, first)
    head, _, signature = answer(first)["id_token"].rpartition(".")
    damaged = f"{head}.{'B' if signature.startswith('A') else 'A'}{signature[1:]}"

    with pytest.raises(ProtocolError, match="signature"):
        await sign_in(oidc_provider["either"], flow, Person(forged={"id_token": damaged}))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("flow", FLOWS)
async def test_denied(oidc_provider: dict[str, str], flow: FlowName, mode: Mode) -> None:
    """A refusal comes by the same way as the tokens would have (RFC 6749 §4.2.2.1)."""
    person = Person(deny=True)
    with pytest.raises(AuthorizationError) as caught:
        await sign_in(oidc_provider["either"], flow, person, mode=mode)

    assert (caught.value.error, bool(caught.value.hint)) == ("access_denied", True)
    assert mode == "form_post" or answer(person)["error"] == "access_denied"


@pytest.mark.parametrize("mode", MODES)
async def test_server_without_plain_tokens(oidc_provider: dict[str, str], mode: Mode) -> None:
    """`response_type=token` alone is what this server has given up; its refusal is told as what it is."""
    with pytest.raises(AuthorizationError) as caught:
        await sign_in(oidc_provider["either"], "token", Person(), mode=mode)

    assert caught.value.error == "unsupported_response_type"
