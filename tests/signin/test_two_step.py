"""Split sign-ins: nothing is lost between processes, nothing that works once is asked twice, nobody waits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from client_key_samples import EC, EC_JWK, verified
from two_step_world import (
    CLIENT,
    ISSUER,
    KEY_CLIENT,
    PORT,
    PROVIDER,
    SECRET_CLIENT,
    PretendWorld,
    Process,
    begun,
    read,
    world,
)

from loopback_auth.authorization_messages import Callback
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.run_agent import run_agent
from loopback_auth.demo.serve import demo_thread
from loopback_auth.errors import (
    AttemptExpired,
    AuthorizationError,
    ConfigError,
    DeviceError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    OAuthError,
    StillPending,
    StoreError,
    TicketError,
    TokenError,
    TransportError,
)
from loopback_auth.events import Event, Warned
from loopback_auth.flow_table import POLLED, TWO_STEP, TwoStepFlow
from loopback_auth.flows.catalog import FlowOptions
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Network, Provider, Redirect, ServerMetadata
from loopback_auth.signin.two_step import FINAL, begin, pasted_address, resume
from loopback_auth.signin.world import RealWorld
from loopback_auth.store.pending_sign_in import JournalEntry, PendingSignIn, to_json
from loopback_auth.tokens import SignIn

POLL = {"ticket": "ticket status request", "device": "device token request"}
LAST = {"ticket": "ticket exchange", "device": "device token request", "paste": "token request"}
"""The step whose answer holds the tokens, and comes once."""
NO_ANSWER = TransportError("No answer.", hint="Check the network.")
UNAVAILABLE = HttpResponse(503, (("Content-Type", "text/html"),), b"<title>Bad gateway</title>")


def finished(world: PretendWorld, process: Process, handed: PendingSignIn) -> SignIn:
    """Be the person, let the time pass, and finish."""
    address = world.visit(handed)
    world.time += 10
    return process.resume(handed, pasted=address or None)


@pytest.mark.parametrize(
    ("flow", "steps"),
    [
        ("ticket", ["ticket request"]),
        ("device", ["metadata request", "metadata request", "device authorization request"]),
        ("paste", ["metadata request", "metadata request"]),
    ],
)
def test_begins_up_to_where_it_would_have_to_wait(flow: TwoStepFlow, steps: list[str]) -> None:
    """Whoever cannot wait gets a link and is free again."""
    here = world()
    handed = begun(here, flow)

    assert (here.steps, here.slept) == (steps, [])
    assert handed.url.startswith(f"{ISSUER}/")
    assert handed.handle.startswith("example-")
    assert (handed.created_at, handed.expires_at > here.time) == (here.time, True)
    assert (handed.interval > 0) is (flow != "paste")


def test_what_the_person_needs_is_handed_over() -> None:
    """The code to compare, the link to type, the address to look for."""
    here = world()
    device, paste = begun(here, "device"), begun(here, "paste")

    assert device.user_code in device.url
    assert device.verification_uri == f"{ISSUER}/device"
    assert device.expires_at == here.time + 600
    assert paste.redirect_uri == f"http://127.0.0.1:{PORT}/callback"
    assert (paste.user_code, paste.verification_uri) == ("", "")


@pytest.mark.parametrize("flow", TWO_STEP)
def test_another_process_finishes_it(flow: TwoStepFlow) -> None:
    """It knows what was kept, and nothing else."""
    here = world()
    sign_in = finished(here, Process(here), begun(here, flow))

    assert here.server.active(sign_in.tokens.access_token, here.time)
    assert sign_in.tokens.account
    assert (sign_in.flow, sign_in.name) == (flow, "example")


@pytest.mark.parametrize("flow", TWO_STEP)
def test_killed_after_any_answer_it_goes_on_behind_it(flow: TwoStepFlow) -> None:
    """An answer that was kept is not asked for again: codes, tickets and tokens come once."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    begun_with = len(here.steps)
    sign_in = finished(here, process, handed)
    steps = here.steps[begun_with:]
    answers = [sum(each.effect == "Send" for each in read(kept).journal) for kept in process.kept]
    late = {
        count - begun_with: kept
        for kept, count in zip(process.kept, answers, strict=True)
        if LAST[flow] in steps[: count - begun_with]
    }

    assert late
    for count, kept in late.items():
        here.steps.clear()

        assert process.resume(kept, pasted="http://elsewhere").tokens == sign_in.tokens
        assert here.steps == steps[count:]


