"""What a server would answer to a browser: every kind of answer, and what may be concluded from it."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import ATTEMPT, CLIENT, ISSUER, METADATA, PROPERTY, VERIFIER

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.doctor.redirect_probe import (
    ProbeAnswer,
    authorization_probe,
    authorization_probe_response,
    authorization_probe_visit,
    decisive,
    probe_redirect_uri,
    quoted,
)
from loopback_auth.errors import ConfigError, EndpointMissing, TokenError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, Provider, Redirect, ResponseMode, ResponseType, ServerMetadata

WHAT = "response_type=code"
OPENID = replace(METADATA, id_token_signing_alg_values_supported=("RS256",))
URI = "http://127.0.0.1:49152/callback"
HTML = (("Content-Type", "text/html"),)


def asked(
    client: ClientConfig = CLIENT,
    metadata: ServerMetadata = METADATA,
    *,
    response_type: ResponseType = "code",
    response_mode: ResponseMode = "query",
) -> AuthorizationRequest:
    """Ask."""
    return authorization_probe(
        client, metadata, ATTEMPT, response_type=response_type, response_mode=response_mode
    )


def sent(request: AuthorizationRequest) -> dict[str, list[str]]:
    """Return what the question carries."""
    return parse_qs(urlsplit(request.url).query)


def back(mark: str = "?", uri: str = URI, **parameters: str) -> HttpResponse:
    """Send the browser back to the redirect URI with our state and issuer, unless told otherwise."""
    pairs = {"state": ATTEMPT.state, "iss": ISSUER} | parameters
    return HttpResponse(303, (("Location", f"{uri}{mark}{urlencode(pairs)}"),))


def page(status: int, body: str = "", *headers: tuple[str, str]) -> HttpResponse:
    """Answer with a page of the server's own."""
    return HttpResponse(status, (*HTML, *headers), body.encode())


def verdicts(answer: HttpResponse, request: AuthorizationRequest | None = None) -> tuple[str, str]:
    """Return what is known of the redirect URI and of what was asked about."""
    judged = authorization_probe_response(request or asked(), WHAT, answer)
    found = {one.what: one.verdict for one in judged}
    return found["redirect_uri"], found[WHAT]


def because(answer: HttpResponse, what: str = WHAT) -> str:
    """Return the sentence about one thing."""
    judged = authorization_probe_response(asked(), what, answer)
    return next(one.because for one in judged if one.what == what)


def test_question_is_the_request_of_a_sign_in() -> None:
    """What is judged has to be what would be sent, PKCE and state included."""
    question = sent(asked())

    assert question["response_type"] == ["code"]
    assert question["redirect_uri"] == [URI]
    assert question["state"] == [ATTEMPT.state]
    assert question["code_challenge_method"] == ["S256"]
    assert VERIFIER not in str(question)


def test_question_names_nobody() -> None:
    """Nothing of the person is told to a server that the person has not agreed to speak with yet."""
    client = replace(
        CLIENT,
        login_hint="ada@example.org",
        prompt="consent",
        extra={"login_hint": "ada", "prompt": "login", "hd": "x"},
    )

    question = sent(asked(client))

    assert question["hd"] == ["x"]
    assert not {"login_hint", "prompt"} & set(question)


@pytest.mark.parametrize(
    ("scope", "metadata", "prompt"),
    [
        ("openid", METADATA, ["none"]),
        ("profile", OPENID, ["none"]),
        ("profile", METADATA, None),
    ],
)
def test_nobody_is_asked_where_that_can_be_said(
    scope: str, metadata: ServerMetadata, prompt: list[str] | None
) -> None:
    """OpenID Connect Core §3.1.2.1; a server without OpenID may refuse a parameter that it does not know."""
    assert sent(asked(replace(CLIENT, scope=scope), metadata)).get("prompt") == prompt


def test_id_token_is_asked_for_as_it_must_be() -> None:
    """Without openid and a nonce every server refuses, and the answer would say nothing about the client."""
    question = sent(asked(response_type="id_token", response_mode="fragment"))

    assert question["scope"] == ["openid profile"]
    assert question["nonce"] == [ATTEMPT.nonce]
    assert question["prompt"] == ["none"]


def test_what_a_sign_in_could_not_ask_is_not_asked_either() -> None:
    """The reason is the same as there."""
    with pytest.raises(EndpointMissing):
        asked(metadata=replace(METADATA, authorization_endpoint=None))
    with pytest.raises(ConfigError, match="form_post"):
        asked(response_mode="form_post")


