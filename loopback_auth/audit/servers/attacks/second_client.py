"""A second client of the server under attack, which registers itself and is deleted at the end.

Source: RFC 7591 §2, §3; RFC 7592 §2.3.
"""

from __future__ import annotations

from loopback_auth.audit.servers.attacks.attack_session import AttackSession, applies
from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.effects import Flow, Send
from loopback_auth.errors import LoopbackAuthError, OAuthError, ProtocolError
from loopback_auth.protocol.json import text_member
from loopback_auth.protocol.registration import client_document, registration_endpoint, registration_request
from loopback_auth.protocol.registration_management import management_request
from loopback_auth.protocol.registration_response import registration_response
from loopback_auth.records import replace
from loopback_auth.redact import server_text

NAME = "loopback_auth audit (second client)"


def registered(session: AttackSession) -> Flow[Outcome]:
    """Register a second public client, with the redirect URI of the first, and give it to the attacks.

    Source: RFC 7591 §3, §3.2.1.
    """
    applies(session.other is None, "A second client is given.")
    applies(
        text_member(session.metadata.document, "registration_endpoint"),
        "The server registers no clients by itself.",
    )
    endpoint = registration_endpoint(session.metadata, session.client.provider.network.allow_private)
    public = replace(session.client, client_id="", client_secret=None, private_key=None)
    document = client_document(public, session.metadata, session.redirect_uri, name=NAME)
    response = yield from Send(registration_request(endpoint, document), step="client registration request")
    try:
        issuer = session.metadata.issuer or ""
        checked = registration_response(response, document, issuer=issuer, endpoint=endpoint)
    except OAuthError as exc:
        return Outcome(None, f"Not everyone can register a client: {server_text(exc.message, 200)}.")
    except ProtocolError as exc:
        return Outcome(True, f"{server_text(exc.message, 300).rstrip('.')} ({exc.source}).")
    registration = session.registration = checked.registration
    session.other = replace(
        public,
        client_id=registration.client_id,
        client_secret=registration.client_secret or None,
        provider=replace(public.provider, client_auth=registration.client_auth),
    )
    return Outcome(False, "A second client was registered, as it asked to be.")


def forgotten(session: AttackSession) -> Flow[bool]:
    """Delete the second client; return whether it is gone.

    Source: RFC 7592 §2.3.
    """
    registration = session.registration
    if registration is None or not registration.registration_client_uri:
        return registration is None
    try:
        request = management_request(registration, "DELETE")
        answer = yield from Send(request, step="client delete request")
    except LoopbackAuthError:
        return False
    return 200 <= answer.status < 300
