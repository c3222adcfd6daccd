"""Checks of the authorization request, its response and the redirect URI."""

from __future__ import annotations

from loopback_auth.compare.judging.result_rows import LOOPBACK, host_of, secretive
from loopback_auth.compare.judging.verdicts import (
    Check,
    Judgement,
    always,
    by_redirect,
    failed,
    idle,
    passed_at,
    unseen,
    with_code,
)
from loopback_auth.compare.model import Run
from loopback_auth.trace.evidence import (
    authorization_request,
    authorization_response,
    entry_numbers,
    exchanges_named,
    first_exchange,
    metadata_exchange,
)
from loopback_auth.trace.reading import parameters_sent, response_members, without_query

NO_REQUEST = unseen("No authorization request was seen.")
NO_RESPONSE = unseen("No authorization response was seen.")


def pkce(run: Run) -> Judgement:
    """Look for an S256 challenge, and for the verifier with the code."""
    message, exchange = authorization_request(run.trace), first_exchange(run.trace, "token request")
    if message is None:
        return NO_REQUEST
    if "code_challenge" not in message.parameters:
        return failed("The request has no code_challenge.", message.steps)
    if message.parameters.get("code_challenge_method") != "S256":
        return failed("The challenge was not made with S256.", message.steps)
    if exchange is None:
        return unseen("An S256 challenge was sent, but no token request was seen.")
    steps = (*message.steps, exchange.number)
    if "code_verifier" not in dict(parameters_sent(exchange)):
        return failed("A challenge was sent, but the token request had no verifier.", steps)
    return passed_at("An S256 challenge was sent, and the verifier with the token request.", steps)


def state(run: Run) -> Judgement:
    """Compare the state that was sent with the one that came back."""
    message, response = authorization_request(run.trace), authorization_response(run.trace)
    if message is None:
        return NO_REQUEST
    if not message.parameters.get("state"):
        return failed("The request has no state.", message.steps)
    if response is None:
        return NO_RESPONSE
    if response.parameters.get("state") == "":
        return unseen("A response with a state was accepted, but its value was not seen.")
    steps = (*message.steps, *response.steps)
    if response.parameters.get("state") != message.parameters["state"]:
        return failed("The response does not have the state that was sent.", steps)
    return passed_at("The response has the state that was sent.", steps)


def independence(run: Run) -> Judgement:
    """Compare the verifier with what the browser carried."""
    message, exchange = authorization_request(run.trace), first_exchange(run.trace, "token request")
    if message is None:
        return NO_REQUEST
    verifier = dict(parameters_sent(exchange)).get("code_verifier") if exchange is not None else None
    if verifier is None or exchange is None:
        return unseen("No code verifier was seen.")
    steps = (*message.steps, exchange.number)
    same = [name for name in ("state", "nonce") if message.parameters.get(name) == verifier]
    if same:
        return failed(f"The code verifier is also used as the {same[0]}, which the browser sees.", steps)
    return passed_at("State, nonce and code verifier are different values.", steps)


def issuer(run: Run) -> Judgement:
    """Look for the issuer in the response, and compare it with the published one."""
    response, metadata = authorization_response(run.trace), metadata_exchange(run.trace)
    if response is None:
        return NO_RESPONSE
    named_issuer = response.parameters.get("iss")
    if named_issuer is None:
        if "id_token" in response.parameters:
            return idle("The ID token in the same response names the issuer.")
        return failed("The response does not name its issuer.", response.steps)
    expected = dict(response_members(metadata)).get("issuer") if metadata is not None else None
    steps = tuple(sorted({*entry_numbers(metadata), *response.steps}))
    if named_issuer and expected not in (None, named_issuer):
        return failed("The response names another issuer than the metadata.", steps)
    return passed_at("The response names its issuer.", steps)


def nonce(run: Run) -> Judgement:
    """Look for a nonce where an ID token was asked for."""
    message = authorization_request(run.trace)
    if message is None:
        return NO_REQUEST
    types = message.parameters.get("response_type", "").split()
    openid = "openid" in message.parameters.get("scope", "").split()
    # With `token` alone no ID token comes, whatever the scope (OpenID Connect Core 1.0 §3).
    if "id_token" not in types and not (openid and "code" in types):
        return idle("No ID token was requested.")
    if not message.parameters.get("nonce"):
        return failed("An ID token was requested without a nonce.", message.steps)
    return passed_at("A nonce was sent.", message.steps)


def form_post(run: Run) -> Judgement:
    """Compare the response mode that was asked for with those on offer."""
    message, metadata = authorization_request(run.trace), metadata_exchange(run.trace)
    if run.flow == "paste":
        return idle("The user copies the code from the address bar, so it has to be in the URL.")
    if message is None:
        return NO_REQUEST
    if metadata is None:
        return unseen("The server's metadata was not requested.")
    if "form_post" not in dict(response_members(metadata)).get("response_modes_supported", "").split():
        return idle("The server does not offer form_post.")
    steps = tuple(sorted({metadata.number, *message.steps}))
    if message.parameters.get("response_mode") != "form_post":
        return failed("The server offers form_post, but the request did not ask for it.", steps)
    return passed_at("The request asked for form_post.", steps)


