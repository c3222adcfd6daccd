"""Tokens for the client of aiohttp (3.12 or later): `ClientSession(middlewares=[bearer(source)])`."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from yarl import URL

from loopback_auth.clients.bearer import Refusals, TokenArguments, check_destination, checked
from loopback_auth.clients.presentation import READ, Presentation, presented
from loopback_auth.errors import ConfigError, StillRefused
from loopback_auth.narrow import is_collection
from loopback_auth.token_source import TokenSource


def bearer(source: TokenSource, *, origins: str | Collection[str] = ()) -> ClientMiddlewareType:
    """Make a client middleware that sends the access token of a source (RFC 6750 §2.1, RFC 9449 §7.1).

        from loopback_auth.clients.aiohttp import bearer

        async with aiohttp.ClientSession(middlewares=[bearer(source)]) as session:
            await session.get("https://api.example/things")

    aiohttp calls a middleware for every redirect as well, and does not say so. Therefore the token goes to
    known origins only. Requests to others are sent without it, and so are those that have an `Authorization`
    header.

    A body that is bytes, text, JSON or a form is sent again after a 401, and so is a seekable file; a
    generator is not. If the token is bound to a key, each request has a proof of its own.

    Args:
        source: of the tokens.
        origins: one or several to which the token is sent, such as `https://api.example`; empty: that of the
            first request.

    Raises:
        ConfigError: (here, or by a request) an origin is http, and not on this machine (RFC 6750 §5.3), or it
            is not an origin.
        LoopbackAuthError: (by a request) as of `TokenSource.token`.
    """
    checked(source)
    given: object = origins
    known = {_origin(each) for each in (given if is_collection(given) else [given])}

    async def middleware(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        origin = request.url.origin()
        if "Authorization" in request.headers or (known and origin not in known):
            return await handler(request)
        if not known:
            check_destination(str(origin))
            known.add(origin)
        sent, refusals = await presented(source), Refusals(interactive=source.interactive)
        sent.put(request.headers, request.method, request.url)
        response = await handler(request)
        while True:
            if not _again(sent, response):
                arguments = _token_arguments(response, sent.token, refusals)
                if arguments is None:
                    return response
                refused = sent.token
                try:
                    sent = await presented(source, **arguments)
                except StillRefused:
                    return response  # What the server has answered says more.
                except BaseException:
                    response.close()
                    raise
                if sent.token == refused:
                    return response
            if request.body and request.body.consumed:
                return response
            response.release()
            await request.close()  # A file is rewound only after what is left of the first sending has ended.
            sent.put(request.headers, request.method, request.url)
            response = await handler(request)

    return middleware


def _again(sent: Presentation, response: ClientResponse) -> bool:
    if not sent.bound:
        return False
    found = ((name, value) for name in READ for value in response.headers.getall(name, ()))
    return sent.again(response.method, response.request_info.url, response.status, found)


def _origin(text: object) -> URL:
    try:
        origin = URL(text if isinstance(text, str) else "").origin()
    except ValueError as exc:
        raise ConfigError(
            f"{ascii(text)[:80]} is not an origin.",
            hint="Write scheme and host, such as https://api.example.",
            parameter="origins",
        ) from exc
    check_destination(str(origin))
    return origin


def _token_arguments(response: ClientResponse, token: str, refusals: Refusals) -> TokenArguments | None:
    if response.ok:
        return None
    challenge = ", ".join(response.headers.getall("WWW-Authenticate", ()))
    return refusals.token_arguments(response.status, challenge, token)
