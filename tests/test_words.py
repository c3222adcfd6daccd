"""The words of pages and prompts: each is shown somewhere, and can be replaced by a translation."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from loopback_auth import words
from loopback_auth.flow_table import FLOWS
from loopback_auth.german import German
from loopback_auth.plan.facts import PLACES
from loopback_auth.words import Words

PACKAGE = Path(words.__file__).parent
SAID = {name: text for name, text in vars(Words).items() if name.isupper()}
WORDS = {name: text for name, text in vars(words).items() if name.isupper()} | SAID


TRANSLATIONS = {
    "de": {name: text for name, text in vars(German).items() if name.isupper() and name[0] != "_"}
}


def fields(text: str) -> set[str]:
    """Return the names in braces."""
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_a_translation_has_every_sentence_and_its_fields(language: str) -> None:
    """A missing sentence would be English among others; a missing field hides what it holds."""
    translation = TRANSLATIONS[language]

    assert set(translation) == set(SAID)
    assert not {name for name, text in translation.items() if fields(text) != fields(SAID[name])}


def test_reasons_that_others_give_in_english_are_found_again() -> None:
    """Tables name environments, flows and refusals in English; in another language they are looked up."""
    given = {text for _, place in PLACES for text in (place.title, place.advice) if text}
    given |= {text for flow in FLOWS for text in (flow.awaited, flow.title, flow.key) if text}
    given |= {text for name, text in SAID.items() if name.startswith("REFUSED_")}
    german = German()

    assert {text for text in given if german.of(text) == text} == {"GitHub Codespaces", "macOS", "Windows"}
    assert len({text for text in SAID.values() if text in given}) == len(given)


def test_pages_and_prompts_name_nothing_that_other_programs_lack() -> None:
    """A program that embeds this package has neither our commands nor our flags."""
    every = [*SAID.values(), *TRANSLATIONS["de"].values()]

    assert not [text for text in every if re.search(r"loopback.auth|python|--[a-z]|LOOPBACK_AUTH_", text)]


def test_every_word_is_shown_somewhere() -> None:
    """A sentence that nothing shows would be translated for nobody."""
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    used = set(re.findall(r"[wW]ords\.([A-Z0-9_]+)\b", "\n".join(sources)))

    assert used == set(WORDS)


def test_every_field_has_a_name() -> None:
    """A translation puts the fields in its own order, which only named ones allow."""
    assert not {name for name, text in WORDS.items() for field in fields(text) if not field.isidentifier()}


def test_words_are_text_alone() -> None:
    """The file is read before the browser is started, and is one that a translator may be given."""
    source = Path(words.__file__).read_text("utf-8")

    assert all(isinstance(text, str) for text in WORDS.values())
    assert re.findall(r"^(?:from \S+ import|import) .*", source, re.M) == [
        "from __future__ import annotations"
    ]
