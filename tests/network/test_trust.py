"""Which servers are trusted, which certificate we show, and what is said when that fails."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from patience import SOON
from relays import Authority, answer, listening

from loopback_auth.errors import ConfigError, LoopbackAuthError, TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import Network
from loopback_auth.network.failures import failure
from loopback_auth.network.transport import Transport
from loopback_auth.network.trust import PASSWORD, complaints, tls_context

by_openssl = pytest.mark.skipif(
    sys.platform == "win32",
    reason="there the system verifies certificates, which Wine does by rules of its own",
)


async def ask(
    context: ssl.SSLContext, network: Network | None = None, environ: dict[str, str] | None = None
) -> HttpResponse:
    """Send a request to a server that has this certificate."""
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with (
        asyncio.timeout(SOON),
        listening(answer, context) as port,
        Transport(network, environ=environ or {}) as opened,
    ):
        request = HttpRequest("POST", f"https://127.0.0.1:{port}/token")
        return await opened.send(request, step="token request")


@by_openssl
async def test_authority_of_a_setting_is_trusted_besides(tmp_path: Path) -> None:
    """A company's own authority signs the company's own server."""
    authority = Authority(tmp_path)

    assert (await ask(authority.server(), Network(ca_file=str(authority.file)))).status == 200


@by_openssl
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_authorities_of_other_tools_are_trusted_besides(name: str, tmp_path: Path) -> None:
    """Whoever has set up one of them has set up this program."""
    authority = Authority(tmp_path)

    assert (await ask(authority.server(), environ={name: str(authority.file)})).status == 200


@by_openssl
def test_added_authorities_take_none_away(tmp_path: Path) -> None:
    """Unlike those of requests and curl, which replace them."""
    context = tls_context(Network(ca_file=str(Authority(tmp_path).file)), {})
    plain = ssl.create_default_context()

    assert isinstance(context, ssl.SSLContext)
    assert context.cert_store_stats()["x509_ca"] > plain.cert_store_stats()["x509_ca"]


@by_openssl
def test_nothing_to_add_makes_no_context() -> None:
    """Aiohttp has made one already, and reading all authorities again would be felt."""
    assert tls_context(Network(), {}) is True


@by_openssl
async def test_where_openssl_finds_nothing_the_system_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Some builds of Python look for authorities in folders that only their makers have."""
    nowhere = ssl.get_default_verify_paths()._replace(cafile="", capath="")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nowhere)
    authority = Authority(tmp_path)
    context = tls_context(Network(), {})

    assert type(context).__module__.startswith("truststore")
    assert (await ask(authority.server(), environ={"SSL_CERT_FILE": str(authority.file)})).status == 200
    with pytest.raises(TransportError, match=r"self-signed|unable to get"):
        await ask(authority.server())


@by_openssl
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize(
    ("file", "words"), [("nowhere.pem", "cannot be read"), ("empty.pem", "has no certificate in it")]
)
async def test_variable_that_adds_nothing_is_named(name: str, file: str, words: str, tmp_path: Path) -> None:
    """The advice to set it is of no use to whoever has set it."""
    (tmp_path / "empty.pem").write_text("no certificate\n")
    environ = {name: str(tmp_path / file)}

    with pytest.raises(TransportError) as caught:
        await ask(Authority(tmp_path).server(), environ=environ)

    assert f"{name} names {tmp_path / file}, which {words}" in caught.value.hint


def test_variable_that_adds_something_is_not_complained_of(tmp_path: Path) -> None:
    """A file or a folder with certificates is what it should be."""
    environ = {"SSL_CERT_FILE": str(Authority(tmp_path).file)}

    assert complaints(environ) == ()


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_file_of_our_own_setting_has_to_be_one(content: str | None, tmp_path: Path) -> None:
    """It was named for this program, so that it is a slip."""
    file = tmp_path / "own.pem"
    if content is not None:
        file.write_text(content)

    with pytest.raises(ConfigError, match=r"own\.pem"):
        tls_context(Network(ca_file=str(file)), {})


@by_openssl
async def test_client_certificate_is_shown_to_a_server_that_wants_one(tmp_path: Path) -> None:
    """Some companies let nobody in without."""
    authority = Authority(tmp_path)
    certificate, key = map(str, authority.client())
    network = Network(ca_file=str(authority.file), client_cert=certificate, client_key=key)

    assert (await ask(authority.server(wants=True), network)).status == 200


@contextmanager
def refusing(context: ssl.SSLContext, *, resets: bool = False) -> Iterator[int]:
    """Serve with the alerts of OpenSSL, which asyncio's servers do not send.

    Args:
        context: of the server.
        resets: the first connection is reset, and a second one served.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SOON)

        def serve() -> None:
            accepted, _ = listener.accept()
            accepted.settimeout(SOON)
            with closing(accepted.dup()) as held:
                with suppress(OSError), context.wrap_socket(accepted, server_side=True) as secured:
                    secured.recv(65536)
                with suppress(OSError):
                    while held.recv(65536):
                        pass

        def reset() -> None:
            """Go through the handshake up to where the client has done its part, and hang up."""
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            end = context.wrap_bio(incoming, outgoing, server_side=True)
            with closing(listener.accept()[0]) as accepted:
                accepted.settimeout(SOON)
                incoming.write(accepted.recv(65536))
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                accepted.sendall(outgoing.read())
                accepted.recv(65536)
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def serve_all() -> None:
            if resets:
                reset()
            serve()

        thread = Thread(target=serve_all)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(SOON)


async def refusal(context: ssl.SSLContext, network: Network, *, resets: bool = False) -> TransportError:
    """Return what is said of a server that does not let us in."""
    with refusing(context, resets=resets) as port:
        async with asyncio.timeout(SOON), Transport(network, environ={}) as opened:
            with pytest.raises(TransportError) as caught:
                await opened.send(HttpRequest("POST", f"https://127.0.0.1:{port}/"), step="token request")
            return caught.value


@by_openssl
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_server_that_wants_a_client_certificate_is_understood(
    version: ssl.TLSVersion, tmp_path: Path
) -> None:
    """OpenSSL's number for it is 1, which the system calls "Operation not permitted"."""
    authority = Authority(tmp_path)
    error = await refusal(authority.server(wants=True, version=version), Network(ca_file=str(authority.file)))

    assert "permitted" not in error.message
    assert error.parameter == "client_cert client_key"


