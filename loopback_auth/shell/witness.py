"""What may be told of a sign-in: every secret is learnt as it passes, and taken out of all that is told.

Three things are made safe: the exchanges that `--verbose` shows, the words that a server put into a refusal,
and every error on its way out. A body that cannot be read is not shown at all: what cannot be understood
cannot be made safe.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qsl, unquote_plus

from loopback_auth.errors import LoopbackAuthError, OAuthError, ProtocolError
from loopback_auth.model import Callback, HttpRequest, HttpResponse
from loopback_auth.protocol.json import member, parse_object
from loopback_auth.redact import Redactor, is_secret
from loopback_auth.shell.events import Exchanged

SHOWN = 4000
"""Characters of a body that are told."""

QUOTES = frozenset({"error", "error_description", "error_uri"})
"""Where servers quote what they were sent."""


class Witness:
    """Sees everything of one sign-in, and tells it without secrets."""

    def __init__(self) -> None:
        self._redactor = Redactor()

    def url(self, url: str) -> None:
        """Learn the secrets of a URL."""
        self._redactor.learn_url(url)

    def request(self, request: HttpRequest) -> None:
        """Learn the secrets of a request of ours."""
        self._redactor.learn_url(request.url)
        self._redactor.learn_parameters(parse_qsl(request.body.decode("latin-1")))
        scheme, _, credentials = request.header("authorization").partition(" ")
        if scheme.lower() == "basic":
            with suppress(ValueError):
                secret = base64.b64decode(credentials).decode("utf-8").partition(":")[2]
                self._redactor.learn("client_secret", unquote_plus(secret))
        elif credentials:
            self._redactor.learn("access_token", credentials)

    def response(self, answer: HttpResponse, secrets: tuple[str, ...]) -> HttpResponse:
        """Learn the secrets of an answer; return it without those that a refusal quotes.

        Args:
            answer: as it came.
            secrets: paths of secret members besides those with the usual names.
        """
        members = _members(answer)
        if members is None:
            return answer
        for path in secrets:
            secret, name = member(members, path), path.rpartition(".")[2]
            if isinstance(secret, str):
                # A vendor's own names, such as `id`, say nothing; only tickets have them.
                self._redactor.learn(name if is_secret(name) else "ticket", secret)
        if "error" not in members:
            self._redactor.learn_parameters(members.items())
            return answer
        # Before the flow cuts them to a readable length, and a secret with them.
        clean = {
            name: self._redactor.text(value) if name in QUOTES and isinstance(value, str) else value
            for name, value in members.items()
        }
        return replace(answer, body=json.dumps(clean).encode("ascii"))

    def callback(self, callback: Callback) -> Callback:
        """Learn the secrets of a callback; return it without those that a refusal quotes."""
        self._redactor.learn_parameters(callback.parameters)
        parameters = (
            (name, self._redactor.text(value) if name in QUOTES else value)
            for name, value in callback.parameters
        )
        return replace(callback, parameters=tuple(parameters))

    def exchange(self, request: HttpRequest, answer: HttpResponse, *, step: str, seconds: float) -> Exchanged:
        """Describe one exchange, cut only after it was made harmless: half a secret is not recognised."""
        response = f"({len(answer.body)} bytes that are no JSON object, not shown)" if answer.body else ""
        if _members(answer) is not None:
            response = self._redactor.text(answer.body[: 16 * SHOWN].decode("utf-8", "replace"))[:SHOWN]
        return Exchanged(
            step=step,
            method=request.method,
            url=self._redactor.text(request.url),
            request=self._redactor.text(request.body.decode("latin-1"))[:SHOWN],
            status=answer.status,
            response=response,
            seconds=seconds,
        )

    def scrub(self, error: LoopbackAuthError) -> None:
        """Replace in an error every secret that a server may have put into its words."""
        safe = self._redactor.text
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


def _members(answer: HttpResponse) -> dict[str, object] | None:
    try:
        return parse_object(answer.body, what="answer", source="")
    except LoopbackAuthError:
        return None
