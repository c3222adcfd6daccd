"""The rows about what happened: who sent which requests, what the user did, how the approval was learned.

Requests between the browser and the server are counted only where the browser was recorded.
"""

from __future__ import annotations

from itertools import groupby

from loopback_auth.compare.judging.cells import NOT_OBSERVED, Property, seen
from loopback_auth.compare.model import Cell, Run
from loopback_auth.trace.evidence import (
    POLLS,
    authorization_request,
    authorization_response,
    browser_observed,
    entry_numbers,
    exchanges_named,
    first_exchange,
    labels_in_address,
    labels_of_kind,
)
from loopback_auth.trace.reading import label_kind, labels_sent
from loopback_auth.trace.records import Exchange, Trace

TIMES = "\N{MULTIPLICATION SIGN}"
SENDERS = {
    "client": "program",
    "browser": "browser",
    "person": "user",
    "server": "server",
    "stranger": "stranger",
}


def outcome(run: Run) -> Cell:
    """Say how the login ended; a login that never began was not observed."""
    if not run.trace.entries:
        return Cell(run.outcome, "not observed")
    ends = entry_numbers(*run.trace.steps("done"), *run.trace.steps("failed"))
    return seen(run.outcome, ends or (run.trace.entries[-1].number,))


def order(run: Run) -> Cell:
    """List the requests in order; equal ones that follow each other are one."""
    exchanges = tuple(each for each in run.trace.exchanges() if each.observed)
    parts: list[str] = []
    for sender, group in groupby(exchanges, lambda each: SENDERS[each.sender]):
        parts.append(f"{sender}: {', '.join(_counted(tuple(group)))}")
    if not browser_observed(run.trace):
        parts.append("other requests of the browser were not seen")
    return seen("; ".join(parts), entry_numbers(*exchanges))


def requests_by_us(run: Run) -> Cell:
    """Count the requests from the program to the server."""
    exchanges = tuple(run.trace.exchanges("client", "server"))
    return seen(str(len(exchanges)), entry_numbers(*exchanges) or _browser_legs(run.trace))


def requests_by_the_browser(run: Run) -> Cell:
    """Count the requests from the browser to the server, where all of them were seen."""
    if not browser_observed(run.trace):
        return NOT_OBSERVED
    exchanges = tuple(run.trace.exchanges("browser", "server"))
    return seen(str(len(exchanges)), entry_numbers(*exchanges) or entry_numbers(*run.trace.exchanges()))


def requests_to_our_port(run: Run) -> Cell:
    """Count the requests that the loopback port answered, those of other programs apart."""
    arrived = [each for each in run.trace.exchanges(receiver="client") if each.status]
    strangers = sum(each.sender == "stranger" for each in arrived)
    text = str(len(arrived) - strangers) + (f", and {strangers} from other programs" if strangers else "")
    return seen(text, entry_numbers(*arrived) or entry_numbers(*run.trace.exchanges()))


def person(run: Run) -> Cell:
    """List what the user had to do besides signing in to their account."""
    trace = run.trace
    approvals, pasted = tuple(trace.steps("approve")), tuple(trace.steps("paste"))
    if not approvals:
        return NOT_OBSERVED
    actions = ["approve"]
    steps = [*entry_numbers(*approvals, *pasted)]
    if pasted:
        actions += ["copy and paste the URL"]
    if code := _user_code(trace):
        action, shown_by = code
        actions.insert(0, action)
        steps += shown_by
    return seen(f"{len(actions)}: {', '.join(actions)}", tuple(sorted(set(steps))))


def learnt(run: Run) -> Cell:
    """Say how the program learned of the approval."""
    trace = run.trace
    if pasted := entry_numbers(*trace.steps("paste")):
        return seen("pasted by the user", pasted)
    if relayed := entry_numbers(first_exchange(trace, "fragment relay")):
        return seen("redirect, then a script", relayed)
    polls = entry_numbers(*exchanges_named(trace, *POLLS))
    if polls:
        return seen("polling", polls)
    response = first_exchange(trace, "authorization response")
    if response is None or authorization_response(trace) is None:
        return NOT_OBSERVED
    return seen("form post" if response.method == "POST" else "redirect", (response.number,))


def delay(run: Run) -> Cell:
    """Measure the time from the approval to the tokens."""
    approvals, ends = tuple(run.trace.steps("approve")), tuple(run.trace.steps("done"))
    if not approvals or not ends:
        return NOT_OBSERVED
    return seen(f"{ends[-1].at - approvals[-1].at:.1f} s", entry_numbers(approvals[-1], ends[-1]))


def polls(run: Run) -> Cell:
    """Count the requests that asked whether the user had approved."""
    asking = entry_numbers(*exchanges_named(run.trace, *POLLS))
    return seen(str(len(asking)), asking or learnt(run).steps)


def _counted(exchanges: tuple[Exchange, ...]) -> list[str]:
    named_once: list[str] = []
    for step, group in groupby(exchanges, lambda each: each.step):
        times = len(tuple(group))
        named_once.append(step if times == 1 else f"{step} {TIMES}{times}")
    return named_once


def _browser_legs(trace: Trace) -> tuple[int, ...]:
    """Return the entries that show a login in which the program sent the server no request."""
    message = authorization_request(trace)
    return message.steps if message is not None else ()


def _user_code(trace: Trace) -> tuple[str, tuple[int, ...]] | None:
    """Return what the user had to do with a user code, if there was one, and the entries that show it."""
    pages = tuple(trace.exchanges("browser", "server"))
    carried = [each for each in pages if labels_of_kind(labels_in_address(each), ("user_code",))]
    if carried:
        return "compare the code", entry_numbers(*carried)
    typed = [each for each in pages if labels_of_kind(labels_sent(each), ("user_code",))]
    if typed:
        return "type the code", entry_numbers(*typed)
    if any(label_kind(secret.label) == "user_code" for secret in trace.secrets):
        return "compare or type the code", entry_numbers(*trace.steps("invite"))
    return None


GROUP = "What happened"
PROPERTIES = (
    Property("outcome", "Result", GROUP, outcome),
    Property("order", "Order of the requests", GROUP, order),
    Property("requests-by-us", "Requests from the program to the server", GROUP, requests_by_us),
    Property(
        "requests-by-browser", "Requests from the browser to the server", GROUP, requests_by_the_browser
    ),
    Property("requests-to-port", "Requests that reached the loopback port", GROUP, requests_to_our_port),
    Property("person", "User actions, once signed in at the provider", GROUP, person),
    Property("learnt", "How the program learned of the approval", GROUP, learnt),
    Property("delay", "Time from approval to tokens", GROUP, delay),
    Property("polls", "Polling requests", GROUP, polls),
)
