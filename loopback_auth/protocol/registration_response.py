"""What a server has registered may differ from what it was asked for, and is compared before it is used.

With a redirect URI that is not ours, or an authentication that we cannot do, the user would be led to an
error page from which no browser comes back.

Source: RFC 7591 §3.2; RFC 7592 §3.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.errors import ConfigError, MalformedResponse, RegistrationError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientAuth
from loopback_auth.narrow import is_strings, is_visible
from loopback_auth.protocol.answer import check_well, members_of, refused
from loopback_auth.protocol.json import number, text_member
from loopback_auth.protocol.polling import http_date
from loopback_auth.protocol.registration import BY_HAND, METHODS
from loopback_auth.protocol.scope import union
from loopback_auth.protocol.urls import check_endpoint, origin
from loopback_auth.records import dataclass, field, get_args, replace
from loopback_auth.redact import server_text
from loopback_auth.registration import Registration

SOURCE = "RFC 7591 §3.2.1"

VALUE_LIMIT = 4096
"""Characters of an ID, a secret or a token; each is sent in a header, or in the address of a page."""

LATEST = 1e12
"""Unix seconds, far beyond every date: what is later can be kept all the same."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What a server has registered.

    Args:
        registration: checked, to be kept before it is used.
        warnings: what differs from what was asked for, and was accepted.
    """

    registration: Registration = field(repr=False)
    warnings: tuple[str, ...] = ()


def registration_response(
    answer: HttpResponse, document: Mapping[str, object], *, issuer: str, endpoint: str
) -> Registered:
    """Check what a server has registered against what it was asked to register.

    Args:
        answer: untrusted.
        document: that was sent.
        issuer: of the server.
        endpoint: to which it was sent.

    Raises:
        RegistrationError: the server refused.
        TransportError: the server failed.
        MalformedResponse: the answer is not a registration, or not one that can be used.

    Source: RFC 7591 §3.2.1, §3.2.2.
    """
    check_well(answer, "registration endpoint")
    members = members_of(
        answer, what="registration response", source=SOURCE, hint=BY_HAND, parameter="client_id"
    )
    if (said_no := refused(members, answer)) is not None:
        raise RegistrationError(said_no.error, said_no.description, said_no.uri)
    # RFC 7591 §3.2.1 requires 201; a client ID with 200 is accepted as well.
    if not 200 <= answer.status < 300:
        raise _unusable(f"its HTTP status is {answer.status}")
    return client_information(answer, members, document, issuer=issuer, endpoint=endpoint)


def client_information(
    answer: HttpResponse,
    members: Mapping[str, object],
    document: Mapping[str, object],
    *,
    issuer: str,
    endpoint: str,
    before: tuple[str, ...] = (),
) -> Registered:
    """Check the members of a client information response.

    Args:
        answer: that has them; untrusted.
        members: of it.
        document: that was asked for.
        issuer: of the server.
        endpoint: of the server, where clients are registered.
        before: redirect URIs that were registered before. The program listens at its own redirect URIs alone,
            whatever else a server says.

    Raises:
        MalformedResponse: it is not a registration that can be used.

    Source: RFC 7591 §3.2.1; RFC 7592 §3.
    """
    client_id = _value(members, "client_id")
    if not client_id:
        raise _unusable("it has no client_id")
    redirect_uris = _listed(members, document, "redirect_uris")
    for uri in _strings(document, "redirect_uris"):
        if uri not in redirect_uris:
            shown = server_text(", ".join(redirect_uris), 200) or "none"
            raise _unusable(f"the redirect URI {uri} was not registered, but {shown}")
    # The others are of use, and not needed: a sign-in without a refresh token is one all the same.
    needed = _strings(document, "grant_types")[:1]
    if not set(needed) <= set(_listed(members, document, "grant_types")):
        raise _unusable(f"the grant {needed[0]} was not registered")
    secret = _value(members, "client_secret") or None
    method = _method(members, document, secret)
    expires_at = _expiry(answer, members, secret)
    scope = union(text_member(document, "scope"), server_text(text_member(members, "scope"), VALUE_LIMIT))
    registration = Registration(
        issuer,
        client_id,
        tuple(uri for uri in redirect_uris if uri in (*before, *_strings(document, "redirect_uris"))),
        client_auth=method,
        client_secret=secret if method.startswith("client_secret") else None,
        client_secret_expires_at=expires_at,
        client_id_issued_at=_time(members, "client_id_issued_at"),
        scope=scope,
    )
    registration, warning = _managed(registration, members, endpoint)
    return Registered(registration, (warning,) if warning else ())


def _method(members: Mapping[str, object], document: Mapping[str, object], secret: str | None) -> ClientAuth:
    """Return how the client is to authenticate, which the server may decide.

    Source: RFC 7591 §2 (the default is client_secret_basic), §3.2.1 (the server may replace values).
    """
    asked = text_member(document, "token_endpoint_auth_method")
    named = members.get("token_endpoint_auth_method")
    if named is None:
        # Some servers return none of the metadata. A secret that was not asked for is there to be used.
        named = "client_secret_basic" if secret and asked == "none" else asked
    if not isinstance(named, str) or named not in (*METHODS, asked) or named not in get_args(ClientAuth):
        raise _unusable(f"the client is to authenticate by {server_text(str(named), 80)!a}")
    if named.startswith("client_secret") and not secret:
        raise _unusable(f"the client is to authenticate by {named}, and the answer has no secret")
    method: ClientAuth = named  # type: ignore[assignment]
    return method


def _expiry(answer: HttpResponse, members: Mapping[str, object], secret: str | None) -> float | None:
    """Return when the secret expires, in Unix seconds; None: never, or there is none.

    Source: RFC 7591 §3.2.1 (`client_secret_expires_at`; 0 means never).
    """
    expires_at = _time(members, "client_secret_expires_at")
    if secret is None or not expires_at:
        return None
    if expires_at <= served_at(answer):
        raise _unusable("its client_secret has expired already")
    return expires_at


def _time(members: Mapping[str, object], name: str) -> float | None:
    value = number(members.get(name))
    return None if value is None else min(value, LATEST)


def served_at(answer: HttpResponse) -> float:
    """Return when an answer was made, in Unix seconds: by the server's clock, which sets what expires.

    Source: RFC 9110 §6.6.1 (`Date`).
    """
    theirs = http_date(answer.header("date"))
    return answer.received_at if theirs is None else theirs


def _managed(
    registration: Registration, members: Mapping[str, object], endpoint: str
) -> tuple[Registration, str]:
    """Add where the registration is managed, if its token goes to no other server than its own.

    Source: RFC 7592 §3, §5 (the registration access token is a bearer token).
    """
    uri, token = text_member(members, "registration_client_uri"), _value(members, "registration_access_token")
    if not uri or not token:
        return registration, ""
    try:
        check_endpoint(uri, name="registration_client_uri")
        if len(uri) > VALUE_LIMIT or origin(uri) not in (origin(endpoint), origin(registration.issuer)):
            raise ConfigError("It is at another server.")
    except ConfigError:
        return registration, (
            f"{registration.issuer} says that its registration is managed at another address, which is not "
            f"used: {server_text(uri, 120)!a}. The registration cannot be changed or deleted by this program."
        )
    return replace(registration, registration_client_uri=uri, registration_access_token=token), ""


def _value(members: Mapping[str, object], name: str) -> str:
    """Return an ID, a secret or a token; empty when there is none.

    Source: RFC 6749 appendix A.1, A.2; RFC 6750 §2.1.
    """
    value = members.get(name)
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not is_visible(value):
        raise _unusable(f"its {name} is not a text of visible ASCII characters")
    if len(value) > VALUE_LIMIT:
        raise _unusable(f"its {name} is longer than {VALUE_LIMIT} characters")
    return value


def _listed(members: Mapping[str, object], document: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return a list that was registered; the one that was asked for if the server does not say."""
    value = members.get(name)
    if value is None:
        return _strings(document, name)
    if not is_strings(value):
        raise _unusable(f"its {name} is not a list of strings")
    return tuple(value)


def _strings(document: Mapping[str, object], name: str) -> tuple[str, ...]:
    value = document.get(name)
    return tuple(value) if is_strings(value) else ()


def _unusable(why: str) -> MalformedResponse:
    return MalformedResponse(
        f"The registration cannot be used: {why}", source=SOURCE, hint=BY_HAND, parameter="client_id"
    )
