"""A vendor's handshake read off a description: what is filled in, and what of the answers is believed."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from protocol_samples import NOW, PROPERTY, json_answer, raw_answer

from loopback_auth.device_and_ticket import Pending, TicketContract, TicketRequest
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    TicketError,
    TransportError,
)
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.ticket import (
    account_response,
    call_request,
    exchange_response,
    poll_response,
    ticket_response,
)
from loopback_auth.settings.contracts import CONTRACTS, DOPPLER, HEROKU, NETLIFY, NPM, STRIPE

ID = "0123456789abcdef0123456789abcdef"
VALUES = {
    "base": NETLIFY.base,
    "ui": NETLIFY.ui,
    "client_id": "a client",
    "message": "hello",
    "id": ID,
    "poll_token": "t",
    "poll_url": "https://vendor.example/poll",
    "browser_url": "https://vendor.example/open",
}
MADE = {"id": ID, "client_id": "a client", "authorized": False, "created_at": "2026-01-01T00:00:00Z"}
HTML = HttpResponse(200, (("Content-Type", "text/html"),), b"<h1>Log in</h1>")


def made(contract: TicketContract, answer: HttpResponse) -> Any:
    """Read the answer to a creation."""
    return ticket_response(contract, VALUES | {"base": contract.base, "ui": contract.ui}, answer)


def test_an_approval_page_inside_is_for_hosts_that_were_allowed() -> None:
    """A vendor must not send the person to their router; the company's own page is another matter."""
    contract = replace(NPM, base="https://vendor.example")
    login = "https://login.corp.internal/approve"
    answer = json_answer({"loginUrl": login, "doneUrl": "https://vendor.example/done"})
    values = VALUES | {"base": contract.base}

    with pytest.raises(MalformedResponse):
        ticket_response(contract, values, answer)
    assert ticket_response(contract, values, answer, allowed=("login.corp.internal",)).browser_url == login


# Requests


def test_values_go_where_the_template_says() -> None:
    """A query in the address, JSON in the body, and no parameter that is empty."""
    request = call_request(NETLIFY.create, VALUES)

    assert (request.method, request.url) == (
        "POST",
        "https://api.netlify.com/api/v1/oauth/tickets?client_id=a%20client",
    )
    assert json.loads(request.body) == {"message": "hello"}
    assert json.loads(call_request(NETLIFY.create, VALUES | {"message": ""}).body) == {}


def test_parameters_join_a_query_that_is_there() -> None:
    """Without a body they are the query."""
    call = TicketRequest("GET", "{base}/x?a=1", parameters=(("b", "{message}"), ("c", "")))

    assert call_request(call, VALUES).url == f"{NETLIFY.base}/x?a=1&b=hello"
    assert call_request(replace(call, url="{base}/x"), VALUES).url == f"{NETLIFY.base}/x?b=hello"
    assert call_request(replace(call, parameters=()), VALUES).url == f"{NETLIFY.base}/x?a=1"


def test_form_is_a_form() -> None:
    """Stripe wants one."""
    request = call_request(STRIPE.create, VALUES | {"message": "a&b=c"})

    assert parse_qsl(request.body.decode()) == [("device_name", "a&b=c")]
    assert request.header("content-type") == "application/x-www-form-urlencoded"


def test_contract_may_ask_for_another_kind_of_json() -> None:
    """Heroku's API chooses its version by `Accept`; two of them would say two things."""
    assert HEROKU.account is not None
    request = call_request(HEROKU.account, VALUES)

    assert request.values("accept") == ("application/vnd.heroku+json; version=3",)
    assert call_request(HEROKU.poll, VALUES).values("accept") == ("application/json",)


def test_unknown_value_is_the_fault_of_the_contract() -> None:
    """And not a KeyError in the middle of a sign-in."""
    for call in (
        TicketRequest("GET", "{base}/{nothing}"),
        TicketRequest("GET", "{base}", parameters=(("a", "{nothing}"),)),
        TicketRequest("GET", "{base}", headers=(("A", "{nothing}"),)),
    ):
        with pytest.raises(ConfigError, match="nothing"):
            call_request(call, VALUES)


