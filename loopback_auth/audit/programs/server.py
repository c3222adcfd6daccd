"""The authorization server of an audit: it lets in what programs do, and keeps every request of theirs.

It is lenient, so that a program which leaves out what it should send can be looked at. It knows one client,
by the ID that the program has, with any redirect URI on this machine.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from loopback_auth.audit.programs.any_program import AnyProgram
from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.templates import filled, server_values
from loopback_auth.demo.accounts import ACCOUNTS
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.request_log import LoggedRequest, logged
from loopback_auth.demo.server import BROWSER_PATHS, DemoServer
from loopback_auth.demo.setup import PATHS
from loopback_auth.demo.wire import json_reply
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.json import object_or_none
from loopback_auth.trace.redactor import Redactor


@dataclass(frozen=True, slots=True)
class Served:
    """A request of the program, and what it was answered.

    Args:
        request: with an absolute URL.
        answer: of the server.
        at: when it came, in monotonic seconds.
        ended: when it was answered, in monotonic seconds.
        record: the same request as a log has it.
    """

    request: HttpRequest = field(repr=False)
    answer: HttpResponse = field(repr=False)
    at: float
    ended: float
    record: LoggedRequest


class AuditServer(DemoServer):
    """The server for one sign-in of a program.

    Args:
        issuer: its origin.
        recipe: of the program: what its client is, and which other paths and answers it wants.
        secret: of the client; empty for a public one.
        faults: rules that it breaks besides its leniency.
        signer: signs ID tokens; None: there are none.
        redactor: learns every secret that passes.
    """

    def __init__(
        self,
        issuer: str,
        recipe: Recipe,
        *,
        secret: str,
        faults: Faults,
        signer: Signer | None,
        redactor: Redactor,
    ) -> None:
        client = AnyProgram(
            recipe.client_id,
            secret or None,
            redirect_uris=("http://127.0.0.1/",),
            client_name=recipe.heading,
        )
        super().__init__(
            issuer,
            entropy=secrets.token_bytes,
            signer=signer,
            clients=(client,),
            accounts=[replace(one, more=recipe.claims) for one in ACCOUNTS],
            faults=replace(faults, lenient=True),
            device_interval=1,
        )
        self.served: list[Served] = []
        """The program's requests, in the order of their answers."""
        self.changed: Callable[[], None] = lambda: None
        """Called after each of them."""
        self._redactor = redactor
        self._aliases = recipe.aliases
        self._members = recipe.token_members
        values = server_values(issuer, client_id=recipe.client_id, client_secret=secret, scope=recipe.scope)
        self._answers = {path: filled(text, values) for path, text in recipe.answers.items()}

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a request of the program, and keep it; never raises."""
        at = time.monotonic()
        whole = replace(request, url=self.issuer + request.url) if request.url.startswith("/") else request
        answer = self.answer(request, now)
        self._redactor.learn_request(whole)
        self._redactor.learn_response(answer)
        record = logged(replace(request, url=self._path(request.url)), answer.status, now)
        self.served.append(Served(whole, answer, at, time.monotonic(), record))
        self.changed()
        return answer

    def answer(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a request of the browser, or of an attacker; it is not kept."""
        target = self._path(request.url.removeprefix(self.issuer))
        path = target.partition("?")[0]
        if path in self._answers:
            return HttpResponse(200, (("Content-Type", "application/json"),), self._answers[path].encode())
        if path == PATHS["token_endpoint"]:
            # RFC 6749 §2.3.1 forbids only credentials there; some programs send their version.
            answer = super().handle(replace(request, url=path), now)
            members = object_or_none(answer.body) if self._members and answer.status == 200 else None
            return answer if members is None else json_reply({**members, **self._added(members)})
        return super().handle(replace(request, url=target), now)

    def _added(self, members: Mapping[str, object]) -> dict[str, object]:
        """Return the members that are added to a token response."""
        texts = {name: value for name, value in members.items() if isinstance(value, str)}
        return {
            name: filled(value, texts) if isinstance(value, str) else value
            for name, value in self._members.items()
        }

    def answered(self, path: str) -> Iterator[Mapping[str, object]]:
        """Iterate over the JSON objects that the program got from a path."""
        for one in self.served:
            if one.record.path == path and (members := object_or_none(one.answer.body)) is not None:
                yield members

    @property
    def token_answers(self) -> list[Mapping[str, object]]:
        """The token responses that the program got."""
        return [one for one in self.answered("/token") if "access_token" in one or "id_token" in one]

    def path_of(self, url: str) -> str:
        """Return the path of a URL of this server, as the server itself knows it; empty for another's."""
        at_server = url.startswith(f"{self.issuer}/")
        return self._path(url.removeprefix(self.issuer)).partition("?")[0] if at_server else ""

    def is_page(self, url: str) -> bool:
        """Return whether a URL leads to a page of this server that a user would open.

        Programs also print where they send requests, as in "Connecting to http://127.0.0.1:9000/mcp".
        """
        return self.path_of(url) in BROWSER_PATHS

    def _path(self, target: str) -> str:
        """Return a request target with the path that its own stands for."""
        path, question, query = target.partition("?")
        return self._aliases.get(path, path) + question + query
