"""msal speaks the protocol, our receiver receives the redirect."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
import trustme
from msal import PublicClientApplication

from loopback_auth import LoopbackReceiver
from loopback_auth.events import silent
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser, serve

pytest.importorskip("joserfc")


def sign_in(app: PublicClientApplication, scopes: list[str], user: SimulatedUser) -> dict[str, object]:
    """Sign in with msal, and show the user what came of it."""
    with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
        flow = app.initiate_auth_code_flow(scopes, receiver.redirect_uri, response_mode="form_post")
        result = app.acquire_token_by_auth_code_flow(flow, receiver.visit_sync(flow["auth_uri"]))
        if "error" in result:
            receiver.fail(result["error"])
        return dict(result)


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
            reply = requests.post(f"{server.issuer}/token", form, headers=kind, timeout=5)
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


@pytest.mark.parametrize(("decision", "title"), [("approve", "Signed in"), ("deny", "Not signed in")])
def test_msal(decision: str, title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own receiver shows success before the code is exchanged."""
    user = SimulatedUser("approve" if decision == "approve" else "deny")
    with serve() as server, tenant(server, tmp_path) as (issuer, ca_file):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
        app = PublicClientApplication("loopback-auth-demo", oidc_authority=issuer)
        result = sign_in(app, ["email"], user)
        page = user.page_sync()

    assert ("access_token" in result) is (decision == "approve"), result
    assert title in page
