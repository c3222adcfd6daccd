"""A browser on another machine: a process whose 127.0.0.1 is not ours, and the ports forwarded to it.

    python remote_browser.py LINK [OWN_PORT=SOCKET ...]

Each pair is a port of this other machine and the Unix socket at the end of its tunnel. Prints the title of
the page on which the simulated user agent ends.
"""

from __future__ import annotations

import asyncio
import fcntl
import re
import socket
import struct
import sys

from loopback_auth.demo.run_agent import run_agent
from loopback_auth.errors import LoopbackAuthError

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def loopback_up() -> None:
    """Switch the loopback interface of this namespace on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14s", b"lo", IFF_UP, b""))


async def carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    there: asyncio.StreamReader,
    back: asyncio.StreamWriter,
) -> None:
    """Carry bytes both ways until both ends have had enough."""

    async def pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(65536):
                sink.write(piece)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    await asyncio.gather(pipe(reader, back), pipe(there, writer))


async def main(link: str, pairs: list[str]) -> str:
    """Open the tunnels, and then the link."""
    for pair in pairs:
        port, _, path = pair.partition("=")

        async def accept(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str = path
        ) -> None:
            await carry(reader, writer, *await asyncio.open_unix_connection(path))

        await asyncio.start_server(accept, "127.0.0.1", int(port))
    page = await run_agent(link)
    title = re.search(rb"<title>(.*?)</title>", page.body)
    return title[1].decode() if title else ""


if __name__ == "__main__":
    loopback_up()
    try:
        sys.stdout.write(asyncio.run(main(sys.argv[1], sys.argv[2:])) + "\n")
    except LoopbackAuthError as exc:
        sys.stdout.write(f"{exc}\n")
