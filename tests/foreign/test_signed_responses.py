"""Authorization responses that oidc-provider signs (JARM)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foreign.client import client
from foreign.keys import Keys
from foreign.person import Person
from foreign.test_oidc_provider import posted, sign_in, steps
from loopback_auth.errors import AuthorizationError
from loopback_auth.events import Event, silent
from loopback_auth.model import ResponseMode
from loopback_auth.signin import session
from loopback_auth.signin.embedded_plan import planned

pytestmark = pytest.mark.foreign


@pytest.mark.parametrize("mode", ["jwt", "query.jwt", "form_post.jwt"])
async def test_signed_response(oidc_provider: dict[str, str], mode: ResponseMode) -> None:
    """The code is believed after the keys were fetched, and the ID token is checked as ever (JARM §2.4)."""
    person, events = Person(), list[Event]()
    kept = await sign_in(client(oidc_provider["either"], response_mode=mode), person, events)

    assert kept.tokens.account == "ada@example.org"
    assert posted(person) == (mode == "form_post.jwt")
    assert [step for step, _ in steps(events)].count("key set request") == 1


@pytest.mark.parametrize("mode", ["query.jwt", "form_post.jwt"])
async def test_signed_refusal(oidc_provider: dict[str, str], mode: ResponseMode) -> None:
    """What the person has refused is told as what it is (JARM §2.1.1)."""
    with pytest.raises(AuthorizationError) as caught:
        await sign_in(client(oidc_provider["either"], response_mode=mode), Person(deny=True))

    assert caught.value.error == "access_denied"


async def test_signed_response_with_an_id_token_in_front(oidc_provider: dict[str, str]) -> None:
    """It comes in the fragment, which our page reads (JARM §2.3.2, §2.3.4)."""
    wanted = replace(
        client(oidc_provider["either"], "hybrid", response_mode="jwt"), response_type="code id_token"
    )
    plan = planned(wanted, "code id_token")
    kept = await session.sign_in(wanted, plan, open_browser=Person().open, notify=silent, timeout=60)

    assert kept.tokens.account == "ada@example.org"


async def test_everything_at_once(oidc_provider: dict[str, str], client_keys: Keys) -> None:
    """A signed and pushed request of a client with a key, a signed response, and tokens bound to a key."""
    events = list[Event]()
    wanted = replace(
        client(oidc_provider["nonces"], "key", response_mode="form_post.jwt"),
        private_key=client_keys.jwk("ES256"),
        signed_request=True,
        push=True,
        dpop=True,
    )
    kept = await sign_in(wanted, Person(), events)

    assert kept.tokens.account == "ada@example.org"
    assert kept.tokens.token_type == "DPoP"
    # The server demands a nonce: an assertion that was seen with the first try would be refused.
    assert [status for step, status in steps(events) if step == "pushed authorization request"] == [400, 201]
