"""Explain a sign-in for a resource of which only the URL is known: asked just now, then rehearsed.

What the resource and its authorization server answer without a token is real, and nothing is changed by
asking. The rest is played in memory with the addresses that they gave.

Source: RFC 9728 §5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile

from loopback_auth.compare.model import RESOURCE, Run
from loopback_auth.compare.running.choices import MCP, choice, demo_client
from loopback_auth.compare.running.run import assembled
from loopback_auth.compare.running.simulate import ISSUER, Entropy, simulate, simulated_world
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.memory import OURS
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.setup import PATHS, REGISTRATION
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.explain.narration import Story, rehearsed_story
from loopback_auth.explain.rehearsal import ANY_PORT, CALLBACK
from loopback_auth.explain.wording import Wording
from loopback_auth.flows.resource import ResourceAccess
from loopback_auth.model import ClientConfig
from loopback_auth.trace.evidence import authorization_request
from loopback_auth.trace.records import Exchange, Step, Trace

STAND_IN = "CLIENT_ID"
DISCOVERY = frozenset({"request without a token", "resource metadata request", "metadata request"})
"""What is asked before anything is registered."""


def resource_story(client: ClientConfig, access: ResourceAccess, asked: Trace) -> Story:
    """Explain how a program signs in for a resource.

    Args:
        client: with the URL of the resource.
        access: what was found.
        asked: the requests that were made for that.
    """
    endpoint = access.metadata.document.get("registration_endpoint")
    registers = isinstance(endpoint, str)
    run = _rehearsed(registers=registers and not client.client_id)
    made = tuple(entry for entry in asked.entries if isinstance(entry, Exchange))
    before = tuple(takewhile(lambda entry: not isinstance(entry, Exchange), run.trace.entries))
    after = tuple(
        entry
        for entry in run.trace.entries[len(before) :]
        if not (isinstance(entry, Exchange) and entry.step in DISCOVERY)
    )
    numbers = frozenset(range(len(before) + 1, len(before) + len(made) + 1))
    trace = replace(run.trace, entries=_numbered((*before, *made, *after)))
    addresses = _addresses(client, access, run.trace, endpoint if isinstance(endpoint, str) else "")

    def translated(text: str) -> str:
        for ours, theirs in addresses.items():
            text = text.replace(ours, theirs)
        return text

    wording = Wording(
        client.provider.shown_name,
        translated,
        rehearsed=True,
        declared=replace(client.provider, metadata=access.metadata),
        asked=numbers,
    )
    return rehearsed_story(replace(run, trace=trace), wording)


def _rehearsed(*, registers: bool) -> Run:
    chosen, world = choice(RESOURCE, demo_client(ISSUER)), simulated_world(RESOURCE)
    if not registers:
        chosen = replace(chosen, client=replace(chosen.client, client_id=STAND_IN, client_metadata=None))
        known = DemoClient(STAND_IN, None, (CALLBACK,))
        world.server = DemoServer(ISSUER, entropy=Entropy(f"server of {RESOURCE}"), clients=(known,))
    recorder, end = simulate(chosen, world)
    if isinstance(end, LoopbackAuthError):
        raise end
    return assembled(RESOURCE, recorder, end)


def _addresses(
    client: ClientConfig, access: ResourceAccess, rehearsed: Trace, registration_endpoint: str
) -> Mapping[str, str]:
    """Return what stands for each address of the demonstration, and for its scope, the longest first."""
    message = authorization_request(rehearsed)
    scope = message.parameters.get("scope", "") if message is not None else ""
    addresses = {
        CALLBACK: f"http://127.0.0.1:{ANY_PORT}/callback",
        OURS: f"http://127.0.0.1:{ANY_PORT}",
        ISSUER + MCP: access.resource,
        ISSUER + REGISTRATION: registration_endpoint,
        ISSUER: access.metadata.issuer or client.resource_server,
        **({scope: access.scope or "the server's default"} if scope else {}),
    }
    for name, path in PATHS.items():
        addresses[ISSUER + path] = getattr(access.metadata, name) or f"{{{name}}}"
    return dict(sorted(addresses.items(), key=lambda pair: len(pair[0]), reverse=True))


def _numbered(entries: tuple[Step | Exchange, ...]) -> tuple[Step | Exchange, ...]:
    return tuple(replace(entry, number=number) for number, entry in enumerate(entries, 1))
