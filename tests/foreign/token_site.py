"""A server that demands a token, and writes down what it was sent: of git, a registry, an index."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

Answer = tuple[int, dict[str, str], bytes]
Serve = Callable[[BaseHTTPRequestHandler, bytes], Answer]


@dataclass
class Site:
    """What a server has, takes and was sent.

    Args:
        serve: answers a request that came with a token.
        tokens: that are good.
        schemes: of authentication that it offers; a token is taken by each of them.
        authorizations: headers that it was sent, decoded.
    """

    serve: Serve
    tokens: set[str]
    schemes: tuple[str, ...] = ("Basic",)
    authorizations: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def answer(self, request: BaseHTTPRequestHandler) -> Answer:
        """Answer a request, if it has a token."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        scheme, _, value = (request.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() == "basic":
            value = base64.b64decode(value).decode()
        if scheme:
            self.authorizations.append(f"{scheme} {value}")
        token = value.partition(":")[2] if scheme.lower() == "basic" else value
        if scheme.lower() in map(str.lower, self.schemes) and token in self.tokens:
            return self.serve(request, body)
        offered = ", ".join(f'{one} realm="tests"' for one in self.schemes)
        return 401, {"WWW-Authenticate": offered, "Docker-Distribution-Api-Version": "registry/2.0"}, b""


@contextmanager
def served(
    serve: Serve,
    *tokens: str,
    schemes: tuple[str, ...] = ("Basic",),
    tls: ssl.SSLContext | None = None,
) -> Iterator[Site]:
    """Serve a site on a free port of this machine, with TLS if there is a certificate."""
    site = Site(serve, set(tokens), schemes)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            status, headers, content = site.answer(self)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = do_PUT = _do

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the tests look at what was sent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        site.port = server.server_address[1]
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def git_repositories(folder: Path, environ: dict[str, str]) -> Serve:
    """Return what serves the bare repositories in a folder, by git-http-backend(1)."""

    def serve(request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        url = urlsplit(request.path)
        variables = {
            "GIT_PROJECT_ROOT": str(folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "tests",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, capture_output=True, env=environ | variables, timeout=60
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(headers.pop("Status", "200").split()[0])
        return status, headers, content

    return serve


def registry(repository: str = "tests/image") -> Serve:
    """Return what serves one image without layers, as a registry does (OCI distribution specification)."""
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    )
    blob = config.encode()
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    described = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": len(blob),
        "digest": digest,
    }
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": described, "layers": []}).encode()

    def serve(request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        path = urlsplit(request.path).path
        headers = {"Docker-Distribution-Api-Version": "registry/2.0"}
        if path == "/v2/":
            return 200, headers, b"{}"
        if path.startswith(f"/v2/{repository}/manifests/"):
            found = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
            return 200, headers | {"Content-Type": kind, "Docker-Content-Digest": found}, manifest
        if path == f"/v2/{repository}/blobs/{digest}":
            return 200, headers | {"Content-Type": "application/octet-stream"}, blob
        if path == f"/v2/{repository}/tags/list":
            return (
                200,
                headers | {"Content-Type": "application/json"},
                json.dumps({"name": repository, "tags": ["latest"]}).encode(),
            )
        return 404, headers, b"{}"

    return serve


def package_index(folder: Path) -> Serve:
    """Return what serves the wheels of a folder, and takes uploads (PEP 503; the legacy upload API)."""

    def serve(request: BaseHTTPRequestHandler, body: bytes) -> Answer:
        path = urlsplit(request.path).path
        if request.command == "POST":
            (folder / "uploaded").write_bytes(body)
            return 200, {}, b""
        name = os.path.basename(path)  # noqa: PTH119 - of a URL
        if name.endswith(".whl"):
            return 200, {"Content-Type": "application/octet-stream"}, (folder / name).read_bytes()
        links = "".join(f'<a href="/files/{one.name}">{one.name}</a>' for one in folder.glob("*.whl"))
        return (
            200,
            {"Content-Type": "text/html"},
            f"<!DOCTYPE html><html><body>{links}</body></html>".encode(),
        )

    return serve
