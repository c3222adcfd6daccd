"""What a tool has written to stdin: a question, which is read by the quick way and then by the command."""

from __future__ import annotations

import io
import sys


def read_stdin_again(limit: int) -> bytes:
    """Return the content of stdin, and leave it there to be read once more.

    Args:
        limit: bytes; what is longer is cut.

    Raises:
        OSError: stdin cannot be read.
        ValueError: stdin is closed.
        AttributeError: there is none, or it is a stream of text alone.
    """
    # A stream that does not block says None where nothing has been written yet.
    content = sys.stdin.buffer.read(limit) or b""
    sys.stdin = io.TextIOWrapper(io.BytesIO(content))
    return content


def question(limit: int) -> bytes:
    """Return what a tool has written; nothing if a person is there, who would have to type it.

    Args:
        limit: bytes, as above.
    """
    try:
        return b"" if sys.stdin.isatty() else read_stdin_again(limit)
    except (OSError, ValueError, AttributeError):
        return b""  # It is closed, and that is not a question, either.
