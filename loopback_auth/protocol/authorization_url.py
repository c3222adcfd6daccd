"""Read the authorization URL of another program's protocol code, to recognise its callback.

That code has built the request and checks the response. Here only what the redirect endpoint needs is read:
the state, the response mode, and whether the browser will come back to us at all. This module refuses to know
what is asked for.

Source: RFC 6749 §3.1, §4.1.1, §10.12; OAuth 2.0 Multiple Response Types §2.1; RFC 9126 §4; RFC 9101 §5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import ConfigError, MalformedResponse
from loopback_auth.protocol.request_checks import default_mode
from loopback_auth.protocol.urls import check_browser_url

SINGLE = ("client_id", "redirect_uri", "request", "request_uri", "response_mode", "response_type", "state")
"""Parameters that are read here, and must not be repeated."""
MODES = ("query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt")
"""Response modes; of a signed response only the state is read: the other program checks it (JARM §2.4)."""


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """An authorization request that another program's code has built.

    Args:
        url: to open in the browser.
        server: host and port of the authorization server, for people.
        client_id: empty where the URL has none.
        state: the callback must have the same; None: the protocol has none.
        response_mode: how the response was asked to travel.
    """

    url: str = field(repr=False)
    server: str
    client_id: str
    state: str | None = field(repr=False)
    response_mode: str


class ResponseParameters(dict[str, str]):
    """The parameters of a response: a dict whose `repr` shows the names alone, since values are secret.

    Args:
        pairs: names and values.
        redirect_uri: where they arrived.

    Source: RFC 6749 §3.1.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], redirect_uri: str) -> None:
        super().__init__(pairs)
        self.redirect_uri: str = redirect_uri

    @property
    def url(self) -> str:
        """The redirect URI with the parameters in its query, for libraries that read the response there."""
        return f"{self.redirect_uri}?{urlencode(self)}"

    def __repr__(self) -> str:
        return f"ResponseParameters({', '.join(self)})"


def foreign_request(
    url: str, *, redirect_uri: str, state: str | None = "", any_port: bool = True
) -> ForeignRequest:
    """Read an authorization URL, or refuse it before the browser leaves.

    A pushed request (`request_uri`) or a request object (`request`) has its state and redirect URI elsewhere,
    so the caller has to give the state, and every response mode is accepted.

    Args:
        url: absolute, with the request in its query.
        redirect_uri: ours, which the request must name.
        state: that the callback must have. Empty: the one in the URL. None: the protocol has none.
        any_port: the system chose our port, so no server can know our redirect URI unless it is sent.

    Raises:
        ConfigError: the URL cannot be opened, repeats a parameter, names another redirect URI, lacks a state,
            or asks for a response mode that cannot be received.

    Source: RFC 6749 §3.1, §3.1.2.3, §10.12; RFC 9126 §4; RFC 9101 §5.
    """
    _check_string(url)
    parts = urlsplit(check_browser_url(url))
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _ in parameters]
    repeated = [name for name in SINGLE if names.count(name) > 1]
    if repeated:
        raise ConfigError(
            f"The authorization URL repeats {', '.join(repeated)} (RFC 6749 §3.1).",
            hint="Send each parameter once.",
            parameter="url",
        )
    given = dict(parameters)
    pushed = "request" in given or "request_uri" in given
    _check_redirect_uri(given, redirect_uri, needed=any_port and not pushed)
    return ForeignRequest(
        url=url,
        server=parts.netloc,
        client_id=given.get("client_id", ""),
        state=_state(given.get("state", ""), state),
        response_mode=_response_mode(given, pushed=pushed),
    )


def response_parameters(callback: Callback, redirect_uri: str) -> ResponseParameters:
    """Return the parameters of a callback; those without a value count as omitted.

    Args:
        callback: its state was checked, if there is one.
        redirect_uri: where it arrived.

    Raises:
        MalformedResponse: a parameter is repeated.

    Source: RFC 6749 §3.1, §4.1.2.
    """
    pairs = [(name, value) for name, value in callback.parameters if value]
    parameters = ResponseParameters(pairs, redirect_uri)
    if len(parameters) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted(ascii(name)[1:-1][:40] for name in parameters if names.count(name) > 1)
        raise MalformedResponse(f"The response repeats {', '.join(repeated)}", source="RFC 6749 §3.1")
    return parameters


def _check_string(url: object) -> None:
    if not isinstance(url, str):
        raise ConfigError(
            f"The authorization URL is a value of type {type(url).__name__}, not a string.",
            hint="Pass str(url).",
            parameter="url",
        )


def _check_redirect_uri(given: dict[str, str], redirect_uri: str, *, needed: bool) -> None:
    if "redirect_uri" in given and given["redirect_uri"] != redirect_uri:
        raise ConfigError(
            f"The authorization URL has another redirect URI: {given['redirect_uri'][:120]!a} in place of "
            f"{redirect_uri}.",
            hint="Build the URL with the redirect URI of this receiver, byte for byte.",
            parameter="url",
        )
    # Protocols beside OAuth have other names for it, such as callback_url.
    if needed and redirect_uri not in given.values():
        raise ConfigError(
            "The authorization URL does not name the redirect URI, so the browser would not come back.",
            hint=f"Add redirect_uri with the value {redirect_uri}.",
            parameter="url",
        )


def _state(in_url: str, state: str | None) -> str | None:
    if state is None and not in_url:
        return None
    if state and in_url not in ("", state):
        raise ConfigError(
            "The authorization URL has another state than the one that was given.",
            hint="Give the state once: in the URL, or beside it for a pushed request.",
            parameter="url state",
        )
    if state is None:
        raise ConfigError(
            "The authorization URL has a state, and state=None says that there is none.",
            hint="Leave state=None out.",
            parameter="url state",
        )
    if not (state or in_url):
        raise ConfigError(
            "The authorization URL has no state, so any web page could forge the response (RFC 6749 §10.12).",
            hint="Add a state of at least 128 random bits to the URL. For a pushed request give state=. "
            "For a protocol that has no such parameter give state=None.",
            parameter="url state",
        )
    return state or in_url


def _response_mode(given: dict[str, str], *, pushed: bool) -> str:
    mode = given.get("response_mode", "")
    if mode and mode not in MODES:
        raise ConfigError(
            f"response_mode={mode[:40]!a} cannot be received here.",
            hint=f"Use one of {', '.join(MODES)}.",
            parameter="url",
        )
    # With a form all others can come too, and with a signed response one that is not.
    unknown = "form_post.jwt" if pushed else default_mode(given.get("response_type", "code"))
    return mode or unknown
