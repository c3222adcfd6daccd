"""Plays the scenarios of an audit in memory, on the sample program and the demo server: the same each time.

Time is a number here: it passes when a scenario lets it pass, or where the program would wait.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from dataclasses import replace
from itertools import count
from typing import Any, assert_never
from urllib.parse import parse_qsl, urlsplit

from sample_program import SampleProgram

from loopback_auth.audit.programs.actions import Abandon, Bind, End, Look, Pass, ProgramAction, SendBytes
from loopback_auth.audit.programs.observed import (
    Listener,
    ProgramResult,
    Seen,
    TrialResult,
    Visit,
    WrittenFile,
)
from loopback_auth.audit.programs.scenarios.ordinary import PLAIN
from loopback_auth.audit.programs.trial import Trial, again, not_applicable
from loopback_auth.audit.programs.trials import TRIALS
from loopback_auth.compare.attacks.attack_actions import Ask, Exposed, Point, Until
from loopback_auth.compare.attacks.context import new_context
from loopback_auth.compare.running.simulate import Entropy
from loopback_auth.demo.agent import Navigation, follow
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.request_log import LoggedRequest, LoggingServer
from loopback_auth.http_messages import HttpRequest, HttpResponse

ISSUER = "http://127.0.0.1:9000"
PORT = 9001
NOW = 1_700_000_000.0
OUR_PATIENCE = 10.0
"""Seconds after which the sample program gives up the token endpoint."""


class NotReached(Exception):
    """The program ended before the point that a scenario waits for."""


class MemoryStage:
    """One sign-in of the sample program.

    Args:
        trial: whose scenario is played, and whose faults the server has.
        weak: the weaknesses of the program.
        signer: of ID tokens.
        seed: of all chance in the program.
        lingers: its port stays open until the browser has done all.
    """

    def __init__(
        self, trial: Trial, weak: frozenset[str], signer: Signer, *, seed: str, lingers: bool = False
    ) -> None:
        self._trial = trial
        self._weak = weak
        self._now = NOW
        faults = replace(trial.faults(ISSUER), lenient=True)
        self._server = LoggingServer(ISSUER, entropy=Entropy("server"), signer=signer, faults=faults)
        self._program = SampleProgram(ISSUER, PORT, self._send, Entropy(seed), weak, lingers)
        self._requests: list[LoggedRequest] = []
        self._tokens: dict[str, str] = {}
        self._visits: list[Visit] = []
        self._answered = 0.0
        self._blocked = self._hangs = False
        self._way: Generator[Navigation, HttpResponse, HttpResponse] | None = None
        self._step: Navigation | None = None

    def play(self) -> TrialResult:
        """Play the scenario to its end."""
        _, context = new_context("code", ISSUER)
        scenario, came, result = self._trial.scenario(context), None, None
        self._program.begin()
        if "`" in self._program.link:
            self._program.files["work/audit-of-a-shell"] = (0o600, "")
        if self._program.link.startswith("http"):
            self._way = follow(self._program.link)
            self._step = next(self._way)
        try:
            while True:
                action = scenario.send(came)
                came = self._performed(action)
                if isinstance(came, ProgramResult):
                    result = came
        except StopIteration as stop:
            return TrialResult(stop.value, result)
        except NotReached:
            return TrialResult({}, self._end(), finished=False)

    def _performed(self, action: ProgramAction) -> Any:
        match action:
            case Ask(request):
                return self._asked(request)
            case Until(point):
                return self._until(point)
            case SendBytes(_, pieces, wait, keep):
                self._now += wait
                return self._talked(b"".join(pieces), keep=keep)
            case Bind(authority):
                return self._bound(authority)
            case Pass(seconds):
                self._now += seconds if self._program.status is None else 0.0
                return None
            case Look():
                return self._seen()
            case End(within):
                return self._ended(within)
            case Abandon(interrupt_after, within):
                return self._abandoned(interrupt_after, within)
            case _:
                assert_never(action)

    # The program's requests.

    def _send(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if urlsplit(url).path in self._trial.hang:
            self._hangs = "patient" in self._weak
            self._now += OUR_PATIENCE
            raise TimeoutError
        # Another name of the same machine is the same server.
        url = url.replace("http://localhost:9000", ISSUER)
        lines = (("Host", ISSUER.removeprefix("http://")), *headers.items())
        request = HttpRequest(method, url.removeprefix(ISSUER), lines, body)
        answer = self._server.handle(request, self._now)
        self._requests.append(self._server.requests[-1])
        if request.url == "/token" and answer.status == 200 and b"access_token" in answer.body:
            members = json.loads(answer.body)
            self._tokens = {name: value for name, value in members.items() if isinstance(value, str)}
        return answer.status, {name.lower(): value for name, value in answer.headers}, answer.body

    # The browser's, and the attacker's.

    def _asked(self, request: HttpRequest) -> HttpResponse:
        if request.url.startswith(ISSUER):
            return self._server.handle(request, self._now)
        if self._program.status is not None or self._blocked:
            return HttpResponse(0)
        return self._read(self._program.received(_raw(request)))

    def _talked(self, data: bytes, *, keep: bool) -> bytes:
        if self._program.status is not None:
            return b""
        if keep:
            self._blocked = self._blocked or "one-at-a-time" in self._weak
            return b""
        return self._program.received(data)

    def _read(self, data: bytes) -> HttpResponse:
        if not data:
            return HttpResponse(0)
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = tuple((name, value) for name, _, value in (line.partition(": ") for line in lines))
        return HttpResponse(int(first.split(" ")[1]), headers, body, self._now)

    def _bound(self, authority: str) -> str:
        free = authority.startswith("[::1]") or "shared-port" in self._weak
        return "" if free else "EADDRINUSE"

    # The user's sign-in.

    def _until(self, point: Point) -> Exposed:
        while self._step is not None:
            step = self._step
            if (point == "link" and step.decides) or (point == "answer" and self._comes(step)):
                return self._exposed(step)
            self._go()
        raise NotReached

    def _comes(self, step: Navigation) -> bool:
        return step.url.startswith(self._program.redirect_uri)

    def _exposed(self, step: Navigation) -> Exposed:
        answer = step if self._comes(step) else None
        program = self._program
        state = dict(parse_qsl(urlsplit(program.link).query)).get("state", "")
        return Exposed("", program.link, program.redirect_uri, state, answer)

    def _go(self) -> None:
        """Let the browser make one step."""
        if self._way is None or self._step is None:
            return
        step = self._step
        answer = self._asked(step.request())
        if not step.url.startswith(ISSUER):
            self._visits.append(Visit(step.request(), answer, step.url))
            self._answered = self._now
        try:
            self._step = self._way.send(answer)
        except StopIteration:
            self._step = None

    def _ended(self, within: float) -> ProgramResult:
        while self._step is not None:
            self._go()
        return self._end(within)

    def _abandoned(self, interrupt_after: float, within: float) -> ProgramResult:
        if self._program.status is None:
            self._now += interrupt_after
            self._program.interrupted()
        return self._end(within)

    def _end(self, within: float = 20.0) -> ProgramResult:
        self._program.finish()
        if self._program.status is None or self._hangs:
            self._program.status = None
            self._now += within
        program = self._program
        succeeded = program.status == 0 and bool(self._tokens)
        left = "leaves-child" in self._weak
        return ProgramResult(
            status=program.status,
            succeeded=succeeded,
            account=self._account(),
            link=program.link,
            request=dict(parse_qsl(urlsplit(program.link).query)),
            requests=tuple(self._requests),
            tokens=self._tokens if succeeded else {},
            visits=tuple(self._visits),
            listened_first="late-port" not in self._weak,
            seconds=self._now - NOW,
            answered_after=self._now - self._answered if self._answered else None,
            port_open_after=30.0 if left else 0.1,
            left_behind=int(left),
            seen=replace(self._seen(), running=False, listeners=()),
        )

    def _account(self) -> str:
        if not self._tokens:
            return ""
        token = self._tokens["access_token"]
        headers = (("Host", ISSUER[7:]), ("Authorization", f"Bearer {token}"))
        answer = self._server.handle(HttpRequest("GET", "/userinfo", headers), self._now)
        second = b"Second" in answer.body
        return "second@example.com" if second else "demo@example.com" if answer.status == 200 else ""

    def _seen(self) -> Seen:
        program, waits = self._program, self._program.status is None
        address = "192.0.2.7" if "all-interfaces" in self._weak else "127.0.0.1"
        files = {path: (mode, text.encode()) for path, (mode, text) in program.files.items()}
        return Seen(
            listeners=(Listener(address, PORT),) if waits else (),
            running=waits,
            status=program.status,
            stdout="\n".join(program.out),
            stderr="\n".join(program.err),
            argv=(*program.argv, f"browser {program.link}"),
            files=tuple(WrittenFile(path, *kept) for path, kept in files.items()),
            links=(program.link,) if program.link else (),
        )


def _raw(request: HttpRequest) -> bytes:
    target = request.url.partition("://")[2]
    lines = [f"{request.method} /{target.partition('/')[2]} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body


SEEDS = count()


def play(trial: Trial, weak: frozenset[str], signer: Signer, *, lingers: bool = False) -> TrialResult:
    """Play one trial on a program with some weaknesses."""
    return MemoryStage(trial, weak, signer, seed=f"program {next(SEEDS)}", lingers=lingers).play()


def audit(weak: Iterable[str], signer: Signer, *, lingers: bool = False) -> list[tuple[Trial, TrialResult]]:
    """Play every trial that applies to a program, as an audit does."""
    weaknesses = frozenset(weak)
    plain = play(PLAIN, weaknesses, signer, lingers=lingers)
    played = [(PLAIN, plain)]
    if plain.result is None or not plain.result.succeeded:
        return played
    left = [trial for trial in TRIALS if trial is not PLAIN and not not_applicable(trial, plain.result)]
    while left:
        trial = left.pop()
        came = play(trial, weaknesses, signer, lingers=lingers)
        played.append((trial, came))
        left += again(trial, came)
    return played
