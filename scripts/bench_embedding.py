"""What `scripts/bench` measures of programs that sign in by this package, and by other libraries.

The programs are in `bench_floors/embedding`. Each does the same: it signs in with the browser, keeps its
tokens in a private file, calls an API with renewal, and signs out; `tests/embedding/test_same_programs.py`
runs all of it. The lines that are counted are theirs. They differ in what they ask the server: msal wants its
metadata at every start, over https; ours asks for them while the browser starts; the others are told.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from statistics import median

from bench_rig import FLOORS, Bench, Failed, Sample, launched, ours, python, run, sign_in
from code_lines import code_lines

OURS = "loopback_auth"
PEERS = ("msal", "google", "requests_oauth2client", "authlib")
MOST_KEPT = 1.6
"""Times the CPU of a Python that reads the same JSON."""
MOST_LAUNCH = 1.05
"""Times the CPU of our command until the browser: as early, but for what cannot be measured."""
MOST_MICROSECONDS = 2.0
CALLS = 20_000
CROWD_ROUNDS = 3


def measure_embedding(bench: Bench) -> None:
    """Measure each task, and count the lines."""
    kept = {name: _signed_in(bench, name) for name in (OURS, *PEERS)}
    _measure_kept(bench, kept)
    _measure_running(bench, kept)
    _measure_launch(bench)
    _measure_sign_in(bench)
    _measure_crowd(bench)
    for name in (OURS, *PEERS):
        source = (FLOORS / "embedding" / f"with_{name}.py").read_text(encoding="utf-8")
        bench.bound("embedding, same program", "lines of code", name, code_lines(source), None)


def _program(name: str, *arguments: str) -> list[str]:
    return python(f"embedding/{name}.py", *arguments)


def _issuer(bench: Bench, name: str, scheme: str = "http") -> str:
    if name == "msal":
        return f"https://127.0.0.1:{bench.servers['https']}/tenant"
    return f"{scheme}://localhost:{bench.servers[scheme]}"


_numbers = count()


def _empty(bench: Bench) -> str:
    """Make a folder in which nothing is kept."""
    folder = bench.folder / f"embedding-{next(_numbers)}"
    folder.mkdir(mode=0o700)
    return str(folder)


def _token(bench: Bench, name: str, folder: str, scheme: str = "http") -> list[str]:
    """Return the command line that prints a token: a kept one, or one of a sign-in."""
    return _program(f"with_{name}", "token", _issuer(bench, name, scheme), folder)


def _signed_in(bench: Bench, name: str) -> str:
    """Sign in with a program; return the folder in which it keeps its tokens."""
    folder = _empty(bench)
    sign_in(bench, _token(bench, name, folder, "https"))
    return folder


def _measure_kept(bench: Bench, kept: Mapping[str, str]) -> None:
    """A fresh process prints a token that is kept and fresh."""

    def cost(argv: list[str], expected: str = "bench-token") -> Callable[[], Sample]:
        def once() -> Sample:
            sample, written = run(argv, bench.environ())
            if written.strip() != expected:
                raise Failed(f"{argv!r} printed {written!r}")
            return sample

        return once

    file = str(next(Path(kept[OURS]).rglob("*.json")))
    first, waiting = f"{OURS}, token_sync()", f"{OURS}, await token()"
    floor = "read a JSON file"
    contenders = {
        first: cost(_token(bench, OURS, kept[OURS], "https")),
        waiting: cost(_program("kept_async", _issuer(bench, OURS, "https"), kept[OURS])),
        **{name: cost(_token(bench, name, kept[name], "https")) for name in PEERS},
        floor: cost(python("read_json.py", file)),
        "the same, and asyncio": cost(python("read_json_asyncio.py", file)),
    }
    samples: dict[str, list[Sample]] = dict(bench.by_turns(contenders))
    plain, with_asyncio = samples[floor], samples.pop("the same, and asyncio")
    asynchronous = samples.pop(waiting)
    name = "embedding, kept token"
    bench.compare(name, {first: samples.pop(first), floor: plain}, {"CPU": MOST_KEPT, "wall": None}, (floor,))
    bench.compare(name, samples, {"CPU": None, "wall": None}, (floor,))
    # What `await` may cost: what `token_sync` may, and the import.
    limit = f"{MOST_KEPT} JSON + import asyncio"
    allowed: list[Sample] = [
        {"CPU": MOST_KEPT * one["CPU"] + both["CPU"] - one["CPU"]}
        for one, both in zip(plain, with_asyncio, strict=True)
    ]
    bench.compare(name, {waiting: asynchronous, limit: allowed}, {"CPU": 1.0}, (limit,))


def _measure_running(bench: Bench, kept: Mapping[str, str]) -> None:
    """A call for a fresh token in a program that runs."""

    def each(kind: str, name: str) -> Callable[[], Sample]:
        argv = _program("running", kind, _issuer(bench, name, "https"), kept[name], str(CALLS))
        return lambda: {"us": float(run(argv, bench.environ())[1])}

    contenders = {
        f"{OURS}, token_sync()": each(OURS, OURS),
        f"{OURS}, await token()": each("await", OURS),
        "msal, acquire_token_silent": each("msal", "msal"),
        "google, credentials.valid": each("google", "google"),
        "requests_oauth2client, is_expired": each("requests_oauth2client", "requests_oauth2client"),
        "authlib, ensure_active_token": each("authlib", "authlib"),
    }
    for who, runs in bench.by_turns(contenders).items():
        target = MOST_MICROSECONDS if who == f"{OURS}, token_sync()" else None
        bench.bound("embedding, fresh token", "us a call", who, median(one["us"] for one in runs), target)


def _measure_launch(bench: Bench) -> None:
    """Process start to browser launched."""

    def until(name: str) -> Callable[[], Sample]:
        return lambda: launched(bench, _token(bench, name, _empty(bench)))

    command = ours("login", "--issuer", "https://as.example", "--client-id", "bench")
    samples = bench.by_turns(
        {
            f"{OURS}, login_sync": lambda: launched(bench, python("launch_program.py")),
            f"{OURS}, token_sync()": until(OURS),
            **{name: until(name) for name in PEERS},
            "our command": lambda: launched(bench, command),
            "socket+webbrowser": lambda: launched(bench, python("bind_webbrowser.py")),
        }
    )
    floors = ("our command", "socket+webbrowser")
    for who in samples:
        if who not in floors:
            target = MOST_LAUNCH if who == f"{OURS}, login_sync" else None
            beside = {one: samples[one] for one in (who, *floors)}
            bench.compare("embedding, launch", beside, {"CPU": target, "wall": None}, floors)


def _measure_sign_in(bench: Bench) -> None:
    """Process start to its end, by way of a server and a person who do not think."""
    for scheme, peers in (("http", PEERS[1:]), ("https", PEERS[:1])):

        def whole(name: str, scheme: str = scheme) -> Callable[[], Sample]:
            def once() -> Sample:
                folder = _empty(bench)
                sample = sign_in(bench, _token(bench, name, folder, scheme))
                shutil.rmtree(folder)
                return sample

            return once

        endpoints = bench.endpoints(scheme)
        floors = {
            "bare aiohttp": lambda where=endpoints: sign_in(bench, python("receive_aiohttp.py", *where)),
            "bare asyncio": lambda where=endpoints: sign_in(bench, python("receive_asyncio.py", *where)),
        }
        samples = bench.by_turns({**{name: whole(name) for name in (OURS, *peers)}, **floors})
        bench.compare(f"embedding, sign-in {scheme}", samples, {"CPU": None, "wall": None}, tuple(floors))


def _measure_crowd(bench: Bench) -> None:
    """Fifty calls at once with a token that has expired; counts, so a few rounds are enough."""
    for case in ("expired", "refused"):
        counts: dict[str, list[tuple[int, int]]] = {}
        for _ in range(CROWD_ROUNDS):
            written = run(_program("crowd", case), bench.environ())[1]
            for who, renewals, failed in map(json.loads, written.splitlines()):
                counts.setdefault(who, []).append((renewals, failed))
        for who, rounds in counts.items():
            name, mine = f"embedding, 50 calls, {case}", who.startswith(OURS)
            bench.bound(name, "renewals, most", who, max(one for one, _ in rounds), 1 if mine else None)
            bench.bound(name, "failed, most", who, max(one for _, one in rounds), 0 if mine else None)
