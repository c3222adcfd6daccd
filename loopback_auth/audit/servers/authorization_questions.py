"""Asks the authorization endpoint: what it does with requests that differ from a good one in one thing.

The good request is that of a sign-in with `prompt=none`. Where the server demands pushed requests, the
differing ones are pushed too. None of them is approved. Redirect URIs that are not the client's lead to hosts
below `.invalid`, which cannot exist (RFC 2606 §2), or to this machine.

Source: RFC 6749 §3.1.2, §4.1.1, §4.1.2.1; RFC 7636 §4.3, §4.4.1; RFC 8252 §7.3; RFC 9700 §4.1, §4.11.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from loopback_auth.audit.servers.answer_log import AnswerLog
from loopback_auth.audit.servers.redirect_uri_variants import ELSEWHERE, VARIANTS
from loopback_auth.authorization_messages import Attempt, AuthorizationRequest
from loopback_auth.doctor.direct_probe import pushed_probe
from loopback_auth.doctor.redirect_probe import authorization_probe, authorization_probe_visit
from loopback_auth.effects import Flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.authorization import with_parameters
from loopback_auth.protocol.json import strings_member
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.protocol.pushed import pushed_authorization_response
from loopback_auth.records import replace

STEP = "authorization request"
MADE_UP = "made-up-client-of-loopback-auth-audit"
"""An ID that no client has; the operator who reads the log can tell."""
MARK = "loopback\"auth'audit<i>"
"""What must not come back in a page as it is: harmless, and markup all the same."""

GOOD, PUSHED, DIRECT = "authorize", "push", "authorize: not pushed"
STRANGER, ECHO, PREFLIGHT = "authorize: unknown client", "authorize: markup", "authorize: preflight"
NO_CHALLENGE, PLAIN, REPEATED = "authorize: no challenge", "authorize: plain", "authorize: repeated"
IMPLICIT, FORM_POST, WRONG_TYPE = "authorize: token", "authorize: form_post", "authorize: wrong type"
OF_CLIENT = (GOOD, PUSHED, NO_CHALLENGE, PLAIN, REPEATED, IMPLICIT, FORM_POST, WRONG_TYPE)
NO_CLIENT = "Only a request of a known client shows it: give --client-id."
NO_ENDPOINT = "No authorization endpoint is known."

Parameters = tuple[tuple[str, str], ...]


def ask_about_strangers(metadata: ServerMetadata, attempt: Attempt, log: AnswerLog) -> Flow[None]:
    """Ask what needs no client: where an unknown one is sent, whether pages repeat markup, and CORS.

    Source: RFC 6749 §4.1.2.1; RFC 9700 §2.6, §4.11.2.
    """
    endpoint = metadata.authorization_endpoint
    if endpoint is None:
        log.leave_out(NO_ENDPOINT, STRANGER, ECHO, PREFLIGHT)
        return
    parameters = [
        ("response_type", "code"),
        ("client_id", MADE_UP),
        ("redirect_uri", f"{ELSEWHERE}/callback"),
        ("state", attempt.state),
        ("code_challenge", code_challenge(attempt.code_verifier)),
        ("code_challenge_method", "S256"),
    ]
    yield from log.ask(STRANGER, _visit(with_parameters(endpoint, parameters)), step=STEP)
    marked = [(name, MARK if name == "client_id" else value) for name, value in parameters]
    marked += [("scope", MARK)]
    yield from log.ask(ECHO, _visit(with_parameters(endpoint, marked)), step=STEP)
    headers = (("Origin", ELSEWHERE), ("Access-Control-Request-Method", "GET"))
    yield from log.ask(PREFLIGHT, HttpRequest("OPTIONS", endpoint, headers), step="preflight request")


def ask_authorization_endpoint(
    client: ClientConfig, metadata: ServerMetadata, attempts: Iterator[Attempt], log: AnswerLog
) -> Flow[None]:
    """Ask what a client is needed for.

    Source: RFC 6749 §4.1.1, §4.1.2.1; RFC 7636 §4.4.1; RFC 9126 §2; RFC 9700 §4.1.3.
    """
    every = (*OF_CLIENT, DIRECT, *(one.question for one in VARIANTS))
    if not client.client_id or metadata.authorization_endpoint is None:
        log.leave_out(NO_CLIENT if metadata.authorization_endpoint else NO_ENDPOINT, *every)
        return
    try:
        good = authorization_probe(
            client, metadata, next(attempts), response_type="code", response_mode="query"
        )
    except LoopbackAuthError as exc:
        log.leave_out(f"{exc.message.rstrip('.')}.", *every)
        return
    asking = _Endpoint(client, metadata, log)
    yield from asking.good(good)
    for variant in VARIANTS:
        uri = variant.change(good.redirect_uri)
        if not uri:
            log.does_not_apply("It cannot be made of this redirect URI.", variant.question)
            continue
        varied = replace(good, redirect_uri=uri, state=next(attempts).state)
        changed = _changed(good.parameters, {"redirect_uri": uri, "state": varied.state})
        yield from asking.differently(variant.question, varied, changed)
    yield from asking.other_parameters(good)
    for question, response_type, mode, listed in (
        (FORM_POST, "code", "form_post", metadata.response_modes_supported),
        (IMPLICIT, "token", "fragment", _response_types(metadata)),
    ):
        wanted = mode if question == FORM_POST else response_type
        if listed is not None and wanted not in listed:
            log.does_not_apply(f"The metadata do not list {wanted}.", question)
            continue
        yield from asking.of_type(question, next(attempts), response_type, mode)


class _Endpoint:
    """Sends requests of one client to the authorization endpoint, or pushes them where that is demanded."""

    def __init__(self, client: ClientConfig, metadata: ServerMetadata, log: AnswerLog) -> None:
        self._client = client
        self._metadata = metadata
        self._log = log
        self._demanded = metadata.require_pushed_authorization_requests

    def good(self, request: AuthorizationRequest) -> Flow[None]:
        """Ask with nothing wrong: by a pushed request, where the server takes them, and by a visit."""
        if self._demanded:
            yield from self._visit(DIRECT, request)
        else:
            self._log.does_not_apply("The server does not demand pushed requests.", DIRECT)
        if self._metadata.pushed_authorization_request_endpoint is None:
            self._log.does_not_apply("No endpoint for pushed requests is known.", PUSHED)
            if self._demanded:
                self._log.leave_out("The server demands pushed requests, and has no endpoint.", GOOD)
                return
            yield from self._visit(GOOD, request)
            return
        response = yield from self._push(PUSHED, request)
        pushed = _pushed(self._client, request, response)
        if self._demanded and pushed is None:
            self._log.leave_out("The server did not take the pushed request before it.", GOOD)
            return
        yield from self._visit(GOOD, pushed if self._demanded and pushed is not None else request)

    def differently(self, question: str, request: AuthorizationRequest, changed: Parameters) -> Flow[None]:
        """Ask with other parameters."""
        endpoint = self._metadata.authorization_endpoint or ""
        asked = replace(request, parameters=changed, url=with_parameters(endpoint, list(changed)))
        yield from (self._push(question, asked) if self._demanded else self._visit(question, asked))

    def other_parameters(self, good: AuthorizationRequest) -> Flow[None]:
        """Ask without PKCE, with a plain challenge, with a parameter twice, and for what there is not."""
        without = tuple(pair for pair in good.parameters if not pair[0].startswith("code_challenge"))
        plain = {"code_challenge": good.code_verifier or MADE_UP, "code_challenge_method": "plain"}
        if good.code_verifier is None:
            self._log.does_not_apply("This provider takes no code verifier.", NO_CHALLENGE, PLAIN)
        else:
            yield from self.differently(NO_CHALLENGE, good, without)
            yield from self.differently(PLAIN, good, (*without, *plain.items()))
        twice = (*good.parameters, ("redirect_uri", f"{ELSEWHERE}/callback"))
        yield from self.differently(REPEATED, good, twice)
        wrong = _changed(good.parameters, {"response_type": MADE_UP})
        yield from self.differently(WRONG_TYPE, good, wrong)

    def of_type(self, question: str, attempt: Attempt, response_type: str, mode: str) -> Flow[None]:
        """Ask for another response type or mode."""
        try:
            request = authorization_probe(
                self._client,
                self._metadata,
                attempt,
                response_type="token" if response_type == "token" else "code",
                response_mode="form_post" if mode == "form_post" else "fragment",
            )
        except LoopbackAuthError as exc:
            self._log.leave_out(f"{exc.message.rstrip('.')}.", question)
            return
        yield from self.differently(question, request, request.parameters)

    def _visit(self, question: str, request: AuthorizationRequest) -> Flow[None]:
        visit = authorization_probe_visit(request)
        yield from self._log.ask(question, visit, step=STEP, authorization=request)

    def _push(self, question: str, request: AuthorizationRequest) -> Flow[HttpResponse | None]:
        pushed = pushed_probe(self._client, request)
        return (
            yield from self._log.ask(
                question, pushed, step="pushed authorization request", authorization=request
            )
        )


def _pushed(
    client: ClientConfig, request: AuthorizationRequest, response: HttpResponse | None
) -> AuthorizationRequest | None:
    try:
        return None if response is None else pushed_authorization_response(client, request, response)
    except LoopbackAuthError:
        return None


def _changed(parameters: Parameters, values: Mapping[str, str]) -> Parameters:
    return tuple((name, values.get(name, value)) for name, value in parameters)


def _response_types(metadata: ServerMetadata) -> tuple[str, ...] | None:
    return strings_member(metadata.document, "response_types_supported")


def _visit(url: str) -> HttpRequest:
    return HttpRequest("GET", url, (("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"),))
