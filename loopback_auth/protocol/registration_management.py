"""A registration is read, changed and deleted at the address that came with it, where the server offers that.

The address and its token belong to one client. A server that does not know the client any more says so with
401; then the program registers again.

Source: RFC 7592.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from loopback_auth.errors import MalformedResponse, RegistrationError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.answer import check_well, members_of, refusal_in
from loopback_auth.protocol.registration import json_request
from loopback_auth.protocol.registration_response import Registered, client_information
from loopback_auth.records import replace
from loopback_auth.registration import Registration

FORGOTTEN = frozenset({401, 404, 410})
"""Statuses of a client that does not exist any more: RFC 7592 §2.1; servers answer 404 and 410, too."""

MOST_URIS = 16
"""Redirect URIs of one client. None gives way to another, for a sign-in may be under way with it."""

NOT_SENT = (
    *("registration_access_token", "registration_client_uri"),
    *("client_secret_expires_at", "client_id_issued_at"),
)
"""RFC 7592 §2.2: an update MUST NOT include them."""


def management_request(registration: Registration, method: Literal["GET", "DELETE"]) -> HttpRequest:
    """Build the request that reads or deletes a registration.

    Args:
        registration: that has an address.
        method: what to do.

    Source: RFC 7592 §2.1, §2.3.
    """
    headers = (("Accept", "application/json"), _authorization(registration))
    return HttpRequest(method, registration.registration_client_uri, headers)


def update_request(
    registration: Registration, members: Mapping[str, object], changes: Mapping[str, object]
) -> HttpRequest:
    """Build the request that changes a registration.

    Args:
        registration: that has an address.
        members: all that the server has returned of it; what is left out would be deleted.
        changes: members that get other values.

    Source: RFC 7592 §2.2.
    """
    kept = {name: value for name, value in members.items() if name not in NOT_SENT and value is not None}
    document = {**kept, **changes, "client_id": registration.client_id}
    if registration.client_secret is not None:
        document["client_secret"] = registration.client_secret
    return json_request(
        "PUT", registration.registration_client_uri, document, (_authorization(registration),)
    )


def with_redirect_uri(registration: Registration, redirect_uri: str) -> list[str] | None:
    """Return the redirect URIs of a client with another one, which comes first; None if it has enough.

    Source: RFC 7592 §2.2 (values replace those before).
    """
    if len(registration.redirect_uris) >= MOST_URIS:
        return None
    return [redirect_uri, *registration.redirect_uris]


def is_forgotten(answer: HttpResponse) -> bool:
    """Return whether an answer says that the client does not exist any more.

    Source: RFC 7592 §2.1, §2.2, §2.3 (401).
    """
    return answer.status in FORGOTTEN


def management_response(
    answer: HttpResponse, registration: Registration, document: Mapping[str, object]
) -> tuple[Registered, Mapping[str, object]]:
    """Return a registration as the server has it now, and all members of it.

    A new secret or registration access token takes the place of the old one at once; what the server does not
    repeat stays as it is.

    Args:
        answer: to a read or an update; untrusted.
        registration: as it was kept.
        document: what has to be registered; empty where nothing is asked for.

    Raises:
        RegistrationError: the server refused.
        TransportError: the server failed.
        MalformedResponse: the answer is not this registration, or not one that can be used.

    Source: RFC 7592 §2.1, §2.2, §3.
    """
    check_well(answer, "client configuration endpoint")
    if answer.status >= 400:
        words = refusal_in(answer)
        raise RegistrationError(words.error or f"HTTP status {answer.status}", words.description, words.uri)
    members = members_of(answer, what="client information response", source="RFC 7592 §3")
    if members.get("client_id") != registration.client_id or not 200 <= answer.status < 300:
        raise MalformedResponse(
            "The client information response is about another client",
            source="RFC 7592 §2.2",
            hint="Sign in again: the program will register again.",
        )
    kept = {
        "client_secret": registration.client_secret,
        "client_secret_expires_at": registration.client_secret_expires_at,
        "client_id_issued_at": registration.client_id_issued_at,
        "registration_client_uri": registration.registration_client_uri,
        "registration_access_token": registration.registration_access_token,
        "token_endpoint_auth_method": registration.client_auth,
        "redirect_uris": list(registration.redirect_uris),
    }
    complete = {**kept, **members}
    if "client_secret" in members and "client_secret_expires_at" not in members:
        del complete["client_secret_expires_at"]
    found = client_information(
        answer,
        complete,
        document,
        issuer=registration.issuer,
        endpoint=registration.registration_client_uri,
        before=registration.redirect_uris,
    )
    checked = replace(found.registration, key_thumbprint=registration.key_thumbprint)
    return replace(found, registration=checked), members


def deletion_response(answer: HttpResponse) -> bool:
    """Return whether a client does not exist any more; False when the server does not delete clients.

    Raises:
        RegistrationError: the server refused.
        TransportError: the server failed.

    Source: RFC 7592 §2.3 (204; 405 where it is not supported).
    """
    if answer.status in (200, 202, 204) or is_forgotten(answer):
        return True
    if answer.status in (405, 501):
        return False
    check_well(answer, "client configuration endpoint")
    words = refusal_in(answer)
    raise RegistrationError(words.error or f"HTTP status {answer.status}", words.description, words.uri)


def _authorization(registration: Registration) -> tuple[str, str]:
    # RFC 7592 §2: the registration access token is a bearer token (RFC 6750 §2.1).
    return "Authorization", f"Bearer {registration.registration_access_token}"
