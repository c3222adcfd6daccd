"""Which way requests of ours take, and what is said when a proxy stands in it."""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import pytest
from name_directory import Names
from patience import SOON
from relays import HOST, Authority, Relay, answer, listening, relaying

from loopback_auth.errors import ConfigError, LoopbackAuthError, TransportError
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import Network
from loopback_auth.network.proxies import bypasses, proxy_for
from loopback_auth.network.proxy_address import parsed
from loopback_auth.network.resolver import Resolver
from loopback_auth.network.transport import Transport

by_openssl = pytest.mark.skipif(
    sys.platform == "win32",
    reason="there the system verifies certificates, which Wine does by rules of its own",
)

PASSWORD = "pass-canary"
PUBLIC = "93.184.216.34"
URL = f"https://{HOST}/token"


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("id.example", "https://id.example/", True),
        ("ID.Example", "https://id.EXAMPLE./", True),
        ("id.example", "https://a.id.example/", True),
        ("id.example", "https://notid.example/", False),
        (".id.example", "https://a.id.example/", True),
        (".id.example", "https://id.example/", True),
        ("*.id.example", "https://a.id.example/", True),
        ("*.id.example", "https://id.example/", False),
        ("id.example:8443", "https://id.example:8443/", True),
        ("id.example:8443", "https://id.example/", False),
        ("id.example:443", "https://id.example/", True),
        ("*", "https://id.example/", True),
        ("other.example, *", "https://id.example/", True),
        ("a.example b.example", "https://b.example/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3/8", "https://10.9.9.9/", True),
        ("10.0.0.0/8", "https://id.example/", False),
        ("10.1.2.3", "https://10.1.2.3:8443/", True),
        ("10.1.2.3:8443", "https://10.1.2.3:8443/", True),
        ("10.1.2.3:8443", "https://10.1.2.3/", False),
        ("2001:db8::1", "https://[2001:DB8:0::1]/", True),
        ("[2001:db8::1]", "https://[2001:db8::1]/", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]/", False),
        ("2001:db8::/32", "https://[2001:db8::1]/", True),
        ("1.2.3", "https://10.1.2.3/", False),
        ("nonsense/8, ., :, [", "https://id.example/", False),
        ("", "https://id.example/", False),
    ],
)
def test_exceptions_are_understood_in_all_their_spellings(no_proxy: str, url: str, direct: bool) -> None:
    """curl, Go, requests and urllib know them, and people write them for all of these at once."""
    environ = {"https_proxy": "http://proxy.example:3128", "NO_PROXY": no_proxy}

    assert (proxy_for(url, environ) is None) is direct


def test_an_entry_for_addresses_matches_no_name_that_ends_like_it() -> None:
    """An address is no domain, whose last parts say what it belongs to."""
    assert not bypasses("10.2.3.4", 443, "2.3.4")


@pytest.mark.parametrize(
    ("environ", "named_by"),
    [
        ({"HTTPS_PROXY": "http://a:1", "ALL_PROXY": "http://b:1"}, "HTTPS_PROXY"),
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "https_proxy"),
        ({"HTTPS_PROXY": "", "ALL_PROXY": "http://b:1"}, "ALL_PROXY"),
        ({"ALL_PROXY": "http://b:1"}, "ALL_PROXY"),
        ({"all_proxy": "http://b:1", "ALL_PROXY": "http://c:1"}, "all_proxy"),
    ],
)
def test_the_nearest_variable_counts(environ: dict[str, str], named_by: str) -> None:
    """As with curl: the scheme's own before the general one, lower case before upper case."""
    proxy = proxy_for(URL, environ)

    assert proxy is not None
    assert proxy.named_by == named_by


