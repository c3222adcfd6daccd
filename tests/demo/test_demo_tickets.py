"""Tickets at the demo server: every vendor's conversation, and what it refuses."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from demo_conversation import CHALLENGE, ISSUER, VERIFIER, Conversation, conversation, document, hidden

from loopback_auth import words
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.device_and_ticket import Pending, Ticket, TicketContract
from loopback_auth.errors import ConfigError, TicketError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.ticket import call_request, exchange_response, poll_response, ticket_response
from loopback_auth.settings.contracts import CONTRACTS

API = "/netlify/api/v1"
CREATE = f"{API}/oauth/tickets?client_id=loopback-auth-demo"

every_vendor = pytest.mark.parametrize("name", CONTRACTS)


def bearer(token: str) -> tuple[str, str]:
    """Write an Authorization header."""
    return "Authorization", f"Bearer {token}"


def created(talk: Conversation, contract: TicketContract) -> Ticket:
    """Create a ticket as the contract says."""
    values = {
        "base": contract.base,
        "ui": contract.ui,
        "client_id": "loopback-auth-demo",
        "message": "Sign in from a test",
        "code_challenge": CHALLENGE,
        "code_verifier": VERIFIER,
    }
    answer = talk.server.handle(call_request(contract.create, values), talk.now)
    return ticket_response(contract, values, answer)


def polled(talk: Conversation, contract: TicketContract, made: Ticket) -> Pending | HttpResponse:
    """Poll a ticket once."""
    return poll_response(contract, talk.server.handle(call_request(contract.poll, made.values), talk.now))


def ticket(talk: Conversation, members: object = None) -> Any:
    """Create a ticket as Netlify's own client does."""
    response = talk.send("POST", CREATE, members)
    assert response.status == 201, response.body
    return document(response)


def approve(talk: Conversation, ticket_id: str, decision: str = "approve") -> HttpResponse:
    """Open the page that Netlify's own client opens, and decide."""
    url = f"{ISSUER}/netlify/authorize?response_type=ticket&ticket={ticket_id}"
    return talk.visit(url, "deny" if decision == "deny" else "approve")


def exchange(talk: Conversation, ticket_id: str, members: object = None) -> HttpResponse:
    """Exchange a ticket."""
    return talk.send("POST", f"{API}/oauth/tickets/{ticket_id}/exchange", members)


def problem(response: HttpResponse) -> tuple[int, int]:
    """Name the status, and the same in the body as Netlify writes it."""
    return response.status, document(response)["code"]


@every_vendor
def test_every_contract_leads_to_a_token(name: str) -> None:
    """What is written down about a vendor is tried, and not only read."""
    talk, contract = conversation(), demo_contract(name, ISSUER)
    made = created(talk, contract)
    before = polled(talk, contract, made)
    last = talk.visit(made.browser_url, user_code=made.user_code)
    answer = polled(talk, contract, made)
    assert isinstance(answer, HttpResponse)
    if contract.exchange is not None:
        answer = talk.server.handle(call_request(contract.exchange, made.values), talk.now)
    tokens, _ = exchange_response(contract, answer)

    assert isinstance(before, Pending)
    assert words.DEMO_APPROVED.encode() in last.body
    assert talk.server.active(tokens.access_token, talk.now)


@every_vendor
def test_every_contract_hears_of_a_denial(name: str) -> None:
    """A poller must stop when the person said no."""
    talk, contract = conversation(), demo_contract(name, ISSUER)
    made = created(talk, contract)
    last = talk.visit(made.browser_url, "deny", user_code=made.user_code)

    assert words.DEMO_DENIED.encode() in last.body
    with pytest.raises(TicketError):
        polled(talk, contract, made)


@every_vendor
def test_every_ticket_expires(name: str) -> None:
    """After ten minutes neither the program nor the person gets anywhere."""
    talk, contract = conversation(), demo_contract(name, ISSUER)
    made = created(talk, contract)
    talk.wait(600)

    assert talk.visit(made.browser_url, user_code=made.user_code).status == 400
    with pytest.raises(TicketError):
        polled(talk, contract, made)


