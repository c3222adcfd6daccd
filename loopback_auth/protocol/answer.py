"""Tell kinds of answers apart: members to read, a refusal, a page from something in between, or a failure.

A failing server, or a proxy in front of it, has not decided on the request; its answer is not a refusal,
whatever the body says. Most answers show neither failure nor refusal; then `protocol.refusal` is not
imported. This module refuses to know what the members mean.

Source: RFC 6749 §5.1, §5.2; RFC 6585 §4, §6; RFC 9110 §8.3, §10.2.3, §15.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from loopback_auth.errors import MalformedResponse, TransportError
from loopback_auth.http_messages import FORM, HttpResponse
from loopback_auth.protocol.json import is_json, is_page, media_type, parse_object
from loopback_auth.redact import server_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.protocol.refusal import Refusal

TRANSIENT = frozenset(
    {
        # RFC 6749 §4.1.2.1, RFC 8628 §3.5
        "servererror",
        "temporarilyunavailable",
        "slowdown",
        # Vendors send these with other statuses than 429 or 5xx.
        "internalerror",
        "internalservererror",
        "ratelimited",
        "ratelimitexceeded",
        "serviceunavailable",
        "toomanyrequests",
    }
)
"""The letters of error codes that mean a failure of the server, not a refusal."""

PASSING = frozenset({407, 408, 425, 429})
"""Statuses that mean a failure, as do 500 and above: RFC 9110 §15.5.8-9, RFC 8470 §5.2, RFC 6585 §4."""

FIELD_LIMIT = 64

_TITLE = rb"(?i)<title[^>]{0,200}>([^<]{1,400})"


def members_of(
    answer: HttpResponse, *, what: str, source: str, hint: str = "", parameter: str = ""
) -> Mapping[str, object]:
    """Return the members of an answer that is JSON, or a form as GitHub writes it.

    Args:
        answer: untrusted.
        what: names the document in messages, for example `token response`.
        source: the clause that demands JSON.
        hint: what to do when something else came.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.

    Raises:
        MalformedResponse: the answer is neither; the message says what came instead.

    Source: RFC 6749 §5.1; RFC 8259.
    """
    if (members := _members(answer, what, source)) is not None:
        return members
    if is_page(answer):
        hint = "Try again from another network, or open the address in a browser to see what stands there."
    raise MalformedResponse(
        f"The {what} is malformed: {came_instead(answer)}", source=source, hint=hint, parameter=parameter
    )


def refusal_in(answer: HttpResponse) -> Refusal:
    """Read the refusal in an answer, whatever its form; empty when nothing can be read.

    Source: RFC 6749 §5.2.
    """
    from loopback_auth.protocol.refusal import WORDS_LIMIT, Refusal, refusal  # Start-up.

    try:
        members = _members(answer, "refusal", "RFC 6749 §5.2")
    except MalformedResponse:
        members = None
    if members is not None:
        return refusal(members)
    # A success in an unknown form may contain the tokens.
    if 200 <= answer.status < 300:
        return Refusal()
    sentence = server_text(answer.body[: 4 * WORDS_LIMIT].decode("utf-8", "replace"), WORDS_LIMIT)
    # A code alone, as text or as a JSON string, is read like a member `message`.
    if answer.body[:1] in (b'"', b"["):
        return refusal({"message": sentence.strip('"[] ')})
    plain = media_type(answer) in ("", "text/plain")
    return refusal({"message": sentence}) if plain else Refusal()


def refused(document: Mapping[str, object], answer: HttpResponse) -> Refusal | None:
    """Return the refusal in an answer; None when the answer is not one, or says nothing that could be shown.

    Without an error code, the status is the code. In an answer with a status of success only `error` and its
    like count, because `message` or `status` may say anything there.

    Args:
        document: the members of the answer.
        answer: untrusted.

    Source: RFC 6749 §5.2 (GitHub, Slack and others answer 200).
    """
    if answer.status < 400 and not _says_no(document):
        return None
    from loopback_auth.protocol.refusal import refusal  # Start-up.

    found = refusal(document)
    if not (found.error or found.description):
        return None
    return found if found.error else replace(found, error=f"HTTP status {answer.status}")


def came_instead(answer: HttpResponse) -> str:
    """Say what came where JSON was expected.

    Source: RFC 9110 §8.3, §15; RFC 6585 §6 (511).
    """
    status = f"HTTP status {answer.status}"
    if 300 <= answer.status < 400 and answer.header("location"):
        return f"{status}, a redirect, which is not followed"
    if not answer.body.strip():
        return f"{status} with an empty body"
    if is_page(answer):
        title = re.search(_TITLE, answer.body[:65536])
        named = f" ({server_text(title[1].decode('utf-8', 'replace'), 80)!a})" if title else ""
        return (
            f"{status} with a web page{named}; a proxy, a firewall or a bot check may have answered in place "
            "of the server"
        )
    found = refusal_in(answer)
    words = found.description or found.error
    kind = server_text(answer.header("content-type"), 60) or "none"
    return f"{status} with content type {kind}" + (f" ({words})" if words else "")


def check_well(answer: HttpResponse, who: str, *, hint: str = "Try again {when}.") -> None:
    """Refuse an answer that shows that the server failed, so that it has decided nothing.

    Args:
        answer: untrusted.
        who: for example `token endpoint`.
        hint: what to do, with `{when}` for when.

    Raises:
        TransportError: the server failed, whatever the body says.

    Source: RFC 9110 §15.6; RFC 6585 §4; RFC 6749 §4.1.2.1 (`server_error`, `temporarily_unavailable`).
    """
    if answer.status < 400 and is_json(answer) and not _may_tell_of_trouble(answer):
        return
    words = refusal_in(answer)
    if not (answer.status >= 500 or answer.status in PASSING or _passes(words, answer)):
        return
    from loopback_auth.protocol.polling import (
        wait_wanted,
    )  # It imports what reads dates, which a success never needs.

    told = came_instead(answer) if is_page(answer) else f"HTTP status {answer.status}"
    detail = ": ".join(part for part in (words.error, words.description) if part)
    pause = wait_wanted(answer)
    when = "in a few minutes" if pause is None else f"in {_span(pause)}"
    raise TransportError(
        f"The {who} failed: {told}" + (f" ({detail})" if detail else ""),
        hint=hint.format(when=when),
        retry_after=pause,
    )


def _passes(words: Refusal, answer: HttpResponse) -> bool:
    if "".join(filter(str.isalpha, words.error)).lower() in TRANSIENT:
        return True
    # RFC 9110 §10.2.3: a server that names a time to come back refuses for now only; GitHub limits rates with
    # 403.
    return answer.status == 403 and bool(answer.header("retry-after").strip())


def _may_tell_of_trouble(answer: HttpResponse) -> bool:
    """Return whether a code of `TRANSIENT` is anywhere in an answer, in any spelling that is known."""
    letters = re.sub(rb"[^a-z]+", b"", answer.body.lower())
    return any(word.encode("ascii") in letters for word in TRANSIENT)


def _says_no(document: Mapping[str, object]) -> bool:
    if document.get("ok") is False or document.get("success") is False:
        return True
    return bool(document.get("error") or document.get("errors"))


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{max(2, round(seconds))} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{min(seconds / 3600, 999):.0f} hours"


def _members(answer: HttpResponse, what: str, source: str) -> Mapping[str, object] | None:
    if not answer.body.strip():
        return None
    return parse_object(answer.body, what=what, source=source) if is_json(answer) else _fields(answer)


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
    # RFC 6749 §3.2: a parameter must not be repeated, because it would have two meanings.
    return None if len(dict(pairs)) != len(pairs) else dict(pairs)
