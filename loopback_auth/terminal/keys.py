"""Line editing, which the terminal no longer does: turns bytes into keys, pastes and answers.

Bytes in, an answer or single keys out; knows neither files nor loops. Line breaks inside a paste belong to
it, any other one is Enter; keys that mean nothing here, such as arrows, leave no trace.

While nothing is asked, every key may mean something, and so what is pasted must not be taken for keys. Weak
spot, admitted: a terminal without bracketed paste does not mark which is which. There, what arrives at once
and is longer than a person types was pasted; input that is only a little longer is ignored.

Source: XTerm Control Sequences, "Bracketed Paste Mode"; ECMA-48 §5.4 (control sequences).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from loopback_auth.errors import AttemptCancelled

PASTE_BEGINS = b"\x1b[200~"
PASTE_ENDS = b"\x1b[201~"
CTRL_C = "\x03"

AT_ONCE = 3
"""Keys that a slow connection may deliver together."""

SHORTEST_PASTE = 8
"""Characters; no answer to a sign-in is shorter."""

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\[O\x00-\x1f]|(?=[\x00-\x1f]))")
_CUT_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]{0,16}[ -/]{0,4}|O)?\Z")


class Sequences:
    """Separates single bytes from escape sequences, whatever pieces they come in."""

    def __init__(self) -> None:
        self._cut = b""

    @property
    def escape(self) -> bool:
        """Whether the last byte was Esc: the key, or the beginning of a sequence that is still on its way."""
        return self._cut == b"\x1b"

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield single bytes and whole sequences; what is left of a sequence waits for the next piece."""
        piece, self._cut = self._cut + piece, b""
        at = 0
        while at < len(piece):
            if sequence := _SEQUENCE.match(piece, at):
                at = sequence.end()
                yield sequence[0]
            elif _CUT_SEQUENCE.match(piece, at):
                self._cut = piece[at:]
                return
            else:
                at += 1
                yield piece[at - 1 : at]


class TypedAnswer:
    """What was typed and pasted so far, whatever pieces it came in.

    Args:
        limit: bytes that may be kept; one more shows that there were too many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._sequences = Sequences()
        self._pasting = False
        self.characters: int = 0

    @property
    def text(self) -> str:
        """The answer; bytes that are not UTF-8 become lone surrogates."""
        return self._kept.decode("utf-8", "surrogateescape")

    @property
    def escape(self) -> bool:
        """Whether Esc was pressed last, unless a sequence follows."""
        return self._sequences.escape

    def feed(self, piece: bytes) -> bool:
        """Take what has arrived; return whether Enter was pressed, and then what came after it is dropped.

        Raises:
            AttemptCancelled: Ctrl-D without an answer, or Ctrl-C on a terminal that makes no signal of it.
        """
        for token in self._sequences.feed(piece):
            if token.startswith(b"\x1b"):
                self._pasting = token == PASTE_BEGINS or (self._pasting and token != PASTE_ENDS)
            elif self._key(token):
                return True
        return False

    def _key(self, key: bytes) -> bool:
        if _printable(key):
            self._keep(key)
        elif self._pasting:
            if key in b"\r\n\t":
                self._keep(key)
        elif key in b"\r\n":
            return True
        elif key in b"\x7f\b":
            self._take_back()
        elif key == b"\x15":  # Ctrl-U
            self._kept.clear()
            self.characters = 0
        elif key == b"\x03" or (key == b"\x04" and not self._kept):
            raise AttemptCancelled("You gave up.")
        return False

    def _keep(self, byte: bytes) -> None:
        if len(self._kept) <= self._limit:
            self._kept += byte
            self.characters += not _continues(byte[0])

    def _take_back(self) -> None:
        while self._kept and _continues(self._kept.pop()):
            pass
        self.characters -= self.characters > 0


@dataclass(frozen=True, slots=True)
class Typed:
    """A key, or a text that was pasted.

    Args:
        text: the character or the escape sequence of the key, or the pasted text.
        whole: the terminal marked where the pasted text begins and ends (bracketed paste).
    """

    text: str = field(repr=False)
    whole: bool = False

    @property
    def key(self) -> str:
        """The key; empty for what was pasted."""
        return "" if self.whole or len(self.text) > 1 else self.text


class Keys:
    """Keys pressed while nothing is asked, and what is pasted meanwhile.

    Args:
        limit: bytes of a paste that are kept; one more shows that there were too many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sequences = Sequences()
        self._paste: bytearray | None = None

    def feed(self, piece: bytes) -> list[Typed]:
        """Take what has arrived; return what it amounts to so far."""
        if self._sequences.escape and not piece.startswith(b"["):
            self._sequences = Sequences()  # Esc was a key, and means nothing.
        typed: list[Typed] = []
        run = bytearray()
        for token in self._sequences.feed(piece):
            if self._paste is not None:
                if token == PASTE_ENDS:
                    typed.append(Typed(_text(self._paste), whole=True))
                    self._paste = None
                elif len(self._paste) <= self._limit and (_printable(token) or token in b"\r\n\t"):
                    self._paste += token
            elif _printable(token):
                run += token
            else:
                typed += _typed(run, token)
                run.clear()
                if token == PASTE_BEGINS:
                    self._paste = bytearray()
        return typed + _typed(run, b"")


def _typed(run: bytearray, end: bytes) -> list[Typed]:
    """Tell keys from a paste by how many there are, and what ended them."""
    if end == b"\x03":
        return [Typed(CTRL_C)]  # On a terminal that makes no signal of it.
    if len(run) >= SHORTEST_PASTE:
        return [Typed(_text(run) + ("\r" if end in (b"\r", b"\n") else ""))]
    return [Typed(one) for one in _text(run)] if len(run) <= AT_ONCE else []


def _text(raw: bytearray) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _printable(token: bytes) -> bool:
    return token >= b" " and token != b"\x7f"


def _continues(byte: int) -> bool:
    return byte & 0xC0 == 0x80
