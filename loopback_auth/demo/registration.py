"""Dynamic client registration at the demo server.

A client says what it is and gets a client ID, and a secret if its authentication needs one. Nothing of what
it says is verified, so the consent page says so beside its name (RFC 7591 §5).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from loopback_auth.demo.clients import LOOPBACK, DemoClient
from loopback_auth.demo.faults import web_page
from loopback_auth.demo.grants import Ledger
from loopback_auth.demo.jwts import PRIVATE, public_keys
from loopback_auth.demo.setup import (
    GRANT_TYPES,
    REGISTRATION,
    RESPONSE_TYPES,
    Setup,
    auth_methods,
)
from loopback_auth.demo.wire import Refused, bearer_token, json_members, json_reply, text_reply
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientAuth
from loopback_auth.narrow import is_object, is_strings
from loopback_auth.pages.frame import form_source

TEXTS = ("client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri", "software_id", "software_version")
MOST_URIS = 20
MOST_KEYS = 10
LONGEST = 2000
DEFAULT_AUTH = "client_secret_basic"


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration that a client made itself.

    Args:
        client: as it is known to the other endpoints.
        metadata: that were accepted (RFC 7591 §2).
        token: by which the client manages its registration (RFC 7592 §2).
        issued_at: Unix seconds.
    """

    client: DemoClient
    metadata: Mapping[str, object] = field(repr=False)
    token: str = field(repr=False)
    issued_at: float


class RegistrationEndpoints:
    """The client registration endpoint, and the client configuration endpoints."""

    def __init__(self, setup: Setup, ledger: Ledger) -> None:
        self._setup = setup
        self._ledger = ledger
        self._registered: dict[str, Registered] = {}

    def register(self, request: HttpRequest, now: float) -> HttpResponse:
        """Register a client.

        Source: RFC 7591 §3.1, §3.2.
        """
        metadata = checked(json_members(request), self._setup)
        if self._setup.faults.registration_html:
            return web_page(201)
        registered = self._kept(self._ledger.unguessable(), metadata, self._ledger.unguessable(), now)
        return json_reply(self._document(registered), 201)

    def read(self, request: HttpRequest, now: float) -> HttpResponse:
        """Return a registration.

        Source: RFC 7592 §2.1.
        """
        return json_reply(self._document(self._managed(request)))

    def update(self, request: HttpRequest, now: float) -> HttpResponse:
        """Replace the metadata of a registration.

        Source: RFC 7592 §2.2.
        """
        known = self._managed(request)
        members = json_members(request)
        # The request MUST include the client_id, MUST NOT the rest; a secret MUST match the one issued
        forbidden = {"registration_access_token", "registration_client_uri", "client_secret_expires_at"}
        if members.get("client_id") != known.client.client_id or forbidden & members.keys():
            raise Refused("invalid_request", "The client_id is missing or wrong, or there is too much.")
        if members.get("client_secret", known.client.client_secret) != known.client.client_secret:
            raise Refused("invalid_request", "The client_secret is not the one that was issued.")
        metadata = checked(members, self._setup)
        updated = self._kept(known.client.client_id, metadata, known.token, known.issued_at)
        return json_reply(self._document(updated))

    def delete(self, request: HttpRequest, now: float) -> HttpResponse:
        """Forget a registration, with everything that was granted to the client.

        Source: RFC 7592 §2.3.
        """
        known = self._managed(request)
        self._forget(known.client.client_id)
        self._ledger.revoke_client(known.client.client_id)
        return text_reply(204, "")

    def clients(self) -> tuple[DemoClient, ...]:
        """Return the clients that registered themselves, in order."""
        return tuple(registered.client for registered in self._registered.values())

    def forget(self) -> None:
        """Forget every registration, as a server does that lost them; tokens stay."""
        for client_id in list(self._registered):
            self._forget(client_id)

    def _forget(self, client_id: str) -> None:
        del self._registered[client_id], self._setup.clients[client_id]

    def _managed(self, request: HttpRequest) -> Registered:
        """Return the registration of the address, provided that its token came along.

        Source: RFC 7592 §2; RFC 6750 §3.1.
        """
        client_id = request.url.partition("?")[0].rpartition("/")[2]
        known = self._registered.get(client_id)
        # Compared even if there is none, so that the time tells nothing
        same = hmac.compare_digest(
            (known.token if known else "").encode(), bearer_token(request).encode("utf-8", "surrogatepass")
        )
        if known is None or not same:
            description = "The registration is unknown, or its access token is wrong."
            challenge = 'Bearer realm="demo", error="invalid_token"'
            raise Refused("invalid_token", description, status=401, challenge=challenge)
        return known

    def _kept(
        self, client_id: str, metadata: Mapping[str, object], token: str, issued_at: float
    ) -> Registered:
        lifetime = self._setup.faults.registration_secret
        if lifetime is not None:
            metadata = {**metadata, "token_endpoint_auth_method": DEFAULT_AUTH}
        method = cast("ClientAuth", metadata["token_endpoint_auth_method"])
        before = self._setup.clients.get(client_id)
        secret = None
        if method.startswith("client_secret"):
            secret = (before.client_secret if before else None) or self._ledger.unguessable()
        client = DemoClient(
            client_id,
            secret,
            redirect_uris=tuple(cast("list[str]", metadata["redirect_uris"])),
            client_auth=method,
            client_secret_expires_at=0.0 if lifetime is None else issued_at + lifetime,
            client_name=cast("str", metadata.get("client_name", "")),
            grant_types=tuple(cast("list[str]", metadata["grant_types"])),
            jwks=cast("Mapping[str, object] | None", metadata.get("jwks")),
            dpop_bound=metadata.get("dpop_bound_access_tokens") is True,
        )
        self._setup.clients[client_id] = client
        self._registered[client_id] = Registered(client, metadata, token, issued_at)
        return self._registered[client_id]

    def _document(self, registered: Registered) -> dict[str, object]:
        """Return the client information response.

        Source: RFC 7591 §3.2.1; RFC 7592 §3.
        """
        client = registered.client
        own = f"{self._setup.issuer}{REGISTRATION}/{client.client_id}"
        document: dict[str, object] = {
            **registered.metadata,
            "client_id": client.client_id,
            "client_id_issued_at": int(registered.issued_at),
            "registration_access_token": registered.token,
            "registration_client_uri": own,
        }
        if changed := self._setup.faults.registration_redirect_uri:
            document["redirect_uris"] = [changed]
        if client.client_secret is not None:
            # REQUIRED if client_secret is issued
            document |= {
                "client_secret": client.client_secret,
                "client_secret_expires_at": int(client.client_secret_expires_at),
            }
        return document


