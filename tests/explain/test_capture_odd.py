"""Recordings in which something went wrong, is missing, or is done as no specification has it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

import pytest
from har_samples import (
    ANSWERED,
    AUTHORIZE,
    CALLBACK,
    CANARIES,
    CHALLENGE,
    ISSUER,
    TOKENS,
    Members,
    chromium,
    chromium_entry,
    code_in_chromium,
    firefox,
    firefox_entry,
    program_entry,
    proxy,
)

from loopback_auth.compare.model import Run
from loopback_auth.errors import ConfigError
from loopback_auth.explain.capture import Capture, capture
from loopback_auth.explain.endings import NO_END
from loopback_auth.explain.narration import Story, recorded_story
from loopback_auth.explain.parameter_words import PARAMETERS, SECRETS
from loopback_auth.explain.reduction import HIDDEN, reduced_url
from loopback_auth.explain.story import ExplainedStep
from loopback_auth.explain.story_questions import SecretExposure
from loopback_auth.explain.story_templates import ANSWERS, NOTES, QUESTIONS
from loopback_auth.explain.story_text import text
from loopback_auth.explain.story_words import STEPS

TOKEN = f"{ISSUER}/token"
REDEEMED = (
    f"grant_type=authorization_code&code={CANARIES['code']}&code_verifier={CANARIES['verifier']}"
    f"&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&client_id=a-client"
)
IMPLICIT = AUTHORIZE.replace("response_type=code", "response_type=token")


def only(content: bytes) -> Run:
    """Return the one sign-in of a recording."""
    ((run, _),) = capture(content).runs
    return run


def explained(content: bytes) -> Story:
    """Return the story of the one sign-in."""
    return recorded_story(only(content), None)


def titled(content: bytes, title: str) -> ExplainedStep:
    """Return the step with a title."""
    return next(one for one in explained(content).scenes if one.title == title)


def answers(content: bytes) -> dict[str, str]:
    """Return what was answered, by the key of each question in the table."""
    keys = {question: key for key, question in QUESTIONS.items()}
    return {keys[one.question]: one.answer for one in explained(content).answers}


def secret(content: bytes, label: str) -> SecretExposure:
    """Return what can be done with a secret, and who could have taken it."""
    return next(one for one in explained(content).fates if one.label == label)


def steps(run: Run) -> list[str]:
    """Return what was found."""
    return [one.step for one in run.trace.exchanges()]


def verdict(run: Run, check: str) -> str:
    """Return what a check says."""
    return next(finding.verdict for finding in run.findings if finding.id == check)


def answered(url: str) -> bytes:
    """Record a request and what came to the redirect URI."""
    return chromium(chromium_entry("GET", AUTHORIZE, second=1), chromium_entry("GET", url, second=2))


def redeemed(**more: str) -> Members:
    """Record a token request of the program."""
    return program_entry("POST", TOKEN, second=3, **{"form": REDEEMED, "text": TOKENS, **more})  # type: ignore[arg-type]


def test_answer_with_another_state_belongs_to_the_request_that_waited_for_one() -> None:
    """As two sign-ins, the recording would not show what is wrong (RFC 6749 §10.12)."""
    run = only(answered(ANSWERED.replace(CANARIES["state"], "a-strangers-state-0123456789")))

    assert steps(run) == ["authorization request", "authorization response"]
    assert verdict(run, "state-returned") == "fail"


def test_sign_in_without_state_is_one() -> None:
    """The redirect URI connects the requests, and a check reports the missing state."""
    state = f"&state={CANARIES['state']}"
    run = only(
        proxy(
            chromium_entry("GET", AUTHORIZE.replace(state, ""), second=1),
            chromium_entry("GET", ANSWERED.replace(state, ""), second=2),
            redeemed(),
        )
    )

    assert steps(run) == ["authorization request", "authorization response", "token request"]
    assert verdict(run, "state-returned") == "fail"


def test_response_in_a_fragment_that_was_not_recorded() -> None:
    """Chromium leaves fragments out, so the explanation must not claim a code."""
    content = chromium(
        chromium_entry("GET", IMPLICIT, second=1),
        chromium_entry("GET", CALLBACK, second=2),
        chromium_entry(
            "GET",
            f"{ISSUER}/userinfo",
            second=3,
            kind="fetch",
            headers=[("authorization", f"Bearer {CANARIES['access']}")],
        ),
    )

    assert steps(only(content)) == ["authorization request", "authorization response", "UserInfo request"]
    assert titled(content, "authorization response").words == STEPS["authorization response unseen"][0]


def test_visit_to_the_redirect_uri_is_no_answer() -> None:
    """A code would be in the address; the page may have been open before."""
    found = capture(
        chromium(
            chromium_entry("GET", AUTHORIZE, second=1),
            chromium_entry("GET", ANSWERED, second=2),
            chromium_entry("GET", CALLBACK, second=3),
        )
    )

    assert [steps(run) for run, _ in found.runs] == [["authorization request", "authorization response"]]
    assert found.others == 1


def test_code_that_is_refused_says_why() -> None:
    """`invalid_grant` alone does not help a reader."""
    content = proxy(
        chromium_entry("GET", AUTHORIZE, second=1),
        chromium_entry("GET", ANSWERED, second=2),
        program_entry("POST", TOKEN, second=3, status=400, form=REDEEMED, text='{"error": "invalid_grant"}'),
    )

    (error,) = titled(content, "token request").received
    assert explained(content).notes == (NOTES["refused"].format(reason="token request: invalid_grant"),)
    assert (error.name, error.value) == ("error", "invalid_grant")
    assert (error.meaning, error.source) == PARAMETERS["error invalid_grant"]


def test_request_that_is_refused_without_a_redirect_says_why() -> None:
    """The server must not redirect to a wrong redirect URI (RFC 6749 §4.1.2.1)."""
    content = chromium(chromium_entry("GET", AUTHORIZE, status=400, text="<title>No</title>"))

    assert only(content).reason == "authorization request: status 400"
    assert titled(content, "authorization request").words == STEPS["authorization request refused"][0]


def test_refusal_brings_no_code() -> None:
    """The explanation must not say that there was a code."""
    content = answered(f"{CALLBACK}?error=access_denied&state={CANARIES['state']}")

    assert titled(content, "authorization response").words == STEPS["authorization response refused"][0]
    assert "approval" not in answers(content)


def test_tokens_in_a_form_are_neither_a_code_nor_in_a_fragment() -> None:
    """`response_mode=form_post` is for every response type."""
    content = chromium(
        chromium_entry("GET", f"{IMPLICIT}&response_mode=form_post", second=1),
        chromium_entry(
            "POST", CALLBACK, second=2, form=f"access_token={CANARIES['access']}&state={CANARIES['state']}"
        ),
    )

    assert titled(content, "authorization response").words == STEPS["authorization response tokens"][0]
    assert answers(content)["access_token"] == ANSWERS["access_token page"]


def test_code_of_a_request_with_a_challenge_needs_the_verifier() -> None:
    """A browser does not see the exchange, but the request shows that it needs the verifier."""
    unbound = AUTHORIZE.replace(f"&code_challenge={CHALLENGE}&code_challenge_method=S256", "")
    alone = chromium(chromium_entry("GET", unbound, second=1), chromium_entry("GET", ANSWERED, second=2))

    assert secret(answered(ANSWERED), "<code#1>").good_for == SECRETS["code bound"][0]
    assert secret(alone, "<code#1>").good_for == SECRETS["code"][0]


def test_code_that_needs_no_proof_is_named_beside_the_token() -> None:
    """A script that does not see the token may see the code that is enough to get it."""
    naked = REDEEMED.replace(f"&code_verifier={CANARIES['verifier']}", "")
    asked, came = chromium_entry("GET", AUTHORIZE, second=1), chromium_entry("GET", ANSWERED, second=2)

    assert "<code#1>" in answers(proxy(asked, came, redeemed(form=naked)))["access_token"]
    assert "<code#1>" not in answers(proxy(asked, came, redeemed()))["access_token"]


def test_token_request_as_github_has_it_is_found() -> None:
    """The request has no grant type, and the response is a form."""
    content = proxy(
        chromium_entry("GET", AUTHORIZE, second=1),
        chromium_entry("GET", ANSWERED, second=2),
        redeemed(
            form=f"client_id=a-client&client_secret={CANARIES['secret']}&code={CANARIES['code']}",
            text=f"access_token={CANARIES['access']}&token_type=bearer",
        ),
    )
    whole = json.loads(content)
    whole["log"]["entries"][2]["response"]["content"]["mimeType"] = "application/x-www-form-urlencoded"

    received = titled(json.dumps(whole).encode(), "token request").received
    assert ("access_token", "<access_token#1>") in [(one.name, one.value) for one in received]
    assert CANARIES["access"] not in repr(only(json.dumps(whole).encode()))


def test_token_request_by_get_is_found() -> None:
    """Some servers accept it, and then the code verifier is in an address."""
    run = only(
        proxy(
            chromium_entry("GET", AUTHORIZE, second=1),
            chromium_entry("GET", ANSWERED, second=2),
            program_entry("GET", f"{TOKEN}?{REDEEMED}", second=3, text=TOKENS),
        )
    )
    step = recorded_story(run, None).scenes[-1]

    assert step.request == f"GET {TOKEN}"
    assert {said.where for said in step.sent} == {"query"}


NO_SIGN_IN = {
    "client credentials": program_entry("POST", TOKEN, form="grant_type=client_credentials", text=TOKENS),
    "metadata": program_entry("GET", f"{ISSUER}/.well-known/openid-configuration", text="{}"),
}


@pytest.mark.parametrize("kind", NO_SIGN_IN)
def test_requests_without_a_user_are_not_a_sign_in(kind: str) -> None:
    """They would be explained as a code flow."""
    assert capture(proxy(NO_SIGN_IN[kind])) == Capture((), 1)


def test_refresh_is_not_explained_as_a_sign_in() -> None:
    """The recording does not show how the user signed in."""
    content = proxy(
        program_entry(
            "POST", TOKEN, form=f"grant_type=refresh_token&refresh_token={CANARIES['refresh']}", text=TOKENS
        )
    )

    assert (explained(content).source, explained(content).notes) == ("", ())
    assert [one.words for one in explained(content).scenes] == [STEPS["refresh request"][0]]
    assert NO_END not in text(explained(content))


UNANSWERED: list[Mapping[str, object]] = [
    {"response": {"status": -1, "headers": [], "content": {"size": -1}}},
    {"response": {"status": None, "headers": None, "content": None}},
    {"response": None},
]


@pytest.mark.parametrize("members", UNANSWERED)
def test_request_without_a_response_does_not_cost_the_recording(members: Mapping[str, object]) -> None:
    """Playwright, Charles and others also write unfinished requests."""
    whole = json.loads(code_in_chromium())
    whole["log"]["entries"].append({**chromium_entry("GET", "https://ads.example/", second=20), **members})

    assert steps(only(json.dumps(whole).encode())) == ["authorization request", "authorization response"]


def test_null_is_taken_for_empty() -> None:
    """Some writers put null where there is nothing."""
    whole = json.loads(code_in_chromium())
    request = whole["log"]["entries"][0]["request"]
    request["postData"] = {"mimeType": None, "text": None}
    request["headers"] = [{"name": "X-Empty", "value": None}]

    assert only(json.dumps(whole).encode()).flow == "code"


def test_compressed_archive_is_to_be_unpacked() -> None:
    """The user cannot see why the file is not JSON."""
    with pytest.raises(ConfigError) as caught:
        capture(gzip.compress(code_in_chromium()))

    assert "gunzip" in caught.value.hint


def test_secret_in_a_relative_address_is_left_out() -> None:
    """A server may redirect to an address without a host."""
    secret = CANARIES["path"]
    run = only(
        chromium(
            chromium_entry("GET", AUTHORIZE, status=302, answer=[("location", f"/continue/{secret}?x=1")])
        )
    )

    assert f"/continue/{HIDDEN}" in repr(run)
    assert secret not in repr(run)


def fragment_in_proxy() -> bytes:
    """Record a program that asked for a code and got a token in the fragment."""
    brought = program_entry("GET", CALLBACK, second=1)
    request = brought["request"]
    assert isinstance(request, dict)
    request["url"] = f"{CALLBACK}#access_token={CANARIES['access']}&state={CANARIES['state']}"
    return proxy(program_entry("GET", AUTHORIZE, status=302), brought)


def test_token_from_an_unknown_party_has_no_answer() -> None:
    """A recording may show the token in a request where no rule expects it."""
    assert "access_token" not in answers(fragment_in_proxy())
    assert steps(only(fragment_in_proxy())) == ["authorization request", "authorization response"]


def test_script_that_relays_the_fragment_is_not_a_form_post() -> None:
    """A form post leaves no token in the history; a fragment does."""
    local = "http://127.0.0.1:4000/callback"
    brought = f"{local}#access_token={CANARIES['access']}&state={CANARIES['state']}"
    asked = IMPLICIT.replace("https%3A%2F%2Fapp.example", "http%3A%2F%2F127.0.0.1%3A4000")
    relayed = [("access_token", CANARIES["access"]), ("state", CANARIES["state"])]
    recording = firefox(
        firefox_entry("GET", asked, status=302, answer=[("Location", brought)]),
        firefox_entry("GET", brought, second=1),
        firefox_entry("POST", "http://127.0.0.1:4000/relay", second=2, navigates=False, form=relayed),
    )

    assert steps(only(recording)) == ["authorization request", "authorization response", "fragment relay"]
    assert titled(recording, "authorization response").words == STEPS["authorization response fragment"][0]
    assert ANSWERS["redirect_uri loopback"] in answers(recording)["redirect_uri"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://app.example/cb#top", "https://app.example/cb#top"),
        ("https://app.example/#/callback/done", "https://app.example/#/callback/done"),
        ("https://app.example/?code=<code#1>#top", "https://app.example/?code=<code#1>#top"),
        ("https://app.example/#<access_token#1>", "https://app.example/#<access_token#1>"),
        ("https://app.example/#state=", "https://app.example/#state="),
        ("https://app.example/#SplxlOBeZQQYbYS6WxSbIA", f"https://app.example/#{HIDDEN}"),
        ("https://app.example/#/login/SplxlOBeZQQYbYS6", f"https://app.example/#/login/{HIDDEN}"),
    ],
)
def test_fragment_without_parameters_is_a_place(url: str, shown: str) -> None:
    """It is shown like a path: as it is, but for parts that look like a secret."""
    assert reduced_url(url) == shown
