"""Somebody's recording as sign-ins of ours: traces without secrets, judged like any other.

Theory of operation. Every request is named, or left alone. Of those that are named the secrets are learnt,
all of them before anything is written, so that each is the same label wherever it turns up. Requests that
share a secret belong to one sign-in (see `grouping`). Then everything is written with labels and reduced to
what the specifications have names for; what was read is forgotten.

A browser records its own legs. What a program says to the server is in nobody's archive but a proxy's, and is
not observed then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from loopback_auth.compare.judging.checks import findings
from loopback_auth.compare.judging.result_rows import LOOPBACK, host_of
from loopback_auth.compare.model import Finding, Run
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.explain.endings import ending_of, flow_of
from loopback_auth.explain.grouping import BESIDES, Found, groups, server
from loopback_auth.explain.har import Archive, Entry, read_archive
from loopback_auth.explain.recognition import Recognition, ticket_ids
from loopback_auth.explain.reduction import reduced
from loopback_auth.protocol.ticket import ticket_secrets
from loopback_auth.trace.evidence import RESPONSES, authorization_request
from loopback_auth.trace.reading import LABEL, label_kind, without_query
from loopback_auth.trace.records import Exchange, Party, Trace
from loopback_auth.trace.redactor import Redactor
from loopback_auth.trace.writing import written_exchange, written_secrets

NATIVE = ("no-client-secret", "redirect-loopback-literal")
"""Checks of programs on a person's own machine."""
PARTIES: tuple[Party, ...] = ("client", "browser", "server", "person", "stranger")


@dataclass(frozen=True, slots=True)
class Capture:
    """The sign-ins that were found, each with the contract of its tickets, and how much else there was."""

    runs: tuple[tuple[Run, TicketContract | None], ...]
    others: int


def capture(content: bytes) -> Capture:
    """Find the sign-ins in an HTTP archive.

    Args:
        content: of the file; untrusted.

    Raises:
        ConfigError: it is no archive.
    """
    archive = read_archive(content)
    if archive.flows:
        return _own(archive)
    recognition = Recognition()
    found = list(_found(archive.entries, recognition))
    redactor = Redactor()
    for one in found:
        _learn(one, redactor, recognition.contract)
    told = [group for group in groups(found, redactor) if not {one.step for one in group} <= BESIDES]
    runs = [_run(group, redactor) for group in told]
    return Capture(
        tuple((run, recognition.contract if run.flow == "ticket" else None) for run in runs),
        len(archive.entries) - sum(map(len, told)),
    )


def _own(archive: Archive) -> Capture:
    """Read an archive that we have written: it says itself what belongs together, and what each is."""
    runs: list[tuple[Run, TicketContract | None]] = []
    for page, flow in archive.flows.items():
        recognition, redactor = Recognition(), Redactor()
        entries = [entry for entry in archive.entries if entry.page == page]
        found = [one for entry in entries if (one := _noted(entry)) is not None]
        for one in found:
            recognition.step(one.entry)
            _learn(one, redactor, recognition.contract)
        if found:
            contract = recognition.contract if flow == "ticket" else None
            runs.append((_run(found, redactor, flow=flow), contract))
    return Capture(
        tuple(runs), len(archive.entries) - sum(len(list(run.trace.exchanges())) for run, _ in runs)
    )


def _noted(entry: Entry) -> Found | None:
    notes = entry.notes
    step, address = notes.get("step"), notes.get("address")
    sender = next((party for party in PARTIES if party == notes.get("sender")), None)
    receiver = next((party for party in PARTIES if party == notes.get("receiver")), None)
    if not isinstance(step, str) or not isinstance(address, str) or sender is None or receiver is None:
        return None
    observed = notes.get("observed") is not False
    return Found(_with_labels_escaped(entry), step, sender, receiver, _escaped(address), observed)


