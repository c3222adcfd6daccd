"""Forward requests by aiohttp alone: the same copying, and not one check.

proxy_aiohttp.py URL        prints its own URL
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse
from aiohttp.web_runner import ServerRunner, TCPSite
from aiohttp.web_server import Server

NOT_COPIED = {"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade"}


async def main(url: str) -> None:
    """Forward until killed."""

    async def forward(request: BaseRequest) -> StreamResponse:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in NOT_COPIED]
        if length := request.headers.get("Content-Length"):
            headers.append(("Content-Length", length))
        body = request.content.iter_any() if request.body_exists else None
        async with session.request(
            request.method, url + request.raw_path, headers=headers, data=body, allow_redirects=False
        ) as response:
            kept = [
                (name, value) for name, value in response.headers.items() if name.lower() not in NOT_COPIED
            ]
            answer = StreamResponse(status=response.status, reason=response.reason, headers=dict(kept))
            answer.content_length = response.content_length
            await answer.prepare(request)
            async for chunk in response.content.iter_any():
                await answer.write(chunk)
            await answer.write_eof()
            return answer

    async with ClientSession(
        connector=TCPConnector(limit=0),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        timeout=ClientTimeout(total=None),
    ) as session:
        runner = ServerRunner(Server(forward, access_log=None, auto_decompress=False))
        await runner.setup()
        await TCPSite(runner, "127.0.0.1", 0).start()
        sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