@pytest.mark.parametrize("flow", TWO_STEP)
def test_an_answer_that_was_lost_is_asked_for_again_and_refused(flow: TwoStepFlow) -> None:
    """Killed between the server's deed and our note of it, the person is told to begin anew."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    address = here.visit(handed)
    here.time += 10
    here.lost[LAST[flow]] = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        process.resume(handed, pasted=address)
    with pytest.raises(OAuthError) as refused:
        process.resume(process.kept[-1])

    assert refused.value.hint
    assert isinstance(refused.value, FINAL)


@pytest.mark.parametrize("flow", POLLED)
def test_it_is_asked_at_once(flow: TwoStepFlow) -> None:
    """Who has approved at once and says so need not wait: the interval is one between questions."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    here.visit(handed)
    sign_in = process.resume(handed)

    assert sign_in.tokens.access_token
    assert here.slept == []


@pytest.mark.parametrize("flow", POLLED)
def test_it_is_not_asked_before_it_is_due(flow: TwoStepFlow) -> None:
    """A server's interval holds across processes (RFC 8628 §3.5)."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    with pytest.raises(StillPending):
        process.resume(handed)
    here.steps.clear()
    here.time += 0.5
    with pytest.raises(StillPending) as pending:
        process.resume(process.last)

    assert here.steps == []
    assert pending.value.retry_after == handed.interval
    assert (pending.value.handle, pending.value.expires_at) == (handed.handle, handed.expires_at)


@pytest.mark.slow
def test_asking_again_and_again_becomes_no_quicker() -> None:
    """It may be a script that asks without a pause, and a server that names no interval is spared as well."""
    here = world()
    process, handed = Process(here), begun(here, "ticket")
    here.steps.clear()
    with pytest.raises(StillPending):
        process.resume(handed)
    for _ in range(300):
        here.time += 0.5
        with pytest.raises(StillPending):
            process.resume(process.last)

    assert 10 < here.steps.count(POLL["ticket"]) < 40


@pytest.mark.parametrize("flow", POLLED)
def test_it_is_asked_once_when_it_is_due(flow: TwoStepFlow) -> None:
    """Without leave to wait there is one poll."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    here.steps.clear()
    here.time += handed.interval
    with pytest.raises(StillPending):
        process.resume(handed)
    with pytest.raises(StillPending):
        process.resume(process.last)

    assert (here.steps, here.slept) == ([POLL[flow]], [])


def test_waiting_ends_with_the_approval() -> None:
    """With leave to wait it is like any other sign-in."""
    here = world()
    process, handed = Process(here), begun(here, "device")
    here.sleeping = lambda: here.visit(handed) if len(here.slept) == 2 else None
    sign_in = process.resume(handed, wait=60)

    assert sign_in.tokens.access_token
    assert here.steps.count(POLL["device"]) == 3
    assert sum(here.slept) <= 60


def test_waiting_is_bounded() -> None:
    """What lies behind the bound is not slept for, not even in part."""
    here = world()
    handed = begun(here, "device")
    with pytest.raises(StillPending):
        Process(here).resume(handed, wait=12)

    assert len(here.slept) == 2
    assert 10 <= sum(here.slept) <= 12


def test_slowing_down_is_remembered() -> None:
    """RFC 8628 §3.5: for this and all later gaps, in whatever process they are."""
    here = world(Faults(slow_down_storm=1))
    process, handed = Process(here), begun(here, "device")
    here.time += 5
    with pytest.raises(StillPending) as pending:
        process.resume(handed)

    assert pending.value.retry_after == 10
    here.time += 9
    with pytest.raises(StillPending) as pending:
        process.resume(process.last)
    assert pending.value.retry_after == 1


