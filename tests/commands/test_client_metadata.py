"""`client-metadata`: the document of a client that needs no registration, and whether it is hosted well."""

from __future__ import annotations

import json
import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme
from command_line import CommandLine

from commands.people import RecordingServer, sign_in
from loopback_auth.demo.serve import demo_thread
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import ProtocolError
from loopback_auth.http_messages import HttpResponse

URL = "https://tool.example/client.json"


@dataclass
class Host:
    """Where the document is hosted.

    Args:
        url: of the document.
        ca_file: of the authority that has issued the certificate.
        answer: content type and body.
    """

    url: str
    ca_file: str
    answer: tuple[str, bytes] = field(default=("text/html", b"<!doctype html>"))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """An https server, because a client ID is an https address."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    class Hosting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = hosted.answer
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Hosting) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        hosted = Host(f"https://127.0.0.1:{server.server_port}/client.json", str(tmp_path / "ca.pem"))
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield hosted
        server.shutdown()
        thread.join()


def flags(host: Host) -> tuple[str, ...]:
    """Return the flags of a client with this document."""
    return ("--client-metadata-url", host.url, "--ca-file", host.ca_file)


def test_the_document_names_itself_and_the_redirect_uri(command_line: CommandLine) -> None:
    """A server compares the two with the client ID and the request, byte for byte."""
    ended = command_line.run("client-metadata", "--client-metadata-url", URL, "--client-name", "Tool")
    fixed = command_line.run("client-metadata", "--client-metadata-url", URL, "--port", "8400")

    assert (ended.status, ended.stderr) == (0, "")
    assert (ended.json["client_id"], ended.json["client_name"]) == (URL, "Tool")
    assert ended.json["redirect_uris"] == ["http://127.0.0.1/callback"]
    assert fixed.json["redirect_uris"] == ["http://127.0.0.1:8400/callback"]


def test_only_the_public_key_is_in_the_document(command_line: CommandLine, tmp_path: Path) -> None:
    """Everybody can read it (draft-ietf-oauth-client-id-metadata-document-02 §4.1)."""
    from joserfc.jwk import ECKey

    key = ECKey.generate_key("P-256")
    file = tmp_path / "key.json"
    file.write_text(json.dumps(key.as_dict(private=True)))
    file.chmod(0o600)
    ended = command_line.run("client-metadata", "--client-metadata-url", URL, "--private-key-file", str(file))

    assert ended.status == 0
    assert ended.json["token_endpoint_auth_method"] == "private_key_jwt"
    assert str(key.as_dict(private=True)["d"]) not in ended.stdout
    assert str(key.as_dict(private=False)["x"]) in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--client-metadata-url"),
        (("--client-metadata-url", "http://tool.example/client.json"), "https"),
        (("--client-metadata-url", "https://tool.example"), "path"),
    ],
)
def test_what_cannot_be_a_client_id_is_refused(
    arguments: tuple[str, ...], words: str, command_line: CommandLine
) -> None:
    """Before a document is hosted at an address that no server accepts."""
    ended = command_line.run("client-metadata", *arguments)

    assert ended.status == 2
    assert words in ended.complaint


def test_the_hosted_document_is_compared_with_the_printed_one(command_line: CommandLine, host: Host) -> None:
    """A document that is older than the program shows the wrong name, or lacks a redirect URI."""
    printed = command_line.run("client-metadata", *flags(host))
    host.answer = ("application/json", printed.stdout.encode())
    same = command_line.run("client-metadata", *flags(host), "--check", "--json")
    named = command_line.run("client-metadata", *flags(host), "--client-name", "Other", "--check", "--json")

    assert (same.status, same.json["accepted"], same.json["differs"]) == (0, True, [])
    assert (named.status, named.json["differs"]) == (0, ["client_name"])


@pytest.mark.parametrize(
    "answer",
    [
        ("text/html", b"<!doctype html>"),
        ("application/json", b"["),
        ("application/json", b'{"client_id": "https://tool.example/other.json", "client_name": "x"}'),
    ],
)
def test_a_document_that_servers_refuse_has_a_status_of_its_own(
    answer: tuple[str, bytes], command_line: CommandLine, host: Host
) -> None:
    """A script that deploys it can stop there."""
    host.answer = answer
    ended = command_line.run("client-metadata", *flags(host), "--check")

    assert ended.status == ProtocolError.exit_code
    assert ended.stdout.startswith("refused  ")


def test_doctor_checks_it_too(command_line: CommandLine, host: Host) -> None:
    """A server that refuses it shows a page from which no browser comes back."""
    with demo_thread(server_factory=RecordingServer) as demo:
        ended = command_line.run("doctor", f"{demo.issuer}/mcp", *flags(host), "--json")
        host.answer = (
            "application/json",
            command_line.run("client-metadata", *flags(host)).stdout.encode(),
        )
        right = command_line.run("doctor", f"{demo.issuer}/mcp", *flags(host), "--json")
    found = [
        next((row["verdict"] for row in one.json["server"] if row["what"] == "client metadata document"), "")  # type: ignore[attr-defined]
        for one in (ended, right)
    ]

    assert found == ["no", "yes"]


class Fetching(DemoServer):
    """A server that finds one document, without asking the network for it."""

    def __init__(self, issuer: str) -> None:
        super().__init__(issuer, entropy=secrets.token_bytes, fetch=self._fetched)
        self.document = b""

    def _fetched(self, url: str) -> HttpResponse | None:
        kind = ("Content-Type", "application/json")
        return HttpResponse(200, (kind,), self.document) if url == URL else None


def test_a_hosted_document_is_the_client_id(command_line: CommandLine) -> None:
    """Nothing is registered, and the next program of this name needs no other ID."""
    printed = command_line.run("client-metadata", "--client-metadata-url", URL, "--client-name", "Tool")
    with demo_thread(server_factory=Fetching) as demo:
        assert isinstance(demo.server, Fetching)
        demo.server.document = printed.stdout.encode()
        ended = sign_in(command_line, f"{demo.issuer}/mcp", "--client-metadata-url", URL)
        renewed = command_line.run("token", "--renew", "--json")
        (status,) = json.loads(command_line.run("status", "--json").stdout)

    assert (ended.status, renewed.status) == (0, 0)
    assert (status["client_id"], status["registered"]) == (URL, False)
    assert "Registering" not in ended.stderr
