"""Reads a link of a sign-in: its parts, its parameters as they were written, and what kind of link it is.

Nothing is refused here but what is not a link at all: a link that breaks the rules is what a user wants
explained. So the query is not read by a library, which would hide what is wrong with it. The values are
secret as long as nothing says otherwise.

Source: RFC 3986 §3; RFC 6749 §3.1, §4.1.1, §4.1.2, §4.2.2, appendix B; RFC 8628 §3.3.1; WHATWG URL §5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_to_bytes, urlsplit

from loopback_auth.errors import ConfigError
from loopback_auth.explain.links.link_words import DEVICE_PAGES, TICKET_PAGES
from loopback_auth.explain.tokens.token import Token, read_token
from loopback_auth.trace.secret_finder import OWN_KEY

LinkKind = Literal[
    "authorization request",
    "authorization response",
    "token request",
    "device verification page",
    "ticket approval page",
    "logout request",
    "metadata request",
    "start page",
    "OAuth 1.0",
    "SAML",
    "other",
]
Where = Literal["query", "fragment"]

MOST_PARAMETERS = 200
"""Parameters that are read; a sign-in has some ten."""
RESPONSE = frozenset({"code", "error", "access_token", "id_token", "response"})
"""A response has at least one of these."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

_AMPERSAND = re.compile("&(?:#38|#x26);", re.IGNORECASE)
"""What the source of a page may have for &, beside `&amp;`."""
_FROM_SOURCE = "stands behind &amp;, which is & in the source of a page"
_HEX = re.compile(r"%(?![0-9A-Fa-f]{2})")
_TO_BE_ESCAPED = re.compile(r"[^!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]")
"""RFC 3986 §3.4 and appendix A: what a query may have as it is."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a link.

    Args:
        name: decoded.
        value: decoded; bytes that are not UTF-8 are replaced.
        where: the part of the link that carries it.
        trouble: what is wrong with its encoding, in a few words; empty: nothing.
    """

    name: str
    value: str = field(repr=False)
    where: Where
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link, taken apart.

    Args:
        scheme: in lower case; empty where the link has no beginning.
        host: in lower case, without brackets; empty where there is none.
        port: None where the link has none, or none that can be read.
        path: as it was written.
        user: whether there is a user name or a password before the host.
        parameters: in order.
        cut: whether there were more parameters than are read.
        kind: what kind of link it is.
        request_object: the signed request in the parameter `request`; None when there is none.
    """

    scheme: str
    host: str
    port: int | None
    path: str = field(repr=False)
    user: bool
    parameters: tuple[Parameter, ...]
    cut: bool
    kind: LinkKind
    request_object: Token | None = None

    def __contains__(self, name: str) -> bool:
        return bool(self.value(name))

    def value(self, name: str) -> str:
        """Return what counts: the value inside a signed request, else the first outside; empty when missing.

        Source: OpenID Connect Core 1.0 §6.1 (what is inside supersedes what is outside; RFC 9101 §6.3 ignores
        what is outside, which is a finding of its own).
        """
        if self.request_object is not None and name not in ("request", "client_id"):
            value = self.request_object.claims.get(name)
            if isinstance(value, str) and value:
                return value
        return next((one.value for one in self.parameters if one.name == name), "")

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a parameter, which blanks separate."""
        return tuple(self.value(name).split())

    @property
    def by_reference(self) -> bool:
        """Whether the parameters are elsewhere: pushed, or in a request object that cannot be read here."""
        unread = "request" in self and (self.request_object is None or not self.request_object.claims)
        return unread or ("request_uri" in self and self.request_object is None)


