"""Asks a server what it would answer to a client: one request after the other, none of which needs approval.

An error is the answer to the request that met it; the others are made all the same, except where `asking`
leaves a host alone. At most `LIMIT` requests are made, those that tell the most first.

Source: RFC 8414 §3; RFC 6749 §4.1.1, §4.1.3; RFC 9126 §2; RFC 8628 §3.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.doctor.asking import Asking
from loopback_auth.doctor.direct_probe import (
    DEVICE,
    METADATA,
    PUSHED,
    Described,
    GrantType,
    device_probe,
    device_probe_response,
    grant_probe,
    grant_probe_response,
    metadata_probe_response,
    not_listed,
    pushed_probe,
    pushed_probe_response,
)
from loopback_auth.doctor.redirect_probe import (
    REDIRECT_URI,
    ProbeAnswer,
    Verdict,
    authorization_probe,
    authorization_probe_response,
    authorization_probe_visit,
    decisive,
    of_another_type,
)
from loopback_auth.effects import Flow
from loopback_auth.errors import EndpointMissing, LoopbackAuthError, ProtocolError, TransportError
from loopback_auth.model import ClientConfig, Provider, ResponseMode, ResponseType, ServerMetadata
from loopback_auth.protocol.metadata import is_absent, metadata_requests

LIMIT = 12
"""Requests, those for the metadata included."""

OTHER_TYPES: tuple[ResponseType, ...] = ("token", "code id_token", "id_token", "id_token token")
GRANTS: tuple[GrantType, ...] = ("authorization_code", "refresh_token")
BY_DEVICE: tuple[GrantType, ...] = ("urn:ietf:params:oauth:grant-type:device_code",)

Answers = tuple[ProbeAnswer, ...]


def probe(client: ClientConfig, attempts: Iterator[Attempt]) -> Flow[Answers]:
    """Find out what a server answers to a client, before a person is sent there.

    Args:
        client: as registered; without an ID only the metadata are read.
        attempts: fresh randomness, one attempt for each request.

    Returns:
        One answer about each thing that was asked; an error is an answer too, and not raised.

    Source: RFC 8414 §3; RFC 6749 §4.1.2.1, §5.2; RFC 9126 §2.3; RFC 8628 §3.2.
    """
    asking = _Asking()
    described = yield from _described(client.provider, asking)
    answers = described.answered
    if client.client_id:
        answers += yield from _code(client, described.metadata, next(attempts), asking)
        answers += yield from _grants(client, described.metadata, attempts, asking)
        so_far = decisive(answers)
        if _worth_more(so_far, described.metadata):
            known = next((one for one in so_far if one.what == REDIRECT_URI), None)
            answers += yield from _variants(client, described, attempts, asking, known)
    return decisive((*answers, _ticket(client.provider)))


class _Asking(Asking):
    """Sends the questions, and says what went wrong with each."""

    def __init__(self) -> None:
        super().__init__(LIMIT)
        self.unread = False
        """Whether the metadata were requested and did not come: the server may have what is not known."""

    def trouble(self, what: str, error: LoopbackAuthError) -> ProbeAnswer:
        """Return an error as an answer: *no* if a sign-in would fail, too, *unknown* without a response."""
        if self.unread and isinstance(error, EndpointMissing):
            return ProbeAnswer(what, "unknown", "Where to ask would be in the metadata.", "")
        verdict: Verdict = "unknown" if isinstance(error, TransportError) else "no"
        source = error.source if isinstance(error, ProtocolError) else ""
        return ProbeAnswer(what, verdict, f"{error.message.rstrip('.')}.", source)


def _described(provider: Provider, asking: _Asking) -> Flow[Described]:
    known = provider.metadata
    if known.issuer is None:
        because = "No issuer is known, whose metadata could be read."
        return Described(known, (ProbeAnswer(METADATA, "unknown", because, "RFC 8414 §3"),))
    try:
        for request in metadata_requests(known.issuer):
            answer = yield from asking.send(request, step="metadata request")
            if not is_absent(answer):
                return metadata_probe_response(provider, answer)
    except LoopbackAuthError as exc:
        asking.unread = isinstance(exc, TransportError)
        return Described(known, (asking.trouble(METADATA, exc),))
    because = f"{known.issuer} publishes no metadata (OpenID Connect Discovery, RFC 8414)."
    return Described(known, (ProbeAnswer(METADATA, "no", because, "RFC 8414 §3"),))


def _worth_more(answers: Answers, metadata: ServerMetadata) -> bool:
    """Return whether more can be learnt: a client that is not known gets the same answer to every request."""
    verdicts = {one.what: one.verdict for one in answers}
    if metadata.require_pushed_authorization_requests and verdicts.get(PUSHED) != "yes":
        return False
    return metadata.authorization_endpoint is not None and verdicts.get(REDIRECT_URI) != "no"


def _code(client: ClientConfig, metadata: ServerMetadata, attempt: Attempt, asking: _Asking) -> Flow[Answers]:
    """Ask about the code flow twice: by a pushed request, where the server takes them, and by a visit."""
    what = "response_type=code"
    answers: Answers = ()
    try:
        request = authorization_probe(client, metadata, attempt, response_type="code", response_mode="query")
        if metadata.pushed_authorization_request_endpoint is not None:
            pushed, answers = yield from _push(client, request, what, asking)
            if metadata.require_pushed_authorization_requests:
                if pushed is None:
                    return answers
                request = pushed
        answer = yield from asking.send(authorization_probe_visit(request), step="authorization request")
    except LoopbackAuthError as exc:
        return (*answers, asking.trouble(what, exc))
    return (*answers, *authorization_probe_response(request, what, answer))


def _variants(
    client: ClientConfig,
    described: Described,
    attempts: Iterator[Attempt],
    asking: _Asking,
    redirect_uri: ProbeAnswer | None,
) -> Flow[Answers]:
    """Ask about other response types and modes, but for those that the metadata leave out."""
    metadata = described.metadata
    first = yield from _variant(client, metadata, next(attempts), asking, "code", "form_post")
    answers = of_another_type(first, "response_mode=form_post", redirect_uri)
    for response_type in OTHER_TYPES:
        no = not_listed(described, response_type)
        if no is not None:
            answers += (no,)
            continue
        more = yield from _variant(client, metadata, next(attempts), asking, response_type, "fragment")
        answers += of_another_type(more, f"response_type={response_type}", redirect_uri)
    return answers


def _variant(
    client: ClientConfig,
    metadata: ServerMetadata,
    attempt: Attempt,
    asking: _Asking,
    response_type: ResponseType,
    response_mode: ResponseMode,
) -> Flow[Answers]:
    what = "response_mode=form_post" if response_mode == "form_post" else f"response_type={response_type}"
    try:
        request = authorization_probe(
            client, metadata, attempt, response_type=response_type, response_mode=response_mode
        )
        if metadata.require_pushed_authorization_requests:
            return (yield from _push(client, request, what, asking))[1]
        answer = yield from asking.send(authorization_probe_visit(request), step="authorization request")
    except LoopbackAuthError as exc:
        return (asking.trouble(what, exc),)
    return authorization_probe_response(request, what, answer)


def _push(
    client: ClientConfig, request: AuthorizationRequest, what: str, asking: _Asking
) -> Flow[tuple[AuthorizationRequest | None, Answers]]:
    try:
        answer = yield from asking.send(pushed_probe(client, request), step="pushed authorization request")
    except LoopbackAuthError as exc:
        return None, (asking.trouble(PUSHED, exc),)
    return pushed_probe_response(client, request, what, answer)


def _grants(
    client: ClientConfig, metadata: ServerMetadata, attempts: Iterator[Attempt], asking: _Asking
) -> Flow[Answers]:
    answers: Answers = ()
    for grant_type in GRANTS + (BY_DEVICE if metadata.device_authorization_endpoint else ()):
        try:
            request = grant_probe(client, metadata, next(attempts), grant_type)
            answer = yield from asking.send(request, step="token request")
        except LoopbackAuthError as exc:
            answers += (asking.trouble(f"grant_type={grant_type}", exc),)
        else:
            answers += (grant_probe_response(client, grant_type, answer),)
    try:
        answer = yield from asking.send(device_probe(client, metadata), step="device authorization request")
    except LoopbackAuthError as exc:
        return (*answers, asking.trouble(DEVICE, exc))
    return (*answers, device_probe_response(client, answer))


def _ticket(provider: Provider) -> ProbeAnswer:
    if provider.ticket is None:
        return ProbeAnswer("ticket", "no", "No ticket contract is known for this provider.", "declared")
    because = f"Its contract is known from {provider.ticket.source}; none was made."
    return ProbeAnswer("ticket", "yes", because, "declared")
