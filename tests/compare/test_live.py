"""Flows in a real browser: what is asked beforehand, what is kept, what is given up, what was not seen."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from stat import S_IMODE

import pytest
from client_key_samples import EC, EC_JWK, public_half
from demo_client import FOLLOW_LINK

from loopback_auth.compare.model import Run
from loopback_auth.compare.running.choices import choice, demo_client
from loopback_auth.compare.running.live import (
    DECIDED_BY,
    Conditions,
    announced,
    compare_live,
    why_not_possible,
)
from loopback_auth.compare.running.resumable import run_flows
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.compare.running.unfinished import Unfinished
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.doctor.probe_flow import GRANTS, OTHER_TYPES
from loopback_auth.doctor.redirect_probe import ProbeAnswer
from loopback_auth.errors import AttemptCancelled, StoreError
from loopback_auth.flow_table import COMPARED
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.plan.model import Plan
from loopback_auth.protocol.pkce import base64url
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.trace.records import Trace

CLIENT = demo_client("https://as.example")


WITH_KEY = DemoClient(
    "with-key",
    redirect_uris=("http://127.0.0.1/callback",),
    client_auth="private_key_jwt",
    jwks={"keys": [{**public_half(EC), "kid": "16"}]},
)


def with_key(client: ClientConfig) -> ClientConfig:
    """Return a client at the same server that proves itself with a key."""
    provider = replace(client.provider, client_auth="private_key_jwt")
    return replace(client, provider=provider, client_id=WITH_KEY.client_id, private_key=EC_JWK)


class Watched(DemoServer):
    """A demo server that remembers what it issued and what was given back."""

    def __init__(self, issuer: str, faults: Faults | None = None) -> None:
        self.drawn: list[str] = []
        super().__init__(issuer, entropy=self._draw, clients=(WITH_KEY,), faults=faults, device_interval=1)
        self.revoked: list[str] = []

    def _draw(self, size: int) -> bytes:
        octets = secrets.token_bytes(size)
        self.drawn.append(base64url(octets))
        return octets

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer, and note what is given back."""
        if "revoke" in request.url:
            self.revoked.append(request.method)
        return super().handle(request, now)


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser of this machine, in which somebody approves whatever is asked."""
    program = tmp_path / "browser"
    program.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{FOLLOW_LINK}' \"$1\"\n")
    program.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(program))


def plan_of(*, pastes: bool = False) -> Plan:
    """Return what is known of this machine, where a browser can be opened."""
    return planned(CLIENT, None, COMPARED, opener=True, pastes=pastes, confirms=True)


def run_live(
    names: tuple[str, ...], *, folder: Path, faults: Faults | None = None, key: bool = False
) -> tuple[list[Run], Watched, list[str]]:
    """Run flows at a demo server in this machine's browser, and return what was told as well."""
    told: list[str] = []

    async def compared() -> tuple[list[Run], Watched]:
        async with serve_demo(server_factory=lambda issuer: Watched(issuer, faults)) as demo:
            client = demo_client(demo.issuer)
            conditions = Conditions(with_key(client) if key else client, plan_of(), timeout=60.0)
            unfinished = Unfinished(str(folder), conditions.client)
            judged = await run_flows(names, conditions, unfinished, resume=False, tell=told.append)
            assert isinstance(demo.server, Watched)
            return [run for run, _ in judged], demo.server

    runs, server = asyncio.run(compared())
    return runs, server, told


@pytest.mark.slow
@pytest.mark.usefixtures("browser")
def test_flows_run_one_after_the_other_and_leave_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """One consent each; what browser and server said to each other was not seen; the tokens are given up."""
    runs, server, told = run_live(("code", "ticket"), folder=tmp_path / "kept")
    capfd.readouterr()
    code, ticket = runs
    kept = [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]

    assert [(run.flow, run.outcome, run.trace.ground) for run in runs] == [
        ("code", "signed in", "live"),
        ("ticket", "signed in", "live"),
    ]
    assert server.revoked == ["POST", "POST", "DELETE"]
    assert [line.partition(":")[0] for line in told if "Flow " in line] == [
        "\nFlow 1 of 2, code",
        "\nFlow 2 of 2, ticket",
    ]
    assert "demo@example.com" in told[-1]
    assert {one.observed for run in runs for one in run.trace.exchanges("browser", "server")} == {False}
    assert {one.status for run in runs for one in run.trace.exchanges("browser", "server")} == {0}
    assert [one.step for one in code.trace.exchanges("browser", "client")] == [
        "start page",
        "authorization response",
    ]
    assert not list(ticket.trace.steps("approve"))
    assert [path.parent.name for path in kept] == ["comparisons"]
    assert "access_token#" in kept[0].read_text()
    assert [one for one in server.drawn if one in kept[0].read_text() + "".join(told)] == []


