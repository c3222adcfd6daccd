"""What a server says when it does not give what was asked for: the one reader of refusals and of trouble.

The standard has `error` and `error_description`; many servers have forms of their own. Their words are
looked for where they usually are, and shown to the person, cleaned and cut. An answer of a server that is
not well, or of something that stands before it, is no refusal: it is told apart here, whatever its body.

Source: RFC 6749 §4.1.2.1, §5.2; RFC 8628 §3.5; RFC 9457 §3.1; RFC 6585 §4; RFC 9110 §10.2.3, §15.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from loopback_auth.errors import MalformedResponse, TransportError
from loopback_auth.model import FORM, HttpResponse
from loopback_auth.protocol.json import is_json, is_page, media_type, member, parse_object
from loopback_auth.redact import error_code, server_text

WORDS_LIMIT = 200
"""Characters of a sentence that no standard asked for."""

FIELD_LIMIT = 64

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
        # RFC 8628 §3.5, and Microsoft's word for access_denied
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
    }
)
"""Codes with a meaning of their own, which are believed wherever a server puts them."""

TRANSIENT = frozenset({"server_error", "temporarily_unavailable", "slow_down"})
"""RFC 6749 §4.1.2.1, RFC 8628 §3.5: the server's trouble, and no answer to what was asked."""

PASSING = frozenset({407, 408, 425, 429})
"""Statuses that say so, besides all from 500 on: RFC 9110 §15.5.8-9, RFC 8470 §5.2, RFC 6585 §4."""

