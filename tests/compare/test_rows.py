"""What is told of the flows side by side: true to the traces, and never more than they show."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trace_samples import (
    AS,
    CODE,
    DEVICE,
    DEVICE_GRANT,
    FORM_POST,
    OPENID,
    PASTE,
    RUNS,
    START,
    TICKET,
    TOKEN,
    TOKENS,
    changed,
    extended,
    live,
    ours,
    token_request,
    trace,
    without,
)

from loopback_auth.compare.judging.known_rows import FACTS, LIKE
from loopback_auth.compare.judging.rows import PROPERTIES, rows
from loopback_auth.compare.model import Cell, Comparison, Run
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.flow_table import FLOWS
from loopback_auth.trace.records import Exchange

EMPTY = tuple(Run(run.flow, "not possible", trace(run.flow, ())) for run in RUNS)
DENIED = changed(
    replace(without(CODE, "approve", "token request", "done"), outcome="refused", tokens=None),
    "authorization response",
    "code=<code#1>",
    "error=access_denied",
)
EVERY_RUN = (*RUNS, *map(live, RUNS), *EMPTY, DENIED)


def cell(name: str, run: Run) -> Cell:
    """Return what one row says of one run."""
    return next(row for row in rows((run,)) if row.id == name).cells[0]


def said(name: str, *runs: Run) -> list[str]:
    """Return the texts of one row."""
    return [cell(name, run).text for run in runs]


def test_cells_are_in_the_order_of_the_runs() -> None:
    """A table has one column a flow."""
    assert [len(row.cells) for row in rows(RUNS)] == [len(RUNS)] * len(PROPERTIES)
    assert rows(()) == tuple(replace(row, cells=()) for row in rows(RUNS))


def test_rows_have_different_names_and_stand_together_by_group() -> None:
    """Renderers look rows up, and draw a group once."""
    groups = [each.group for each in PROPERTIES]

    assert len({each.id for each in PROPERTIES}) == len(PROPERTIES)
    assert len(list(dict.fromkeys(groups))) == sum(
        a != b for a, b in zip(groups, ["", *groups], strict=False)
    )


@pytest.mark.parametrize("run", EVERY_RUN, ids=lambda run: f"{run.flow} {run.trace.ground} {run.outcome}")
def test_what_is_called_observed_is_in_the_trace(run: Run) -> None:
    """An observation without evidence would be a claim; so would knowledge without a source."""
    cells = [row.cells[0] for row in rows((run,))]
    numbers = {entry.number for entry in run.trace.entries}

    assert all(one.steps for one in cells if one.basis == "observed")
    assert all(set(one.steps) <= numbers for one in cells)
    assert all(list(one.steps) == sorted(set(one.steps)) for one in cells)
    assert all(one.source and not one.steps for one in cells if one.basis == "known")
    assert all(one.text for one in cells)


@pytest.fixture(scope="module")
def simulated() -> Comparison:
    """Run the six flows once."""
    return compare_simulated(("code", "code form_post", "token", "ticket", "device", "paste"))


def test_simulated_flows_are_told_with_their_evidence(simulated: Comparison) -> None:
    """The same holds for what is really recorded."""
    cells = [one for row in rows(simulated.runs) for one in row.cells]

    assert all(one.steps for one in cells if one.basis == "observed")
    assert all(one.source for one in cells if one.basis == "known")
    assert all("not observed" not in one.text for one in cells if one.basis != "not observed")


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("learnt", ["redirect", "form post", "redirect, then a script", "polling", "polling",
                    "pasted by the user"]),
        ("history", ["<code#1>", "nothing", "<access_token#1>", "<ticket#1>", "<user_code#1>", "<code#1>"]),
        ("access-token-in-url", ["no", "no", "yes, in the fragment", "no", "no", "no"]),
        (
            "proof",
            [
                "code verifier sent",
                "code verifier sent",
                "the token itself is delivered",
                "<ticket#1> is in the link",
                "<device_code#1> stays in the program",
                "code verifier sent",
            ],
        ),
        ("listening-port", ["yes", "yes", "yes", "no", "no", "no"]),
        ("refresh-token", ["yes", "yes", "no", "no", "yes", "yes"]),
        ("client-secret", ["not sent"] * 6),
        ("key-in-browser", ["<code#1>", "<code#1>", "nothing", "<ticket#1>", "<user_code#1>", "<code#1>"]),
        ("fixation", ["state and PKCE", "state and PKCE", "state", "not in the published API",
                      "secrecy of the user code", "state and PKCE"]),
        ("last-hop", [*["http on loopback"] * 3, "TLS", "TLS", "pasted into the terminal"]),
    ],
)  # fmt: skip
def test_simulated_flows_differ_where_their_definitions_do(
    simulated: Comparison, name: str, texts: list[str]
) -> None:
    """The six columns that people choose between, from what happened and not from a table of claims."""
    assert said(name, *simulated.runs) == texts


def test_no_flow_is_called_safe_from_phishing() -> None:
    """Every flow ends with a person who approves; a vendor may add what its published interface lacks."""
    texts = [fact[0] for facts in FACTS.values() for fact in facts.values()]

    assert not any("proof" in text or text == "no" for text in texts)


def test_ticket_of_another_vendor_is_not_told_as_netlifys() -> None:
    """What Netlify publishes says nothing of what others do."""
    other = changed(TICKET, "ticket request", "/oauth/tickets", "/other")

    begun = [cell(name, other).basis for name in ("standard", "replay", "dpop")]
    never = [cell(name, EMPTY[RUNS.index(TICKET)]).basis for name in ("standard", "replay", "dpop")]

    assert begun == never == ["not observed"] * 3


def test_what_a_specification_leaves_open_is_not_called_done() -> None:
    """That a token can be bound binds none, and RFC 8628 is silent on a second use of a device code."""
    assert said("dpop", CODE, DEVICE) == ["possible"] * 2
    assert said("replay", DEVICE) == ["not specified; the code expires"]


def test_tokens_through_the_browser_are_told_alike() -> None:
    """An ID token besides changes whose standard it is, not what becomes of the access token."""
    both, identity = (replace(TOKEN, flow=name) for name in ("id_token token", "id_token"))

    assert [cell("standard", run).source for run in (TOKEN, both, OPENID)] == [
        "RFC 6749 §4.2",
        "OpenID Connect Core 1.0 §3.2",
        "OpenID Connect Core 1.0 §3.3",
    ]
    assert said("refresh-possible", TOKEN, both, identity, OPENID) == [*["not allowed"] * 3, "yes"]
    assert said("javascript", TOKEN, OPENID, without(OPENID, "fragment relay"), CODE) == [
        *["needed"] * 3,
        "not needed",
    ]


def test_client_secret_is_found_however_it_is_sent() -> None:
    """In the form or in the header, it is shipped with the program (RFC 8252 §8.5)."""
    form = changed(CODE, "token request", "grant_type=", "client_secret=<client_secret#1>&grant_type=")
    entries = tuple(
        replace(one, request_headers=(("Authorization", "Basic <client_secret#1>"),))
        if isinstance(one, Exchange)
        else one
        for one in CODE.trace.entries
    )
    header = replace(CODE, trace=replace(CODE.trace, entries=entries))

    assert said("client-secret", CODE, form, header) == ["not sent", "sent", "sent"]


def test_browser_is_not_counted_where_nobody_sees_it() -> None:
    """At a real provider only what reaches our own port is known."""
    assert said("requests-by-browser", CODE, live(CODE)) == ["2", "not observed"]
    assert said("requests-to-port", CODE, live(CODE), PASTE) == ["2", "2", "1"]


def test_calls_are_listed_in_order_with_who_made_them() -> None:
    """The first question of everybody who meets a flow for the first time."""
    assert cell("order", DEVICE).text == (
        "program: metadata request, device authorization request; "
        "browser: start page, device verification page \N{MULTIPLICATION SIGN}2; "
        "program: device token request; browser: sign-in and consent; program: device token request"
    )
    assert cell("order", live(CODE)).text.endswith("not seen")


def test_what_the_person_had_to_do_is_counted() -> None:
    """A link that carries the code along saves typing it, not comparing it (RFC 8628 §3.3.1)."""
    typed = changed(DEVICE, "device verification page", "?user_code=<user_code#1>", "")
    elsewhere = without(DEVICE, "device verification page")

    assert said("person", CODE, DEVICE, typed, elsewhere, PASTE) == [
        "1: approve",
        "2: compare the code, approve",
        "2: type the code, approve",
        "2: compare or type the code, approve",
        "2: approve, copy and paste the URL",
    ]
    assert cell("person", live(CODE)).basis == "not observed"


def test_delay_is_measured_from_the_approval() -> None:
    """Polling costs its gaps, a redirect costs nothing."""
    assert said("delay", CODE, DEVICE, live(CODE)) == ["0.5 s", "3.4 s", "not observed"]


def test_polls_are_counted() -> None:
    """What a server has to put up with."""
    more = extended(DEVICE, ours("device token request", f"{AS}/token", 15.3, body=DEVICE_GRANT))

    assert said("polls", CODE, TICKET, DEVICE, more) == ["0", "2", "2", "3"]


def test_unseen_history_is_told_as_a_guess() -> None:
    """We know the link that we handed out, not what the browser made of it."""
    assert cell("history", live(TICKET)) == Cell("<ticket#1>", "not observed", "RFC 9700 §4.3.1, §4.3.2")
    assert cell("history", PASTE).basis == "not observed"


def test_answer_that_reached_us_is_known_also_at_a_real_provider() -> None:
    """Its address, or that a script of ours had to read it, is seen from our side."""
    assert said("address-bar", *map(live, (CODE, TOKEN, DEVICE))) == [
        "<code#1>",
        "access_token",
        "<user_code#1>",
    ]
    assert cell("address-bar", live(DEVICE)).basis == "not observed"
    assert said("access-token-in-url", live(CODE), live(TOKEN)) == ["not observed", "yes, in the fragment"]
    assert said("token-in-browser", live(CODE), live(TOKEN)) == ["not observed", "access_token"]
    assert said("key-in-browser", live(FORM_POST), live(TICKET)) == ["code", "<ticket#1>"]


def test_second_process_on_our_port_gets_what_came_there() -> None:
    """A code is worth nothing without the verifier; a token is the prize itself (RFC 8252 §8.1, §8.2)."""
    unbound = changed(CODE, "token request", "&code_verifier=<code_verifier#1>", "")

    assert said("port", CODE, unbound, TOKEN, OPENID, DEVICE) == [
        "<code#1>, with PKCE",
        "<code#1>",
        "<access_token#1>",
        "<id_token#1>, <code#1>",
        "nothing",
    ]
    assert said("port", live(FORM_POST), live(TOKEN)) == ["code, with PKCE", "access_token"]
    assert said("port", without(DEVICE, "start page")) == ["no port"]


def test_process_list_is_told_by_what_it_gives_away() -> None:
    """The ticket's link redeems the token; our start page opens once (jupyter/notebook#4260)."""
    direct = changed(TICKET, "open", START, f"{AS}/authorize?ticket=<ticket#1>")
    request = changed(CODE, "open", START, f"{AS}/authorize?state=<state#1>")

    assert said("process-list", CODE, direct, request, PASTE) == [
        "start page key",
        "<ticket#1>",
        "<state#1>",
        "no browser started",
    ]
    assert said("key-in-argv", CODE, direct, PASTE) == ["no", "yes: <ticket#1>", "no browser started"]


