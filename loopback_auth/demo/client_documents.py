"""Clients whose ID is the address of a document about them.

Such a client needs no registration: the server fetches the document, and knows the client for as long as the
document is fresh. The address proves where the client comes from, not that it is what it calls itself.

Source: draft-ietf-oauth-client-id-metadata-document §3, §4, §6.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import parse_qs, urlsplit

from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.registration import checked
from loopback_auth.demo.setup import PATHS, Setup
from loopback_auth.demo.wire import Refused, query_of
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.model import ClientAuth
from loopback_auth.narrow import is_object

Fetch = Callable[[str], HttpResponse | None]
"""Gets a URL without following redirects; None when there was no answer."""

FRESH = 60.0
"""Seconds for which a document is not fetched again."""
MOST_BYTES = 5 * 1024
LOCAL = ("127.0.0.1", "::1", "localhost")
ASKED_AT = frozenset(
    PATHS[name]
    for name in (
        "authorization_endpoint",
        "pushed_authorization_request_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "device_authorization_endpoint",
    )
)


class ClientDocuments:
    """Learns clients from their documents, before their requests are looked at.

    Args:
        setup: of the server; its clients grow.
        fetch: gets a document.
    """

    def __init__(self, setup: Setup, fetch: Fetch) -> None:
        self._setup = setup
        self._fetch = fetch
        self._until: dict[str, float] = {}

    def wanted(self, request: HttpRequest, path: str, now: float) -> str:
        """Return the client ID whose document has to be fetched for a request; empty: none has.

        Args:
            request: of any kind.
            path: of its URL.
            now: Unix seconds.
        """
        if path not in ASKED_AT:
            return ""
        client_id = _client_id(request)
        known = client_id in self._setup.clients and now < self._until.get(client_id, float("inf"))
        return client_id if is_document_url(client_id) and not known else ""

    def learn(self, client_id: str, now: float) -> None:
        """Fetch a document, and know its client from now on.

        Source: draft-ietf-oauth-client-id-metadata-document §4, §6.5.
        """
        self._setup.clients.pop(client_id, None)
        self._setup.clients[client_id] = self._described(client_id)
        self._until[client_id] = now + FRESH

    def _described(self, client_id: str) -> DemoClient:
        answer = self._fetch(client_id)
        if answer is None or answer.status != 200 or len(answer.body) > MOST_BYTES:
            raise _unusable("The client's document cannot be fetched, or is too large.")
        media_type = answer.header("content-type").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise _unusable("The client's document is not JSON.")
        try:
            members: object = json.loads(answer.body.decode("utf-8"))
        except (ValueError, RecursionError):
            members = None
        if not is_object(members):
            raise _unusable("The client's document is not a JSON object.")
        # §4.1: compared as strings; and a secret in a public document is none
        if members.get("client_id") != client_id:
            raise _unusable("The client's document is about another client_id.")
        secrets = {"client_secret", "client_secret_expires_at"} & members.keys()
        method = members.get("token_endpoint_auth_method", "none")
        if secrets or str(method).startswith("client_secret"):
            raise _unusable("The client's document may have no secret, and no method that needs one.")
        try:
            metadata = checked({**members, "token_endpoint_auth_method": method}, self._setup)
        except Refused as refused:
            raise _unusable(f"The client's document is not accepted. {refused.description}") from None
        return DemoClient(
            client_id,
            redirect_uris=tuple(cast("list[str]", metadata["redirect_uris"])),
            client_name=cast("str", metadata.get("client_name", "")),
            grant_types=tuple(cast("list[str]", metadata["grant_types"])),
            client_auth=cast("ClientAuth", metadata["token_endpoint_auth_method"]),
            jwks=cast("Mapping[str, object] | None", metadata.get("jwks")),
            dpop_bound=metadata.get("dpop_bound_access_tokens") is True,
        )


def is_document_url(client_id: str) -> bool:
    """Return whether a client ID is the address of a document.

    On a loopback address it may be http, so that a demonstration needs no certificate.

    Source: draft-ietf-oauth-client-id-metadata-document §3.
    """
    try:
        parts = urlsplit(client_id)
        local = parts.scheme == "http" and parts.hostname in LOCAL
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    plain = client_id.isascii() and client_id.isprintable() and not set(client_id) & set(' #@"<>\\')
    segments = parts.path.split("/")[1:]
    walked = any(segments) and not {".", ".."} & set(segments)
    return named and plain and walked and (local or parts.scheme == "https")


def _client_id(request: HttpRequest) -> str:
    """Read the client ID of a request, as far as it can be read; what it is worth is decided elsewhere."""
    text = query_of(request.url)
    if request.header("content-type").partition(";")[0].strip().lower() == FORM:
        text = f"{text}&{request.body.decode('latin-1')}"
    try:
        return parse_qs(text, max_num_fields=100).get("client_id", [""])[0]
    except ValueError:
        return ""


def _unusable(description: str) -> Refused:
    return Refused("invalid_client", description)
