"""The flows on real sockets, side by side: what driver, receiver and simulated browser make of it."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from patience import SOON

from loopback_auth import words
from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.compare.model import DPOP, FORM_POST, PAR, Comparison, Run
from loopback_auth.compare.running.demo import ObservedUser, run_on_demo
from loopback_auth.compare.running.run import assembled, compare_demo, compare_simulated
from loopback_auth.demo import user
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import AttemptCancelled, ConfigError
from loopback_auth.events import PasteReady
from loopback_auth.flow_table import COMPARED
from loopback_auth.model import ServerMetadata
from loopback_auth.trace.recorder import Recorder
from loopback_auth.trace.records import Exchange, Step

TOLD: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def compared() -> Comparison:
    """Run all flows once."""
    TOLD.clear()

    async def main() -> Comparison:
        async with asyncio.timeout(SOON):
            return await compare_demo(
                tell=lambda name, stage: TOLD.append((name, stage)), thinking=0.0, device_interval=1
            )

    return asyncio.run(main())


def runs_of(compared: Comparison) -> dict[str, Run]:
    """Find runs by name."""
    return {run.flow: run for run in compared.runs}


async def spoilt(faults: Faults, *flows: str, flow_seconds: float = 1.0) -> dict[str, Run]:
    """Run flows against a server that breaks rules."""

    def server(issuer: str) -> DemoServer:
        return DemoServer(issuer, entropy=secrets.token_bytes, faults=faults, device_interval=1)

    async with asyncio.timeout(SOON):
        ended = await run_on_demo(flows, server, openid=False, thinking=0.0, flow_seconds=flow_seconds)
    return {name: assembled(name, recorder, end) for name, recorder, end in ended}


def browser_story(run: Run) -> list[tuple[str, str, str]]:
    """Tell what the browser did."""
    return [(one.receiver, one.step, one.method) for one in run.trace.exchanges("browser")]


def own_story(run: Run) -> list[str]:
    """Tell what the program did, without what a plain OAuth server has no use for."""
    openid = ("key set request", "UserInfo request", "metadata request")
    told = [
        entry.step if isinstance(entry, Exchange) else entry.name
        for entry in run.trace.entries
        if isinstance(entry, Step) or entry.sender == "client"
    ]
    return [name for name in told if name not in (*openid, "wait", "ticket status request")]


def test_every_flow_signs_in_on_real_sockets(compared: Comparison) -> None:
    """With ID tokens where the flow has them, and their signatures checked."""
    runs = runs_of(compared)

    assert tuple(runs) == COMPARED
    assert {run.outcome for run in runs.values()} == {"signed in"}
    assert {name for name, run in runs.items() if run.tokens and run.tokens.id_token == "verified"} == {
        "code",
        FORM_POST,
        PAR,
        DPOP,
        "device",
        "paste",
    }
    assert all(run.findings for run in compared.runs)
    assert compared.ground == "demo"


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPARED)
def test_simulation_tells_the_same_story(compared: Comparison, name: str) -> None:
    """Else it would be a claim about the real thing and no simulation of it."""
    [simulated] = compare_simulated((name,)).runs
    real = runs_of(compared)[name]

    assert browser_story(real) == browser_story(simulated)
    assert sorted(own_story(real)) == sorted(own_story(simulated))


@pytest.mark.parametrize("name", COMPARED)
def test_real_times_are_in_order(compared: Comparison, name: str) -> None:
    """Of one clock, from the beginning of each run."""
    trace = runs_of(compared)[name].trace
    moments = [entry.at for entry in trace.entries]

    assert moments == sorted(moments)
    assert 0 <= moments[0] < SOON
    assert moments[-1] < SOON
    assert isinstance(trace.entries[-1], Step)
    assert trace.entries[-1].name == "done"


@pytest.mark.slow
def test_real_headers_are_there(compared: Comparison) -> None:
    """The browser's fetch metadata, the server's caching rules."""
    exchanges = list(runs_of(compared)["code"].trace.exchanges())
    callback = next(one for one in exchanges if one.step == "authorization response")
    token = next(one for one in exchanges if one.step == "token request")

    assert ("Sec-Fetch-Mode", "navigate") in callback.request_headers
    assert ("Cache-Control", "no-store") in token.response_headers
    assert callback.observed


def test_pasted_address_has_not_reached_us(compared: Comparison) -> None:
    """The browser is on another machine; our port is there, but not for it."""
    trace = runs_of(compared)["paste"].trace
    [callback] = [one for one in trace.exchanges() if one.receiver == "client"]

    assert (callback.status, "code=<code#1>" in callback.address) == (0, True)
    assert len(list(trace.steps("paste"))) == 1


def test_progress_is_told_for_every_flow(compared: Comparison) -> None:
    """Some of it takes seconds, and people like to see that it does."""
    assert runs_of(compared)
    assert {name for name, _ in TOLD} == set(COMPARED)
    for name in COMPARED:
        stages = [stage for told, stage in TOLD if told == name]
        assert (stages[0], stages[-1]) == (words.RUN_BEGUN, words.RUN_SIGNED_IN)
    assert ("code", words.RUN_OPENED) in TOLD
    assert ("code", words.RUN_ANSWERED) in TOLD
    assert ("ticket", words.RUN_PROMPTED) in TOLD


@pytest.mark.slow
async def test_flow_that_fails_ends_no_other() -> None:
    """Each has its own outcome, and says what said so."""
    runs = await spoilt(
        Faults(exchange_refused=True, token_status=500), "code", "ticket", "token", flow_seconds=10.0
    )

    assert {name: run.outcome for name, run in runs.items()} == {
        "code": "failed",
        "ticket": "refused",
        "token": "signed in",
    }
    assert "HTTP status 500" in runs["code"].reason
    assert runs["ticket"].reason == next(runs["ticket"].trace.steps("failed")).words


async def test_browser_that_does_not_come_back_is_not_waited_for_long() -> None:
    """A wrong state is turned away, and waiting goes on: here until the flow_seconds is over."""
    [run] = (await spoilt(Faults(wrong_state=True), "code", flow_seconds=0.3)).values()

    assert run.outcome == "failed"
    assert [one.status for one in run.trace.exchanges() if one.step == "authorization response"] == [400]


async def test_answer_of_another_sign_in_is_not_pasted() -> None:
    """There it is the person who is told."""
    [run] = (await spoilt(Faults(wrong_state=True), "paste", flow_seconds=5.0)).values()

    assert run.outcome == "failed"
    assert not list(run.trace.steps("done"))


async def test_unknown_flow_is_refused_before_anything_runs() -> None:
    """And nothing is left behind."""
    with pytest.raises(ConfigError, match="no flow called"):
        await compare_demo(("magic",))


async def test_comparison_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C closes the browsers at once, however long the person would have taken."""
    thinking = asyncio.Event()

    async def think(_url: str, **_named: object) -> None:
        thinking.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(user, "run_agent", think)
    running = asyncio.create_task(compare_demo(("code",)))
    async with asyncio.timeout(SOON):
        await thinking.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        others = asyncio.all_tasks() - {asyncio.current_task()}
        count = sum(not task.cancelling() for task in others)

    assert count == 0


