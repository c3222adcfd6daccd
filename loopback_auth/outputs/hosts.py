"""To which hosts a token may be sent, and which of several sign-ins is the one for a host.

A tool that asks for a password names a host, and the host may be chosen by a stranger: by a submodule, by an
index that redirects, by a link. So a token belongs to hosts, exactly as they are written in the settings, and
to no other: not to a name below one of them, not to another port, and never over plain http, except on this
machine. What cannot be compared exactly belongs to nothing: a name that the libraries for international names
would spell in different ways, an address in an unusual notation, a host with a user name in it.

This module refuses to know where sign-ins and settings are kept, and what a tool does with the token.

Source: RFC 6750 §5.2, §5.3 (a token must reach no other server); RFC 6454 §4 (host and port); CVE-2020-5260
and CVE-2024-53858 (passwords and tokens of one host, sent to another).
"""

from __future__ import annotations

from loopback_auth.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from loopback_auth.tokens import SignIn

HOST_LIMIT = 253
"""Characters of a name (RFC 1035 §2.3.4)."""
PORTS = {"https": "443", "http": "80"}
ANY_USER = "oauth2"
"""The user name beside a token where neither the provider nor the sign-in has one."""
PLACEHOLDERS = frozenset(
    [
        "__token__",
        "<token>",
        "git",
        "oauth2",
        "oauth2accesstoken",
        "token",
        "x-access-token",
        "x-oauth-basic",
        "x-token-auth",
    ]
)
"""User names that say nothing about the account, because the token alone counts."""
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_IPV6 = frozenset("0123456789abcdef:.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kept sign-in, with what its settings say about the tools that may have its token.

    Args:
        name: under which it is kept.
        account: who signed in, unchecked; empty when the server did not say.
        hosts: to which its token may be sent, from `belongs_to`.
        username: that goes with the token where a tool wants one; empty: the account.
    """

    name: str
    account: str
    hosts: frozenset[str]
    username: str = ""

    def user(self) -> str:
        """Return the user name that goes with the token; never empty."""
        return next(filter(is_user, (self.username, self.account)), ANY_USER)

    def is_of(self, user: str) -> bool:
        """Return whether a tool that asks for a user means this sign-in.

        Args:
            user: name that the tool has from a URL or from its settings; empty: it asks for any.
        """
        if not user or user in PLACEHOLDERS or user in (self.username, self.name):
            return True
        account = self.account.lower()
        return not account or user.lower() in (account, account.partition("@")[0])


def is_user(name: str) -> bool:
    """Return whether a text can be the user name beside a password: visible ASCII without a colon.

    Source: RFC 7617 §2 (what follows the first colon is the password), §2.1 (other characters are spelled in
    different ways).
    """
    return bool(name.strip()) and name.isascii() and name.isprintable() and ":" not in name


def authority(protocol: str, host: str) -> str:
    """Return the host and port of a request in the one form in which they are compared.

    Args:
        protocol: `https`, or `http` for a host on this machine.
        host: a name or an address, with or without a port, as a tool or a URL has it; untrusted.

    Returns:
        `host:port`; empty for a request that no token may go with.

    Source: RFC 3986 §3.2.2, §6.2.2.1, §6.2.3; RFC 1034 §3.1 (the dot of the root); RFC 5891 §4.4.
    """
    name, port = _split(host)
    is_plain = protocol.lower() == "http"
    if protocol.lower() not in PORTS or not name or (is_plain and not is_loopback(name)):
        return ""
    return f"{name}:{port or PORTS[protocol.lower()]}"


def url_authority(url: str) -> str:
    """Return the host and port of a URL in the same form; empty if no token may be sent there.

    Args:
        url: with or without a scheme, a path and a query; untrusted. A user name before the host makes it
            unusable: what the person reads as the host may be the user name.
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "https", url
    # A backslash is a slash to browsers (WHATWG URL §4.4), and a part of a user name to others: with one
    # before these there is no host.
    for end in ("/", "?", "#"):
        rest = rest.partition(end)[0]
    return authority(scheme, rest)


def authorities(host: str) -> frozenset[str]:
    """Return what a host in the settings stands for: one port, and on this machine both usual ones.

    Args:
        host: a name or an address, with a port if it is not the usual one.

    Raises:
        ConfigError: it is something else, such as a URL or a pattern.
    """
    name, port = _split(host)
    if not name:
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            f"The setting hosts has something else than a host: {ascii(host)[:80]}",
            hint="Write the host alone, such as git.example.com or git.example.com:8443.",
        )
    ports = (port,) if port else PORTS.values() if is_loopback(name) else (PORTS["https"],)
    return frozenset(f"{name}:{one}" for one in ports)