@every_vendor
def test_every_token_is_given_once(name: str) -> None:
    """An attacker who learns the ticket ID afterwards gets nothing."""
    talk, contract = conversation(), demo_contract(name, ISSUER)
    made = created(talk, contract)
    talk.visit(made.browser_url, user_code=made.user_code)
    last = contract.exchange or contract.poll
    first = talk.server.handle(call_request(last, made.values), talk.now)
    second = talk.server.handle(call_request(last, made.values), talk.now)

    assert first.status in (200, 201)
    assert second.status in (401, 404)


@every_vendor
def test_no_vendor_knows_the_tickets_of_another(name: str) -> None:
    """A secret is good for what it was made for."""
    talk, contract = conversation(), demo_contract(name, ISSUER)
    foreign = ticket(talk)["id"] if name != "netlify" else talk.device()["device_code"]
    values = {"id": foreign, "poll_token": foreign, "poll_url": "", "base": contract.base}
    urls = {
        "npm": f"{ISSUER}/npm/-/v1/done?authId={foreign}",
        "heroku": f"{ISSUER}/heroku/auth/cli?id=x",
        "stripe": f"{ISSUER}/stripe/stripecli/poll?secret={foreign}",
    }
    asked = call_request(contract.poll, values | {"poll_url": urls.get(name, "")})

    assert talk.server.handle(asked, talk.now).status in (401, 404)


@pytest.mark.parametrize("name", ["npm", "heroku", "stripe", "doppler"])
def test_address_for_the_browser_does_not_hold_the_secret(name: str) -> None:
    """What stands in a browser's history must not redeem the token."""
    talk, contract = conversation(), demo_contract(name, ISSUER)
    made = created(talk, contract)
    secret = made.values.get("poll_token") or made.values["poll_url"].rpartition("=")[2]

    assert len(secret) == 43
    assert secret not in made.browser_url


def test_netlify_ticket_has_four_members() -> None:
    """The members of the published interface, at creation and after."""
    talk = conversation()
    made = ticket(talk)
    shown = talk.get(f"{API}/oauth/tickets/{made['id']}")

    assert made == {
        "id": made["id"],
        "client_id": "loopback-auth-demo",
        "authorized": False,
        "created_at": "1970-01-12T13:46:40+00:00",
    }
    assert (shown.status, document(shown)) == (200, made)


def test_netlify_exchange_names_the_account() -> None:
    """The whole conversation of Netlify's own client, to the logout."""
    talk = conversation()
    made = ticket(talk)
    approve(talk, made["id"])
    shown = document(talk.get(f"{API}/oauth/tickets/{made['id']}"))
    response = exchange(talk, made["id"])
    token = document(response)["access_token"]
    user = talk.get(f"{API}/user", bearer(token))
    gone = talk.send("DELETE", f"{API}/access_tokens/revoke", None, bearer(token))

    assert shown["authorized"] is True
    assert response.status == 201
    assert document(response).keys() == {"id", "access_token", "user_id", "user_email", "created_at"}
    assert document(user) == {"id": "demo-1", "full_name": "Demo Account", "email": "demo@example.com"}
    assert (gone.status, gone.body) == (204, b"")
    assert problem(talk.get(f"{API}/user", bearer(token))) == (401, 401)
    assert problem(talk.send("DELETE", f"{API}/access_tokens/revoke", None, bearer(token))) == (401, 401)


def test_netlify_refuses_an_unknown_client() -> None:
    """In the words of the published interface."""
    response = conversation().send("POST", f"{API}/oauth/tickets?client_id=stranger")

    assert (response.status, document(response)["message"]) == (401, "OAuth application not found")