@PROPERTY
@example("")
@example(".")
@example("..")
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_value_leads_to_another_path(value: str) -> None:
    """RFC 3986 §3.3, §5.2.4: slashes are encoded, dot segments cannot be and are refused."""
    call = TicketRequest("GET", "{base}/oauth/tickets/{id}/exchange?client_id={client_id}")
    try:
        request = call_request(call, VALUES | {"id": value, "client_id": value})
    except ConfigError:
        assert value in ("", ".", "..")
        return

    parts = urlsplit(request.url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "api.netlify.com", "")
    before, found, after = parts.path.rpartition("/")[0].rpartition("/")
    assert (before, unquote(after)) == ("/api/v1/oauth/tickets", value)
    assert parts.path.endswith("/exchange")
    assert found == "/"
    assert parse_qsl(parts.query, keep_blank_values=True) == [("client_id", value)]


@PROPERTY
@given(st.text(), st.sampled_from(sorted(CONTRACTS)))
def test_no_value_breaks_out_of_a_body(value: str, name: str) -> None:
    """What a person writes as a message is a message."""
    assume(not any("\ud800" <= character <= "\udfff" for character in value))
    create = CONTRACTS[name].create
    request = call_request(create, VALUES | {"message": value})

    if create.body == "json":
        sent = json.loads(request.body)
    else:
        raw = request.body.decode() if create.body == "form" else urlsplit(request.url).query
        sent = dict(parse_qsl(raw, keep_blank_values=True))
    assert sent == ({key: value for key, _ in create.parameters} if value else {})


# Creation


def test_ticket_is_what_the_vendor_made() -> None:
    """The id is a secret until exchanged, and so is the address with it."""
    ticket = made(NETLIFY, json_answer(MADE, 201))

    assert ticket.browser_url == f"https://app.netlify.com/authorize?response_type=ticket&ticket={ID}"
    assert ticket.values["id"] == ID
    assert (ticket.user_code, ticket.interval, ticket.lifetime) == ("", 1.0, 300.0)
    assert ID not in repr(ticket)


@pytest.mark.parametrize(
    "bad",
    [
        "../../user",
        "a/../b/c/d",
        "abcdefgh?x=1",
        "abcdefgh#",
        "abcdefgh\r",
        "short",
        "",
        "..",
        "a" * 257,
        "é" * 8,
    ],
)
def test_id_that_could_be_a_path_is_refused(bad: str) -> None:
    """It goes into three addresses, one of which the person opens."""
    with pytest.raises(MalformedResponse):
        made(NETLIFY, json_answer(MADE | {"id": bad}, 201))


@pytest.mark.parametrize("value", [None, [], {}, True, {"id": ID}])
def test_id_of_another_type_is_none(value: object) -> None:
    """Its digits, or its text form, were never meant."""
    with pytest.raises(MalformedResponse, match="has no id"):
        made(NETLIFY, json_answer(MADE | {"id": value}, 201))


def test_ticket_for_another_client_is_refused() -> None:
    """The person would approve a program that is not the one asking."""
    with pytest.raises(MalformedResponse, match="another client"):
        made(NETLIFY, json_answer(MADE | {"client_id": "other"}, 201))
    without = {name: value for name, value in MADE.items() if name != "client_id"}

    assert made(NETLIFY, json_answer(without, 201)).values["id"] == ID


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/done",
        "//evil.example/done",
        "http://dashboard.stripe.com/x",
        "https://dashboard.stripe.com@evil.example/",
        "https://dashboard.stripe.com.evil.example/",
        "javascript:alert(1)",
        "https://[",
        "//[",
        "https://dashboard.stripe.com:8443/x",
    ],
)
def test_poll_is_not_led_to_another_server(elsewhere: str) -> None:
    """What is polled with redeems the token."""
    members = {"browser_url": "https://vendor.example/x", "poll_url": elsewhere, "verification_code": "x"}

    with pytest.raises(MalformedResponse):
        made(STRIPE, json_answer(members))


