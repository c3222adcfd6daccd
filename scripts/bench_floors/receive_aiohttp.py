"""The smallest correct sign-in on aiohttp: bind, browse, check the state, redeem the code with its verifier.

    receive_aiohttp.py AUTHORIZATION_ENDPOINT TOKEN_ENDPOINT

Prints the token and the moment it was in hand, in nanoseconds of the monotonic clock.
"""

import asyncio
import base64
import hashlib
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import ClientSession, web


async def sign_in(
    authorization_endpoint: str, token_endpoint: str, open_browser: Callable[[str], object]
) -> str:
    """Sign in; return the access token and when it was in hand."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def callback(request: web.BaseRequest) -> web.Response:
        query = request.query
        if request.path != "/callback" or not secrets.compare_digest(query.get("state", ""), state):
            return web.Response(status=404)
        if not code.done():
            code.set_result(query["code"])
        return web.Response(text=await asyncio.shield(ended))

    runner = web.ServerRunner(web.Server(callback), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        redirect_uri = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
        asked = {
            "response_type": "code",
            "client_id": "bench",
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        open_browser(f"{authorization_endpoint}?{urlencode(asked)}")
        form = {
            "grant_type": "authorization_code",
            "code": await code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": "bench",
        }
        async with ClientSession() as session, session.post(token_endpoint, data=form) as answer:
            answer.raise_for_status()
            token: str = (await answer.json())["access_token"]
        in_hand = time.monotonic_ns()
        ended.set_result("You are signed in.")
        return f"{token} {in_hand}"
    finally:
        await runner.cleanup()


def challenge(verifier: str) -> str:
    """Hash a code verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def main() -> None:
    """Sign in once with the browser that BROWSER names."""
    browsers: list[subprocess.Popen[bytes]] = []

    def open_browser(url: str) -> None:
        browsers.append(subprocess.Popen([os.environ["BROWSER"], url]))  # noqa: S603

    sys.stdout.write(asyncio.run(sign_in(sys.argv[1], sys.argv[2], open_browser)) + "\n")
    browsers[0].wait()


if __name__ == "__main__":
    main()
