"""Decide which flows the provider and this client allow, from the settings alone; no server is asked."""

from __future__ import annotations

from loopback_auth.plan.model import Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

_NO_AUTHORIZATION_ENDPOINT = "Neither an authorization endpoint nor an issuer is known."
_NO_TOKEN_ENDPOINT = "Neither a token endpoint nor an issuer is known."
_NO_DEVICE_ENDPOINT = "Neither a device authorization endpoint nor an issuer is known."
_NO_SECRET = "The server requires a client secret to exchange the code, and none is set."
_NO_TICKET = "No ticket contract is known for this provider."


DECLARED = ("issuer", "authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "ticket")
"""What must be known about a provider for a flow to be possible."""


def capabilities(
    known: Set[str], *, client_secret_missing: bool = False, any_port: bool = True
) -> Capabilities:
    """Return the impossible flows with their reasons; with an issuer, its metadata may still have endpoints.

    Args:
        known: those of `DECLARED` that are known. With an issuer, its metadata may name the others.
        client_secret_missing: the token request with a code needs a secret that is not set; a device code
            does not.
        any_port: the redirect URI may have any port.
    """
    no_tokens = "" if known & {"issuer", "token_endpoint"} else _NO_TOKEN_ENDPOINT
    no_page = "" if known & {"issuer", "authorization_endpoint"} else _NO_AUTHORIZATION_ENDPOINT
    no_grant = "" if known & {"issuer", "device_authorization_endpoint"} else _NO_DEVICE_ENDPOINT
    no_secret = _NO_SECRET if client_secret_missing else ""
    redirect = no_page or no_tokens or no_secret
    refused = {
        "code": redirect,
        "ticket": "" if "ticket" in known else _NO_TICKET,
        "device": no_grant or no_tokens,
        "paste": redirect,
    }
    return Capabilities({flow: why for flow, why in refused.items() if why}, any_port=any_port)
