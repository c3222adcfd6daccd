"""Attacks on the redirect: on codes and tokens in it, and on the port where it arrives."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlencode

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.compare.attacks.attack_actions import (
    Actions,
    Ask,
    BindAgain,
    End,
    Exposed,
    Outcome,
    Paste,
    Scenario,
    Until,
    parameter,
)
from loopback_auth.compare.attacks.attack_steps import (
    answer_text,
    approve,
    deliver,
    in_attacker_account,
    login_succeeded,
    login_text,
    redeem,
    token_in,
    token_works,
)
from loopback_auth.compare.attacks.context import (
    ATTACKER_ACCOUNT,
    ATTACKER_PAGE,
    ATTACKER_STATE,
    AttackContext,
    from_page,
    from_script,
)
from loopback_auth.demo.agent import Navigation
from loopback_auth.errors import IssuerMismatch
from loopback_auth.records import replace

LOOKALIKE = "http://127.0.0.1.attacker.example"
"""A host of the attacker's, whose name begins like the registered one."""
FORGED = "code=a-code-that-was-never-issued"
DENIAL = "error=access_denied"


def stolen_answer(context: AttackContext) -> Scenario:
    """Another process has read the response in the browser, and uses it before the program does."""
    exposed = yield from Until("answer")
    accepted, got = yield from _used(context, exposed)
    result = yield from End()
    return Outcome(accepted, f"A process that reads the response has {got}. {login_text(result)}")


def squatted_port(context: AttackContext) -> Scenario:
    """Another process tries to take the port; then it uses what comes there, as if it had the port."""
    exposed = yield from Until("answer")
    shared = yield from BindAgain(exposed.redirect_uri.partition("://")[2].partition("/")[0])
    accepted, got = yield from _used(context, exposed)
    result = yield from End()
    return Outcome(accepted, f"{shared} A process that has the port has {got}. {login_text(result)}".strip())


def _used(context: AttackContext, exposed: Exposed) -> Actions[tuple[bool | None, str]]:
    """Use the code or token that the browser is about to bring; return whether it worked, and describe it."""
    if token := exposed.brought("access_token"):
        accepted = yield from token_works(context, token)
        return accepted, f"the access token, which {'works' if accepted else 'does not work'}"
    if code := exposed.brought("code"):
        accepted, said = yield from redeem(context, partial(context.code_request, code, exposed.redirect_uri))
        return accepted, f"the code; its exchange got: {said}"
    return None, "neither code nor token"


def forged_callback(context: AttackContext) -> Scenario:
    """While the program waits, forged callbacks reach its port."""
    exposed = yield from Until("answer")
    return (yield from _forged(context, exposed, FORGED))


def false_denial(context: AttackContext) -> Scenario:
    """While the program waits, a forged callback says that the user has denied the request."""
    exposed = yield from Until("answer")
    return (yield from _forged(context, exposed, DENIAL))


def _forged(context: AttackContext, exposed: Exposed, parameters: str) -> Scenario:
    said = yield from _forgeries(context, exposed, parameters)
    result = yield from End()
    # A login that fails for another reason shows nothing.
    succeeded = True if result.taken else False if login_succeeded(result) else None
    return Outcome(succeeded, f"{said} {login_text(result)}")


def _forgeries(context: AttackContext, exposed: Exposed, parameters: str) -> Actions[str]:
    """Send a forged response in each possible form, and say what each got."""
    stated = f"{parameters}&{urlencode({'state': ATTACKER_STATE})}"
    uri = exposed.redirect_uri
    ways = {
        "with a wrong state": from_page(f"{uri}?{stated}"),
        "without a state": from_page(f"{uri}?{parameters}"),
        "by a script": from_script(f"{uri}?{stated}"),
        "as a form": from_page(uri, stated),
    }
    said: list[str] = []
    for how, request in ways.items():
        answer = yield from Ask(request)
        said.append(f"{how} {answer_text(answer)}")
    if context.flow == "paste":
        refusal = yield from Paste(f"{uri}?{stated}")
        said.append(f"pasted {refusal!a}" if refusal else "pasted and accepted")
    return f"Forged responses got: {', '.join(said)}."


def fixation(context: AttackContext) -> Scenario:
    """The attacker approves with their own account, and makes the user's browser deliver that response."""
    return (yield from _foreign(context, our_state=False))


def injection(context: AttackContext) -> Scenario:
    """The same by an attacker who has learned the correct state."""
    return (yield from _foreign(context, our_state=True))


