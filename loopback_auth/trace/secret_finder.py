"""Finds the secrets in what goes over the wire: by their names, by where they stand, or by how they look.

A secret is known by the name of its parameter, by its place (an `Authorization` header, a cookie, the address
of a page of ours), or by looking like one, where the browser and the server have names of their own.

Every function yields pairs: the kind of a secret, which names its parameter or its place, and its value.

Source: RFC 6749 §2.3.1, §4.1-4.4, §5; RFC 6750 §2.1; RFC 6265 §4; RFC 7519 §3; RFC 7518 §6;
RFC 9449 §11.1 (a proof can be replayed for as long as it is accepted).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, unquote_plus

from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.narrow import is_list, is_object
from loopback_auth.protocol.json import media_type, member, object_or_none
from loopback_auth.protocol.jwk import PRIVATE
from loopback_auth.trace.secret_names import PUBLIC, is_secret

DEPTH = 4
"""How many addresses within addresses are looked into."""

SHORTEST_COOKIE = 8
"""Characters; shorter cookies are settings, such as a language."""

WRAPPED = frozenset({"content", "data", "raw", "text", "value"})
"""Members that say nothing of their own: what they hold is what the object around them is."""

OWN_KEY = re.compile(r"^https?://(?:127\.0\.0\.1|\[::1\]|localhost)(?::\d+)?/([0-9a-f]{32})(?=$|[/?#])")
"""The address of a page of ours on a loopback port."""

# Compiled when first used: few conversations have something to be looked at so closely.
_LOOKS_SECRET = r"(?=[A-Za-z0-9._~-]*[0-9])(?=[A-Za-z0-9._~-]*[A-Za-z])[A-Za-z0-9_~-][A-Za-z0-9._~-]{15,}"
_JWT = r"eyJ[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)"
_NOT_UTF_8 = "\ufffd"
"""What a decoder writes for bytes that it cannot read."""

Secrets = Iterator[tuple[str, str]]


def secret_and_parts(kind: str, secret: str) -> Secrets:
    """Yield a secret, and of a JWT its parts and what its claims have that is secret."""
    yield kind, secret
    if secret.startswith("eyJ") and (parts := re.fullmatch(_JWT, secret)) is not None:
        for part in parts.groups():
            yield f"{kind}_part", part
        yield from _in_members(_claims(parts.group(1)))


def secrets_in_parameter(name: str, value: str, *, guess: bool = False, depth: int = 0) -> Secrets:
    """Yield the value of a parameter if it is a secret, and the secrets of an address if it is one.

    Args:
        name: decoded.
        value: decoded.
        guess: take for a secret what looks like one, whatever its name.
        depth: how many addresses the parameter is within.
    """
    if is_secret(name) or (guess and name not in PUBLIC and looks_secret(value)):
        yield from secret_and_parts(name, value)
    inner = unquote(value)
    if depth < DEPTH and ("?" in inner or "#" in inner):
        yield from secrets_in_url(inner, guess=guess, depth=depth + 1)


def secrets_in_form(text: str, *, guess: bool = False, depth: int = 0) -> Secrets:
    """Yield the secrets of a query, a fragment or a form that is still encoded, and of the addresses within.

    `guess` and `depth` are those of `secrets_in_parameter`.
    """
    for name, value in parse_qsl(text):
        yield from secrets_in_parameter(name, value, guess=guess, depth=depth)
    for name, _, raw in (pair.partition("=") for pair in text.split("&")):
        if is_secret(unquote(name)):
            yield from _undecodable(unquote(name), raw)


def secrets_in_url(url: str, *, guess: bool = False, depth: int = 0) -> Secrets:
    """Yield the secrets of an address: in its query, in its fragment, and the key of a page of ours.

    `guess` and `depth` are those of `secrets_in_parameter`.
    """
    if (key := OWN_KEY.match(url)) is not None:
        yield "start_key", key.group(1)
    head, _, fragment = url.partition("#")
    for part in (head.partition("?")[2], fragment.removeprefix("?")):
        yield from secrets_in_form(part, guess=guess, depth=depth)


def secrets_in_request(request: HttpRequest, *, guess: bool = False) -> Secrets:
    """Yield the secrets of a request, `guess` as in `secrets_in_parameter`."""
    if token := request.header("x-loopback-relay"):
        yield "relay_token", token
        if (key := OWN_KEY.match(request.url)) is not None:
            yield "relay_key", key.group(1)
    yield from secrets_in_url(request.url, guess=guess)
    yield from secrets_in_url(request.header("referer"), guess=guess)
    for value in request.values("cookie"):
        yield from _in_cookies(value.split(";"))
    yield from _in_credentials(request.header("authorization"))
    for value in request.values("dpop"):
        yield from secret_and_parts("dpop_proof", value)
    document = object_or_none(request.body)
    if document is not None:
        yield from _in_members(document)
    else:
        yield from secrets_in_form(form_text(request), guess=guess)


def secrets_in_response(response: HttpResponse, paths: Iterable[str] = ()) -> Secrets:
    """Yield the secrets of a response.

    Args:
        response: untrusted.
        paths: of JSON members that are secret, or addresses that hold something secret (`Send.secrets`).
    """
    for name, value in response.headers:
        if name.lower() == "set-cookie":
            yield from _in_cookies([value.partition(";")[0]])
        elif name.lower() == "location":
            yield from secrets_in_url(value)
    document = object_or_none(response.body)
    if document is None:
        if media_type(response) == FORM or response.body.startswith(b"access_token="):
            yield from secrets_in_form(form_text(response))
        return
    for path in paths:
        yield from _in_secret_member(path.rpartition(".")[2], member(document, path))
    # In a refusal `code` is the vendor's number or word for what went wrong, however deep it is.
    refusal = response.status >= 400 or "error" in document
    yield from _in_members(_without_codes(document) if refusal else document)


def form_text(message: HttpRequest | HttpResponse) -> str:
    """Return the body of a message as the text of a form."""
    return message.body.decode("utf-8", "backslashreplace").removeprefix("?")


def basic_credentials(credentials: str) -> str:
    """Return `user:password` of an `Authorization: Basic` header (RFC 7617 §2).

    Where they cannot be decoded, all of them are the password.
    """
    with suppress(ValueError):
        return base64.b64decode(credentials).decode("utf-8")
    return f":{credentials}"


def _undecodable(kind: str, raw: str) -> Secrets:
    """Yield a secret as it was written, where decoding it loses bytes that are not UTF-8."""
    if _NOT_UTF_8 in unquote_plus(raw):
        yield kind, raw


def _in_cookies(pairs: Iterable[str]) -> Secrets:
    for pair in pairs:
        value = pair.partition("=")[2].strip()
        if len(value) >= SHORTEST_COOKIE:
            yield from secret_and_parts("cookie", value)


def _in_credentials(header: str) -> Secrets:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        yield from secret_and_parts("access_token", credentials.strip())
        return
    password = basic_credentials(credentials).partition(":")[2]
    yield from secret_and_parts("client_secret", unquote_plus(password))
    yield from _undecodable("client_secret", password)


def _in_members(value: object, name: str = "") -> Secrets:
    """Yield the secrets in a JSON document, however deep: by their names, or as they look like it."""
    if is_object(value):
        if isinstance(value.get("kty"), str):
            yield from _in_key(value)
        for inner, one in value.items():
            yield from _in_members(one, name if is_secret(name) and inner in WRAPPED else inner)
    elif is_list(value):
        for one in value:
            yield from _in_members(one, name)
    elif is_secret(name):
        yield from _in_secret_member(name, value)
    elif isinstance(value, str):
        yield from secrets_in_parameter(name, value, guess=True)


def _in_key(jwk: Mapping[str, object]) -> Secrets:
    """Yield the private members of a JWK, whose names are too short to be secret anywhere else."""
    for name in PRIVATE & jwk.keys():
        if isinstance(value := jwk[name], str):
            yield "private_key", value


def _in_secret_member(name: str, value: object) -> Secrets:
    """Yield a member that is said to be secret: a text, a number for a token, or what an address holds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and name.endswith("_token"):
        value = str(value)
    if not isinstance(value, str):
        return
    if "/" in value and not is_secret(name):
        yield from secrets_in_url(value)
        for part in filter(looks_secret, re.split(r"[/?#&=]", unquote(unquote(value)))):
            yield from secret_and_parts("ticket", part)
        return
    yield from secret_and_parts(name if is_secret(name) else "ticket", value)


def _claims(part: str) -> object:
    with suppress(ValueError):
        return object_or_none(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return None


def _without_codes(value: object) -> object:
    if is_object(value):
        return {name: _without_codes(one) for name, one in value.items() if name != "code"}
    return [_without_codes(one) for one in value] if is_list(value) else value


def looks_secret(text: str) -> bool:
    """Return whether a text looks like a random value: long, and of letters and digits."""
    return len(text) >= 16 and re.fullmatch(_LOOKS_SECRET, text) is not None
