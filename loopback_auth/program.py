"""The program that asks a user to sign in: what pages and prompts say of it, and in which language.

Everything is looked at when a `Program` is made, so that a mistake in it shows on the first start and not
when a page is needed. Light to import, without `re`: it may stand in a program's first lines.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.errors import ConfigError
from loopback_auth.records import EMPTY, dataclass, field
from loopback_auth.redact import server_text
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    PageKind = Literal["success", "failure", "cancelled"]

LONGEST_NAME = 80
LONGEST_WORD = 500
LARGEST_LOGO = 64 * 1024
LANGUAGES = ("en", "de")
"""Those that have words of ours."""
OWN_FIELDS = ("program", "returns_to", "command")
"""What every sentence can say of the program."""

_PNG = b"\x89PNG\r\n\x1a\n"


class _Html(str):
    """Text that is HTML already, as template engines know it (`__html__`)."""

    __slots__ = ()

    def __html__(self) -> _Html:
        """Return the same, so that no engine escapes it again."""
        return self


@dataclass(frozen=True, slots=True)
class Page:
    """What a page of a sign-in has to say, for a program that makes the HTML itself.

    Each text is HTML already: cleaned and escaped, to be put into the page as it is, between tags or between
    the quotes of an attribute. Those that a page does not have are empty.

    Args:
        kind: how the sign-in ended: `success`, `failure` or `cancelled`.
        title: a few words.
        message: a sentence; of a failure what happened, which may quote the server.
        hint: what to do next.
        detail: the same in the words of the protocol, or one more sentence.
        close: that the tab may be closed, and where to go on.
        account: that signed in, as the server names it.
        provider: where, as people call it.
        scope: what was granted, with blanks between.
    """

    kind: PageKind
    title: str
    message: str = ""
    hint: str = ""
    detail: str = ""
    close: str = ""
    account: str = ""
    provider: str = ""
    scope: str = ""

    def __post_init__(self) -> None:
        """Mark the texts as HTML, so that a template engine does not escape them again."""
        for name in ("title", "message", "hint", "detail", "close", "account", "provider", "scope"):
            object.__setattr__(self, name, _Html(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Program:
    """The program that asks a user to sign in, as its pages and prompts speak of it; frozen and hashable.

    Args:
        name: of the program, for people: `MyTool`. Empty: pages and prompts say "the program".
        command: what a user types to sign in again: `mytool login`. Empty: there is no such command.
        returns_to: where the user goes on afterwards, as it stands after "return to" and "in": `MyTool`,
            `the notebook`. Empty: "the terminal", or the program where messages do not go to a terminal.
        accent: colour of buttons and marks, as `#rgb` or `#rrggbb`. Where text in it could not be read, the
            page makes it darker or lighter.
        logo: SVG as text, or the bytes of a PNG; at most 64 KiB. A page shows it as an image, in which no
            script runs.
        language: of pages and prompts, as an HTML page names it (RFC 5646): `en`, `de`, or another one that
            has its `words` here.
        words: sentences that replace ours, by their names in the class `loopback_auth.words.Words`. A
            sentence may use the fields in braces that ours has, and no other.
        page: makes the whole HTML of the last page of a sign-in, instead of ours. It must not wait. What it
            returns may have styles and `data:` images; no script in it runs, nothing is loaded, no form is
            sent. If it fails, or returns something else, our page is shown, and an event says so once. The
            pages before the last one need a script and a warning (RFC 8628 §5.4), and stay ours.

    Raises:
        ConfigError: one of these cannot be used; it says which.
    """

    name: str = ""
    command: str = ""
    returns_to: str = ""
    accent: str = ""
    logo: str | bytes = field(default="", repr=False)
    language: str = "en"
    words: Mapping[str, str] = EMPTY
    page: Callable[[Page], str] | None = None

    def __post_init__(self) -> None:
        """Look at everything, and clean what is shown."""
        for name in ("name", "command", "returns_to"):
            object.__setattr__(self, name, _text(name, getattr(self, name)))
        object.__setattr__(self, "accent", _accent(self.accent))
        _check_logo(self.logo)
        _check_words(self.words)
        _check_language(self.language, self.words)
        if self.page is not None and not callable(self.page):
            raise _mistake(
                "page", "it cannot be called", "Give a function of one argument that returns HTML."
            )

    def resolved_words(self, *, terminal: bool = True) -> Words:
        """Return what its pages and prompts say: words of its own, else its language, else English.

        Args:
            terminal: the user may have begun at one, and can return there.
        """
        words = _spoken(self.language)
        elsewhere = words.RETURNS_TO if terminal else self.name or words.RETURNS_TO_PROGRAM
        own = {
            "program": self.name or words.PROGRAM,
            "returns_to": self.returns_to or elsewhere,
            "command": self.command,
        }

        for name, text in (vars(words.__class__) | dict(self.words)).items():
            if name.isupper() and (name in self.words or "{" in text):
                setattr(words, name, words.joined(_filled(text, own)))
        words.foreign = self.language.partition("-")[0].lower() != "en"
        return words


def fields_of(text: str) -> set[str] | None:
    """Return the names in braces of a sentence; None if it has braces that enclose no name."""
    first, *rest = text.split("{")
    pieces = [piece.partition("}") for piece in rest]
    plain = first + "".join(after for _, _, after in pieces)
    if "}" in plain or not all(brace and name.isidentifier() for name, brace, _ in pieces):
        return None
    return {name for name, _, _ in pieces}


def _filled(text: str, own: Mapping[str, str]) -> str:
    for name, value in own.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _spoken(language: str) -> Words:
    if language.partition("-")[0].lower() != "de":
        return Words()
    from loopback_auth.german import German  # Start-up.

    return German()


def _mistake(field: str, why: str, hint: str, *, word: str = "") -> ConfigError:
    what = f"word {word}" if word else field
    return ConfigError(f"The program's {what} cannot be used: {why}.", hint=hint, parameter=field)


def _text(field: str, value: object, limit: int = LONGEST_NAME) -> str:
    if not isinstance(value, str):
        raise _mistake(field, f"{type(value).__name__} is not a string", "Give a string.")
    if "{" in value or "}" in value:
        raise _mistake(field, "it has a brace", "Leave the brace out.")
    return server_text(value, limit)


def _accent(value: object) -> str:
    if value == "":
        return ""
    digits = value[1:].lower() if isinstance(value, str) and value.startswith("#") else ""
    if len(digits) not in (3, 6) or not set(digits) <= set("0123456789abcdef"):
        raise _mistake("accent", "it is not a colour such as #7a1fa2", "Give # and three or six hex digits.")
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _check_logo(value: object) -> None:
    if not isinstance(value, str | bytes):
        raise _mistake(
            "logo", "it is neither SVG text nor the bytes of a PNG", "Read the file, and give its content."
        )
    if len(value) > LARGEST_LOGO:
        raise _mistake("logo", f"it is larger than {LARGEST_LOGO // 1024} KiB", "Give a smaller image.")
    if isinstance(value, bytes):
        if value and not value.startswith(_PNG):
            raise _mistake(
                "logo", "bytes have to be a PNG", "Give the content of a PNG file, or SVG as text."
            )
        return
    if value and not _is_svg(value):
        raise _mistake("logo", "a text has to be SVG", "Give the content of an SVG file, not its name.")
    if value and "http://www.w3.org/2000/svg" not in value:
        raise _mistake(
            "logo", "the SVG has no namespace", 'Write <svg xmlns="http://www.w3.org/2000/svg"> into it.'
        )


def _is_svg(text: str) -> bool:
    """Return whether the root of a document is an SVG, behind what may come before it (XML §2.8)."""
    rest = text.removeprefix("\ufeff").lstrip()
    for begin, end in (("<?xml", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"), ("<!--", "-->")):
        while rest.startswith(begin):
            rest = rest.partition(end)[2].lstrip()
    return rest.startswith(("<svg ", "<svg>", "<svg\n", "<svg\t", "<svg\r"))


def _is_tag(text: str) -> bool:
    """Return whether a text has the form of a language tag (RFC 5646 §2.1)."""
    first, *others = text.split("-")
    return (
        text.isascii()
        and first.isalpha()
        and len(first) in (2, 3)
        and all(part.isalnum() and len(part) <= 8 for part in others)
    )


def _check_language(value: object, given: Mapping[str, str]) -> None:
    if not isinstance(value, str) or not _is_tag(value):
        raise _mistake("language", "it is not a language tag such as en or de-AT", "Give a tag of RFC 5646.")
    if value.partition("-")[0].lower() not in LANGUAGES and not given:
        raise _mistake(
            "language",
            f"there are no words for {value}",
            f"Give words of your own with it, or use {' or '.join(LANGUAGES)}.",
        )


def _check_words(given: Mapping[str, str]) -> None:
    if not _is_mapping(given):
        raise _mistake("words", f"{type(given).__name__} is not a mapping", "Give a dict of sentences.")
    for name, text in given.items():
        _check_word(name, text)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _check_word(name: object, text: object) -> None:
    ours = vars(Words).get(name) if isinstance(name, str) and name.isupper() else None
    word = str(name)
    if not isinstance(ours, str):
        hint = "The class loopback_auth.words.Words has them all."
        raise _mistake("words", "there is none of this name", hint, word=repr(name))
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_WORD or not text.isprintable():
        hint = f"Give a string of 1 to {LONGEST_WORD} characters."
        raise _mistake("words", "it is not one line of text", hint, word=word)
    allowed, used = (fields_of(ours) or set()) | set(OWN_FIELDS), fields_of(text)
    if used is None:
        raise _mistake("words", "a brace encloses no field", "Leave it out.", word=word)
    if unknown := sorted(used - allowed):
        known = ", ".join(f"{{{one}}}" for one in sorted(allowed))
        raise _mistake("words", f"it has the field {{{unknown[0]}}}", f"It can use: {known}.", word=word)