def _foreign(context: AttackContext, *, our_state: bool) -> Scenario:
    exposed = yield from Until("answer")
    request = context.request(exposed.redirect_uri, state=exposed.state if our_state else ATTACKER_STATE)
    step, answer = yield from approve(request, account=ATTACKER_ACCOUNT)
    if step is None:
        return Outcome(None, f"The attacker got no response of their own: {answer_text(answer)}.")
    received = yield from deliver(context, step)
    result = yield from End()
    what = "token" if context.flow == "token" else "code"
    state = "the correct state" if our_state else "their own state"
    because = f"The attacker's own {what} with {state} was {'accepted' if result.taken else received}."
    return Outcome(in_attacker_account(result), f"{because} {login_text(result)}")


def downgraded(context: AttackContext) -> Scenario:
    """The attacker's own code was issued without a challenge, and is delivered with the correct state."""
    exposed = yield from Until("answer")
    request = context.request(exposed.redirect_uri, state=exposed.state)
    bare = [pair for pair in request.parameters if not pair[0].startswith("code_challenge")]
    endpoint = request.url.partition("?")[0]
    step, answer = yield from approve(
        replace(request, url=f"{endpoint}?{urlencode(bare)}"), account=ATTACKER_ACCOUNT
    )
    if step is None or not parameter(step, "code"):
        result = yield from End()
        said = parameter(step, "error") if step is not None else answer_text(answer)
        because = f"The server issued no code without a challenge: {said}."
        return Outcome(False, f"{because} {login_text(result)}")
    received = yield from deliver(context, step)
    result = yield from End()
    because = f"The attacker's own code without a challenge was {'accepted' if result.taken else received}."
    return Outcome(in_attacker_account(result), f"{because} {login_text(result)}")


def mix_up(context: AttackContext) -> Scenario:
    """The program signs in at the attacker's server, which redirects the browser to the real one."""
    result = yield from End()
    got = context.impostor.got if context.impostor is not None else []
    if not got:
        if not isinstance(result.end, IssuerMismatch):
            return Outcome(None, f"Nothing reached the attacker's endpoints. {login_text(result)}")
        because = (
            "The response did not name the server that the program asked, so the login ended: nothing reached"
        )
        return Outcome(False, f"{because} the attacker's endpoints.")
    token = got[0].header("authorization").partition(" ")[2]
    brought = f"the token{'' if token else ' request, with code and verifier'}"
    if not token:
        form = parse_qsl(got[0].body.decode("latin-1"))
        token = token_in((yield from Ask(context.token_request(form))))
    accepted = yield from token_works(context, token)
    verb = "accepted" if accepted else "did not accept"
    because = f"The program sent {brought} to the attacker's server; the real server {verb} it from there."
    return Outcome(accepted, f"{because} {login_text(result)}")


def phished(context: AttackContext) -> Scenario:
    """The attacker sends the user a link, and the user approves (phishing)."""
    refusals: list[str] = []
    for host in (ATTACKER_PAGE, LOOKALIKE):
        request = context.request(f"{host}/callback")
        step, refusal = yield from approve(request)
        if step is not None:
            accepted = yield from _token_of(context, request, step)
            what = "a token that works" if accepted else "nothing that works"
            because = (
                f"The server redirects to {host}, which is the attacker's, and the attacker gets {what}."
            )
            return Outcome(accepted, because)
        refusals.append(answer_text(refusal))
    exposed = yield from Until("answer")
    request = context.request(exposed.redirect_uri)
    step, answer = yield from approve(request)
    if step is None:
        return Outcome(None, f"The link led to no redirect: {answer_text(answer)}.")
    if context.flow == "paste":
        accepted = yield from _token_of(context, request, step)
        whose = "The user sends the URL to the attacker, since this flow teaches users to copy URLs"
        end = f"{whose}: the code in it {'was exchanged' if accepted else 'could not be exchanged'}."
    else:
        accepted = False
        received = yield from deliver(context, step)
        end = (
            f"The response went to the user's own machine, where it was {received}; the attacker gets nothing"
        )
        end = f"{end}, unless the user sends them the URL."
    result = yield from End()
    because = f"The server does not redirect to the attacker's URL ({', '.join(refusals)}). {end}"
    return Outcome(accepted, f"{because} {login_text(result)}")


def _token_of(context: AttackContext, request: AuthorizationRequest, step: Navigation) -> Actions[bool]:
    """Use the response to the attacker's own request; return whether that gave a token that works."""
    token = parameter(step, "access_token")
    if code := parameter(step, "code"):
        verifier = request.code_verifier or ""
        token = token_in((yield from Ask(context.code_request(code, request.redirect_uri, verifier))))
    return bool(token) and (yield from token_works(context, token))
