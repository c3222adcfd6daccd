"""One request, from the client to the server and back, with a token that the client never sees.

A request that the server refuses with 401 is sent once more with a renewed token, where its content can be
sent again. Contents are carried piece by piece, each only when the other side has taken the one before, so
that memory stays bounded. An answer that breaks off is broken off for the client as well: one that looks
complete and is not would be worse.

Source: RFC 9110 §7.6; RFC 9112 §8; RFC 6750 §3.1; RFC 9449 §9.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import ClientResponse
from aiohttp.http_writer import StreamWriter
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse

from loopback_auth.clients.bearer import Refusals
from loopback_auth.clients.presentation import READ, Presentation
from loopback_auth.errors import LoopbackAuthError, StillRefused
from loopback_auth.protocol.challenge import token_challenge
from loopback_auth.proxy.answers import (
    NAME,
    Forwarded,
    Switched,
    in_one_line,
    refused,
    unanswered,
    unavailable,
    wants_content,
)
from loopback_auth.proxy.exchange import UPGRADE, Exchange
from loopback_auth.proxy.guards import Refusal, Rules, final_recipient
from loopback_auth.proxy.headers import Fields, content_length, response_fields, wants_upgrade
from loopback_auth.proxy.source import Source
from loopback_auth.proxy.target import Base
from loopback_auth.proxy.tunnel import Incoming, carry
from loopback_auth.proxy.upstream import FAILURES, Upstream
from loopback_auth.redact import server_text

MOST_REQUESTS = 1000
"""Requests that may be under way at the same time; each may hold some hundred kilobytes."""
SWITCHED = 101


class Forwarding:
    """Answers the requests of one proxy.

    Args:
        source: of the tokens.
        upstream: the server.
        base: the URL below which requests are forwarded.
        rules: which requests are.
        tell: called with a line for the person when something is wrong.
        patience: seconds for which the server may be silent before it begins to answer.
    """

    def __init__(
        self,
        source: Source,
        upstream: Upstream,
        base: Base,
        rules: Rules,
        *,
        tell: Callable[[str], None],
        patience: float,
    ) -> None:
        self._source = source
        self._upstream = upstream
        self._base = base
        self._rules = rules
        self._tell = tell
        self._patience = patience
        self._under_way = 0

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one request."""
        fields = request.headers
        upgrade = "Upgrade" in fields and wants_upgrade(request.method, fields.items())
        target = request.raw_path
        refusal = self._rules.refusal(request.method, target, fields, upgrade=upgrade)
        if refusal is None and final_recipient(request.method, fields):
            return Response(status=204, headers={"Server": NAME})
        if refusal is None and self._under_way >= MOST_REQUESTS:
            text = f"There are {MOST_REQUESTS} requests under way already."
            refusal = Refusal(503, text, "connection_limit_reached", told=True)
        if refusal is not None:
            return self._refused(refusal, request)
        below = self._rules.below(target, fields.get("Host", "").lower()) or "/"
        url, via = self._base.url(below), self._rules.name
        exchange = Exchange(request, url, self._base, self._patience, via=via, upgrade=upgrade)
        self._under_way += 1
        try:
            return await self._answered(exchange)
        finally:
            self._under_way -= 1

    async def _answered(self, exchange: Exchange) -> StreamResponse:
        request = exchange.request
        try:
            if wants_content(request):
                # What may be refused has been refused by now, and the token is at hand.
                await self._source.presentation()
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            response, token = await self._sent(exchange)
        except LoopbackAuthError as exc:
            return self._refused(unavailable(exc), request)
        except FAILURES as exc:
            if exchange.body is not None and exchange.body.failed:
                return self._refused(Refusal(400, "The content of this request broke off."), request)
            late = isinstance(exc, TimeoutError)
            return self._refused(unanswered(self._upstream.failed(exc), late=late), request)
        try:
            if response.status == SWITCHED:
                return await self._tunnel(exchange, response, token)
            return await self._passed_on(exchange, response, token)
        finally:
            response.release()

    async def _sent(self, exchange: Exchange) -> tuple[ClientResponse, str]:
        """Send a request, a second time where the token is the reason for its refusal."""
        sent, refusals = await self._source.presentation(), Refusals(interactive=False)
        while True:
            response = await exchange.send(self._upstream, sent)
            if response.status not in (401, 403) and not (sent.bound and response.status == 400):
                return response, sent.token
            try:
                again = await self._again(exchange, response, sent, refusals)
            except BaseException:
                response.close()
                raise
            if again is None:
                return response, sent.token
            sent = again
            response.release()

    async def _again(
        self, exchange: Exchange, response: ClientResponse, sent: Presentation, refusals: Refusals
    ) -> Presentation | None:
        """Return with which token a request is sent again; None: its answer is for the client."""
        repeatable = exchange.body is None or exchange.body.repeatable
        if sent.bound:
            found = [(name, value) for name in READ for value in response.headers.getall(name, ())]
            if sent.again(response.method, exchange.url, response.status, found):
                return sent if repeatable else None
        challenge = ", ".join(response.headers.getall("WWW-Authenticate", ()))
        asked = token_challenge(challenge)
        if asked is not None and asked.error == "insufficient_scope":
            scope = f": {server_text(asked.scope)}" if asked.scope else ""
            self._tell(f"The server asks for more scope than the sign-in has{scope}.")
        arguments = refusals.token_arguments(response.status, challenge, sent.token)
        if arguments is None:
            return None
        try:
            renewed = await self._source.presentation(**arguments)
        except StillRefused as exc:
            self._tell(f"{exc.message} {exc.hint}")
            return None  # What the server has answered says more.
        return renewed if repeatable and renewed.token != sent.token else None

    async def _passed_on(self, exchange: Exchange, response: ClientResponse, token: str) -> StreamResponse:
        request, content = exchange.request, response.content
        fields = self._fields(exchange, response, token)
        try:
            length = content_length(response.headers.items())
        except ValueError:
            refusal = Refusal(
                502,
                "The server does not say clearly where its answer ends.",
                "http_protocol_error",
                told=True,
            )
            return self._refused(refusal, request)
        if length is None:
            fields = [(name, value) for name, value in fields if name.lower() != "content-length"]
        answer = Forwarded(response.status, _reason(response, token), fields)
        await answer.prepare(request)
        if content.is_eof():
            await answer.write_eof(content.read_nowait())
            return answer
        request.writer.send_headers()
        while True:
            try:
                chunk = await content.readany()
            except FAILURES as exc:
                response.close()
                self._tell(f"An answer broke off. {self._upstream.failed(exc).message}")
                raise _broken_off(request) from None
            if not chunk:
                break
            await answer.write(chunk)
        await answer.write_eof()
        return answer

    async def _tunnel(self, exchange: Exchange, response: ClientResponse, token: str) -> StreamResponse:
        request, connection = exchange.request, response.connection
        protocol = connection.protocol if connection is not None else None
        if not exchange.upgrade or protocol is None:
            response.close()
            text = "The server has changed the protocol unasked."
            refusal = Refusal(502, text, "http_protocol_error", told=True)
            return self._refused(refusal, request)
        fields = self._fields(exchange, response, token)
        answer = Switched(SWITCHED, _reason(response, token), [*fields, *UPGRADE])
        answer.force_close()
        await answer.prepare(request)
        request.writer.send_headers()
        client, server = Incoming(request.protocol), Incoming(protocol)
        try:
            request.protocol.set_parser(client)  # type: ignore[arg-type] # fed as a reader of frames is
            protocol.set_parser(server, response.content)
            to_server = StreamWriter(protocol, asyncio.get_running_loop())
            await carry(client, to_server.write, server, answer.write)
        finally:
            response.close()
            if request.transport is not None:
                request.transport.close()
        return answer

    def _fields(self, exchange: Exchange, response: ClientResponse, token: str) -> Fields:
        """Return the header of an answer for the client."""
        fields, echoed = response_fields(response.headers.items(), secret=token)
        if echoed:
            self._tell("A header of an answer repeated the access token; it was left out.")
        if "Location" not in response.headers:
            return fields
        return [
            (name, self._base.location(value, exchange.url) if name.lower() == "location" else value)
            for name, value in fields
        ]

    def _refused(self, refusal: Refusal, request: BaseRequest) -> StreamResponse:
        if refusal.told:
            self._tell(in_one_line(refusal.text))
        return refused(refusal, method=request.method)


def _reason(response: ClientResponse, token: str) -> str:
    """Return the reason phrase for the client, which may be left out (RFC 9112 §4)."""
    reason = response.reason or ""
    return "" if token and token in reason else reason


def _broken_off(request: BaseRequest) -> ConnectionError:
    """Break the connection off, and return what tells the library that this was done."""
    if request.transport is not None:
        request.transport.abort()
    return ConnectionResetError("the answer broke off")
