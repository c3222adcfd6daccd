"""The sign-ins in a recording: traces without secrets, checked like any other.

Theory of operation. Each request is recognised, or left out (see `recognition`). The secrets of all
recognised requests are learnt before anything is written, so that each has the same label everywhere.
Requests that share a secret belong to the same sign-in (see `grouping`). Then the requests are written with
labels and reduced to what the specifications have names for (see `reduction`); what was read is dropped.

A browser records only its own requests. The requests of a program to the server are only in the recording
of a proxy; elsewhere they count as not observed.
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
from loopback_auth.explain.grouping import NO_SIGN_IN_ALONE, NamedRequest, groups, server
from loopback_auth.explain.har import Archive, Entry, read_archive
from loopback_auth.explain.recognition import Recognition, ticket_ids
from loopback_auth.explain.reduction import reduced
from loopback_auth.protocol.ticket import ticket_secrets
from loopback_auth.trace.evidence import RESPONSES, authorization_request
from loopback_auth.trace.reading import LABEL, label_kind, without_query
from loopback_auth.trace.records import Exchange, Party, Trace
from loopback_auth.trace.redactor import Redactor
from loopback_auth.trace.writing import written_exchange, written_secrets

NATIVE_APP_CHECKS = ("no-client-secret", "redirect-loopback-literal")
"""Checks for programs on the user's machine."""
PARTIES: tuple[Party, ...] = ("client", "browser", "server", "person", "stranger")


@dataclass(frozen=True, slots=True)
class Capture:
    """The sign-ins in a recording.

    Args:
        runs: each sign-in, with the ticket contract if it used tickets.
        others: how many other requests there were.
    """

    runs: tuple[tuple[Run, TicketContract | None], ...]
    others: int


def capture(content: bytes) -> Capture:
    """Find the sign-ins in an HTTP archive.

    Args:
        content: bytes of the file; untrusted.

    Raises:
        ConfigError: the content is not an HTTP archive.
    """
    archive = read_archive(content)
    if archive.flows:
        return _own_archive(archive)
    recognition = Recognition()
    found = list(_named_requests(archive.entries, recognition))
    redactor = Redactor()
    for one in found:
        _learn(one, redactor, recognition.contract)
    sign_ins = [
        group for group in groups(found, redactor) if not {one.step for one in group} <= NO_SIGN_IN_ALONE
    ]
    runs = [_run(group, redactor) for group in sign_ins]
    return Capture(
        tuple((run, recognition.contract if run.flow == "ticket" else None) for run in runs),
        len(archive.entries) - sum(map(len, sign_ins)),
    )


def _own_archive(archive: Archive) -> Capture:
    """Read an archive that this program wrote: it names its flows and requests itself."""
    runs: list[tuple[Run, TicketContract | None]] = []
    for page, flow in archive.flows.items():
        recognition, redactor = Recognition(), Redactor()
        entries = [entry for entry in archive.entries if entry.page == page]
        found = [one for entry in entries if (one := _noted_request(entry)) is not None]
        for one in found:
            recognition.step(one.entry)
            _learn(one, redactor, recognition.contract)
        if found:
            contract = recognition.contract if flow == "ticket" else None
            runs.append((_run(found, redactor, flow=flow), contract))
    return Capture(
        tuple(runs), len(archive.entries) - sum(len(list(run.trace.exchanges())) for run, _ in runs)
    )


def _party(noted: object) -> Party | None:
    for party in PARTIES:
        if party == noted:
            return party
    return None


def _noted_request(entry: Entry) -> NamedRequest | None:
    notes = entry.notes
    step, address = notes.get("step"), notes.get("address")
    sender, receiver = _party(notes.get("sender")), _party(notes.get("receiver"))
    if not isinstance(step, str) or not isinstance(address, str) or sender is None or receiver is None:
        return None
    observed = notes.get("observed") is not False
    return NamedRequest(_with_labels_escaped(entry), step, sender, receiver, _escaped(address), observed)


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


def _named_requests(entries: Iterable[Entry], recognition: Recognition) -> Iterator[NamedRequest]:
    """Iterate over the requests that belong to a sign-in, each with its name."""
    led: dict[str, str] = {}
    for entry in entries:
        url = entry.request.url
        address = url if "#" in url else led.pop(url, url)
        whole = replace(entry, request=replace(entry.request, url=address))
        step = recognition.step(whole)
        target = entry.answer.header("location") if entry.answer is not None else ""
        if "#" in target:
            # RFC 9110 §10.2.2: the browser keeps the fragment of the redirect; a request has none.
            led[target.partition("#")[0]] = target
        if not step:
            continue
        sender: Party = "browser" if entry.by_browser else "client"
        back = without_query(url) in recognition.redirect_uris or step in RESPONSES
        shown = address if entry.navigates or step == "authorization response" else ""
        request = replace(entry.request, url=url.partition("#")[0])
        yield NamedRequest(
            replace(entry, request=request), step, sender, "client" if back else "server", shown
        )


def _learn(one: NamedRequest, redactor: Redactor, contract: TicketContract | None) -> None:
    """Remember the secrets of a request and its response."""
    request, answered = one.entry.request, one.entry.answer
    for ticket in ticket_ids(contract, request.url):
        redactor.learn("ticket", ticket)
    for label in LABEL.findall(unquote(without_query(request.url))):
        # In an archive that this program wrote, the secret is a label already.
        redactor.learn(label_kind(label), label)
    redactor.learn_request(request, guess=one.sender == "browser")
    redactor.learn_url(one.address, guess=True)
    if answered is None:
        return
    secrets = ticket_secrets(contract) if contract is not None and one.step.startswith("ticket") else ()
    redactor.learn_response(answered, secrets)
    redactor.learn_url(answered.header("location"), guess=True)


def _run(found: Sequence[NamedRequest], redactor: Redactor, *, flow: str = "") -> Run:
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
    return replace(run, findings=tuple(map(_not_for_web, judged)) if _is_web(run) else judged)


def _is_web(run: Run) -> bool:
    """Return whether the redirect URI belongs to a web server, which can keep a client secret."""
    message = authorization_request(run.trace)
    uri = message.parameters.get("redirect_uri", "") if message is not None else ""
    return bool(uri) and host_of(uri) not in LOOPBACK


def _not_for_web(finding: Finding) -> Finding:
    """Excuse a web server from the checks for native apps (RFC 8252 §8.3, §8.5)."""
    if finding.id not in NATIVE_APP_CHECKS:
        return finding
    because = "The redirect URI belongs to a web server; this check is for programs on the user's machine."
    return replace(finding, verdict="not applicable", because=because, steps=(), advice="")


def _exchange(number: int, one: NamedRequest, begun: float, redactor: Redactor) -> Exchange:
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
