"""Remove the cookies from a request before it is parsed.

Cookies do not depend on the port (RFC 6265 §8.5): a browser sends those of every other server on 127.0.0.1
too. Together they can exceed the size limit of a request, and the program must not see them.

Source: RFC 9112 §2.2, §5 (field lines end with LF), §5.2 (obsolete folding).
"""

from __future__ import annotations

NAME = b"cookie:"


class WithoutCookies:
    """Passes on the bytes of a request without the lines of the `Cookie` field, however they are split.

    Source: RFC 9112 §5; RFC 6265 §5.4 (the name of the field).
    """

    def __init__(self) -> None:
        self._line = b""
        """The start of a line that may still become `Cookie:` or the end of the head."""
        self._at_start = self._first = True
        self._dropping = self._body = False

    def feed(self, data: bytes) -> bytes:
        """Return the given bytes without cookies; the rest of a line may come with the next call."""
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
        """Return a line, or the part of it that has arrived, unless it belongs to a cookie."""
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
