"""Protected resources to test with: answers by address, in memory or on a port of this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit

from loopback_auth.effects import Flow, FlowResult, Send, Warn, resume_flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse

T = TypeVar("T")

Answer = HttpResponse | LoopbackAuthError | Callable[[HttpRequest], HttpResponse]

NOTHING = HttpResponse(404, (("Content-Type", "text/plain"),), b"There is nothing here.")


def document(members: object, status: int = 200) -> HttpResponse:
    """Answer with JSON."""
    return HttpResponse(status, (("Content-Type", "application/json"),), json.dumps(members).encode())


def challenged(*challenges: str, status: int = 401) -> HttpResponse:
    """Answer a request without a token."""
    return HttpResponse(status, tuple(("WWW-Authenticate", value) for value in challenges))


def server_metadata(issuer: str, **members: object) -> HttpResponse:
    """Answer with the metadata of an authorization server that a new client can use."""
    return document(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "registration_endpoint": f"{issuer}/register",
            "code_challenge_methods_supported": ["S256"],
            **members,
        }
    )


class ResourceWorld:
    """Answers the requests of a flow.

    Args:
        answers: by method and URL (`POST https://...`), or by URL for every method; others get 404.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[str] = []
        """Method and URL of every request, in order."""
        self.warnings: list[str] = []

    def run(self, flow: Flow[T]) -> T:
        """Run a flow that sends requests and warns."""
        answer: object = None
        while not isinstance(step := resume_flow(flow, answer), FlowResult):
            match step:
                case Send(request):
                    answer = self._answer(request)
                case Warn(text):
                    self.warnings.append(text)
                    answer = None
                case _:
                    raise AssertionError(f"The flow asks for {step!r}.")
        return step.value

    def _answer(self, request: HttpRequest) -> HttpResponse | LoopbackAuthError:
        line = f"{request.method} {request.url}"
        self.asked.append(line)
        answer = self.answers.get(line, self.answers.get(request.url, NOTHING))
        return answer(request) if callable(answer) else answer


class ResourceServer(ThreadingHTTPServer):
    """A resource on a port of this machine; set `answers` by method and path, or by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.answers: dict[str, HttpResponse] = {}
        self.asked: list[str] = []

    def protect(self, path: str, *issuers: str, scopes: tuple[str, ...] = (), **members: object) -> str:
        """Protect a path with tokens of these issuers, and return its URL."""
        url, place = f"{self.origin}{path}", f"/.well-known/oauth-protected-resource{path}"
        self.answers[path] = challenged(f'Bearer resource_metadata="{self.origin}{place}"')
        known = {"resource": url, "authorization_servers": list(issuers), **members}
        self.answers[place] = document({**known, "scopes_supported": list(scopes)} if scopes else known)
        return url


class _Handler(BaseHTTPRequestHandler):
    server: ResourceServer

    def do_GET(self) -> None:
        """Answer from the table."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        line = f"{self.command} {self.path}"
        self.server.asked.append(line)
        answers = self.server.answers
        answer = answers.get(line, answers.get(urlsplit(self.path).path, NOTHING))
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def resource_server() -> Generator[ResourceServer]:
    """Serve until the block ends."""
    with ResourceServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