def test_defences_are_read_off_the_requests() -> None:
    """A flow that could have PKCE, and did not send it, has none."""
    bare = changed(CODE, "authorization request", "&code_challenge=abc&code_challenge_method=S256", "")
    other = changed(CODE, "authorization response", "<state#1>", "<state#2>")

    assert said("pkce", CODE, bare, without(CODE, "token request"), DEVICE) == [
        "S256, verifier sent",
        "not sent",
        "S256, no verifier seen",
        "not in protocol",
    ]
    assert said("injection", CODE, bare, OPENID, TOKEN) == [
        "PKCE",
        "not in protocol",
        "PKCE and nonce",
        "not in protocol",
    ]
    assert said("fixation", CODE, bare) == ["state and PKCE", "state"]
    assert said("state", CODE, other, live(TOKEN)) == [
        "sent, returned",
        "sent, not returned",
        "sent, a state returned",
    ]
    assert said("nonce", CODE, OPENID) == ["not sent", "sent"]
    assert said("state", changed(CODE, "authorization request", "&state=<state#1>", "")) == ["not sent"]
    assert said("state", without(CODE, "authorization response", "receive")) == ["sent"]
    assert said("iss", CODE, OPENID) == ["iss sent", "no iss"]


def test_redeemer_is_told_from_what_the_browser_carries() -> None:
    """A ticket is bound by nothing but its id, unless a verifier comes with it (RFC 7636 §4.6)."""
    bound = changed(TICKET, "ticket exchange", "/exchange", "/exchange?code_verifier=<code_verifier#1>")

    assert said("proof", TICKET, bound, DEVICE, TOKEN) == [
        "<ticket#1> is in the link",
        "code verifier sent",
        "<device_code#1> stays in the program",
        "the token itself is delivered",
    ]
    assert cell("proof", DENIED).basis == "not observed"


