"""Attacks on what the browser brings: codes and tokens, and the port where they arrive."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlencode

from loopback_auth.compare.attacks.acts import (
    Acts,
    Ask,
    End,
    Outcome,
    Paste,
    Share,
    Sight,
    Story,
    Until,
    parameter,
)
from loopback_auth.compare.attacks.deeds import (
    approved,
    as_theirs,
    delivered,
    ours,
    redeemed,
    signed_in,
    token_in,
    told,
    works,
)
from loopback_auth.compare.attacks.scene import (
    THEIR_ACCOUNT,
    THEIR_PAGE,
    THEIR_STATE,
    Scene,
    from_page,
    from_script,
)
from loopback_auth.demo.agent import Step
from loopback_auth.errors import IssuerMismatch
from loopback_auth.model import AuthorizationRequest

FORGED = "code=a-code-that-nobody-issued"
DENIAL = "error=access_denied"


def stolen_answer(scene: Scene) -> Story:
    """Another process has read the answer where it passes, and uses it before we do."""
    sight = yield from Until("answer")
    accepted, got = yield from _used(scene, sight)
    ending = yield from End()
    return Outcome(accepted, f"Whoever reads the answer has {got}. {ours(ending)}")


def squatted_port(scene: Scene) -> Story:
    """Another process wants our port; then, as if it had it, it makes what it can of what comes there."""
    sight = yield from Until("answer")
    shared = yield from Share(sight.redirect_uri.partition("://")[2].partition("/")[0])
    accepted, got = yield from _used(scene, sight)
    ending = yield from End()
    return Outcome(accepted, f"{shared} Whoever has the port has {got}. {ours(ending)}".strip())


def _used(scene: Scene, sight: Sight) -> Acts[tuple[bool | None, str]]:
    """Use what the browser is about to bring us; return whether it was worth something, and what it was."""
    if token := sight.brought("access_token"):
        accepted = yield from works(scene, token)
        return accepted, f"the access token, which {'works' if accepted else 'does not work'}"
    if code := sight.brought("code"):
        accepted, said = yield from redeemed(scene, partial(scene.code_request, code, sight.redirect_uri))
        return accepted, f"the code, which got: {said}"
    return None, "neither code nor token"


def forged_callback(scene: Scene) -> Story:
    """While we wait, somebody else's callbacks reach our port."""
    sight = yield from Until("answer")
    return (yield from _forged(scene, sight, FORGED))


def false_denial(scene: Scene) -> Story:
    """While we wait, somebody says that the person has refused."""
    sight = yield from Until("answer")
    return (yield from _forged(scene, sight, DENIAL))


def _forged(scene: Scene, sight: Sight, parameters: str) -> Story:
    said = yield from _forgeries(scene, sight, parameters)
    ending = yield from End()
    # A sign-in that fails by itself shows nothing.
    succeeded = True if ending.taken else False if signed_in(ending) else None
    return Outcome(succeeded, f"{said} {ours(ending)}")


def _forgeries(scene: Scene, sight: Sight, parameters: str) -> Acts[str]:
    """Bring a forged answer in every way; say what each got."""
    stated = f"{parameters}&{urlencode({'state': THEIR_STATE})}"
    uri = sight.redirect_uri
    ways = {
        "with another state": from_page(f"{uri}?{stated}"),
        "without one": from_page(f"{uri}?{parameters}"),
        "by a script": from_script(f"{uri}?{stated}"),
        "as a form": from_page(uri, stated),
    }
    said = []
    for how, request in ways.items():
        answer = yield from Ask(request)
        said.append(f"{how} {told(answer)}")
    if scene.flow == "paste":
        refusal = yield from Paste(f"{uri}?{stated}")
        said.append(f"pasted {refusal!a}" if refusal else "pasted and taken")
    return f"Forged answers got: {', '.join(said)}."


def fixation(scene: Scene) -> Story:
    """The attacker approves for themselves, and has our person's browser bring us that answer."""
    return (yield from _foreign(scene, our_state=False))


def injection(scene: Scene) -> Story:
    """The same by somebody who has got to know our state."""
    return (yield from _foreign(scene, our_state=True))


def _foreign(scene: Scene, *, our_state: bool) -> Story:
    sight = yield from Until("answer")
    request = scene.request(sight.redirect_uri, state=sight.state if our_state else THEIR_STATE)
    step, answer = yield from approved(request, account=THEIR_ACCOUNT)
    if step is None:
        return Outcome(None, f"The attacker got no answer of their own: {told(answer)}.")
    received = yield from delivered(scene, step)
    ending = yield from End()
    what = "token" if scene.flow == "token" else "code"
    state = "our state" if our_state else "their own state"
    because = f"The attacker's own {what} with {state} was {'taken' if ending.taken else received}."
    return Outcome(as_theirs(ending), f"{because} {ours(ending)}")


def mix_up(scene: Scene) -> Story:
    """Our client signs in at the attacker's server, which lets the real one answer in its place."""
    ending = yield from End()
    got = scene.impostor.got if scene.impostor is not None else []
    if not got:
        if not isinstance(ending.end, IssuerMismatch):
            return Outcome(None, f"Nothing came to the attacker's own endpoints. {ours(ending)}")
        because = (
            "The answer did not name the server that was asked, and our sign-in ended there: nothing came"
        )
        return Outcome(False, f"{because} to the attacker's own endpoints.")
    token = got[0].header("authorization").partition(" ")[2]
    brought = f"the token{'' if token else ' request, with code and verifier'}"
    if not token:
        form = parse_qsl(got[0].body.decode("latin-1"))
        token = token_in((yield from Ask(scene.token_request(form))))
    accepted = yield from works(scene, token)
    verb = "accepted" if accepted else "did not accept"
    because = f"Our client brought {brought} to the attacker's server; the real server {verb} what it had."
    return Outcome(accepted, f"{because} {ours(ending)}")


def lured(scene: Scene) -> Story:
    """The person is sent a link of the attacker's and approves; the attacker waits for what comes of it."""
    request = scene.request(f"{THEIR_PAGE}/callback")
    step, refusal = yield from approved(request)
    if step is not None:
        accepted = yield from _prize(scene, request, step)
        what = "what works" if accepted else "what does not work"
        return Outcome(accepted, f"The server answers at an address of the attacker's, who gets {what}.")
    sight = yield from Until("answer")
    request = scene.request(sight.redirect_uri)
    step, answer = yield from approved(request)
    if step is None:
        return Outcome(None, f"Nothing came of the link: {told(answer)}.")
    if scene.flow == "paste":
        accepted = yield from _prize(scene, request, step)
        whose = "The person copies the address to the attacker, as this flow has taught them"
        end = f"{whose}: the code in it {'was redeemed' if accepted else 'could not be redeemed'}."
    else:
        accepted = False
        received = yield from delivered(scene, step)
        end = (
            f"The answer went to the person's own machine and was {received} there; the attacker has nothing"
        )
        end = f"{end}, unless the person copies the address over."
    ending = yield from End()
    because = f"No answer goes to an address of the attacker's ({told(refusal)}). {end}"
    return Outcome(accepted, f"{because} {ours(ending)}")


def _prize(scene: Scene, request: AuthorizationRequest, step: Step) -> Acts[bool]:
    """Make what can be made of an answer to the attacker's own request; return whether it was worth it."""
    token = parameter(step, "access_token")
    if code := parameter(step, "code"):
        verifier = request.code_verifier or ""
        token = token_in((yield from Ask(scene.code_request(code, request.redirect_uri, verifier))))
    return bool(token) and (yield from works(scene, token))
