"""What keys and pastes amount to: the line editing that is ours once the terminal no longer does it.

Bytes in, an answer out; knows neither files nor loops. Line breaks inside a paste belong to it, any other one
is Enter; keys that mean nothing here, such as arrows, leave no trace in the answer.

Source: XTerm Control Sequences, "Bracketed Paste Mode"; ECMA-48 §5.4 (control sequences).
"""

from __future__ import annotations

import re

from loopback_auth.errors import AttemptCancelled

PASTE_BEGINS = b"\x1b[200~"
PASTE_ENDS = b"\x1b[201~"

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[ -~]|[^\[O\x00-\x1f]|(?=[\x00-\x1f]))")
_CUT_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]{0,16}[ -/]{0,4}|O)?\Z")


class Answer:
    """What was typed and pasted so far, whatever pieces it came in.

    Args:
        limit: bytes that may be kept; one more shows that there were too many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._cut = b""
        self._pasting = False
        self.characters = 0

    @property
    def text(self) -> str:
        """The answer; bytes that are no UTF-8 become lone surrogates."""
        return self._kept.decode("utf-8", "surrogateescape")

    def feed(self, piece: bytes) -> bool:
        """Take what has arrived; tell whether Enter was pressed, and then what came after it is dropped.

        Raises:
            AttemptCancelled: Ctrl-D without an answer, or Ctrl-C on a terminal that makes no signal of it.
        """
        piece, self._cut = self._cut + piece, b""
        at = 0
        while at < len(piece):
            if sequence := _SEQUENCE.match(piece, at):
                self._pasting = sequence[0] == PASTE_BEGINS or (self._pasting and sequence[0] != PASTE_ENDS)
                at = sequence.end()
            elif _CUT_SEQUENCE.match(piece, at):
                self._cut = piece[at:]
                return False
            elif self._key(piece[at : at + 1]):
                return True
            else:
                at += 1
        return False

    def _key(self, key: bytes) -> bool:
        if key >= b" " and key != b"\x7f":
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


def _continues(byte: int) -> bool:
    return byte & 0xC0 == 0x80
