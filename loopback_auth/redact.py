"""What is a secret, and how text is made safe to show.

Two ideas. Secrets are *labelled*, not blanked: the first code seen is `<code#1>` wherever it shows up again,
so that a reader can follow it from the redirect to the token request without ever seeing it. And text that
came from a server is *cleaned* before it reaches a terminal (RFC 6749 §4.1.2.1; CVE-2024-50349).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

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

SERVER_TEXT_LIMIT = 500


def server_text(text: str, limit: int = SERVER_TEXT_LIMIT) -> str:
    """Clean text that a server or a stranger chose, for a terminal or a page: one line, no controls, cut.

    Drops C0, DEL, C1, surrogates, and every format character such as bidirectional overrides, zero-width
    joiners and the byte order mark; white space becomes a blank. Idempotent.

    Source: RFC 6749 §4.1.2.1, appendix A.7-A.8; Unicode Technical Report 36 §3.
    """
    blanks = "".join(" " if character.isspace() else character for character in text)
    kept = "".join(character for character in blanks if _harmless(character))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _harmless(character: str) -> bool:
    point = ord(character)
    if point < 0x80:
        return 0x20 <= point < 0x7F
    return character.isprintable()


class Redactor:
    """Replaces every secret that it was told of by a stable label, in any text, however encoded."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def learn(self, kind: str, secret: str) -> str:
        """Remember a secret under its parameter name; return its label, such as `<code#1>`."""
        if not secret:
            return ""
        if secret not in self._labels:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._labels[secret] = f"<{kind}#{self._counts[kind]}>"
        return self._labels[secret]

    def learn_parameters(self, parameters: Iterable[tuple[str, object]]) -> None:
        """Remember the secrets among named values."""
        for name, value in parameters:
            if name in SECRET_PARAMETERS and isinstance(value, str):
                self.learn(name, value)

    def learn_url(self, url: str) -> None:
        """Remember the secrets in the query and in the fragment of a URL."""
        parts = urlsplit(url)
        self.learn_parameters(parse_qsl(parts.query))
        self.learn_parameters(parse_qsl(parts.fragment))

    def text(self, text: str) -> str:
        """Return the text with every known secret replaced: plain, percent-encoded or in base64."""
        for secret in sorted(self._labels, key=len, reverse=True):
            label = self._labels[secret]
            for form in _spellings(secret):
                if form in text:
                    text = text.replace(form, label)
        return text


def _spellings(secret: str) -> list[str]:
    raw = secret.encode("utf-8", "surrogatepass")
    plain = base64.b64encode(raw).decode("ascii")
    safe = base64.urlsafe_b64encode(raw).decode("ascii")
    forms = {secret, quote(secret, safe=""), quote_plus(secret)}
    # Two or three characters of base64 would hit ordinary words.
    if len(secret) >= 8:
        forms |= {plain, safe, plain.rstrip("="), safe.rstrip("=")}
    return sorted(forms, key=len, reverse=True)