@pytest.mark.usefixtures("browser")
def test_tokens_of_a_client_with_a_key_are_given_up(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A server takes a revocation only from the client that proves itself (RFC 7009 §2.1)."""
    (run,), _, told = run_live(("code",), folder=tmp_path / "kept", key=True)
    capfd.readouterr()

    assert run.outcome == "signed in"
    assert "The tokens are revoked." in told[-1]


@pytest.mark.usefixtures("browser")
def test_answer_is_told_before_what_followed_from_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its page is held until all is over, but the code was here before the token request."""
    (run,), _, _ = run_live(("code",), folder=tmp_path / "kept")
    capfd.readouterr()
    steps = [one.step for one in run.trace.exchanges()]

    assert steps.index("authorization response") < steps.index("token request")


@pytest.mark.slow
@pytest.mark.usefixtures("browser")
def test_refusal_of_one_flow_ends_no_other(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It is a result, too."""
    runs, server, told = run_live(("code", "token"), folder=tmp_path / "kept", faults=Faults(deny_all=True))
    capfd.readouterr()

    assert [run.outcome for run in runs] == ["refused", "refused"]
    assert server.revoked == []
    assert "access_denied" in told[-1]


def answered(what: str, verdict: str = "no") -> ProbeAnswer:
    """Make one answer of a server."""
    assert verdict in ("no", "yes", "likely", "unknown")
    return ProbeAnswer(what, verdict, "The server refuses it.", "RFC 6749 §4.1.2.1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "refused"),
    [
        ("redirect_uri", {"code", "code form_post", "code + par", "code + dpop", "token", "paste"}),
        ("response_type=code", {"code", "code form_post", "code + par", "code + dpop", "paste"}),
        ("response_mode=form_post", {"code form_post"}),
        ("response_type=token", {"token"}),
        ("device_authorization", {"device"}),
        ("ticket", {"ticket"}),
        ("metadata", set()),
    ],
)
def test_flow_that_the_server_refuses_is_not_begun(what: str, refused: set[str]) -> None:
    """Nobody is sent to a provider for nothing."""
    plan = plan_of(pastes=True)
    chosen = [choice(name, CLIENT) for name in COMPARED]

    assert {one.name for one in chosen if why_not_possible(one, plan, [answered(what)])} == refused
    assert not any(why_not_possible(one, plan, [answered(what, "unknown")]) for one in chosen)


def test_what_the_server_said_is_the_reason() -> None:
    """With the clause that gives it its meaning."""
    said = why_not_possible(choice("token", CLIENT), plan_of(), [answered("response_type=token")])

    assert said.startswith("response_type=token: ")
    assert said.endswith("[RFC 6749 §4.1.2.1]")


def test_what_speaks_against_a_flow_here_comes_first() -> None:
    """The server need not even be asked about it."""
    plan = plan_of()

    assert why_not_possible(choice("paste", CLIENT), plan, []) == plan.refused["paste"]


def test_questions_are_those_that_are_asked() -> None:
    """A name that the questions do not have would never decide anything."""
    asked = {
        "redirect_uri",
        "response_type=code",
        "response_mode=form_post",
        "device_authorization",
        "ticket",
    }
    asked |= {f"response_type={one}" for one in OTHER_TYPES}
    asked |= {f"grant_type={one}" for one in (*GRANTS, "urn:ietf:params:oauth:grant-type:device_code")}

    assert {what for names in DECIDED_BY.values() for what in names} <= asked


def test_what_comes_is_announced() -> None:
    """Six consents want to be planned."""
    assert announced("code", 1, ["token", "device"], count=3).endswith(": token, device.")
    assert "token" not in announced("device", 3, [], count=3)


def finished() -> list[Run]:
    """Return runs as they are on live ground."""
    runs = compare_simulated(("code", "ticket")).runs
    return [replace(run, trace=replace(run.trace, ground="live")) for run in runs]


def test_kept_runs_are_read_back_as_they_were(tmp_path: Path) -> None:
    """Also with what the checks make of them now."""
    unfinished = Unfinished(str(tmp_path / "kept"), CLIENT)
    unfinished.save(finished())
    (before, _), (after, ticket) = finished(), unfinished.load()

    assert after.trace == before.trace
    assert (after.outcome, after.tokens, ticket.flow) == (before.outcome, before.tokens, "ticket")
    assert [one.id for one in after.findings] == [one.id for one in before.findings]


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_kept_runs_are_for_their_owner_alone(tmp_path: Path) -> None:
    """There are no secrets in them, but it is nobody else's business."""
    unfinished = Unfinished(str(tmp_path / "kept"), CLIENT)
    unfinished.save(finished())
    path = Path(unfinished.path)

    assert S_IMODE(path.stat().st_mode) == 0o600
    assert S_IMODE(path.parent.stat().st_mode) == 0o700


def test_another_client_has_a_comparison_of_its_own(tmp_path: Path) -> None:
    """Half of one and half of another would compare nothing."""
    theirs = replace(CLIENT, provider=replace(CLIENT.provider, temporary=False))
    unfinished = Unfinished(str(tmp_path / "kept"), theirs)
    unfinished.save(finished())

    assert len(unfinished.load()) == 2
    assert Unfinished(str(tmp_path / "kept"), replace(theirs, client_id="another")).load() == ()
    assert Unfinished(str(tmp_path / "kept"), replace(theirs, client_secret="x" * 20)).path == unfinished.path


def test_nothing_kept_is_nothing_finished(tmp_path: Path) -> None:
    """And forgetting it twice is no error."""
    unfinished = Unfinished(str(tmp_path / "kept"), CLIENT)
    assert unfinished.load() == ()
    unfinished.save(finished())
    unfinished.forget()
    unfinished.forget()

    assert unfinished.load() == ()


DAMAGED = [
    ("{", "is damaged"),
    ("[]", "not a JSON object"),
    ('{"format": "else", "runs": []}', "the file has an unknown member"),
    ('{"runs": 7}', "runs must be a list"),
]


@pytest.mark.parametrize(("content", "why"), DAMAGED)
def test_damaged_file_is_refused_and_says_how_to_go_on(tmp_path: Path, content: str, why: str) -> None:
    """Rather than to compare with what nobody has run."""
    unfinished = Unfinished(str(tmp_path / "kept"), CLIENT)
    unfinished.save(finished())
    Path(unfinished.path).write_text(content)

    with pytest.raises(StoreError, match=why) as caught:
        unfinished.load()
    assert "--resume" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outcome", "won"),
        ("steps", [{"number": 1}]),
        ("steps", []),
        ("exchanges", [{"kind": "exchange"}]),
        ("exchanges", None),
        ("secrets", [{"label": "<code#1>"}]),
        ("tokens", {"token_type": "Bearer"}),
        ("flow", 7),
    ],
)
def test_run_of_another_form_is_refused(tmp_path: Path, name: str, value: object) -> None:
    """Every member is checked."""
    unfinished = Unfinished(str(tmp_path / "kept"), CLIENT)
    unfinished.save(finished())
    whole = json.loads(Path(unfinished.path).read_text())
    whole["runs"][0][name] = value
    Path(unfinished.path).write_text(json.dumps(whole))

    with pytest.raises(StoreError, match="is damaged"):
        unfinished.load()


