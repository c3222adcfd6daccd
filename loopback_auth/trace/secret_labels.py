"""Labels for secrets, and texts in which every known secret is replaced by its label.

The first code seen is `<code#1>` wherever it occurs, so that a reader can follow it from the redirect to the
token request without seeing it.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from loopback_auth.trace.escapes import layers

_KIND = re.compile(r"[A-Za-z0-9_.-]{1,40}")

SHORT = 8
"""Characters; a shorter secret is replaced only where it stands alone, not inside of ordinary words."""

MOST_SECRETS = 1000
"""Secrets that are remembered: a sign-in has some twenty, a recording of a browser hundreds."""

LONGEST_TEXT = 1 << 16
"""Characters; a longer text is not searched and not shown."""


class SecretLabels:
    """Replaces every secret that it has learnt by its label, in any text, however it is encoded there.

    The text is decoded layer by layer, and each layer is searched for the secrets. The time this takes grows
    with the length of the text and the number of secrets, which are bounded, and not with what they contain.
    A text that would exceed the bounds is not shown.

    Args:
        most: how many secrets are remembered.
    """

    def __init__(self, most: int = MOST_SECRETS) -> None:
        self._most = most
        self._labels: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._needles: list[tuple[str, str]] = []
        self._new: list[str] = []
        self._full = False

    def learn(self, kind: str, secret: str) -> str:
        """Remember a secret under its parameter name; return its label, such as `<code#1>`."""
        if not secret:
            return ""
        if not _KIND.fullmatch(kind):
            kind = "secret"  # A server may have chosen the name, too.
        if secret not in self._labels:
            if len(self._labels) == self._most:
                self._full = True
                return f"<{kind}>"
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._labels[secret] = f"<{kind}#{self._counts[kind]}>"
            self._new.append(secret)
        return self._labels[secret]

    def known(self) -> tuple[tuple[str, int], ...]:
        """Return every label, and the length of what it stands for, in the order of learning."""
        return tuple((label, len(secret)) for secret, label in self._labels.items())

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced, also where it is escaped or in base64."""
        if not self._labels:
            return text
        if len(text) > LONGEST_TEXT:
            return f"({len(text)} characters, not shown)"
        read = layers(text)
        if self._full or read is None:
            return "(not shown: it may contain secrets)"
        self._prepare()
        found = [span for layer in read for span in self._found(*layer)]
        shown: list[str] = []
        end = 0
        # Of those that begin alike the longest counts.
        for start, until, label in sorted(found, key=lambda span: (span[0], -span[1])):
            if start >= end:
                shown += [text[end:start], label]
            end = max(end, until)
        return "".join([*shown, text[end:]])

    def _prepare(self) -> None:
        """Write down what the new secrets may look like in a layer, the longest first."""
        if not self._new:
            return
        needles = dict(self._needles)
        for secret in self._new:
            if len(secret) <= LONGEST_TEXT:
                for needle in (secret, _settled(secret), *_in_base64(secret)):
                    needles.setdefault(needle, self._labels[secret])
        self._new.clear()
        needles.pop("", None)
        self._needles = sorted(needles.items(), key=_shortness)

    def _found(self, text: str, places: Sequence[int]) -> Iterator[tuple[int, int, str]]:
        """Find the secrets in one layer: where each begins and ends in the text as it was, and its label."""
        for needle, label in self._needles[bisect_left(self._needles, -len(text), key=_shortness) :]:
            start = text.find(needle)
            while start >= 0:
                end = start + len(needle)
                if len(needle) >= SHORT or _alone(text, start, end):
                    yield places[start], places[end], label
                    start = text.find(needle, end)
                else:
                    start = text.find(needle, start + 1)


def _shortness(needle: tuple[str, str]) -> int:
    return -len(needle[0])


def _alone(text: str, start: int, end: int) -> bool:
    around = text[start - 1 : start] if start else "", text[end : end + 1]
    return not any(character.isascii() and character.isalnum() for character in around)


def _settled(secret: str) -> str:
    """Return a secret as it stands in the last layer of a text, however often it was escaped there."""
    read = layers(secret)
    return secret if read is None else read[-1][0]


def _in_base64(secret: str) -> list[str]:
    """Return what a secret turns into wherever it stands in an encoded text, as in `client_id:client_secret`.

    Its first and last character depend on the neighbours and are left out. Both alphabets; nothing for a
    short secret, since two or three characters of base64 would hit ordinary words.
    """
    if len(secret) < SHORT:
        return []
    raw = secret.encode("utf-8", "surrogatepass")
    forms: list[str] = []
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw).decode("ascii")
        core = encoded[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
        forms += [core, core.replace("+", "-").replace("/", "_")]
    return list(dict.fromkeys(forms))
