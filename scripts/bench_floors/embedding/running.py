"""What asking for a fresh token costs in a program that runs: running.py NAME ISSUER FOLDER COUNT.

Prints the microseconds of a call: the best of five runs, without the loop around it. The folder is the one in
which the program `with_NAME` keeps its tokens.
"""

import asyncio
import sys
import timeit
from collections.abc import Callable
from itertools import repeat
from time import perf_counter


def call(name: str, issuer: str, folder: str) -> Callable[[], object]:
    """Return what a library is asked before each request."""
    if name == "loopback_auth":
        from with_loopback_auth import source

        return source(issuer, folder).token_sync
    if name == "msal":
        from with_msal import SCOPES, application

        app = application(issuer, folder)
        account = app.get_accounts()[0]
        return lambda: app.acquire_token_silent(SCOPES, account)["access_token"]
    if name == "google":
        from with_google import credentials

        found = credentials(issuer, folder)
        return lambda: found.valid and found.token
    if name == "requests_oauth2client":
        from with_requests_oauth2client import bearer

        token = bearer(issuer, folder)
        return lambda: not token.is_expired(60) and token.access_token
    from with_authlib import opened

    session = opened(issuer, folder)
    return lambda: session.ensure_active_token(session.token) and session.token["access_token"]


async def awaited(issuer: str, folder: str, count: int) -> float:
    """Return the seconds of so many calls in a coroutine."""
    from with_loopback_auth import source

    tokens = source(issuer, folder)
    await tokens.token()
    begun = perf_counter()
    for _ in repeat(None, count):
        await tokens.token()
    return perf_counter() - begun


def measure(name: str, issuer: str, folder: str, count: int) -> None:
    """Write the microseconds."""
    if name == "await":
        best = min(asyncio.run(awaited(issuer, folder, count)) for _ in range(5))
    else:
        ask = call(name, issuer, folder)
        if not isinstance(ask(), str):
            raise SystemExit(f"{name} returned no token")
        best = min(timeit.repeat(ask, number=count, repeat=5))
    print(best / count * 1e6)


if __name__ == "__main__":
    program, server, kept, calls = sys.argv[1:]
    measure(program, server, kept, int(calls))