async def test_finished_flows_are_not_run_again() -> None:
    """Not even the server is asked."""
    told: list[str] = []
    done = {run.flow: run for run in finished()}
    chosen = [choice(name, CLIENT) for name in done]
    judged = await compare_live(
        chosen,
        Conditions(CLIENT, plan_of()),
        finished=done,
        tell=told.append,
        keep=lambda runs: pytest.fail(f"kept {len(runs)} runs"),
    )

    assert [run for run, _ in judged] == list(done.values())
    assert [recorder for _, recorder in judged] == [None, None]
    assert told == []


async def test_giving_up_says_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody has to approve again what was approved."""
    unfinished = Unfinished(str(tmp_path / "kept"), CLIENT)
    names = ("code", "ticket", "device")

    async def interrupted(*_arguments: object, **others: object) -> None:
        keep = others["keep"]
        assert callable(keep)
        keep([*finished(), Run("device", "failed", Trace("device", "live", "demo", ()))])
        raise asyncio.CancelledError

    monkeypatch.setattr("loopback_auth.compare.running.resumable.compare_live", interrupted)
    with pytest.raises(AttemptCancelled, match="2 of 3 flows have ended, and are kept") as caught:
        await run_flows(names, Conditions(CLIENT, plan_of()), unfinished, resume=False, tell=lambda _: None)

    assert "--resume" in caught.value.hint
    assert [run.flow for run in unfinished.load()] == ["code", "ticket"]


def test_runs_are_those_of_one_client_with_all_that_it_sends(tmp_path: Path) -> None:
    """Another audience is another comparison, also where a `repr` does not show it; another secret is not."""
    client = replace(CLIENT, provider=replace(CLIENT.provider, temporary=False))
    clients = (
        client,
        replace(client, token_parameters={"audience": "a"}),
        replace(client, token_parameters={"audience": "b"}),
        replace(client, scope="other"),
        replace(client, client_secret="secret-1"),
    )
    paths = [Unfinished(str(tmp_path), one).path for one in clients]

    assert paths[0] == paths[-1]
    assert len(set(paths)) == 4
