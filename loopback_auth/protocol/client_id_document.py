"""Client ID Metadata Documents: an https address is the client ID, and what stands there is the registration.

The program does not read its own document when it signs in; the server does. A document that a server refuses
ends on an error page from which no browser comes back, so it can be checked before.

Source: draft-ietf-oauth-client-id-metadata-document-02; MCP authorization specification 2025-11-25.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.errors import ConfigError, MalformedResponse
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientAuth, ClientConfig, Redirect, ServerMetadata
from loopback_auth.narrow import is_list, is_object, is_strings, path_trouble
from loopback_auth.protocol.answer import came_instead
from loopback_auth.protocol.json import is_json, parse_object, text_member
from loopback_auth.protocol.jwk import PRIVATE
from loopback_auth.protocol.registration import descriptive_members
from loopback_auth.protocol.urls import check_endpoint
from loopback_auth.records import dataclass, replace
from loopback_auth.redact import server_text

DRAFT = "draft-ietf-oauth-client-id-metadata-document-02"

SIZE = 5 * 1024
"""Bytes that a server reads at least (§8.7)."""

SHARED = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
"""Methods with a secret that both sides know, which no document can have (§4.1)."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a document.

    Args:
        text: a sentence.
        must: servers refuse it; False: some do, or something will not work.
        source: the clause.
    """

    text: str
    must: bool
    source: str


def client_by_document(client: ClientConfig, metadata: ServerMetadata) -> ClientConfig | None:
    """Return a client whose ID is the address of its document; None if it has none, or the server knows none.

    Raises:
        ConfigError: the address cannot be a client ID.

    Source: draft-ietf-oauth-client-id-metadata-document-02 §6 (`client_id_metadata_document_supported`).
    """
    url = client.client_metadata.url if client.client_metadata is not None else ""
    if not url or metadata.document.get("client_id_metadata_document_supported") is not True:
        return None
    auth: ClientAuth = "none" if client.private_key is None else "private_key_jwt"
    provider = replace(client.provider, client_auth=client.provider.client_auth or auth)
    return replace(client, client_id=check_client_id_url(url), provider=provider)


def check_client_id_url(url: str) -> str:
    """Return the address of a document unchanged, or refuse it.

    Raises:
        ConfigError: it is not https, has no path, or has a fragment, user information or dot segments.

    Source: draft-ietf-oauth-client-id-metadata-document-02 §3.
    """
    try:
        check_endpoint(url, name="url")
    except ConfigError as exc:
        raise _not_an_id(exc.message) from None
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise _not_an_id("it must begin with https://")
    if not parts.path:
        raise _not_an_id("it must have a path")
    if trouble := path_trouble(parts.path):
        raise _not_an_id(trouble)
    return url


def client_id_document(
    metadata: ClientMetadata,
    redirect: Redirect = Redirect(),  # noqa: B008 - it cannot change
    *,
    jwks: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the document to host at `metadata.url`, as a JSON object.

    Args:
        metadata: what the program says of itself, with the address of the document.
        redirect: its redirect URI. A free port is left out, and a server lets the program have any then.
        jwks: public keys with which the client authenticates (RFC 7517 §5); None: it does not.

    Raises:
        ConfigError: the address cannot be a client ID, or a key is not public.

    Source: draft-ietf-oauth-client-id-metadata-document-02 §4; RFC 7591 §2; RFC 8252 §7.3 (any port).
    """
    if jwks is not None and _private_members(jwks):
        raise ConfigError(
            "A key in jwks is not public.", hint="Give the public keys alone.", parameter="jwks"
        )
    document: dict[str, object] = {
        "client_id": check_client_id_url(metadata.url),
        **descriptive_members(metadata, ""),
        "redirect_uris": list(hosted_redirect_uris(redirect)),
        "application_type": "native",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none" if jwks is None else "private_key_jwt",
    }
    return document if jwks is None else {**document, "jwks": dict(jwks)}


def hosted_redirect_uris(redirect: Redirect) -> tuple[str, ...]:
    """Return the redirect URIs that a document needs: without a port where any will do.

    Source: RFC 8252 §7.3.
    """
    if 0 in redirect.ports:
        return (f"http://{redirect.host}{redirect.path}",)
    return tuple(f"http://{redirect.host}:{port}{redirect.path}" for port in redirect.ports)


