"""Rules for links: each is broken by one link, and kept by another that is the same but for one thing."""

from __future__ import annotations

import hashlib
import json

import pytest
from link_samples import CANARY, REQUEST, VERIFIER, broken, jwt, link, part, request, response, verdicts

from loopback_auth.explain.links.answer_rules import (
    DEVICE_RULES,
    RESPONSE_RULES,
    TICKET_RULES,
    TOKEN_REQUEST_RULES,
)
from loopback_auth.explain.links.link_rules import EVERY_LINK
from loopback_auth.explain.links.redirect_rules import REDIRECT_RULES
from loopback_auth.explain.links.reference_rules import REFERENCE_RULES
from loopback_auth.explain.links.request_rules import REQUEST_RULES

OPENID = "https://as.example/authorize"
SIGNED = {**REQUEST, "iss": "my-tool", "aud": "https://as.example"}


def signed(changes: dict[str, str] | None = None, *, outside: str = "client_id=my-tool") -> str:
    """Make a request whose parameters are in a signed request object."""
    claims = {**SIGNED, **(changes or {})}
    return f"{OPENID}?{outside}&request={jwt(claims, {'alg': 'ES256', 'typ': 'oauth-authz-req+jwt'})}"


def redirect(uri: str) -> str:
    """Make a request with another redirect URI."""
    return request({"redirect_uri": uri})


TICKET = "https://app.netlify.com/authorize?response_type=ticket&ticket=x"
DEVICE = "https://as.example/device?user_code="

