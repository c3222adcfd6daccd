"""What may be told of a sign-in: every secret is learnt as it passes, and taken out of all that is told.

Three things are made safe: the exchanges that `--verbose` shows, the words that a server put into a refusal,
and every error on its way out. A body that cannot be read is not shown at all: what cannot be understood
cannot be made safe.
"""

from __future__ import annotations

import json
from dataclasses import replace

from loopback_auth.errors import LoopbackAuthError, OAuthError, ProtocolError
from loopback_auth.events import Exchanged
from loopback_auth.model import Callback, HttpRequest, HttpResponse
from loopback_auth.protocol.json import is_page, object_or_none
from loopback_auth.trace.redactor import Redactor

SHOWN = 4000
"""Characters of a body that are told."""

QUOTES = frozenset({"error", "error_description", "error_uri", "errors", "message", "messages", "detail"})
"""Where servers quote what they were sent: of a success that may be a refusal all the same, only these are
cleaned."""
QUOTED = 64 * 1024
"""Bytes of a refusal that is not JSON: nobody reads further."""


class Witness:
    """Sees everything of one sign-in, and tells it without secrets."""

    def __init__(self) -> None:
        self._redactor = Redactor()

    def secret(self, kind: str, secret: str) -> None:
        """Learn a secret before anybody can quote it."""
        self._redactor.learn(kind, secret)

    def url(self, url: str) -> None:
        """Learn the secrets of a URL."""
        self._redactor.learn_url(url)

    def request(self, request: HttpRequest) -> None:
        """Learn the secrets of a request of ours."""
        self._redactor.learn_request(request)

    def response(self, answer: HttpResponse, secrets: tuple[str, ...]) -> HttpResponse:
        """Learn the secrets of an answer; return it without those that a refusal quotes.

        Args:
            answer: as it came.
            secrets: paths of secret members besides those with the usual names.
        """
        self._redactor.learn_response(answer, secrets)
        members = object_or_none(answer.body)
        # Before the flow cuts them to a readable length, and a secret with them.
        # Not a page: only its title is shown, and a form in it may be the answer that a browser posts.
        if members is None and answer.status >= 400 and not is_page(answer):
            text = answer.body[:QUOTED].decode("utf-8", "replace")
            return replace(answer, body=self._redactor.whole(text).encode("utf-8"))
        if members is None or (answer.status < 400 and "error" not in members):
            return answer
        clean = {
            name: self._clean(value) if answer.status >= 400 or name in QUOTES else value
            for name, value in members.items()
        }
        return replace(answer, body=json.dumps(clean).encode("ascii"))

    def _clean(self, value: object) -> object:
        """Return what a refusal says without secrets, wherever in it the words of the server are."""
        if isinstance(value, dict):
            return {self._redactor.whole(name): self._clean(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._clean(one) for one in value]
        return self._redactor.whole(value) if isinstance(value, str) else value

    def callback(self, callback: Callback) -> Callback:
        """Learn the secrets of a callback; return it without those that a refusal quotes."""
        self._redactor.learn_parameters(callback.parameters)
        parameters = (
            (name, self._redactor.whole(value) if name in QUOTES else value)
            for name, value in callback.parameters
        )
        return replace(callback, parameters=tuple(parameters))

    def exchange(self, request: HttpRequest, answer: HttpResponse, *, step: str, seconds: float) -> Exchanged:
        """Describe one exchange, cut only after it was made harmless: half a secret is not recognised."""
        return Exchanged(
            step=step,
            method=request.method,
            url=self._redactor.text(request.url),
            request=self._redactor.body(request)[:SHOWN],
            status=answer.status,
            response=self._redactor.body(answer)[:SHOWN],
            seconds=seconds,
        )

    def scrub(self, error: LoopbackAuthError) -> None:
        """Replace in an error every secret that a server may have put into its words.

        What it came of is dropped: a decoder's error holds the whole document.
        """
        error.__context__ = error.__cause__ = None
        safe = self._redactor.whole
        error.message = safe(error.message)
        error.hint = safe(error.hint)
        error.args = (error.message,)
        if isinstance(error, OAuthError):
            error.error = safe(error.error)
            error.error_description = safe(error.error_description)
            error.error_uri = safe(error.error_uri)
        if isinstance(error, ProtocolError):
            error.expected = safe(error.expected)
            error.received = safe(error.received)
