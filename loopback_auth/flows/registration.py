"""Register a client, look after the registration, and give it up.

Which answers are accepted is decided in `protocol.registration` and `protocol.registration_management`; this
module decides in which order things are asked for.

Source: RFC 7591; RFC 7592.
"""

from __future__ import annotations

from loopback_auth.effects import Flow, Send, Warn
from loopback_auth.errors import LoopbackAuthError, RegistrationError, TransportError
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.registration import (
    client_document,
    registration_endpoint,
    registration_request,
    registration_response,
)
from loopback_auth.protocol.registration_management import (
    deletion_response,
    is_forgotten,
    management_request,
    management_response,
    update_request,
    with_redirect_uri,
)
from loopback_auth.protocol.scope import union
from loopback_auth.records import replace
from loopback_auth.registration import Registration

STEP = "registration request"


def register(
    client: ClientConfig, metadata: ServerMetadata, redirect_uri: str, *, name: str
) -> Flow[Registration]:
    """Register a client at a server.

    A server may refuse a scope that it does not register, and grant it all the same: after a refusal the
    program asks once more, without the scope.

    Args:
        client: what the program says of itself, and what it will ask for.
        metadata: of the server.
        redirect_uri: that is bound already.
        name: of the program, where the client's own metadata have none.

    Returns:
        What to keep before the user is asked to sign in.

    Raises:
        EndpointMissing: the server registers no clients by itself.
        RegistrationError: the server refused.
        LoopbackAuthError: the answer cannot be used, or there is none.

    Source: RFC 7591 §3.
    """
    endpoint, issuer = registration_endpoint(metadata), metadata.issuer or ""
    document = client_document(client, metadata, redirect_uri, name=name)
    answer = yield from Send(registration_request(endpoint, document), step=STEP)
    try:
        found = registration_response(answer, document, issuer=issuer, endpoint=endpoint)
    except RegistrationError as exc:
        if exc.error == "invalid_redirect_uri" or document.pop("scope", None) is None:
            raise
        answer = yield from Send(registration_request(endpoint, document), step=STEP)
        found = registration_response(answer, document, issuer=issuer, endpoint=endpoint)
    for warning in found.warnings:
        yield from Warn(warning)
    registration = found.registration
    issued_at = registration.client_id_issued_at
    return replace(
        registration,
        client_id_issued_at=answer.received_at if issued_at is None else issued_at,
        scope=union(client.scope, registration.scope),
    )


def reread(
    client: ClientConfig, metadata: ServerMetadata, registration: Registration, redirect_uri: str
) -> Flow[Registration | None]:
    """Ask a server for a registration, and add a redirect URI and a scope to it if they are missing.

    Args:
        client: that will use it.
        metadata: of the server.
        registration: that was kept, and has an address.
        redirect_uri: that is bound now.

    Returns:
        What to keep in its place; None: the server does not know it any more, or does not change it.

    Raises:
        TransportError: there is no answer.

    Source: RFC 7592 §2.1, §2.2.
    """
    document = client_document(client, metadata, redirect_uri, name="")
    try:
        answer = yield from Send(management_request(registration, "GET"), step="registration read request")
        if is_forgotten(answer):
            return None
        as_kept = {**document, "redirect_uris": list(registration.redirect_uris)}
        found, members = management_response(answer, registration, as_kept)
        changes: dict[str, object] = {}
        if redirect_uri not in found.registration.redirect_uris:
            changes["redirect_uris"] = with_redirect_uri(members, redirect_uri)
        if client.scope and not set(client.scope.split()) <= set(found.registration.scope.split()):
            changes["scope"] = union(found.registration.scope, client.scope)
        if changes:
            request = update_request(found.registration, members, changes)
            answer = yield from Send(request, step="registration update request")
            if is_forgotten(answer):
                return None
            found, _ = management_response(answer, found.registration, {**document, **changes})
    except TransportError:
        raise
    except LoopbackAuthError:
        return None
    scope = union(client.scope, registration.scope, found.registration.scope)
    return replace(found.registration, scope=scope)


def unregister(registration: Registration) -> Flow[bool]:
    """Delete a registration at the server.

    Returns:
        Whether the server has no such client any more; False if it does not offer that.

    Raises:
        RegistrationError: the server refused.
        TransportError: there is no answer.

    Source: RFC 7592 §2.3.
    """
    if not registration.registration_client_uri:
        return False
    answer = yield from Send(management_request(registration, "DELETE"), step="registration delete request")
    return deletion_response(answer)
