"""Checks of what a server publishes about itself.

Source: RFC 8414 §2, §3; OpenID Connect Discovery 1.0 §3, §4; RFC 9700 §2.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.examination import DOCUMENTS
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.doctor.server_offers import listed
from loopback_auth.narrow import is_list
from loopback_auth.protocol.json import media_type, object_or_none
from loopback_auth.redact import server_text

UNPUBLISHED = "The server publishes no metadata."
FORBIDDEN: Mapping[str, tuple[str, ...]] = {
    "dpop_signing_alg_values_supported": ("none", "HS"),
    "id_token_signing_alg_values_supported": ("none",),
    "request_object_signing_alg_values_supported": ("none",),
    "token_endpoint_auth_signing_alg_values_supported": ("none",),
}
"""Beginnings of algorithms that a list must not have: RFC 9449 §5.1, RFC 8414 §2, RFC 8725 §3.2."""


def _published(observed: Observed) -> Judgement:
    if observed.documents:
        return passed("The server describes itself.")
    statuses = [one.status for name in DOCUMENTS if (one := observed.response(name)) is not None]
    told = f"Neither metadata document was found: HTTP status {', '.join(map(str, statuses))}."
    absent = len(statuses) == len(DOCUMENTS) and not any(one == 429 or one >= 500 for one in statuses)
    return failed(told) if absent else unseen(told)


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


def _iss(observed: Observed) -> Judgement:
    if not observed.documents:
        return unseen(UNPUBLISHED)
    if observed.document.get("authorization_response_iss_parameter_supported") is True:
        return passed("The metadata announce it.")
    return failed("The metadata do not announce it.")


def _password(observed: Observed) -> Judgement:
    grants = listed(observed.document, "grant_types_supported")
    if not grants:
        return idle("The metadata list no grant types, which means authorization_code and implicit.")
    if "password" in grants:
        return failed("The metadata list password.")
    return passed(f"The metadata list {_shown(grants)}.")


def _agree(observed: Observed) -> Judgement:
    if len(observed.documents) < len(DOCUMENTS):
        return idle("There is only one metadata document.")
    one, other = (observed.documents[name] for name in DOCUMENTS)
    different = [name for name in one.keys() & other.keys() if not _compatible(one[name], other[name])]
    if different:
        return failed(f"They differ in {_shown(different)}.")
    return passed(f"They agree in all {len(one.keys() & other.keys())} members that both have.")


def _compatible(one: object, other: object) -> bool:
    """Return whether two members agree: a list of one document may leave out what is of the other alone."""
    if not is_list(one) or not is_list(other):
        return one == other
    first, second = set(map(str, one)), set(map(str, other))
    return first <= second or second <= first


def _algorithms(observed: Observed) -> Judgement:
    if not observed.documents:
        return unseen(UNPUBLISHED)
    flaws = [
        f"{name}: {_shown(found)}"
        for name, forbidden in FORBIDDEN.items()
        if (found := [one for one in listed(observed.document, name) if one.startswith(forbidden)])
    ]
    if flaws:
        return failed(f"The metadata list {'; '.join(flaws)}.")
    return passed("The metadata list no algorithm that must not be used.")


def _json(observed: Observed) -> Judgement:
    answers = [one for name in DOCUMENTS if (one := observed.response(name)) is not None]
    kinds = [media_type(one) for one in answers if one.status == 200 and object_or_none(one.body)]
    wrong = [kind for kind in kinds if not kind.endswith("json")]
    if wrong:
        return failed(f"A metadata document has the content type {server_text(wrong[0], 60) or 'none'}.")
    return passed("The metadata are JSON.") if kinds else unseen(UNPUBLISHED)


def _bound(observed: Observed) -> Judgement:
    if not observed.documents:
        return unseen(UNPUBLISHED)
    document = observed.document
    if listed(document, "dpop_signing_alg_values_supported"):
        return passed("DPoP is offered.")
    if document.get("tls_client_certificate_bound_access_tokens") is True:
        return passed("Tokens can be bound to a client certificate.")
    return failed("The metadata announce neither DPoP nor tokens that are bound to a certificate.")


def _rotation(observed: Observed) -> Judgement:
    grants = listed(observed.document, "grant_types_supported")
    if grants and "refresh_token" not in grants:
        return idle("The metadata list no refresh tokens.")
    return unseen("Only a sign-in shows it: with --attack, where the server is on this machine.")


def _shown(words: set[str] | list[str]) -> str:
    return server_text(", ".join(sorted(words)), 200)


CHECKS = (
    ServerCheck(
        "metadata",
        "medium",
        "The server publishes its metadata",
        "It publishes no metadata.",
        "RFC 8414 §3; RFC 9700 §2.6",
        "Publish the metadata of the server at /.well-known/oauth-authorization-server.",
        DOCUMENTS,
        _published,
        any_of=True,
    ),
    ServerCheck(
        "metadata-issuer",
        "high",
        "The metadata name the issuer that was asked",
        "Its metadata name another issuer.",
        "RFC 8414 §3.3",
        "Publish exactly the issuer from which the address of the metadata is made.",
        DOCUMENTS,
        _issuer,
        any_of=True,
    ),
    ServerCheck(
        "s256-announced",
        "medium",
        "The metadata announce PKCE with S256",
        "Its metadata do not announce PKCE with S256.",
        "RFC 9700 §2.1.1; RFC 8414 §2",
        "List S256 in code_challenge_methods_supported, so that clients can see that PKCE is checked.",
        DOCUMENTS,
        _s256,
        any_of=True,
    ),
    ServerCheck(
        "iss-announced",
        "medium",
        "The server names itself in its responses (iss)",
        "It does not announce that it names itself in its responses.",
        "RFC 9207 §2, §3; RFC 9700 §4.4.2",
        "Send the iss parameter in authorization responses, and announce it in the metadata.",
        DOCUMENTS,
        _iss,
        any_of=True,
    ),
    ServerCheck(
        "password-offered",
        "medium",
        "The server does not offer the password grant",
        "It offers the password grant.",
        "RFC 9700 §2.4",
        "Remove the grant type password.",
        DOCUMENTS,
        _password,
        any_of=True,
    ),
    ServerCheck(
        "metadata-agree",
        "medium",
        "The metadata documents of OAuth and of OpenID Connect agree",
        "Its two metadata documents contradict each other.",
        "RFC 8414 §5",
        "Publish the same values in both documents: clients read one or the other.",
        DOCUMENTS,
        _agree,
        any_of=True,
    ),
    ServerCheck(
        "metadata-json",
        "low",
        "The metadata documents are sent as JSON",
        "Its metadata are not sent as JSON.",
        "RFC 8414 §3.2",
        "Send the metadata with Content-Type: application/json.",
        DOCUMENTS,
        _json,
        any_of=True,
    ),
    ServerCheck(
        "algorithms",
        "medium",
        "The metadata list no signature algorithm that must not be used",
        "It lists an algorithm that must not be used.",
        "RFC 8725 §3.2; RFC 8414 §2; RFC 9449 §5.1",
        "Remove none, and HS algorithms for DPoP, from the lists of algorithms.",
        DOCUMENTS,
        _algorithms,
        any_of=True,
    ),
    ServerCheck(
        "sender-constrained",
        "info",
        "Access tokens can be bound to a key of the client",
        "Its access tokens cannot be bound to a key.",
        "RFC 9700 §2.2.1",
        "Offer DPoP, so that a stolen token is of no use.",
        DOCUMENTS,
        _bound,
        any_of=True,
    ),
    ServerCheck(
        "refresh-rotation",
        "medium",
        "Refresh tokens of public clients are rotated or bound to a key",
        "A refresh token that was used works again.",
        "RFC 9700 §2.2.2, §4.14.2",
        "Issue a new refresh token at each use, and revoke all of them when an old one comes again.",
        (),
        _rotation,
    ),
)
