"""Text that others chose: make it safe to show in a terminal, a page or an error, and see if it can be sent.

Refuses to know what the text means and which parts of it are secret.

Source: RFC 6749 §4.1.2.1; CVE-2024-50349; PEP 383.
"""

from __future__ import annotations

SERVER_TEXT_LIMIT = 500
"""Characters of a text that are shown."""


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