MIRROR = "http://127.0.0.1:4873"
POLLED = [
    ("https://registry.npmjs.org/-/v1/done?authId=x", MIRROR, f"{MIRROR}/-/v1/done?authId=x"),
    ("https://evil.example/-/v1/done?authId=x", MIRROR, f"{MIRROR}/-/v1/done?authId=x"),
    ("//evil.example/done", NPM.base, f"{NPM.base}/done"),
    ("https://registry.npmjs.org@evil.example/a", NPM.base, None),
    ("https://registry.npmjs.org.evil.example/a", NPM.base, f"{NPM.base}/a"),
    ("https://evil.example", "http://127.0.0.1:4873/npm", MIRROR),
    (f"{MIRROR}/-/v1/done?u=https://a/b", MIRROR, f"{MIRROR}/-/v1/done?u=https://a/b"),
    ("javascript:alert(1)", MIRROR, None),
    ("https://[", MIRROR, None),
]


@pytest.mark.parametrize(("named", "base", "polled"), POLLED)
def test_a_mirror_is_polled_itself_whatever_it_passes_on(named: str, base: str, polled: str | None) -> None:
    """The registry behind it is named in its answers; no other server than the one asked gets the secret."""
    contract = replace(NPM, base=base)
    answer = json_answer({"loginUrl": "https://www.npmjs.com/login?next=x", "doneUrl": named})
    if polled is None:
        with pytest.raises(MalformedResponse):
            made(contract, answer)
        return

    assert call_request(contract.poll, made(contract, answer).values).url == polled


def test_relative_addresses_belong_to_the_vendor() -> None:
    """Heroku's are."""
    answer = {"browser_url": "/auth/browser/x", "cli_url": "/auth/cli/x", "token": "secret"}

    ticket = made(HEROKU, json_answer(answer))

    assert ticket.browser_url == "https://cli-auth.heroku.com/auth/browser/x"
    assert call_request(HEROKU.poll, ticket.values).url == "https://cli-auth.heroku.com/auth/cli/x"
    assert call_request(HEROKU.poll, ticket.values).header("authorization") == "Bearer secret"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://evil.example/",
        "https://a@b.example/",
        "https://x.example/ y",
        "file:///x",
    ],
)
def test_address_that_no_browser_should_get_is_refused(url: str) -> None:
    """CVE-2025-6514: the answer of a server is no command line."""
    answer = {"code": "WORD", "polling_code": "p", "auth_url": url}

    with pytest.raises(MalformedResponse):
        made(DOPPLER, json_answer(answer))


@pytest.mark.parametrize("secret", ["a\r\nX-Evil: 1", "a b", "é", ""])
def test_secret_that_is_no_header_value_is_refused(secret: str) -> None:
    """CVE-2024-50338: a line break begins another header."""
    answer = {"browser_url": "/x", "cli_url": "/y", "token": secret}

    with pytest.raises(MalformedResponse):
        made(HEROKU, json_answer(answer))


@pytest.mark.parametrize("missing", ["code", "polling_code", "auth_url"])
def test_what_is_needed_later_is_missed_now(missing: str) -> None:
    """A code to compare is a courtesy; without the others nothing can follow."""
    answer = {"code": "WORD", "polling_code": "p", "auth_url": "https://dashboard.doppler.com/x"}
    del answer[missing]

    if missing == "code":
        assert made(DOPPLER, json_answer(answer)).user_code == ""
        return
    with pytest.raises(MalformedResponse, match="has no"):
        made(DOPPLER, json_answer(answer))


def test_code_to_compare_is_cleaned() -> None:
    """It goes to the terminal."""
    answer = {"code": "WORD\x1b[2J", "polling_code": "p", "auth_url": "https://dashboard.doppler.com/x"}

    assert made(DOPPLER, json_answer(answer)).user_code == "WORD[2J"


