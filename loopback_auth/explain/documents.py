"""JSON documents of a sign-in explained: what a server answered, or publishes about itself.

Which document it is, its members say. A secret in it is a label, and of a member that no specification has
only a harmless value is shown. A recording is not such a document (see `capture`), and an error response is
told by `errors.error_story`.

Source: RFC 6749 §5.1; RFC 7517 §5; RFC 7591 §3.2.1; RFC 7662 §2.2; RFC 8414 §2; RFC 8628 §3.2; RFC 9126 §2.2;
RFC 9728 §2; OpenID Connect Core 1.0 §5.3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.errors import ConfigError
from loopback_auth.explain.answers import Answer
from loopback_auth.explain.links.link_rules import is_loopback
from loopback_auth.explain.links.link_words import LINK_PARAMETERS
from loopback_auth.explain.narration import Story
from loopback_auth.explain.parameter_words import PARAMETERS, SECRETS
from loopback_auth.explain.rules import Rule, judged
from loopback_auth.explain.story import ExplainedStep
from loopback_auth.explain.story_questions import SecretExposure
from loopback_auth.explain.story_templates import TAKERS
from loopback_auth.explain.story_words import VENDOR, Sentence
from loopback_auth.explain.tokens.token import read_token
from loopback_auth.explain.tokens.token_rules import has_private_key
from loopback_auth.explain.tokens.token_story import (
    learn_members,
    learn_secrets,
    member_values,
    token_findings,
    token_scenes,
)
from loopback_auth.explain.tokens.token_words import CLAIMS
from loopback_auth.protocol.json import object_or_none
from loopback_auth.trace.secret_labels import SecretLabels

NETLIFY = "https://github.com/netlify/open-api"
WORDS: Mapping[str, Sentence] = {**CLAIMS, **PARAMETERS, **LINK_PARAMETERS}
"""What a member is for; a few are claims."""


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A document that a server answers with or publishes.

    Args:
        name: of the document.
        members: it has all of these.
        words: what it is.
        source: clause that defines it.
        more: what can be done with it; empty: nothing that has to be said.
    """

    name: str
    members: tuple[str, ...]
    words: str
    source: str
    more: str = ""


KINDS = (
    DocumentKind("token response", ("access_token",), "The server has issued tokens.", "RFC 6749 §5.1"),
    DocumentKind(
        "device authorization response",
        ("device_code", "user_code"),
        "The server has begun a device login: the program polls with the device code, the user types the "
        "user code.",
        "RFC 8628 §3.2",
    ),
    DocumentKind(
        "pushed authorization response",
        ("request_uri", "expires_in"),
        "The server keeps the parameters of an authorization request, for a short time and one use.",
        "RFC 9126 §2.2",
    ),
    DocumentKind(
        "server metadata",
        ("issuer",),
        "The server publishes its endpoints and what it supports.",
        "RFC 8414 §2",
        "audit ISSUER examines and grades them; doctor --issuer ISSUER says which flows can work.",
    ),
    DocumentKind(
        "resource metadata",
        ("resource", "authorization_servers"),
        "An API names the servers that issue tokens for it.",
        "RFC 9728 §2",
        "explain mcp URL asks the API and its server, and tells the whole sign-in.",
    ),
    DocumentKind(
        "introspection response",
        ("active",),
        "The server says whether a token is valid, to an API that may ask.",
        "RFC 7662 §2.2",
    ),
    DocumentKind("ticket", ("id", "authorized"), "A ticket, and whether the user has approved it.", NETLIFY),
    DocumentKind(
        "registration response",
        ("client_id", "redirect_uris"),
        "The server has registered a client.",
        "RFC 7591 §3.2.1",
    ),
    DocumentKind("key set", ("keys",), "The public keys that verify signatures.", "RFC 7517 §5"),
    DocumentKind(
        "UserInfo response", ("sub",), "The server says who the user is.", "OpenID Connect Core 1.0 §5.3.2"
    ),
)
"""The documents that are known; of several that fit the first."""


