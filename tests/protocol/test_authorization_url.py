"""The authorization URL of another program's code: what is read in it, and what is refused at once."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import ConfigError, MalformedResponse
from loopback_auth.protocol.authorization_url import foreign_request, response_parameters

OURS = "http://127.0.0.1:49152/callback"
STATE = "state-canary-0123456789abcdef"
USUAL = {"response_type": "code", "client_id": "x", "state": STATE, "redirect_uri": OURS}


def url(**changes: str) -> str:
    """Return a usual URL with other parameters; empty ones are left out."""
    given = {name: value for name, value in {**USUAL, **changes}.items() if value}
    return f"https://id.example/authorize?{urlencode(given)}"


def test_what_the_redirect_endpoint_needs_is_read() -> None:
    """The rest is for the code that has built the URL."""
    request = foreign_request(url(scope="openid"), redirect_uri=OURS)

    assert (request.state, request.response_mode) == (STATE, "query")
    assert (request.server, request.client_id) == ("id.example", "x")
    assert STATE not in repr(request)


MODES = {
    "a code": ({}, "query"),
    "a token": ({"response_type": "token"}, "fragment"),
    "an ID token": ({"response_type": "id_token"}, "fragment"),
    "code and ID token": ({"response_type": "code id_token"}, "fragment"),
    "said otherwise": ({"response_mode": "form_post"}, "form_post"),
    "signed": ({"response_mode": "query.jwt"}, "query.jwt"),
    "signed in a fragment": ({"response_mode": "fragment.jwt"}, "fragment.jwt"),
    "no response type": ({"response_type": ""}, "query"),
}


@pytest.mark.parametrize(("changes", "mode"), MODES.values(), ids=MODES)
def test_response_mode_is_the_one_that_the_server_will_use(changes: dict[str, str], mode: str) -> None:
    """OAuth 2.0 Multiple Response Types §5 has the defaults."""
    assert foreign_request(url(**changes), redirect_uri=OURS).response_mode == mode


REFUSED = {
    "another redirect URI": url(redirect_uri="http://127.0.0.1:1/callback"),
    "another spelling": url(redirect_uri="http://localhost:49152/callback"),
    "no redirect URI": url(redirect_uri=""),
    "no state": url(state=""),
    "a state that is empty": url(state="") + "&state=",
    "two states": url() + "&state=other",
    "the same state twice": url() + f"&state={STATE}",
    "two redirect URIs": url() + f"&redirect_uri={OURS}",
    "a message to another window": url(response_mode="web_message"),
    "plain http": url().replace("https://id.example", "http://id.example"),
    "another scheme": url().replace("https://id.example", "file://id.example"),
    "a relative URL": "/authorize?state=x",
    "a blank": url() + "&x=a b",
    "nothing": "",
}


@pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
def test_what_cannot_come_back_is_refused_before_the_browser_leaves(refused: str) -> None:
    """Otherwise the person would wait in front of a page of the server, and the program for five minutes."""
    with pytest.raises(ConfigError) as error:
        foreign_request(refused, redirect_uri=OURS)

    assert STATE not in str(error.value)


def test_registered_port_need_not_be_sent() -> None:
    """A server that knows one redirect URI uses it (RFC 6749 §3.1.2.3)."""
    assert foreign_request(url(redirect_uri=""), redirect_uri=OURS, any_port=False).state == STATE


def test_other_protocols_have_other_names_for_the_redirect_uri() -> None:
    """What counts is that the server learns of it."""
    other = url(redirect_uri="", callback_url=OURS)

    assert foreign_request(other, redirect_uri=OURS).state == STATE


@pytest.mark.parametrize("name", ["request", "request_uri"])
def test_request_that_is_elsewhere_has_its_state_given(name: str) -> None:
    """Neither RFC 9126 nor RFC 9101 lets it be read in the URL."""
    pushed = f"https://id.example/authorize?client_id=x&{name}=urn%3Ax"
    request = foreign_request(pushed, redirect_uri=OURS, state=STATE)

    assert (request.state, request.response_mode) == (STATE, "form_post.jwt")
    with pytest.raises(ConfigError):
        foreign_request(pushed, redirect_uri=OURS)


def test_protocol_without_a_state_has_to_be_named_as_one() -> None:
    """A state that was forgotten must not pass for it."""
    assert foreign_request(url(state=""), redirect_uri=OURS, state=None).state is None
    with pytest.raises(ConfigError):
        foreign_request(url(), redirect_uri=OURS, state=None)


def test_two_different_states_are_a_mistake() -> None:
    """Whichever was meant, the other one is sent."""
    assert foreign_request(url(), redirect_uri=OURS, state=STATE).state == STATE
    with pytest.raises(ConfigError):
        foreign_request(url(), redirect_uri=OURS, state="other")


def test_parameters_without_a_value_are_omitted() -> None:
    """RFC 6749 §3.1."""
    callback = Callback((("code", "x"), ("scope", ""), ("state", STATE)), "query")

    assert response_parameters(callback, OURS) == {"code": "x", "state": STATE}


def test_response_can_be_had_as_a_url_but_is_not_shown() -> None:
    """Authlib and others read the code and check the state in the address themselves."""
    parameters = response_parameters(Callback((("code", "a b&c"), ("state", STATE)), "form_post"), OURS)

    assert parameters.url == f"{OURS}?code=a+b%26c&state={STATE}"
    assert STATE not in repr(parameters)


def test_repeated_parameter_is_refused_by_name() -> None:
    """A mapping would hide one of them, and the server may have meant the other (RFC 6749 §3.1)."""
    callback = Callback((("code", "canary-1"), ("code", "canary-2"), ("state", STATE)), "query")
    with pytest.raises(MalformedResponse) as error:
        response_parameters(callback, OURS)

    assert "code" in str(error.value)
    assert "canary" not in str(error.value)
