"""A flow without some of its defences: the same flow in the same world, with what is left out taken away.

A twin runs in memory alone. It asks for an ID token, so that there is a nonce to leave out; the signature of
that token is not checked there, as TLS protects it (OpenID Connect Core 1.0 §3.1.3.7).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from loopback_auth.authorization_messages import Attempt
from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.attacks.memory import AttackedWorld
from loopback_auth.compare.model import Attack
from loopback_auth.compare.running.choices import Choice, choice
from loopback_auth.compare.running.simulate import Entropy
from loopback_auth.compare.twins.defences import Defence
from loopback_auth.compare.twins.rewriting import rewritten
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.server import DemoServer
from loopback_auth.effects import Effect, Flow
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.pkce import base64url
from loopback_auth.tokens import SignIn


class UncheckedSigner:
    """A signer for programs that do not check signatures: they need no package, and are always the same."""

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return the claims as a JWT whose signature is none."""
        header = {"alg": "RS256", "typ": "JWT"}
        parts = [base64url(json.dumps(part).encode("utf-8")) for part in (header, dict(claims))]
        return ".".join((*parts, base64url(b"not checked")))

    def jwks(self) -> Mapping[str, object]:
        """Publish no key."""
        return {"keys": []}


@dataclass(frozen=True, slots=True)
class Twin:
    """One column: a flow without some of its defences, or the whole flow.

    Args:
        flow: name of the run.
        left_out: the defences that it goes without.
    """

    flow: str
    left_out: tuple[Defence, ...] = ()

    @property
    def title(self) -> str:
        """Name of the column."""
        names = "+".join(one.name for one in self.left_out)
        return f"{self.flow} without {names}" if names else self.flow

    def choice(self, flow: str, client: ClientConfig) -> Choice:
        """Return the flow and the client to run."""
        one = choice(flow, client)
        for defence in self.left_out:
            one = replace(one, client=defence.omission.client(one.client))
        return replace(one, rewrite=self.rewritten)

    def rewritten(self, flow: Flow[SignIn], attempt: Attempt) -> Flow[SignIn]:
        """Return a flow in place of the whole one."""
        for defence in self.left_out:
            flow = rewritten(flow, _Bound(defence, attempt))
        return flow

    def server(self, issuer: str, *, device_interval: int = 5) -> DemoServer:
        """Make the demonstration server, which breaks the rules that the twin goes without.

        Args:
            issuer: its origin.
            device_interval: seconds between two polls of a device code (RFC 8628 §3.2).
        """
        faults = Faults()
        for defence in self.left_out:
            faults = defence.omission.server(faults)
        return DemoServer(
            issuer,
            entropy=Entropy("server under attack"),
            signer=UncheckedSigner(),
            faults=faults,
            device_interval=device_interval,
        )

    def world(self, flow: str, server: DemoServer) -> AttackedWorld:
        """Make the world, in which an attacker may act."""
        omitted = [one.omission for one in self.left_out]
        kinds = [one.world for one in omitted if one.world is not AttackedWorld]
        make = kinds[0] if kinds else AttackedWorld
        return make(flow, server, start_page=all(one.start_page for one in omitted))

    def attacks(self) -> tuple[Attack, ...]:
        """Try every attack; attackers have the time to wait between two polls."""
        serving = partial(self.server, device_interval=0)
        return simulated_attacks(
            self.flow, serving=serving, world=self.world, choose=self.choice, openid=True
        )


@dataclass(frozen=True, slots=True)
class _Bound:
    """An omission in one login, whose random values are known."""

    defence: Defence
    attempt: Attempt = field(repr=False)

    def sent(self, effect: Effect) -> Effect:
        return self.defence.omission.sent(effect, self.attempt)

    def answered(self, effect: Effect, answer: object) -> object:
        return self.defence.omission.answered(effect, answer, self.attempt)
