"""Take the cookies out of a request before anybody reads it.

Cookies know no ports (RFC 6265 §8.5): those of every server that was ever developed on 127.0.0.1 come along,
and together they are larger than any request should be. They are nobody's business here.

Source: RFC 9112 §2.2, §5 (field lines end with LF), §5.2 (obsolete folding).
"""

from __future__ import annotations

NAME = b"cookie:"


class WithoutCookies:
    """Passes a request's bytes on, whatever pieces they come in, but for the lines of the `Cookie` field.

    Source: RFC 9112 §5; RFC 6265 §5.4 (the name of the field).
    """

    def __init__(self) -> None:
        self._line = b""
        """The beginning of a line, as long as it may be the name of the field, or the end of the head."""
        self._at_start = self._first = True
        self._dropping = self._body = False

    def feed(self, data: bytes) -> bytes:
        """Return what is left of some bytes."""
        if self._body:
            return data
        kept = bytearray()
        at = 0
        while at < len(data) and not self._body:
            end = data.find(b"\n", at) + 1 or len(data)
            kept += self._piece(data[at:end])
            at = end
        return bytes(kept) + data[at:]

    def _piece(self, piece: bytes) -> bytes:
        """Judge a line, or what has come of it."""
        ended = piece.endswith(b"\n")
        if not self._at_start:
            self._at_start = ended
            return b"" if self._dropping else piece
        line, self._line = self._line + piece, b""
        undecided = NAME.startswith(line.lower()) if line != b"\r" else not ended
        if undecided and line.lower() != NAME and not self._first:
            self._line = line
            return b""
        self._at_start = ended
        # A folded line belongs to the one before.
        folded = self._dropping and line[:1] in (b" ", b"\t")
        self._dropping = not self._first and (folded or line[: len(NAME)].lower() == NAME)
        self._body = not self._first and line in (b"\r\n", b"\n")
        self._first = False
        return b"" if self._dropping else line
