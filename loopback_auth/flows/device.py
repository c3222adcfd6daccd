"""Sign in on another device: the person enters a code there, and the program polls until they have approved.

Not for a machine whose own browser can reach the program: nothing shows that the person who approves is the
one who began the sign-in, and device code phishing exploits that (RFC 8628 §5.4).

Source: RFC 8628 §3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from loopback_auth.effects import Flow, VerificationPrompt, Warn
from loopback_auth.flows.discovery import discover
from loopback_auth.flows.polling import poll
from loopback_auth.flows.sending import authenticated, proving, send
from loopback_auth.flows.tokens import checked_tokens, signed_in
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.client_auth import check_client_authentication, client_authentication
from loopback_auth.protocol.device import (
    device_authorization_request,
    device_authorization_response,
    device_token_request,
    device_token_response,
)
from loopback_auth.records import EMPTY
from loopback_auth.tokens import SignIn


def device_code(
    client: ClientConfig, dpop_key: Mapping[str, str] = EMPTY, *, verify_signature: bool = False
) -> Flow[SignIn]:
    """Sign in with a code that the person enters on any device.

    Args:
        client: what to request, and where.
        dpop_key: made for this sign-in alone, to bind the tokens to; empty: none.
        verify_signature: check the signature of the ID token too (needs joserfc); its claims are always
            checked.

    Source: RFC 8628 §3; RFC 9449 §5.
    """
    metadata = yield from discover(client.provider, "device_authorization_endpoint")
    check_client_authentication(client, metadata)
    prover = yield from proving(client, metadata, dpop_key)
    request = authenticated(client, metadata, device_authorization_request(client, metadata))
    answer = yield from send(request, "device authorization request")
    grant = device_authorization_response(
        answer,
        by=metadata.device_authorization_endpoint or "",
        allowed=client.provider.network.allow_private,
    )
    shown = (grant.verification_uri, grant.verification_uri_complete)
    hosts = client.provider.quirks.approval_hosts
    for doubt in dict.fromkeys(_strange_host(metadata, url, hosts) for url in shown):
        if doubt:
            yield from Warn(doubt)
    token_request = device_token_request(client, metadata, grant)
    yield from VerificationPrompt(
        client.provider.shown_name,
        grant.verification_uri_complete or grant.verification_uri,
        user_code=grant.user_code,
        plain_url=grant.verification_uri,
        lifetime=grant.lifetime,
        asked_next=(token_request.url,),
    )
    answer = yield from poll(
        lambda: send(authenticated(client, metadata, token_request), "device token request", prover),
        device_token_response,
        interval=grant.interval,
        lifetime=grant.lifetime,
    )
    tokens = yield from checked_tokens(
        client,
        metadata,
        answer,
        nonce=None,
        keys=None,
        verify_signature=verify_signature,
        prover=prover,
    )
    return signed_in(
        client,
        metadata,
        tokens,
        client_auth=client_authentication(client, metadata),
        dpop_key=dpop_key,
    )


def _strange_host(metadata: ServerMetadata, url: str, expected: Collection[str]) -> str:
    # Providers use other hosts too (google.com for googleapis.com), so this is only a remark. There is none
    # for hosts in the row of a provider, because people would get used to it.
    shown = urlsplit(url).hostname or ""
    known = urlsplit(metadata.device_authorization_endpoint or "").hostname or ""
    if not shown or _family(shown) == _family(known) or shown in map(str.lower, expected):
        return ""
    return (
        f"The page to approve on is at {shown}, while the server is {known}. Is that where you expect to be?"
    )


def _family(host: str) -> list[str]:
    # Without the list of public suffixes: below `co.uk` and the like a name has three labels, else two.
    labels = host.split(".")
    shared = len(labels[-1]) == 2 and labels[-2:-1] in (["ac"], ["co"], ["com"], ["gov"], ["net"], ["org"])
    return labels[-3:] if shared else labels[-2:]
