"""An error code as a story: what happened, at which request, the usual causes, and what to do.

What to do comes from `hints`, the table that every refusal of a sign-in uses; the rest from `error_words` and
the tables of the providers. Refuses to guess what a code means that none of them has.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from loopback_auth.explain.answers import Answer
from loopback_auth.explain.errors.error_words import REQUESTS, STANDARD, KnownError
from loopback_auth.explain.errors.microsoft_errors import LOOK_UP, NUMBERED, SOURCE
from loopback_auth.explain.errors.vendor_errors import VENDOR
from loopback_auth.explain.narration import Story
from loopback_auth.hints import HINTS
from loopback_auth.redact import server_text
from loopback_auth.settings.presets import preset_title

CODES = frozenset(one.code for one in (*STANDARD, *VENDOR))
"""Every code that is known, but for the numbered ones."""
NUMBER = re.compile(r"AADSTS(\d{4,8})", re.IGNORECASE)
"""A numbered code of Microsoft, also inside a text."""
MICROSOFT = frozenset({"microsoft", "entra"})
"""The presets whose servers have numbered codes."""

STEP, CAUSES, ADVICE = "At which step does it come?", "What are the usual causes?", "What can be done?"
AT_PROVIDER = "What does it mean at {provider}?"
OWN_WORDS = "What do the server's own words say?"
DESCRIPTION = (
    "Where the response has an error_description, the server's own words are there. They say more than the "
    "code."
)


def error_story(code: str, *, provider: str = "", description: str = "", said: str = "") -> Story:
    """Explain an error code.

    Args:
        code: as the server wrote it; any text.
        provider: name of a preset; empty: any server.
        description: the server's own words, in which a numbered code is looked for.
        said: the same words without secrets, to be shown; empty: they are not shown.
    """
    code = server_text(code, 80)
    number = NUMBER.search(code) or NUMBER.search(description)
    standard = [one for one in STANDARD if one.code == code]
    theirs = [one for one in VENDOR if one.code == code and provider in ("", one.provider)]
    answers: list[Answer] = []
    if said:
        answers.append(Answer(OWN_WORDS, server_text(said), ""))
    if number is not None:
        answers.append(_numbered(number[1]))
    # Without a provider the standard speaks first; with one, what its documentation says.
    first, rest = (theirs[:1], theirs[1:]) if provider and theirs else (standard, theirs)
    if not first and theirs:
        first, rest = theirs[:1], theirs[1:]
    for one in first:
        answers += _answers(one)
    if provider and theirs and standard:
        answers.append(_in_general(standard[0]))
    answers += [_at_provider(one) for one in rest]
    if not answers[bool(said) :]:
        answers.append(_unknown(code))
    head = first[0] if first else None
    known = NUMBERED.get(number[1]) if number is not None else None
    summary = head.happened if head is not None else known[0] if known is not None else _UNKNOWN
    return Story(
        flow="",
        title=_title(code, head, provider),
        summary=summary,
        source=head.source if head is not None else SOURCE if known is not None else "",
        notes=(DESCRIPTION,) if head is not None and not said else (),
        scenes=(),
        answers=tuple(answers),
        fates=(),
        kind="error",
    )


_UNKNOWN = "No standard has this error code, and it is not one of those that are known of single providers."


def near(code: str) -> tuple[str, ...]:
    """Return the known codes that are spelled like a code, the nearest first."""
    return tuple(difflib.get_close_matches(code[:80].lower(), sorted(CODES), n=3, cutoff=0.7))


def _title(code: str, known: KnownError | None, provider: str) -> str:
    at = provider or (known.provider if known is not None else "")
    return f"error {code}" + (f" at {preset_title(at)}" if at else "")


def _answers(known: KnownError) -> Iterator[Answer]:
    """Answer when the error comes, why, and what can be done."""
    yield Answer(STEP, "", "", points=tuple(f"{name}: {REQUESTS[name]}." for name in known.requests))
    if known.causes:
        yield Answer(CAUSES, "", known.source, points=known.causes)
    advice = _advice(known)
    yield Answer(ADVICE, advice[0] if len(advice) == 1 else "", "", points=advice if len(advice) > 1 else ())


def _advice(known: KnownError) -> tuple[str, ...]:
    """Return what to do at each request, said once where it is the same."""
    by_words: dict[str, list[str]] = {}
    for name in known.requests:
        hint = known.advice if known.provider and known.advice else HINTS.get((name, known.code), ("", ""))[0]
        by_words.setdefault(hint or known.advice or _LOOK_UP, []).append(name)
    if len(by_words) == 1:
        return tuple(by_words)
    return tuple(f"{', '.join(names)}: {words}" for words, names in by_words.items())


_LOOK_UP = "Look the error up in the documentation of the server."


def _at_provider(known: KnownError) -> Answer:
    question = AT_PROVIDER.format(provider=preset_title(known.provider))
    return Answer(question, known.happened, known.source, points=(*known.causes, *_advice(known)))


def _in_general(known: KnownError) -> Answer:
    return Answer("What does it mean at any server?", known.happened, known.source, points=known.causes)


def _numbered(number: str) -> Answer:
    question = f"What does AADSTS{number} mean at Microsoft?"
    page = f"Microsoft's current text is at {LOOK_UP.format(number=number)}."
    if number not in NUMBERED:
        return Answer(question, f"This number is not in our table. {page}", SOURCE)
    happened, advice = NUMBERED[number]
    return Answer(question, f"{happened} {advice} {page}", SOURCE)


def _unknown(code: str) -> Answer:
    similar = near(code)
    suggested = f" Codes that are spelled like it: {', '.join(similar)}." if similar else ""
    words = f"{_UNKNOWN} Look it up in the documentation of the server.{suggested}"
    return Answer(ADVICE, words, "RFC 6749 §8.5")
