"""Which URLs pass as issuer, endpoint, resource, and for a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protocol_samples import PROPERTY

from loopback_auth.errors import ConfigError
from loopback_auth.protocol.urls import (
    URL_LIMIT,
    check_approval_url,
    check_browser_url,
    check_endpoint,
    check_issuer,
    check_resource,
    is_inside,
    is_loopback_url,
    is_public_address,
    origin,
    shown_url,
)


def endpoint(url: str) -> str:
    """Check a URL as some endpoint."""
    return check_endpoint(url, name="token_endpoint")


FIT = [
    "https://as.example/token",
    "https://as.example",
    "https://as.example:8443/token?tenant=a%20b&x=1",
    "https://as.example/a;b=c/~x/(1)/*",
    "https://xn--bcher-kva.example/",
    "https://under_score.example/",
    "https://as.example./",
    "https://192.0.2.1/token",
    "https://[2001:db8::1]:8443/token",
    "http://127.0.0.1:8000/token",
    "http://127.9.9.9/token",
    "http://[::1]:8000/token",
    "http://localhost:8000/token",
    "http://as.localhost/token",
    "http://LOCALHOST.:8000/token",
]

UNFIT = [
    "",
    "token",
    "/token",
    "//as.example/token",
    "https:",
    "https:///token",
    "https:as.example",
    "http://as.example/token",
    "http://localhost.example/token",
    "http://notlocalhost/token",
    "http://10.0.0.1/token",
    "ftp://as.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "javascript://as.example/%0aalert(1)",
    "data:text/html,x",
    "vscode://x/y",
    "ms-msdt:/id",
    "-a",
    "--help",
    "\\\\host\\share",
    "https://user@as.example/",
    "https://user:word@as.example/",
    "https://@as.example/",
    "https://as.example/ x",
    " https://as.example/",
    "https://as.example/\n",
    "https://as.exa\tmple/",
    "https://as.example/\r\nX: y",
    "https://as.example/\x00",
    'https://as.example/";calc',
    "https://as.example/`calc`",
    "https://as.example/|calc",
    "https://as.example/^calc",
    "https://as.example/<x>",
    "https://as.example/{x}",
    "https://as.example\\@other.example/",
    "https://as.example/é",
    "https://\u0430s.example/",  # a Cyrillic letter
    "https://as.example/%",
    "https://as.example/%2",
    "https://as.example/%zz",
    "https://as.example:0/",
    "https://as.example:65536/",
    "https://as.example:port/",
    "https://[::1",
    "https://::1/",
    "https://[v1.x]/",
    "https://[fe80::1%25eth0]/",
    "https://as.example[::1]/",  # CVE-2025-0938: a name that passes for an address
    "http://as.example[::1]/",
    "https://%61s.example/",
    "https://as$(calc).example/",
    "https://as..example/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://127.1/",
    "https://0177.0.0.1/",
    "https://1.2.3.0x4/",
    "https://" + "a" * URL_LIMIT,
]

# Fit for an RFC 3986 parser, and still a trap for a shell that sees them unquoted: one argument, unchanged.
DANGEROUS_LOOKING = ["https://x.example/$(calc)", "https://x.example/?a&calc", "https://x.example/%0acalc"]


@pytest.mark.parametrize("url", [*FIT, *DANGEROUS_LOOKING])
def test_fit_url_passes_unchanged(url: str) -> None:
    """Endpoints and issuers are compared as strings, so no check may respell them."""
    assert (endpoint(url), check_browser_url(url)) == (url, url)


@pytest.mark.parametrize("url", UNFIT)
def test_unfit_url_is_refused_everywhere(url: str) -> None:
    """An endpoint from a metadata document may end in a browser's command line (CVE-2025-6514)."""
    for check in (endpoint, check_issuer, check_browser_url):
        with pytest.raises(ConfigError) as refusal:
            check(url)

        assert refusal.value.hint
        assert refusal.value.message.isprintable()