def read_link(text: str) -> Link:
    """Read a link.

    Args:
        text: whole, or from its path, `?` or `#` on; untrusted.

    Raises:
        ConfigError: it cannot be split into the parts of a link.

    Source: RFC 3986 §3; RFC 6749 appendix B.
    """
    text = _AMPERSAND.sub("&amp;", text)
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError as exc:
        raise ConfigError(
            "The link cannot be read: its host is neither a name nor an address.",
            hint="Copy the whole link once more, from the address bar or the program that shows it.",
        ) from exc
    try:
        port = parts.port
    except ValueError:
        port = None
    query, fragment = parts.query, parts.fragment.removeprefix("?")  # Netlify's begin with a question mark.
    found = [*_parameters(query, "query"), *_parameters(fragment, "fragment")]
    parameters = tuple(found[:MOST_PARAMETERS])
    names = {one.name for one in parameters if one.value}
    kind = _kind(text, parts.path, host, names, parameters)
    signed = next((one.value for one in parameters if one.name == "request" and one.value), "")
    return Link(
        scheme=parts.scheme.lower(),
        host=host,
        port=port,
        path=parts.path,
        user="@" in parts.netloc,
        parameters=parameters,
        cut=len(found) > MOST_PARAMETERS,
        kind=kind,
        request_object=read_token(signed) if signed and kind == "authorization request" else None,
    )


def _parameters(text: str, where: Where) -> Iterator[Parameter]:
    for part in text.split("&", MOST_PARAMETERS + 1) if text else ():
        escaped = part.startswith("amp;")
        raw_name, mark, raw = part.removeprefix("amp;").partition("=")
        if where == "fragment" and (not mark or not part.strip("_=")):
            continue  # A place in a page, or the `#_=_` of some servers.
        name, named_well = _decoded(raw_name)
        value, well = _decoded(raw)
        if name or value:
            trouble = _trouble(raw_name + raw, well=well and named_well)
            yield Parameter(name, value, where, _FROM_SOURCE if escaped else trouble)


def _decoded(raw: str) -> tuple[str, bool]:
    octets = unquote_to_bytes(raw.replace("+", " ").encode("utf-8", "replace"))
    try:
        return octets.decode("utf-8"), True
    except UnicodeDecodeError:
        return octets.decode("utf-8", "replace"), False


def _trouble(raw: str, *, well: bool) -> str:
    if _HEX.search(raw):
        return "has a per cent sign that escapes nothing"
    if not well:
        return "is not UTF-8"
    if _TO_BE_ESCAPED.search(raw):
        return "has characters that have to be escaped"
    return "is escaped twice" if re.search("%25[0-9A-Fa-f]{2}", raw) else ""


def _kind(text: str, path: str, host: str, names: set[str], parameters: tuple[Parameter, ...]) -> LinkKind:
    """Return what kind of link it is, from its parameters and where these say nothing from its address."""
    first: Mapping[str, str] = {one.name: one.value for one in reversed(parameters)}
    place = f"{host}{path}"
    at_npm = host.endswith("npmjs.com") and first.get("next", "").startswith("/login/cli/")
    if first.get("response_type") == "ticket" or at_npm or any(page.match(place) for page in TICKET_PAGES):
        return "ticket approval page"
    if "grant_type" in names or {"code", "code_verifier"} <= names or {"code", "client_secret"} <= names:
        return "token request"
    asks = names & {"response_type", "request", "request_uri"}
    if (asks or "redirect_uri" in names) and ("client_id" in names or (asks and not names & RESPONSE)):
        return "authorization request"
    if names & RESPONSE or (names & {"state", "iss"} and host in LOOPBACK):
        return "authorization response"
    return _by_address(text, path, place, names)


def _by_address(text: str, path: str, place: str, names: set[str]) -> LinkKind:
    if names & {"id_token_hint", "post_logout_redirect_uri", "logout_hint"}:
        return "logout request"
    if names & {"oauth_token", "oauth_verifier", "oauth_consumer_key"}:
        return "OAuth 1.0"
    if names & {"SAMLRequest", "SAMLResponse"}:
        return "SAML"
    if "user_code" in names or any(page.fullmatch(place.rstrip("/")) for page in DEVICE_PAGES):
        return "device verification page"
    if "/.well-known/" in path:
        return "metadata request"
    if OWN_KEY.match(text):
        return "start page"
    return "authorization request" if "client_id" in names else "other"
