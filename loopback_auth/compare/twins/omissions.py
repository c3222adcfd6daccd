"""What a twin of a flow goes without: a class for each defence, with the clause that asks for it.

Theory of operation. Neither the client nor the receiver of this package has a switch that turns a defence
off. A twin runs the same flow, and the defence is taken away around it: values are left out of its requests,
and put into the responses that it gets, so that its own checks find what they look for, whatever came. Where
the server defends, a fault of the demonstration server takes the defence away; where the receiver does, a
subclass of the simulated world skips one check.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import parse_qsl, urlencode

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest, Callback
from loopback_auth.compare.attacks.memory import AttackedWorld
from loopback_auth.compare.twins.rewriting import Pairs, in_authorization_request, in_form, leave_out
from loopback_auth.demo.faults import Faults
from loopback_auth.effects import Effect, Receive, Send
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.json import object_or_none
from loopback_auth.protocol.jws import decode
from loopback_auth.protocol.paste import NotAccepted, Pasted, pasted_callback
from loopback_auth.protocol.pkce import base64url
from loopback_auth.protocol.redirect import RelayPage, Repeated, TurnedAway, redirect_endpoint


class Omission:
    """Leaves nothing out; each subclass leaves out one defence."""

    world: ClassVar[type[AttackedWorld]] = AttackedWorld
    """Decides what the program accepts as a response."""
    start_page: ClassVar[bool] = True
    """The browser is started with the address of the start page, not with the link itself."""

    def client(self, client: ClientConfig) -> ClientConfig:
        """Return the client of the twin, as which the attacker acts, too."""
        return client

    def server(self, faults: Faults) -> Faults:
        """Return the faults of the server of the twin."""
        return faults

    def sent(self, effect: Effect, _attempt: Attempt) -> Effect:
        """Return what the world performs in place of an effect."""
        return effect

    def answered(self, _effect: Effect, answer: object, _attempt: Attempt) -> object:
        """Return what the flow gets in place of an answer."""
        return answer


class NoPkce(Omission):
    """Neither challenge nor verifier, at a server that does not insist.

    Source: RFC 7636 §4.3, §4.5; RFC 9700 §2.1.1.
    """

    def server(self, faults: Faults) -> Faults:
        """Break the rule."""
        return replace(faults, pkce_optional=True)

    def client(self, client: ClientConfig) -> ClientConfig:
        """Use the setting for providers that refuse the parameters of PKCE."""
        return replace(client, provider=replace(client.provider, pkce=False))


class PlainChallenge(Omission):
    """The challenge is the verifier itself, which the browser then carries in its address.

    Source: RFC 7636 §4.2, §7.2; RFC 9700 §2.1.1.
    """

    def server(self, faults: Faults) -> Faults:
        """Break the rule."""
        return replace(faults, plain_challenges=True)

    def sent(self, effect: Effect, attempt: Attempt) -> Effect:
        """Send the verifier in place of its hash."""

        def plain(pairs: Pairs) -> Pairs:
            values = {"code_challenge": attempt.code_verifier, "code_challenge_method": "plain"}
            return [(name, values.get(name, value)) for name, value in pairs]

        return in_authorization_request(effect, plain)


class OptionalPkce(Omission):
    """The server issues a code also without a challenge, and such a code fits every verifier.

    Source: RFC 9700 §4.8.2.
    """

    def server(self, faults: Faults) -> Faults:
        """Break the rule."""
        return replace(faults, pkce_optional=True)


class ReusableCode(Omission):
    """The server accepts a code or ticket that was used before.

    Source: RFC 6749 §4.1.2; RFC 8628 §3.5.
    """

    def server(self, faults: Faults) -> Faults:
        """Break the rule."""
        return replace(faults, reusable=True)


class LooseRedirect(Omission):
    """The server accepts every redirect URI that begins like a registered one.

    Source: RFC 9700 §2.1, §4.1.3; RFC 8252 §7.3 (only the port may differ).
    """

    def server(self, faults: Faults) -> Faults:
        """Break the rule."""
        return replace(faults, loose_redirect_uris=True)


class UnlimitedUserCodes(Omission):
    """The server lets user codes be guessed without a limit.

    Source: RFC 8628 §5.1.
    """

    def server(self, faults: Faults) -> Faults:
        """Break the rule."""
        return replace(faults, unlimited_user_codes=True)


@dataclass(frozen=True, slots=True)
class AnyState:
    """An authorization request that accepts a response with any state.

    Args:
        response_mode: how the response was asked to travel.
        state: none.
    """

    response_mode: str
    state: None = None


class StatelessWorld(AttackedWorld):
    """A receiver that does not look at the state, and keeps every other rule."""

    def judged(self, request: HttpRequest) -> Callback | RelayPage | Repeated | TurnedAway:
        """Take the first response, also one of a login that another user began."""
        expected = self._endpoint.request
        if expected is None:
            return super().judged(request)
        endpoint = replace(self._endpoint, request=AnyState(expected.response_mode))
        return redirect_endpoint(endpoint, request)

    def unwrapped(self, text: str, request: AuthorizationRequest) -> Pasted | NotAccepted:
        """Take what is pasted, also from a login that another user began."""
        address, _, query = text.partition("?")
        others = leave_out("state")(parse_qsl(query))
        return pasted_callback(f"{address}?{urlencode([*others, ('state', request.state)])}", request)


class NoState(Omission):
    """No state is sent, and none is expected.

    Source: RFC 6749 §10.12; RFC 8252 §8.9; RFC 9700 §4.7.1.
    """

    world: ClassVar[type[AttackedWorld]] = StatelessWorld

    def sent(self, effect: Effect, _attempt: Attempt) -> Effect:
        """Leave the state out."""
        return in_authorization_request(effect, leave_out("state"))

    def answered(self, _effect: Effect, answer: object, attempt: Attempt) -> object:
        """Give every response the right state."""
        return _with(answer, "state", attempt.state)


class NoIssuerCheck(Omission):
    """The response may be from any server.

    Source: RFC 9207 §2.4; RFC 9700 §4.4.2.
    """

    def answered(self, effect: Effect, answer: object, _attempt: Attempt) -> object:
        """Give every response the right issuer."""
        issuer = effect.request.metadata.issuer if isinstance(effect, Receive) else None
        return answer if issuer is None else _with(answer, "iss", issuer)


class NoNonce(Omission):
    """No nonce is sent, and none is expected in the ID token.

    Source: OpenID Connect Core 1.0 §3.1.3.7, §15.5.2; RFC 9700 §4.5.3.2.
    """

    def sent(self, effect: Effect, _attempt: Attempt) -> Effect:
        """Leave the nonce out."""
        return in_authorization_request(effect, leave_out("nonce"))

    def answered(self, effect: Effect, answer: object, attempt: Attempt) -> object:
        """Give every ID token the right nonce; signatures are not checked in memory."""
        if not isinstance(effect, Send) or effect.step != "token request":
            return answer
        members = object_or_none(answer.body) if isinstance(answer, HttpResponse) else None
        raw = (members or {}).get("id_token")
        if not isinstance(answer, HttpResponse) or not isinstance(raw, str):
            return answer
        changed = {**(members or {}), "id_token": _with_claim(raw, "nonce", attempt.nonce)}
        return replace(answer, body=json.dumps(changed).encode("utf-8"))


class CodeInAddress(Omission):
    """The response travels in the query of the redirect URI.

    Source: RFC 9700 §4.3.1; OAuth 2.0 Form Post Response Mode §2.
    """

    def client(self, client: ClientConfig) -> ClientConfig:
        """Ask for the usual response mode of codes."""
        return replace(client, response_mode="query")


class NoStartPage(Omission):
    """The browser is started with the link itself, which every process can read in its command line.

    Source: jupyter/notebook#4260.
    """

    start_page: ClassVar[bool] = False


class RequestInAddress(Omission):
    """The browser carries the authorization request itself, not a reference to it.

    Source: RFC 9126 §1 (no integrity, no confidentiality, no early check).
    """

    def client(self, client: ClientConfig) -> ClientConfig:
        """Do not push the request."""
        return replace(client, push=None)


class BearerTokens(Omission):
    """The tokens are bound to no key.

    Source: RFC 9449 §2; RFC 6750 §1.2.
    """

    def client(self, client: ClientConfig) -> ClientConfig:
        """Send no proofs."""
        return replace(client, dpop=False)


class AnyResource(Omission):
    """The token is asked for without saying where it is going to be used, and works everywhere.

    Source: RFC 8707 §2, §3; RFC 9700 §2.3, §4.9.1.
    """

    def server(self, faults: Faults) -> Faults:
        """Break the rule."""
        return replace(faults, unbound_tokens=True)

    def sent(self, effect: Effect, _attempt: Attempt) -> Effect:
        """Leave the resource out of both requests."""
        change = leave_out("resource")
        return in_form(in_authorization_request(effect, change), "token request", change)


def _with(answer: object, name: str, value: str) -> object:
    """Return a callback with this value of a parameter; anything else stays as it is."""
    if not isinstance(answer, Callback):
        return answer
    others = tuple(pair for pair in answer.parameters if pair[0] != name)
    return replace(answer, parameters=(*others, (name, value)))


def _with_claim(raw: str, name: str, value: str) -> str:
    """Return a JWT with this value of a claim, under its old signature."""
    head, _, signature = raw.split(".")
    claims = json.dumps({**decode(raw)[1], name: value})
    return ".".join((head, base64url(claims.encode("utf-8")), signature))
