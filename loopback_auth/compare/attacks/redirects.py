"""Attacks on what the browser brings: codes and tokens, and the port where they arrive."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlencode

from loopback_auth.compare.attacks.attack_actions import (
    Actions,
    Ask,
    BindAgain,
    End,
    Exposed,
    Outcome,
    Paste,
    Story,
    Until,
    parameter,
)
from loopback_auth.compare.attacks.attack_steps import (
    answer_text,
    approve,
    as_theirs,
    deliver,
    login_text,
    redeem,
    signed_in,
    token_in,
    token_works,
)
from loopback_auth.compare.attacks.context import (
    THEIR_ACCOUNT,
    THEIR_PAGE,
    THEIR_STATE,
    AttackContext,
    from_page,
    from_script,
)
from loopback_auth.demo.agent import Navigation
from loopback_auth.errors import IssuerMismatch
from loopback_auth.model import AuthorizationRequest

FORGED = "code=a-code-that-nobody-issued"
DENIAL = "error=access_denied"


def stolen_answer(context: AttackContext) -> Story:
    """Another process has read the answer where it passes, and uses it before we do."""
    exposed = yield from Until("answer")
    accepted, got = yield from _used(context, exposed)
    result = yield from End()
    return Outcome(accepted, f"Whoever reads the answer has {got}. {login_text(result)}")


def squatted_port(context: AttackContext) -> Story:
    """Another process wants our port; then, as if it had it, it makes what it can of what comes there."""
    exposed = yield from Until("answer")
    shared = yield from BindAgain(exposed.redirect_uri.partition("://")[2].partition("/")[0])
    accepted, got = yield from _used(context, exposed)
    result = yield from End()
    return Outcome(accepted, f"{shared} Whoever has the port has {got}. {login_text(result)}".strip())


def _used(context: AttackContext, exposed: Exposed) -> Actions[tuple[bool | None, str]]:
    """Use what the browser is about to bring us; return whether it was worth something, and what it was."""
    if token := exposed.brought("access_token"):
        accepted = yield from token_works(context, token)
        return accepted, f"the access token, which {'works' if accepted else 'does not work'}"
    if code := exposed.brought("code"):
        accepted, said = yield from redeem(context, partial(context.code_request, code, exposed.redirect_uri))
        return accepted, f"the code, which got: {said}"
    return None, "neither code nor token"


def forged_callback(context: AttackContext) -> Story:
    """While we wait, somebody else's callbacks reach our port."""
    exposed = yield from Until("answer")
    return (yield from _forged(context, exposed, FORGED))


def false_denial(context: AttackContext) -> Story:
    """While we wait, somebody says that the person has refused."""
    exposed = yield from Until("answer")
    return (yield from _forged(context, exposed, DENIAL))


def _forged(context: AttackContext, exposed: Exposed, parameters: str) -> Story:
    said = yield from _forgeries(context, exposed, parameters)
    result = yield from End()
    # A sign-in that fails by itself shows nothing.
    succeeded = True if result.taken else False if signed_in(result) else None
    return Outcome(succeeded, f"{said} {login_text(result)}")


def _forgeries(context: AttackContext, exposed: Exposed, parameters: str) -> Actions[str]:
    """Bring a forged answer in every way; say what each got."""
    stated = f"{parameters}&{urlencode({'state': THEIR_STATE})}"
    uri = exposed.redirect_uri
    ways = {
        "with another state": from_page(f"{uri}?{stated}"),
        "without one": from_page(f"{uri}?{parameters}"),
        "by a script": from_script(f"{uri}?{stated}"),
        "as a form": from_page(uri, stated),
    }
    said = []
    for how, request in ways.items():
        answer = yield from Ask(request)
        said.append(f"{how} {answer_text(answer)}")
    if context.flow == "paste":
        refusal = yield from Paste(f"{uri}?{stated}")
        said.append(f"pasted {refusal!a}" if refusal else "pasted and taken")
    return f"Forged answers got: {', '.join(said)}."