def document_story(text: str, *, now: float) -> Story:
    """Explain a JSON document that a server answered or published.

    Args:
        text: of the document; untrusted.
        now: in Unix seconds.

    Raises:
        ConfigError: it is not JSON, or not a document of a sign-in.
    """
    members = object_or_none(text) or {}
    kind = next((one for one in KINDS if set(one.members) <= members.keys()), None)
    if kind is None:
        raise ConfigError(
            "This is not a JSON document of a sign-in: no response, no metadata and no recording.",
            hint="Pass the whole document, as the server answered it.",
        )
    labels = SecretLabels()
    learn_members(members, labels)
    if kind.name == "ticket":
        labels.learn("ticket", str(members["id"]))
    token = members.get("id_token")
    read = read_token(token) if isinstance(token, str) and token.startswith("ey") else None
    scenes: list[ExplainedStep] = []
    if read is not None:
        learn_secrets(read, labels)
        scenes += token_scenes(read, now=now, labels=labels, name="ID token")
    values = tuple(member_values(members, WORDS, now, labels, guess=True))
    findings = judged(DOCUMENT_RULES, members)
    return Story(
        flow="",
        title=kind.name,
        summary=kind.words,
        source=kind.source,
        notes=("Nothing was sent: this is what can be read from the document alone.",),
        scenes=(ExplainedStep((), "", kind.name, "", values, 0, (), "", ""), *scenes),
        answers=(Answer("What can be done with it?", kind.more, ""),) if kind.more else (),
        fates=tuple(_exposures(members, labels)),
        findings=(*findings, *(token_findings(read, now=now) if read is not None else ())),
        kind="document",
    )


def _exposures(members: Mapping[str, object], labels: SecretLabels) -> Iterator[SecretExposure]:
    for name, value in members.items():
        if name in SECRETS and isinstance(value, str) and value:
            good_for, source = SECRETS[name]
            label = labels.learn(name, value)
            yield SecretExposure(label, good_for, TAKERS["document"], source.replace(VENDOR, NETLIFY))


def _encrypted(members: Mapping[str, object]) -> Judgement | None:
    """Look for addresses without TLS."""
    urls = {name: value for name, value in members.items() if name.endswith(("_endpoint", "_uri", "issuer"))}
    found = {name: value for name, value in urls.items() if isinstance(value, str) and "://" in value}
    plain = [name for name, value in found.items() if _is_plain(value)]
    if plain:
        return failed(f"Without TLS, on another machine: {', '.join(plain)}.")
    return passed("All addresses are https, or on this machine.") if found else None


def _is_plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def _public_keys(members: Mapping[str, object]) -> Judgement | None:
    """Look for private keys."""
    if has_private_key(members):
        return failed("The document has a private key in it.")
    return passed("All keys are public.") if "keys" in members else None


def _token_type(members: Mapping[str, object]) -> Judgement | None:
    """Look for the type of the access token."""
    if "access_token" not in members:
        return None
    return (
        passed("The response names it.") if members.get("token_type") else failed("There is no token_type.")
    )


def _lifetime(members: Mapping[str, object]) -> Judgement | None:
    """Look for the lifetime of what was issued."""
    if not {"access_token", "device_code", "request_uri"} & members.keys():
        return None
    value = members.get("expires_in")
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return failed("There is no expires_in that is a number of seconds.")
    return passed("The response names it.")


DOCUMENT_RULES: tuple[Rule[Mapping[str, object]], ...] = (
    Rule(
        "plain-http-on-loopback-only",
        "high",
        "All URLs are https, except on this machine",
        "RFC 6749 §3.1, §3.2; RFC 8414 §2",
        "Use an https URL for every endpoint.",
        _encrypted,
    ),
    Rule(
        "no-private-key",
        "high",
        "No private key is in the document",
        "RFC 7517 §9.2; RFC 8414 §2",
        "Replace the key: everyone who has read the document has it.",
        _public_keys,
    ),
    Rule(
        "token-type-named",
        "low",
        "The response says how to use the access token",
        "RFC 6749 §5.1, §7.1",
        "Do not use a token whose type is not known.",
        _token_type,
    ),
    Rule(
        "lifetime-named",
        "info",
        "The response says how long it is valid",
        "RFC 6749 §5.1; RFC 8628 §3.2; RFC 9126 §2.2",
        "Expect it to end at any time.",
        _lifetime,
    ),
)
"""Rules for documents of every kind."""
