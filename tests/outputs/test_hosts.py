"""To which hosts a token belongs: exactly those that are written down, however a request spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.errors import ConfigError, SignInRequired
from loopback_auth.outputs.hosts import (
    Candidate,
    authorities,
    authority,
    belongs_to,
    sign_in_for,
    url_authority,
)
from loopback_auth.records import replace
from outputs.credentials import PLAIN

SAME = [
    "git.example",
    "GIT.Example",
    "git.example.",
    "git.example:443",
    "git.example:0443",
    "git.example:",
]
"""Spellings of one host."""

OTHERS = [
    "",
    "example",
    "git.example.evil.example",
    "evil-git.example",
    "evil.git.example",
    "git.example:8443",
    "git.example:80",
    "git.example:443:443",
    "git.example:port",
    "git.example:99999",
    "git.example:-443",
    "git.example:\u0664\u0664\u0663",
    "git..example",
    ".git.example",
    "git.example..",
    "alice@git.example",
    "git.example@evil.example",
    "alice:secret@git.example",
    "git.example/",
    "git.example/path",
    "git.example?x",
    "git.example#x",
    "git.example\\@evil.example",
    "git.example evil.example",
    " git.example",
    "git.example\n",
    "git.example\r",
    "git.example\x00",
    "git.example%00",
    "git%2eexample",
    "*.example",
    "*",
    "[git.example]",
    "g\u0131t.example",
    "\uff47it.example",
    "git\u3002example",
    "git\u200d.example",
    "x" * 64 + ".example",
    "a." * 200 + "example",
]
"""None of them is that host, or all libraries agree that it is."""


@pytest.mark.parametrize("host", SAME)
def test_spellings_of_one_host_are_that_host(host: str) -> None:
    """Upper case, the final dot and the usual port change nothing (RFC 3986 §6.2.2.1, §6.2.3)."""
    assert authority("https", host) == "git.example:443"


@pytest.mark.parametrize("host", OTHERS)
def test_another_host_is_not_taken_for_one_that_is_written_down(host: str) -> None:
    """The token of one server must reach no other (CVE-2020-5260, CVE-2024-53858)."""
    assert authority("https", host) not in authorities("git.example")


@pytest.mark.parametrize(
    "protocol", ["http", "HTTP", "ssh", "git", "ftp", "smtp", "imap", "cert", "file", "", "https\n"]
)
def test_only_https_leads_to_another_machine(protocol: str) -> None:
    """Over plain http everybody on the way could read the token (RFC 6750 §5.3)."""
    assert authority(protocol, "git.example") == ""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.8.7", "[::1]", "LOCALHOST."])
def test_plain_http_is_for_this_machine(host: str) -> None:
    """Nobody is on the way there; with and without TLS it is one host in the settings."""
    assert {authority("http", host), authority("https", host)} == authorities(host)
    assert authority("http", f"{host}:3000") in authorities(f"{host}:3000")


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "127.0.0.1.evil.example",
        "127.0.0.256",
        "localhost.evil.example",
        "evil.localhost",
        "localhost.localdomain",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "0.0.0.0",  # noqa: S104 - not bound, but asked about
        "[::]",
    ],
)
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    """Resolvers disagree about these, and the token would go over the network in the clear."""
    assert authority("http", host) == ""


def test_an_international_name_is_compared_as_dns_has_it() -> None:
    """People write it in either form; what libraries spell in two ways may be two servers (RFC 5894 §7.2)."""
    assert authority("https", "b\u00fccher.example") == authority("https", "xn--bcher-kva.example")
    assert authority("https", "B\u00dcCHER.example") in authorities("b\u00fccher.example")
    assert authority("https", "stra\u00dfe.example") == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/a/b.git",
        "https://git.example",
        "git.example",
        "git.example/v2/",
        "https://git.example?x=1",
    ],
)
def test_the_host_of_an_address(url: str) -> None:
    """Registries and indexes are named by addresses with paths, and without a scheme."""
    assert url_authority(url) == "git.example:443"


@pytest.mark.parametrize(
    "url",
    [
        "http://git.example/",
        "https://alice@git.example/",
        "https://git.example@evil.example/",
        "https://evil.example/git.example",
        "https://evil.example\\@git.example",
        "https://git.example\\@evil.example",
        "https://git.example\\/",
        "https://git.example\\.evil.example/",
        "https://evil.example#@git.example/",
        "https://evil.example?@git.example/",
        "https:///git.example",
        "https:git.example",
        "//git.example",
        "://git.example",
        "git.example:443@evil.example",
        "https://https://git.example",
        "file://git.example/",
        " https://git.example/",
    ],
)
def test_an_address_with_another_host_in_it_is_not_that_host(url: str) -> None:
    """The person may read the one, and the tool connect to the other (RFC 3986 §7.6)."""
    assert url_authority(url) != "git.example:443"


@given(st.text(max_size=60))
def test_what_is_accepted_is_plain(host: str) -> None:
    """Whatever is asked, no blank, no line break and no second host gets through."""
    found = authority("https", host)

    assert found == "" or (
        set(found) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") and found.isprintable()
    )


@pytest.mark.parametrize(
    "host",
    ["https://git.example", "*.example", "git.example/x", "", "a@git.example", "git.example:x", ".example"],
)
def test_a_host_in_the_settings_that_is_none_is_refused(host: str) -> None:
    """Silently it would never match, and the person would look for the reason elsewhere."""
    with pytest.raises(ConfigError):
        authorities(host)


def test_a_token_belongs_to_the_resource_that_it_is_for() -> None:
    """RFC 9728 §2: the sign-in was made for that server."""
    sign_in = replace(PLAIN, resource_server="https://mcp.example/mcp")

    assert belongs_to(sign_in, ()) == {"mcp.example:443"}
    assert belongs_to(sign_in, ["git.example:8443"]) == {"mcp.example:443", "git.example:8443"}
    assert belongs_to(PLAIN, ()) == set()
    assert belongs_to(replace(PLAIN, resource_server="http://mcp.example/"), ()) == set()


def candidate(name: str, account: str = "", *hosts: str, username: str = "") -> Candidate:
    """Return a kept sign-in that belongs to hosts."""
    return Candidate(name, account, belongs_to(PLAIN, hosts), username)


GITHUB = candidate("github", "alice", "github.com")
WORK = candidate("github-work", "alice-at-work", "github.com")
LAB = candidate("gitlab", "alice@example.com", "gitlab.com", username="oauth2")
ALL = (GITHUB, WORK, LAB)


@pytest.mark.parametrize(
    ("host", "user", "chosen", "name"),
    [
        pytest.param("gitlab.com", "", "", "gitlab", id="the only one"),
        pytest.param("gitlab.com", "alice", "", "gitlab", id="by a name before the @"),
        pytest.param("gitlab.com", "oauth2", "github", "gitlab", id="by the provider's user name"),
        pytest.param("github.com", "alice", "", "github", id="by account"),
        pytest.param("github.com", "Alice-At-Work", "", "github-work", id="by account, in upper case"),
        pytest.param("github.com", "github-work", "", "github-work", id="by the name of the sign-in"),
        pytest.param("github.com", "alice", "github-work", "github", id="an account goes before a choice"),
        pytest.param("github.com", "", "github-work", "github-work", id="by choice"),
        pytest.param("github.com", "x-access-token", "github", "github", id="a user name that means any"),
    ],
)
def test_the_sign_in_for_a_host(host: str, user: str, chosen: str, name: str) -> None:
    """A tool's user name decides, then what the person has chosen to use."""
    found = sign_in_for(f"{host}:443", ALL, user=user, chosen=chosen)

    assert found is not None
    assert found.name == name


def test_no_sign_in_is_for_another_host() -> None:
    """Then the tool goes on as if we were not there."""
    assert sign_in_for("codeberg.org:443", ALL) is None
    assert sign_in_for("", ALL) is None


@pytest.mark.parametrize("user", ["bob", ""])
def test_doubt_about_the_person_is_said(user: str) -> None:
    """One person's push under another's name is worse than a question."""
    with pytest.raises(SignInRequired) as doubt:
        sign_in_for("github.com:443", ALL, user=user, chosen="gitlab")

    assert "github-work" in doubt.value.message


@pytest.mark.parametrize(
    ("one", "user"),
    [
        (GITHUB, "alice"),
        (LAB, "oauth2"),
        (candidate("x"), "oauth2"),
        (candidate("x", "a\nhost=evil"), "oauth2"),
        (candidate("x", "a:b"), "oauth2"),
        (candidate("x", "zo\u00eb"), "oauth2"),
        (candidate("x", "  "), "oauth2"),
        (candidate("x", "alice", username="a\rb"), "alice"),
    ],
)
def test_the_user_name_can_be_sent(one: Candidate, user: str) -> None:
    """The server chose the account; the tools read lines, and what follows a colon is the password."""
    assert one.user() == user
