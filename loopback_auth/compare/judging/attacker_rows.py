"""The rows about attackers: what they get, and which defences of the login stop them.

Defences are read from the requests, not from the name of the flow: PKCE counts where a challenge and then the
verifier was sent. What a trace cannot show, such as how well phishing works, is a known fact with a source.
"""

from __future__ import annotations

from collections.abc import Callable

from loopback_auth.compare.judging.cells import NOT_IN_PROTOCOL, NOT_OBSERVED, Property, seen
from loopback_auth.compare.judging.course_rows import learnt
from loopback_auth.compare.judging.known_rows import fact
from loopback_auth.compare.judging.secret_rows import key_in_argv
from loopback_auth.compare.model import Cell, Run
from loopback_auth.trace.evidence import (
    GRANTS,
    TOKENS,
    Message,
    authorization_request,
    authorization_response,
    entries_with_tokens,
    entry_numbers,
    exchanges_named,
    first_exchange,
    labels_brought,
    labels_in_browser,
    labels_of_kind,
    labels_text,
    redeeming_labels,
    redeeming_request,
    traits_of,
    valuable_labels,
)
from loopback_auth.trace.reading import label_kind, labels_in, labels_sent, parameters_sent


def port(run: Run) -> Cell:
    """Say what another process would get if it had the loopback port."""
    trace = run.trace
    arrived = tuple(trace.exchanges("browser", "client"))
    found = [
        label
        for each in arrived
        for label in labels_in(each.url, each.address, each.request_body)
        if label in valuable_labels(trace)
    ]
    if not arrived:
        return seen("no port", learnt(run).steps)
    if not found:
        found = list(labels_brought(trace, (*TOKENS, *GRANTS), ("form_post", "relay"))[0])
    guarded = bool(pkce_steps(run)) and {label_kind(label) for label in found} == {"code"}
    text = f"{labels_text(found)}, with PKCE" if found and guarded else labels_text(found)
    return seen(text, entry_numbers(*arrived), "RFC 8252 §8.1, §8.2")


def pkce(run: Run, message: Message) -> Cell:
    """Say whether the code was bound to the program that asked for it."""
    if "code_challenge" not in message.parameters:
        return seen("not sent", message.steps, "RFC 7636 §4.3")
    method = message.parameters.get("code_challenge_method", "plain")
    proof = first_exchange(run.trace, "token request")
    if proof is None or "code_verifier" not in dict(parameters_sent(proof)):
        return seen(f"{method}, no verifier seen", message.steps, "RFC 7636 §4.5")
    return seen(f"{method}, verifier sent", (*message.steps, proof.number), "RFC 7636 §4.6")


def state(run: Run, message: Message) -> Cell:
    """Say whether state was sent, and returned."""
    response, source = authorization_response(run.trace), "RFC 6749 §10.12"
    sent_state = message.parameters.get("state")
    if sent_state is None:
        return seen("not sent", message.steps, source)
    if response is None:
        return seen("sent", message.steps, source)
    returned = response.parameters.get("state")
    # Without its value it can only be said that a state came.
    back = "returned" if returned == sent_state else "a state returned" if returned == "" else "not returned"
    return seen(f"sent, {back}", (*message.steps, *response.steps), source)


def nonce(_run: Run, message: Message) -> Cell:
    """Say whether a nonce was sent, which the ID token has to repeat."""
    text = "sent" if "nonce" in message.parameters else "not sent"
    return seen(text, message.steps, "OpenID Connect Core 1.0 §15.5.2")


def iss(run: Run) -> Cell:
    """Say whether the authorization response names its issuer."""
    if traits_of(run.flow).polled:
        return fact(run, "iss")
    response = authorization_response(run.trace)
    if response is None:
        return NOT_OBSERVED
    text = "iss sent" if "iss" in response.parameters else "no iss"
    return seen(text, response.steps, "RFC 9207 §2")


def injection(run: Run, message: Message) -> Cell:
    """Say what would detect an attacker's code or token in place of the user's own."""
    against = ["PKCE"] if pkce_steps(run) else []
    if "nonce" in message.parameters and run.tokens is not None and run.tokens.id_token:
        against.append("nonce")
    steps = tuple(sorted({*message.steps, *pkce_steps(run)}))
    return seen(" and ".join(against) or NOT_IN_PROTOCOL, steps, "RFC 9700 §4.5.3, §4.6.1")


def fixation(run: Run, message: Message) -> Cell:
    """Say what keeps the attacker's login from replacing the user's own (login CSRF)."""
    against = ["state"] if "state" in message.parameters else []
    against += ["PKCE"] if pkce_steps(run) else []
    steps = tuple(sorted({*message.steps, *pkce_steps(run)}))
    return seen(" and ".join(against) or "nothing", steps, "RFC 9700 §4.7.1")


