"""A token as a story: header and claims with their meaning, times for people, and what is wrong with it.

The claims are shown, because they are the user's own; the signature and the whole token are not, so that what
is shown cannot be used in its place. What in the claims is a secret itself is a label. That the signature was
not checked is said first.

Source: RFC 7519 §4, §7.2; RFC 8725 §3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from loopback_auth.compare.model import Finding
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.narration import Story
from loopback_auth.explain.reduction import HIDDEN, is_public, reduced_url, without_user
from loopback_auth.explain.rules import judged
from loopback_auth.explain.story import LONGEST_VALUE, ExplainedStep, ExplainedValue
from loopback_auth.explain.story_words import Sentence
from loopback_auth.explain.tokens.claim_rules import CLAIM_RULES
from loopback_auth.explain.tokens.token import Token
from loopback_auth.explain.tokens.token_rules import TOKEN_RULES, DatedToken
from loopback_auth.explain.tokens.token_words import CLAIMS, HEADER, KINDS, TIMES
from loopback_auth.narrow import is_list, is_mapping
from loopback_auth.protocol.jwk import PRIVATE
from loopback_auth.redact import server_text
from loopback_auth.trace.secret_finder import looks_secret
from loopback_auth.trace.secret_labels import SecretLabels
from loopback_auth.trace.secret_names import is_secret

LONGEST_NAME = 24
"""Characters of a name with digits; a longer one may be a secret."""
MOST_MEMBERS = 100
"""Members of a header or of claims that are shown."""
NOT_CHECKED = (
    "The signature was NOT checked, so anyone can have written what stands here. Nothing was sent: the token "
    "was read on this machine."
)
ENCRYPTED = "The content is encrypted. Only its header can be read without the key."
GUESSED = "What kind of token it is was concluded from its claims: its header does not say it."
BEFORE_IT = (
    "after it has compared iss with the issuer that it expects, aud with itself, and the times with its "
    "clock."
)
CHECKED_BY = f"A program checks it with the keys that the issuer publishes, {BEFORE_IT}"
SHARED_KEY = (
    "{alg} uses one secret key for making and checking it. The issuer and the program share that key: for an "
    f"ID token it is the client secret. The program checks it {BEFORE_IT}"
)
UNSIGNED = (
    "There is none, because alg is none. A program must not accept such a token unless it was told to expect "
    "one."
)


def token_story(token: Token, *, now: float) -> Story:
    """Explain a token.

    Args:
        token: that was read.
        now: in Unix seconds.
    """
    known = SecretLabels()
    learn_secrets(token, known)
    words, source = KINDS[_innermost(token).kind]
    notes = [NOT_CHECKED]
    if _innermost(token).guessed:
        notes.append(GUESSED)
    if token.disclosures:
        notes.append(f"Behind it are {token.disclosures} disclosures or key bindings, which are not shown.")
    return Story(
        flow="",
        title=_title(token, known),
        summary=words if token.form != "encrypted" else ENCRYPTED,
        source=source if token.form != "encrypted" else "RFC 7516 §3",
        notes=tuple(notes),
        scenes=tuple(token_scenes(token, now=now, labels=known)),
        answers=tuple(_answers(_innermost(token), now, known)),
        fates=(),
        findings=token_findings(token, now=now),
        kind="token",
    )


def token_scenes(
    token: Token, *, now: float, labels: SecretLabels, name: str = ""
) -> Iterator[ExplainedStep]:
    """Iterate over header and claims of a token, and of the token in it.

    Args:
        token: that was read.
        now: in Unix seconds.
        labels: of the secrets, which were learnt before.
        name: what the token is called, where there is more than one.
    """
    of = f" of the {name}" if name else ""
    if token.header:
        values = tuple(member_values(token.header, HEADER, now, labels))
        yield _scene(
            f"header{of}", values, "How it is protected, as far as it says so itself.", "RFC 7515 §4"
        )
    if token.claims:
        values = tuple(member_values(token.claims, CLAIMS, now, labels))
        yield _scene(f"claims{of}", values, "What it says.", "RFC 7519 §4")
    if token.inner is not None:
        yield from token_scenes(token.inner, now=now, labels=labels, name=f"{name or 'token'} inside")


def learn_secrets(token: Token, labels: SecretLabels) -> None:
    """Learn what in a token is a secret itself, before anything of it is shown."""
    learn_members(token.header, labels)
    learn_members(token.claims, labels)
    if token.inner is not None:
        learn_secrets(token.inner, labels)


def token_findings(token: Token, *, now: float) -> tuple[Finding, ...]:
    """Check a token, and the token in it."""
    findings = judged((*TOKEN_RULES, *CLAIM_RULES), DatedToken(token, now))
    return (*findings, *token_findings(token.inner, now=now)) if token.inner is not None else findings


def _innermost(token: Token) -> Token:
    return token if token.inner is None else _innermost(token.inner)


def _title(token: Token, labels: SecretLabels) -> str:
    inner = _innermost(token)
    issuer = labels.text(server_text(inner.text("iss"), 80))
    form = {"signed": "", "encrypted": "encrypted ", "cut": "cut "}[token.form]
    return f"{form}{inner.kind}" + (f" of {issuer}" if issuer else "")


def _answers(token: Token, now: float, labels: SecretLabels) -> Iterator[Answer]:
    end = DatedToken(token, now).time("exp")
    if end is not None:
        over = "No" if now >= end else "Yes"
        yield Answer("Is it still valid?", f"{over}: exp is {time_text(end, now)}.", "RFC 7519 §4.1.4")
    who = next((name for name in ("email", "preferred_username", "name", "sub") if token.text(name)), "")
    if who:
        words = f"{who} is {labels.text(server_text(token.text(who), LONGEST_VALUE))}."
        yield Answer("Whom is it about?", words, "RFC 7519 §4.1.2")
    audience = token.claims.get("aud")
    if audience:
        words = f"Only {_text(audience, labels)} should accept it."
        yield Answer("Who should accept it?", words, "RFC 7519 §4.1.3")
    if token.header and token.form == "signed":
        yield _signature(token.header.get("alg"))


def _signature(alg: object) -> Answer:
    """Say which key a signature is checked with."""
    question = "How is its signature checked?"
    if alg == "none":
        return Answer(question, UNSIGNED, "RFC 7519 §6; RFC 8725 §3.2")
    if alg in ("HS256", "HS384", "HS512"):
        source = "RFC 7518 §3.2; OpenID Connect Core 1.0 §10.1; RFC 8725 §3.8, §3.9"
        return Answer(question, SHARED_KEY.format(alg=alg), source)
    return Answer(question, CHECKED_BY, "RFC 7515 §5.2; RFC 8725 §3.8, §3.9")


def _scene(title: str, values: tuple[ExplainedValue, ...], words: str, source: str) -> ExplainedStep:
    return ExplainedStep((), "", title, "", values, 0, (), words, source)


def member_values(
    members: Mapping[str, object],
    table: Mapping[str, Sentence],
    now: float,
    labels: SecretLabels,
    *,
    guess: bool = False,
) -> Iterator[ExplainedValue]:
    """Iterate over members with what they mean.

    Args:
        members: of a JSON object.
        table: what they mean.
        now: in Unix seconds.
        labels: of the secrets, which were learnt before.
        guess: do not show what looks like a secret, where the table does not have the member.
    """
    for name, value in list(members.items())[:MOST_MEMBERS]:
        meaning, source = table.get(name, ("", ""))
        shown = _name(name, labels)
        if guess and isinstance(value, str) and "://" in value:
            value = reduced_url(without_user(value))
        unknown = guess and not meaning and not is_public(name) and isinstance(value, str)
        hidden = unknown and (looks_secret(str(value)) or "/" in str(value))
        yield ExplainedValue(
            shown if len(shown) < 60 else HIDDEN,
            f"({len(str(value))} characters, not shown)" if hidden else _shown(name, value, now, labels),
            meaning,
            source,
            secret=_is_hidden(name, value),
        )
    if len(members) > MOST_MEMBERS:
        yield ExplainedValue(f"and {len(members) - MOST_MEMBERS} more")


def _name(name: str, labels: SecretLabels) -> str:
    """Write the name of a member, unless it looks like a secret in the place of a name."""
    return HIDDEN if len(name) > LONGEST_NAME and looks_secret(name) else labels.text(server_text(name, 80))


def _shown(name: str, value: object, now: float, labels: SecretLabels) -> str:
    if name in TIMES and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{_number(value)} ({time_text(float(value), now)})" if abs(value) < 1e15 else _number(value)
    if name == "x5c" and is_list(value):
        return f"({len(value)} certificates, not shown)"
    if _is_hidden(name, value):
        return labels.learn(name, value) if isinstance(value, str) else "(not shown)"
    return _text(value, labels)


def _text(value: object, labels: SecretLabels) -> str:
    """Write a value: a text as it is, anything else as JSON, without its secrets."""
    if isinstance(value, str):
        return labels.text(server_text(value, LONGEST_VALUE)) or "(empty)"
    written = json.dumps(_clean(value, labels, 0), ensure_ascii=False)
    return server_text(written, LONGEST_VALUE)


def _clean(value: object, labels: SecretLabels, depth: int) -> object:
    if is_mapping(value):
        private = PRIVATE if "kty" in value else frozenset[str]()
        return {
            _name(name, labels): "(not shown)"
            if name in private or _is_hidden(name, one)
            else _clean(one, labels, depth + 1)
            for name, one in list(value.items())[:MOST_MEMBERS]
        }
    if is_list(value):
        return [_clean(one, labels, depth + 1) for one in value[:MOST_MEMBERS]]
    if isinstance(value, str):
        return labels.text(server_text(value, LONGEST_VALUE)) if not _is_hidden("", value) else "(not shown)"
    return value


def learn_members(value: object, labels: SecretLabels, name: str = "") -> None:
    """Learn what in something that was read from JSON is a secret, however deep."""
    if is_mapping(value):
        for inner, one in value.items():
            learn_members(one, labels, inner)
    elif is_list(value):
        for one in value:
            learn_members(one, labels, name)
    elif isinstance(value, str) and _is_hidden(name, value):
        labels.learn(name, value)


def _is_hidden(name: str, value: object) -> bool:
    """Return whether a member is a secret itself: by its name, or because it is a token."""
    if is_secret(name):
        return not isinstance(value, bool)
    return isinstance(value, str) and value.startswith("ey") and value.count(".") >= 2


def _number(value: float) -> str:
    return json.dumps(value)[:40]


def time_text(seconds: float, now: float) -> str:
    """Write a time for people: in UTC, and how far it is from now.

    Args:
        seconds: Unix seconds.
        now: Unix seconds.
    """
    try:
        at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return "not a date"
    return f"{at:%Y-%m-%d %H:%M:%S} UTC, {_distance(seconds - now)}"


def _distance(seconds: float) -> str:
    amount = abs(seconds)
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if amount >= 2 * size or unit == "second":
            count = f"{amount / size:.0f} {unit}s"
            return f"in {count}" if seconds > 0 else f"{count} ago"
    return ""
