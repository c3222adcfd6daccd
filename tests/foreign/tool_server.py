"""What the tools in these tests talk to, on loopback: it writes down who came with which token."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

KEYS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>ASIAEXAMPLEEXAMPLE00</AccessKeyId><SecretAccessKey>secret/key</SecretAccessKey>
    <SessionToken>session+token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
  </Credentials><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId>
  </AssumedRoleUser></AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"""
REFUSED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
  <Code>InvalidIdentityToken</Code><Message>No OpenIDConnect provider found</Message></Error>
  <RequestId>1</RequestId></ErrorResponse>"""
EXCHANGED = {
    "access_token": "token-of-google",
    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
    "token_type": "Bearer",
    "expires_in": 3600,
}
VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0",
    "gitCommit": "0",
    "gitTreeState": "clean",
    "buildDate": "2026-01-01T00:00:00Z",
    "goVersion": "go1.23",
    "compiler": "gc",
    "platform": "linux/amd64",
}
"""What a cluster says of itself (Kubernetes, VersionInfo)."""


@dataclass
class ToolServer:
    """A cluster, AWS's and Google's token services, and an API, all at one address.

    Args:
        url: where it is.
        authorizations: the header of each request, in order.
        forms: the form of each POST, in order.
        is_refusing: AWS's service refuses.
        is_registry: requests without a password are refused, as a registry does.
    """

    url: str = ""
    authorizations: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    is_refusing: bool = False
    is_registry: bool = False

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, str, str]:
        """Return status, content type and body."""
        if form.get("Action") == "AssumeRoleWithWebIdentity":
            return (400, "text/xml", REFUSED) if self.is_refusing else (200, "text/xml", KEYS)
        if path == "/v1/token":
            return 200, "application/json", json.dumps(EXCHANGED)
        return 200, "application/json", json.dumps(VERSION)


@contextmanager
def tool_server(tls: ssl.SSLContext | None = None) -> Iterator[ToolServer]:
    """Serve until the block ends."""
    state = ToolServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve({})

        do_HEAD = do_GET

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            form = dict(parse_qsl(body.decode()))
            state.forms.append(form)
            self._serve(form)

        def _serve(self, form: dict[str, str]) -> None:
            state.authorizations.append(self.headers.get("Authorization", ""))
            status, kind, text = state.answer(self.path, form)
            if state.is_registry and not state.authorizations[-1]:
                status = 401
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="registry"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        state.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