@by_openssl
async def test_client_certificate_of_another_authority_is_told(tmp_path: Path) -> None:
    """It is neither the server's certificate nor the network that is wrong."""
    (tmp_path / "other").mkdir()
    authority = Authority(tmp_path)
    certificate, key = map(str, Authority(tmp_path / "other").client())
    network = Network(ca_file=str(authority.file), client_cert=certificate, client_key=key)

    assert (
        "does not accept the client certificate"
        in (await refusal(authority.server(wants=True), network)).message
    )


@by_openssl
async def test_wish_for_a_client_certificate_is_understood_when_its_alert_was_lost(tmp_path: Path) -> None:
    """In TLS 1.3 it comes after the handshake, and is lost with a connection that is reset."""
    authority = Authority(tmp_path)
    context = authority.server(wants=True, version=ssl.TLSVersion.TLSv1_3)
    error = await refusal(context, Network(ca_file=str(authority.file)), resets=True)

    assert "the server wants a client certificate" in error.message
    assert error.parameter == "client_cert client_key"


def encrypted(key: Path, password: str) -> None:
    """Encrypt a key in its file."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password.encode()),
        )
    )


@pytest.mark.parametrize(("password", "works"), [("word", True), ("other", False), ("", False)])
def test_password_of_the_key_comes_from_the_environment(password: str, works: bool, tmp_path: Path) -> None:
    """Arguments can be read by everybody, and OpenSSL must not ask on the terminal."""
    certificate, key = Authority(tmp_path).client()
    encrypted(key, "word")
    network = Network(client_cert=str(certificate), client_key=str(key))
    environ = {PASSWORD: password} if password else {}

    if works:
        assert isinstance(tls_context(network, environ), ssl.SSLContext)
        return
    with pytest.raises(ConfigError, match="encrypted") as caught:
        tls_context(network, environ)

    assert "client_key_password" in caught.value.parameter


def test_certificate_and_key_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    """Before anything is sent, and by name."""
    (tmp_path / "other").mkdir()
    certificate, _ = Authority(tmp_path).client()
    _, key = Authority(tmp_path / "other").client()

    with pytest.raises(ConfigError, match="another key"):
        tls_context(Network(client_cert=str(certificate), client_key=str(key)), {})


@pytest.mark.parametrize("missing", ["certificate", "key"])
def test_half_a_client_certificate_is_refused(missing: str, tmp_path: Path) -> None:
    """A certificate without its key proves nothing."""
    certificate, _ = Authority(tmp_path).client()
    network = Network(client_cert=str(tmp_path / "nowhere" if missing == "certificate" else certificate))

    with pytest.raises(ConfigError, match="client certificate"):
        tls_context(network, {})


def strict_refusal() -> ssl.SSLCertVerificationError:
    """Let a strict client refuse a server whose certificate says nothing of its authority's key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made by hand")])
    leaf = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "as.example")])
    day = datetime.timedelta(days=1)

    def certificate(subject: x509.Name, *, authority: bool) -> x509.Certificate:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - day).not_valid_after(now + day)
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=False)
        alternative = x509.SubjectAlternativeName([x509.DNSName("as.example")])
        return made.add_extension(alternative, critical=False).sign(key, hashes.SHA256())

    client = ssl.create_default_context()
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    authority = certificate(name, authority=True).public_bytes(serialization.Encoding.DER)
    client.load_verify_locations(cadata=authority)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with_key = certificate(leaf, authority=False).public_bytes(serialization.Encoding.PEM)
    return refused(client, server, with_key, key)


def refused(
    client: ssl.SSLContext, server: ssl.SSLContext, certificate: bytes, key: ec.EllipticCurvePrivateKey
) -> ssl.SSLCertVerificationError:
    """Return what a client has against a server."""
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "certificate.pem")
        file.write_bytes(certificate + private)
        server.load_cert_chain(file)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(back, there, server_hostname="as.example"),
        server.wrap_bio(there, back, server_side=True),
    )
    for end in ends * 4:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as exc:
            return exc
    raise AssertionError("the certificate was taken")


@by_openssl
def test_authority_that_is_too_sloppy_for_this_python_has_to_be_made_anew() -> None:
    """From Python 3.13 on they are looked at strictly; to name its file once more would change nothing."""
    error: LoopbackAuthError = failure(strict_refusal(), "token request", "as.example", complaints=tuple)

    assert "RFC 5280" in error.hint
    assert error.parameter == ""
