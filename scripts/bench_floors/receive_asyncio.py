"""The smallest correct sign-in on asyncio and the standard library alone.

    receive_asyncio.py AUTHORIZATION_ENDPOINT TOKEN_ENDPOINT

Prints the token and the moment it was in hand, in nanoseconds of the monotonic clock.
"""

import asyncio
import base64
import hashlib
import json
import os
import secrets
import ssl
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlencode, urlsplit


async def sign_in(authorization_endpoint: str, token_endpoint: str) -> str:
    """Sign in; return the access token and when it was in hand."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
    code: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    ended, answered = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = urlsplit((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode())
        query = parse_qs(target.query)
        ours = target.path == "/callback" and secrets.compare_digest(query.get("state", [""])[0], state)
        if ours:
            if not code.done():
                code.set_result(query["code"][0])
            await ended.wait()
        body = b"You are signed in." if ours else b"Not found."
        head = f"HTTP/1.1 {'200 OK' if ours else '404 Not Found'}\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        writer.close()
        await writer.wait_closed()
        if ours:
            answered.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        redirect_uri = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
        asked = {
            "response_type": "code",
            "client_id": "bench",
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        url = f"{authorization_endpoint}?{urlencode(asked)}"
        browser = subprocess.Popen([os.environ["BROWSER"], url])  # noqa: ASYNC220, S603
        form = {
            "grant_type": "authorization_code",
            "code": await code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": "bench",
        }
        token: str = (await post(token_endpoint, urlencode(form)))["access_token"]
        in_hand = time.monotonic_ns()
        ended.set()
        await answered.wait()
        browser.wait()
        return f"{token} {in_hand}"


def challenge(verifier: str) -> str:
    """Hash a code verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


async def post(url: str, body: str) -> dict[str, str]:
    """Send a form and read the JSON that comes back."""
    parts = urlsplit(url)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
    form = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    writer.write((head + form).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in answer.partition(b"\r\n")[0]:
        raise RuntimeError("the token request was refused")
    lengths = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    document: dict[str, str] = json.loads(await reader.readexactly(int(lengths[0].split(b":")[1])))
    writer.close()
    return document


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(sign_in(sys.argv[1], sys.argv[2])) + "\n")
