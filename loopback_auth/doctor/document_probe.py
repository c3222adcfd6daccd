"""Fetches the metadata document of a client from where it is hosted, and judges it as a server does.

Source: draft-ietf-oauth-client-id-metadata-document-02.
"""

from __future__ import annotations

from loopback_auth.doctor.redirect_probe import ProbeAnswer, Verdict
from loopback_auth.effects import Flow, Send
from loopback_auth.errors import LoopbackAuthError, TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Redirect
from loopback_auth.protocol.client_id_document import DRAFT, check_client_id_document, check_client_id_url

HOSTED = "client metadata document"


def fetch_document(url: str) -> Flow[HttpResponse]:
    """Request a document.

    Raises:
        ConfigError: the address cannot be a client ID.
        TransportError, ProtocolError: there was no answer, or one that is too long.

    Source: draft-ietf-oauth-client-id-metadata-document-02 §5.
    """
    request = HttpRequest("GET", check_client_id_url(url), (("Accept", "application/json"),))
    return (yield from Send(request, step="client metadata request"))


def probe_document(url: str, redirect: Redirect) -> Flow[tuple[ProbeAnswer, ...]]:
    """Find out whether servers accept a document; an error is an answer, too.

    Source: draft-ietf-oauth-client-id-metadata-document-02 §4.
    """
    try:
        answer = yield from fetch_document(url)
        flaws = check_client_id_document(url, answer, redirect)
    except LoopbackAuthError as exc:
        verdict: Verdict = "unknown" if isinstance(exc, TransportError) else "no"
        return (ProbeAnswer(HOSTED, verdict, f"{exc.message.rstrip('.')}.", f"{DRAFT} §5"),)
    if not flaws:
        return (ProbeAnswer(HOSTED, "yes", f"Servers accept the one at {url}.", f"{DRAFT} §4"),)
    return tuple(
        ProbeAnswer(HOSTED, "no" if flaw.must else "likely", flaw.text, flaw.source) for flaw in flaws
    )