@pytest.mark.parametrize(
    ("redirect", "uri"),
    [
        (Redirect(), URI),
        (Redirect(ports=(8400, 8401)), "http://127.0.0.1:8400/callback"),
        (Redirect(host="[::1]", path="/"), "http://[::1]:49152/"),
        (Redirect(host="localhost", path=""), "http://localhost:49152"),
    ],
)
def test_a_port_is_named_without_being_bound(redirect: Redirect, uri: str) -> None:
    """The registered one where there is one."""
    assert probe_redirect_uri(redirect) == uri


def test_visit_looks_like_a_browser() -> None:
    """Servers that can answer JSON do so for programs, and skip the log-in page."""
    visit = authorization_probe_visit(asked())

    assert (visit.method, visit.header("accept").partition(",")[0]) == ("GET", "text/html")


@pytest.mark.parametrize(
    "error", ["login_required", "interaction_required", "consent_required", "account_selection_required"]
)
def test_server_that_would_ask_the_person_answers(error: str) -> None:
    """Everything about the request was in order (OpenID Connect Core §3.1.2.6)."""
    answer = back(error=error, error_description="Who?")

    assert verdicts(answer) == ("yes", "yes")
    assert f"{error} (Who?)" in because(answer)


@pytest.mark.parametrize(
    "error",
    ["unsupported_response_type", "unauthorized_client", "unsupported_response_mode", "invalid_request"],
)
def test_refusal_by_redirect_still_knows_the_redirect_uri(error: str) -> None:
    """A server must not redirect to an address that is not registered (RFC 6749 §3.1.2.4)."""
    assert verdicts(back(error=error)) == ("yes", "no")
    in_front = asked(response_type="token", response_mode="fragment")
    assert verdicts(back("#", error=error), in_front) == ("yes", "no")
    assert error in because(back(error=error))


@pytest.mark.parametrize("error", ["invalid_scope", "invalid_target", "server_error", "access_denied", "new"])
def test_objection_to_something_else_decides_nothing(error: str) -> None:
    """Whether the response type would do is then not known."""
    assert verdicts(back(error=error)) == ("yes", "unknown")


def test_code_without_a_person_is_an_answer() -> None:
    """Some servers approve by themselves; the code lapses and is not shown."""
    answer = back(code="SplxlOBeZQQYbYS6WxSbIA")

    assert verdicts(answer) == ("yes", "yes")
    assert "Splx" not in because(answer)


@pytest.mark.parametrize(
    ("state", "iss"),
    [("other", ISSUER), ("", ISSUER), (ATTEMPT.state, ""), (ATTEMPT.state, "https://evil.example")],
)
def test_answer_that_would_be_turned_away_is_no_answer(state: str, iss: str) -> None:
    """A sign-in would not believe it, so neither is it believed here (RFC 6749 §10.12, RFC 9207 §2.4)."""
    answer = back(error="login_required", state=state, iss=iss)

    assert verdicts(answer) == ("yes", "unknown")
    assert "refused here" in because(answer)


def test_refusal_in_a_form_is_read_whatever_the_status() -> None:
    """oidc-provider sends the form that posts an error with status 400."""
    request = asked(
        metadata=replace(METADATA, response_modes_supported=("form_post",)), response_mode="form_post"
    )
    fields = {"error": "login_required", "state": ATTEMPT.state, "iss": ISSUER}
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{value}"/>' for name, value in fields.items()
    )
    body = f'<!doctype html><form method="post" action="{URI}">{inputs}<noscript></noscript></form>'

    assert verdicts(page(400, body), request) == ("yes", "yes")
    assert verdicts(page(200, body.replace("&", "&amp;").replace('"', "'")), request) == ("yes", "yes")


def test_redirect_uri_without_a_path_comes_back_with_one() -> None:
    """A browser adds it, and so do some servers (RFC 9110 §4.2.3)."""
    provider = Provider("x", METADATA, Redirect(host="localhost", path=""))
    request = asked(replace(CLIENT, provider=provider))

    for uri in ("http://localhost:49152", "http://localhost:49152/"):
        assert verdicts(back(uri=uri, error="login_required"), request) == ("yes", "yes")


@pytest.mark.parametrize(
    "uri",
    ["http://127.0.0.1:49152/callback/", "http://127.0.0.1:1/callback", "https://127.0.0.1:49152/callback"],
)
def test_almost_our_redirect_uri_is_another_page(uri: str) -> None:
    """Compared byte for byte, as at the door (RFC 6749 §3.1.2.3)."""
    assert verdicts(back(uri=uri, code="x")) == ("likely", "likely")