def test_an_empty_variable_in_lower_case_switches_off() -> None:
    """So one does without a proxy, or without exceptions, for one command (curl and urllib)."""
    proxy = {"HTTPS_PROXY": "http://a:1", "ALL_PROXY": "http://b:1"}

    assert proxy_for(URL, {**proxy, "https_proxy": ""}) is None
    assert proxy_for(URL, {**proxy, "no_proxy": "", "NO_PROXY": "*"}) is not None


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_the_variable_for_plain_http_is_never_read(name: str) -> None:
    """In a CGI program it comes from whoever asks (CVE-2016-1000110), and we speak https alone."""
    assert proxy_for(URL, {name: "http://evil.example:1", "REQUEST_METHOD": "GET"}) is None


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="these have settings of their own")
def test_without_variables_there_is_no_proxy() -> None:
    """Nothing is guessed."""
    assert proxy_for(URL, {}) is None


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example", "http://proxy.example:80"),
        (" HTTPS://proxy.example/ ", "https://proxy.example:443"),
        ("socks5h://[::1]", "socks5h://[::1]:1080"),
        ("http://user:a/b#c?d@e@proxy.example:1", "http://proxy.example:1"),
    ],
)
def test_address_is_read_as_people_write_it(address: str, url: str) -> None:
    """Without a scheme, without a port, with a password that should have been escaped."""
    assert parsed("HTTPS_PROXY", address).url == url


@pytest.mark.parametrize(
    ("given", "user", "password"),
    [
        ("ada:word", b"ada", b"word"),
        ("ada", b"ada", b""),
        ("ada:%D0%BF%3A", b"ada", "п:".encode()),
        ("ada:п", b"ada", "п".encode()),
        ("ad%40a:w%2Ford", b"ad@a", b"w/ord"),
    ],
)
def test_credentials_are_read_to_the_byte(given: str, user: bytes, password: bytes) -> None:
    """What is not percent-encoded goes out in UTF-8 (RFC 7617 §2.1)."""
    proxy = parsed("HTTPS_PROXY", f"http://{given}@proxy.example:1")

    assert (proxy.user, proxy.password) == (user, password)
    assert repr(password) not in repr(proxy)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://proxy.example:1",
        "http://",
        "http://proxy.example:port",
        "http://proxy.example:0",
        "http://proxy.example:99999",
        "http://[::1",
        "http://pro xy.example:1",
        "http://:3128",
        "://",
    ],
)
async def test_unusable_proxy_is_named_by_its_variable(address: str) -> None:
    """Before anything is sent, and without what it would have been told."""
    environ = {"HTTPS_PROXY": address.replace("://", f"://ada:{PASSWORD}@")}

    with pytest.raises(ConfigError, match=r"^HTTPS_PROXY names a proxy") as caught:
        await send(environ)

    assert PASSWORD not in f"{caught.value!r}{caught.value.message}{caught.value.hint}"


async def send(
    environ: dict[str, str], network: Network | None = None, resolver: Resolver | None = None
) -> None:
    """Send one request to `HOST`."""
    async with asyncio.timeout(SOON), Transport(network, environ=environ, resolver=resolver) as opened:
        await opened.send(HttpRequest("POST", URL), step="token request")


async def through(
    relay_at: str,
    folder: Path,
    *,
    refusal: bytes = b"",
    resolver: Resolver | None = None,
    proxy_context: ssl.SSLContext | None = None,
    authority: Authority | None = None,
) -> list[bytes]:
    """Send one request through a proxy to a server with a certificate; return what the proxy was asked.

    Args:
        relay_at: its address, with `{}` for the port.
        folder: for the authority's file.
        refusal: what the proxy answers in place of a connection.
        resolver: finds the proxy.
        proxy_context: of a proxy that speaks TLS.
        authority: that all of them trust.
    """
    trusted = authority or Authority(folder)

    async with (
        asyncio.timeout(SOON),
        listening(answer, trusted.server()) as port,
        relaying(Relay(port, refusal), proxy_context) as relay,
        Transport(
            Network(ca_file=str(trusted.file)),
            environ={"HTTPS_PROXY": relay_at.format(relay.port)},
            resolver=resolver,
        ) as opened,
    ):
        got = await opened.send(HttpRequest("POST", URL, body=b"code=c"), step="token request")
        assert (got.status, got.body) == (200, b"{}")
        return relay.asked


