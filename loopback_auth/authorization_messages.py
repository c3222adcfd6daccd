"""The authorization request and what comes back: the values that one try at a redirect carries.

Each is immutable, so that a response is compared with the very request that was sent (RFC 9700 §4.4.2). How
they are built and checked is decided in `protocol`.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.model import ResponseMode, ResponseType, ServerMetadata
from loopback_auth.records import EMPTY, Literal, dataclass, field


@dataclass(frozen=True, slots=True)
class Attempt:
    """All randomness of one sign-in: independent values, made once, used once.

    Args:
        state: comes back with the response (RFC 6749 §10.12).
        code_verifier: the secret of PKCE (RFC 7636 §4.1).
        nonce: comes back in the ID token (OpenID Connect Core §3.1.2.1).
        dpop_key: private key, as a JWK, to which the tokens will be bound (RFC 9449); empty: to none.
    """

    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    dpop_key: Mapping[str, str] = field(default=EMPTY, repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """The request that the browser carries, and all that later steps compare with (RFC 9700 §4.4.2).

    Args:
        url: to open in the browser.
        parameters: names and values in the query, or of the pushed request.
        redirect_uri: where the browser returns.
        response_type: what was asked for.
        response_mode: how the response has to travel.
        state: the response must have the same.
        code_verifier: for the token request; None without PKCE.
        nonce: the ID token must have the same; None where none was sent.
        metadata: of the server that the request goes to.
        mode_demanded: the user chose the response mode; otherwise the program did.
    """

    url: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    redirect_uri: str
    response_type: ResponseType
    response_mode: ResponseMode
    state: str = field(repr=False)
    code_verifier: str | None = field(repr=False)
    nonce: str | None = field(repr=False)
    metadata: ServerMetadata
    mode_demanded: bool = False


@dataclass(frozen=True, slots=True)
class Callback:
    """What arrived at the redirect URI: its state is right, everything else is untrusted.

    Args:
        parameters: names and values, in order.
        via: `query`; `form_post`; `relay`: from our page that reads the fragment; `paste`: by the person.
        received_at: Unix seconds; the lifetime of a token in it begins then.
    """

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    via: Literal["query", "form_post", "relay", "paste"]
    received_at: float = 0.0


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """A checked response: the only value from which the token request with a code is built.

    Args:
        code: empty unless the response type contains `code`.
        request: what it answers.
        parameters: the members of a token response, where the response type contains tokens.
        received_at: Unix seconds.
        warnings: what the server should not have sent, and what was done about it.
    """

    code: str = field(repr=False)
    request: AuthorizationRequest
    parameters: Mapping[str, str] = field(default=EMPTY, repr=False)
    received_at: float = 0.0
    warnings: tuple[str, ...] = ()
