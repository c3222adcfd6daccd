"""The words of pages and prompts: each is shown somewhere, and can be replaced by a translation."""

from __future__ import annotations

import re
import string
from pathlib import Path

from loopback_auth import words
from loopback_auth.words import Words

PACKAGE = Path(words.__file__).parent
SAID = {name: text for name, text in vars(Words).items() if name.isupper()}
WORDS = {name: text for name, text in vars(words).items() if name.isupper()} | SAID


def test_every_word_is_shown_somewhere() -> None:
    """A sentence that nothing shows would be translated for nobody."""
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py")]
    used = set(re.findall(r"[wW]ords\.([A-Z_]+)\b", "\n".join(sources)))

    assert used == set(WORDS)


def test_every_field_has_a_name() -> None:
    """A translation puts the fields in its own order, which only named ones allow."""
    fields = {
        name: [field for _, field, _, _ in string.Formatter().parse(text) if field is not None]
        for name, text in WORDS.items()
    }

    assert not {name for name, found in fields.items() for field in found if not field.isidentifier()}


def test_words_are_text_alone() -> None:
    """The file is read before the browser is started, and is one that a translator may be given."""
    source = Path(words.__file__).read_text("utf-8")

    assert all(isinstance(text, str) for text in WORDS.values())
    assert re.findall(r"^(?:from \S+ import|import) .*", source, re.M) == [
        "from __future__ import annotations"
    ]
