"""A server behind a proxy, which costs as little as possible; prints its URL.

`/N` answers with N bytes, `/events` with the moment of each event, `/none` never, `/garbage` with no HTTP,
and `/dies` breaks off. Contents of requests are read and forgotten.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time

PIECE = b"x" * 65536
EVENTS = 100


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await forget(head, reader)
            path = head.split(" ")[1].removeprefix("/")
            if not await answered(path, writer):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def forget(head: str, reader: asyncio.StreamReader) -> None:
    """Read the content of a request."""
    if length := re.search(r"(?i)\r\ncontent-length: (\d+)", head):
        left = int(length[1])
        while left:
            left -= len(await reader.read(min(left, 1 << 20)))


async def answered(path: str, writer: asyncio.StreamWriter) -> bool:
    """Answer; return whether the connection goes on."""
    if path == "events":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for _ in range(EVENTS):
            writer.write(b"data: %d\n\n" % time.monotonic_ns())
            await asyncio.sleep(0.005)
        return False
    if path == "none":
        await asyncio.sleep(3600)
    if path == "garbage":
        writer.write(b"this is no HTTP\r\n\r\n")
    if path in ("none", "garbage", "dies"):
        return False
    size = int(path or 0)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    writer.write(head + PIECE[: min(size, len(PIECE))])
    size -= min(size, len(PIECE))
    while size:
        writer.write(PIECE[:size])
        size -= min(size, len(PIECE))
        await writer.drain()
    return True


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


asyncio.run(main())