def fixation(context: AttackContext) -> Story:
    """The attacker approves for themselves, and has our person's browser bring us that answer."""
    return (yield from _foreign(context, our_state=False))


def injection(context: AttackContext) -> Story:
    """The same by somebody who has got to know our state."""
    return (yield from _foreign(context, our_state=True))


def _foreign(context: AttackContext, *, our_state: bool) -> Story:
    exposed = yield from Until("answer")
    request = context.request(exposed.redirect_uri, state=exposed.state if our_state else THEIR_STATE)
    step, answer = yield from approve(request, account=THEIR_ACCOUNT)
    if step is None:
        return Outcome(None, f"The attacker got no answer of their own: {answer_text(answer)}.")
    received = yield from deliver(context, step)
    result = yield from End()
    what = "token" if context.flow == "token" else "code"
    state = "our state" if our_state else "their own state"
    because = f"The attacker's own {what} with {state} was {'taken' if result.taken else received}."
    return Outcome(as_theirs(result), f"{because} {login_text(result)}")


def mix_up(context: AttackContext) -> Story:
    """Our client signs in at the attacker's server, which lets the real one answer in its place."""
    result = yield from End()
    got = context.impostor.got if context.impostor is not None else []
    if not got:
        if not isinstance(result.end, IssuerMismatch):
            return Outcome(None, f"Nothing came to the attacker's own endpoints. {login_text(result)}")
        because = (
            "The answer did not name the server that was asked, and our sign-in ended there: nothing came"
        )
        return Outcome(False, f"{because} to the attacker's own endpoints.")
    token = got[0].header("authorization").partition(" ")[2]
    brought = f"the token{'' if token else ' request, with code and verifier'}"
    if not token:
        form = parse_qsl(got[0].body.decode("latin-1"))
        token = token_in((yield from Ask(context.token_request(form))))
    accepted = yield from token_works(context, token)
    verb = "accepted" if accepted else "did not accept"
    because = f"Our client brought {brought} to the attacker's server; the real server {verb} what it had."
    return Outcome(accepted, f"{because} {login_text(result)}")


def phished(context: AttackContext) -> Story:
    """The person is sent a link of the attacker's and approves; the attacker waits for what comes of it."""
    request = context.request(f"{THEIR_PAGE}/callback")
    step, refusal = yield from approve(request)
    if step is not None:
        accepted = yield from _token_of(context, request, step)
        what = "what works" if accepted else "what does not work"
        return Outcome(accepted, f"The server answers at an address of the attacker's, who gets {what}.")
    exposed = yield from Until("answer")
    request = context.request(exposed.redirect_uri)
    step, answer = yield from approve(request)
    if step is None:
        return Outcome(None, f"Nothing came of the link: {answer_text(answer)}.")
    if context.flow == "paste":
        accepted = yield from _token_of(context, request, step)
        whose = "The person copies the address to the attacker, as this flow has taught them"
        end = f"{whose}: the code in it {'was redeemed' if accepted else 'could not be redeemed'}."
    else:
        accepted = False
        received = yield from deliver(context, step)
        end = (
            f"The answer went to the person's own machine and was {received} there; the attacker has nothing"
        )
        end = f"{end}, unless the person copies the address over."
    result = yield from End()
    because = f"No answer goes to an address of the attacker's ({answer_text(refusal)}). {end}"
    return Outcome(accepted, f"{because} {login_text(result)}")


def _token_of(context: AttackContext, request: AuthorizationRequest, step: Navigation) -> Actions[bool]:
    """Make what can be made of an answer to the attacker's own request; return whether it was worth it."""
    token = parameter(step, "access_token")
    if code := parameter(step, "code"):
        verifier = request.code_verifier or ""
        token = token_in((yield from Ask(context.code_request(code, request.redirect_uri, verifier))))
    return bool(token) and (yield from token_works(context, token))
