"""Takes the secrets out of a sign-in: learns them as they pass, and writes labels wherever they turn up.

Written with labels are: traces (`trace.recorder`), the exchanges that `--verbose` shows, the words that a
server put into a refusal, and every error on its way out. Text that cannot be read is not shown, only how
long it was: what cannot be understood cannot be made safe.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import LoopbackAuthError, OAuthError, ProtocolError
from loopback_auth.events import Exchanged
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.narrow import is_list, is_object
from loopback_auth.protocol.json import is_page, media_type, object_or_none
from loopback_auth.records import replace
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
from loopback_auth.trace.secret_labels import MOST_SECRETS, SecretLabels

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
        "dpop",
        "dpop-nonce",
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
"""Headers that matter when a sign-in is judged; cookies are learnt, and never shown."""

SHOWN = 4000
"""Characters of a body that an event has."""

QUOTES = frozenset({"error", "error_description", "error_uri", "errors", "message", "messages", "detail"})
"""Members and parameters in which servers quote what they were sent."""

QUOTED = 64 * 1024
"""Bytes of a refusal that is not JSON; nothing reads further."""

_TITLE = r"(?is)<title[^>]*>(.*?)</title"


class Redactor:
    """Learns the secrets of one conversation, and writes the conversation without them.

    Args:
        most: how many secrets are remembered; once there are more, no text is shown.
    """

    def __init__(self, most: int = MOST_SECRETS) -> None:
        self._labels = SecretLabels(most)

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

    def text(self, text: str) -> str:
        """Return a text without its secrets, however long it is."""
        return self._labels.text(text)

    def excerpt(self, text: str) -> str:
        """Return a text without its secrets, cut to `LIMIT`."""
        return _cut(self.text(text), LIMIT)

    def headers(self, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Return the headers that matter, without their secrets."""
        kept = ((name, value) for name, value in headers if name.lower() in HEADERS)
        return tuple((name, self.excerpt(_spelt_out(name, value))) for name, value in kept)

    def body(self, message: HttpRequest | HttpResponse) -> str:
        """Return a form or JSON without its secrets; of any other body its size, and the title of a page."""
        if not message.body:
            return ""
        kind, size = media_type(message), f"{len(message.body):,}".replace(",", " ")
        if len(message.body) <= BODY_LIMIT:
            if isinstance(message, HttpRequest) and kind == FORM:
                return _cut(self.text(form_text(message)), BODY_LIMIT)
            if (document := object_or_none(message.body)) is not None:
                return _cut(json.dumps(self._json(document), ensure_ascii=False), BODY_LIMIT)
            if kind == "text/html":
                title = re.search(_TITLE, message.body.decode("utf-8", "replace"))
                words = self.excerpt(server_text(title.group(1), 200)) if title is not None else ""
                return f"{f'<title>{words}</title> ' if words else ''}({size} bytes of HTML)"
        return f"({size} bytes of {self.excerpt(server_text(kind, 80)) or 'an unknown type'})"

    def exchanged(
        self, request: HttpRequest, response: HttpResponse, *, step: str, seconds: float
    ) -> Exchanged:
        """Return the event for one exchange of this program, whose secrets are learnt already."""
        # Cut only after the secrets are out: half a secret is not recognised.
        return Exchanged(
            step=step,
            method=request.method,
            url=self.excerpt(request.url),
            request=self.body(request)[:SHOWN],
            status=response.status,
            response=self.body(response)[:SHOWN],
            seconds=seconds,
        )

    def clean_response(self, response: HttpResponse, paths: Iterable[str] = ()) -> HttpResponse:
        """Learn the secrets of a response; return it without those that a refusal quotes.

        Before a flow reads it, and cuts a secret in two with the words around it.

        Args:
            response: as it came.
            paths: of members that are secret besides those with the usual names, as in `Send.secrets`.
        """
        self.learn_response(response, paths)
        members, refused = object_or_none(response.body), response.status >= 400
        # Not a page: only its title is shown, and a form in it may be the answer that a browser posts.
        if members is None and refused and not is_page(response):
            text = response.body[:QUOTED].decode("utf-8", "replace")
            return replace(response, body=self.text(text).encode("utf-8"))
        if members is None or not (refused or "error" in members):
            return response
        # A success with an `error` may be a refusal all the same, and its tokens have to stay.
        clean = {
            name: self._json(value) if refused or name in QUOTES else value for name, value in members.items()
        }
        return replace(response, body=json.dumps(clean).encode("ascii"))

    def clean_callback(self, callback: Callback) -> Callback:
        """Learn the secrets of a callback; return it without those that a refusal quotes."""
        self.learn_parameters(callback.parameters)
        clean = ((name, self.text(value) if name in QUOTES else value) for name, value in callback.parameters)
        return replace(callback, parameters=tuple(clean))

    def clean_error(self, error: LoopbackAuthError) -> None:
        """Replace in an error, in place, every secret that a server may have put into its words.

        Its cause is dropped: a decoder's error holds the whole document.
        """
        error.__context__ = error.__cause__ = None
        error.message = self.text(error.message)
        error.hint = self.text(error.hint)
        error.args = (error.message,)
        if isinstance(error, OAuthError):
            error.error = self.text(error.error)
            error.error_description = self.text(error.error_description)
            error.error_uri = self.text(error.error_uri)
        if isinstance(error, ProtocolError):
            error.expected = self.text(error.expected)
            error.received = self.text(error.received)

    def _learn(self, secrets: Secrets) -> None:
        for kind, secret in secrets:
            self._labels.learn(kind, secret)

    def _json(self, value: object) -> object:
        """Return a JSON value without its secrets, wherever in it they stand."""
        if is_object(value):
            return {self.text(name): self._json(one) for name, one in value.items()}
        if is_list(value):
            return [self._json(one) for one in value]
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float) and (shown := self.text(str(value))) != str(value):
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
