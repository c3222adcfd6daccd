"""The flows at a real provider and in a real browser, one after the other, with one consent each.

The provider is asked first what it supports, so that the user is not sent there for a flow that it refuses.
The requests between the browser and the provider cannot be observed: the URLs that the browser was sent to
are in the trace, marked as not observed, and nothing is guessed.

No token is kept. Each is revoked before the next flow begins, where the provider offers that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loopback_auth.compare.model import DPOP, FORM_POST, PAR, RESOURCE, Run
from loopback_auth.compare.running.choices import Choice
from loopback_auth.compare.running.run import Judged, assembled
from loopback_auth.doctor.direct_probe import DEVICE
from loopback_auth.doctor.probe_flow import BY_DEVICE, LIMIT, probe
from loopback_auth.doctor.redirect_probe import REDIRECT_URI, ProbeAnswer
from loopback_auth.errors import AttemptCancelled, LoopbackAuthError, Unavailable
from loopback_auth.events import Event, PasteReady
from loopback_auth.flow_table import BY_NAME
from loopback_auth.flows.refresh import client_of
from loopback_auth.flows.revocation import revoke
from loopback_auth.model import ClientConfig
from loopback_auth.network.threads import to_the_end
from loopback_auth.plan.model import Plan
from loopback_auth.signin import session
from loopback_auth.signin.driver import Driver, new_attempt
from loopback_auth.signin.resources import Resources
from loopback_auth.terminal.messages import Messages
from loopback_auth.terminal.terminal import Terminal
from loopback_auth.tokens import SignIn
from loopback_auth.trace.recorder import Recorder

REVOCATION_SECONDS = 5.0
"""Seconds that a revocation gets to end when the user cancels."""

_CODE = (REDIRECT_URI, "response_type=code", "grant_type=authorization_code")
DECIDED_BY: Mapping[str, tuple[str, ...]] = {
    "code": _CODE,
    FORM_POST: (*_CODE, "response_mode=form_post"),
    PAR: _CODE,
    DPOP: _CODE,
    RESOURCE: (),
    "paste": _CODE,
    "device": (DEVICE, *(f"grant_type={grant}" for grant in BY_DEVICE)),
    "ticket": ("ticket",),
    "code id_token": (REDIRECT_URI, "response_type=code id_token", "grant_type=authorization_code"),
}
"""The probes of the server that decide about a flow.

About another one that redirects, redirect URI and response type decide; about the rest, nothing does.
"""

NO_RESOURCE = "The URL of a resource is not known. With --resource-server it is."

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is the same for every flow.

    Args:
        client: the client that signs in.
        plan: what is known about this machine.
        timeout: seconds that the user gets for each flow; None: as `session.sign_in` has it.
        start_page: let the browser begin at the program's start page.
        message: for the user on a ticket's approval page.
    """

    client: ClientConfig
    plan: Plan
    timeout: float | None = None
    start_page: bool = True
    message: str = ""


async def compare_live(
    chosen: Sequence[Choice],
    conditions: Conditions,
    *,
    finished: Mapping[str, Run],
    tell: Tell,
    keep: Callable[[Sequence[Run]], None],
) -> list[Judged]:
    """Run flows one after the other.

    Args:
        chosen: in this order.
        conditions: the same for all.
        finished: runs by flow that need not be repeated.
        tell: called with each sentence about what comes next.
        keep: given all finished runs after each flow.

    Raises:
        AttemptCancelled: the user cancelled.
        LoopbackAuthError: the finished runs cannot be kept.
    """
    judged: dict[str, Judged] = {name: (run, None) for name, run in finished.items()}
    refused = await _refused([one for one in chosen if one.name not in finished], conditions, tell)
    for name, because in refused.items():
        tell(f"{name}: skipped. {because}")
        judged[name] = _not_possible(name, conditions.client, because)
    left = [one for one in chosen if one.name not in judged]
    for number, one in enumerate(left, 1):
        tell(announced(one.name, number, [later.name for later in left[number:]], count=len(left)))
        name, recorder, end = await run_live(one, conditions)
        judged[name] = assembled(name, recorder, end), recorder
        try:
            told = await _given_up(end, conditions.client)
        finally:
            keep([judged[each.name][0] for each in chosen if each.name in judged])
        tell(f"{name}: {told}")
    return [judged[one.name] for one in chosen]


