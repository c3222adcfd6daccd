"""What is a secret, and how text is made safe to show.

Two ideas. Secrets are *labelled*, not blanked: the first code seen is `<code#1>` wherever it shows up again,
so that a reader can follow it from the redirect to the token request without ever seeing it. And text that
came from a server is *cleaned* before it reaches a terminal (RFC 6749 §4.1.2.1; CVE-2024-50349).
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote

SECRET_PARAMETERS = frozenset(
    {
        "access_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "device_code",
        "id_token",
        "id_token_hint",
        "logout_token",
        "nonce",
        "password",
        "refresh_token",
        "registration_access_token",
        "request",
        "request_uri",
        "response",
        "state",
        "ticket",
        "token",
        "user_code",
    }
)
"""Parameter and member names whose values never show: RFC 6749, 7009, 7523, 7636, 8628, 9126, OpenID."""

_KIND = re.compile(r"[A-Za-z0-9_.-]{1,40}")

SERVER_TEXT_LIMIT = 500

SHORT = 8
"""Characters; what has fewer is replaced where it stands alone, or it would eat into ordinary words."""


def server_text(text: str, limit: int = SERVER_TEXT_LIMIT) -> str:
    """Clean text that a server or a stranger chose, for a terminal or a page: one line, no controls, cut.

    Drops C0, DEL, C1, surrogates, and every format character such as bidirectional overrides, zero-width
    joiners and the byte order mark; white space becomes a blank. Idempotent.

    Source: RFC 6749 §4.1.2.1, appendix A.7-A.8; Unicode Technical Report 36 §3.
    """
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return " ".join(text.split())  # Nearly always, and much faster.
    blanks = "".join(" " if character.isspace() else character for character in text)
    kept = "".join(character for character in blanks if _harmless(character))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def error_code(text: str) -> str:
    """Clean an error code that a server chose, so that it can be shown and compared; never empty.

    Source: RFC 6749 §4.1.2.1, appendix A.7.
    """
    return server_text(text, 80) or "unreadable error code"


def _harmless(character: str) -> bool:
    point = ord(character)
    if point < 0x80:
        return 0x20 <= point < 0x7F
    return character.isprintable()


def is_secret(name: str) -> bool:
    """Tell by the name of a parameter or member whether its value is secret."""
    return name in SECRET_PARAMETERS or name.endswith(("_secret", "_token"))


class Redactor:
    """Replaces every secret that it was told of by a stable label, in any text, however encoded."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._finders: dict[str, tuple[str, ...] | re.Pattern[str]] = {}

    def learn(self, kind: str, secret: str) -> str:
        """Remember a secret under its parameter name; return its label, such as `<code#1>`."""
        if not secret:
            return ""
        if not _KIND.fullmatch(kind):
            kind = "secret"  # A server may have chosen the name, too.
        if secret not in self._labels:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._labels[secret] = f"<{kind}#{self._counts[kind]}>"
        return self._labels[secret]

    def learn_parameters(self, parameters: Iterable[tuple[str, object]]) -> None:
        """Remember the secrets among named values."""
        for name, value in parameters:
            if is_secret(name) and isinstance(value, str):
                self.learn(name, value)

    def learn_url(self, url: str) -> None:
        """Remember the secrets in the query and in the fragment of a URL, however malformed it is."""
        rest, _, fragment = url.partition("#")
        self.learn_parameters(parse_qsl(rest.partition("?")[2]))
        self.learn_parameters(parse_qsl(fragment))

    def known(self) -> tuple[tuple[str, int], ...]:
        """Return every label, and the length of what it stands for, in the order of learning."""
        return tuple((label, len(secret)) for secret, label in self._labels.items())

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced, also where it is escaped or in base64."""
        for secret in sorted(self._labels, key=len, reverse=True):
            label = self._labels[secret]
            if secret not in self._finders:
                self._finders[secret] = _finder(secret)
            finder = self._finders[secret]
            if isinstance(finder, re.Pattern):
                text = finder.sub(label, text)
                continue
            for form in finder:
                text = text.replace(form, label)
        return text


def _finder(secret: str) -> tuple[str, ...] | re.Pattern[str]:
    if len(secret) >= SHORT and all(map(_never_escaped, secret)):
        # The usual case: compiling the expression of a 1 kB token would take tens of milliseconds.
        return (secret, *_in_base64(secret))
    return re.compile(_spellings(secret))


def _spellings(secret: str) -> str:
    """Write the regular expression of a secret: each character may be escaped or not, as writers differ."""
    plain = "".join(map(_character, secret))
    if len(secret) < SHORT:
        return rf"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{{2}})){plain}(?![A-Za-z0-9])"
    return "|".join([plain, *map(re.escape, _in_base64(secret))])


def _never_escaped(character: str) -> bool:
    return character in "-._" or (character.isascii() and character.isalnum())


def _character(character: str) -> str:
    # Tokens are made of these: the expression stays short.
    if _never_escaped(character):
        return re.escape(character)
    octets = "".join(f"%{octet:02X}" for octet in character.encode("utf-8", "surrogatepass"))
    code = "".join(rf"\\u{unit:04X}" for unit in _utf_16(character))
    twice = octets.replace("%", "%25")  # A URL in a URL.
    spellings = [re.escape(character), f"(?i:{octets})", f"(?i:{code})", f"&#0*{ord(character)};"]
    spellings.append(f"(?i:{twice})")
    spellings += [f"(?i:&#x0*{ord(character):X};)"]
    if character in '/"\\':  # RFC 8259 §7; some writers escape every slash.
        spellings.append(re.escape(f"\\{character}"))
    if (named := html.escape(character)) != character:
        spellings.append(re.escape(named))
    if character == " ":
        spellings.append(re.escape("+"))
    # The longest first: a backslash alone must not take the first half of an escaped one.
    return f"(?:{'|'.join(reversed(spellings))})"


def _utf_16(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]


def _in_base64(secret: str) -> list[str]:
    """Return what a secret turns into wherever it stands in an encoded text, as in `client_id:client_secret`.

    Its first and last character depend on the neighbours and are left out. Both alphabets; nothing for a
    short secret, since two or three characters of base64 would hit ordinary words.
    """
    if len(secret) < SHORT:
        return []
    raw = secret.encode("utf-8", "surrogatepass")
    forms = []
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw).decode("ascii")
        core = encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        forms += [core, core.replace("+", "-").replace("/", "_"), quote(core, safe="")]
    return list(dict.fromkeys(forms))
