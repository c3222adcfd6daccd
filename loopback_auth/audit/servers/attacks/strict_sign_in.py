"""Signs in as our own client does, which keeps every rule and checks every answer.

What this client refuses is a fault of the server: its answers are not those of the RFCs. The flow is the one
that signs people in, with the simulated browser in place of theirs.

Source: RFC 8252 §7.3; RFC 6749 §4.1; OpenID Connect Core 1.0 §3.1.3.7.
"""

from __future__ import annotations

from loopback_auth.audit.servers.attacks.attack_session import AttackSession, applies, need, told, undecided
from loopback_auth.authorization_messages import Callback
from loopback_auth.compare.attacks.attack_actions import Outcome
from loopback_auth.effects import Bind, Browse, Flow, FlowResult, Now, Receive, Send, Warn, resume_flow
from loopback_auth.errors import LoopbackAuthError, OAuthError, ProtocolError, Unavailable
from loopback_auth.flows.code import authorization_code
from loopback_auth.http_messages import HttpResponse
from loopback_auth.records import replace
from loopback_auth.redact import server_text
from loopback_auth.tokens import SignIn


class _NotBack(Unavailable):
    """The browser did not come back to the redirect URI."""


def strict_sign_in(session: AttackSession) -> Flow[Outcome]:
    """Sign in, and keep what came of it for the attacks.

    Source: RFC 6749 §4.1; RFC 7636 §4.
    """
    client = replace(session.client, response_mode="query", push=None)
    flow = authorization_code(client, next(session.attempts), verify_signature=session.verify_signature)
    warnings: list[str] = []
    try:
        session.sign_in = yield from _played(session, flow, warnings)
    except _NotBack as exc:
        return Outcome(None, exc.message)
    except OAuthError as exc:
        return Outcome(None, f"The server refuses the sign-in: {server_text(exc.message, 200)}.")
    except ProtocolError as exc:
        return Outcome(True, f"{server_text(exc.message, 300).rstrip('.')} ({exc.source}).")
    except LoopbackAuthError as exc:
        return Outcome(None, f"{server_text(exc.message, 300).rstrip('.')}.")
    more = f" It warned: {server_text(' '.join(warnings), 300)}" if warnings else ""
    return Outcome(False, f"A client that checks everything has signed in.{more}")


def bound_token(session: AttackSession) -> Flow[Outcome]:
    """Use a token that is bound to a key as one does who has stolen it: without the key.

    Source: RFC 9449 §7.1, §7.2.
    """
    offered = session.metadata.document.get("dpop_signing_alg_values_supported")
    applies(offered, "The metadata announce no DPoP.")
    applies(session.metadata.userinfo_endpoint, "The server has no UserInfo endpoint.")
    need(session.sign_in is not None, "The sign-in without a key has not succeeded.")
    need(session.bound_attempts is not None, "No key can be made here: install the extra oidc.")
    attempt = next(session.bound_attempts or iter(()))
    client = replace(session.client, response_mode="query", push=None, dpop=True)
    try:
        sign_in = yield from _played(session, authorization_code(client, attempt), [])
    except ProtocolError as exc:
        return Outcome(True, f"{server_text(exc.message, 300).rstrip('.')} ({exc.source}).")
    response = yield from session.userinfo(sign_in.tokens.access_token)
    if response is None or undecided(response):
        return Outcome(None, "UserInfo did not answer.")
    if response.status == 200:
        return Outcome(True, "A token that is bound to a key works without it, as a bearer token.")
    return Outcome(False, f"A token that is bound to a key is refused without it: {told(response)}.")


def _played(session: AttackSession, flow: Flow[SignIn], warnings: list[str]) -> Flow[SignIn]:
    """Run the flow: requests and the time pass through, the rest is done here."""
    answer: object = None
    try:
        while not isinstance(step := resume_flow(flow, answer), FlowResult):
            match step:
                case Bind():
                    answer = session.redirect_uri
                case Browse(url):
                    answer = yield from _visited(session, url)
                case Receive():
                    answer = _callback(session)
                case Warn(text):
                    warnings.append(text)
                    answer = None
                case Send() | Now():
                    answer = yield from _passed_on(session, step)
                case _:
                    raise AssertionError(f"This flow cannot have the effect {type(step).__name__}.")
        return step.value
    finally:
        flow.close()


def _visited(session: AttackSession, url: str) -> Flow[LoopbackAuthError | None]:
    try:
        session.latest = yield from session.browser.visit(url, session.stops)
    except LoopbackAuthError as exc:
        return exc
    session.first = session.first or session.latest
    return None


def _callback(session: AttackSession) -> Callback | LoopbackAuthError:
    visit = session.latest
    if visit is None or not visit.address:
        return _NotBack("The browser did not come back." if visit is None else visit.told)
    return Callback(visit.parameters, visit.via)


def _passed_on(session: AttackSession, step: Send | Now) -> Flow[object]:
    try:
        answer: object = yield step
    except LoopbackAuthError as exc:
        return exc
    if isinstance(step, Send) and step.step == "token request" and isinstance(answer, HttpResponse):
        session.answer = session.answer or answer
    return answer
