"""The one token of a sign-in that a tool is given, with what the tools' protocols say about a token.

All outputs in this folder are made of it, so that what no tool can use is refused in one place: a token that
is bound to a key, because these tools know bearer tokens alone, and a token that would break a line of text.
This module refuses to know any tool, and which token each tool wants.
"""

from __future__ import annotations

from loopback_auth.narrow import is_visible
from loopback_auth.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.tokens import SignIn, Token


@dataclass(frozen=True, slots=True)
class Credential:
    """The token that a tool gets. A `repr` never shows it.

    Args:
        token: one word of visible ASCII, without blanks.
        expires_at: Unix seconds; None when it is not known.
        name: of the sign-in.
        account: who signed in, for people to read, unchecked; empty when the server did not say.
        of: which token it is.
    """

    token: str = field(repr=False)
    expires_at: float | None
    name: str
    account: str
    of: Token


def credential(sign_in: SignIn, *, of: Token = "access_token") -> Credential:
    """Return the token of a sign-in that a tool for bearer tokens can use.

    Args:
        sign_in: whose token it is; whether that is fresh is for the caller to know.
        of: which token.

    Raises:
        ConfigError: there is no such token, it is an access token that is bound to a key (RFC 9449 §7.1), or
            it is not one word of visible ASCII (RFC 6750 §2.1). The error does not quote it.
    """
    tokens = sign_in.tokens
    if of == "id_token":
        id_token = tokens.id_token
        token = id_token.raw if id_token is not None else ""
        expires_at = id_token.expires_at if id_token is not None else None
    else:
        token, expires_at = tokens.access_token, tokens.expires_at
    if why := why_unusable(token, tokens.token_type, of=of):
        from loopback_auth.errors import ConfigError  # Start-up.

        problem, hint, parameter = why
        raise ConfigError(f"The sign-in {sign_in.name} {problem}", hint=hint, parameter=parameter)
    return Credential(token, expires_at, sign_in.name, tokens.account, of)


def why_unusable(token: str, token_type: str, *, of: Token) -> tuple[str, str, str] | None:
    """Return why no tool can use a token: the problem, a hint, the parameter; None if tools can use it.

    Args:
        token: empty when there is none.
        token_type: of the access token.
        of: which token it is.
    """
    if not token and of == "id_token":
        return "came without an ID token.", "Sign in again with the scope openid.", "scope"
    if not token:
        return "came without an access token.", "Sign in again with another flow, such as code.", "flow"
    if of == "access_token" and token_type.lower() == "dpop":
        return (
            "has an access token that is bound to a key (DPoP), and this output is for bearer tokens.",
            "Sign in again without DPoP.",
            "dpop",
        )
    if not is_visible(token) or " " in token:
        return "has a token with characters that cannot be in an HTTP header.", "Sign in again.", ""
    return None