CASES: dict[str, list[tuple[str, str]]] = {
    # Every link
    "link-scheme": [
        ("javascript:alert(1)//?code=1", response()),
        ("data:text/html,?code=1", response()),
        ("file:///etc/passwd?code=1", response()),
    ],
    "plain-http-on-loopback-only": [
        (request(address="http://as.example/authorize"), request()),
        (response(address="http://10.0.0.1/callback"), response()),
        (response(address="http://app.example/callback"), response(address="http://[::1]:8400/callback")),
    ],
    "host-as-it-looks": [
        (request(address="https://accounts.example@evil.example/authorize"), request()),
        (request(address="https://\u0430s.example/authorize"), request()),
        (request(address="https://xn--s-7sba.example/authorize"), request()),
    ],
    "parameters-once": [
        (request(more="&client_id=other"), request()),
        (response() + "&code=other", response()),
        (response() + "&resource=a&resource=b", request(more="&resource=https://b.example")),
    ],
    "parameters-encoded": [
        (request(more="&x=%zz"), request(more="&x=%20")),
        (request(more="&x=%ff"), request(more="&x=%C3%BC")),
        (request(more="&x=a b"), request(more="&x=a+b")),
        (request(more="&x=\u00fc"), request(more="&x=u")),
        (request(more="&x=%2520"), request(more="&x=%20")),
        (request().replace("&", "&amp;"), request()),
        (request(more="&x=a\x1bb"), request()),
        ("https://as.example/authorize?response_type=code;client_id=x", request()),
    ],
    "parameters-with-values": [(request({"scope": ""}), request())],
    "no-secret-in-link": [
        (request(more="&client_secret=x"), request()),
        (request(more=f"&code_verifier={VERIFIER}"), request()),
        (response({"refresh_token": "x"}), response()),
    ],
    # Responses
    "token-in-fragment": [
        (response({"access_token": "x"}, mark="#"), response(mark="#")),
        (response({"id_token": "x"}, mark="#"), response({"access_token": "x"})),
    ],
    "token-in-url": [(response({"access_token": "x"}), response({"access_token": "x"}, mark="#"))],
    "refresh-token-in-browser": [
        (response({"access_token": "x", "refresh_token": "y"}, mark="#"), response({"access_token": "x"})),
    ],
    "state-returned": [(response(without=["state"]), response())],
    "code-or-error": [
        (response({"error": "access_denied"}), response({"error": "access_denied"}, without=["code"])),
    ],
    "token-type-named": [
        (response({"access_token": "x"}), response({"access_token": "x", "token_type": "Bearer"})),
    ],
    "iss-returned": [(response(without=["iss"]), response())],
    "code-in-history": [(response(), response({"error": "access_denied"}, without=["code"]))],
    "lifetime-named": [
        (response({"access_token": "x"}), response({"access_token": "x", "expires_in": "3600"})),
        (
            response({"access_token": "x", "expires_in": "soon"}),
            response({"access_token": "x", "expires_in": "1"}),
        ),
    ],
    # Pages
    "user-code-shown": [(f"{DEVICE}WDJB-MJHT", "https://github.com/login/device")],
    "user-code-unguessable": [(f"{DEVICE}AB-CD", f"{DEVICE}WDJB-MJHT")],
    "ticket-id-in-url": [(TICKET, "https://dashboard.stripe.com/stripecli/confirm_auth?t=x")],
    "token-request-posted": [
        ("https://as.example/token?grant_type=refresh_token&refresh_token=x", request())
    ],
    # Requests
    "no-implicit-grant": [
        (request({"response_type": "token"}), request()),
        (request({"response_type": "code token"}), request({"response_type": "code id_token"})),
        (request({"response_type": "id_token token"}), request({"response_type": "id_token"})),
    ],
    "pkce-s256": [
        (request(without=["code_challenge", "code_challenge_method"]), request()),
        (request({"code_challenge_method": "plain"}), request()),
        (request(without=["code_challenge_method"]), request()),
        (request({"code_challenge_method": "s256"}), request()),
        (request({"response_type": "code id_token"}, without=["code_challenge"]), signed()),
    ],
    "csrf-protection": [
        (request(without=["state", "code_challenge", "nonce"]), request()),
        (request(without=["state", "code_challenge", "nonce"]), request(without=["state", "nonce"])),
    ],
    "state-independent": [
        (request({"state": REQUEST["nonce"]}), request()),
        (request({"state": VERIFIER}), request()),
        (request({"nonce": VERIFIER}), request()),
        (request({"state": REQUEST["code_challenge"]}), request()),
    ],
    "redirect-encrypted": [
        (redirect("http://app.example/callback"), redirect("https://app.example/callback")),
        (redirect("http://192.168.0.1/callback"), redirect("http://127.0.0.1/callback")),
        (redirect("http://127.evil.example/callback"), redirect("http://127.0.0.2/callback")),
        (redirect("http://localhost.evil.example/callback"), redirect("http://[::1]/callback")),
    ],
    "redirect-uri-form": [
        (redirect("https://app.example/#here"), redirect("https://app.example/")),
        (redirect("https://*.app.example/"), redirect("https://www.app.example/")),
        (redirect("/callback"), redirect("com.example.app:/callback")),
        (redirect("https:callback"), redirect("https://callback")),
        (redirect("https://user@app.example/"), redirect("https://app.example/user")),
        (redirect("javascript:alert(1)"), redirect("com.example.app:/callback")),
        (redirect("https://[broken/"), redirect("https://[::1]/")),
    ],
    "response-mode-fits": [
        (request({"response_type": "token", "response_mode": "query"}), request({"response_mode": "query"})),
        (request({"response_mode": "carrier-pigeon"}), request({"response_mode": "form_post"})),
    ],
    "signed-request-client": [(signed({"client_id": "other"}), signed())],
    "state-sent": [(request(without=["state"]), request())],
    "state-unguessable": [
        (request({"state": "1234567890"}), request()),
        (request({"state": "a" * 60}), request()),
        (request({"state": "xyz"}), request({"state": "0af7651916cd43dd8448eb211c80319c"})),
        (request({"state": "1" * 9}), request({"state": "7f9c24e8-3b12-4fef-91e0-5c0b0f1f3a11"})),
    ],
    "nonce-with-openid": [
        (request(without=["nonce"]), request()),
        (
            request({"response_type": "id_token"}, without=["nonce"]),
            request({"scope": "read"}, without=["nonce"]),
        ),
    ],
    "nonce-unguessable": [(request({"nonce": "12345"}), request())],
    "challenge-form": [
        (request({"code_challenge": REQUEST["code_challenge"] + "="}), request()),
        (request({"code_challenge": "a" * 42}), request()),
        (request({"code_challenge": hashlib.sha256(b"x").hexdigest()}), request()),
        (request({"code_challenge_method": "S512"}), request()),
        (request({"code_challenge": "a", "code_challenge_method": "plain"}), request()),
    ],
    "redirect-loopback-literal": [
        (redirect("http://localhost:8400/callback"), redirect("http://127.0.0.1:8400/callback")),
        (response(address="http://localhost/callback"), response()),
    ],
    "redirect-scheme": [(redirect("myapp://callback"), redirect("com.example.app:/callback"))],
    "redirect-not-oob": [(redirect("urn:ietf:wg:oauth:2.0:oob"), request())],
    "prompt-none-alone": [(request({"prompt": "none login"}), request({"prompt": "none"}))],
    "openid-scope": [
        (request({"response_type": "id_token", "scope": "read"}), request({"response_type": "id_token"})),
        (request({"scope": "read"}), request()),
        (request({"scope": "read", "max_age": "1"}, without=["nonce"]), request({"max_age": "1"})),
    ],
    "json-parameters": [
        (request({"claims": "email"}), request({"claims": '{"id_token": {"email": null}}'})),
        (request({"claims": "[]"}), request({"claims": "{}"})),
        (request({"authorization_details": "{}"}), request({"authorization_details": "[]"})),
        (request({"claims": "[" * 100_000}), request({"claims": "{}"})),
    ],
    "resource-form": [
        (request({"resource": "https://api.example/#v1"}), request()),
        (request({"resource": "api"}), request({"resource": "urn:example:api"})),
        (request(more="&resource=/v2"), request(more="&resource=https://b.example")),
    ],
    "request-once": [(signed(outside="client_id=my-tool&request_uri=urn:x"), signed())],
    "request-uri-form": [
        (
            f"{OPENID}?client_id=x&request_uri=http://app.example/request",
            f"{OPENID}?client_id=x&request_uri=urn:ietf:params:oauth:request_uri:6esc",
        ),
    ],
    "state-without-address": [
        (request({"state": "https://app.example/welcome-back-again"}), request()),
        (request({"state": "next=https%3A%2F%2Fapp.example%2Fwelcome"}), request()),
    ],
    "response-type-sent": [
        (request(without=["response_type"]), request()),
        (request({"response_type": "CODE"}), request({"response_type": "id_token code"})),
    ],
    "redirect-uri-sent": [(request(without=["redirect_uri"]), request())],
    "max-age-form": [(request({"max_age": "one hour"}), request({"max_age": "3600"}))],
    "dpop-jkt-form": [(request({"dpop_jkt": "abc"}), request({"dpop_jkt": "a" * 43}))],
    "offline-access-consent": [
        (
            request({"scope": "openid offline_access"}),
            request({"scope": "openid offline_access", "prompt": "consent"}),
        ),
    ],
    "reference-alone": [
        (signed(outside="client_id=my-tool&ui_locales=de"), signed()),
        (
            f"{OPENID}?client_id=x&request_uri=urn:ietf:params:oauth:request_uri:6esc&scope=openid",
            f"{OPENID}?client_id=x&request_uri=urn:ietf:params:oauth:request_uri:6esc",
        ),
    ],
    "resource-named": [
        (request(without=["resource"]), request()),
        (request(without=["resource"]), request({"audience": "api"}, without=["resource"])),
    ],
}