def _with_labels_escaped(entry: Entry) -> Entry:
    """Escape the labels in addresses, where their number sign would begin a fragment."""
    request, answered = entry.request, entry.answer
    request = replace(request, headers=tuple((name, _escaped(value)) for name, value in request.headers))
    if answered is not None:
        answered = replace(
            answered, headers=tuple((name, _escaped(value)) for name, value in answered.headers)
        )
    return replace(entry, request=request, answer=answered)


def _escaped(text: str) -> str:
    return LABEL.sub(lambda label: quote(label[0], safe=""), text)


def _found(entries: Iterable[Entry], recognition: Recognition) -> Iterator[Found]:
    """Name the requests that belong to a sign-in."""
    led: dict[str, str] = {}
    for entry in entries:
        url = entry.request.url
        address = url if "#" in url else led.pop(url, url)
        whole = replace(entry, request=replace(entry.request, url=address))
        step = recognition.step(whole)
        target = entry.answer.header("location") if entry.answer is not None else ""
        if "#" in target:
            # A request has no fragment, but the browser goes on with the one that it was led by.
            led[target.partition("#")[0]] = target
        if not step:
            continue
        sender: Party = "browser" if entry.by_browser else "client"
        back = without_query(url) in recognition.redirect_uris or step in RESPONSES
        shown = address if entry.navigates or step == "authorization response" else ""
        request = replace(entry.request, url=url.partition("#")[0])
        yield Found(replace(entry, request=request), step, sender, "client" if back else "server", shown)


def _learn(one: Found, redactor: Redactor, contract: TicketContract | None) -> None:
    """Remember the secrets of a request and its answer."""
    request, answered = one.entry.request, one.entry.answer
    for ticket in ticket_ids(contract, request.url):
        redactor.learn("ticket", ticket)
    for label in LABEL.findall(unquote(without_query(request.url))):
        # An archive of ours, in which it is one already.
        redactor.learn(label_kind(label), label)
    redactor.learn_request(request, guess=one.sender == "browser")
    redactor.learn_url(one.address, guess=True)
    if answered is None:
        return
    secrets = ticket_secrets(contract) if contract is not None and one.step.startswith("ticket") else ()
    redactor.learn_response(answered, secrets)
    redactor.learn_url(answered.header("location"), guess=True)


def _run(found: Sequence[Found], redactor: Redactor, *, flow: str = "") -> Run:
    begun = found[0].entry.at
    entries = tuple(_exchange(number, one, begun, redactor) for number, one in enumerate(found, 1))
    trace = Trace(
        flow or flow_of(entries),
        "file",
        server(found[0].entry.request.url),
        entries,
        written_secrets(entries, redactor),
    )
    outcome, reason, tokens = ending_of(trace)
    run = Run(trace.flow, outcome, trace, reason=reason, tokens=tokens)
    judged = findings(run)
    return replace(run, findings=tuple(map(_excused, judged)) if _is_web(run) else judged)


def _is_web(run: Run) -> bool:
    """Return whether the program is a web server, which has an address of its own and can keep a secret."""
    message = authorization_request(run.trace)
    uri = message.parameters.get("redirect_uri", "") if message is not None else ""
    return bool(uri) and host_of(uri) not in LOOPBACK


def _excused(finding: Finding) -> Finding:
    """Drop what is asked of native apps alone (RFC 8252 §8.3, §8.5)."""
    if finding.id not in NATIVE:
        return finding
    because = "The redirect URI belongs to a web server; this check is for programs on the user's machine."
    return replace(finding, verdict="not applicable", because=because, steps=(), advice="")


def _exchange(number: int, one: Found, begun: float, redactor: Redactor) -> Exchange:
    exchange = written_exchange(
        one.entry.request,
        one.entry.answer,
        redactor,
        number=number,
        at=one.entry.at - begun,
        seconds=one.entry.seconds,
        sender=one.sender,
        receiver=one.receiver,
        step=one.step,
        address=one.address,
        observed=one.observed,
    )
    return reduced(exchange)