NOT_YET = frozenset({"authorization_pending", "slow_down"})
"""RFC 8628 §3.5: what a poll waits out, so that it is heard in whatever spelling."""

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
_TITLE = re.compile(rb"<title[^>]*>([^<]{1,400})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a document says against us; empty where it says nothing.

    Args:
        error: the code, cleaned.
        description: the server's sentence, cleaned and cut.
        uri: a page about the error, to print and never to open.
        codes: every code of the standards that it names anywhere.
    """

    error: str = ""
    description: str = ""
    uri: str = ""
    codes: frozenset[str] = frozenset()


def refusal(document: Mapping[str, object]) -> Refusal:
    """Read what a document says against us, in the standard's form or in another.

    Source: RFC 6749 §5.2; RFC 9457 §3.1.
    """
    places = [document, *_listed(document)]
    codes = [text for place in places for path in CODE_PATHS if _is_code(text := _text(place, path), path)]
    words = [text for place in places for path in WORDS_PATHS if (text := _text(place, path))]
    # A sentence is a code where it is one word: "Invalid token" may be said of anything.
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


def refused(document: Mapping[str, object], answer: HttpResponse) -> Refusal | None:
    """Return what an answer refuses with; None when it is none, or says nothing that could be shown.

    Where it has no code the status stands for one. With a status of success it has to say no by `error` or
    the like, since there a `message` or a `status` may say anything.

    Args:
        document: the members of the answer.
        answer: untrusted.

    Source: RFC 6749 §5.2 (GitHub, Slack and others answer 200).
    """
    if answer.status < 400 and not _says_no(document):
        return None
    found = refusal(document)
    if not (found.error or found.description):
        return None
    return found if found.error else replace(found, error=f"HTTP status {answer.status}")


def members_of(answer: HttpResponse, *, what: str, source: str, hint: str = "") -> Mapping[str, object]:
    """Return the members of an answer that is JSON, or a form as GitHub writes it.

    Args:
        answer: untrusted.
        what: names the document in messages, for example `token response`.
        source: the clause that demands JSON.
        hint: what to do when it is something else.

    Raises:
        MalformedResponse: it is neither; says what it is instead.

    Source: RFC 6749 §5.1; RFC 8259.
    """
    if is_json(answer):
        return parse_object(answer.body, what=what, source=source)
    if (fields := _fields(answer)) is not None:
        return fields
    if is_page(answer):
        hint = "Try again from another network, or open the address in a browser to see what stands there."
    raise MalformedResponse(f"The {what} is malformed: {came_instead(answer)}", source=source, hint=hint)


def said(answer: HttpResponse) -> Refusal:
    """Read what an answer says against us, whatever its form; empty when nothing can be read.

    Source: RFC 6749 §5.2.
    """
    try:
        return refusal(members_of(answer, what="refusal", source="RFC 6749 §5.2"))
    except MalformedResponse:
        plain = media_type(answer) in ("", "text/plain")
        return Refusal(description=_sentence(answer.body) if plain else "")


def came_instead(answer: HttpResponse) -> str:
    """Say what came where JSON was expected.

    Source: RFC 9110 §8.3, §15; RFC 6585 §6 (511).
    """
    status = f"HTTP status {answer.status}"
    if is_page(answer):
        title = _TITLE.search(answer.body[:65536])
        named = f" ({server_text(title[1].decode('utf-8', 'replace'), 80)!a})" if title else ""
        return (
            f"{status} with a web page{named}; a proxy, a firewall or a bot check may have answered in place "
            "of the server"
        )
    words = _sentence(answer.body) if media_type(answer) in ("", "text/plain") else ""
    kind = server_text(answer.header("content-type"), 60) or "none"
    return f"{status} with content type {kind}" + (f" ({words})" if words else "")


def check_well(answer: HttpResponse, who: str, *, hint: str = "Try again {when}.") -> None:
    """Return when a server could answer at all, yes or no.

    Args:
        answer: untrusted.
        who: for example `token endpoint`.
        hint: what to do, with `{when}` for when.

    Raises:
        TransportError: it could not, whatever the body says.

    Source: RFC 9110 §15.6; RFC 6585 §4; RFC 6749 §4.1.2.1 (`server_error`, `temporarily_unavailable`).
    """
    words = said(answer)
    if not (answer.status >= 500 or answer.status in PASSING or words.error in TRANSIENT):
        return
    from loopback_auth.protocol.polling import wait_wanted  # It reads dates: not on the way to success.

    told = came_instead(answer) if is_page(answer) else f"HTTP status {answer.status}"
    detail = ": ".join(part for part in (words.error, words.description) if part)
    pause = wait_wanted(answer)
    when = "in a few minutes" if pause is None else f"in {max(1, round(pause))} seconds"
    raise TransportError(
        f"The {who} is not well: {told}" + (f" ({detail})" if detail else ""),
        hint=hint.format(when=when),
        retry_after=pause,
    )


def _says_no(document: Mapping[str, object]) -> bool:
    if document.get("ok") is False or document.get("success") is False:
        return True
    return bool(document.get("error") or document.get("errors"))


def _listed(document: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Find refusals in lists: of Fitbit and JSON:API, of Doppler, of FastAPI, of Rails."""
    for name in ("error", "errors", "messages", "detail", "details"):
        value = document.get(name)
        for _ in range(3):
            if isinstance(value, str):
                yield {"message": value}
                break
            if isinstance(value, Mapping):
                yield value
                value = next(iter(value.values()), None) if name == "errors" else None
            elif isinstance(value, list):
                value = next(iter(value), None)


def _text(document: Mapping[str, object], path: str) -> str:
    value = member(document, path)
    return value if isinstance(value, str) else ""


def _is_code(text: str, path: str) -> bool:
    if path in ("id", "status"):  # Which are numbers of requests, and "error", elsewhere.
        return _WORD.fullmatch(text) is not None and text not in ("error", "fail", "failed", "failure")
    return _CODE.fullmatch(text) is not None


def _standard(text: str) -> str:
    """Spell a word as the standards spell codes."""
    return (
        re.sub(r"[\s-]+", "_", _CAMEL.sub("_", text.strip().rstrip("."))).lower() if len(text) <= 80 else ""
    )


def _fields(answer: HttpResponse) -> Mapping[str, object] | None:
    kind = media_type(answer)
    if kind != FORM and not (
        kind in ("", "text/plain", "text/html") and answer.body.startswith((b"access_token=", b"error="))
    ):
        return None
    try:
        pairs = parse_qsl(answer.body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    except ValueError:
        return None
    # RFC 6749 §3.2: no parameter may be there twice, for it would have two meanings.
    return None if len(dict(pairs)) != len(pairs) else dict(pairs)


def _sentence(body: bytes) -> str:
    return server_text(body[: 4 * WORDS_LIMIT].decode("utf-8", "replace"), WORDS_LIMIT)