def loopback_literal(run: Run) -> Judgement:
    """Look at the host of the redirect URI."""
    message = authorization_request(run.trace)
    if message is None or "redirect_uri" not in message.parameters:
        return NO_REQUEST
    host = host_of(message.parameters["redirect_uri"])
    if host not in ("127.0.0.1", "[::1]"):
        return failed("The redirect URI has a host name instead of a loopback address.", message.steps)
    return passed_at(f"The host of the redirect URI is {host}.", message.steps)


def redirect_exact(run: Run) -> Judgement:
    """Compare where the response came, and what the token request says, with the redirect URI sent."""
    message, response = authorization_request(run.trace), authorization_response(run.trace)
    if message is None or "redirect_uri" not in message.parameters:
        return NO_REQUEST
    if response is None or not response.url:
        return NO_RESPONSE
    sent_uri, exchange = message.parameters["redirect_uri"], first_exchange(run.trace, "token request")
    relayed = {each.number for each in exchanges_named(run.trace, "fragment relay")}
    steps = tuple(sorted({*message.steps, *response.steps, *entry_numbers(exchange)}))
    if not relayed.intersection(response.steps) and response.url != without_query(sent_uri):
        return failed("The response came to another address than the redirect URI in the request.", steps)
    if exchange is not None and dict(parameters_sent(exchange)).get("redirect_uri") != sent_uri:
        return failed("The token request has another redirect URI than the authorization request.", steps)
    return passed_at("The response came to the redirect URI in the request.", steps)


def no_client_secret(run: Run) -> Judgement:
    """Look for a client secret in the program's requests."""
    ours = tuple(run.trace.exchanges("client", "server"))
    if telling := secretive(ours):
        return failed(
            "The program sent a client secret, which a public client cannot keep.", entry_numbers(*telling)
        )
    return passed_at("No client secret was sent.", entry_numbers(*ours))


def tls(run: Run) -> Judgement:
    """Look for http without TLS to another machine."""
    plain = [each for each in run.trace.exchanges() if each.url.startswith("http:")]
    abroad = [each for each in plain if host_of(each.url) not in LOOPBACK]
    if abroad:
        return failed("A request to another machine used http without TLS.", entry_numbers(*abroad))
    return passed_at(
        "Only requests on this machine used http without TLS.", entry_numbers(*run.trace.exchanges())
    )


CHECKS = (
    Check(
        "pkce-s256",
        "high",
        "PKCE with S256 binds the code to the program that asked for it",
        "RFC 9700 §2.1.1; RFC 7636 §4.2",
        "Leave PKCE on. If the provider ignores it, ask the provider to support it.",
        pkce,
        with_code,
    ),
    Check(
        "state-returned",
        "high",
        "State was sent and returned unchanged",
        "RFC 6749 §10.12; RFC 8252 §8.9",
        "Do not use the response: it may belong to another login.",
        state,
        by_redirect,
    ),
    Check(
        "state-independent",
        "high",
        "State, nonce and code verifier are different values",
        "RFC 7636 §7.1",
        "Generate state, nonce and code verifier independently.",
        independence,
        with_code,
    ),
    Check(
        "iss-returned",
        "low",
        "The response names its issuer",
        "RFC 9207 §2.4",
        "If you use several servers, give each its own redirect path.",
        issuer,
        by_redirect,
    ),
    Check(
        "nonce-with-openid",
        "medium",
        "A request for an ID token has a nonce",
        "OpenID Connect Core 1.0 §15.5.2; RFC 9700 §4.5.3.2",
        "Send a nonce with each request for the scope openid.",
        nonce,
        by_redirect,
    ),
    Check(
        "form-post-used",
        "low",
        "The response is posted as a form where the server offers form_post",
        "OAuth 2.0 Form Post Response Mode §2; RFC 9700 §4.3.1",
        "Leave --response-mode out in login: it uses form_post where the server offers it.",
        form_post,
        by_redirect,
    ),
    Check(
        "redirect-loopback-literal",
        "medium",
        "The redirect URI has a loopback address, not a host name",
        "RFC 8252 §8.3",
        "Register http://127.0.0.1 instead of http://localhost.",
        loopback_literal,
        by_redirect,
    ),
    Check(
        "redirect-exact",
        "medium",
        "The response came to the redirect URI in the request",
        "RFC 6749 §4.1.3; RFC 8252 §7.3",
        "Ask the provider to redirect to the exact port and path of the request.",
        redirect_exact,
        by_redirect,
    ),
    Check(
        "no-client-secret",
        "medium",
        "The client needs no secret",
        "RFC 8252 §8.5",
        "Register a public client: a secret that is shipped with a program is not secret.",
        no_client_secret,
        always,
    ),
    Check(
        "plain-http-on-loopback-only",
        "high",
        "All URLs are https, except on this machine",
        "RFC 6749 §3.1, §3.2; RFC 8252 §8.3",
        "Use an https URL for every endpoint.",
        tls,
        always,
    ),
)