@pytest.mark.parametrize("message", [5, None, ["x"], "x" * 501])
def test_netlify_refuses_a_bad_message(message: object) -> None:
    """What is shown to a person is checked (422, as the interface says)."""
    assert problem(conversation().send("POST", CREATE, {"message": message})) == (422, 422)


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"[1]", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=utf-8", 201),
    ],
)
def test_netlify_reads_only_json_objects(body: bytes, media_type: str, status: int) -> None:
    """A body that is something else is refused, not guessed at."""
    from loopback_auth.http_messages import HttpRequest

    asked = HttpRequest("POST", CREATE, (("Content-Type", media_type),), body)

    assert conversation().server.handle(asked, 0).status == status


def test_message_is_shown_as_text() -> None:
    """The person reads why; whatever a client writes stays text."""
    talk = conversation()
    made = ticket(talk, {"message": "Deploy <b>docs</b>"})
    sign_in = talk.get(f"/netlify/authorize?response_type=ticket&ticket={made['id']}")
    consent = talk.post("/sign-in", {"interaction": hidden(sign_in), "account": "demo-1"})

    assert b"Deploy &lt;b&gt;docs&lt;/b&gt;" in consent.body


def test_exchange_before_the_approval_is_refused() -> None:
    """And it does not spoil the ticket."""
    talk = conversation()
    made = ticket(talk)
    early = exchange(talk, made["id"])
    approve(talk, made["id"])

    assert problem(early) == (403, 403)
    assert exchange(talk, made["id"]).status == 201


def test_denied_and_unknown_tickets_look_alike() -> None:
    """Vendors answer in the same way for all of them."""
    talk = conversation()
    made = ticket(talk)
    approve(talk, made["id"], "deny")
    answers = [
        talk.get(f"{API}/oauth/tickets/{made['id']}"),
        talk.get(f"{API}/oauth/tickets/unknown"),
        exchange(talk, made["id"]),
        exchange(talk, "unknown"),
    ]

    assert {answer.body for answer in answers} == {b'{"code": 404, "message": "Not Found"}'}


@pytest.mark.parametrize(
    "members",
    [
        None,
        {},
        {"code_verifier": "a" * 43},
        {"code_verifier": CHALLENGE},
        {"code_verifier": "short"},
        {"code_verifier": 5},
        {"code_verifier": [VERIFIER]},
    ],
)
def test_intercepted_id_of_a_bound_ticket_is_useless(members: object) -> None:
    """Who reads the id off the browser has no verifier (RFC 7636 §1), and cannot spoil the ticket either."""
    talk = conversation()
    made = ticket(talk, {"code_challenge": CHALLENGE, "code_challenge_method": "S256"})
    approve(talk, made["id"])
    stolen = exchange(talk, made["id"], members)

    assert problem(stolen) == (403, 403)
    assert exchange(talk, made["id"], {"code_verifier": VERIFIER}).status == 201


def test_verifier_may_come_in_the_query() -> None:
    """An exchange without a body can prove itself too."""
    talk = conversation()
    made = ticket(talk, {"code_challenge": CHALLENGE, "code_challenge_method": "S256"})
    approve(talk, made["id"])

    assert (
        talk.send("POST", f"{API}/oauth/tickets/{made['id']}/exchange?code_verifier={VERIFIER}").status == 201
    )


@pytest.mark.parametrize(
    "members",
    [
        {"code_challenge": CHALLENGE},
        {"code_challenge": CHALLENGE, "code_challenge_method": "plain"},
        {"code_challenge": "short", "code_challenge_method": "S256"},
        {"code_challenge": 5, "code_challenge_method": "S256"},
        {"code_challenge": "", "code_challenge_method": "S256"},
    ],
)
def test_bad_challenge_is_refused_and_not_forgotten(members: object) -> None:
    """A binding that silently does not bind is worse than none (RFC 7636 §4.4.1)."""
    assert conversation().send("POST", CREATE, members).status == 400


def test_bound_contract_brings_the_verifier() -> None:
    """The variant of the contract does by itself what the two tests above do by hand."""
    talk, contract = conversation(), demo_contract("netlify", ISSUER, binding=True)
    made = created(talk, contract)
    talk.visit(made.browser_url)
    unbound = exchange(talk, made.values["id"])
    assert contract.exchange is not None
    answer = talk.server.handle(call_request(contract.exchange, made.values), talk.now)

    assert unbound.status == 403
    assert exchange_response(contract, answer)[0].access_token


