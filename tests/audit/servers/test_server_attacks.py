"""Attacks on a server: each has a server that falls to it, and says why where it cannot be tried."""

from __future__ import annotations

from base64 import b64decode

import pytest
from attacked_servers import (
    BROUGHT,
    OPENID,
    PASSWORD,
    TOKENS,
    all_findings,
    by_stranger,
    gives_tokens,
    grants,
    with_password,
)
from examined_servers import (
    Alter,
    asks,
    at,
    described,
    document,
    page,
    parameter,
    redirect,
    unaltered,
    without,
)
from flow_world import ISSUER

from loopback_auth.audit.servers.attacks.person import Person
from loopback_auth.audit.servers.attacks.server_attacks import ATTACKS
from loopback_auth.compare.model import Finding
from loopback_auth.demo.faults import Faults
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.records import replace

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SECRET = replace(OPENID, client_id="with-secret", client_secret="a secret")
ADA = Person("ada", PASSWORD)
BACK = f"http://127.0.0.1:49152/callback?code={'c' * 43}&iss={ISSUER}"


def answered(request: HttpRequest) -> HttpResponse:
    """Answer an authorization request with a code, without asking the user."""
    return redirect(f"{BACK}&state={parameter(request, 'state')}")


def code_again(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Answer a request_uri that is used up, or of another client, with a code."""
    asked = asks(request, "/authorize") and parameter(request, "request_uri")
    return redirect(BACK) if asked and right.status == 400 else right


def remembering() -> Alter:
    """Ask the user only the first time."""
    known = list[str]()

    def alter(request: HttpRequest, right: HttpResponse) -> HttpResponse:
        known.extend([request.url] * asks(request, "/consent"))
        asked = asks(request, "/authorize") and right.status == 200 and known
        return answered(request) if asked else right

    return alter


def granting_more() -> Alter:
    """Ask the user only the first time, and give what is asked for later on."""
    silent, give = remembering(), gives_tokens(lambda request: parameter(request, "code") == "c" * 43)
    return lambda request, right: give(request, silent(request, right))


def forgetful() -> Alter:
    """Refuse a refresh token that was used before, and take every other one of its family."""
    used = set[str]()

    def alter(request: HttpRequest, right: HttpResponse) -> HttpResponse:
        token = parameter(request, "refresh_token")
        if not asks(request, "/token") or not token or token in used:
            return right
        used.add(token)
        return TOKENS if right.status == 400 else right

    return alter


def forwarded(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Redirect with 307 after the form with the password."""
    if asks(request, "/sign-in"):
        return HttpResponse(307, (("Location", BACK),))
    return with_password(request, right)


def short_token(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Make access tokens of few characters."""
    given = asks(request, "/token") and grants(request, "authorization_code") and right.status == 200
    return document(200, {**BROUGHT, "access_token": "abc"}) if given else right


def any_secret(request: HttpRequest) -> bool:
    """Return whether a request has a made-up client secret."""
    return b"made-up-by" in b64decode(request.header("authorization").partition(" ")[2])


FALLS: dict[str, tuple[Alter, Faults | None]] = {
    "strict-sign-in": (unaltered, Faults(wrong_iss=True)),
    "registration-answer": (unaltered, Faults(registration_html=True)),
    "other-subject": (unaltered, Faults(wrong_subject=True)),
    "code-without-verifier": (unaltered, Faults(ignore_verifier=True)),
    "code-wrong-verifier": (unaltered, Faults(ignore_verifier=True)),
    "challenge-dropped": (unaltered, Faults(pkce_optional=True)),
    "no-pkce": (unaltered, Faults(pkce_optional=True)),
    "code-twice": (unaltered, Faults(reusable=True)),
    "tokens-after-replay": (unaltered, Faults(reusable=True)),
    "code-other-client": (gives_tokens(by_stranger), None),
    "code-other-redirect-uri": (
        gives_tokens(lambda request: parameter(request, "redirect_uri").endswith("/other")),
        None,
    ),
    "redirect-approved": (unaltered, Faults(loose_redirect_uris=True)),
    "redirect-similar": (unaltered, Faults(loose_redirect_uris=True)),
    "state-changed": (unaltered, Faults(wrong_state=True)),
    "mix-up": (unaltered, Faults(omit_iss=True)),
    "request-uri-twice": (code_again, None),
    "request-uri-other-client": (code_again, None),
    "short-secrets": (short_token, None),
    "token-members": (unaltered, Faults(expires_in="soon")),
    "refresh-in-browser": (unaltered, Faults(refresh_token_in_fragment=True)),
    "bound-token": (at("/userinfo", document(200, {"sub": "x"})), None),
    "tokens-stored": (
        lambda request, right: without(right, "cache-control") if asks(request, "/token") else right,
        None,
    ),
    "token-in-url": (
        lambda request, right: document(200, {"sub": "x"}) if "access_token=" in request.url else right,
        None,
    ),
    "device-code-twice": (unaltered, Faults(reusable=True)),
    "device-code-other-client": (
        gives_tokens(lambda request: grants(request, DEVICE) and by_stranger(request)),
        None,
    ),
    "user-code-guessed": (unaltered, Faults(unlimited_user_codes=True)),
    "refresh-for-more": (
        gives_tokens(lambda request: grants(request, "refresh_token") and bool(parameter(request, "scope"))),
        None,
    ),
    "refresh-other-client": (
        gives_tokens(lambda request: grants(request, "refresh_token") and by_stranger(request)),
        None,
    ),
    "revoked-token": (gives_tokens(lambda request: grants(request, "refresh_token")), None),
    "refresh-twice": (gives_tokens(lambda request: grants(request, "refresh_token")), None),
    "refresh-family": (forgetful(), None),
    "consent-again": (remembering(), None),
    "consent-more": (granting_more(), None),
}
"""By the attack: a server that falls to it."""


@pytest.mark.parametrize("name", FALLS)
def test_attack_succeeds(name: str) -> None:
    """At a server that breaks the rule, and says so in words."""
    alter, faults = FALLS[name]
    found = all_findings(alter, faults)[name]

    assert found.verdict == "fail", found.because
    assert (found.kind, bool(found.advice)) == ("attack", True)


def test_rfc9700_4_12_password_is_not_sent_on() -> None:
    """By 303 the browser forgets the form, by 307 it sends it again."""
    assert all_findings(forwarded, person=ADA)["password-forwarded"].verdict == "fail"
    assert all_findings(with_password, person=ADA)["password-forwarded"].verdict == "pass"


def test_rfc6749_3_2_1_secret_is_checked() -> None:
    """A confidential client is what the secret makes it."""
    loose = all_findings(gives_tokens(any_secret), client=SECRET)["wrong-secret"]

    assert all_findings(client=SECRET)["wrong-secret"].verdict == "pass"
    assert loose.verdict == "fail"


def test_every_attack_has_a_server_that_falls_to_it() -> None:
    """An attack that never succeeds tells nothing."""
    assert {one.id for one in ATTACKS} == FALLS.keys() | {"password-forwarded", "wrong-secret"}


def test_confidential_client_is_judged_by_its_own_rules() -> None:
    """It need not use PKCE, and its refresh tokens are bound to it."""
    found = all_findings(client=SECRET)
    idle = {name for name, one in found.items() if one.kind == "attack" and one.verdict == "not applicable"}

    assert idle >= {"no-pkce", "refresh-twice", "refresh-family", "consent-again"}
    assert found["strict-sign-in"].verdict == found["code-twice"].verdict == "pass"


def asked_again(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Show the login page again, whatever the password."""
    form = '<form method="post" action="/sign-in"><input name="user"></form>'
    again = page(f"<title>Log in</title>{form}") if asks(request, "/sign-in") else right
    return replace(again, body=again.body.replace(b"</form>", b'<input type="password" name="p"></form>'))


def in_a_loop(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Redirect to the same page again and again."""
    return redirect(request.url) if asks(request, "/authorize") else right


STUCK: dict[str, tuple[Alter, Person, str]] = {
    "it asks for a password": (with_password, Person("ada"), "it asks for a password"),
    "the password is wrong": (asked_again, ADA, "the same form comes again"),
    "a page without a form": (
        at("/authorize", page("<title>Log in</title><div id=app>")),
        ADA,
        "it has no form to send",
    ),
    "a loop": (in_a_loop, ADA, "gave up"),
}


@pytest.mark.parametrize("kind", STUCK)
def test_user_who_does_not_get_through_says_where(kind: str) -> None:
    """The password is not tried for each attack, and nothing counts as withstood."""
    alter, person, why = STUCK[kind]
    found = all_findings(alter, person=person)
    attacks = [one for one in found.values() if one.kind == "attack"]

    assert {one.verdict for one in attacks} == {"not observed"}
    assert all(why in one.because for one in attacks)
    assert PASSWORD not in "".join(one.because for one in found.values())


def always_answered(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Answer every authorization request with a code."""
    return answered(request) if asks(request, "/authorize") else right


ODD: dict[str, Alter] = {
    "tokens for everything": gives_tokens(lambda _request: True),
    "an error at the token endpoint": at("/token", HttpResponse(500)),
    "lists in place of tokens": at(
        "/token", document(200, {"access_token": [], "scope": 1, "expires_in": []})
    ),
    "a code in every answer": always_answered,
    "a redirect that cannot be read": at("/consent", redirect("http://[bad")),
    "no scopes": described(scopes_supported=None),
    "odd device codes": at("/device_authorization", document(200, {"device_code": [], "user_code": {}})),
}


@pytest.mark.parametrize("kind", ODD)
def test_whatever_a_server_answers_every_attack_has_an_end(kind: str) -> None:
    """An answer that cannot be read is no defence."""
    found: dict[str, Finding] = all_findings(ODD[kind])

    assert all(found[one.id].because for one in ATTACKS)