RULES = (
    *EVERY_LINK,
    *RESPONSE_RULES,
    *DEVICE_RULES,
    *TICKET_RULES,
    *TOKEN_REQUEST_RULES,
    *REQUEST_RULES,
    *REDIRECT_RULES,
    *REFERENCE_RULES,
)
PAIRS = [(name, bad, good) for name, pairs in CASES.items() for bad, good in pairs]


def test_every_rule_has_a_case() -> None:
    """A rule that nothing breaks, or that everything breaks, says nothing."""
    assert set(CASES) == {rule.id for rule in RULES}


@pytest.mark.parametrize(("name", "bad", "good"), PAIRS, ids=lambda text: text[:40])
def test_rule_is_broken_by_the_one_and_not_by_the_other(name: str, bad: str, good: str) -> None:
    """The finding names what is wrong, and what to do."""
    finding = next(one for one in link(bad).findings if one.id == name and one.verdict == "fail")

    assert min(map(len, (finding.because, finding.advice, finding.source))) > 5
    assert verdicts(link(good)).get(name) != "fail"


def test_good_request_breaks_no_rule() -> None:
    """So that every finding about a link is worth reading."""
    assert broken(link(request())) == set()
    assert broken(link(signed())) == set()


def test_good_response_has_its_code_in_the_history_and_nothing_else() -> None:
    """That is the price of the query mode."""
    assert broken(link(response())) == {"code-in-history"}


def test_pushed_request_is_not_judged_by_what_it_does_not_show() -> None:
    """Its parameters are at the server."""
    pushed = f"{OPENID}?client_id=my-tool&request_uri=urn:ietf:params:oauth:request_uri:6esc"
    encrypted = f"{OPENID}?client_id=my-tool&request={part({'alg': 'dir', 'enc': 'A256GCM'})}.a.b.c.d"

    assert broken(link(pushed)) == set()
    assert not broken(link(encrypted)) & {"pkce-s256", "state-sent", "csrf-protection", "redirect-uri-sent"}


def test_rfc6749_10_10_bits_of_a_value_are_those_of_its_alphabet() -> None:
    """Thirty digits are not as good as thirty letters and digits."""
    reasons = {
        length: next(one for one in link(request({"state": value})).findings if one.id == "state-unguessable")
        for length, value in {"30": "314159265358979323846264338327", "22": "Zm9vYmFyYmF6cXV4cXV1eA"}.items()
    }

    assert (reasons["30"].verdict, reasons["22"].verdict) == ("fail", "pass")
    assert "100 random bits" in reasons["30"].because


def test_rfc7636_4_4_challenge_of_the_appendix_is_recognised_as_that_of_its_verifier() -> None:
    """RFC 7636 appendix B: a state that is the verifier gives it away."""
    leaked = {
        "state": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    }

    assert "state-independent" in broken(link(request(leaked)))


def test_findings_show_no_secret() -> None:
    """Whatever the link carries, and wherever."""
    names = (*REQUEST, "code", "access_token", "ticket", "user_code", "unknown", CANARY)
    for name in names:
        for text in (request({name: CANARY}), response({name: CANARY}), response({name: CANARY}, mark="#")):
            shown = json.dumps([f"{one.because}{one.advice}{one.title}" for one in link(text).findings])

            assert CANARY not in shown
