"""What `scripts/bench` measures, one function each, with the targets."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from bench_answers import measure_adapters, measure_approvals, measure_race
from bench_embedding import measure_embedding
from bench_proxy import measure_proxy
from bench_rig import (
    FLOORS,
    PATIENCE,
    PYTHON,
    ROOT,
    Bench,
    Failed,
    Fifo,
    Sample,
    callback_url,
    connect,
    ended,
    get,
    launched,
    ours,
    python,
    request,
    run,
    sign_in,
    start,
)


def measure_launch(bench: Bench) -> None:
    """Process start to browser launched."""

    def once(argv: list[str], kept: bool = False) -> Sample:
        keep(bench, kept)
        return launched(bench, argv)

    issuer = ["--issuer", "https://as.example", "--client-id", "bench"]
    samples = bench.by_turns(
        {
            "login": lambda: once(ours("login")),
            "login --issuer": lambda: once(ours("login", *issuer)),
            "login --issuer, again": lambda: once(ours("login", *issuer), kept=True),
            "login_sync": lambda: once(python("launch_program.py")),
            "socket+subprocess": lambda: once(python("bind_subprocess.py")),
            "socket+webbrowser": lambda: once(python("bind_webbrowser.py")),
        }
    )
    keep(bench, False)
    bench.compare("launch", samples, {"CPU": 2.0, "wall": None}, ("socket+subprocess", "socket+webbrowser"))


def contenders(bench: Bench, scheme: str, thought: float) -> Mapping[str, Callable[[], Sample]]:
    """Return everybody who can do a whole sign-in."""
    authorization_endpoint, token_endpoint = where = bench.endpoints(scheme)
    flags = ["--authorization-endpoint", authorization_endpoint, "--token-endpoint", token_endpoint]
    commands = {
        "login": ours("login", *flags, "--client-id", "bench"),
        "api.login": python("receive_ours.py", *where),
        "bare aiohttp": python("receive_aiohttp.py", *where),
        "bare asyncio": python("receive_asyncio.py", *where),
    }
    return {name: (lambda argv=argv: sign_in(bench, argv, thought)) for name, argv in commands.items()}  # type: ignore[misc]


def measure_sign_in(bench: Bench) -> None:
    """Process start to the end of the process, by way of a server and a person who do not think."""
    for scheme in ("http", "https"):
        samples = bench.by_turns(contenders(bench, scheme, 0.0))
        floors = ("bare aiohttp", "bare asyncio")
        bench.compare(f"sign-in {scheme}", samples, {"CPU": 1.15, "wall": 1.15}, floors)
        target = 1.5 if scheme == "http" else None
        after = {"callback to token": target, "callback to page": None}
        bench.compare(f"callback {scheme}", samples, after, floors)


def measure_thought(bench: Bench) -> None:
    """Callback to token over https when the person thought for a second."""
    samples = bench.by_turns(contenders(bench, "https", 1.0))
    metrics = {"callback to token": 1.2, "callback to page": None}
    bench.compare("callback https, 1 s of thought", samples, metrics, ("bare aiohttp", "bare asyncio"))


def measure_token(bench: Bench) -> None:
    """Print a kept token."""
    kept = str(keep(bench, True))
    samples = bench.by_turns(
        {
            "token": lambda: run(ours("token"), bench.environ())[0],
            "python -c pass": lambda: run(python("-c", "pass"), bench.environ())[0],
            "read a JSON file": lambda: run(python("read_json.py", kept), bench.environ())[0],
        }
    )
    keep(bench, False)
    bench.compare("token", samples, {"CPU": 3.0, "wall": None}, ("python -c pass", "read a JSON file"))


HOSTS = (
    '[providers."as.example"]\nissuer = "https://as.example"\nclient_id = "bench"\nhosts = ["git.example"]\n'
)


def measure_as(bench: Bench) -> None:
    """Print a kept token in the form that a tool reads, beside the token alone.

    Which hosts a token is for is in the settings; once the command has read them, it knows until they change.
    """

    def token(*arguments: str) -> Callable[[], Sample]:
        return lambda: run(ours("token", "as.example", *arguments), bench.environ())[0]

    keep(bench, True)
    # `scripts/bench` begins under any Python, and this one has the package.
    from loopback_auth.outputs.plain import PLAIN
    from loopback_auth.store.settings_match import SETTLED_SECONDS

    plain = {f"--as {tool}": token("--as", tool) for tool in PLAIN}
    samples = bench.by_turns({"token NAME": token(), **plain})
    bench.compare("as", samples, {"CPU": 1.3, "wall": None}, ("token NAME",))
    config = bench.folder / "config" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(HOSTS)
    time.sleep(SETTLED_SECONDS)  # What has just changed is looked at each time.
    token("--leeway", "5")()
    question = bench.folder / "question"
    question.write_text('{"uri": "https://git.example/x"}')
    build_tool = ours("token", "as.example", "--as", "bazel")
    samples = bench.by_turns(
        {
            "token NAME": token(),
            "--as netrc": token("--as", "netrc", "--host", "git.example"),
            "--as docker": token("--as", "docker", "--host", "git.example"),
            "--as bazel": lambda: run(build_tool, bench.environ(), question)[0],
        }
    )
    config.unlink()
    keep(bench, False)
    bench.compare("as, for a host", samples, {"CPU": 1.3, "wall": None}, ("token NAME",))


def keep(bench: Bench, wanted: bool) -> Path:
    """Keep a sign-in whose token is fresh, or see to it that there is none; return its file."""
    folder = bench.folder / "data" / "sign-ins"
    for one in (folder.parent, folder):
        one.mkdir(mode=0o700, exist_ok=True)
    kept = folder / "as.example.json"
    if not wanted:
        kept.unlink(missing_ok=True)
        return kept
    now = time.time()
    id_token = {"claims": {"exp": now + 86400, "iat": now}, "signature": "verified", "raw": "h.p.s"}
    tokens = {"access_token": "t" * 40, "token_type": "Bearer", "obtained_at": now, "id_token": id_token}
    sign_in = {
        "version": 1,
        "name": "as.example",
        "client_id": "bench",
        "client_auth": "none",
        "metadata": {"issuer": "https://as.example"},
        "requested_scope": "",
        "tokens": {**tokens, "expires_at": now + 86400},
    }
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(sign_in))
    return kept


def measure_many(bench: Bench) -> None:
    """Many sign-ins, one after the other, in one process."""
    count = 300

    def many(contender: str) -> Callable[[], Sample]:
        argv = python("many.py", contender, *bench.endpoints("http"), str(count))

        def once() -> Sample:
            seconds = float(run(argv, bench.environ())[1])
            return {"ms each": seconds / count * 1000}

        return once

    samples = bench.by_turns(
        {
            "api.login": many("ours"),
            "without start page": many("direct"),
            "bare aiohttp": many("aiohttp"),
        }
    )
    bench.compare("many", samples, {"ms each": None}, ("bare aiohttp",))


def measure_load(bench: Bench) -> None:
    """The callback of a sign-in that strangers are bothering."""
    for kind in ("nothing", "200 idle", "2000 junk", "50 drips", "all of them"):
        rounds = 5 if kind in ("2000 junk", "all of them") else bench.rounds
        samples = bench.by_turns(
            {
                "api.login": lambda kind=kind: bothered(bench, python("receive_ours.py"), kind),  # type: ignore[misc]
                "bare aiohttp": lambda kind=kind: bothered(bench, python("receive_aiohttp.py"), kind),  # type: ignore[misc]
            },
            rounds,
        )
        for contender, results in samples.items():
            waits = [sample["callback to page"] for sample in results]
            target = 100.0 if contender == "api.login" else None
            bench.bound(f"callback during {kind}", "ms, median", contender, median(waits), target)
            bench.bound(f"callback during {kind}", "ms, worst", contender, max(waits), None)


def bothered(bench: Bench, argv: list[str], kind: str) -> Sample:
    """Run a sign-in whose port is called by strangers before and during the callback."""
    fifo = Fifo(bench.folder / "fifo")
    process = start([*argv, *bench.endpoints("http")], bench.environ())
    back = callback_url(fifo.line(process), bench.tls)
    everything = kind == "all of them"
    with ExitStack() as stack:
        for _ in range(200 if everything or kind == "200 idle" else 0):
            stack.enter_context(connect(back, bench.tls))
        for number in range(2000 if everything or kind == "2000 junk" else 0):
            junk(back, number)
        if everything or kind == "50 drips":
            stack.enter_context(dripping(back, 50))
        sent = time.monotonic_ns()
        _, answered = get(back, bench.tls)
    _, written = ended(process, 0.0)
    fifo.close()
    if not written.startswith("bench-token "):
        raise Failed(f"No token under {kind}.")
    return {"callback to page": (answered - sent) / 1e6}


def junk(back: str, number: int) -> None:
    """Send one request that is not the callback."""
    parts = urlsplit(back)
    target = "/favicon.ico" if number % 2 else f"{parts.path}?code=x&state=stranger"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE) as connection:
        connection.sendall(request(target, parts.netloc))
        while connection.recv(65536):
            pass


@contextmanager
def dripping(back: str, count: int) -> Iterator[None]:
    """Hold connections open that send one byte every 50 ms."""
    parts = urlsplit(back)
    connections = [socket.create_connection((parts.hostname or "", parts.port or 0)) for _ in range(count)]
    stop = threading.Event()

    def drip() -> None:
        for byte in f"GET /{'a' * 10000}".encode():
            for connection in connections:
                try:
                    connection.send(bytes([byte]))
                except OSError:
                    continue
            if stop.wait(0.05):
                return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    time.sleep(0.2)
    try:
        yield
    finally:
        stop.set()
        thread.join()
        for connection in connections:
            connection.close()


def measure_memory(bench: Bench) -> None:
    """Memory of sign-ins that wait."""

    def each(contender: str) -> Callable[[], Sample]:
        def once() -> Sample:
            argv = python("pending.py", contender, "10", "100", "1000")
            lines = run(argv, bench.environ())[1].split("\n")
            size = {int(count): int(bytes_) for count, bytes_ in (line.split() for line in lines if line)}
            few, many = (size[100] - size[10]) / 90, (size[1000] - size[100]) / 900
            return {"KB each": many / 1000, "growth, 100-1000 by 10-100": many / max(few, 1.0)}

        return once

    samples = bench.by_turns({"api.login": each("ours"), "bare aiohttp": each("aiohttp")}, 3)
    metrics = {"KB each": None, "growth, 100-1000 by 10-100": None}
    bench.compare("1000 pending", samples, metrics, ("bare aiohttp",))


def measure_simulated(bench: Bench) -> None:
    """A sign-in in the simulated world."""
    argv = python("simulated.py", "300")
    samples = bench.by_turns({"simulated": lambda: {"ms": float(run(argv, bench.environ())[1])}})
    bench.bound("simulated", "ms", "memory world", median(one["ms"] for one in samples["simulated"]), 1.0)


LOOK_ON = """
import os, sys
def launched(event, _):
    if event == "subprocess.Popen":
        os.write(2, b"MODULES %d\\n" % len(sys.modules))
        os._exit(0)
