"""Which flows a provider and this client allow, as far as it is declared: nothing is asked over the net."""

from __future__ import annotations

from loopback_auth.plan.model import Capabilities

_NO_AUTHORIZATION_ENDPOINT = "No authorization endpoint is known, nor an issuer to ask for it."
_NO_TOKEN_ENDPOINT = "No token endpoint is known, nor an issuer to ask for it."
_NO_DEVICE_ENDPOINT = "No device authorization endpoint is known, nor an issuer to ask for it."
_NO_SECRET = "The server wants a client secret to exchange the code, and none is set."
_NO_TICKET = "This provider is not known to sign in by ticket."


def capabilities(
    *,
    issuer: bool,
    authorization_endpoint: bool,
    token_endpoint: bool,
    device_authorization_endpoint: bool,
    ticket: bool,
    client_secret_missing: bool,
    any_port: bool,
) -> Capabilities:
    """Say which flows cannot be, and why; what an issuer may still publish is not ruled out.

    Args:
        issuer: it is known, so its metadata may name what is not declared.
        authorization_endpoint: it is known.
        token_endpoint: the same.
        device_authorization_endpoint: the same.
        ticket: a contract for tickets is known.
        client_secret_missing: one is needed to exchange a code, and there is none; a device code needs none.
        any_port: the redirect URI may have any port.
    """
    no_tokens = "" if issuer or token_endpoint else _NO_TOKEN_ENDPOINT
    no_page = "" if issuer or authorization_endpoint else _NO_AUTHORIZATION_ENDPOINT
    no_grant = "" if issuer or device_authorization_endpoint else _NO_DEVICE_ENDPOINT
    no_secret = _NO_SECRET if client_secret_missing else ""
    redirect = no_page or no_tokens or no_secret
    refused = {
        "code": redirect,
        "ticket": "" if ticket else _NO_TICKET,
        "device": no_grant or no_tokens,
        "paste": redirect,
    }
    return Capabilities({flow: why for flow, why in refused.items() if why}, any_port=any_port)
