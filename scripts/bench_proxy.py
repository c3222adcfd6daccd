"""What `scripts/bench` measures of the proxy: requests through it, beside a bare one, and what it withstands.

Both proxies run for the whole measurement, in front of one server; each round sends the same requests through
both, in changing order. CPU is that of the proxy's process.
"""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench_rig import PATIENCE, Bench, Failed, Sample, ours, python, start

MEGABYTE = 1_000_000
GIGABYTE = 1_000 * MEGABYTE
AT_LEAST = 0.8
"""Of the bare proxy's requests per second, so that a request may take 1 / 0.8 of its time."""
CASES = (
    ("GET, 1 at a time", "GET", 64, 1, 1500),
    ("GET, 32 at a time", "GET", 64, 32, 3000),
    ("1 MB down, 4 at a time", "GET", MEGABYTE, 4, 120),
    ("1 MB up, 4 at a time", "POST", MEGABYTE, 4, 120),
)
"""Name, method, bytes of the content, connections, requests in a round."""
MOST_MEGABYTES = 32
"""By which the proxy may grow while a gigabyte passes."""
NEVER_READS_SECONDS = 3.0


@contextmanager
def running(bench: Bench, *argv: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a program that prints its URL."""
    process = start(list(argv), bench.environ())
    try:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url.startswith("http"):
            raise Failed(f"{argv!r} did not start:\n{process.communicate()[1]}")
        yield process, url
    finally:
        process.terminate()
        process.communicate()


def measure_proxy(bench: Bench, keep: Callable[[], object]) -> None:
    """Time and CPU of a request through the proxy, late events, memory, and broken servers."""
    keep()
    with ExitStack() as stack:
        _, server = stack.enter_context(running(bench, *python("proxied_server.py")))
        command = ours("proxy", "as.example", "--to", server, "--timeout", "1")
        mine = stack.enter_context(running(bench, *command))
        bare = stack.enter_context(running(bench, *python("proxy_aiohttp.py", server)))
        both = {"proxy": mine, "bare aiohttp": bare}
        for name, method, size, connections, requests in CASES:
            samples = bench.by_turns(
                {
                    who: partial(_sample, process, url, method, size, connections, requests)
                    for who, (process, url) in both.items()
                }
            )
            bench.compare(name, samples, {"us": 1 / AT_LEAST, "CPU us": None}, ("bare aiohttp",))
            rate = 1e6 / median(one["us"] for one in samples["proxy"])
            cpu = median(one["CPU us"] for one in samples["proxy"])
            bench.bound(name, "requests a second", "proxy", rate, None)
            if size < MEGABYTE:
                bench.bound(name, "CPU us, for 1000 a second", "proxy", cpu, 1000.0)
        late = bench.by_turns({who: partial(_lateness, url) for who, (_, url) in both.items()})
        bench.compare("event, late", late, {"ms": None}, ("bare aiohttp",))
        for name, load in _loads().items():
            with running(bench, *command) as (process, url):
                _fetch(f"{url}/64")
                before = _peak(process)
                load(url)
                bench.bound(name, "MB more", "proxy", _peak(process) - before, MOST_MEGABYTES)
        wrong = [
            path
            for path, status in (("none", 504), ("garbage", 502), ("dies", 502), ("64", 200))
            if _fetch(f"{mine[1]}/{path}") != status
        ]
        bench.bound("broken servers", "wrong answers", "proxy", len(wrong), 0)


def _loads() -> Mapping[str, Callable[[str], object]]:
    return {
        "1 GB down": lambda url: _fetch(f"{url}/{GIGABYTE}"),
        "1 GB up": lambda url: _fetch(f"{url}/64", GIGABYTE),
        "1 GB down, never read": _never_read,
    }


def _sample(
    process: subprocess.Popen[str], url: str, method: str, size: int, connections: int, requests: int
) -> Sample:
    before, begun = _cpu(process), time.perf_counter()
    share = requests // connections
    failures: list[BaseException] = []

    def client() -> None:
        try:
            _client(url, method, size, share)
        except BaseException as exc:
            failures.append(exc)

    clients = [threading.Thread(target=client) for _ in range(connections)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    if failures:
        raise Failed(f"a client of {url} got no answer: {failures[0]!r}")
    done = share * connections
    return {
        "us": (time.perf_counter() - begun) / done * 1e6,
        "CPU us": (_cpu(process) - before) / done * 1e6,
    }


def _client(url: str, method: str, size: int, requests: int) -> None:
    """Make requests one after the other on one connection."""
    down, up = (size, 0) if method == "GET" else (64, size)
    head = _head(f"{urlsplit(url).path}/{down}", url, method, up)
    with _connected(url) as connection:
        buffer = bytearray(1 << 20)
        for _ in range(requests):
            connection.sendall(head)
            _send(connection, up)
            _skip(connection, buffer, down)


def _skip(connection: socket.socket, buffer: bytearray, length: int) -> None:
    """Read an answer with that much content."""
    got = connection.recv_into(buffer)
    while (end := buffer.find(b"\r\n\r\n", 0, got)) < 0:
        got += connection.recv_into(memoryview(buffer)[got:])
    if not buffer.startswith(b"HTTP/1.1 200"):
        raise Failed(f"the proxy answered {bytes(buffer[:40])!r}")
    left = length - (got - end - 4)
    while left > 0:
        more = connection.recv_into(buffer, min(left, len(buffer)))
        if not more:
            raise Failed("the answer broke off")
        left -= more


def _head(target: str, url: str, method: str, length: int) -> bytes:
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        "Accept: */*",
        "User-Agent: bench",
    ]
    if method == "POST":
        lines += ["Content-Type: application/json", f"Content-Length: {length}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE)


def _send(connection: socket.socket, length: int) -> None:
    piece = b"x" * 65536
    while length > 0:
        connection.sendall(piece[: min(length, len(piece))])
        length -= len(piece)


def _fetch(url: str, up: int = 0) -> int:
    """Make one request, and read its answer to the end; return its status."""
    with _connected(url) as connection:
        connection.sendall(_head(urlsplit(url).path, url, "POST" if up else "GET", up))
        _send(connection, up)
        answer = connection.recv(65536)
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        left = length - len(answer.partition(b"\r\n\r\n")[2])
        while left > 0 and (piece := connection.recv(1 << 20)):
            left -= len(piece)
        return int(answer.split(b" ")[1])


def _never_read(url: str) -> None:
    with _connected(url) as connection:
        connection.sendall(_head(f"{urlsplit(url).path}/{GIGABYTE}", url, "GET", 0))
        time.sleep(NEVER_READS_SECONDS)


def _lateness(url: str) -> Sample:
    """Return how late an event comes, in milliseconds: the median of a hundred."""
    late: list[float] = []
    with _connected(url) as connection:
        connection.sendall(_head(f"{urlsplit(url).path}/events", url, "GET", 0))
        text = b""
        while not text.endswith(b"0\r\n\r\n") and (piece := connection.recv(65536)):
            now = time.monotonic_ns()
            text += piece
            moments = [
                line.removeprefix(b"data: ") for line in piece.splitlines() if line.startswith(b"data: ")
            ]
            late += [(now - int(one)) / 1e6 for one in moments]
    return {"ms": median(late)}


def _cpu(process: subprocess.Popen[str]) -> float:
    """Return the CPU time of a process so far, in seconds."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0]) / 1e9


def _peak(process: subprocess.Popen[str]) -> float:
    """Return the most memory that a process has had, in megabytes."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    line = next(one for one in status.splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