@pytest.mark.parametrize(
    "url", ["https://user@as.example/", "https://user:word@as.example/", "https://@as.example/"]
)
def test_user_information_is_refused_by_name(url: str) -> None:
    """What stands before the @ is taken for the host by people (RFC 3986 §7.6)."""
    with pytest.raises(ConfigError, match="user information"):
        endpoint(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:word@api.example/mcp", "https://...@api.example/mcp"),
        ("https://user:word@a@api.example/mcp", "https://...@api.example/mcp"),
        ("https:/user:word@api.example", "https:/...@api.example"),
        ("https:user:word@api.example/", "...@api.example/"),
        ("user:word@api.example/mcp", "...@api.example/mcp"),
        ("https://api.example/@team/mcp", "https://api.example/@team/mcp"),
        ("https://api.example/mcp?key=word@x", "https://api.example/mcp?..."),
        ("https://api.example/mcp#access_token=word", "https://api.example/mcp#..."),
        ("https://api.example/mcp", "https://api.example/mcp"),
        ("", ""),
    ],
)
def test_what_may_be_a_secret_is_not_shown(url: str, shown: str) -> None:
    """Messages end in logs; passwords and tokens stand in URLs that people copy (RFC 3986 §7.5)."""
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("check", "url"),
    [
        (endpoint, "https://as.example/token#x"),
        (endpoint, "https://as.example/token#"),
        (check_issuer, "https://as.example/#x"),
        (check_issuer, "https://as.example?"),
        (check_issuer, "https://as.example#"),
        (check_issuer, "https://as.example/?tenant=1"),
        (check_browser_url, "HTTPS://as.example/"),
        (check_browser_url, "https://as.example/?"),
        (check_resource, ""),
        (check_resource, "api"),
        (check_resource, "//api.example/"),
        (check_resource, "https://api.example/#x"),
        (check_resource, "https://api.example/#"),
        (check_resource, "https://api.example/ x"),
        (check_resource, "https://api.example/%"),
        (check_resource, "http://[x"),
    ],
)
def test_url_unfit_for_its_purpose_is_refused(check: Callable[[str], str], url: str) -> None:
    """RFC 6749 §3.1, RFC 8414 §2 and RFC 8707 §2 each forbid what others allow."""
    with pytest.raises(ConfigError):
        check(url)


@pytest.mark.parametrize("url", ["https://api.example/v1?x=1", "urn:example:api", "api://6f3a/all"])
def test_resource_may_have_any_scheme(url: str) -> None:
    """A resource indicator is a name; nobody opens it (RFC 8707 §2)."""
    assert check_resource(url) == url


@pytest.mark.parametrize(
    ("url", "loopback", "inside"),
    [
        ("http://127.0.0.1:1/", True, True),
        ("https://127.255.255.254/", True, True),
        ("https://[::1]/", True, True),
        ("https://localhost/", True, True),
        ("https://LOCALHOST./", True, True),
        ("https://a.localhost/", True, True),
        ("https://[::ffff:127.0.0.1]/", True, True),
        ("https://[::ffff:7f00:1]/", True, True),
        ("https://[::ffff:10.1.2.3]/", False, True),
        ("https://[64:ff9b::7f00:1]/", False, True),
        ("https://10.1.2.3/", False, True),
        ("https://169.254.169.254/", False, True),
        ("https://100.64.0.1/", False, True),
        ("https://[fd00::1]/", False, True),
        ("https://8.8.8.8/", False, False),
        ("https://as.example/", False, False),
        ("https://localhost.example/", False, False),
    ],
)
def test_addresses_of_this_machine_and_its_network_are_known(url: str, loopback: bool, inside: bool) -> None:
    """A public server that points here wants to borrow our place in the network (RFC 9728 §7.7).

    A mapped address is this machine in every version of Python, whatever `ipaddress` says of it.
    """
    assert (is_loopback_url(url), is_inside(url)) == (loopback, inside)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - nobody binds it
        ("192.168.0.1", False),
        ("224.0.0.1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("ff02::1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2002:808:808::", True),
        ("::8.8.8.8", True),
        ("::10.0.0.5", False),
        ("::ffff:0:10.0.0.5", False),
        ("64:ff9b:1::10.0.0.5", False),
        ("fec0::1", False),
        ("192.0.0.192", False),
        ("3fff::1", False),
        ("5f00::1", False),
    ],
)
def test_public_address_is_told_from_all_others(address: str, public: bool) -> None:
    """An IPv4 address does not become public by wearing an IPv6 one (RFC 4291 §2.5.5, RFC 6052, RFC 3056)."""
    assert is_public_address(address) is public


