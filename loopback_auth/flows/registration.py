"""Register a client, look after the registration, and give it up.

Which answers are accepted is decided in `protocol.registration` and `protocol.registration_management`; this
module decides in which order things are asked for.

Source: RFC 7591; RFC 7592.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.authorization_messages import Attempt
from loopback_auth.effects import Bind, Flow, Send, Warn
from loopback_auth.errors import LoopbackAuthError, RegistrationError
from loopback_auth.flows.sending import authenticated, send
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.answer import refusal_in
from loopback_auth.protocol.authorization import authorization_request
from loopback_auth.protocol.client_auth import token_endpoint_request
from loopback_auth.protocol.pushed import pushes
from loopback_auth.protocol.registration import (
    client_document,
    key_thumbprint,
    registration_endpoint,
    registration_request,
)
from loopback_auth.protocol.registration_management import (
    deletion_response,
    is_forgotten,
    management_request,
    management_response,
    update_request,
    with_redirect_uri,
)
from loopback_auth.protocol.registration_response import registration_response
from loopback_auth.protocol.scope import union
from loopback_auth.records import replace
from loopback_auth.registration import Registration

STEP = "registration request"

MADE_UP = "made-up-to-see-whether-this-client-is-still-known"
"""A code that nothing has issued, and its verifier; what is in the server's log says why (RFC 7636 §4.1)."""

MADE_UP_URI = "http://127.0.0.1/made-up"
"""The redirect URI that goes with it."""


def listen(client: ClientConfig) -> Flow[str]:
    """Listen at the redirect URI of a client, and return it, exactly as it has to be registered.

    Source: RFC 8252 §7.3; RFC 7591 §2 (`redirect_uris`).
    """
    return (yield from Bind(client.provider.redirect))


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
    allowed = client.provider.network.allow_private
    endpoint, issuer = registration_endpoint(metadata, allowed), metadata.issuer or ""
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
        key_thumbprint=key_thumbprint(client),
        client_id_issued_at=answer.received_at if issued_at is None else issued_at,
        scope=union(client.scope, registration.scope),
    )


def with_registration(client: ClientConfig, registration: Registration) -> ClientConfig:
    """Return a client as it is registered."""
    return replace(
        client,
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        provider=replace(client.provider, client_auth=registration.client_auth),
    )


def read_registration(registration: Registration) -> Flow[Registration | None]:
    """Ask a server for a registration.

    Args:
        registration: that was kept, and has an address.

    Returns:
        What to keep in its place, because a server may change the secret with each answer. None: the server
        does not know the client any more.

    Raises:
        RegistrationError: the server does not let it be read.
        LoopbackAuthError: the answer cannot be used, or there is none.

    Source: RFC 7592 §2.1.
    """
    found = yield from _read(registration)
    return None if found is None else found[0]


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
        As from `read_registration`; without the redirect URI if the server does not change registrations.

    Raises:
        LoopbackAuthError: as from `read_registration`.

    Source: RFC 7592 §2.1, §2.2.
    """
    found = yield from _read(registration)
    if found is None:
        return None
    current, members = found
    changes: dict[str, object] = {}
    if redirect_uri not in current.redirect_uris:
        uris = with_redirect_uri(current, redirect_uri)
        if uris is None:
            return current
        changes["redirect_uris"] = uris
    if client.scope and not set(client.scope.split()) <= set(current.scope.split()):
        changes["scope"] = union(current.scope, client.scope)
    if not changes:
        return current
    document = {**client_document(client, metadata, redirect_uri, name=""), **changes}
    request = update_request(current, members, changes)
    try:
        answer = yield from Send(request, step="registration update request")
        changed, _ = management_response(answer, current, document)
    except LoopbackAuthError:
        return current
    return replace(changed.registration, scope=union(current.scope, client.scope, changed.registration.scope))


def _read(registration: Registration) -> Flow[tuple[Registration, Mapping[str, object]] | None]:
    answer = yield from Send(management_request(registration, "GET"), step="registration read request")
    if is_forgotten(answer):
        return None
    found, members = management_response(answer, registration, {})
    scope = union(registration.scope, found.registration.scope)
    return replace(found.registration, scope=scope), members


def known_to_server(client: ClientConfig, metadata: ServerMetadata) -> Flow[bool]:
    """Return whether a server still knows a client: a user whom it cannot send back would wait in vain.

    The token endpoint gets a code that nothing has issued. It authenticates the client first, and refuses it
    with another error than the code.

    Args:
        client: registered, with its secret.
        metadata: of the server.

    Returns:
        False only if the server refuses the client itself; True in doubt.

    Source: RFC 6749 §4.1.2.1 (no redirect for an unknown client), §5.2 (`invalid_client`).
    """
    parameters = [
        *(("grant_type", "authorization_code"), ("code", MADE_UP), ("code_verifier", MADE_UP)),
        ("redirect_uri", MADE_UP_URI),
    ]
    try:
        request = token_endpoint_request(parameters, client, metadata)
        answer = yield from send(authenticated(client, metadata, request), "client check request")
    except LoopbackAuthError:
        return True  # The sign-in will say what is wrong.
    return not refuses_client(refusal_in(answer).error, answer.status)


def ends_on_error_page(
    client: ClientConfig, metadata: ServerMetadata, attempt: Attempt, redirect_uri: str
) -> Flow[bool]:
    """Return whether the authorization endpoint shows a browser an error instead of sending it back.

    A server must not redirect where it does not know the client or the redirect URI, so the program waits for
    a browser that cannot come. It asks itself, when that has happened.

    Args:
        client: registered.
        metadata: of the server.
        attempt: random values that are used only here.
        redirect_uri: of the sign-in.

    Returns:
        True only for a refusal of the server's own; False in doubt.

    Source: RFC 6749 §4.1.2.1 (no redirect for an unknown client, or another redirect URI).
    """
    try:
        if pushes(client, metadata):
            return False
        url = authorization_request(client, metadata, attempt, redirect_uri=redirect_uri).url
        answer = yield from Send(HttpRequest("GET", url), step="authorization page request")
    except LoopbackAuthError:
        return False
    return answer.status in (400, 401, 404)


def refuses_client(error: str, status: int = 0) -> bool:
    """Return whether an error is about the client itself, not about its request.

    Args:
        error: code of a token, pushed or device authorization request.
        status: of the answer; 0: not known.

    Source: RFC 6749 §5.2; RFC 9126 §2.3; RFC 8628 §3.2.
    """
    # Some servers say unauthorized_client, with the status of invalid_client.
    return error == "invalid_client" or (error == "unauthorized_client" and status == 401)


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