@pytest.mark.parametrize(
    ("interval", "expires_in", "expected"),
    [
        (3, 60, (3, 60)),
        ("3", "60", (3, 60)),
        (0, 0, (1, 300)),
        (-1, -1, (1, 300)),
        ("nan", "nan", (1, 300)),
        ("inf", "inf", (1, 300)),
        (1e9, 1e9, (60, 3600)),
        ("x", None, (1, 300)),
    ],
)
def test_times_of_the_server_are_bent_into_something_sensible(
    interval: object, expires_in: object, expected: tuple[float, float]
) -> None:
    """No ticket is polled for ever, or without a pause."""
    contract = replace(NETLIFY, extract={"id": "id", "interval": "interval", "expires_in": "expires_in"})
    ticket = made(contract, json_answer(MADE | {"interval": interval, "expires_in": expires_in}, 201))

    assert (ticket.interval, ticket.lifetime) == expected


@pytest.mark.parametrize(
    ("contract", "status"),
    [
        (NPM, 400),
        (NPM, 404),
        (NPM, 405),
        (NPM, 500),
        *((STRIPE, status) for status in (301, 302, 303, 307, 308)),
    ],
)
def test_vendor_without_tickets_brings_another_flow(contract: TicketContract, status: int) -> None:
    """The transport follows no redirect, so that Stripe's arrives here."""
    with pytest.raises(EndpointMissing):
        made(contract, HttpResponse(status))


@pytest.mark.parametrize("status", [408, 429, 502, 503])
def test_vendor_that_is_not_well_has_tickets_all_the_same(status: int) -> None:
    """Another flow would hide that trying again later helps."""
    for contract in CONTRACTS.values():
        with pytest.raises(TransportError, match=str(status)):
            made(contract, HttpResponse(status, (("Content-Type", "text/html"),)))


def test_refusal_is_reported_in_the_words_of_the_vendor() -> None:
    """Netlify: 401 for a client that it does not know; a page instead of JSON is a refusal too."""
    with pytest.raises(TicketError, match="OAuth application not found") as refusal:
        made(NETLIFY, json_answer({"code": 401, "message": "OAuth application not found"}, 401))
    assert refusal.value.error == "not_created"
    assert refusal.value.parameter == "client_id"
    for answer in (HttpResponse(404), raw_answer(b"{", 422)):
        with pytest.raises(TicketError, match=str(answer.status)):
            made(NETLIFY, answer)


# Polls


@pytest.mark.parametrize("value", ["true", 1, 1.0, None, [], {}, "", "yes", False])
def test_only_true_is_an_approval(value: object) -> None:
    """A truthy value would exchange too early, at best."""
    assert poll_response(NETLIFY, json_answer(MADE | {"authorized": value})) == Pending()
    absent = {name: member for name, member in MADE.items() if name != "authorized"}
    assert poll_response(NETLIFY, json_answer(absent)) == Pending()

    approved = json_answer(MADE | {"authorized": True})
    assert poll_response(NETLIFY, approved) is approved


@pytest.mark.parametrize("value", [None, "", 1, True, {"a": 1}, ["t"]])
def test_only_text_is_a_token_that_has_come(value: object) -> None:
    """Where the poll brings the token, its presence is the approval."""
    assert poll_response(NPM, json_answer({"token": value})) == Pending()


def test_status_alone_may_say_it() -> None:
    """Fly's sessions are done when they answer 200 at all."""
    contract = replace(NPM, done_path="", errors_pend=True)
    approved = json_answer({})

    assert poll_response(contract, approved) is approved
    assert poll_response(contract, json_answer({}, 204)) == Pending()
    assert poll_response(replace(contract, done_status=201), json_answer({})) == Pending()


@pytest.mark.parametrize("status", [401, 404, 410, 400, 403, 422, 302])
@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_ticket_that_is_gone_ends_it(status: int, kind: str) -> None:
    """Denied, expired, unknown: vendors do not tell these apart, and none of them passes."""
    with pytest.raises(TicketError, match="denied") as end:
        poll_response(NETLIFY, HttpResponse(status, (("Content-Type", kind),), b"{}"))
    assert end.value.hint


def test_page_that_says_404_ends_it_too() -> None:
    """A vendor's own error page is no log-in page of a network."""
    with pytest.raises(TicketError):
        poll_response(NETLIFY, replace(HTML, status=404))