def proof(run: Run) -> Cell:
    """Say how the program that got the tokens proved to be the one that started."""
    redeeming, trace = redeeming_request(run.trace), run.trace
    if redeeming is None:
        response = authorization_response(trace)
        if response is None or not {"access_token", "id_token"}.intersection(response.parameters):
            return NOT_OBSERVED
        return seen("the token itself is delivered", response.steps)
    if labels_of_kind(labels_sent(redeeming), ("code_verifier",)):
        return seen("code verifier sent", (redeeming.number,), "RFC 7636 §4.6")
    handles = [label for label in labels_sent(redeeming) if label in redeeming_labels(trace)]
    exposed = [
        each for each in trace.exchanges("browser") if set(labels_in_browser(each)).intersection(handles)
    ]
    if exposed:
        return seen(f"{labels_text(handles)} is in the link", entry_numbers(*exposed, redeeming))
    return seen(f"{labels_text(handles)} stays in the program", (redeeming.number,))


def replay(run: Run) -> Cell:
    """Say what a second use of the code or ticket gets, where one was tried."""
    uses = tuple(exchanges_named(run.trace, "token request", "ticket exchange"))
    for number, again in enumerate(uses):
        earlier = [use for use in uses[:number] if use.status < 300]
        if any(
            set(labels_sent(use)) & set(labels_sent(again)) & redeeming_labels(run.trace) for use in earlier
        ):
            text = "yes, accepted again" if again.status < 300 else f"no, refused ({again.status})"
            return seen(text, entry_numbers(*earlier, again), "RFC 6749 §4.1.2")
    return fact(run, "replay")


def elsewhere(run: Run) -> Cell:
    """Say whether the access token is of use to anyone who reads it in a file, a log or memory."""
    if run.tokens is None:
        return NOT_OBSERVED
    if run.tokens.token_type.lower() == "dpop":
        return seen("it is bound to a key", entries_with_tokens(run.trace), "RFC 9449 §2")
    return seen("it is bound to nothing", entries_with_tokens(run.trace), "RFC 6750 §1.2")


def passed_on(run: Run) -> Cell:
    """Say whether a resource that was sent the access token can use it at another resource."""
    if run.tokens is None:
        return NOT_OBSERVED
    message = authorization_request(run.trace)
    if message is not None and "resource" in message.parameters:
        return seen("the token is for one resource", message.steps, "RFC 8707 §3")
    return seen("the token is for any resource", entries_with_tokens(run.trace), "RFC 9700 §4.9.1")


def pkce_steps(run: Run) -> tuple[int, ...]:
    """Return the entries that show PKCE: a challenge, and the verifier with the code; none without both."""
    message = authorization_request(run.trace)
    proof = first_exchange(run.trace, "token request")
    if message is None or proof is None or "code_challenge" not in message.parameters:
        return ()
    return (*message.steps, proof.number) if "code_verifier" in dict(parameters_sent(proof)) else ()


def _of_request(about: str, cell: Callable[[Run, Message], Cell]) -> Callable[[Run], Cell]:
    """Return what reads a cell off the authorization request; for flows that have none it is a known fact.

    Args:
        about: name in the table of facts.
        cell: reads the request.
    """

    def of_run(run: Run) -> Cell:
        if traits_of(run.flow).polled:
            return fact(run, about)
        message = authorization_request(run.trace)
        return NOT_OBSERVED if message is None else cell(run, message)

    return of_run


GROUP = "What attackers get"
PROPERTIES = (
    Property("port", "Another process on the loopback port", GROUP, port),
    Property("key-in-argv", "Tokens obtainable from the process list", GROUP, key_in_argv),
    Property("pkce", "PKCE", GROUP, _of_request("pkce", pkce)),
    Property("state", "State", GROUP, _of_request("state", state)),
    Property("nonce", "Nonce", GROUP, _of_request("nonce", nonce)),
    Property("iss", "Protection against server mix-up", GROUP, iss),
    Property("injection", "Protection against injected codes", GROUP, _of_request("injection", injection)),
    Property("fixation", "Protection against login CSRF", GROUP, _of_request("fixation", fixation)),
    Property("proof", "Must the program that finishes be the one that started?", GROUP, proof),
    Property("replay", "Can the code or ticket be used twice?", GROUP, replay),
    Property("elsewhere", "A stolen access token on another machine", GROUP, elsewhere),
    Property("passed-on", "The access token at another resource", GROUP, passed_on),
)
