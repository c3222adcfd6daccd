"""The demo server's implicit and hybrid answers: what travels in the fragment, and what must not."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from demo_conversation import (
    ISSUER,
    REDIRECT_URI,
    Conversation,
    PlainSigner,
    conversation,
    document,
    id_claims,
    request,
)

from loopback_auth import words
from loopback_auth.demo.agent import browse
from loopback_auth.demo.faults import Faults
from loopback_auth.http_messages import HttpResponse


def fragment(response: HttpResponse) -> dict[str, str]:
    """Read the parameters in the fragment of a redirect."""
    parts = urlsplit(response.header("location"))
    assert (response.status, parts.query) == (303, "")
    return dict(parse_qsl(parts.fragment))


def approved(faults: Faults | None = None, decision: str = "approve", **changes: str | None) -> HttpResponse:
    """Go through the pages of a fresh server; return its answer to the client."""
    return answered(conversation(faults, signer=PlainSigner()), decision, **changes)


def answered(talk: Conversation, decision: str = "approve", /, **changes: str | None) -> HttpResponse:
    """Go through the pages; return the answer to the client."""
    url = f"{ISSUER}/authorize?{urlencode(request(scope='openid email', nonce='n', **changes))}"
    agent = browse(url, decision="deny" if decision == "deny" else "approve")
    step = next(agent)
    while True:
        response = talk.server.handle(step, talk.now)
        if response.header("location") or words.DEMO_FORM_POST.encode() in response.body:
            return response
        step = agent.send(response)


def half(value: str) -> str:
    """Hash as OpenID Connect Core §3.1.3.6 says, in words of the test's own."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:16]).decode().rstrip("=")


@pytest.mark.parametrize(
    ("response_type", "names"),
    [
        ("token", {"access_token", "token_type", "expires_in", "scope"}),
        ("id_token", {"id_token"}),
        ("id_token token", {"id_token", "access_token", "token_type", "expires_in", "scope"}),
        ("token id_token", {"id_token", "access_token", "token_type", "expires_in", "scope"}),
        ("code id_token", {"code", "id_token"}),
    ],
)
def test_response_type_names_what_comes(response_type: str, names: set[str]) -> None:
    """Each name brings its members, in any order, and no refresh token ever (RFC 6749 §4.2.2, §3.1.1)."""
    returned = fragment(approved(response_type=response_type))

    assert returned.keys() == names | {"state", "iss"}
    assert (returned["state"], returned["iss"]) == ("a state", ISSUER)


def test_id_token_is_tied_to_what_came_with_it() -> None:
    """Nothing else shows that the parts belong together (OpenID Connect Core §3.3.2.11)."""
    returned = fragment(approved(response_type="code id_token"))
    said = id_claims(returned["id_token"])
    with_token = fragment(approved(response_type="id_token token"))

    assert (said["nonce"], said["c_hash"], said["s_hash"]) == ("n", half(returned["code"]), half("a state"))
    assert "at_hash" not in said
    assert id_claims(with_token["id_token"])["at_hash"] == half(with_token["access_token"])


def test_token_from_the_fragment_works() -> None:
    """It is an access token like any other."""
    talk = conversation(signer=PlainSigner())
    token = fragment(answered(talk, response_type="token", code_challenge=None))["access_token"]

    assert document(talk.userinfo(token))["email"] == "demo@example.com"


def test_code_of_the_hybrid_flow_buys_tokens() -> None:
    """The code keeps its verifier and its nonce (OpenID Connect Core §3.3.3)."""
    talk = conversation(signer=PlainSigner())
    parameters = request(response_type="code id_token", scope="openid", nonce="n", response_mode="form_post")
    step = talk.browse(f"{ISSUER}/authorize?{urlencode(parameters)}")
    tokens = document(talk.exchange(dict(parse_qsl(step.body.decode()))["code"]))

    assert id_claims(tokens["id_token"])["nonce"] == "n"


def test_form_post_keeps_tokens_out_of_the_address() -> None:
    """The other way for tokens to travel (OAuth 2.0 Form Post Response Mode §2)."""
    page = approved(response_type="id_token token", response_mode="form_post")

    assert (page.status, page.header("location")) == (200, "")
    assert b'name="access_token"' in page.body


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_mode": "query"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"nonce": None}, "invalid_request"),
        ({"scope": "email"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_refusal_comes_in_the_fragment_too(changes: dict[str, str | None], code: str) -> None:
    """A client that reads the fragment must find the error there (Multiple Response Types §5)."""
    talk = conversation(signer=PlainSigner())
    asked = {"response_type": "id_token", "scope": "openid", "nonce": "n", **changes}
    returned = fragment(talk.authorize(**asked))

    assert (returned["error"], returned["state"], returned["iss"]) == (code, "a state", ISSUER)


def test_denial_comes_in_the_fragment() -> None:
    """The person said no (RFC 6749 §4.2.2.1)."""
    assert fragment(approved(decision="deny", response_type="token"))["error"] == "access_denied"


def test_hybrid_code_needs_a_challenge_and_a_token_does_not() -> None:
    """PKCE protects codes (RFC 9700 §2.1.1); there is none in the implicit grant."""
    talk = conversation(signer=PlainSigner())
    bare = {"code_challenge": None, "scope": "openid", "nonce": "n"}
    hybrid = talk.authorize(response_type="code id_token", **bare)

    assert fragment(hybrid)["error"] == "invalid_request"
    assert talk.authorize(response_type="token", **bare).status == 200


def test_code_may_travel_in_the_fragment() -> None:
    """The mode is the client's choice where the query is safe (Multiple Response Types §2.1)."""
    assert fragment(approved(response_type="code", response_mode="fragment")).keys() == {
        "code",
        "state",
        "iss",
    }


def test_metadata_lists_types_and_modes() -> None:
    """ID tokens are offered only where they can be signed (OpenID Connect Discovery §3)."""
    plain, signing = conversation().server.metadata(), conversation(signer=PlainSigner()).server.metadata()

    assert plain["response_types_supported"] == ["code", "token"]
    assert signing["response_types_supported"] == [
        "code",
        "token",
        "id_token",
        "id_token token",
        "code id_token",
    ]
    assert plain["response_modes_supported"] == ["query", "fragment", "form_post"]


def test_faults_in_the_fragment() -> None:
    """What a client must notice in a query, it must notice here."""
    faults = Faults(wrong_state=True, wrong_nonce=True, refresh_token_in_fragment=True)
    returned = fragment(approved(faults, response_type="id_token token"))

    assert returned["state"] != "a state"
    assert id_claims(returned["id_token"])["nonce"] != "n"
    assert "refresh_token" in returned


def test_duplicate_in_the_fragment() -> None:
    """One parameter is sent twice."""
    location = approved(Faults(duplicate_parameter="access_token"), response_type="token").header("location")

    assert len(parse_qs(urlsplit(location).fragment)["access_token"]) == 2


def test_question_mark_in_the_fragment() -> None:
    """Netlify writes fragments so, and a client should read them."""
    location = approved(Faults(fragment_question_mark=True), response_type="token").header("location")

    assert location.startswith(f"{REDIRECT_URI}#?access_token=")
