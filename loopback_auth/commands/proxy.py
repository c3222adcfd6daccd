"""Run a proxy in front of an API: it adds the token of a kept sign-in to each request, and renews it.

For programs that cannot renew a token, or should not have it. They get the address of the proxy, which is
printed to stdout, and no token. It forwards to the one URL of --to, until Ctrl-C.

Examples:
  python -m loopback_auth proxy github --to https://api.github.com --unix ~/.github.sock
  curl --unix-socket ~/.github.sock http://localhost/user
  python -m loopback_auth proxy github --to https://api.github.com
  curl http://127.0.0.1:PORT/SECRET/user        the address that was printed
  python -m loopback_auth proxy https://mcp.example/mcp --stdio

With --unix only your own programs reach it: prefer that where the client can. A port can be reached by every
program on this machine; therefore the address has a secret path, other users are turned away where the system
tells who they are, and so are web pages in a browser. With --stdio it is an MCP server for a client that
starts it, speaks over stdin and stdout, and knows no OAuth.

The request's own Authorization header is replaced. A request that the server refuses with 401 is sent once
more with a renewed token. Redirects are passed to the client, so that the token goes nowhere else. If you
have to sign in again, clients get the status 503, and stderr says what to type; the proxy goes on when that
is done. More: help proxying.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from loopback_auth.cli import answer, tell
from loopback_auth.commands import the_store
from loopback_auth.commands._kept import kept
from loopback_auth.commands._request_headers import check_meant
from loopback_auth.commands._token_source import KeptSource
from loopback_auth.commands._warnings_only import tell_seldom
from loopback_auth.errors import ConfigError, LoopbackAuthError, SignInRequired, TokenError, TransportError
from loopback_auth.protocol.pkce import base64url
from loopback_auth.protocol.urls import shown_url
from loopback_auth.proxy.answers import NAME
from loopback_auth.proxy.forwarding import MOST_REQUESTS, Forwarding
from loopback_auth.proxy.guards import Rules
from loopback_auth.proxy.listening import (
    ADDRESS,
    allow_connections,
    file_of,
    on_port,
    on_unix_socket,
    remove_unix_socket,
)
from loopback_auth.proxy.serving import served
from loopback_auth.proxy.target import base_of
from loopback_auth.proxy.upstream import upstream
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    import socket
    from collections.abc import Generator

    from loopback_auth.proxy.target import Base
    from loopback_auth.tokens import Token

USAGE = "[NAME] [--to URL] [--unix PATH | --port PORT | --stdio] [--read-only] [--login] [--json]"
PATIENCE = 300.0
LONGEST_PATIENCE = 1e6
SECRET_BYTES = 24


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; default: the one in use")
    parser.add_argument(
        "--to",
        metavar="URL",
        help="where requests are forwarded; theirs are below it; default: the resource of the sign-in",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--unix", metavar="PATH", help="listen on a Unix socket that only you can open")
    where.add_argument("--port", type=int, metavar="PORT", help="listen on 127.0.0.1; default: any free port")
    where.add_argument("--stdio", action="store_true", help="be an MCP server on stdin and stdout")
    parser.add_argument(
        "--read-only", action="store_true", help="forward GET, HEAD and OPTIONS, and no websockets"
    )
    parser.add_argument(
        "--no-secret",
        action="store_true",
        help="leave the secret out of the address; every program here can use it",
    )
    parser.add_argument(
        "--id-token", action="store_true", help="send the ID token in place of the access token"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"for the server to begin its answer; default: {PATIENCE:g}",
    )
    parser.add_argument("--login", action="store_true", help="sign in first if there is no usable token")


def run(options: argparse.Namespace) -> int:
    """Forward requests until interrupted."""
    # The sign-in to a resource has its URL for a name.
    if options.to is None and "://" in (options.provider or ""):
        options.to = options.provider
    if not options.to:
        options.to = _resource(options.provider or "")
    if not options.to:
        raise ConfigError("There is no URL to forward to.", hint="Give it with --to.")
    if not 0 < options.timeout < LONGEST_PATIENCE:
        raise ConfigError("The time to wait is not a number of seconds.", hint="Correct --timeout.")
    if options.stdio:
        from loopback_auth.commands._mcp_on_stdio import serve_on_stdio  # Most proxies have an address.

        if options.read_only or options.no_secret:
            raise ConfigError(
                "A proxy on stdin and stdout has no address and no read-only form.",
                hint="Leave out --read-only and --no-secret.",
            )
        if options.login:
            with _without_stdin():
                _source(options)
        return serve_on_stdio(options.provider or "", options.to, of=_token(options))
    source = _source(options)
    check_meant(source.first, options.to, name="--to")
    secret = "" if options.unix or options.no_secret else f"/{base64url(os.urandom(SECRET_BYTES))}"
    base = base_of(options.to, mount=secret, name="--to")
    # Each request has two connections, and as many clients may wait.
    allow_connections(4 * MOST_REQUESTS)
    bound = on_unix_socket(_path(options)) if options.unix else on_port(options.port or 0)
    file = file_of(_path(options)) if options.unix else None
    try:
        asyncio.run(_serve(options, source, base, bound))
    except KeyboardInterrupt:
        tell("Stopped.")
    finally:
        bound.close()
        if options.unix:
            remove_unix_socket(_path(options), file)
    return 0


async def _serve(options: argparse.Namespace, source: KeptSource, base: Base, bound: socket.socket) -> None:
    authority = f"{ADDRESS}:{bound.getsockname()[1]}" if not options.unix else "localhost"
    url = f"http://{authority}{base.mount}"
    rules = Rules(
        None if options.unix else frozenset((authority, authority.replace(ADDRESS, "localhost"))),
        base.mount,
        options.read_only,
        f"{NAME}-{os.urandom(4).hex()}",
    )
    told = tell_seldom()
    async with upstream(base.origin, source.network) as server:
        forwarding = Forwarding(source, server, base, rules, tell=told, patience=options.timeout)
        async with served(bound, forwarding.handle, told):
            _say(options, source, url)
            await asyncio.Event().wait()


@contextmanager
def _without_stdin() -> Generator[None]:
    """Let a login read nothing from stdin, where a client of MCP has its first messages already."""
    messages = sys.stdin
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        sys.stdin = nothing
        try:
            yield
        finally:
            sys.stdin = messages


def _resource(named: str) -> str:
    """Return the URL of the resource whose token a kept sign-in has; empty if there is none."""
    with suppress(LoopbackAuthError):  # Said when the token is needed.
        return kept(the_store(), named).resource_server
    return ""


def _say(options: argparse.Namespace, source: KeptSource, url: str) -> None:
    """Print where the proxy is: the first and only line on stdout."""
    socket_path = _path(options) if options.unix else None
    if options.json:
        document = {
            "url": url,
            "socket": socket_path,
            "pid": os.getpid(),
            "name": source.name,
            "to": options.to,
        }
        answer(json.dumps(document) + "\n")
    else:
        answer(f"{socket_path or url}\n")
    account = source.first.tokens.account
    whose = f"{source.name} ({account})" if account else source.name
    only = ", read-only" if options.read_only else ""
    tell(f"Forwarding to {shown_url(options.to)} with the token of {whose}{only}, until you press Ctrl-C.")
    if options.no_secret and not options.unix:
        tell(Words.WARNING.format(text="Every program on this machine can use this proxy: it has no secret."))


def _source(options: argparse.Namespace) -> KeptSource:
    """Return the tokens; without usable ones the person is asked, if that is wanted."""
    since = time.time()
    try:
        return _usable(options)
    except (SignInRequired, TokenError):
        if not options.login:
            raise
    from loopback_auth.commands._login import logged_in  # Most proxies find a sign-in.

    logged_in(options.provider or "", since)
    return _usable(options)


def _usable(options: argparse.Namespace) -> KeptSource:
    source = KeptSource(the_store(), options.provider or "", of=_token(options))
    try:
        asyncio.run(_tried(source))
    except TransportError as exc:
        # The server may be back when the first request comes.
        tell(Words.WARNING.format(text=f"{exc.message} {exc.hint}".rstrip()))
    return source


def _token(options: argparse.Namespace) -> Token:
    return "id_token" if options.id_token else "access_token"


async def _tried(source: KeptSource) -> None:
    if not (await source.presentation()).value:
        raise SignInRequired(
            f"The sign-in to {source.name} came without this token.",
            hint="Sign in again with another --flow, code for example.",
        )


def _path(options: argparse.Namespace) -> str:
    return str(Path(options.unix).expanduser().absolute())
