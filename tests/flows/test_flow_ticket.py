"""The ticket flow against a server in memory: what vendors' clients do badly while they poll, done better."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from flow_world import ATTEMPT, CLIENT, ISSUER, PROVIDER, plain, story, world

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.device_and_ticket import TicketContract, TicketRequest
from loopback_auth.effects import Send, VerificationPrompt
from loopback_auth.errors import (
    AttemptExpired,
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    TicketError,
    TransportError,
)
from loopback_auth.flows.ticket import ticket
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.protocol.ticket import call_request
from loopback_auth.settings.contracts import CONTRACTS
from loopback_auth.tokens import SignIn

START = 1_700_000_000.0
JSON = (("Content-Type", "application/json"),)
NETLIFY = demo_contract("netlify", ISSUER)
BOUND = demo_contract("netlify", ISSUER, binding=True)
every_vendor = pytest.mark.parametrize("name", CONTRACTS)


def client(contract: TicketContract = NETLIFY) -> ClientConfig:
    """Know how the vendor does it."""
    return replace(CLIENT, provider=replace(PROVIDER, ticket=contract))


def here(
    faults: Faults | None = None,
    *,
    thinking: float = 5.5,
    watched: bool = False,
    decision: Literal["approve", "deny"] = "approve",
) -> MemoryWorld:
    """Begin with a person who takes a while."""
    return replace(world(faults), thinking=thinking, watched=watched, decision=decision)


def signed_in(place: MemoryWorld, contract: TicketContract = NETLIFY) -> SignIn:
    """Run the whole sign-in."""
    return place.run(ticket(client(contract), ATTEMPT, message="from a test"))


def sent(place: MemoryWorld, step: str) -> list[HttpRequest]:
    """Return the requests of one step."""
    return [effect.request for effect in place.effects if isinstance(effect, Send) and effect.step == step]


def polls(place: MemoryWorld) -> int:
    """Count the polls."""
    return len(sent(place, "ticket status request"))


def on(
    place: MemoryWorld,
    part: str,
    *answers: HttpResponse | LoopbackAuthError | None,
    takes: float = 0.0,
) -> MemoryWorld:
    """Answer the first requests whose address has this part; the last answer goes on for ever."""
    left = list(answers)

    def disturb(request: HttpRequest) -> HttpResponse | None:
        if part not in request.url.partition("?")[0] + "?":
            return None
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer is not None:
            place.now += takes
        if isinstance(answer, LoopbackAuthError):
            raise answer
        return answer

    place.disturb = disturb
    return place


def polling(
    place: MemoryWorld, *answers: HttpResponse | LoopbackAuthError | None, takes: float = 0.0
) -> MemoryWorld:
    """Answer the first polls; the last answer goes on for ever."""
    spoil = on(place, "/oauth/tickets/", *answers, takes=takes).disturb
    assert spoil is not None

    def disturb(request: HttpRequest) -> HttpResponse | None:
        return spoil(request) if request.method == "GET" else None

    place.disturb = disturb
    return place


# As it should be


def test_ticket_gives_a_token_in_this_order() -> None:
    """Create, approve, poll, exchange, and say whose it is."""
    place = here(thinking=2.5)

    sign_in = signed_in(place)

    assert [name for name in story(place) if name != "Sleep"] == [
        "ticket request",
        "VerificationPrompt",
        *["ticket status request"] * 3,
        "ticket exchange",
    ]
    assert place.server.active(sign_in.tokens.access_token, place.now)
    assert (sign_in.tokens.account, sign_in.client_auth) == ("demo@example.com", "none")
    assert (sign_in.tokens.refresh_token, sign_in.tokens.expires_at) == (None, None)
    assert place.warnings() == ()


def test_message_reaches_the_person() -> None:
    """It tells which of the programs on which machine is asking."""
    place = here()
    signed_in(place)
    [request] = sent(place, "ticket request")

    assert json.loads(request.body) == {"message": "from a test"}


def test_person_is_invited_for_as_long_as_the_ticket_lives() -> None:
    """So that the terminal can say how long there is."""
    place = here()
    signed_in(place)
    [invite] = [effect for effect in place.effects if isinstance(effect, VerificationPrompt)]

    assert invite.url.startswith(f"{ISSUER}/netlify/authorize?response_type=ticket&ticket=")
    assert invite.lifetime == 300
    assert invite.url not in repr(invite)


@every_vendor
@pytest.mark.parametrize("watched", [True, False])
def test_every_vendor_signs_in(name: str, watched: bool) -> None:
    """One flow, five contracts; a code to compare is shown where there is one."""
    place = here(thinking=30.0, watched=watched)

    sign_in = signed_in(place, demo_contract(name, ISSUER))

    [invite] = [effect for effect in place.effects if isinstance(effect, VerificationPrompt)]
    assert bool(invite.user_code) is (name in ("stripe", "doppler"))
    assert place.server.active(sign_in.tokens.access_token, place.now)
    # npm's registry says with every answer how long it wants to be left alone: a second.
    assert place.now - START < (34.0 if not watched else 31.3 if name == "npm" else 30.3)
    assert place.warnings() == ()


@every_vendor
def test_every_vendor_can_say_no(name: str) -> None:
    """It ends at the next poll and not at the deadline."""
    place = here(decision="deny")

    with pytest.raises(TicketError, match="denied"):
        signed_in(place, demo_contract(name, ISSUER))
    assert place.now - START < 10


def test_provider_without_tickets_is_told_by_name() -> None:
    """Nothing is sent; another flow may work."""
    place = here()

    with pytest.raises(EndpointMissing, match=PROVIDER.name):
        place.run(ticket(CLIENT, ATTEMPT))
    assert place.effects == []


# What the vendors' clients do while polling, done better


def test_pending_for_ever_ends_at_the_deadline() -> None:
    """Vendor: an error of another name, or a TypeError; here the one that says what happened."""
    place = here(thinking=1e6)

    with pytest.raises(AttemptExpired, match="5 minutes"):
        signed_in(place)
    assert place.now - START == 300


@pytest.mark.parametrize("status", [401, 404, 410])
def test_ticket_that_is_gone_ends_it_at_once(status: int) -> None:
    """Vendor: likewise in one client, polled on for ever in another."""
    place = polling(here(), HttpResponse(status, JSON, b'{"code": 404, "message": "Not Found"}'))

    with pytest.raises(TicketError):
        signed_in(place)
    assert polls(place) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        plain(500),
        plain(503),
        plain(200, "<h1>Log in to this network</h1>"),
        HttpResponse(200, (("Content-Type", "text/plain"),), b"soon"),
        HttpResponse(200, JSON, b""),
        HttpResponse(204),
        TransportError("connection refused"),
        TransportError("unknown host"),
        TransportError("connection reset"),
    ],
)
def test_trouble_is_survived_and_told_once(trouble: HttpResponse | TransportError) -> None:
    """Vendor: immediate failure, or silence until the deadline."""
    place = polling(here(), *[trouble] * 4, None)

    assert signed_in(place).tokens.access_token
    assert len(place.warnings()) == 1
    assert "Still waiting" in place.warnings()[0]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (plain(503), "HTTP status 503"),
        (plain(200), "log-in page"),
        (TransportError("connection refused"), "connection refused"),
    ],
)
def test_trouble_until_the_deadline_is_the_error(trouble: HttpResponse | TransportError, words: str) -> None:
    """Vendor: retried beyond the deadline, or counted as pending."""
    place = polling(here(), trouble)

    with pytest.raises((AttemptExpired, TransportError), match=words):
        signed_in(place)
    assert place.now - START == 300
    assert len(place.warnings()) == 1


def test_poll_that_hangs_does_not_outlast_the_deadline_by_much() -> None:
    """Vendor: a hung request ignores the deadline, or ends in a TypeError."""
    place = polling(here(), TransportError("no answer within 30 s"), takes=30.0)

    with pytest.raises(TransportError, match="30 s"):
        signed_in(place)
    assert place.now - START <= 330


@pytest.mark.parametrize(
    ("faults", "least"),
    [
        (Faults(rate_limited=3), 3),
        (Faults(rate_limited=3, rate_limit_header="X-RateLimit-Reset"), 3),
        (Faults(rate_limited=3, rate_limit_header=""), 15),
        (Faults(server_errors=2, rate_limited=1, html_answers=2), 3),
    ],
)
def test_busy_server_is_left_alone_and_asked_again(faults: Faults, least: float) -> None:
    """Vendor: five tries, and only one of the headers."""
    place = here(faults, thinking=0.5)

    assert signed_in(place).tokens.access_token
    assert least <= place.now - START - 1 < 60


def test_bad_json_is_one_error() -> None:
    """Vendor: likewise."""
    with pytest.raises(MalformedResponse):
        signed_in(polling(here(), HttpResponse(200, JSON, b"{")))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (TransportError("no answer within 30 s"), TransportError),
        (HttpResponse(403, JSON, b'{"message": "no"}'), TicketError),
        (plain(502), TransportError),
        (HttpResponse(201, JSON, b"{}"), MalformedResponse),
    ],
)
def test_exchange_is_tried_once(
    answer: HttpResponse | TransportError, error: type[LoopbackAuthError]
) -> None:
    """Vendor: no deadline, or `undefined` in place of a token. A ticket can be exchanged once."""
    place = on(here(), "/exchange", answer)

    with pytest.raises(error):
        signed_in(place)
    assert len(sent(place, "ticket exchange")) == 1


def test_exchange_uses_the_id_that_was_created() -> None:
    """Vendor: the id of the last answer, and an error when that has none."""
    place = here()
    approved = HttpResponse(200, JSON, b'{"authorized": true, "id": "another-one"}')
    polling(place, None, None, None, None, None, approved)

    signed_in(place)

    [made] = [effect for effect in place.effects if isinstance(effect, VerificationPrompt)]
    [exchange] = sent(place, "ticket exchange")
    assert parse_qs(urlsplit(made.url).query)["ticket"][0] in exchange.url


def test_ticket_of_another_client_is_not_shown() -> None:
    """The person would approve what somebody else asked for."""
    other = HttpResponse(201, JSON, b'{"id": "0123456789", "client_id": "other", "authorized": false}')
    place = on(here(), "/oauth/tickets?", other)

    with pytest.raises(MalformedResponse, match="another client"):
        signed_in(place)
    assert story(place) == ["ticket request"]


# The server's faults


@pytest.mark.parametrize("wrong", ["true", 1, "yes"])
def test_wrong_type_is_no_approval(wrong: str | int) -> None:
    """The demo server says so before and after; only the deadline ends it, and nothing is exchanged."""
    place = here(Faults(wrong_type=wrong))

    with pytest.raises(AttemptExpired):
        signed_in(place)
    assert sent(place, "ticket exchange") == []


def test_a_registry_behind_a_mirror_signs_in_at_the_mirror() -> None:
    """It names itself in its answers; the secret goes where it came from (npm/npm-profile#191)."""
    place = here(Faults(poll_elsewhere="https://registry.npmjs.org"))

    sign_in = signed_in(place, demo_contract("npm", ISSUER))

    assert place.server.active(sign_in.tokens.access_token, place.now)
    assert {urlsplit(one.url).netloc for one in sent(place, "ticket status request")} == {"as.example"}


@pytest.mark.parametrize(
    ("faults", "name", "error"),
    [
        (Faults(bad_ticket_id="../../user"), "netlify", MalformedResponse),
        (Faults(poll_elsewhere="https://evil.example"), "heroku", MalformedResponse),
        (Faults(poll_elsewhere="https://evil.example"), "stripe", MalformedResponse),
        (Faults(ticket_status=404), "npm", EndpointMissing),
        (Faults(ticket_status=302), "stripe", EndpointMissing),
        (Faults(ticket_status=401), "netlify", TicketError),
        (Faults(exchange_refused=True), "netlify", TicketError),
        (Faults(token_wrong_type=True), "netlify", MalformedResponse),
        (Faults(expires_early=3.0), "netlify", TicketError),
        (Faults(deny_all=True), "netlify", TicketError),
    ],
)
def test_fault_is_noticed(faults: Faults, name: str, error: type[LoopbackAuthError]) -> None:
    """Each rule that the demo server can break is one that is kept here."""
    with pytest.raises(error):
        signed_in(here(faults), demo_contract(name, ISSUER))


def test_late_approval_is_waited_for() -> None:
    """Databases of vendors take a moment; the return to our tab came too early then."""
    place = here(Faults(approve_after=3), thinking=20.0, watched=True)

    signed_in(place)

    assert place.now - START < 24


@pytest.mark.parametrize(("extract", "least", "most"), [({}, 0.0, 0.3), ({"interval": "interval"}, 0.3, 5.0)])
def test_return_is_noticed_at_once_unless_the_server_named_an_interval(
    extract: dict[str, str], least: float, most: float
) -> None:
    """Our own pace may be broken for a person who is waiting; the wish of a server is kept."""
    contract = replace(NETLIFY, extract={**NETLIFY.extract, **extract})
    place = here(thinking=3.5, watched=True)

    signed_in(place, contract)

    assert least <= place.now - START - 3.5 < most


# The binding


def test_challenge_goes_out_first_and_the_verifier_last() -> None:
    """RFC 7636, for tickets: the verifier is sent with the exchange and nowhere else."""
    place = here()
    signed_in(place, BOUND)
    [create], [exchange] = sent(place, "ticket request"), sent(place, "ticket exchange")

    assert json.loads(create.body)["code_challenge"] == code_challenge(ATTEMPT.code_verifier)
    assert json.loads(exchange.body) == {"code_verifier": ATTEMPT.code_verifier}
    others = [effect.request for effect in place.effects if isinstance(effect, Send)][:-1]
    assert all(ATTEMPT.code_verifier not in request.url + request.body.decode() for request in others)


@pytest.mark.parametrize(("contract", "stolen"), [(BOUND, False), (NETLIFY, True)])
def test_intercepted_id_is_useless_where_it_is_bound(contract: TicketContract, stolen: bool) -> None:
    """Whoever reads the address bar has the id; without the verifier it redeems nothing."""
    place = here()
    thefts: list[HttpResponse] = []

    def thief(request: HttpRequest) -> HttpResponse | None:
        if "/exchange" in request.url:
            thefts.append(place.server.handle(HttpRequest("POST", request.url), place.now))
        return None

    place.disturb = thief
    if stolen:
        with pytest.raises(TicketError):
            signed_in(place, contract)
    else:
        assert signed_in(place, contract).tokens.access_token

    assert [answer.status for answer in thefts] == ([201] if stolen else [403])


# After the token


@pytest.mark.parametrize("trouble", [TransportError("cut"), plain(500)])
def test_tidying_up_costs_no_token(trouble: HttpResponse | TransportError) -> None:
    """Some contracts delete the ticket; whether that works is nobody's business."""
    contract = replace(NETLIFY, cleanup=TicketRequest("DELETE", "{base}/oauth/tickets/{id}/clean-up"))
    place = on(here(), "/clean-up", trouble)

    assert signed_in(place, contract).tokens.access_token


@pytest.mark.parametrize("trouble", [TransportError("cut"), plain(500), HttpResponse(200, JSON, b"[")])
def test_name_of_the_account_costs_no_token(trouble: HttpResponse | TransportError) -> None:
    """It is asked for where the exchange does not say it, and shown if it comes."""
    contract = demo_contract("npm", ISSUER)
    asked = here()

    assert signed_in(asked, contract).tokens.account == "demo@example.com"
    [request] = sent(asked, "account request")
    assert request.header("authorization").startswith("Bearer ")
    assert signed_in(on(here(), "/-/whoami", trouble), contract).tokens.account == ""


def test_account_that_nobody_tells_stays_empty() -> None:
    """A contract need not have a call for it."""
    contract = replace(demo_contract("npm", ISSUER), account=None)

    assert signed_in(here(), contract).tokens.account == ""


def test_long_poll_of_heroku_is_waited_for_without_alarm() -> None:
    """Its server holds the poll; our time-out, or its router's 503, is no trouble but silence."""
    contract = demo_contract("heroku", ISSUER)
    place = here(thinking=100.0)
    silence: list[HttpResponse | LoopbackAuthError] = [
        TransportError("no answer within 30 s"),
        plain(503),
    ] * 2
    on(place, "/heroku/auth/cli", *silence, None, takes=30.0)

    sign_in = signed_in(place, contract)

    assert sign_in.tokens.access_token
    assert place.warnings() == ()
    assert contract.long_poll


def test_call_of_a_contract_is_what_is_sent() -> None:
    """The flow adds nothing of its own to a request of the contract."""
    place = here()
    signed_in(place)
    [request] = sent(place, "ticket request")
    values = {"base": NETLIFY.base, "client_id": CLIENT.client_id, "message": "from a test"}

    assert request == call_request(NETLIFY.create, values)
