"""What an authorization server offers besides the flows, as its metadata say: read, and not tried out.

Source: RFC 8414 §2; RFC 7591 §3; RFC 9449 §5.1; RFC 9101 §10.5; JARM §3;
draft-ietf-oauth-client-id-metadata-document §6.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.doctor.redirect_probe import ProbeAnswer, Verdict
from loopback_auth.narrow import is_list, is_strings
from loopback_auth.redact import server_text

BY_JWT = ("jwt", "query.jwt", "form_post.jwt", "fragment.jwt")


def offers(document: Mapping[str, object]) -> tuple[ProbeAnswer, ...]:
    """Return what a server offers to a client that registers itself, binds its tokens to a key, or signs.

    Args:
        document: the metadata; untrusted.

    Source: RFC 8414 §2.
    """
    algorithms = listed(document, "dpop_signing_alg_values_supported")
    modes = [one for one in listed(document, "response_modes_supported") if one in BY_JWT]
    return (
        _offer(
            "registration",
            "RFC 7591 §3",
            isinstance(document.get("registration_endpoint"), str),
            yes="A program can register itself, so that it needs no client ID.",
            no="No registration endpoint is listed: register a client by hand, and give its ID.",
        ),
        _offer(
            "client ID metadata document",
            "draft-ietf-oauth-client-id-metadata-document §6",
            document.get("client_id_metadata_document_supported") is True,
            yes="The URL of a document can be the client ID: --client-metadata-url.",
            no="The metadata do not list it: --client-metadata-url has no effect here.",
        ),
        _offer(
            "DPoP",
            "RFC 9449 §5.1",
            "ES256" in algorithms,
            yes=f"Tokens can be bound to a key, with --dpop: the metadata list {_shown(algorithms)}.",
            no=f"The metadata list only {_shown(algorithms)}, and ES256 is needed: leave --dpop out."
            if algorithms
            else "The metadata do not list it: a stolen token can be used without a key.",
        ),
        _signed_requests(document),
        _offer(
            "signed response (JARM)",
            "JARM §3",
            bool(modes),
            yes=f"The response can be signed, with --response-mode: the metadata list {_shown(modes)}.",
            no="The metadata list no such response mode.",
        ),
    )


def listed(document: Mapping[str, object], name: str) -> list[str]:
    """Return the words of a list in the metadata; empty when there is no such list."""
    values = document.get(name)
    return list(values) if is_list(values) and is_strings(values) else []


def _signed_requests(document: Mapping[str, object]) -> ProbeAnswer:
    what, source = "signed request (JAR)", "RFC 9101 §10.5"
    if document.get("require_signed_request_object") is True:
        because = "The server demands it: give the client's key with --private-key-file."
        return ProbeAnswer(what, "yes", because, source)
    return _offer(
        what,
        source,
        document.get("request_parameter_supported") is True,
        yes="The request can be signed, with --signed-request and --private-key-file.",
        no="The metadata do not list it.",
    )


def _offer(what: str, source: str, offered: bool, *, yes: str, no: str) -> ProbeAnswer:
    verdict: Verdict = "yes" if offered else "no"
    return ProbeAnswer(what, verdict, yes if offered else no, source)


def _shown(words: list[str]) -> str:
    return server_text(", ".join(words), 200)
