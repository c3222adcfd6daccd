"""A description of tickets that cannot be followed is refused before anybody is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loopback_auth.demo.tickets import demo_contract
from loopback_auth.device_and_ticket import TicketContract, TicketRequest
from loopback_auth.errors import ConfigError
from loopback_auth.protocol.contract import check_contract
from loopback_auth.settings.contracts import CONTRACTS, NETLIFY

DEMO = {f"{name} of the demo": demo_contract(name, "http://127.0.0.1:9000") for name in CONTRACTS}
BOUND = {"bound": demo_contract("netlify", "http://127.0.0.1:9000", binding=True)}


@pytest.mark.parametrize("name", [*CONTRACTS, *DEMO, *BOUND])
def test_contracts_that_there_are_can_be_followed(name: str) -> None:
    """Otherwise nobody could sign in there."""
    contract = {**CONTRACTS, **DEMO, **BOUND}[name]

    assert check_contract(contract) is contract


WRONG: dict[str, TicketContract] = {
    "a base that is no address": replace(NETLIFY, base="api.netlify.com"),
    "a base that does not parse": replace(NETLIFY, base="https://["),
    "plain http elsewhere": replace(NETLIFY, base="http://api.netlify.com"),
    "a ui that is no address": replace(NETLIFY, ui="app"),
    "a brace too many": replace(NETLIFY, browser_url="{ui}/{id"),
    "a brace that closes nothing": replace(NETLIFY, browser_url="{ui}/id}"),
    "a place without a name": replace(NETLIFY, browser_url="{ui}/{}"),
    "a number for a name": replace(NETLIFY, browser_url="{ui}/{0}"),
    "a part of a value": replace(NETLIFY, browser_url="{ui}/{id.real}"),
    "an item of a value": replace(NETLIFY, browser_url="{ui}/{id[0]}"),
    "a conversion": replace(NETLIFY, browser_url="{ui}/{id!r}"),
    "a width": replace(NETLIFY, browser_url="{ui}/{id:>1000000000}"),
    "a name that nobody extracts": replace(NETLIFY, browser_url="{ui}/{ticket}"),
    "what comes only later": replace(NETLIFY, create=TicketRequest("POST", "{base}/{id}")),
    "the same in a header": replace(
        NETLIFY, create=TicketRequest("POST", "{base}", headers=(("X", "{id}"),))
    ),
    "the same in a parameter": replace(
        NETLIFY, create=TicketRequest("POST", "{base}", parameters=(("x", "{id}"),))
    ),
    "a verifier without a binding": replace(NETLIFY, poll=TicketRequest("GET", "{base}/{code_verifier}")),
    "an unknown name in the poll": replace(NETLIFY, poll=TicketRequest("GET", "{base}/{nonsense}")),
    "an unknown name in the exchange": replace(NETLIFY, exchange=TicketRequest("GET", "{base}/{nonsense}")),
    "an unknown name in the account call": replace(NETLIFY, account=TicketRequest("GET", "{base}/{id}")),
    "an unknown name in the revocation": replace(NETLIFY, revoke=TicketRequest("GET", "{base}/{id}")),
    "an unknown name in the clean-up": replace(NETLIFY, cleanup=TicketRequest("GET", "{base}/{nonsense}")),
    "no path to the token": replace(NETLIFY, token_path=""),
    "no path to the id": replace(NETLIFY, extract={"id": ""}),
    "no pause": replace(NETLIFY, interval=0.0),
}


@pytest.mark.parametrize("wrong", [{"interval": float("inf")}, {"timeout": float("nan")}])
def test_times_that_are_none_are_refused_when_they_are_given(wrong: dict[str, float]) -> None:
    """A pause without an end, or a lifetime that is not a number, would let the program wait for ever."""
    with pytest.raises(ConfigError):
        replace(NETLIFY, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_followed_is_refused(what: str) -> None:
    """It was a KeyError or a ValueError, once the person had approved."""
    with pytest.raises(ConfigError):
        check_contract(WRONG[what])
