"""The last page stays up for a moment after a program has ended, and the program does not wait for that."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from other_users import asked_by_another, needs_another_user
from patience import SOON
from raw_http import CODE, GOOD, STATE, Answer, exchange

from loopback_auth.network.after_exit import AFTER_EXIT_SECONDS
from loopback_auth.words import Words

FOLDER = Path(__file__).parents[1]
PROGRAM = f"""
import asyncio, sys
sys.path.insert(0, {str(FOLDER)!r})
from raw_http import DONE, STATE, waiting
from loopback_auth.network.after_exit import serve_after_exit
from loopback_auth.network.browser import Opening
from loopback_auth.network.loopback import bind

async def sign_in(bound):
    async with waiting(bound=bound, closed=False) as world:
        world.receiver.send_browser_to("https://as.example/", state=STATE)
        await world.ask(f"/{{bound.key}}", headers=(("Accept", "text/html"), ("User-Agent", "Mozilla/5.0")))
        await world.complete()

bound = bind("127.0.0.1", (0,), "/callback")
bound.opening = Opening(program="firefox")
bound.lingers = True
asyncio.run(sign_in(bound))
print(bound.port, bound.key, flush=True)
serve_after_exit(*bound.after_exit)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="only there a process is split")


def ended() -> tuple[int, str]:
    """Run a program that signs in, to its end and that of its output; return its port and its start link."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    port, key = done.stdout.split()
    return int(port), key


async def ask(port: int, *targets: str) -> list[Answer]:
    """Ask once each."""
    return [
        await exchange(port, f"GET {one} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        for one in targets
    ]


@pytest.mark.slow
@linux
async def test_last_page_is_there_for_a_reload_and_then_it_is_gone() -> None:
    """A dead port where a moment ago it said how the sign-in ended makes people doubt it."""
    port, key = ended()
    again, bare, other, start, elsewhere = await ask(
        port, GOOD, "/callback", f"/callback?code=other&state={STATE}", f"/{key}", "/favicon.ico"
    )

    async with asyncio.timeout(AFTER_EXIT_SECONDS + SOON):
        while True:
            try:
                await exchange(port, b"GET / HTTP/1.1\r\n\r\n")
            except ConnectionRefusedError:
                return
            await asyncio.sleep(0.05)

    assert (again.status, again.body) == (200, b"<p>all is well</p>")
    assert [one.status for one in (bare, other, start, elsewhere)] == [200, 410, 200, 404]
    assert Words.SUCCESS_TITLE.encode() in bare.body
    for one in (bare, other, start, elsewhere):
        assert b"all is well" not in one.body
        assert CODE.encode() not in one.body
        assert one.values("cache-control") == ("no-store",)


@linux
async def test_strangers_do_not_keep_it_from_answering() -> None:
    """Nonsense is dropped, and the next one is asked."""
    port, _ = ended()

    nonsense = [b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
    dropped = [(await exchange(port, data)).status for data in nonsense]
    (answer,) = await ask(port, GOOD)

    assert dropped == [0, 0, 0]
    assert answer.status == 200


@needs_another_user
async def test_another_user_does_not_learn_whose_it_was() -> None:
    """The link and the state were theirs to read."""
    port, _ = ended()
    data = f"GET {GOOD} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()

    assert (await asked_by_another(port, data)).status == 0
