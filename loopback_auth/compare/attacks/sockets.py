"""Scenarios on sockets: attackers send requests to the demo server and to the program during a real login."""

from __future__ import annotations

import errno
import secrets
import socket
from contextlib import AsyncExitStack
from typing import assert_never

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar

from loopback_auth.compare.attacks.attack_actions import (
    NOT_SO_FAR,
    Action,
    Ask,
    BindAgain,
    End,
    Exposed,
    LoginResult,
    Outcome,
    Paste,
    Scenario,
    Until,
    not_begun,
)
from loopback_auth.compare.attacks.context import new_context
from loopback_auth.compare.attacks.flow_attacks import FlowAttack
from loopback_auth.compare.attacks.impostor import Impostor
from loopback_auth.compare.attacks.login_under_attack import LOGIN_SECONDS, LoginUnderAttack, fetched
from loopback_auth.demo.serve import ServerFactory, serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.trace.redactor import Redactor


def demo_server(issuer: str) -> DemoServer:
    """Make a server that keeps every rule, and lets devices poll without an interval."""
    return DemoServer(issuer, entropy=secrets.token_bytes, device_interval=0)


async def on_sockets(attack: FlowAttack, flow: str, serving: ServerFactory) -> Outcome:
    """Play the scenario of one attack on a flow; the outcome has no secrets."""
    redactor = Redactor()
    async with AsyncExitStack() as stack:
        demo = await stack.enter_async_context(serve_demo(server_factory=serving))
        impostors: list[Impostor] = []

        def imposing(issuer: str) -> DemoServer:
            impostors.append(Impostor(issuer, demo.server, entropy=secrets.token_bytes))
            return impostors[0]

        if attack.impostor:
            await stack.enter_async_context(serve_demo(server_factory=imposing))
        one, context = new_context(
            flow, demo.issuer, bound=attack.bound, impostor=impostors[0] if impostors else None
        )
        limits = ClientTimeout(total=LOGIN_SECONDS)
        session = ClientSession(cookie_jar=DummyCookieJar(), timeout=limits, auto_decompress=False)
        await stack.enter_async_context(session)
        login = LoginUnderAttack(one, session, redactor)
        stack.push_async_callback(login.leave)
        outcome = await _played(attack.scenarios[flow](context), login, session, redactor)
    return Outcome(outcome.succeeded, redactor.excerpt(outcome.because))


async def _played(
    scenario: Scenario, login: LoginUnderAttack, session: ClientSession, redactor: Redactor
) -> Outcome:
    came: HttpResponse | Exposed | LoginResult | str | None = None
    try:
        while True:
            action = scenario.send(came)
            came = await _performed(action, login, session, redactor)
            if came is None:
                return NOT_SO_FAR
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome
    except LoopbackAuthError as exc:
        return not_begun(exc)
    finally:
        scenario.close()


async def _performed(
    action: Action, login: LoginUnderAttack, session: ClientSession, redactor: Redactor
) -> HttpResponse | Exposed | LoginResult | str | None:
    match action:
        case Ask(request):
            answer = await fetched(session, request)
            redactor.learn_request(request, guess=True)
            redactor.learn_response(answer)
            return answer
        case Until(point):
            return await login.until(point)
        case End():
            return await login.end()
        case Paste(text):
            return await login.offered(text)
        case BindAgain(authority):
            return shared(authority)
        case _:
            assert_never(action)


def shared(authority: str) -> str:
    """Try to listen on a port that is in use; return a sentence about it."""
    why = refusal_to_share(authority)
    if why:
        return f"The attempt to listen on the same port was refused ({why})."
    return "Another process could listen on the same port."


def refusal_to_share(authority: str) -> str:
    """Try to listen on a port that is in use, with the options by which systems share ports.

    Args:
        authority: IP address and port, as in a URL.

    Returns:
        The name of the system's error, such as `EADDRINUSE`; empty when it was allowed.
    """
    host, _, port = authority.rpartition(":")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as second:
        for name in ("SO_REUSEADDR", "SO_REUSEPORT"):
            if hasattr(socket, name):
                second.setsockopt(socket.SOL_SOCKET, getattr(socket, name), 1)
        try:
            second.bind((host.strip("[]"), int(port)))
            second.listen()
        except OSError as exc:
            return errno.errorcode.get(exc.errno or 0, "error")
    return ""
