"""Begin many sign-ins at once, and tell how much memory they take while they wait for their browsers.

    pending.py ours|aiohttp COUNT...

Prints, after each count, the count and the resident bytes of the process.
"""

import asyncio
import gc
import resource
import sys
from pathlib import Path

WHERE = "https://as.example/authorize", "https://as.example/token"


async def begin(contender: str, count: int) -> list["asyncio.Task[object]"]:
    """Begin sign-ins; return when every one of them has sent its browser off."""
    left = asyncio.Semaphore(0)
    if contender == "aiohttp":
        from receive_aiohttp import sign_in

        tasks = [asyncio.create_task(_any(sign_in(*WHERE, lambda _: left.release()))) for _ in range(count)]
    else:
        from receive_ours import client

        from loopback_auth.api import login
        from loopback_auth.network.browser import Opening

        def open_browser(_: str) -> Opening:
            left.release()
            return Opening(why_not="this is a measurement")

        who = client(*WHERE)
        tasks = [asyncio.create_task(_any(login(who, open_browser=open_browser))) for _ in range(count)]
    for _ in range(count):
        await left.acquire()
    await asyncio.sleep(0.1)
    return tasks


async def _any(sign_in: object) -> object:
    return await sign_in  # type: ignore[misc]


def resident() -> int:
    """Return the resident bytes of this process."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def main() -> None:
    """Begin as many as asked for, in steps."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    contender, *counts = sys.argv[1:]
    tasks = await begin(contender, 1)
    for count in map(int, counts):
        tasks += await begin(contender, count - len(tasks))
        sys.stdout.write(f"{count} {resident()}\n")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main())
