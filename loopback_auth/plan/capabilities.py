"""Decide which flows the provider and this client allow, from the settings alone; no server is asked."""

from __future__ import annotations

from loopback_auth.flow_table import BY_NAME, CHOOSABLE
from loopback_auth.plan.model import Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set

NO_SECRET = "The server requires a client secret to exchange the code, and none is set."
_NO_TICKET = "No ticket contract is known for this provider."

DECLARED = tuple(dict.fromkeys(("issuer", *(name for flow in CHOOSABLE for name in BY_NAME[flow].needs))))
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
    refused = {flow: _missing(flow, known, client_secret_missing) for flow in CHOOSABLE}
    return Capabilities({flow: why for flow, why in refused.items() if why}, any_port=any_port)


def _missing(flow: str, known: Set[str], client_secret_missing: bool) -> str:
    """Say what the flow lacks; empty: nothing."""
    traits = BY_NAME[flow]
    for name in traits.needs:
        if name in known or (name != "ticket" and "issuer" in known):
            continue
        if name == "ticket":
            return _NO_TICKET
        words = name.replace("_", " ")
        return f"Neither {'an' if words[0] in 'aeiou' else 'a'} {words} nor an issuer is known."
    return NO_SECRET if client_secret_missing and traits.brings_code else ""
