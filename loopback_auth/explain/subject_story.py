"""The story of a text that is a link, an error, a token or a document: chooses who tells it.

Refuses to read files, to run flows and to send anything; so the whole of it can be tested with any text.
"""

from __future__ import annotations

import re
from dataclasses import replace

from loopback_auth.errors import ConfigError
from loopback_auth.explain.documents import document_story
from loopback_auth.explain.errors.error_story import CODES, error_story
from loopback_auth.explain.links.link import read_link
from loopback_auth.explain.links.link_story import link_story, typed_secret
from loopback_auth.explain.narration import Story
from loopback_auth.explain.reduction import without_random
from loopback_auth.explain.subject import Subject
from loopback_auth.explain.tokens.token import read_token
from loopback_auth.explain.tokens.token_story import learn_members, token_story
from loopback_auth.flow_table import BY_NAME
from loopback_auth.narrow import is_name
from loopback_auth.protocol.json import object_or_none, text_member
from loopback_auth.redact import error_code, server_text
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.reading import suggestion
from loopback_auth.trace.secret_finder import looks_secret
from loopback_auth.trace.secret_labels import SecretLabels

WHAT = (
    f"Name a flow ({', '.join(BY_NAME)}) or an error code, or pass a link or a token. A code or an opaque "
    "token says nothing to anyone but its server."
)
LONGEST_WORD = 40
"""Characters of a word that is repeated in an error; a longer one may be a secret."""


def subject_story(subject: Subject, *, provider: str, now: float, typed: bool) -> Story:
    """Explain what a text is.

    Args:
        subject: of the text; not a flow, a provider or a file.
        provider: name of a preset, for an error; else empty.
        now: in Unix seconds.
        typed: the text came as an argument of a command, where others can read it.

    Raises:
        ConfigError: the text is nothing that can be explained, or has no use for a provider.
    """
    if provider and subject.kind not in ("error", "unknown"):
        raise ConfigError("Only flows and error codes differ by provider.", hint="Leave PROVIDER out.")
    if provider and subject.kind == "error" and provider not in every_preset():
        raise unknown_provider(provider)
    match subject.kind:
        case "error":
            detail = server_text(subject.detail)
            said = without_random(detail)
            return error_story(subject.text, provider=provider, description=detail, said=said)
        case "link":
            return link_story(read_link(subject.text), now=now, typed=typed)
        case "token":
            story = token_story(read_token(subject.text), now=now)
            found = (typed_secret("The token was typed as an argument."),) if typed else ()
            return replace(story, findings=(*story.findings, *found))
        case "document":
            return _document(subject.text, now)
        case "too long":
            raise ConfigError("The text is longer than a link or a token.", hint=WHAT)
        case _:
            raise _unknown(subject.text)


def _document(text: str, now: float) -> Story:
    """Explain what a server answered: an error, or something else."""
    members = object_or_none(text) or {}
    if code := text_member(members, "error"):
        description = text_member(members, "error_description")
        labels = SecretLabels()
        learn_members(members, labels)
        said = without_random(labels.text(server_text(description)))
        named = "" if looks_secret(code) else error_code(code)
        return error_story(named, description=server_text(description), said=said)
    return document_story(text, now=now)


def _unknown(text: str) -> ConfigError:
    """Make the error for a text that is nothing of this; it is repeated only if it is a word."""
    word = " ".join(text.split())
    if len(word) > LONGEST_WORD or not re.fullmatch("[a-z][a-z _-]*", word):
        return ConfigError("That is not a flow, an error code, a link or a token.", hint=WHAT)
    names = {*BY_NAME, *CODES, *every_preset()}
    return ConfigError(
        f"There is no flow or error code called {word!a}.",
        hint=suggestion(word, names) if _resembles(word, names) else WHAT,
    )


def unknown_provider(name: str) -> ConfigError:
    """Make the error for a name that is not a preset; it is repeated only if it is the name of something."""
    shown = f": {name!a}" if is_name(name) and len(name) <= LONGEST_WORD and not looks_secret(name) else ""
    return ConfigError(f"Unknown provider{shown}", hint=suggestion(name[:LONGEST_WORD], every_preset()))


def _resembles(word: str, names: set[str]) -> bool:
    import difflib  # Only a misspelled word needs it.

    return bool(difflib.get_close_matches(word, names, n=1))
