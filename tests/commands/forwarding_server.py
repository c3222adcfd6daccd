"""A server behind a proxy, in a thread: it answers what it was sent, and refuses tokens when told so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Echo(ThreadingHTTPServer):
    """Answers with method, path and the number of the token, which it does not repeat."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tokens: list[str] = []
        self.refused: set[str] = set()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Echo

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").partition(" ")[2]
        self.server.tokens.append(token)
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        body = json.dumps({"method": self.command, "path": self.path, "content": content.decode()}).encode()
        self.send_response(401 if token in self.server.refused else 200)
        if token in self.server.refused:
            self.send_header("WWW-Authenticate", 'Bearer error="invalid_token"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


@contextmanager
def echo() -> Iterator[Echo]:
    """Serve for as long as the block lasts."""
    with Echo() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