async def test_defect_of_the_browser_is_not_hidden() -> None:
    """An error that is none of ours is a bug, and no outcome."""

    class Broken(Recorder):
        def browsed(self, *_args: object, **_named: object) -> None:
            raise ZeroDivisionError

    recorder = Broken("code", ground="demo", provider="demo", clock=float)
    person = ObservedUser(recorder, "http://127.0.0.1:9", thinking=0.0, tell=lambda _stage: None)
    await person.open("http://127.0.0.1:9/")
    with pytest.raises(ZeroDivisionError):
        await person.leave()


async def test_nobody_at_the_browser_leaves_nothing() -> None:
    """A flow may fail before any page was opened."""
    recorder = Recorder("code", ground="demo", provider="demo", clock=float)
    person = ObservedUser(recorder, "", thinking=0.0, tell=lambda _stage: None)
    await person.leave()


async def test_unusable_address_is_not_pasted() -> None:
    """The reason is that of the reader of pasted addresses."""
    request = AuthorizationRequest(
        "", (), "http://127.0.0.1:1/callback", "code", "query", "state", None, None, ServerMetadata()
    )

    async def main() -> None:
        recorder = Recorder("paste", ground="demo", provider="demo", clock=float)
        person = ObservedUser(recorder, "http://127.0.0.1:9", thinking=0.0, tell=lambda _stage: None)
        person.notice(PasteReady("http://127.0.0.1:1/elsewhere?code=x", ""))
        try:
            await person.paste(request)
        finally:
            await person.leave()

    with pytest.raises(AttemptCancelled, match="not the address of this sign-in"):
        await main()
