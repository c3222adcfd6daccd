"""Read the error code and the description of a refusal, whatever form the server uses.

The standard has `error` and `error_description`; many servers have forms of their own, which are looked for
where they usually are. What is found is cleaned and cut, so that it can be shown to the person. Which answers
are refusals, and which are failures of a server, is decided in `protocol.answer`.

Source: RFC 6749 §4.1.2.1, §5.2; RFC 8628 §3.5; RFC 9457 §3.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loopback_auth.narrow import is_list, is_object
from loopback_auth.protocol.json import member
from loopback_auth.redact import error_code, server_text

WORDS_LIMIT = 200
"""Characters of a description that is not in the standard form."""

KNOWN_CODES = frozenset(
    {
        # RFC 6749 §4.1.2.1, §5.2
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
        # RFC 8628 §3.5, and Microsoft's code for access_denied
        "authorization_declined",
        "authorization_pending",
        "expired_token",
        "slow_down",
        # OpenID Connect Core 1.0 §3.1.2.6
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "login_required",
        # RFC 7009 §2.2.1, RFC 6750 §3.1, RFC 8707 §2
        "unsupported_token_type",
        "invalid_token",
        "invalid_target",
        # RFC 9449 §5, §8
        "invalid_dpop_proof",
        "use_dpop_nonce",
    }
)
"""Codes with one meaning only, which count wherever a server puts them."""

NOT_YET = frozenset({"authorization_pending", "slow_down"})
"""RFC 8628 §3.5: codes that mean "poll again", recognized in any spelling."""

CODE_PATHS = (
    "error",
    "error.code",
    "error.error",
    "error.type",
    "error.status",
    "code",
    "error_code",
    "errorCode",
    "errorType",
    "id",
    "status",
    "fault.detail.errorcode",
)
"""Where servers put a code. OAuth; Vercel, Facebook, Google; Okta, Fitbit; Heroku, HubSpot; Apigee."""

WORDS_PATHS = (
    "error_description",
    "error.message",
    "error.error_description",
    "error.description",
    "error.detail",
    "message",
    "detail",
    "details",
    "description",
    "error_message",
    "errorMessage",
    "errorSummary",
    "msg",
    "reason",
    "fault.faultstring",
    "title",
)
"""Where servers put a sentence: `detail` and `title` are those of RFC 9457."""

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{1,79}")
_WORD = re.compile(r"[A-Za-z_]{3,40}")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal in a document; empty where it has none.

    Args:
        error: the code, cleaned.
        description: the server's sentence, cleaned and cut.
        uri: a page about the error, to print and never to open.
        codes: every standard code that is anywhere in the document.
    """

    error: str = ""
    description: str = ""
    uri: str = ""
    codes: frozenset[str] = frozenset()


def refusal(document: Mapping[str, object]) -> Refusal:
    """Read the refusal in a document, in the standard form or in another.

    Source: RFC 6749 §5.2; RFC 9457 §3.1.
    """
    places = [document, *_listed(document)]
    codes = [text for place in places for path in CODE_PATHS if _is_code(text := _text(place, path), path)]
    words = [text for place in places for path in WORDS_PATHS if (text := _text(place, path))]
    # A sentence counts as a code only if it is one word: "Invalid token" may mean anything.
    named_there = [*codes, *(text for text in words if _WORD.fullmatch(text) or _standard(text) in NOT_YET)]
    known = [_standard(text) for text in named_there if _standard(text) in KNOWN_CODES]
    named = document.get("error")
    if known:
        error = known[0]
    elif isinstance(named, str) and named:
        error = error_code(named)
    else:
        error = next(iter(codes), "")
    described = document.get("error_description")
    if isinstance(described, str) and described:
        description = server_text(described)
    else:
        sentences = (server_text(text, WORDS_LIMIT) for text in (*words, *codes))
        description = next(
            (text for text in sentences if not error or _standard(text) != _standard(error)), ""
        )
    return Refusal(error, description, server_text(_text(document, "error_uri")), frozenset(known))


def _listed(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Find refusals in lists, as Fitbit, JSON:API, Doppler, FastAPI and Rails send them."""
    for name in ("error", "errors", "messages", "detail", "details"):
        value = document.get(name)
        for _ in range(3):
            if isinstance(value, str):
                yield {"message": value}
                break
            if is_object(value):
                yield value
                value = next(iter(value.values()), None) if name == "errors" else None
            elif is_list(value):
                value = next(iter(value), None)


def _text(document: Mapping[str, object], path: str) -> str:
    value = member(document, path)
    return value if isinstance(value, str) else ""


def _is_code(text: str, path: str) -> bool:
    if path in ("id", "status"):  # Elsewhere these are request numbers, and the word "error".
        return _WORD.fullmatch(text) is not None and text not in ("error", "fail", "failed", "failure")
    return _CODE.fullmatch(text) is not None


def _standard(text: str) -> str:
    """Return a word in the spelling of the standard codes."""
    return (
        re.sub(r"[\s-]+", "_", _CAMEL.sub("_", text.strip().rstrip("."))).lower() if len(text) <= 80 else ""
    )
