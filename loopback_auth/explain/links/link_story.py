"""A link as a story: what it is, what each parameter is for, who made it, and what is missing or wrong.

Source: RFC 6749 §4.1; RFC 8252 §8; RFC 9700 §2, §4; RFC 8628 §3.3; for tickets the vendor's contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from loopback_auth.compare.model import Finding
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.errors.error_story import error_story
from loopback_auth.explain.links.answer_rules import (
    DEVICE_RULES,
    RESPONSE_RULES,
    TICKET_RULES,
    TOKEN_REQUEST_RULES,
)
from loopback_auth.explain.links.link import Link, LinkKind
from loopback_auth.explain.links.link_rules import EVERY_LINK
from loopback_auth.explain.links.link_story_words import ANSWERS, ARGUMENTS, NOTES, SUMMARIES, TITLES
from loopback_auth.explain.links.link_values import LinkValues, is_hidden, shown_address
from loopback_auth.explain.links.link_words import TICKET_VENDORS
from loopback_auth.explain.links.redirect_rules import REDIRECT_RULES
from loopback_auth.explain.links.reference_rules import REFERENCE_RULES
from loopback_auth.explain.links.request_rules import REQUEST_RULES
from loopback_auth.explain.narration import Story
from loopback_auth.explain.parameter_words import SECRETS
from loopback_auth.explain.rules import Rule, judged
from loopback_auth.explain.story import ExplainedStep, ExplainedValue
from loopback_auth.explain.story_questions import SecretExposure
from loopback_auth.explain.story_templates import TAKERS
from loopback_auth.explain.story_words import STEPS, VENDOR, Sentence
from loopback_auth.explain.tokens.token import read_token
from loopback_auth.explain.tokens.token_story import token_findings, token_scenes
from loopback_auth.settings.contracts import CONTRACTS
from loopback_auth.settings.presets import every_preset, preset_title
from loopback_auth.trace.secret_finder import looks_secret

RULES: Mapping[LinkKind, tuple[Rule[Link], ...]] = {
    "authorization request": (*REQUEST_RULES, *REDIRECT_RULES, *REFERENCE_RULES),
    "authorization response": RESPONSE_RULES,
    "device verification page": DEVICE_RULES,
    "ticket approval page": TICKET_RULES,
    "token request": TOKEN_REQUEST_RULES,
}
"""Rules by kind of link, besides those for every link."""
REDEEMABLE = frozenset(
    {"access_token", "code", "id_token", "refresh_token", "response", "ticket", "user_code"}
)
"""Secrets that are worth something by themselves."""
TOKENS = {"id_token": "ID token", "response": "response", "request": "signed request"}
"""Parameters that are tokens which can be read, and their names."""
SHOWN_PARAMETERS = 60
"""Parameters that are listed."""


def link_story(link: Link, *, now: float, typed: bool) -> Story:
    """Explain a link.

    Args:
        link: that was read.
        now: in Unix seconds.
        typed: the link came as an argument of a command, where others can read it.
    """
    values = LinkValues(link)
    vendor = _vendor(link)
    source = CONTRACTS[vendor].source if vendor else ""
    words, clause = _summary(link)
    return Story(
        flow=_flow(link),
        title=_title(link, vendor),
        summary=words,
        source=clause.replace(VENDOR, source),
        notes=tuple(_notes(link)),
        scenes=(_scene(link, values, source), *_token_scenes(link, values, now)),
        answers=tuple(_answers(link, values, source)),
        fates=tuple(_exposures(link, values, source)),
        findings=_findings(link, now, typed=typed),
        kind="link",
    )


def _summary(link: Link) -> Sentence:
    """Return what the link is for; the words of a flow's step where it has the same."""
    if link.kind == "authorization request":
        if link.by_reference:
            return SUMMARIES["by reference"]
        words = link.words("response_type") or ("code",)
        direct = "code" not in words and {"token", "id_token"} & set(words)
        return STEPS["authorization request fragment" if direct else "authorization request"]
    if link.kind == "authorization response":
        if "error" in link:
            return STEPS["authorization response refused"]
        if any(one.where == "fragment" for one in link.parameters):
            return STEPS["authorization response fragment"]
        return STEPS["authorization response"] if "code" in link else SUMMARIES[link.kind]
    return SUMMARIES[link.kind]


def _flow(link: Link) -> str:
    """Return the flow that the link belongs to, as far as the link says so."""
    if link.kind == "ticket approval page":
        return "ticket"
    if link.kind == "device verification page":
        return "device"
    return ""