def test_second_use_is_told_where_it_was_tried() -> None:
    """Until then it is what the RFC says (RFC 6749 §4.1.2)."""
    refused, accepted = (extended(CODE, token_request(2.4, status)) for status in (400, 200))

    assert said("replay", refused, accepted) == ["no, refused (400)", "yes, accepted again"]
    assert cell("replay", CODE).basis == "known"


def test_tokens_are_told_as_they_came() -> None:
    """For how long, for what, and whether they can be renewed."""
    short = replace(CODE, tokens=replace(TOKENS, lifetime=90.0, id_token="not verified"))

    assert said("lifetime", CODE, TICKET, short) == ["1 h", "not stated", "90 s"]
    assert said("id-token", CODE, OPENID, short) == [
        "no",
        "yes, signature verified",
        "yes, signature not verified",
    ]
    assert said("scope-granted", CODE, TICKET) == ["profile email", "not stated"]
    assert cell("refresh-token", DENIED).basis == "not observed"


def test_key_bound_tokens_are_seen_by_their_proof() -> None:
    """DPoP is possible with code and device; whether it was used is in the request (RFC 9449 §5)."""
    entries = tuple(
        replace(one, request_headers=(*one.request_headers, ("DPoP", "<proof>")))
        if isinstance(one, Exchange)
        else one
        for one in CODE.trace.entries
    )

    assert cell("dpop", replace(CODE, trace=replace(CODE.trace, entries=entries))).text == "proof sent"
    assert cell("dpop", CODE).basis == "known"


def test_denial_is_told_with_what_was_seen_until_then() -> None:
    """A refused sign-in is evidence too."""
    assert said("learnt", DENIED) == ["redirect"]
    assert cell("outcome", DENIED).text == "refused"
    assert cell("outcome", EMPTY[0]) == Cell("not possible", "not observed")


def test_text_of_a_server_is_cleaned() -> None:
    """A scope is a stranger's text (CVE-2024-50349)."""
    run = replace(CODE, tokens=replace(TOKENS, scope_granted="\x1b[2J\u202eadmin"))

    assert cell("scope-granted", run).text == "[2Jadmin"


def test_what_is_known_is_known_of_every_flow() -> None:
    """A gap would look as if nobody had looked. What a redirect shows is observed, and need not be known."""
    unknown = [
        (flow.name, about)
        for about, facts in FACTS.items()
        for flow in FLOWS
        if (flow.polled or "code" in facts) and not {flow.name, *relatives(flow.name)} & facts.keys()
    ]

    assert unknown == []


def relatives(flow: str) -> list[str]:
    """Return the flows whose facts apply to another one, nearest first."""
    return [LIKE[flow], *relatives(LIKE[flow])] if flow in LIKE else []
