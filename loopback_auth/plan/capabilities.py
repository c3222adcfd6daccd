"""Which flows a provider and this client allow, as far as it is declared: nothing is asked over the net."""

from __future__ import annotations

from loopback_auth.plan.model import Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

_NO_AUTHORIZATION_ENDPOINT = "No authorization endpoint is known, nor an issuer to ask for it."
_NO_TOKEN_ENDPOINT = "No token endpoint is known, nor an issuer to ask for it."
_NO_DEVICE_ENDPOINT = "No device authorization endpoint is known, nor an issuer to ask for it."
_NO_SECRET = "The server wants a client secret to exchange the code, and none is set."
_NO_TICKET = "This provider is not known to sign in by ticket."


DECLARED = ("issuer", "authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "ticket")
"""What may be known of a provider and decides which flows can be."""


def capabilities(
    known: Set[str], *, client_secret_missing: bool = False, any_port: bool = True
) -> Capabilities:
    """Say which flows cannot be, and why; what an issuer may still publish is not ruled out.

    Args:
        known: those of `DECLARED` that are known. With an issuer, its metadata may name the rest.
        client_secret_missing: one is needed to exchange a code, and there is none; a device code needs none.
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