@pytest.mark.parametrize(
    "location", ["/log-in?return=/authorize", "https://sso.example/start", "?step=2", "", "https://[broken"]
)
def test_log_in_page_has_refused_nothing_so_far(location: str) -> None:
    """It may still do so, hence only likely; the redirect is not followed."""
    assert verdicts(page(302, "", ("Location", location))) == ("likely", "likely")


def test_page_of_its_own_has_refused_nothing_so_far() -> None:
    """A single-page application answers 200 to everything."""
    assert verdicts(page(200, "<title>Log in</title>")) == ("likely", "likely")


@pytest.mark.parametrize(
    "location", ["/signin/oauth/error/v2?authError=x", "https://as.example/Error", "/login?error=bad"]
)
def test_address_that_tells_of_an_error_is_a_refusal(location: str) -> None:
    """Google does not answer 400 but leads to a page of errors."""
    assert verdicts(page(302, "", ("Location", location))) == ("no", "no")


@pytest.mark.parametrize(
    ("status", "body", "culprit"),
    [
        (400, "<pre>error: invalid_redirect_uri</pre>", f"{URI} for this client: HTTP status 400"),
        (400, "redirect_uri_mismatch", f"{URI} for this client"),
        (400, "<h1>invalid_client</h1>", "know this client ID: HTTP status 400, invalid_client."),
        (403, "no", f"this client ID, or {URI}: HTTP status 403."),
        (401, "", "this client ID"),
    ],
)
def test_refusing_page_blames_whom_it_names(status: int, body: str, culprit: str) -> None:
    """The person can only mend what is named; nothing else of the page is repeated."""
    answer = page(status, body)

    assert verdicts(answer) == ("no", "unknown")
    assert culprit in because(answer, "redirect_uri")


def test_refusing_page_may_mean_the_request() -> None:
    """Then the redirect URI may be in order."""
    assert verdicts(page(400, "unsupported_response_type")) == ("unknown", "no")


def test_refusal_in_json_is_one_with_any_status() -> None:
    """Some gateways answer 200 to everything."""
    refusal = HttpResponse(200, (("Content-Type", "application/json"),), b'{"error": "invalid_client"}')

    assert verdicts(refusal) == ("no", "unknown")


@pytest.mark.parametrize(
    "answer",
    [
        page(503),
        page(500, "invalid_client"),
        page(429),
        page(404),
        page(405, "invalid_request"),
        page(403, "Just a moment...", ("cf-mitigated", "challenge")),
        page(401, "", ("WWW-Authenticate", "Negotiate")),
        page(200, "", ("x-vercel-mitigated", "challenge")),
    ],
)
def test_what_may_come_from_something_in_between_decides_nothing(answer: HttpResponse) -> None:
    """A challenge for browsers or a failing gateway is not the server's word."""
    assert verdicts(answer) == ("unknown", "unknown")


def test_server_that_quotes_the_request_does_not_get_the_state_shown() -> None:
    """The sentence is printed, and posted in bug reports."""
    answer = back(error="invalid_request", error_description=f"bad: {ATTEMPT.state}\x1b[2J {ATTEMPT.nonce}")

    said = because(answer)

    assert "<state#1>" in said
    assert ATTEMPT.state not in said
    assert said.isprintable()


def test_refusal_is_quoted_to_fit_a_sentence() -> None:
    """One full stop is enough."""
    assert quoted(TokenError("invalid_grant", "It is used.")) == "invalid_grant (It is used)"
    assert quoted(TokenError("invalid_grant")) == "invalid_grant"


def test_most_decisive_answer_is_kept() -> None:
    """A pushed request decides what a log-in page leaves open; of two decisions the first stands."""
    likely, yes = ProbeAnswer("a", "likely", "", ""), ProbeAnswer("a", "yes", "", "")
    no, other = ProbeAnswer("a", "no", "", ""), ProbeAnswer("b", "unknown", "", "")

    assert decisive((likely, other, yes, no)) == (yes, other)
    assert decisive((yes, likely)) == (yes,)
    assert decisive((other, likely)) == (other, likely)


@PROPERTY
@given(
    status=st.integers(100, 599),
    location=st.text(max_size=80),
    body=st.one_of(
        st.binary(max_size=200), st.just(b"<![x[<form action='" + URI.encode() + b"'><input name=>")
    ),
    kind=st.sampled_from(["text/html", "application/json", ""]),
)
def test_no_answer_breaks_the_judge(status: int, location: str, body: bytes, kind: str) -> None:
    """Whatever comes, the other questions are still asked."""
    answer = HttpResponse(status, (("Location", location), ("Content-Type", kind)), body)

    judged = authorization_probe_response(asked(), WHAT, answer)

    assert {one.what for one in judged} == {"redirect_uri", WHAT}
    assert all(one.because.isprintable() for one in judged)