def checked(members: Mapping[str, object], setup: Setup) -> dict[str, object]:
    """Check the metadata of a client, and fill in the defaults; what is not known here is left out.

    Source: RFC 7591 §2, §3.2.2; RFC 9449 §5.2.
    """
    uris = members.get("redirect_uris")
    if not is_strings(uris) or not 0 < len(uris) <= MOST_URIS or not all(map(_redirectable, uris)):
        raise Refused(
            "invalid_redirect_uri", "The redirect_uris must be https, or http on a loopback address."
        )
    grants = _names(members, "grant_types", ("authorization_code",), GRANT_TYPES)
    types = _names(members, "response_types", ("code",), tuple(RESPONSE_TYPES))
    # RFC 7591 §2.1: a response type is of use with its grant type alone
    for name, grant in (("code", "authorization_code"), ("token", "implicit"), ("id_token", "implicit")):
        if any(name in one.split() for one in types) and grant not in grants:
            raise _unfit("The grant_types do not fit the response_types.")
    method = members.get("token_endpoint_auth_method", DEFAULT_AUTH)
    if method not in auth_methods(setup):
        raise _unfit("The token_endpoint_auth_method is not supported.")
    accepted: dict[str, object] = {
        "redirect_uris": uris,
        "grant_types": list(grants),
        "response_types": list(types),
        "token_endpoint_auth_method": method,
        "application_type": _one_of(members, "application_type", ("web", "native")),
    }
    accepted |= _texts(members)
    contacts = members.get("contacts", [])
    if not is_strings(contacts):
        raise _unfit("The contacts are not a list of strings.")
    if "jwks" in members:
        accepted["jwks"] = {"keys": _keys(members["jwks"])}
    if method == "private_key_jwt" and "jwks" not in accepted:
        raise _unfit("The method private_key_jwt needs jwks.")
    bound = members.get("dpop_bound_access_tokens", False)
    if not isinstance(bound, bool) or (bound and setup.features.dpop == "off"):
        raise _unfit("The dpop_bound_access_tokens is not a boolean, or there is no DPoP here.")
    scope = members.get("scope", "")
    if not isinstance(scope, str):
        raise _unfit("The scope is not a string.")
    if bound:
        accepted["dpop_bound_access_tokens"] = True
    return accepted | ({"contacts": contacts} if contacts else {}) | ({"scope": scope} if scope else {})


def _texts(members: Mapping[str, object]) -> dict[str, object]:
    """Return the texts that are shown to people: names, and addresses of web pages."""
    texts = {name: members[name] for name in TEXTS if members.get(name) is not None}
    for name, text in texts.items():
        if not isinstance(text, str) or len(text) > LONGEST or not text.isprintable():
            raise _unfit("A text is not a string, is too long, or contains a control character.")
        is_address = name in ("client_uri", "logo_uri", "tos_uri", "policy_uri")
        if is_address and not text.startswith(("https://", *LOOPBACK)):
            raise _unfit("An address of a web page is not an https URL.")
    return texts


def _keys(jwks: object) -> list[dict[str, object]]:
    """Return the keys of a set, all of them public."""
    keys = public_keys(jwks) if is_object(jwks) else []
    if not 0 < len(keys) <= MOST_KEYS or any(PRIVATE & key.keys() for key in keys):
        raise _unfit("The jwks is not a set of public keys.")
    return keys


def _names(
    members: Mapping[str, object], name: str, default: tuple[str, ...], known: tuple[str, ...]
) -> tuple[str, ...]:
    """Read a list of names, all of them supported."""
    value = members.get(name)
    if value is None:
        return default
    if not is_strings(value) or not set(value) <= set(known):
        raise _unfit("A grant type or response type is not supported.")
    return tuple(dict.fromkeys(value)) or default


def _one_of(members: Mapping[str, object], name: str, known: tuple[str, ...]) -> str:
    value = members.get(name, known[0])
    if not isinstance(value, str) or value not in known:
        raise _unfit("The application_type is not known.")
    return value


def _redirectable(uri: str) -> bool:
    """Return whether a browser may be sent there.

    Source: RFC 7591 §2, §5; RFC 8252 §7.3, §8.3; RFC 6749 §3.1.2.
    """
    try:
        form_source(uri)  # the page that carries a response in a form has to allow it
        parts = urlsplit(uri)
        loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
        sound = parts.port != 0 and bool(parts.hostname) and parts.username is None
    except (ConfigError, ValueError):
        return False
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}#')
    return plain and len(uri) <= LONGEST and sound and (loopback or parts.scheme == "https")


def _unfit(description: str) -> Refused:
    return Refused("invalid_client_metadata", description)
