"""Takes the secrets out of a conversation: learns them as they pass, writes labels wherever they turn up.

What cannot be read is not shown at all, only how long it was: what cannot be understood cannot be made safe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from loopback_auth.model import FORM, HttpRequest, HttpResponse
from loopback_auth.protocol.json import media_type, object_or_none
from loopback_auth.redact import server_text
from loopback_auth.trace.secret_finder import (
    Secrets,
    basic_credentials,
    form_text,
    secret_and_parts,
    secrets_in_parameter,
    secrets_in_request,
    secrets_in_response,
    secrets_in_url,
)
from loopback_auth.trace.secret_labels import SecretLabels

LIMIT = 4096
"""Characters of an address or a header, after which they are cut."""
BODY_LIMIT = 16 * LIMIT
"""Characters or bytes of a body."""

HEADERS = frozenset(
    {
        "accept",
        "access-control-allow-origin",
        "allow",
        "authorization",
        "cache-control",
        "content-security-policy",
        "content-type",
        "host",
        "location",
        "origin",
        "referer",
        "referrer-policy",
        "retry-after",
        "sec-fetch-dest",
        "sec-fetch-mode",
        "sec-fetch-site",
        "sec-fetch-user",
        "www-authenticate",
        "x-frame-options",
        "x-loopback-relay",
        "x-ratelimit-reset",
    }
)
"""What matters to somebody who judges a sign-in; cookies are learnt, and never shown."""

_TITLE = r"(?is)<title[^>]*>(.*?)</title"


class Redactor:
    """Learns the secrets of one conversation, and writes the conversation without them."""

    def __init__(self) -> None:
        self._labels = SecretLabels()

    def __repr__(self) -> str:
        return f"Redactor({len(self._labels.known())})"

    def known(self) -> tuple[tuple[str, int], ...]:
        """Return every label, and the length of what it stands for."""
        return self._labels.known()

    def learn(self, kind: str, secret: str) -> None:
        """Remember one secret under the name of its parameter."""
        self._learn(secret_and_parts(kind, secret))

    def learn_parameters(self, parameters: Iterable[tuple[str, str]]) -> None:
        """Remember the secrets among parameters, and in the addresses among them."""
        for name, value in parameters:
            self._learn(secrets_in_parameter(name, value))

    def learn_url(self, url: str, *, guess: bool = False) -> None:
        """Remember the secrets of an address.

        Args:
            url: however malformed.
            guess: take for a secret what looks like one, whatever its name.
        """
        self._learn(secrets_in_url(url, guess=guess))

    def learn_request(self, request: HttpRequest, *, guess: bool = False) -> None:
        """Remember the secrets of a request, `guess` as in `learn_url`."""
        self._learn(secrets_in_request(request, guess=guess))

    def learn_response(self, response: HttpResponse, paths: Iterable[str] = ()) -> None:
        """Remember the secrets of a response; `paths` name members that are secret, as in `Send.secrets`."""
        self._learn(secrets_in_response(response, paths))

    def whole(self, text: str) -> str:
        """Write a text without its secrets, however long it is."""
        return self._labels.text(text)

    def text(self, text: str) -> str:
        """Write a text without its secrets, cut to a sensible length."""
        return _cut(self._labels.text(text), LIMIT)

    def headers(self, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Write the headers that matter."""
        kept = ((name, value) for name, value in headers if name.lower() in HEADERS)
        return tuple((name, self.text(_spelt_out(name, value))) for name, value in kept)

    def body(self, message: HttpRequest | HttpResponse) -> str:
        """Write a body: a form or JSON in full, of anything else how long it was, and the title of a page."""
        if not message.body:
            return ""
        kind, size = media_type(message), f"{len(message.body):,}".replace(",", " ")
        if len(message.body) > BODY_LIMIT:
            return f"({size} bytes of {self.text(server_text(kind, 80)) or 'an unknown type'})"
        if isinstance(message, HttpRequest) and kind == FORM:
            return _cut(self._labels.text(form_text(message)), BODY_LIMIT)
        if (document := object_or_none(message.body)) is not None:
            return _cut(json.dumps(self._written(document), ensure_ascii=False), BODY_LIMIT)
        if kind == "text/html":
            title = re.search(_TITLE, message.body.decode("utf-8", "replace"))
            words = self.text(server_text(title.group(1), 200)) if title is not None else ""
            return f"{f'<title>{words}</title> ' if words else ''}({size} bytes of HTML)"
        return f"({size} bytes of {self.text(server_text(kind, 80)) or 'an unknown type'})"

    def _learn(self, secrets: Secrets) -> None:
        for kind, secret in secrets:
            self._labels.learn(kind, secret)

    def _written(self, value: object) -> object:
        if isinstance(value, dict):
            return {self._labels.text(name): self._written(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._written(one) for one in value]
        if isinstance(value, str):
            return self._labels.text(value)
        if isinstance(value, int | float) and (shown := self._labels.text(str(value))) != str(value):
            return shown
        return value


def _cut(text: str, limit: int) -> str:
    # Half a character, which JSON can hold, could not be written anywhere.
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return whole if len(whole) <= limit else whole[: limit - 1] + "…"


def _spelt_out(name: str, value: str) -> str:
    """Take the credentials of Basic out of their base64, which would hide where the secret ends."""
    scheme, _, credentials = value.partition(" ")
    if name.lower() != "authorization" or scheme.lower() != "basic":
        return value
    return f"{scheme} {basic_credentials(credentials)}"
