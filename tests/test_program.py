"""A program names itself: what it can say is looked at when it is named, and pages and prompts say it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from loopback_auth import ConfigError, Program
from loopback_auth.program import LARGEST_LOGO
from loopback_auth.words import Words

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def test_a_program_is_a_value() -> None:
    """It stands in options that are shared, and a cache may be keyed with it."""
    first = Program("MyTool", accent="#ABC", logo=PNG, words={"PAGE_ADVICE": "Try this"})
    second = Program("MyTool", accent="#aabbcc", logo=PNG, words={"PAGE_ADVICE": "Try this"})

    assert (first == second, {first: 1}[second], first == Program()) == (True, 1, False)
    with pytest.raises(AttributeError):
        first.name = "Another"  # type: ignore[misc]
    assert "PNG" not in repr(first)
    assert replace(first, name="Other").resolved_words().PAGE_FOOTER.startswith("This page comes from Other,")


def test_a_program_without_a_name_is_the_program() -> None:
    """An embedding program that says nothing of itself must not speak of this package."""
    said = Program().resolved_words()

    assert said.PAGE_CLOSE == "You may close this tab and return to the terminal."
    assert not [text for name, text in vars(said).items() if name.isupper() and "loopback" in text]


def test_without_a_terminal_nothing_sends_the_user_to_one() -> None:
    """A window or a notebook has none; what can be returned to is the program."""
    closes = [
        program.resolved_words(terminal=False).PAGE_CLOSE
        for program in (Program(), Program("MyTool"), Program("MyTool", returns_to="the notebook"))
    ]

    assert [text.rpartition(" to ")[2] for text in closes] == ["the program.", "MyTool.", "the notebook."]


def test_sentences_say_the_programs_own_name_and_place() -> None:
    """A user of a window has no terminal to return to, and has never heard of this package."""
    said = Program("MyTool", command="mytool login", returns_to="the MyTool window").resolved_words()

    assert said.PAGE_FOOTER == "This page comes from MyTool, not from the provider."
    assert said.PAGE_CLOSE == "You may close this tab and return to the MyTool window."


def test_a_program_replaces_sentences_by_their_names() -> None:
    """The rest stays as it is, and other programs of the same process are not changed by it."""
    said = Program(
        "MyTool", command="mytool in", words={"PAGE_CLOSE": "Done. Next time: {command}"}
    ).resolved_words()

    assert said.PAGE_CLOSE == "Done. Next time: mytool in"
    assert said.of(Words.PAGE_ADVICE) == Words.PAGE_ADVICE
    assert said.of(Words.PAGE_CLOSE) == said.PAGE_CLOSE
    assert said.of("a sentence of another program") == "a sentence of another program"
    assert Program().resolved_words().PAGE_CLOSE != said.PAGE_CLOSE


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"name": 3}, "name"),
        ({"name": "My{Tool}"}, "name"),
        ({"command": b"mytool"}, "command"),
        ({"returns_to": None}, "returns_to"),
        ({"accent": "red"}, "accent"),
        ({"accent": "#12"}, "accent"),
        ({"accent": "#fff;}body{display:none"}, "accent"),
        ({"logo": "logo.svg"}, "logo"),
        ({"logo": "<svg viewBox='0 0 1 1'/>"}, "logo"),
        ({"logo": b"GIF89a"}, "logo"),
        ({"logo": PNG + bytes(LARGEST_LOGO)}, "logo"),
        ({"logo": 3}, "logo"),
        ({"language": "german"}, "language"),
        ({"language": 'de"><script>'}, "language"),
        ({"language": "fr"}, "language"),
        ({"words": ["PAGE_CLOSE"]}, "words"),
        ({"words": {"PAGE_CLOSED": "x"}}, "PAGE_CLOSED"),
        ({"words": {"of": "x"}}, "of"),
        ({"words": {3: "x"}}, "3"),
        ({"words": {"PAGE_CLOSE": ""}}, "PAGE_CLOSE"),
        ({"words": {"PAGE_CLOSE": 3}}, "PAGE_CLOSE"),
        ({"words": {"PAGE_CLOSE": "\x1b[31mred"}}, "PAGE_CLOSE"),
        ({"words": {"PAGE_CLOSE": "x" * 501}}, "PAGE_CLOSE"),
        ({"words": {"PAGE_CLOSE": "{account}"}}, "{account}"),
        ({"words": {"WAITING_TITLE": "{provider.__class__}"}}, "WAITING_TITLE"),
        ({"words": {"WAITING_TITLE": "{provider:>9999999}"}}, "WAITING_TITLE"),
        ({"words": {"WAITING_TITLE": "{0}"}}, "WAITING_TITLE"),
        ({"words": {"WAITING_TITLE": "{provider"}}, "WAITING_TITLE"),
        ({"page": "<html>"}, "page"),
    ],
)
def test_a_mistake_is_told_when_the_program_is_named(given: dict[str, object], named: str) -> None:
    """Otherwise it would be told when a user has approved already, or never."""
    with pytest.raises(ConfigError) as caught:
        Program(**given)  # type: ignore[arg-type]

    assert named in caught.value.message
    assert caught.value.hint
    assert caught.value.parameter == next(iter(given))


def test_hostile_names_become_one_line_of_text() -> None:
    """A name may come from a file of the user's, and goes to terminals and pages."""
    program = Program("My\x1b[2JTool\n\u202eevil" + "x" * 200, command="a\tb")

    assert program.name.startswith("My[2JTool evilxx")
    assert (len(program.name), program.command) == (80, "a b")


@pytest.mark.parametrize(
    "before",
    [
        "",
        "\ufeff",
        '<?xml version="1.0"?>\n',
        "<!-- a -->\n<!-- b -->",
        '<!DOCTYPE svg PUBLIC "x" "y">\n<!-- c -->',
    ],
)
def test_a_logo_may_have_what_drawing_programs_write(before: str) -> None:
    """Inkscape and Illustrator begin their files with declarations and comments."""
    assert Program(logo=before + SVG).logo == before + SVG


def test_naming_a_program_is_light() -> None:
    """It is in the first lines of tools that only want to print a kept token."""
    script = (
        "import sys; from loopback_auth import Program; Program('MyTool', accent='#123'); print(*sys.modules)"
    )
    done = subprocess.run(
        # Without an environment, for a measurement of coverage would import more than the program.
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={},
    )

    assert set(done.stdout.split()).isdisjoint(
        {"re", "dataclasses", "typing", "asyncio", "loopback_auth.german"}
    )


def test_a_language_without_words_of_ours_needs_its_own() -> None:
    """A page that calls itself French and speaks English would be read out wrongly."""
    assert (
        Program(language="fr", words={"PAGE_ADVICE": "Que faire"}).resolved_words().PAGE_ADVICE == "Que faire"
    )
    assert Program(language="en-GB").resolved_words().PAGE_ADVICE == Words.PAGE_ADVICE
