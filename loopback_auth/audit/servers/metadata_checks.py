"""Checks of what a server publishes about itself.

Source: RFC 8414 §2, §3; OpenID Connect Discovery 1.0 §3, §4; RFC 9700 §2.
"""

from __future__ import annotations

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.examination import DOCUMENTS
from loopback_auth.audit.servers.server_check import ServerCheck, failed, idle, passed, unseen
from loopback_auth.compare.judging.verdicts import Judgement
from loopback_auth.doctor.server_offers import listed
from loopback_auth.redact import server_text

UNPUBLISHED = "The server publishes no metadata."


def _published(observed: Observed) -> Judgement:
    if observed.documents:
        return passed("The server describes itself.")
    statuses = [str(one.status) for name in DOCUMENTS if (one := observed.response(name)) is not None]
    return failed(f"Neither metadata document was found: HTTP status {', '.join(statuses)}.")


def _issuer(observed: Observed) -> Judgement:
    asked = observed.client.provider.metadata.issuer
    named = {str(one.get("issuer")) for one in observed.documents.values()}
    if not named:
        return unseen(UNPUBLISHED)
    wrong = named - {asked, observed.client.provider.allowed_issuer}
    if wrong:
        return failed(f"Asked was {asked}, and the metadata name {_shown(wrong)}.")
    return passed(f"The metadata name {asked}.")


def _s256(observed: Observed) -> Judgement:
    methods = listed(observed.document, "code_challenge_methods_supported")
    if not observed.documents:
        return unseen(UNPUBLISHED)
    if "S256" in methods:
        return passed(f"The metadata list {_shown(methods)}.")
    return failed(f"The metadata list {_shown(methods) or 'no method'}.")


def _plain(observed: Observed) -> Judgement:
    methods = listed(observed.document, "code_challenge_methods_supported")
    if not methods:
        return unseen("The metadata list no method.")
    if "plain" in methods:
        return failed(f"The metadata list {_shown(methods)}.")
    return passed(f"The metadata list only {_shown(methods)}.")


def _iss(observed: Observed) -> Judgement:
    if not observed.documents:
        return unseen(UNPUBLISHED)
    if observed.document.get("authorization_response_iss_parameter_supported") is True:
        return passed("The metadata announce it.")
    return failed("The metadata do not announce it.")


def _implicit(observed: Observed) -> Judgement:
    types = listed(observed.document, "response_types_supported")
    if not types:
        return unseen("The metadata list no response types.")
    found = [one for one in types if "token" in one.split()]
    if found:
        return failed(f"The metadata list {_shown(found)}.")
    return passed(f"The metadata list {_shown(types)}.")


def _password(observed: Observed) -> Judgement:
    grants = listed(observed.document, "grant_types_supported")
    if not grants:
        return idle("The metadata list no grant types, which means authorization_code and implicit.")
    if "password" in grants:
        return failed("The metadata list password.")
    return passed(f"The metadata list {_shown(grants)}.")


def _shown(words: set[str] | list[str]) -> str:
    return server_text(", ".join(sorted(words)), 200)


CHECKS = (
    ServerCheck(
        "metadata",
        "medium",
        "The server publishes its metadata",
        "RFC 8414 §3; RFC 9700 §2.6",
        "Publish the metadata of the server at /.well-known/oauth-authorization-server.",
        DOCUMENTS,
        _published,
    ),
    ServerCheck(
        "metadata-issuer",
        "high",
        "The metadata name the issuer that was asked",
        "RFC 8414 §3.3",
        "Publish exactly the issuer from which the address of the metadata is made.",
        DOCUMENTS,
        _issuer,
    ),
    ServerCheck(
        "s256-announced",
        "medium",
        "The metadata announce PKCE with S256",
        "RFC 9700 §2.1.1; RFC 8414 §2",
        "List S256 in code_challenge_methods_supported, so that clients can see that PKCE is checked.",
        DOCUMENTS,
        _s256,
    ),
    ServerCheck(
        "plain-announced",
        "low",
        "The metadata do not announce the challenge method plain",
        "RFC 9700 §2.1.1",
        "Remove plain from code_challenge_methods_supported, and refuse it.",
        DOCUMENTS,
        _plain,
    ),
    ServerCheck(
        "iss-announced",
        "medium",
        "The server names itself in its responses (iss)",
        "RFC 9207 §2, §3; RFC 9700 §4.4.2",
        "Send the iss parameter in authorization responses, and announce it in the metadata.",
        DOCUMENTS,
        _iss,
    ),
    ServerCheck(
        "implicit-offered",
        "low",
        "The server offers no response type that brings access tokens through the browser",
        "RFC 9700 §2.1.2",
        "Offer response_type=code alone; clients that run in a browser can use it with PKCE too.",
        DOCUMENTS,
        _implicit,
    ),
    ServerCheck(
        "password-offered",
        "medium",
        "The server does not offer the password grant",
        "RFC 9700 §2.4",
        "Remove the grant type password.",
        DOCUMENTS,
        _password,
    ),
)
