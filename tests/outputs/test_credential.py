"""The token that tools get, and the tokens that no tool gets."""

from __future__ import annotations

import pytest

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.credential import credential
from loopback_auth.records import replace
from loopback_auth.tokens import SignIn, Token
from outputs.credentials import ACCESS, PLAIN, with_id_token


def refused(sign_in: SignIn, of: Token = "access_token") -> ConfigError:
    """Return the error that says why a token is for no tool."""
    with pytest.raises(ConfigError) as caught:
        credential(sign_in, of=of)
    return caught.value


def test_an_access_token_comes_with_its_expiry_and_account() -> None:
    """Tools keep a token until it expires, and some want a user name."""
    assert credential(PLAIN) == ACCESS


def test_an_id_token_has_an_expiry_of_its_own() -> None:
    """Its lifetime is the claim exp (OpenID Connect Core §2), whatever the access token's is."""
    found = credential(with_id_token(exp=1_000_000_300), of="id_token")

    assert (found.token, found.expires_at, found.of) == ("h.p.s", 1_000_000_300.0, "id_token")


def test_a_repr_shows_no_token() -> None:
    """Programs log what they are given."""
    assert "'access'" not in repr(ACCESS)


def test_a_sign_in_without_an_id_token_names_the_scope() -> None:
    """Without the scope openid no server issues one (OpenID Connect Core §3.1.2.1)."""
    assert refused(PLAIN, "id_token").parameter == "scope"


def test_a_sign_in_without_an_access_token_names_the_flow() -> None:
    """A response type such as id_token brings none."""
    assert refused(replace(PLAIN, tokens=replace(PLAIN.tokens, access_token=""))).parameter == "flow"


@pytest.mark.parametrize("spelled", ["DPoP", "dpop"])
def test_rfc9449_7_1_a_bound_access_token_is_not_sent_as_a_bearer_token(spelled: str) -> None:
    """The resource server would refuse it, and the token would be shown for nothing."""
    assert refused(replace(PLAIN, tokens=replace(PLAIN.tokens, token_type=spelled))).parameter == "dpop"


def test_an_id_token_beside_a_bound_access_token_is_given() -> None:
    """An ID token is bound to no key."""
    sign_in = with_id_token(exp=1)
    bound = replace(sign_in, tokens=replace(sign_in.tokens, token_type="DPoP"))

    assert credential(bound, of="id_token").token == "h.p.s"


@pytest.mark.parametrize(
    "token", ["a\nb", "a\r\nX: y", "a b", "a\tb", "a\x00b", "a\x7fb", "é", "\u2028", "\ud800"]
)
def test_a_token_that_would_break_a_line_is_refused_and_not_quoted(token: str) -> None:
    """A line break in a header, or in netrc, would begin a line that the server has chosen."""
    error = refused(replace(PLAIN, tokens=replace(PLAIN.tokens, access_token=f"secret{token}")))

    assert "secret" not in error.message + error.hint