def test_not_yet_in_the_words_of_each_vendor() -> None:
    """202 with `Retry-After` at npm, 409 at Doppler, 200 elsewhere."""
    assert poll_response(NPM, json_answer({}, 202, ("Retry-After", "7"))) == Pending(retry_after=7)
    assert poll_response(DOPPLER, json_answer({}, 409)) == Pending()
    assert poll_response(STRIPE, json_answer({"redeemed": False})) == Pending()


def test_denial_in_the_body_of_a_success_ends_it() -> None:
    """Heroku and Doppler say `error` with 200."""
    for value, words in (("You said no", "You said no"), ({"id": "x"}, ""), (True, "")):
        with pytest.raises(TicketError) as end:
            poll_response(HEROKU, json_answer({"error": value}))
        assert end.value.error_description == words


@pytest.mark.parametrize(
    "answer", [HTML, replace(HTML, status=403), HttpResponse(200), HttpResponse(503), HttpResponse(429)]
)
def test_trouble_is_pending_and_named(answer: HttpResponse) -> None:
    """Not for ever in silence: whoever polls counts the troubles and tells."""
    verdict = poll_response(NETLIFY, answer)

    assert isinstance(verdict, Pending)
    assert verdict.trouble


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_nothing_at_all_is_no_answer_yet_where_the_server_holds_the_poll(body: bytes) -> None:
    """Heroku's router lets go of a request that nobody has answered, with the type of an answer."""
    empty = HttpResponse(200, (("Content-Type", "application/json"),), body)

    assert poll_response(HEROKU, empty) == Pending()
    assert poll_response(NPM, empty) == Pending(trouble="an empty answer came")


@pytest.mark.parametrize(("contract", "error"), [(NETLIFY, "not_created"), (STRIPE, "creation_refused")])
def test_a_client_is_blamed_only_where_one_is_named(contract: TicketContract, error: str) -> None:
    """Stripe makes tickets for whoever asks; its 403 is not about the client."""
    with pytest.raises(TicketError) as end:
        made(contract, json_answer({"message": "no"}, 403))

    assert end.value.error == error
    assert ("client_id" in end.value.parameter) is (contract is NETLIFY)


def test_json_that_is_none_is_malformed() -> None:
    """What claims to be JSON and is not will not pass by itself."""
    with pytest.raises(MalformedResponse):
        poll_response(NETLIFY, raw_answer(b"{"))


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_vendors_that_answer_pending_by_errors_are_waited_for(status: int) -> None:
    """Fly's and Sentry's clients go on after any error."""
    contract = replace(NPM, errors_pend=True, gone=())

    assert isinstance(poll_response(contract, HttpResponse(status)), Pending)


# Exchange and account


def test_exchange_gives_a_token_and_a_name() -> None:
    """Netlify's answer has no token type, no lifetime and no refresh token."""
    answer = {"id": ID, "access_token": "nfo_x", "user_id": "1", "user_email": "a@b.example\x1b"}

    tokens, account = exchange_response(NETLIFY, json_answer(answer, 201))

    assert (tokens.access_token, tokens.token_type, tokens.expires_at) == ("nfo_x", "Bearer", None)
    assert (tokens.refresh_token, tokens.obtained_at, account) == (None, NOW, "a@b.example")


@pytest.mark.parametrize("token", [None, "", 8675309, ["t"], "a b", "a\nb", "é", True])
def test_token_of_another_type_is_none(token: object) -> None:
    """RFC 6749 appendix A.12, and no line break for a header (CVE-2024-50338)."""
    with pytest.raises(MalformedResponse, match="not a token"):
        exchange_response(NETLIFY, json_answer({"access_token": token}, 201))