LOCAL_NAMES = """router printer. localhost.localdomain ip6-localhost router.local nas.LAN fritz.home
x.home.arpa metadata.google.internal wiki.corp wiki.intranet x.private."""


@pytest.mark.parametrize("host", LOCAL_NAMES.split())
def test_public_server_does_not_send_the_browser_to_a_name_of_the_network_at_home(host: str) -> None:
    """No look-up stands between: the browser goes wherever the name leads (RFC 6762 appendix G, RFC 8375)."""
    url = f"https://{host}/admin?reboot=1"

    with pytest.raises(ConfigError):
        check_approval_url(url, by="https://as.example/")

    for by in ("https://10.0.0.5/", "https://sso/", "https://sso.corp/"):
        if not is_loopback_url(url):
            assert check_approval_url(url, by=by) == url
    assert check_approval_url(url, by="https://as.example/", allowed=(host,)) == url


@pytest.mark.parametrize("host", ["as.example", "local.example", "login.localnet.example", "8.8.8.8"])
def test_public_server_sends_the_browser_to_public_names(host: str) -> None:
    """A local word may stand anywhere in a name but at its end."""
    assert check_approval_url(f"https://{host}/device", by="https://as.example/")


@pytest.mark.parametrize("allowed", ["login.corp", "LOGIN.corp", "login.corp."])
@pytest.mark.parametrize("named", ["login.corp", "login.CORP", "login.corp."])
def test_allowed_host_is_known_in_every_spelling(named: str, allowed: str) -> None:
    """Where a name is looked up the dot at its end says nothing either (RFC 1034 §3.1)."""
    url = f"https://{named}/device"

    assert check_approval_url(url, by="https://as.example/", allowed=(allowed,)) == url


def test_origin_is_scheme_and_authority() -> None:
    """Origins are compared to see whether two endpoints belong together (RFC 6454 §4)."""
    assert origin("https://AS.example:8443/token?x=1#y") == "https://as.example:8443"


WORDS = r"https http HTTPS data : // / ? # @ [ ] [::1] % %41 . :0 :443 as.example 127.0.0.1 127.1 0x1 \ - '"
PIECES = st.sampled_from([*WORDS.split(), "é", " ", "\n", "\t", "localhost"])
RFC_3986 = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")


@PROPERTY
@given(
    st.one_of(
        st.builds("".join, st.lists(PIECES, max_size=8)),
        st.builds(lambda rest: "https://" + "".join(rest), st.lists(PIECES, max_size=8)),
        st.builds(lambda rest: f"https://as.example/{rest}", st.text(max_size=8)),
        st.text(max_size=20),
    )
)
@example("https://as.example/?")
@example("http://[::1]a/")
def test_what_passes_for_a_browser_is_plain(url: str) -> None:
    """Whatever passes has one reading, so that no two programs can differ over it."""
    try:
        assert check_browser_url(url) == url
    except ConfigError:
        return
    parts = urlsplit(url)

    assert RFC_3986.fullmatch(url)
    assert parts.geturl() == url
    assert parts.scheme == "https" or (parts.scheme == "http" and is_loopback_url(url))
    assert parts.hostname
    assert "@" not in parts.netloc