sys.addaudithook(launched)
del sys.argv[0]
if sys.argv[0] == "loopback_auth":
    import runpy
    runpy.run_module("loopback_auth", run_name="__main__", alter_sys=True)
else:
    exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"))
"""
"""Runs a program as `python` or `python -m` would, and ends it when it is about to start a browser."""


def measure_counts(bench: Bench) -> None:
    """What does not depend on the machine's mood: modules and instructions until the launch."""
    login = ["loopback_auth", "login"]
    issuer = [*login, "--issuer", "https://as.example", "--client-id", "bench"]
    counted = {
        "login": [count(bench, login)],
        "login --issuer": [count(bench, issuer)],
        "login --issuer, again": [count(bench, issuer, kept=True)],
        "socket+subprocess": [count(bench, [str(FLOORS / "bind_subprocess.py")])],
        "socket+webbrowser": [count(bench, [str(FLOORS / "bind_webbrowser.py")])],
    }
    keep(bench, False)
    metrics = {"modules": None, "M instructions": 2.0}
    bench.compare("until launch", counted, metrics, ("socket+subprocess", "socket+webbrowser"))


def count(bench: Bench, argv: list[str], *, kept: bool = False) -> Sample:
    """Count what a program does until it starts a browser; instructions only where valgrind is installed."""
    keep(bench, kept)
    environ = {**bench.environ(), "PYTHONHASHSEED": "0"}

    def errors(*tool: str) -> str:
        command = [*tool, str(PYTHON), "-c", LOOK_ON, *argv]
        done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
        return done.stderr

    errors()  # fills the cache of bytecode
    sample = {"modules": float(errors().rpartition("MODULES ")[2])}
    if shutil.which("valgrind"):
        told = errors("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
        references = next(line for line in told.splitlines() if "refs:" in line)
        sample["M instructions"] = int(references.split()[-1].replace(",", "")) / 1e6
    return sample


def measure_requests(bench: Bench) -> None:
    """How many requests a sign-in makes: ours, not the browser's."""
    counts = json.loads(run(python("requests_made.py"), bench.environ())[1])
    for name, made in counts.items():
        bench.bound("requests by us", "count", name, made, None)


MEASUREMENTS: Mapping[str, Callable[[Bench], None]] = {
    "counts": measure_counts,
    "requests": measure_requests,
    "launch": measure_launch,
    "token": measure_token,
    "as": measure_as,
    "sign-in": measure_sign_in,
    "thought": measure_thought,
    "many": measure_many,
    "load": measure_load,
    "memory": measure_memory,
    "race": measure_race,
    "approvals": measure_approvals,
    "simulated": measure_simulated,
    "adapters": measure_adapters,
    "embedding": measure_embedding,
    "proxy": lambda bench: measure_proxy(bench, lambda: keep(bench, True)),
}
