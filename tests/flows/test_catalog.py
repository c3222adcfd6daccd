"""Every flow by its name."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flow_world import ATTEMPT, CLIENT, ISSUER, OPENID, PROVIDER, world

from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.effects import Browse, VerificationPrompt
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import NAMES
from loopback_auth.flows.catalog import RESPONSE_TYPES, FlowOptions, flow_named


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Make the key of the server once: it takes a moment."""
    made = rsa_signer()
    assert made is not None
    return made


@pytest.mark.parametrize("name", NAMES)
def test_every_name_signs_in(name: str, signer: Signer) -> None:
    """And the response type is the one that the name says, whatever the client was set to."""
    provider = replace(PROVIDER, ticket=demo_contract("netlify", ISSUER))
    client = replace(OPENID, provider=provider, response_type="id_token token")
    here = world(signer=signer)

    sign_in = here.run(flow_named(name, client, ATTEMPT, FlowOptions(verify_signature=True, message="m")))

    assert sign_in.tokens.account == "demo@example.com"
    urls = [effect.url for effect in here.effects if isinstance(effect, Browse)]
    asked = [parse_qs(urlsplit(url).query)["response_type"] for url in urls]
    expected: dict[str, list[str]] = {"paste": ["code"], **{one: [one] for one in RESPONSE_TYPES}}
    assert asked == ([expected[name]] if name in expected else [])
    assert any(isinstance(effect, VerificationPrompt) for effect in here.effects) is (
        name in ("device", "ticket")
    )


def test_paste_needs_the_answer_in_the_address() -> None:
    """A form post leaves nothing there that could be copied."""
    here = world()
    here.run(flow_named("paste", CLIENT, ATTEMPT, FlowOptions()))
    [browse] = [effect for effect in here.effects if isinstance(effect, Browse)]

    assert browse.request is not None
    assert browse.request.response_mode == "query"


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    """So that a slip of the pen costs one line."""
    with pytest.raises(ConfigError, match="cod") as refusal:
        flow_named("cod", CLIENT, ATTEMPT, FlowOptions())
    assert all(name in refusal.value.hint for name in NAMES)
