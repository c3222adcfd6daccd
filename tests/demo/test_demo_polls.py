"""The faults of polls: a server that is slow, busy, broken, or says strange things meanwhile."""

from __future__ import annotations

import pytest
from demo_conversation import ISSUER, Conversation, PlainSigner, conversation, document, error, id_claims

from loopback_auth.demo.faults import HTML, NUMBER, Faults

TICKETS = "/netlify/api/v1/oauth/tickets"


def ticket(talk: Conversation) -> str:
    """Create a ticket."""
    return str(document(talk.send("POST", f"{TICKETS}?client_id=loopback-auth-demo"))["id"])


def approved(talk: Conversation) -> str:
    """Create a ticket and approve it."""
    made = ticket(talk)
    talk.visit(f"{ISSUER}/netlify/authorize?response_type=ticket&ticket={made}")
    return made


def statuses(talk: Conversation, made: str, count: int) -> list[int]:
    """Poll a ticket some times; return the statuses."""
    return [talk.get(f"{TICKETS}/{made}").status for _ in range(count)]


def test_spoilt_polls_come_in_order_and_end() -> None:
    """Trouble passes, and the approval is there afterwards."""
    talk = conversation(Faults(server_errors=2, rate_limited=1, html_answers=1))
    made = approved(talk)
    page = talk.get(f"{TICKETS}/{made}")

    assert page.status == 503
    assert statuses(talk, made, 4) == [503, 429, 200, 200]
    assert document(talk.get(f"{TICKETS}/{made}"))["authorized"] is True


def test_device_polls_are_spoilt_too() -> None:
    """The same trouble, without using up the code or the patience of the server."""
    talk = conversation(Faults(server_errors=1, html_answers=1))
    grant = talk.device()
    talk.visit(grant["verification_uri_complete"])
    answers = [talk.poll(grant["device_code"]) for _ in range(3)]

    assert [answer.status for answer in answers] == [503, 200, 200]
    assert (answers[1].header("content-type"), answers[1].body) == ("text/html; charset=utf-8", HTML)
    assert document(answers[2])["access_token"]


def test_other_requests_are_not_spoilt() -> None:
    """Only polls count: the code flow of the same server goes on."""
    talk = conversation(Faults(server_errors=1, rate_limited=1))

    assert talk.tokens()["access_token"]
    assert statuses(talk, ticket(talk), 3) == [503, 429, 200]


@pytest.mark.parametrize(("name", "wait"), [("Retry-After", "1"), ("X-RateLimit-Reset", "1000001"), ("", "")])
def test_rate_limit_speaks_in_one_header_or_none(name: str, wait: str) -> None:
    """Vendors differ in where they say how long to wait (RFC 6585 §4, RFC 9110 §10.2.3)."""
    talk = conversation(Faults(rate_limited=1, rate_limit_header=name))  # type: ignore[arg-type]
    answer = talk.get(f"{TICKETS}/{ticket(talk)}")
    told = {header: answer.header(header) for header in ("retry-after", "x-ratelimit-reset")}

    assert answer.status == 429
    assert {value for value in told.values() if value} == ({wait} if wait else set())
    assert told.get(name.lower(), "") == wait


def test_storm_of_slow_down() -> None:
    """However patient the device, it is told to slow down, and has to (RFC 8628 §3.5)."""
    talk = conversation(Faults(slow_down_storm=2))
    grant = talk.device()
    heard = []
    for seconds in (0, 10, 15, 15):
        talk.wait(seconds)
        heard.append(error(talk.poll(grant["device_code"]))[1])

    assert heard == ["slow_down", "slow_down", "authorization_pending", "authorization_pending"]


def test_late_approval() -> None:
    """The person has approved, and it takes the server a while to notice."""
    talk = conversation(Faults(approve_after=2))
    made = approved(talk)
    seen = [document(talk.get(f"{TICKETS}/{made}"))["authorized"] for _ in range(3)]

    assert seen == [False, False, True]


def test_late_approval_of_a_device() -> None:
    """The same between two devices."""
    talk = conversation(Faults(approve_after=1))
    grant = talk.device()
    talk.visit(grant["verification_uri_complete"])
    early = talk.poll(grant["device_code"])
    talk.wait(5)

    assert error(early)[1] == "authorization_pending"
    assert talk.poll(grant["device_code"]).status == 200