@pytest.mark.parametrize(
    ("flow", "error"), [("ticket", TicketError), ("device", DeviceError), ("paste", AuthorizationError)]
)
def test_a_denial_is_final(flow: TwoStepFlow, error: type[LoopbackAuthError]) -> None:
    """The person said no."""
    here = world()
    handed = begun(here, flow)
    address = here.visit(handed, "deny")
    here.time += 10
    with pytest.raises(error) as denied:
        Process(here).resume(handed, pasted=address or None)

    assert isinstance(denied.value, FINAL)


@pytest.mark.parametrize("flow", TWO_STEP)
def test_it_ends_with_its_time(flow: TwoStepFlow) -> None:
    """Nobody is asked any more."""
    here = world()
    handed = begun(here, flow)
    here.steps.clear()
    here.time = handed.expires_at
    with pytest.raises(AttemptExpired):
        Process(here).resume(handed)

    assert here.steps == []


@pytest.mark.parametrize("flow", TWO_STEP)
def test_what_has_arrived_does_not_lapse(flow: TwoStepFlow) -> None:
    """A process died with the tokens in its journal; the next one comes an hour later."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    sign_in = finished(here, process, handed)
    arrived = next(kept for kept in process.kept if read(kept).journal[-1].step == LAST[flow])
    here.time = handed.expires_at + 3600

    assert process.resume(arrived).tokens.access_token == sign_in.tokens.access_token


@pytest.mark.slow
def test_time_runs_out_while_it_is_waited_for() -> None:
    """By the flow's own count, which is in the journal too."""
    here = world()
    process, handed = Process(here), begun(here, "device")
    with pytest.raises((AttemptExpired, DeviceError)) as over:
        process.resume(handed, wait=3600)

    assert isinstance(over.value, FINAL)
    assert sum(here.slept) == pytest.approx(600, abs=20)


def test_a_clock_that_was_set_back_costs_no_more_than_the_interval() -> None:
    """By a day, as when a machine comes to know the time after it has started."""
    here = world()
    process, handed = Process(here), begun(here, "device")
    here.visit(handed)
    here.time -= 86400
    sign_in = process.resume(handed, wait=6)
    moments = [each.moment.wall for each in process.last.journal if each.moment]

    assert sign_in.tokens.access_token
    assert moments == sorted(moments)


