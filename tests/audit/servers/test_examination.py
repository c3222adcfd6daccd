"""What is asked of a server, what is not, and that every answer can be judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from broken_servers import DEVICE, changed, keys, login_taken, unregistered
from examined_servers import (
    asks,
    at,
    described,
    document,
    findings,
    members,
    observed,
    page,
    parameter,
    redirect,
)
from flow_world import CLIENT, ISSUER

from loopback_auth.audit.servers.authorization_questions import MARK
from loopback_auth.audit.servers.catalog import CHECKS
from loopback_auth.audit.servers.endpoint_checks import entropy
from loopback_auth.audit.servers.endpoint_questions import FORBIDDEN_URI
from loopback_auth.audit.servers.judging import judged
from loopback_auth.audit.servers.rows import rows
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.trace.records import Trace

OFFERED_BY_THE_DEMO = {"implicit", "redirect-name"}
"""What the demonstration server offers against the advice, to show it."""
NEEDS_A_SIGN_IN = {"refresh-rotation"}


def test_page_that_comes_for_everything_shows_nothing() -> None:
    """A server may check later; that it shows its page for another host, too, is no proof."""
    found = findings(observed(at("/authorize", page())))

    assert {one.verdict for name, one in found.items() if name.startswith("redirect-")} <= {
        "not observed",
        "pass",
    }
    assert found["redirect-host"].verdict == found["pkce-enforced"].verdict == "not observed"
    assert "may be checked later" in found["redirect-suffix"].because


def test_page_that_comes_for_some_redirect_uris_shows_which() -> None:
    """Where another host is refused, the login page for a longer path means that it is accepted."""

    def prefix(request: HttpRequest, right: HttpResponse) -> HttpResponse:
        if not asks(request, "/authorize"):
            return right
        good = parameter(request, "redirect_uri").startswith("http://127.0.0.1:49152/callback")
        return page() if good else page("<h1>invalid_request</h1>", 400)

    found = findings(observed(prefix))

    assert found["redirect-host"].verdict == "pass"
    assert found["redirect-suffix"].verdict == found["redirect-query"].verdict == "fail"


def at_issuer(issuer: str) -> ClientConfig:
    """Return the client with the issuer as a person typed it."""
    provider = CLIENT.provider
    return replace(CLIENT, provider=replace(provider, metadata=replace(provider.metadata, issuer=issuer)))


@pytest.mark.parametrize(("typed", "published"), [("/", ""), ("//", ""), ("", "/")])
def test_rfc8414_3_1_a_slash_that_was_typed_wrongly_is_no_fault_of_the_server(
    typed: str, published: str
) -> None:
    """Both issuers have the same address for their metadata, so only the server knows which it is."""
    seen = observed(described(issuer=f"{ISSUER}{published}"), client=at_issuer(f"{ISSUER}{typed}"))

    assert findings(seen)["metadata-issuer"].verdict == "pass"
    assert f"{ISSUER}{typed}, " in seen.remark
    assert seen.client.provider.metadata.issuer == seen.metadata.issuer == f"{ISSUER}{published}"


@pytest.mark.parametrize("named", ["https://other.example", f"{ISSUER}/tenant", f"{ISSUER}//", None, 5])
def test_rfc8414_3_3_another_issuer_remains_a_fault(named: object) -> None:
    """Only the slash at the end is forgiven: the metadata may be those of an attacker."""
    seen = observed(described(issuer=named))

    assert findings(seen)["metadata-issuer"].verdict == "fail"
    assert (seen.remark, seen.client) == ("", CLIENT)


def test_documents_that_differ_in_a_slash_remain_a_fault() -> None:
    """Then the server contradicts itself, whatever was typed."""

    def alter(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        openid = request.url.endswith("/.well-known/openid-configuration")
        return members(answer, {"issuer": f"{ISSUER}/"}) if openid and answer.status == 200 else answer

    seen = observed(alter)

    assert findings(seen)["metadata-issuer"].verdict == "fail"
    assert seen.remark == ""


def test_client_that_the_server_does_not_know_shows_nothing() -> None:
    """Then the redirect URI has to be registered first, and the report says so."""
    found = findings(observed(client=replace(CLIENT, client_id="nobody")))

    assert found["redirect-host"].verdict == found["loopback-port"].verdict == "not observed"
    assert "--redirect-uri" in found["redirect-host"].because
    assert found["open-redirector"].verdict == "pass"


def test_without_a_client_the_report_says_how_to_see_more() -> None:
    """What needs no client is judged all the same."""
    found = findings(observed(client=replace(CLIENT, client_id="")))
    unseen = [
        one for one in found.values() if one.verdict == "not observed" and one.id not in NEEDS_A_SIGN_IN
    ]

    assert len(unseen) > 20
    assert all("--client-id" in one.because for one in unseen)
    assert found["open-redirector"].verdict == found["token-get"].verdict == "pass"
    assert found["metadata-issuer"].verdict == "pass"


def test_confidential_client_need_not_use_pkce() -> None:
    """RFC 9700 §2.1.1 demands it of public clients."""
    client = replace(CLIENT, client_id="with-secret", client_secret="a secret")

    assert findings(observed(login_taken, client=client))["pkce-enforced"].verdict == "not applicable"


def test_secret_is_never_in_an_address() -> None:
    """Addresses are written to logs (RFC 6749 §2.3.1)."""
    provider = replace(CLIENT.provider, client_auth="client_secret_post")
    seen = observed(client=replace(CLIENT, provider=provider, client_secret="hunter2"))

    assert any(b"hunter2" in one.request.body for one in seen.answers.values())
    assert not any("hunter2" in one.request.url for one in seen.answers.values())


def test_rfc7592_2_3_what_should_not_have_been_registered_is_deleted() -> None:
    """And where it cannot be, the report says so."""
    seen = observed(unregistered)
    removal = seen.answers["registration: delete"].request
    found = findings(seen)["registration"]

    assert (removal.method, removal.url) == ("DELETE", f"{ISSUER}/register/1")
    assert removal.header("authorization") == "Bearer rat"
    assert "by hand" in found.because


@pytest.mark.parametrize("answer", [document(200, {}), page(), redirect("https://as.example/")])
def test_rfc7591_3_2_1_an_answer_without_a_client_id_is_not_a_registration(answer: HttpResponse) -> None:
    """An application answers 200 to everything; nobody is to look for a client there."""
    found = findings(observed(at("/register", answer)))["registration"]

    assert (found.verdict, "by hand" in found.because) == ("not observed", False)


@pytest.mark.parametrize(("uris", "verdict"), [([], "pass"), ([FORBIDDEN_URI], "fail"), (None, "fail")])
def test_rfc7591_3_2_1_a_server_may_leave_out_what_it_was_asked_for(uris: object, verdict: str) -> None:
    """It may replace values, and says so in its answer; without them it has taken all."""
    answer = document(201, {"client_id": "1", "redirect_uris": uris})

    assert findings(observed(at("/register", answer)))["registration"].verdict == verdict


@pytest.mark.parametrize(
    ("answer", "who"),
    [
        (document(201, {"client_id": "1"}), "anyone"),
        (document(400, {"error": "invalid_redirect_uri"}), "anyone"),
        (HttpResponse(401), "with a token alone"),
        (HttpResponse(500), "yes"),
        (document(200, {}), "yes"),
    ],
)
def test_who_may_register_is_said_where_it_was_seen(answer: HttpResponse, who: str) -> None:
    """A failing endpoint is one that the metadata name, and no more."""
    examined = judged("x", observed(at("/register", answer)), Trace("code", "demo", "x", ()))
    cells = {row.id: row.cells[0] for row in rows([examined])}

    assert cells["registration"].text == who


@pytest.mark.parametrize("status", [204, 302, 500])
def test_revocation_that_shows_nothing_is_no_fault(status: int) -> None:
    """RFC 7009 §2.2.1: a refusal has a status of 400 and more."""
    assert findings(observed(at("/revoke", HttpResponse(status))))["revocation"].verdict == "not observed"


def test_registration_is_deleted_at_the_same_server_only() -> None:
    """The token of the registration must not be sent to a host that the answer names."""

    def elsewhere(request: HttpRequest, right: HttpResponse) -> HttpResponse:
        answer = unregistered(request, right)
        there = {"registration_client_uri": "https://evil.example/1"}
        return members(answer, there) if asks(request, "/register") else answer

    assert "registration: delete" not in observed(elsewhere).answers


@pytest.mark.parametrize(
    ("code", "least", "most"),
    [
        ("WDJB-MJHT", 34.5, 34.7),  # the example of RFC 8628 §6.1
        ("123-456", 19.9, 20.0),
        ("019-450-730", 29.8, 30.0),
        ("A1B2", 20.6, 20.8),
        ("", 0.0, 0.0),
        ("---", 0.0, 0.0),
        ("ÄÖÜ", 0.0, 20.0),
    ],
)
def test_rfc8628_6_1_entropy_of_user_codes(code: str, least: float, most: float) -> None:
    """An estimate from one code: its length, and the kinds of characters in it."""
    assert least <= entropy(code) <= most


ODD: dict[str, Callable[[HttpRequest, HttpResponse], HttpResponse]] = {
    "a page for everything": lambda _request, _right: page(),
    "an error for everything": lambda _request, _right: HttpResponse(500, (), b"Internal Server Error"),
    "too many requests": lambda _request, _right: HttpResponse(429, (("Retry-After", "9"),)),
    "a loop": lambda request, _right: redirect(request.url),
    "a redirect to nowhere": lambda _request, _right: redirect("http://[bad"),
    "a redirect without an address": lambda _request, _right: HttpResponse(302),
    "bytes": lambda _request, _right: HttpResponse(200, (), bytes(range(256))),
    "deep JSON": lambda _request, _right: HttpResponse(200, (), b"[" * 100_000),
    "a list": lambda _request, _right: document(200, []),
    "numbers": lambda request, right: (
        document(200, dict.fromkeys(json.loads(right.body), 1))
        if "/.well-known/" in request.url and right.status == 200
        else right
    ),
    "lists of lists": lambda request, right: (
        document(200, {name: [[1], {}] for name in json.loads(right.body)})
        if "/.well-known/" in request.url and right.status == 200
        else right
    ),
    "addresses that are none": lambda request, right: (
        document(200, dict.fromkeys(json.loads(right.body), "http://[::1") | {"issuer": ISSUER})
        if "/.well-known/" in request.url and right.status == 200
        else right
    ),
    "odd requests fail": lambda request, right: (
        HttpResponse(500)
        if "extra" in request.url or b"repeated" in request.body or "@" in request.url
        else right
    ),
    "odd headers": lambda _request, right: replace(right, headers=(("Date", "now"), ("Location", "\x00"))),
    "odd keys": keys({"kty": ["RSA"], "n": 1, "kid": {}}, {"kty": "RSA", "n": "%%%", "kid": 7}, {}),
    "odd codes": changed(DEVICE, user_code=12345678, device_code=[], expires_in="soon", interval=None),
}


@pytest.mark.parametrize("kind", ODD)
def test_whatever_a_server_answers_there_is_a_report(kind: str) -> None:
    """Nothing is taken for a rule that is kept because an answer could not be read."""
    seen = observed(ODD[kind])
    found = findings(seen)

    assert len(found) == len(CHECKS)
    assert all(one.because for one in found.values())
    assert sum(1 for one in seen.answers.values() if one.number) <= 60


def test_rfc6585_4_server_that_has_had_enough_is_left_alone() -> None:
    """One answer of 429, and no more requests to that server."""
    seen = observed(ODD["too many requests"])

    assert sum(1 for one in seen.answers.values() if one.number) == 1
    assert {one.verdict for one in findings(seen).values()} == {"not observed", "not applicable"}


def test_mark_is_markup_and_harmless() -> None:
    """It would show if it were written into a page as it is, and does nothing."""
    assert {"<", ">", '"', "'"} <= set(MARK)
    assert "script" not in MARK
