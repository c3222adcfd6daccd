"""The flows in memory: the same trace each time, in the order and at the pace of the real thing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from itertools import pairwise

import pytest

from loopback_auth.compare.model import Attack, Run, Tokens
from loopback_auth.compare.running.choices import choice, demo_client
from loopback_auth.compare.running.run import assembled, compare_simulated
from loopback_auth.compare.running.simulate import ISSUER, LATENCY, Entropy, simulate, simulated_world
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import COMPARED, NAMES
from loopback_auth.trace.records import Exchange, Step, Trace
from loopback_auth.words import Words

SIMULATED = compare_simulated()
RUNS = {run.flow: run for run in SIMULATED.runs}
MCP_SCOPE = "mcp:read offline_access"
TOKENS = Tokens("Bearer", 3600.0, True, "", "profile email", "profile email", "demo@example.com")


def story(trace: Trace) -> list[str]:
    """Tell a trace in the names of its entries, with who asked whom."""
    return [
        entry.name if isinstance(entry, Step) else f"{entry.sender} > {entry.receiver}: {entry.step}"
        for entry in trace.entries
    ]


def spoilt(name: str, faults: Faults, **changes: object) -> Run:
    """Run a flow against a server that breaks rules."""
    world = simulated_world(name)
    world.server = DemoServer(ISSUER, entropy=Entropy("spoilt"), faults=faults)
    for field, value in changes.items():
        setattr(world, field, value)
    return assembled(name, *simulate(choice(name, demo_client(ISSUER)), world))


def first(run: Run, name: str) -> Step:
    """Return the first step of a name."""
    return next(run.trace.steps(name))


def exchange(run: Run, step: str) -> Exchange:
    """Return the first exchange of a name."""
    return next(one for one in run.trace.exchanges() if one.step == step)


def test_comparison_is_the_same_each_time() -> None:
    """Goldens are made from it, and two reports can be held against each other."""
    assert compare_simulated() == SIMULATED
    assert json.dumps(asdict(compare_simulated())) == json.dumps(asdict(SIMULATED))


@pytest.mark.slow
def test_comparison_is_the_same_in_another_process() -> None:
    """Neither the hash seed nor what was imported before may show."""
    code = (
        "import json, hashlib, dataclasses, sys;"
        "from loopback_auth.compare.running.run import compare_simulated;"
        "text = json.dumps(dataclasses.asdict(compare_simulated()));"
        "print(hashlib.sha256(text.encode()).hexdigest(), 'asyncio' in sys.modules)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1
    assert told.pop().endswith(" False\n")


def test_every_flow_signs_in() -> None:
    """What they have to show for it differs, and that is the point."""
    front = replace(TOKENS, refresh_token=False)
    ticket = replace(front, lifetime=None, scope_asked="", scope_granted="")

    assert tuple(RUNS) == COMPARED
    assert {run.outcome for run in RUNS.values()} == {"signed in"}
    assert {name: run.tokens for name, run in RUNS.items()} == {
        "code": TOKENS,
        "code form_post": TOKENS,
        "code + par": TOKENS,
        "code + dpop": replace(TOKENS, token_type="DPoP"),
        "resource": replace(TOKENS, scope_asked=MCP_SCOPE, scope_granted=MCP_SCOPE, account="demo-1"),
        "token": front,
        "ticket": ticket,
        "device": TOKENS,
        "paste": TOKENS,
    }


def test_comparison_says_where_it_comes_from() -> None:
    """And is judged: findings for each run, and a cell of every row for each."""
    assert (SIMULATED.ground, SIMULATED.provider, SIMULATED.made_at) == ("simulate", "demo", 1_700_000_000.0)
    assert SIMULATED.version
    assert all(run.findings for run in SIMULATED.runs)
    assert SIMULATED.rows
    assert {len(row.cells) for row in SIMULATED.rows} == {len(COMPARED)}


CODE_STORY = [
    "bind",
    "open",
    "client > server: metadata request",
    "browser > client: start page",
    "client > server: metadata request",
    "browse",
    "browser > server: authorization request",
    "browser > server: sign-in and consent",
    "approve",
    "browser > server: sign-in and consent",
    "browser > client: authorization response",
    "receive",
    "client > server: token request",
    "client > server: UserInfo request",
    "done",
]
STORIES = {
    "code": CODE_STORY,
    "code form_post": CODE_STORY,
    "code + dpop": CODE_STORY,
    "resource": [
        *CODE_STORY[:2],
        "client > server: request without a token",
        "browser > client: start page",
        "client > server: resource metadata request",
        "client > server: metadata request",
        "client > server: registration request",
        *CODE_STORY[5:],
    ],
    "code + par": [*CODE_STORY[:5], "client > server: pushed authorization request", *CODE_STORY[5:]],
    "token": [
        *CODE_STORY[:5],
        "warn",
        *CODE_STORY[5:11],
        "browser > client: fragment relay",
        "receive",
        "client > server: UserInfo request",
        "done",
    ],
    "ticket": [
        "client > server: ticket request",
        "open",
        "invite",
        "browser > client: start page",
        "wait",
        "browser > server: ticket approval page",
        "browser > server: sign-in and consent",
        "client > server: ticket status request",
        "wait",
        "client > server: ticket status request",
        "wait",
        "approve",
        "browser > server: sign-in and consent",
        "client > server: ticket status request",
        "client > server: ticket exchange",
        "done",
    ],
    "device": [
        "client > server: metadata request",
        "client > server: metadata request",
        "client > server: device authorization request",
        "open",
        "invite",
        "browser > client: start page",
        "wait",
        "browser > server: device verification page",
        "browser > server: device verification page",
        "browser > server: sign-in and consent",
        "approve",
        "browser > server: sign-in and consent",
        "client > server: device token request",
        "client > server: UserInfo request",
        "done",
    ],
    "paste": [
        "bind",
        *["client > server: metadata request"] * 2,
        "open",
        "browse",
        *CODE_STORY[6:11],
        "paste",
        *CODE_STORY[12:],
    ],
}


@pytest.mark.parametrize("name", COMPARED)
def test_trace_tells_the_story_in_order(name: str) -> None:
    """Who calls what in which order is the first question that a comparison answers."""
    trace = RUNS[name].trace

    assert story(trace) == STORIES[name]
    assert [entry.number for entry in trace.entries] == list(range(1, len(trace.entries) + 1))
    assert [entry.at for entry in trace.entries] == sorted(entry.at for entry in trace.entries)


@pytest.mark.parametrize("name", COMPARED)
def test_requests_take_their_time(name: str) -> None:
    """20 ms each, unless somebody lets the browser wait; no request of ours overlaps another."""
    trace = RUNS[name].trace
    own = list(trace.exchanges("client"))

    assert {one.seconds for one in (*own, *trace.exchanges("browser", "server"))} == {LATENCY}
    for before, after in pairwise(own):
        assert after.at >= before.at + before.seconds - 1e-9


@pytest.mark.parametrize("name", COMPARED)
def test_person_takes_two_seconds_to_approve(name: str) -> None:
    """The same for all, so that what is compared is the flows."""
    run = RUNS[name]
    *_, asked, decided = (one for one in run.trace.exchanges() if one.step == "sign-in and consent")

    assert first(run, "approve").at == decided.at == pytest.approx(asked.at + asked.seconds + 2.0)


def test_browser_waits_for_the_way_on_and_for_the_end() -> None:
    """The start page answers when the address is known, the callback when it is known how it ended."""
    run = RUNS["code"]
    start, callback = exchange(run, "start page"), exchange(run, "authorization response")

    assert start.at + start.seconds == pytest.approx(first(run, "browse").at)
    assert callback.at + callback.seconds == pytest.approx(first(run, "done").at)
    assert first(run, "receive").at == pytest.approx(callback.at + LATENCY)
    assert callback.response_body.startswith(f"<title>{Words.SUCCESS_TITLE}</title>")


def test_code_by_form_post_is_in_no_address() -> None:
    """That is what it is for."""
    query, form = RUNS["code"], RUNS["code form_post"]

    assert "<code#1>" in exchange(query, "authorization response").address
    assert not any("<code#" in one.address for one in form.trace.exchanges())
    assert "code=<code#1>" in exchange(form, "authorization response").request_body


def test_token_is_in_the_address_bar_and_not_in_the_request() -> None:
    """The fragment stays in the browser until our page hands it on."""
    run = RUNS["token"]
    response, relay = exchange(run, "authorization response"), exchange(run, "fragment relay")

    assert response.url == "http://127.0.0.1:49152/callback"
    assert "#access_token=<access_token#1>" in response.address
    assert (relay.address, relay.status) == ("", 200)
    assert relay.request_body.startswith("access_token=<access_token#1>")


def test_pasted_address_never_reached_us() -> None:
    """The browser is elsewhere: what it shows is all that there is, and the person takes a while."""
    run = RUNS["paste"]
    response = exchange(run, "authorization response")

    assert (response.status, "code=<code#1>" in response.address) == (0, True)
    assert first(run, "paste").at == pytest.approx(response.at + response.seconds + 2.0)
    assert first(run, "open").value("program") == ""


def test_ticket_is_one_label_from_creation_to_exchange() -> None:
    """Who has it can take the token, so a reader wants to see where it goes."""
    run = RUNS["ticket"]
    created, exchanged = exchange(run, "ticket request"), exchange(run, "ticket exchange")

    assert '"id": "<ticket#1>"' in created.response_body
    assert "ticket=<ticket#1>" in exchange(run, "ticket approval page").address
    assert exchanged.url.endswith("/tickets/<ticket#1>/exchange")


@pytest.mark.parametrize(
    ("name", "faults", "outcome", "reason"),
    [
        ("code", Faults(deny_all=True), "refused", "access_denied"),
        ("ticket", Faults(deny_all=True), "refused", "denied"),
        ("code", Faults(wrong_state=True), "failed", "did not come back"),
        ("paste", Faults(wrong_state=True), "failed", "did not come back"),
        ("code", Faults(token_html=True), "failed", "token response"),
        ("device", Faults(without_metadata=True), "not possible", "publishes no metadata"),
        ("ticket", Faults(ticket_status=404), "refused", "not create a ticket"),
    ],
)
def test_flow_that_does_not_work_says_why(name: str, faults: Faults, outcome: str, reason: str) -> None:
    """In the run, and as the last thing in its trace."""
    run = spoilt(name, faults)

    assert (run.outcome, run.tokens) == (outcome, None)
    assert reason in run.reason
    assert first(run, "failed").words == run.reason
    assert run.findings


def test_browser_is_told_of_the_failure() -> None:
    """As in the world outside, where it would otherwise go on waiting."""
    run = spoilt("code", Faults(token_status=500))

    assert exchange(run, "authorization response").response_body.startswith(
        f"<title>{Words.FAILURE_TITLE}</title>"
    )


def test_browser_that_is_turned_away_is_seen_too() -> None:
    """It shows why, while the program goes on waiting."""
    run = spoilt("code", Faults(wrong_state=True))

    assert exchange(run, "authorization response").status == 400


def test_start_page_tells_of_a_failure_before_the_browser_was_sent_on() -> None:
    """The tab is ours first."""
    run = spoilt("code", Faults(without_metadata=True))

    assert exchange(run, "start page").response_body.startswith(f"<title>{Words.FAILURE_TITLE}</title>")


def test_denial_of_the_person_is_no_approval() -> None:
    """Nothing is to be measured from it."""
    run = spoilt("device", Faults(), decision="deny")

    assert run.outcome == "refused"
    assert not list(run.trace.steps("approve"))


def test_return_to_our_tab_is_seen() -> None:
    """Then the waiting ends at once."""
    run = spoilt("ticket", Faults(), watched=True)
    returned = [step for step in run.trace.steps("wait") if step.value("returned") == "yes"]

    assert len(returned) == 1


def test_lost_request_is_seen() -> None:
    """It was sent, and nothing came back."""

    def lost(_request: object) -> None:
        raise ConfigError("The network is down.")

    run = spoilt("device", Faults(), disturb=lost)

    assert (run.outcome, run.reason) == ("not possible", "The network is down.")
    assert [one.status for one in run.trace.exchanges()] == [0]


def test_world_without_observer_sees_nothing_and_works() -> None:
    """As the flows' own tests use it, with the browser at the provider's page at once."""
    world = MemoryWorld(DemoServer(ISSUER, entropy=Entropy("plain")))
    run = assembled("code", *simulate(choice("code", demo_client(ISSUER)), world))

    assert run.outcome == "signed in"
    assert first(run, "open").value("argument").startswith(f"{ISSUER}/authorize?")


def test_chosen_flows_are_run_in_that_order() -> None:
    """Columns are where one expects them."""
    assert [run.flow for run in compare_simulated(("ticket", "code")).runs] == ["ticket", "code"]


def test_flow_without_what_it_needs_is_not_possible_and_ends_no_other() -> None:
    """An ID token through the browser needs its signature checked, which is not done here."""
    outcomes = {run.flow: run.outcome for run in compare_simulated(NAMES).runs}

    assert set(outcomes) == set(NAMES)
    assert {flow for flow, outcome in outcomes.items() if outcome == "not possible"} == {
        "id_token",
        "id_token token",
        "code id_token",
    }


def test_unknown_flow_is_refused() -> None:
    """With the names of those that there are."""
    with pytest.raises(ConfigError, match="no flow called 'magic'") as caught:
        compare_simulated(("magic",))
    assert "code form_post" in caught.value.hint


def test_attacks_are_tried_by_whoever_brings_them() -> None:
    """They see the run as it was judged."""

    def attack(run: Run) -> tuple[Attack, ...]:
        return (Attack("a", run.flow, "pass", f"{len(run.findings) > 0}", "RFC 9700"),)

    [run] = compare_simulated(("code",), attacks=attack).runs

    assert run.attacks == (Attack("a", "code", "pass", "True", "RFC 9700"),)
    assert RUNS["code"].attacks == ()