@pytest.mark.parametrize("flow", TWO_STEP)
def test_without_an_answer_it_goes_on_next_time(flow: TwoStepFlow) -> None:
    """A sandbox without a network, a train in a tunnel."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    address = here.visit(handed)
    step = "ticket exchange" if flow == "ticket" else LAST[flow]
    here.troubles[step] = [NO_ANSWER]
    here.time += 10
    with pytest.raises((TransportError, StillPending)) as trouble:
        process.resume(handed, pasted=address or None)
    here.time += 20

    assert not isinstance(trouble.value, FINAL)
    assert process.resume(process.last).tokens.access_token


def test_a_poll_without_an_answer_counts_as_one() -> None:
    """The gaps grow as they do within one process (RFC 8628 §3.5)."""
    here = world()
    here.troubles[POLL["device"]] = [NO_ANSWER]
    process, handed = Process(here), begun(here, "device")
    here.time += 5
    with pytest.raises(StillPending) as pending:
        process.resume(handed)

    assert pending.value.retry_after == 10
    assert process.last.journal[-2].failure is not None


def test_a_code_that_got_any_answer_is_not_sent_again() -> None:
    """A code works once, and a second try looks like an attack (D9)."""
    here = world()
    here.troubles[LAST["paste"]] = [UNAVAILABLE]
    process, handed = Process(here), begun(here, "paste")
    with pytest.raises(TransportError):
        process.resume(handed, pasted=here.visit(handed))
    here.steps.clear()
    with pytest.raises(TransportError, match="503") as again:
        process.resume(process.last)

    assert here.steps == []
    assert "Sign in again" in again.value.hint


def test_a_ticket_that_a_failing_server_did_not_exchange_is_exchanged_next_time() -> None:
    """Nothing was given out, as a refusal would say next time."""
    here = world()
    here.troubles[LAST["ticket"]] = [UNAVAILABLE]
    process, handed = Process(here), begun(here, "ticket")
    here.visit(handed)
    here.time += 5
    with pytest.raises(TransportError):
        process.resume(handed)

    assert process.resume(process.last).tokens.access_token


def jwts(here: PretendWorld) -> list[dict[str, object]]:
    """Return what each assertion said that has reached the server."""
    forms = [dict(parse_qsl(body.decode("ascii"))) for body in here.bodies]
    return [verified(form["client_assertion"], EC)[1] for form in forms if "client_assertion" in form]


def test_what_is_signed_is_new_in_each_process() -> None:
    """A server takes an assertion once, for a minute; between two processes may be an hour."""
    here = world()
    here.troubles[LAST["device"]] = [NO_ANSWER]
    process, handed = Process(here), begun(here, "device", KEY_CLIENT)
    here.visit(handed)
    here.time += 5
    with suppress(StillPending):
        process.resume(handed, key=EC_JWK)
    here.time += 300

    assert process.resume(process.last, key=EC_JWK).tokens.access_token
    kept = jwts(here)
    assert len({claims["jti"] for claims in kept}) == len(kept) == 3
    assert kept[-1]["iat"] == int(here.time)


def test_what_was_signed_before_a_crash_is_not_sent_an_hour_later() -> None:
    """The stamp was kept, and nothing came of it."""
    here = world()
    process, handed = Process(here), begun(here, "paste", replace(KEY_CLIENT, push=True))
    address = here.visit(handed)
    process.resume(handed, pasted=address, key=EC_JWK)
    crashed = next(each for each in reversed(process.kept) if read(each).journal[-1].effect == "Now")
    here.time += 3600
    count = len(jwts(here))
    with pytest.raises(TokenError) as caught:
        process.resume(crashed, key=EC_JWK)

    assert caught.value.error == "invalid_grant"  # The code was used; the assertion was accepted.
    assert jwts(here)[count]["iat"] == int(here.time)


def test_private_key_has_to_be_given_again_and_is_not_kept() -> None:
    """What is kept is of no use without it."""
    process, handed = Process(world()), begun(world(), "device", KEY_CLIENT)
    with pytest.raises(ConfigError) as caught:
        process.resume(handed)

    assert caught.value.parameter == "private_key"
    assert EC["d"] not in to_json(handed).decode()


def test_a_failure_of_a_process_that_was_killed_is_not_told_but_mended() -> None:
    """It was kept before the flow could fail of it; who asks now wants to know how it is now."""
    here = world()
    here.troubles[LAST["ticket"]] = [NO_ANSWER]
    process, handed = Process(here), begun(here, "ticket")
    here.visit(handed)
    here.time += 5
    with pytest.raises(TransportError):
        process.resume(handed)
    killed = process.kept[-2]

    assert read(killed).journal[-1].failure is not None
    assert process.resume(killed).tokens.access_token


def test_an_answer_that_is_too_large_is_remembered_as_that() -> None:
    """A flow that lives on without it must be told the same again."""
    here = world()
    here.troubles["UserInfo request"] = [MalformedResponse("Too large", source="RFC 6749 §5.1", hint="No.")]
    process, handed = Process(here), begun(here, "paste")
    sign_in = process.resume(handed, pasted=here.visit(handed))
    here.steps.clear()

    assert process.resume(process.last) == sign_in
    assert here.steps == []


def test_too_large_an_answer_that_the_flow_cannot_do_without_is_final() -> None:
    """The same error in the same words, from whatever process."""
    here = world()
    trouble = MalformedResponse("Too large", source="RFC 6749 §5.1", hint="No.")
    here.troubles["ticket exchange"] = [trouble]
    process, handed = Process(here), begun(here, "ticket")
    here.visit(handed)
    here.time += 5
    told = []
    for kept in (to_json(handed), None):
        with pytest.raises(MalformedResponse) as error:
            process.resume(kept or process.kept[-1])
        told.append((error.value.message, error.value.source, error.value.hint))

    assert told == [("Too large [RFC 6749 §5.1]", "RFC 6749 §5.1", "No.")] * 2


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "hello",
        "https://elsewhere.example/callback?code=abcdefgh&state=x",
        f"http://127.0.0.1:{PORT}/callback",
        f"http://127.0.0.1:{PORT}/callback?code=abcdefgh&state=another",
        "abcdefgh-bare-code",
    ],
)
def test_a_wrong_address_is_refused_and_waiting_goes_on(pasted: str) -> None:
    """Another sign-in's answer must not end this one (RFC 6749 §10.12)."""
    here = world()
    process, handed = Process(here), begun(here, "paste")
    here.steps.clear()
    with pytest.raises(ConfigError) as refused:
        process.resume(handed, pasted=pasted)

    assert not isinstance(refused.value, FINAL)
    assert (process.kept, here.steps) == ([], [])
    assert process.resume(handed, pasted=here.visit(handed)).tokens.access_token


