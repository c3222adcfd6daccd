"""Sign in with tokens that come through the browser: `response_type=token`, `id_token`, or both.

Not recommended, and never chosen automatically: the token passes through the address bar, stays in the
browser's history, and nothing binds it to the program that began the sign-in. It is here because some servers
offer nothing else to public clients, and for `compare`.

Source: RFC 6749 §4.2; OpenID Connect Core 1.0 §3.2; against it: RFC 9700 §2.1.2, RFC 8252 §8.2.
"""

from __future__ import annotations

from loopback_auth.authorization_messages import Attempt
from loopback_auth.effects import Bind, Browse, Flow, Warn
from loopback_auth.errors import ConfigError
from loopback_auth.flows.discovery import discover, keys_if_possible
from loopback_auth.flows.sending import signed_request
from loopback_auth.flows.tokens import (
    check_response_verifiable,
    check_verifiable,
    front_channel_tokens,
    received_response,
    signed_in,
)
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.authorization import authorization_request
from loopback_auth.protocol.request_checks import carrier, is_signed
from loopback_auth.tokens import SignIn

_ADVICE = "RFC 9700 §2.1.2 and RFC 8252 §8.2 advise against it; use the flow code if you can."
EXPOSED_IN_URL = (
    "The token comes through the browser, in the URL: it stays in the history, and a script or extension "
    f"that can read the URL can take it. {_ADVICE}"
)
EXPOSED_IN_FORM = (
    f"The token comes through the browser, in a form: an extension of the browser can take it. {_ADVICE}"
)


def implicit(client: ClientConfig, attempt: Attempt, *, verify_signature: bool = False) -> Flow[SignIn]:
    """Sign in with tokens delivered by the authorization endpoint itself.

    Args:
        client: what to request, and where; its response type decides which tokens.
        attempt: random values that are used only here.
        verify_signature: required for an ID token, which comes through the browser (needs joserfc).

    Raises:
        ConfigError: an ID token is requested, and its signature cannot be checked; or an access token, and it
            has to be bound to a key.

    Source: RFC 6749 §4.2; OpenID Connect Core 1.0 §3.2.2.
    """
    check_verifiable(client, verify_signature=verify_signature)
    if client.dpop and "token" in client.response_type.split():
        raise ConfigError(
            "A token that comes through the browser cannot be bound to a key.",
            hint="Choose the flow code, or switch DPoP off.",
            parameter="flow dpop",
        )
    redirect_uri = yield from Bind(client.provider.redirect)
    metadata = yield from discover(client.provider)
    check_response_verifiable(client, metadata)
    request = authorization_request(client, metadata, attempt, redirect_uri=redirect_uri)
    request = yield from signed_request(client, metadata, request)
    if "token" in client.response_type.split():
        by_form = carrier(request.response_mode, request.response_type) == "form_post"
        yield from Warn(EXPOSED_IN_FORM if by_form else EXPOSED_IN_URL)
    yield from Browse(request.url, request)
    needed = request.nonce is not None or is_signed(request.response_mode)
    keys = (yield from keys_if_possible(metadata)) if needed else None
    response = yield from received_response(client, request, keys=keys)
    tokens = yield from front_channel_tokens(client, response, keys=keys)
    return signed_in(client, metadata, tokens, client_auth="none")