def belongs_to(sign_in: SignIn, hosts: Iterable[str]) -> frozenset[str]:
    """Return the hosts to which the token of a sign-in may be sent, each as `host:port`.

    Args:
        sign_in: a token for a protected resource belongs to the host of that resource too (RFC 9728 §2).
        hosts: of the provider, from its table in the settings or from a preset.

    Raises:
        ConfigError: one of them is not a host.
    """
    found = frozenset[str]().union(*map(authorities, hosts))
    resource = url_authority(sign_in.resource_server) if "://" in sign_in.resource_server else ""
    return found | {resource} if resource else found


def sign_in_for(
    host: str, candidates: Iterable[Candidate], *, user: str = "", chosen: str = ""
) -> Candidate | None:
    """Return the sign-in whose token may be sent to a host; None when there is none.

    Args:
        host: from `authority` or `url_authority`.
        candidates: all kept sign-ins.
        user: as the tool asks for it; empty: any.
        chosen: name of the sign-in that is in use; it decides between several.

    Raises:
        SignInRequired: there are sign-ins for this host, and all are of other users; or several, and nothing
            says which one is meant.
    """
    from loopback_auth.errors import SignInRequired  # Start-up.

    there = [one for one in candidates if host and host in one.hosts]
    meant = [one for one in there if one.is_of(user)]
    if not meant and there:
        names = ", ".join(f"{one.name} ({one.account!a:.80})" for one in there)
        raise SignInRequired(
            f"The sign-ins for {_shown(host)} are of other users than {user!a:.80}: {names}.",
            hint="Name the sign-in in the tool's settings, or leave the user name out.",
        )
    if len(meant) < 2:
        return meant[0] if meant else None
    for one in meant:
        if one.name == user or (one.name == chosen and not user):
            return one
    exact = [one for one in meant if user and one.account.lower() == user.lower()]
    in_use = [one for one in exact or meant if one.name == chosen]
    if len(exact) == 1 or in_use:
        return (in_use or exact)[0]
    raise SignInRequired(
        f"There are several sign-ins for {_shown(host)}: {', '.join(one.name for one in meant)}.",
        hint="Name one of them in the tool's settings, or choose the one to use.",
    )


def is_loopback(host: str) -> bool:
    """Return whether a host in lower case is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.

    A name below `localhost` is not: it may lead elsewhere (RFC 6761 §6.3 leaves it to each resolver).
    """
    parts = host.split(".")
    is_ipv4 = len(parts) == 4 and all(one.isdigit() and len(one) <= 3 and int(one) < 256 for one in parts)
    return host in ("localhost", "[::1]") or (is_ipv4 and parts[0] == "127")


def _shown(host: str) -> str:
    return host.removesuffix(":443")


def _split(host: str) -> tuple[str, str]:
    """Return name and port of a host; two empty strings when it is not one, and no port when it has none."""
    name, colon, port = host, "", ""
    if ":" in host and not host.endswith("]"):
        name, colon, port = host.rpartition(":")
    if colon:
        # A URL may end in an empty port (RFC 3986 §3.2.3).
        if port and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
            return "", ""
        port = port and str(int(port))
    name = _plain(name)
    return (name, port) if name else ("", "")


def _plain(name: str) -> str:
    """Return a name in lower case and ASCII, without the dot of the root; empty when it is not a name."""
    name = name.lower().removesuffix(".")
    if name.startswith("[") and name.endswith("]"):
        return name if ":" in name and _IPV6.issuperset(name[1:-1]) else ""
    if not name.isascii():
        name = _to_ascii(name)
    # A label is neither empty nor longer than 63 (RFC 1035 §2.3.4).
    fits = len(name) <= HOST_LIMIT and all(0 < len(label) < 64 for label in name.split("."))
    return name if fits and _NAME.issuperset(name) else ""


def _to_ascii(name: str) -> str:
    """Return an international name as DNS has it; empty where libraries disagree about the spelling.

    IDNA 2003 makes `ss` of a sharp s and drops joiners, IDNA 2008 keeps both: two names, two servers. What
    does not come back unchanged is such a name.

    Source: RFC 5891 §4.4; RFC 5894 §7.2.
    """
    try:
        spelled = name.encode("idna")
        return spelled.decode("ascii") if spelled.decode("idna") == name else ""
    except UnicodeError:
        return ""