@pytest.mark.parametrize("value", ["true", 1, "false"])
def test_wrong_type(value: str | int) -> None:
    """Something that is nearly `true` stands there, approved or not."""
    talk = conversation(Faults(wrong_type=value))
    before = document(talk.get(f"{TICKETS}/{ticket(talk)}"))["authorized"]
    pairing = document(talk.post("/stripe/stripecli/auth", {"device_name": "d"}))

    assert (before, document(talk.get(pairing["poll_url"]))["redeemed"]) == (value, value)
    assert type(before) is type(value)


def test_bad_ticket_id() -> None:
    """The id of a new ticket would lead to another path."""
    assert ticket(conversation(Faults(bad_ticket_id="../../user"))) == "../../user"


def test_clock_skew() -> None:
    """The server's clock is an hour ahead in everything it says."""
    talk = conversation(Faults(clock_skew=3600), signer=PlainSigner())
    said = id_claims(talk.tokens(scope="openid")["id_token"])
    made = document(talk.send("POST", f"{TICKETS}?client_id=loopback-auth-demo"))

    assert (said["iat"], said["exp"], said["auth_time"]) == (1_003_600, 1_007_200, 1_003_600)
    assert made["created_at"] == "1970-01-12T14:46:40+00:00"


def test_expires_early() -> None:
    """Codes and tickets die before their time."""
    talk = conversation(Faults(expires_early=30))
    grant, made = talk.device(), ticket(talk)
    talk.wait(30)

    assert grant["expires_in"] == 600
    assert error(talk.poll(grant["device_code"]))[1] == "expired_token"
    assert statuses(talk, made, 1) == [404]


@pytest.mark.parametrize(
    ("interval", "heard"),
    [(0, "authorization_pending"), (-1, "authorization_pending"), (1e9, "slow_down"), ("5", "slow_down")],
)
def test_device_interval(interval: int | float | str, heard: str) -> None:
    """An interval of no sense; what is enforced is its own, or less where less was announced."""
    talk = conversation(Faults(device_interval=interval))
    grant = talk.device()
    talk.poll(grant["device_code"])
    talk.wait(1)

    assert grant["interval"] == interval
    assert error(talk.poll(grant["device_code"]))[1] == heard


def test_omit_device_interval() -> None:
    """The member is optional (RFC 8628 §3.2)."""
    assert "interval" not in conversation(Faults(omit_device_interval=True)).device()


def test_verification_url() -> None:
    """Google spells it so."""
    grant = conversation(Faults(verification_url=True)).device()

    assert grant["verification_url"] == f"{ISSUER}/device"
    assert "verification_uri" not in grant


def test_poll_elsewhere() -> None:
    """The secret of the ticket would go to another server."""
    talk = conversation(Faults(poll_elsewhere="https://evil.example"))
    addresses = [
        document(talk.send("POST", "/npm/-/v1/login"))["doneUrl"],
        document(talk.send("POST", "/heroku/auth"))["cli_url"],
        document(talk.post("/stripe/stripecli/auth", {"device_name": "d"}))["poll_url"],
    ]

    assert [url for url in addresses if not url.startswith("https://evil.example/")] == []


def test_ticket_status() -> None:
    """The vendor does not do this any more."""
    talk = conversation(Faults(ticket_status=404))

    assert talk.send("POST", f"{TICKETS}?client_id=loopback-auth-demo").status == 404
    assert talk.get("/doppler/v3/auth/cli/generate/2").status == 404


def test_exchange_refused() -> None:
    """Approved, and still no token."""
    talk = conversation(Faults(exchange_refused=True))

    assert talk.send("POST", f"{TICKETS}/{approved(talk)}/exchange").status == 403


def test_token_wrong_type() -> None:
    """A token is a text (RFC 6749 appendix A.12)."""
    talk = conversation(Faults(token_wrong_type=True))
    exchanged = document(talk.send("POST", f"{TICKETS}/{approved(talk)}/exchange"))

    assert (exchanged["access_token"], talk.tokens()["access_token"]) == (NUMBER, NUMBER)


def test_deny_all_reaches_every_flow() -> None:
    """One fault for all consents."""
    talk = conversation(Faults(deny_all=True))
    grant = talk.device()
    talk.visit(grant["verification_uri_complete"])

    assert error(talk.poll(grant["device_code"]))[1] == "access_denied"
    assert statuses(talk, approved(talk), 1) == [404]