def check_client_id_document(
    url: str,
    answer: HttpResponse,
    redirect: Redirect = Redirect(),  # noqa: B008 - it cannot change
) -> tuple[Flaw, ...]:
    """Check a document as a server does that fetches it, and whether this program can sign in with it.

    Args:
        url: of the document, which is the client ID.
        answer: to a GET request for it; untrusted.
        redirect: the redirect URI of the program.

    Returns:
        What is wrong; empty when nothing is.

    Raises:
        ConfigError: the address cannot be a client ID.

    Source: draft-ietf-oauth-client-id-metadata-document-02 §3, §4, §4.1, §5, §8.7.
    """
    check_client_id_url(url)
    flaws: list[Flaw] = []
    if urlsplit(url).query:
        flaws.append(Flaw("The address has a query, which some servers refuse.", False, f"{DRAFT} §3"))
    if answer.status != 200:
        return (*flaws, _must(f"There is no document: {came_instead(answer)}.", "§5"))
    if not is_json(answer):
        return (*flaws, _must(f"The document is not JSON: {came_instead(answer)}.", "§4"))
    if len(answer.body) > SIZE:
        text = f"The document has {len(answer.body)} bytes, and servers need not read more than {SIZE}."
        flaws.append(Flaw(text, False, f"{DRAFT} §8.7"))
    try:
        members = parse_object(answer.body, what="document", source=f"{DRAFT} §4")
    except MalformedResponse as exc:
        return (*flaws, _must(f"{exc.message}.", "§4"))
    return (
        *flaws,
        *_flaws_of_identity(url, members),
        *_flaws_of_keys(members),
        *_unusable(members, redirect),
    )


def _flaws_of_identity(url: str, members: Mapping[str, object]) -> list[Flaw]:
    flaws: list[Flaw] = []
    if members.get("client_id") != url:
        shown = server_text(str(members.get("client_id")), 200)
        flaws.append(_must(f"client_id must be {url}, down to the last character, and is {shown!a}.", "§4"))
    if not text_member(members, "client_name"):
        text = "client_name is missing: servers show the user an address instead, or refuse it."
        flaws.append(Flaw(text, True, "MCP authorization specification 2025-11-25"))
    for name in ("client_uri", "logo_uri"):
        if (value := members.get(name)) is not None and not _is_https(value):
            flaws.append(Flaw(f"{name} is not an https address.", False, "RFC 7591 §2"))
    return flaws


def _flaws_of_keys(members: Mapping[str, object]) -> list[Flaw]:
    flaws: list[Flaw] = []
    method = members.get("token_endpoint_auth_method")
    if method is None:
        text = "token_endpoint_auth_method is missing, which means client_secret_basic: write none."
        flaws.append(_must(text, "§4.1"))
    elif method in SHARED:
        flaws.append(
            _must(f"token_endpoint_auth_method must not be {method}: such a client has no secret.", "§4.1")
        )
    elif method == "private_key_jwt" and not ({"jwks", "jwks_uri"} & members.keys()):
        flaws.append(Flaw("private_key_jwt needs jwks or jwks_uri.", True, "RFC 7591 §2"))
    for name in ("client_secret", "client_secret_expires_at"):
        if name in members:
            flaws.append(_must(f"{name} must not be in a document that is public.", "§4.1"))
    if _private_members(members.get("jwks")):
        flaws.append(_must("A key in jwks is private, and no longer secret: replace it.", "§4.1"))
    return flaws


def _unusable(members: Mapping[str, object], redirect: Redirect) -> list[Flaw]:
    """Return why this program cannot sign in with a document that is otherwise right."""
    flaws: list[Flaw] = []
    uris = members.get("redirect_uris")
    listed = uris if is_strings(uris) else []
    missing = [uri for uri in hosted_redirect_uris(redirect) if uri not in listed]
    if missing:
        text = f"redirect_uris lacks {', '.join(missing)}."
        flaws.append(Flaw(text, True, "RFC 6749 §3.1.2.3"))
    grants = members.get("grant_types", ["authorization_code"])
    if not is_strings(grants) or "authorization_code" not in grants:
        flaws.append(Flaw("grant_types lacks authorization_code.", True, "RFC 7591 §2"))
    elif "refresh_token" not in grants:
        text = "grant_types lacks refresh_token, so that the user has to sign in again for each access token."
        flaws.append(Flaw(text, False, "RFC 7591 §2"))
    types = members.get("response_types", ["code"])
    if not is_strings(types) or "code" not in types:
        flaws.append(Flaw("response_types lacks code.", True, "RFC 7591 §2"))
    return flaws


def _private_members(jwks: object) -> Collection[str]:
    keys = jwks.get("keys") if is_object(jwks) else None
    return [name for key in keys if is_object(key) for name in PRIVATE & key.keys()] if is_list(keys) else []


def _is_https(value: object) -> bool:
    return isinstance(value, str) and value.startswith("https://")


def _must(text: str, clause: str) -> Flaw:
    return Flaw(text, True, f"{DRAFT} {clause}")


def _not_an_id(why: str) -> ConfigError:
    return ConfigError(
        f"The address of the client's metadata document cannot be a client ID: {why}",
        hint="Host it at an https address with a path, such as https://tool.example/client.json.",
        parameter="client_metadata",
    )
