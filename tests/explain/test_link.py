"""Links read: their parts, their parameters as they were written, and what kind of link it is."""

from __future__ import annotations

import pytest
from link_samples import CANARY, request, response

from loopback_auth.errors import ConfigError
from loopback_auth.explain.links.link import MOST_PARAMETERS, LinkKind, read_link

KINDS: list[tuple[str, LinkKind]] = [
    (request(), "authorization request"),
    (request(without=["response_type"]), "authorization request"),
    ("https://github.com/login/oauth/authorize?client_id=x", "authorization request"),
    ("https://as.example/authorize?client_id=x&request_uri=urn:x", "authorization request"),
    ("https://as.example/authorize?client_id=x&request=eyJ", "authorization request"),
    ("https://as.example/authorize?response_type=code", "authorization request"),
    (response(), "authorization response"),
    (response(mark="#"), "authorization response"),
    (response({"error": "access_denied"}, without=["code"]), "authorization response"),
    ("http://localhost:1/?state=x", "authorization response"),
    ("com.example.app:/cb?response=eyJ", "authorization response"),
    ("https://as.example/token?grant_type=refresh_token&refresh_token=x", "token request"),
    ("https://as.example/token?code=x&client_secret=y", "token request"),
    ("https://as.example/device?user_code=AB-CD", "device verification page"),
    ("https://github.com/login/device", "device verification page"),
    ("https://microsoft.com/devicelogin", "device verification page"),
    ("https://www.google.com/device", "device verification page"),
    ("https://app.netlify.com/authorize?response_type=ticket&ticket=x", "ticket approval page"),
    ("https://www.npmjs.com/login/cli/d7d6ac4c-ff94", "ticket approval page"),
    ("https://www.npmjs.com/login?next=/login/cli/d7d6ac4c-ff94", "ticket approval page"),
    ("https://cli-auth.heroku.com/auth/cli/browser/40925c36?requestor=x", "ticket approval page"),
    ("https://dashboard.stripe.com/stripecli/confirm_auth?t=x", "ticket approval page"),
    ("https://dashboard.doppler.com/workplace/auth/cli", "ticket approval page"),
    ("https://as.example/logout?id_token_hint=eyJ", "logout request"),
    ("https://as.example/.well-known/openid-configuration", "metadata request"),
    (f"http://127.0.0.1:8400/{'0af3' * 8}", "start page"),
    ("https://api.example/oauth?oauth_token=x", "OAuth 1.0"),
    ("https://idp.example/sso?SAMLRequest=x", "SAML"),
    ("https://as.example/", "other"),
    ("https://github.com/login/device/code/else", "other"),
    ("https://evil.example/github.com/login/device", "other"),
]


@pytest.mark.parametrize(("text", "kind"), KINDS)
def test_kind_of_link_is_told(text: str, kind: LinkKind) -> None:
    """From its parameters, and where these say nothing from its address."""
    assert read_link(text).kind == kind


def test_parameters_are_decoded_as_forms_are() -> None:
    """RFC 6749 appendix B: a plus is a blank, escapes are UTF-8."""
    link = read_link("https://as.example/?a=b+c&d=%C3%BC&e&f=1=2&=g#h=i")

    assert [(one.name, one.value, one.where) for one in link.parameters] == [
        ("a", "b c", "query"),
        ("d", "\u00fc", "query"),
        ("e", "", "query"),
        ("f", "1=2", "query"),
        ("", "g", "query"),
        ("h", "i", "fragment"),
    ]


@pytest.mark.parametrize("fragment", ["#?code=1&state=2", "#code=1&state=2"])
def test_fragment_may_begin_with_a_question_mark(fragment: str) -> None:
    """Netlify's does."""
    assert read_link(f"http://127.0.0.1:8400/{fragment}").value("code") == "1"


@pytest.mark.parametrize("fragment", ["#", "#_=_", "#_"])
def test_empty_fragments_of_servers_are_no_parameters(fragment: str) -> None:
    """Facebook appends one of them to a query."""
    assert len(read_link(response() + fragment).parameters) == 3


def test_lone_surrogate_is_no_error() -> None:
    """It cannot be encoded, and is replaced."""
    assert [one.value for one in read_link("?code=1&\ud800=\ud800").parameters] == ["1", "?"]


def test_first_value_counts() -> None:
    """That the parameter is repeated is a finding."""
    assert read_link("?code=1&code=2").value("code") == "1"


def test_parameters_are_not_read_without_end() -> None:
    """A link may have a million of them."""
    link = read_link("https://as.example/?" + "code=1&" * 100_000)

    assert (len(link.parameters), link.cut) == (MOST_PARAMETERS, True)


@pytest.mark.parametrize("text", ["http://[broken/?code=1", "http://[::1/?code=1", "http://\u2100.example/"])
def test_broken_host_is_refused_without_a_word_of_the_link(text: str) -> None:
    """The link may have a secret."""
    with pytest.raises(ConfigError) as caught:
        read_link(f"{text}&x={CANARY}")

    assert CANARY not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("port", ["99999", "x", "-1"])
def test_port_that_is_none_is_left_out(port: str) -> None:
    """The rest of the link can be explained all the same."""
    link = read_link(f"http://127.0.0.1:{port}/?code=1")

    assert (link.host, link.port, link.value("code")) == ("127.0.0.1", None, "1")


def test_values_do_not_show_in_a_repr() -> None:
    """A traceback must not have them."""
    assert CANARY not in repr(read_link(response()))
