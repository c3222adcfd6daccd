"""The headers of one request with a kept token, for programs that send it themselves, such as curl."""

from __future__ import annotations

from loopback_auth.commands._kept import is_bound
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.protocol.dpop import DpopKey
from loopback_auth.protocol.dpop_answers import Prover
from loopback_auth.protocol.urls import check_endpoint, compared_origin, origin, shown_url
from loopback_auth.token_proofs import bound_headers
from loopback_auth.tokens import SignIn


def request_headers(sign_in: SignIn, url: str, method: str, nonce: str) -> dict[str, str]:
    """Return the headers that a request with a kept token needs.

    Args:
        sign_in: whose access token is sent.
        url: of the request.
        method: of the request.
        nonce: that the server has asked for (RFC 9449 §9); empty: none.

    Raises:
        ConfigError: the token must not be sent there, or an argument cannot be used.

    Source: RFC 6750 §2.1; RFC 9449 §7.1.
    """
    check_meant(sign_in, url, name="--headers")
    if not (method.isascii() and method.isalpha()):
        raise ConfigError(f"{ascii(method)[:80]} is not a method of HTTP.", hint="Correct --method.")
    token = sign_in.tokens.access_token
    if not is_bound(sign_in):
        return {"Authorization": f"Bearer {token}"}
    prover = Prover(DpopKey(sign_in.dpop_key))
    prover.learn(url, HttpResponse(401, (("DPoP-Nonce", nonce),)))
    if prover.nonce(url) != nonce:
        raise ConfigError(f"{ascii(nonce)[:80]} is not a nonce (RFC 9449 §8.1).", hint="Correct --nonce.")
    return bound_headers(token, prover, method, url)


def check_meant(sign_in: SignIn, url: str, *, name: str) -> None:
    """Refuse to send a token to a server for which it is not meant, or in the clear.

    Args:
        sign_in: whose token it is.
        url: where it would be sent.
        name: of the flag, for the message.

    Raises:
        ConfigError: it is refused.

    Source: RFC 6750 §5.3; RFC 9700 §2.3.
    """
    check_endpoint(url, name=name)
    if sign_in.resource_server and compared_origin(url) != compared_origin(sign_in.resource_server):
        resource = shown_url(sign_in.resource_server)
        raise ConfigError(
            f"The sign-in {sign_in.name} is for {resource}, and not for {origin(url)}.",
            hint="Name another sign-in: its token would be shown to a server that it is not meant for.",
        )
