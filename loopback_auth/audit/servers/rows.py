"""The properties of servers side by side: what each offers and demands, from its metadata and its answers.

A cell is made of the findings where a check has decided, and of the metadata where they say it. What only a
sign-in, or a known client, would show is not observed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.endpoint_checks import device_answer, entropy
from loopback_auth.audit.servers.examination import DOCUMENTS
from loopback_auth.audit.servers.grades import grade
from loopback_auth.compare.judging.cells import NOT_OBSERVED
from loopback_auth.compare.judging.verdicts import Judgement
from loopback_auth.compare.model import Cell, Finding, Row, Run
from loopback_auth.doctor.server_offers import listed
from loopback_auth.protocol.json import number, object_or_none, text_or_digits
from loopback_auth.redact import server_text

Words = Mapping[str, str]
"""What a cell says for a verdict."""

TAKEN: Words = {"pass": "refused", "fail": "accepted"}
KEPT: Words = {"pass": "yes", "fail": "no"}


@dataclass(frozen=True, slots=True)
class Examined:
    """One examined server: its run, and the answers from which its cells are made.

    Args:
        run: with its findings.
        observed: what the server answered; None where it could not be reached.
    """

    run: Run
    observed: Observed | None


@dataclass(frozen=True, slots=True)
class ServerProperty:
    """A property of servers: how the cell of each is made.

    Args:
        id: name of the property, which stays the same.
        title: the property, for people.
        group: heading above it.
        cell: makes the cell of a server that was reached.
        unreached: what the cell of another one says.
    """

    id: str
    title: str
    group: str
    cell: Callable[[Run, Observed], Cell]
    unreached: str = NOT_OBSERVED.text


def rows(examined: Sequence[Examined]) -> tuple[Row, ...]:
    """Return every property of every server."""
    return tuple(
        Row(each.id, each.title, each.group, tuple(_cell(each, one) for one in examined))
        for each in PROPERTIES
    )


def _cell(each: ServerProperty, one: Examined) -> Cell:
    if one.observed is None:
        return Cell(each.unreached, "not observed")
    return each.cell(one.run, one.observed)


def _of_check(check: str, words: Words, attack: str = "") -> Callable[[Run, Observed], Cell]:
    """Make a cell of what a check has decided, or else the attack that stands for it."""

    def cell(run: Run, _observed: Observed) -> Cell:
        found = _finding(run, check) or _finding(run, attack)
        if found is None or found.verdict == "not observed":
            return NOT_OBSERVED
        text = words.get(found.verdict, "not applicable")
        return Cell(text, "tried" if found.kind == "attack" else "observed", found.source, found.steps)

    return cell


def _finding(run: Run, check: str) -> Finding | None:
    return next((one for one in run.findings if one.id == check), None)


def _list(member: str, wanted: Sequence[str] = ()) -> Callable[[Run, Observed], Cell]:
    """Make a cell of a list in the metadata, or of those of its words that matter."""

    def cell(_run: Run, observed: Observed) -> Cell:
        if not observed.documents:
            return NOT_OBSERVED
        words = listed(observed.document, member)
        kept = [word for word in words if not wanted or word in wanted]
        shown = ", ".join(word.rpartition(":")[2] for word in kept)
        return _stated(observed, server_text(shown, 120) or "not announced")

    return cell


def _endpoint(member: str) -> Callable[[Run, Observed], Cell]:
    """Make the cell of an endpoint: whether the metadata name it."""

    def cell(_run: Run, observed: Observed) -> Cell:
        known = getattr(observed.metadata, member, None) or observed.document.get(member)
        if not known and not observed.documents:
            return NOT_OBSERVED
        return _stated(observed, "yes" if known else "no")

    return cell


def _stated(observed: Observed, text: str) -> Cell:
    steps = tuple(
        one.number
        for name in DOCUMENTS
        if name in observed.documents and (one := observed.answers.get(name)) is not None
    )
    return Cell(text, "observed", "RFC 8414 §2", steps)


def _grade(run: Run, _observed: Observed) -> Cell:
    given = grade(run.findings)
    return Cell(NOT_GRADED, "not observed") if given == "-" else Cell(given, "observed")


def _seen(run: Run, _observed: Observed) -> Cell:
    verdicts = [one.verdict for one in run.findings]
    decided = verdicts.count("pass") + verdicts.count("fail")
    return Cell(f"{decided} of {decided + verdicts.count('not observed')}", "observed")


def _asked(_run: Run, observed: Observed) -> Cell:
    return Cell(str(sum(1 for one in observed.answers.values() if one.number)), "observed")


def _s256(run: Run, observed: Observed) -> Cell:
    enforced = _finding(run, "pkce-enforced") or _finding(run, "no-pkce")
    announced = "S256" in listed(observed.document, "code_challenge_methods_supported")
    if enforced is not None and enforced.verdict in ("pass", "fail"):
        text = "demanded" if enforced.verdict == "pass" else "offered, not demanded"
        return Cell(text, "observed", enforced.source, enforced.steps)
    if not observed.documents:
        return NOT_OBSERVED
    return _stated(observed, "announced" if announced else "not announced")


def _iss(run: Run, observed: Observed) -> Cell:
    sent = _finding(run, "iss-sent")
    announced = _finding(run, "iss-announced") or _finding(run, "mix-up")
    if sent is not None and sent.verdict in ("pass", "fail"):
        text = "sent" if sent.verdict == "pass" else "wrong or missing"
        return Cell(text, "observed", sent.source, sent.steps)
    if announced is None or announced.verdict == "not observed":
        return NOT_OBSERVED
    return _stated(observed, "announced" if announced.verdict == "pass" else "no")


def _par(_run: Run, observed: Observed) -> Cell:
    if observed.metadata.require_pushed_authorization_requests:
        return _stated(observed, "demanded")
    return _endpoint("pushed_authorization_request_endpoint")(_run, observed)


def _registration(_run: Run, observed: Observed) -> Cell:
    answer = observed.answers.get("registration")
    if answer is None or answer.response is None:
        return _endpoint("registration_endpoint")(_run, observed)
    status, known = answer.response.status, object_or_none(answer.response.body) or {}
    if status not in (400, 401, 403) and not (200 <= status < 300 and "client_id" in known):
        return _endpoint("registration_endpoint")(_run, observed)
    text = "with a token alone" if status in (401, 403) else "anyone"
    return Cell(text, "observed", "RFC 7591 §3", (answer.number,))


def _device(_run: Run, observed: Observed) -> Cell:
    members = device_answer(observed)
    if isinstance(members, Judgement):
        return _endpoint("device_authorization_endpoint")(_run, observed)
    bits = entropy(text_or_digits(members.get("user_code")))
    lifetime = number(members.get("expires_in")) or 0.0
    step = (observed.answers["device"].number,)
    return Cell(f"yes: {bits:.0f} bits, {lifetime / 60:.0f} min", "observed", "RFC 8628 §3.2, §5.1", step)


AWAY = "redirect-approved"
_rotation = _of_check("refresh-rotation", KEPT, "refresh-twice")
NOT_GRADED = "not graded"
METHODS = "token_endpoint_auth_methods_supported"
MODES = ("query", "fragment", "form_post")
VERDICT, REQUEST, REDIRECT = "Verdict", "Authorization request", "Redirect URI"
TOKENS, SERVER = "Tokens", "The server"

PROPERTIES = (
    ServerProperty("grade", "Grade", VERDICT, _grade, NOT_GRADED),
    ServerProperty("decided", "Checks decided", VERDICT, _seen),
    ServerProperty("requests", "Requests made", VERDICT, _asked),
    ServerProperty("pkce", "PKCE with S256", REQUEST, _s256),
    ServerProperty("plain", "PKCE with plain", REQUEST, _of_check("plain-challenge", TAKEN)),
    ServerProperty("iss", "Server named in responses (iss)", REQUEST, _iss),
    ServerProperty("par", "Pushed requests (PAR)", REQUEST, _par),
    ServerProperty("modes", "Response modes", REQUEST, _list("response_modes_supported", MODES)),
    ServerProperty("implicit", "Access token through the browser", REQUEST, _of_check("implicit", TAKEN)),
    ServerProperty("loopback-port", "Any port of this machine", REDIRECT, _of_check("loopback-port", KEPT)),
    ServerProperty("localhost", "localhost for 127.0.0.1", REDIRECT, _of_check("redirect-name", TAKEN)),
    ServerProperty("longer-path", "A longer path", REDIRECT, _of_check("redirect-suffix", TAKEN, AWAY)),
    ServerProperty("other-host", "Another host", REDIRECT, _of_check("redirect-host", TAKEN, AWAY)),
    ServerProperty("grants", "Grants", TOKENS, _list("grant_types_supported")),
    ServerProperty("dpop", "Bound to a key", TOKENS, _of_check("sender-constrained", KEPT)),
    ServerProperty("rotation", "Refresh tokens work once", TOKENS, _rotation),
    ServerProperty("device", "Device grant", TOKENS, _device),
    ServerProperty("revocation", "Revocation", TOKENS, _endpoint("revocation_endpoint")),
    ServerProperty("introspection", "Anyone can introspect", TOKENS, _of_check("introspection", TAKEN)),
    ServerProperty("registration", "Clients register themselves", SERVER, _registration),
    ServerProperty("frames", "Login page kept out of frames", SERVER, _of_check("frames", KEPT)),
    ServerProperty("keys", "Keys are sound", SERVER, _of_check("keys-strong", KEPT)),
    ServerProperty("client-auth", "Client authentication", SERVER, _list(METHODS)),
)