async def run_live(one: Choice, conditions: Conditions) -> tuple[str, Recorder, SignIn | LoopbackAuthError]:
    """Run one flow; return what was recorded and how it ended. Nothing is kept.

    Raises:
        AttemptCancelled: the user cancelled.
    """
    client, chosen = one.client, conditions.plan.only(one.flow)
    provider = client.provider.name
    recorder = Recorder(one.name, ground="live", provider=provider, clock=time.monotonic)
    terminal = Terminal(Messages(provider, authority="", plan=chosen, pasting=one.flow == "paste"))

    def notice(event: Event) -> None:
        if isinstance(event, PasteReady):
            recorder.opened(event.url, "")
        terminal.notify(event)

    try:
        async with terminal.waiting(conditions.timeout):
            end: SignIn | LoopbackAuthError = await session.sign_in(
                client,
                chosen,
                notify=notice,
                start_page=conditions.start_page,
                timeout=conditions.timeout,
                message=conditions.message,
                paste=terminal.paste,
                observer=recorder,
            )
    except AttemptCancelled:
        raise
    except LoopbackAuthError as exc:
        end = exc
    recorder.ended(end)
    return one.name, recorder, end


def why_not_possible(one: Choice, plan: Plan, answers: Sequence[ProbeAnswer]) -> str:
    """Return why a flow cannot be run, as far as that is known before; empty when it can.

    Args:
        one: the flow.
        plan: what is known about this machine and the provider.
        answers: of the server to the probes.
    """
    if because := plan.refused.get(one.flow, ""):
        return because
    if one.name == RESOURCE and not one.client.resource_server:
        return NO_RESOURCE
    redirected = (REDIRECT_URI, f"response_type={one.flow}") if BY_NAME[one.flow].needs_port else ()
    deciding = DECIDED_BY.get(one.name, redirected)
    no = next((each for each in answers if each.what in deciding and each.verdict == "no"), None)
    if no is None:
        return ""
    return f"{no.what}: {no.because}" + (f" [{no.source}]" if no.source.startswith("RFC") else "")


def announced(name: str, number: int, later: Sequence[str], *, count: int) -> str:
    """Announce a flow, and those after it."""
    rest = f"Next: {', '.join(later)}." if later else "This is the last flow."
    return f"\nFlow {number} of {count}, {name}: sign in with your browser. {rest}"


async def _refused(chosen: Sequence[Choice], conditions: Conditions, tell: Tell) -> dict[str, str]:
    """Probe the server, and return the flows that cannot be run, with the reasons."""
    if not chosen:
        return {}
    client = conditions.client
    answers: Sequence[ProbeAnswer] = ()
    if client.client_id or client.provider.metadata.issuer:
        name = client.provider.name
        tell(f"Checking what {name} supports: at most {LIMIT} requests; you do not have to approve anything.")
        async with Resources(network=client.provider.network) as resources:
            answers = await Driver(resources).run(probe(client, iter(new_attempt, None)))
    reasons = {one.name: why_not_possible(one, conditions.plan, answers) for one in chosen}
    return {name: because for name, because in reasons.items() if because}


def _not_possible(name: str, client: ClientConfig, because: str) -> Judged:
    recorder = Recorder(name, ground="live", provider=client.provider.name, clock=time.monotonic)
    end = Unavailable(because)
    recorder.ended(end)
    return assembled(name, recorder, end), recorder


async def _given_up(end: SignIn | LoopbackAuthError, asking: ClientConfig) -> str:
    """Revoke the tokens, if there are any; return the result in a sentence for the user."""
    if isinstance(end, LoopbackAuthError):
        return end.message
    who = f"signed in as {end.tokens.account}." if end.tokens.account else "signed in."

    async def give_up() -> bool:
        async with Resources(network=end.network) as resources:
            client = client_of(end, asking.client_secret, asking.private_key)
            return await Driver(resources).run(revoke(client, end))

    try:
        revoked = await to_the_end(give_up(), REVOCATION_SECONDS)
    except LoopbackAuthError as exc:
        return f"{who} The tokens are discarded, but could not be revoked: {exc.message}"
    if revoked:
        return f"{who} The tokens are revoked."
    advice = "you can remove the authorization on its website"
    return f"{who} The tokens are discarded, but {end.name} offers no revocation: {advice}."
