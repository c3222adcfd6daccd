"""Examines a server: the flow that asks it everything that needs no sign-in, and approves nothing.

At most `LIMIT` requests are made. None of them has a code, token or password that could be real; what is made
up says so in its name. A client is asked for only with a redirect URI that must be refused.

Source: RFC 8414 §3; OpenID Connect Discovery 1.0 §4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from loopback_auth.audit.servers.answer_log import AnswerLog
from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.authorization_questions import (
    ask_about_strangers,
    ask_authorization_endpoint,
)
from loopback_auth.audit.servers.endpoint_questions import ask_endpoints
from loopback_auth.audit.servers.page_questions import ask_for_login_page, ask_without_encryption
from loopback_auth.authorization_messages import Attempt
from loopback_auth.doctor.asking import Asking
from loopback_auth.effects import Flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.flow_table import ENDPOINTS
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.json import object_or_none
from loopback_auth.protocol.metadata import merged, metadata_requests, metadata_response
from loopback_auth.protocol.urls import check_endpoint, leads_inside
from loopback_auth.records import replace

LIMIT = 60
"""Requests, those for the metadata included."""

OPENID, OAUTH = "openid-configuration", "oauth-authorization-server"
DOCUMENTS = (OPENID, OAUTH)
"""Questions for the metadata documents of OpenID Connect Discovery and of RFC 8414."""

NO_ISSUER = "No issuer is known, at which metadata could be: give --issuer."


def examine(client: ClientConfig, attempts: Iterator[Attempt], *, pause: float = 0.0) -> Flow[Observed]:
    """Find out what a server does with requests that need no sign-in.

    Args:
        client: as registered; without an ID, what depends on a client is not asked.
        attempts: fresh randomness, one attempt for each request.
        pause: seconds between two requests.

    Raises:
        ConfigError: the issuer cannot be one.

    Source: RFC 8414 §3; RFC 6749 §3.1, §3.2.
    """
    log = AnswerLog(Asking(LIMIT, pause=pause))
    documents = yield from _documents(client, log)
    client, remark = _at_published_issuer(client, documents)
    metadata = _metadata(client, documents, log)
    found = Observed(
        client,
        metadata,
        documents,
        log.answers,
        log.unasked,
        log.inapplicable,
        remark,
    )
    if not documents and not known(metadata):
        return found
    yield from ask_about_strangers(metadata, next(attempts), log)
    yield from ask_authorization_endpoint(client, metadata, attempts, log)
    yield from ask_for_login_page(client, metadata, next(attempts), log)
    yield from ask_endpoints(client, metadata, found.document, next(attempts), log)
    yield from ask_without_encryption(metadata, log)
    return found


def known(metadata: ServerMetadata) -> bool:
    """Return whether an endpoint is known that can be asked.

    Source: RFC 6749 §3.1, §3.2.
    """
    return bool(metadata.authorization_endpoint or metadata.token_endpoint)


def _documents(client: ClientConfig, log: AnswerLog) -> Flow[dict[str, dict[str, object]]]:
    """Request both metadata documents, of which a sign-in reads only one."""
    issuer = client.provider.metadata.issuer
    found: dict[str, dict[str, object]] = {}
    if issuer is None:
        log.leave_out(NO_ISSUER, *DOCUMENTS)
        return found
    for request in metadata_requests(issuer):
        name = OAUTH if OAUTH in request.url else OPENID
        if name in found:
            continue
        response = yield from log.ask(name, request, step="metadata request")
        if (document := _document(response)) is not None:
            found[name] = document
    return found


def _at_published_issuer(
    client: ClientConfig, documents: Mapping[str, Mapping[str, object]]
) -> tuple[ClientConfig, str]:
    """Return the client of the published issuer, where only the slash at the end differs, and a remark.

    The slash is removed before the address of the metadata is made (RFC 8414 §3.1), so both issuers lead to
    the same documents, and only the server knows which of the two is its own.
    """
    provider = client.provider
    typed, published = provider.metadata.issuer, {str(one.get("issuer")) for one in documents.values()}
    if typed is None or len(published) != 1:
        return client, ""
    (issuer,) = published
    same_address = issuer.rstrip("/") == typed.rstrip("/") and not issuer.endswith("//")
    if not same_address or issuer in (typed, provider.allowed_issuer):
        return client, ""
    metadata = replace(provider.metadata, issuer=issuer)
    remark = f"The issuer was given as {typed}, and the server publishes {issuer}, which was examined."
    return replace(client, provider=replace(provider, metadata=metadata)), remark


def _metadata(
    client: ClientConfig, documents: Mapping[str, dict[str, object]], log: AnswerLog
) -> ServerMetadata:
    """Return the metadata of the first document, with what only the other has."""
    for name, document in documents.items():
        response = log.answers[name].response
        if response is not None:
            return _supplemented(_usable(client, response, document), client, documents.values())
    return client.provider.metadata


def _supplemented(
    metadata: ServerMetadata, client: ClientConfig, documents: Iterable[dict[str, object]]
) -> ServerMetadata:
    """Add the endpoints that only another document names."""
    more: dict[str, str] = {}
    for document in documents:
        more = _addresses(client, document) | more
    return metadata.with_endpoints({name: getattr(metadata, name) or more.get(name) for name in ENDPOINTS})


def _document(response: HttpResponse | None) -> dict[str, object] | None:
    """Return the members of a metadata document, whatever is wrong with it; None where there is none."""
    if response is None or response.status != 200:
        return None
    document = object_or_none(response.body)
    wanted = ("issuer", "authorization_endpoint", "token_endpoint")
    return dict(document) if document is not None and any(name in document for name in wanted) else None


def _usable(client: ClientConfig, response: HttpResponse, document: dict[str, object]) -> ServerMetadata:
    """Return the metadata as a sign-in would use them; of a document that it would refuse, the addresses."""
    try:
        return metadata_response(client.provider, response)
    except LoopbackAuthError:
        known = client.provider.metadata
        found = replace(ServerMetadata(known.issuer), document=document)
        return merged(found.with_endpoints(_addresses(client, document)), known)


def _addresses(client: ClientConfig, document: dict[str, object]) -> dict[str, str]:
    """Return the endpoints in a document that may be requested."""
    issuer, allowed = client.provider.metadata.issuer or "", client.provider.network.allow_private
    return {
        name: url
        for name in ENDPOINTS
        if isinstance(url := document.get(name), str)
        and _is_endpoint(url, name)
        and not leads_inside(url, by=issuer, allowed=allowed)
    }


def _is_endpoint(url: str, name: str) -> bool:
    try:
        check_endpoint(url, name=name)
    except LoopbackAuthError:
        return False
    return True