def test_a_bare_code_of_a_server_that_does_not_name_itself_is_taken_with_a_warning() -> None:
    """Some providers show a code instead of redirecting; PKCE still protects it."""
    here = world(Faults(omit_iss=True))
    metadata = replace(
        ServerMetadata(), authorization_endpoint=f"{ISSUER}/authorize", token_endpoint=f"{ISSUER}/token"
    )
    client = replace(CLIENT, provider=Provider("example", metadata))
    handed = begun(here, "paste", client)
    code = here.visit(handed).partition("code=")[2].partition("&")[0]
    told: list[Event] = []
    sign_in = asyncio.run(
        resume(handed, save=lambda _: None, paste=pasted_address(code, told.append), world=here)
    )

    assert sign_in.tokens.access_token
    assert [type(event) for event in told] == [Warned]


def test_nobody_has_brought_an_address() -> None:
    """There is no moment at which to ask again: the person has to come."""
    here = world()
    with pytest.raises(StillPending) as pending:
        Process(here).resume(begun(here, "paste"))

    assert pending.value.retry_after is None


def test_an_address_that_was_brought_need_not_be_brought_again() -> None:
    """It is kept before the code in it is used."""
    here = world()
    here.troubles[LAST["paste"]] = [NO_ANSWER]
    process, handed = Process(here), begun(here, "paste")
    with pytest.raises(TransportError):
        process.resume(handed, pasted=here.visit(handed))

    assert process.resume(process.last).tokens.access_token


def test_an_answer_from_elsewhere_is_final() -> None:
    """RFC 9207 §2.4: this is what a mix-up attack looks like."""
    here = world(Faults(wrong_iss=True))
    handed = begun(here, "paste")
    with pytest.raises(IssuerMismatch) as error:
        Process(here).resume(handed, pasted=here.visit(handed))

    assert isinstance(error.value, FINAL)


CONFIDENTIAL = replace(CLIENT, client_id=SECRET_CLIENT.client_id, client_secret=SECRET_CLIENT.client_secret)


def test_the_client_secret_is_not_kept_but_asked_for() -> None:
    """Where it is kept is the caller's own affair."""
    here = world()
    handed = begun(here, "paste", CONFIDENTIAL)
    address = here.visit(handed)
    here.steps.clear()
    with pytest.raises(ConfigError, match="client secret"):
        Process(here).resume(handed, pasted=address)

    assert here.steps == []
    assert b"client-secret-canary" not in to_json(handed)
    sign_in = Process(here).resume(handed, pasted=address, secret=SECRET_CLIENT.client_secret)
    assert sign_in.tokens.access_token