@pytest.mark.parametrize(("name", "binding"), [("nobody", False), ("npm", True)])
def test_contract_that_is_not_spoken_is_refused(name: str, binding: bool) -> None:
    """A client must not believe in a binding that is not there."""
    with pytest.raises(ConfigError):
        demo_contract(name, ISSUER, binding=binding)


def test_npm_says_when_to_ask_again() -> None:
    """202 with Retry-After is how this vendor says "not yet" (RFC 9110 §10.2.3)."""
    talk = conversation()
    login = document(talk.send("POST", "/npm/-/v1/login", {"hostname": "here"}))
    pending = talk.get(login["doneUrl"])
    talk.visit(login["loginUrl"])
    token = document(talk.get(login["doneUrl"]))["token"]

    assert (pending.status, pending.header("retry-after")) == (202, "1")
    assert document(talk.get("/npm/-/whoami", bearer(token))) == {"username": "demo@example.com"}
    assert talk.get("/npm/-/whoami").status == 401


def test_heroku_wants_the_second_secret() -> None:
    """The address of the poll alone buys nothing."""
    talk = conversation()
    login = document(talk.send("POST", "/heroku/auth", {"description": "here"}))
    talk.visit(ISSUER + login["browser_url"])

    assert urlsplit(login["cli_url"]).netloc == ""
    assert talk.get(login["cli_url"]).status == 404
    assert talk.get(login["cli_url"], bearer("x")).status == 404
    assert document(talk.get(login["cli_url"], bearer(login["token"]))).keys() == {"access_token"}


def test_stripe_shows_the_code_on_its_page() -> None:
    """The person compares it with the one in the terminal."""
    talk = conversation()
    pairing = document(talk.post("/stripe/stripecli/auth", {"device_name": "here"}))
    sign_in = talk.get(pairing["browser_url"])
    consent = talk.post("/sign-in", {"interaction": hidden(sign_in), "account": "demo-1"})

    assert pairing["verification_code"] in consent.body.decode()
    assert document(talk.get(pairing["poll_url"])) == {"redeemed": False}


def test_stripe_code_is_no_way_to_the_page() -> None:
    """Eight letters can be guessed; the address has a value that cannot."""
    talk = conversation()
    pairing = document(talk.post("/stripe/stripecli/auth", {"device_name": "here"}))
    letters = pairing["verification_code"].replace("-", "")

    assert talk.get(f"/stripe/stripecli/confirm_auth?t={letters}").status == 400


def test_doppler_code_is_entered_in_the_browser() -> None:
    """Without the code the page asks for it."""
    talk = conversation()
    login = document(talk.get("/doppler/v3/auth/cli/generate/2?hostname=here"))
    without = talk.visit(login["auth_url"])
    pending = talk.send("POST", "/doppler/v3/auth/cli/authorize", {"code": login["polling_code"]})
    talk.visit(login["auth_url"], user_code=login["code"])
    done = talk.send("POST", "/doppler/v3/auth/cli/authorize", {"code": login["polling_code"]})

    assert words.DEMO_ENTER_CODE.encode() in without.body
    assert (pending.status, done.status) == (409, 200)
    assert document(done)["name"] == "Demo Account"


def test_log_counts_tickets_and_not_ids() -> None:
    """The log has no secret in it, and does not grow with the tickets."""
    talk = conversation()
    for _ in range(2):
        exchange(talk, ticket(talk)["id"])
    for path in ("", "/", "/x/", "/x/exchange/", "/x/y"):
        talk.get(f"{API}/oauth/tickets{path}" if path else "/x")

    assert talk.server.log == {
        ("POST", f"{API}/oauth/tickets"): 2,
        ("POST", f"{API}/oauth/tickets/{{id}}/exchange"): 2,
        ("GET", "*"): 5,
    }