async def test_http_proxy_is_asked_for_the_host_alone(tmp_path: Path) -> None:
    """What is sent to the server is none of its business."""
    (asked,) = await through("http://127.0.0.1:{}", tmp_path)

    assert asked.startswith(f"CONNECT {HOST}:443 HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization" not in asked


async def test_credentials_beyond_latin_1_reach_the_proxy(tmp_path: Path) -> None:
    """In UTF-8 (RFC 7617 §2.1); the server never sees them."""
    (asked,) = await through("http://ada:%D0%BF@127.0.0.1:{}", tmp_path)

    assert b"Proxy-Authorization: Basic YWRhOtC/\r\n" in asked


@by_openssl
async def test_proxy_that_speaks_tls_is_spoken_to_in_tls(tmp_path: Path) -> None:
    """Its certificate is looked at as a server's is."""
    authority = Authority(tmp_path)
    (asked,) = await through(
        "https://127.0.0.1:{}", tmp_path, proxy_context=authority.server(), authority=authority
    )

    assert asked.startswith(b"CONNECT")


@by_openssl
async def test_certificate_of_the_proxy_is_not_called_the_servers(tmp_path: Path) -> None:
    """The person would look for the mistake in the wrong place."""
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other")

    with pytest.raises(TransportError, match=r"the proxy 127\.0\.0\.1 cannot be used: ") as caught:
        await through("https://127.0.0.1:{}", tmp_path, proxy_context=stranger.server())

    assert "HTTPS_PROXY" in caught.value.hint


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
async def test_socks_proxy_is_told_the_name(scheme: str, tmp_path: Path) -> None:
    """Only the proxy knows the names of its network."""
    assert await through(f"{scheme}://127.0.0.1:{{}}", tmp_path) == [HOST.encode()]


async def test_socks_proxy_is_told_who_we_are(tmp_path: Path) -> None:
    """By user name and password (RFC 1929)."""
    asked = await through(f"socks5h://ada:{PASSWORD}@127.0.0.1:{{}}", tmp_path)

    assert asked == [f"ada:{PASSWORD}".encode(), HOST.encode()]


async def test_the_next_address_of_a_socks_proxy_is_tried(tmp_path: Path) -> None:
    """`localhost` is two addresses, of which many programs listen on one."""
    resolver = Resolver(Names({"proxy.example": ["127.0.0.2", "127.0.0.1"]}))

    assert await through("socks5h://proxy.example:{}", tmp_path, resolver=resolver) == [HOST.encode()]


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_the_persons_own_proxy_may_be_inside(scheme: str, tmp_path: Path) -> None:
    """The guard is about where the server leads (RFC 9728 §7.7); a proxy's name comes from the person."""
    resolver = Resolver(Names({"proxy.example": ["127.0.0.1"], "issuer.example": [PUBLIC]}))
    await resolver.resolve("issuer.example", 443)

    assert resolver.seen_public
    assert await through(f"{scheme}://proxy.example:{{}}", tmp_path, resolver=resolver)


@pytest.mark.parametrize(
    ("relay_at", "refusal", "words"),
    [
        (
            "http://127.0.0.1:{}",
            b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
            "the proxy asks for a user name and a password, and HTTPS_PROXY has none",
        ),
        (
            f"http://ada:{PASSWORD}@127.0.0.1:{{}}",
            b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
            "the proxy does not accept the user name and password in HTTPS_PROXY",
        ),
        (
            "http://127.0.0.1:{}",
            b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n",
            r"\(Negotiate\)",
        ),
        (
            "http://127.0.0.1:{}",
            b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
            "the proxy answered with HTTP status 503",
        ),
    ],
    ids=["nobody", "wrong password", "another way", "down"],
)
async def test_proxy_that_refuses_is_told_from_the_server(
    relay_at: str, refusal: bytes, words: str, tmp_path: Path
) -> None:
    """Each has another remedy, and none of them is at the server."""
    with pytest.raises(TransportError, match=words) as caught:
        await through(relay_at, tmp_path, refusal=refusal)

    assert PASSWORD not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("address", ["http://proxy.example:1", "socks5h://proxy.example:1"])
async def test_name_of_the_proxy_is_not_called_the_servers(address: str) -> None:
    """A proxy that is known only in the office is the commonest of all."""
    with pytest.raises(TransportError, match=r"the proxy proxy\.example cannot be used: the name is not"):
        await send({"HTTPS_PROXY": address}, resolver=Resolver(Names({})))


async def test_socks_without_its_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra, since few need it."""
    monkeypatch.setitem(sys.modules, "aiohttp_socks", None)

    with pytest.raises(LoopbackAuthError, match="HTTPS_PROXY names a SOCKS proxy") as caught:
        await send({"HTTPS_PROXY": "socks5://127.0.0.1:1"})

    assert "loopback-auth[socks]" in caught.value.hint