def test_warnings_are_told_once() -> None:
    """By the process that came upon them."""
    here = world(Faults(narrow_scope="profile"))
    told: list[Event] = []
    handed = begun(here, "paste")
    kept = [handed]
    for _ in range(2):
        paste = pasted_address(here.visit(handed) if len(kept) == 1 else "")
        asyncio.run(resume(kept[-1], save=kept.append, paste=paste, notify=told.append, world=here))

    assert [type(event) for event in told] == [Warned]


async def test_a_warning_at_the_beginning_is_told_there() -> None:
    """Before the person goes to the server."""
    here = world(Faults(pkce_unannounced=True))
    told: list[Event] = []
    await begin(CLIENT, "paste", notify=told.append, world=here)

    assert [type(event) for event in told] == [Warned]


def test_a_flow_that_needs_the_browser_back_cannot_be_split() -> None:
    """Nobody would listen."""
    with pytest.raises(ConfigError, match="token"):
        begun(world(), "token")  # type: ignore[arg-type]


def test_a_server_without_the_flow_says_so() -> None:
    """So that another one can be tried."""
    client = replace(CLIENT, provider=replace(PROVIDER, ticket=None))
    with pytest.raises(EndpointMissing):
        begun(world(), "ticket", client)


def test_a_beginning_that_fails_keeps_nothing() -> None:
    """What nobody was shown, nobody can approve."""
    here = world()
    here.troubles["ticket request"] = [NO_ANSWER]
    with pytest.raises(TransportError, match="No answer"):
        begun(here, "ticket")


def test_a_registered_port_is_named_though_nobody_listens() -> None:
    """Where the server compares redirect URIs byte for byte."""
    redirect = Redirect("localhost", (8400, 8401), "/back")
    client = replace(CLIENT, provider=replace(PROVIDER, redirect=redirect))
    endpoints = ServerMetadata(authorization_endpoint=f"{ISSUER}/a", token_endpoint=f"{ISSUER}/t")
    client = replace(client, provider=replace(client.provider, metadata=endpoints))

    assert begun(world(), "paste", client).redirect_uri == "http://localhost:8400/back"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_free_port_is_one_at_which_the_browser_fails(host: str) -> None:
    """Its address bar has to keep the answer."""
    try:
        port = RealWorld(Network()).free_port(host)
    except OSError:
        pytest.skip(f"this machine has no {host}")

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host.strip("[]"), port))


Journal = tuple[JournalEntry, ...]
JOURNALS = [
    pytest.param(lambda journal: journal[1:], id="the first answer is missing"),
    pytest.param(lambda journal: (*journal, journal[0]), id="an answer too many"),
    pytest.param(lambda journal: (JournalEntry("Warn"), *journal), id="another effect"),
    pytest.param(lambda journal: (replace(journal[0], step="token request"), *journal[1:]), id="step"),
    pytest.param(lambda journal: (replace(journal[0], response=None), *journal[1:]), id="no answer"),
    pytest.param(
        lambda journal: (replace(journal[0], response=HttpResponse(200)), *journal[1:]), id="it ends early"
    ),
]


@pytest.mark.parametrize("changed", JOURNALS)
def test_a_journal_of_another_flow_is_not_guessed_at(changed: Callable[[Journal], Journal]) -> None:
    """The program was updated between the two halves."""
    here = world()
    handed = begun(here, "ticket")
    here.steps.clear()
    here.time += 5
    with pytest.raises(StoreError, match="another version"):
        Process(here).resume(replace(handed, journal=changed(handed.journal)))

    assert here.steps == []


def test_pages_of_a_failing_network_do_not_fill_the_journal() -> None:
    """Kept is what a flow can read."""
    here = world()
    page = HttpResponse(502, (("Content-Type", "text/html"), ("Set-Cookie", "a=b")), b"<p>" * 10000)
    here.troubles[POLL["device"]] = [page]
    process, handed = Process(here), begun(here, "device")
    here.time += 5
    with pytest.raises(StillPending):
        process.resume(handed)
    response = process.last.journal[-2].response

    assert response is not None
    assert (response.status, response.headers, response.body) == (502, (("Content-Type", "text/html"),), b"")


