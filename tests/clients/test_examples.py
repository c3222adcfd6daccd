"""The examples in the docstrings of the adapters: type checkers read them here, and they run."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from inspect import CO_COROUTINE
from types import FunctionType

import aiohttp
import httpx
import httpx2
import pytest
import requests
from google.auth.transport.requests import AuthorizedSession

from clients.api import api, source_at
from loopback_auth import TokenSource
from loopback_auth.clients import aiohttp as for_aiohttp
from loopback_auth.clients import azure as for_azure
from loopback_auth.clients import google as for_google
from loopback_auth.clients import httpx as for_httpx
from loopback_auth.clients import httpx2 as for_httpx2
from loopback_auth.clients import requests as for_requests

URL = "https://api.example/things"
UNTYPED = "  # type: ignore[no-untyped-call]"


def with_httpx(source: TokenSource) -> None:
    """Be the example of `BearerAuth`."""
    from loopback_auth.clients.httpx import BearerAuth

    client = httpx.Client(auth=BearerAuth(source))
    client.get("https://api.example/things")


def with_httpx2(source: TokenSource) -> None:
    """Be the example of `BearerAuth`."""
    from loopback_auth.clients.httpx2 import BearerAuth

    client = httpx2.Client(auth=BearerAuth(source))
    client.get("https://api.example/things")


def with_requests(source: TokenSource) -> None:
    """Be the example of `BearerAuth`."""
    from loopback_auth.clients.requests import BearerAuth

    session = requests.Session()
    session.auth = BearerAuth(source)
    session.get("https://api.example/things")


async def with_aiohttp(source: TokenSource) -> None:
    """Be the example of `bearer`."""
    from loopback_auth.clients.aiohttp import bearer

    async with aiohttp.ClientSession(middlewares=[bearer(source)]) as session:
        await session.get("https://api.example/things")


def with_google(source: TokenSource) -> None:
    """Be the example of `Credentials`."""
    from loopback_auth.clients.google import Credentials

    session = AuthorizedSession(Credentials(source))  # type: ignore[no-untyped-call]
    session.get("https://api.example/things")


def with_azure(source: TokenSource) -> None:
    """Be the example of `TokenCredential`."""
    from loopback_auth.clients.azure import TokenCredential

    credential = TokenCredential(source)
    credential.get_token("email")  # AccessToken(token, expires_on)


EXAMPLES: dict[Callable[[TokenSource], object], object] = {
    with_httpx: for_httpx.BearerAuth,
    with_httpx2: for_httpx2.BearerAuth,
    with_requests: for_requests.BearerAuth,
    with_aiohttp: for_aiohttp.bearer,
    with_google: for_google.Credentials,
    with_azure: for_azure.TokenCredential,
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.__name__)
async def test_example_is_in_the_docstring_and_runs(example: Callable[[TokenSource], object]) -> None:
    """People copy it before they read anything."""
    text = textwrap.dedent(inspect.getsource(example).partition('"""\n')[2]).replace(UNTYPED, "")
    names: dict[str, object] = dict(globals())
    with api() as server:
        names["source"] = source_at(server)
        code = compile(text.replace(URL, server.resource), "example", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & CO_COROUTINE:
            await FunctionType(code, names)()
        else:
            exec(code, names)  # noqa: S102 - a few lines of this file
        for opened in ("client", "session"):
            if isinstance(names.get(opened), httpx.Client | httpx2.Client | requests.Session):
                names[opened].close()  # type: ignore[attr-defined]

        assert textwrap.indent(text, "    ").strip() in (inspect.getdoc(EXAMPLES[example]) or "")
        assert server.requests("resource", status=200) == (example is not with_azure)