def test_exchange_that_is_refused_says_so() -> None:
    """Before the approval, after the first exchange, without the verifier."""
    with pytest.raises(TicketError, match="not authorized") as refusal:
        exchange_response(NETLIFY, json_answer({"message": "The ticket is not authorized."}, 403))
    assert refusal.value.error == "exchange_refused"
    with pytest.raises(TicketError, match="404"):
        exchange_response(NETLIFY, HttpResponse(404))
    with pytest.raises(TransportError):
        exchange_response(NETLIFY, HttpResponse(502, (("Content-Type", "text/html"),)))
    with pytest.raises(MalformedResponse):
        exchange_response(NETLIFY, HTML)


def test_account_is_a_courtesy() -> None:
    """The first name that is there is the one; anything unexpected is no name."""
    assert account_response(NETLIFY, json_answer({"email": "a@b.example", "full_name": "A"})) == "a@b.example"
    assert account_response(NETLIFY, json_answer({"full_name": "A\x1b"})) == "A"
    assert account_response(NETLIFY, json_answer({"email": "x"}, 401)) == ""
    assert account_response(NETLIFY, HTML) == ""
    assert account_response(NETLIFY, json_answer({})) == ""


MEMBERS = st.sampled_from(
    [
        "id",
        "client_id",
        "authorized",
        "error",
        "message",
        "token",
        "loginUrl",
        "doneUrl",
        "access_token",
        "code",
    ]
)
MEMBER = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text(), max_size=1))


@pytest.mark.slow
@PROPERTY
@given(
    st.sampled_from(sorted(CONTRACTS)),
    st.dictionaries(MEMBERS, MEMBER),
    st.sampled_from([200, 201, 202, 302, 400, 401, 409, 429, 500]),
)
def test_no_answer_is_too_strange(name: str, members: dict[str, object], status: int) -> None:
    """Whatever comes, it is judged, and an error is one of ours."""
    contract, answer = CONTRACTS[name], json_answer(members, status)

    for judge in (
        lambda: made(contract, answer),
        lambda: poll_response(contract, answer),
        lambda: exchange_response(contract, answer),
        lambda: account_response(contract, answer),
    ):
        with suppress(LoopbackAuthError):
            judge()


@pytest.mark.parametrize(
    "template",
    [
        "{base}/{nobody}",
        "{base}/{",
        "{base}/}",
        "{base}/{}",
        "{base}/{0}",
        "{base}/{id!r}",
        "{base}/{id:>9999}",
        "{base}/{id.__class__}",
        "{base}/{id[0]}",
        "{base}/{ id}",
    ],
)
def test_contract_that_cannot_be_filled_in_is_our_own_mistake(template: str) -> None:
    """A program may bring its own contract; whatever is wrong with it, the error is one of ours."""
    values = {"base": NETLIFY.base, "id": "0123456789", "client_id": "c", "message": ""}
    for call in (
        TicketRequest("GET", template),
        TicketRequest("POST", "{base}", body="form", parameters=(("x", template),)),
        TicketRequest("GET", "{base}", headers=(("X-Y", template),)),
    ):
        with pytest.raises(ConfigError, match="ticket contract"):
            call_request(call, values)
    with pytest.raises(ConfigError, match="ticket contract"):
        made(replace(NETLIFY, browser_url=template), json_answer(MADE, 201))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/admin", "https://10.0.0.5/x", "https://localhost/x", "http://[::1]:631/"]
)
def test_vendor_elsewhere_may_not_send_the_person_into_their_network(url: str) -> None:
    """RFC 9728 §7.7; a page of a router does what it is asked to."""
    contract = replace(NETLIFY, extract={"id": "id", "browser_url": "url"}, browser_url="{browser_url}")

    with pytest.raises(MalformedResponse, match="network"):
        made(contract, json_answer(MADE | {"url": url}, 201))


@pytest.mark.parametrize(
    ("id_", "word"), [("short", "5 characters"), ("x" * 300, "300 characters"), ("a/b-c-d-e-f", "letters")]
)
def test_id_that_is_none_is_told_by_what_is_wrong_with_it(id_: str, word: str) -> None:
    """A vendor with shorter ones is to be found out about, not puzzled over."""
    with pytest.raises(MalformedResponse, match=word):
        made(NETLIFY, json_answer(MADE | {"id": id_}, 201))
