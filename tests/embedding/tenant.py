"""What msal demands of an authorization server: an https issuer with a path."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import requests
import trustme
from patience import SOON

from loopback_auth.testing import DemoAuthorizationServer


@contextmanager
def tenant(server: DemoAuthorizationServer, folder: Path) -> Iterator[tuple[str, str]]:
    """Put a server behind an https issuer with a path, which msal demands; return it and the CA's file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    class Tenant(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            endpoints = {"token": f"{issuer}/token", "authorization": f"{server.issuer}/authorize"}
            named = {f"{name}_endpoint": url for name, url in endpoints.items()}
            self._answer(200, json.dumps({"issuer": issuer, **named}).encode())

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"]))
            kind = {"Content-Type": self.headers["Content-Type"]}
            reply = requests.post(f"{server.issuer}/token", form, headers=kind, timeout=SOON)
            self._answer(reply.status_code, reply.content)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Tenant) as https:
        https.socket = context.wrap_socket(https.socket, server_side=True)
        issuer = f"https://127.0.0.1:{https.server_port}/tenant"
        serving = Thread(target=https.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        yield issuer, str(folder / "ca.pem")
        https.shutdown()
        serving.join()