def _title(link: Link, vendor: str) -> str:
    at = preset_title(vendor) if vendor else _provider(link)
    return f"{TITLES.get(link.kind, link.kind)}{f' at {at}' if at else ''}"


def _provider(link: Link) -> str:
    """Return the name of the provider whose authorization endpoint this is; empty for another one."""
    if link.kind != "authorization request":
        return ""
    for name, preset in every_preset().items():
        known = preset.get("authorization_endpoint")
        if isinstance(known, str) and urlsplit(known).hostname == link.host:
            return preset_title(name)
        issuer = preset.get("issuer")
        if isinstance(issuer, str) and urlsplit(issuer).hostname == link.host:
            return preset_title(name)
    return ""


def _vendor(link: Link) -> str:
    """Return the vendor of a ticket."""
    if link.kind != "ticket approval page":
        return ""
    ends = (name for end, name in TICKET_VENDORS.items() if f".{link.host}".endswith(f".{end}"))
    return next(ends, "netlify")


def _scene(link: Link, values: LinkValues, source: str) -> ExplainedStep:
    request = link.kind != "authorization response"
    shown = tuple(
        values.value(one, source=source, request=request) for one in link.parameters[:SHOWN_PARAMETERS]
    )
    more = len(link.parameters) - SHOWN_PARAMETERS
    if more > 0 or link.cut:
        shown += (ExplainedValue(f"and {'more than ' * link.cut}{max(more, 1)} more"),)
    who = "browser to program" if link.kind == "authorization response" else "browser to server"
    return ExplainedStep((), who, link.kind, f"GET {shown_address(link)}", shown, 0, (), "", "")


def _token_scenes(link: Link, values: LinkValues, now: float) -> Iterator[ExplainedStep]:
    """Iterate over what the tokens in a link say, as far as they can be read."""
    for one in link.parameters:
        if one.name in TOKENS and one.value.startswith("ey"):
            yield from token_scenes(
                read_token(one.value), now=now, labels=values.labels, name=TOKENS[one.name]
            )


def _notes(link: Link) -> Iterator[str]:
    yield NOTES["nothing sent"]
    if not link.host and not link.scheme and link.kind != "other":
        yield NOTES["no beginning"]
    if len(link.parameters) == 1 and link.kind == "authorization request" and not link.by_reference:
        yield NOTES["cut"]
    if link.by_reference:
        yield NOTES["by reference"]


def _answers(link: Link, values: LinkValues, source: str) -> Iterator[Answer]:
    refused = link.kind == "authorization response" and "error" in link
    if refused:
        yield from _refusal(link, values).answers
    for question, answer, clause in ANSWERS.get("refused" if refused else link.kind, ()):
        yield Answer(question, answer, clause.replace(VENDOR, source))


def _refusal(link: Link, values: LinkValues) -> Story:
    """Explain the error in a response."""
    code, described = link.value("error"), link.value("error_description")
    return error_story(
        "" if looks_secret(code) else values.public(code, said=True),
        description=described,
        said=values.public(described, said=True) if described else "",
    )


def _exposures(link: Link, values: LinkValues, source: str) -> Iterator[SecretExposure]:
    """Iterate over the secrets of a link: what each is good for, and who can see it there."""
    bound = "code_challenge" in link
    seen: set[str] = set()
    for one in link.parameters:
        if not one.value or not is_hidden(one):
            continue
        label = values.labels.learn(values.kind(one), one.value)
        kind = values.kind(one)
        if kind not in SECRETS or kind in ("state", "nonce") or label in seen:
            continue
        seen.add(label)
        good_for, clause = SECRETS[f"{kind} bound" if bound and f"{kind} bound" in SECRETS else kind]
        takers = [TAKERS["screen"], TAKERS["history"], TAKERS["extensions"]]
        if link.kind == "authorization response":
            takers.append(TAKERS["port"])
        yield SecretExposure(label, good_for, "; ".join(takers), clause.replace(VENDOR, source))


def _findings(link: Link, now: float, *, typed: bool) -> tuple[Finding, ...]:
    found = judged((*EVERY_LINK, *RULES.get(link.kind, ())), link)
    if typed and (worth := sorted({one.name for one in link.parameters if one.value} & REDEEMABLE)):
        found += (typed_secret(f"The link with {', '.join(worth)} was typed as an argument."),)
    for one in link.parameters:
        if one.name in TOKENS and one.value.startswith("ey"):
            found += token_findings(read_token(one.value), now=now)
    return found


def typed_secret(because: str) -> Finding:
    """Make the finding about a secret that was typed as an argument of a command."""
    (finding,) = judged((ARGUMENTS,), because)
    return finding