def test_cancelled_while_an_answer_is_on_its_way_it_is_kept_all_the_same() -> None:
    """Ctrl-C may hit the one moment at which the tokens travel."""
    here = world()
    handed = begun(here, "paste")
    address, kept = here.visit(handed), [handed]
    travelling = asyncio.Event()

    class Slow(PretendWorld):
        async def send(self, request: HttpRequest, *, step: str) -> HttpResponse:
            travelling.set()
            await asyncio.sleep(0)
            return await super().send(request, step=step)

    async def main() -> None:
        slow = Slow(here.server)
        task = asyncio.create_task(
            resume(handed, save=kept.append, paste=pasted_address(address), world=slow)
        )
        await travelling.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert kept[-1].journal[-1].step == "token request"
    assert Process(here).resume(kept[-1]).tokens.access_token


def test_what_a_server_quotes_is_not_passed_on() -> None:
    """A refusal may repeat the code, in words of its own (CVE-2024-50349)."""
    here = world()
    handed = begun(here, "paste")
    address = here.visit(handed)
    code = address.partition("code=")[2].partition("&")[0]
    quoting = f'{{"error": "invalid_grant", "error_description": "bad code {code}"}}'.encode()
    here.troubles["token request"] = [HttpResponse(400, (("Content-Type", "application/json"),), quoting)]
    process = Process(here)
    with pytest.raises(TokenError) as first:
        process.resume(handed, pasted=address)
    with pytest.raises(TokenError) as second:
        process.resume(process.last)

    assert code not in f"{first.value} {second.value}"
    assert "<code#1>" in str(first.value)
    assert "<code#1>" in str(second.value)


@pytest.mark.parametrize("flow", TWO_STEP)
def test_nothing_secret_shows_in_a_repr(flow: TwoStepFlow) -> None:
    """Tracebacks and logs print what they meet."""
    here = world()
    process, handed = Process(here), begun(here, flow)
    sign_in = finished(here, process, handed)
    last, attempt = process.last, handed.attempt
    secrets = [attempt.state, attempt.code_verifier, attempt.nonce, handed.url, sign_in.tokens.access_token]
    shown = repr(last) + repr(last.journal) + repr(handed)

    assert [secret for secret in secrets if secret in shown] == []


async def test_conditions_are_those_of_the_beginning() -> None:
    """Whether signatures are checked decides which requests there are, and the message was shown."""
    here = world()
    options = FlowOptions(verify_signature=True, message="begun at 12:00")
    handed = await begin(CLIENT, "ticket", options=options, named="x", world=here)

    assert (handed.verify_signature, handed.message, handed.named) == (True, "begun at 12:00", "x")


async def test_over_a_network_and_by_the_clock() -> None:
    """The same with sockets; waiting takes the second that the server asks for."""
    with demo_thread() as demo:
        provider = Provider("demo", ServerMetadata(issuer=demo.issuer))
        client = ClientConfig(provider, CLIENT.client_id)
        kept: list[PendingSignIn] = []

        handed = await begin(client, "device")
        await run_agent(handed.url, user_code=handed.user_code)
        early = replace(handed, journal=tuple(map(_earlier, handed.journal)))
        sign_in = await resume(early, save=kept.append, wait=2)

    assert sign_in.tokens.access_token
    assert kept


def _earlier(answered: JournalEntry) -> JournalEntry:
    """Move a moment into the past, so that nothing has to be waited for but a breath."""
    moment = answered.moment
    if moment is None:
        return answered
    return replace(answered, moment=replace(moment, now=moment.now - 4.9, wall=moment.wall - 4.9))


def test_a_pasted_answer_bears_the_time() -> None:
    """The lifetime of what is in it begins when it is brought."""
    here = world()
    process, handed = Process(here), begun(here, "paste")
    address = here.visit(handed)
    here.time += 42
    process.resume(handed, pasted=address)
    callback = next(each.callback for each in process.last.journal if each.callback)

    assert isinstance(callback, Callback)
    assert (callback.via, callback.received_at) == ("paste", here.time)
