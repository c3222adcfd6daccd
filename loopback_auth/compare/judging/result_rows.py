"""The rows about what the program gets and what it needs: tokens, secrets, ports, transport."""

from __future__ import annotations

from loopback_auth.compare.judging.cells import NOT_OBSERVED, Property, seen
from loopback_auth.compare.judging.course_rows import learnt
from loopback_auth.compare.judging.known_rows import fact
from loopback_auth.compare.model import Cell, Run, Tokens
from loopback_auth.redact import server_text
from loopback_auth.trace.evidence import (
    POLLS,
    authorization_request,
    authorization_response,
    entries_with_tokens,
    entry_numbers,
    exchanges_named,
    first_exchange,
)
from loopback_auth.trace.reading import parameters_sent, without_query
from loopback_auth.trace.records import Exchange

LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
SCOPE_LIMIT = 120


def refresh_token(run: Run) -> Cell:
    """Say whether a refresh token was issued."""
    if run.tokens is None:
        return NOT_OBSERVED
    return seen("yes" if run.tokens.refresh_token else "no", entries_with_tokens(run.trace), "RFC 6749 §1.5")


def lifetime(run: Run) -> Cell:
    """Say how long the access token is valid."""
    if run.tokens is None:
        return NOT_OBSERVED
    return seen(duration(run.tokens), entries_with_tokens(run.trace), "RFC 6749 §5.1")


def scope_asked(run: Run) -> Cell:
    """Say which scope was requested."""
    message = authorization_request(run.trace)
    began = entry_numbers(first_exchange(run.trace, "device authorization request"))
    steps = message.steps if message is not None else began or entries_with_tokens(run.trace)
    return _scope(run, run.tokens.scope_asked if run.tokens else "", steps)


def scope_granted(run: Run) -> Cell:
    """Say which scope was granted."""
    return _scope(run, run.tokens.scope_granted if run.tokens else "", entries_with_tokens(run.trace))


def id_token(run: Run) -> Cell:
    """Say whether an ID token was issued, and whether its signature was verified."""
    if run.tokens is None:
        return NOT_OBSERVED
    status = run.tokens.id_token
    text = f"yes, signature {status}" if status else "no"
    return seen(text, entries_with_tokens(run.trace), "OpenID Connect Core 1.0 §3.1.3.7")


def dpop(run: Run) -> Cell:
    """Say whether the tokens were, or can be, bound to a key."""
    bound = [each for each in run.trace.exchanges("client", "server") if "dpop" in _header_names(each)]
    return seen("proof sent", entry_numbers(*bound), "RFC 9449 §5") if bound else fact(run, "dpop")


def client_secret(run: Run) -> Cell:
    """Say whether the program sent a client secret."""
    ours = tuple(run.trace.exchanges("client", "server"))
    telling = secretive(ours)
    if telling:
        return seen("sent", entry_numbers(*telling), "RFC 8252 §8.5")
    message = authorization_request(run.trace)
    steps = entry_numbers(*ours) or (message.steps if message is not None else ())
    return seen("not sent", steps, "RFC 8252 §8.5")


def redirect_uri(run: Run) -> Cell:
    """Say which redirect URI was sent, if any."""
    message = authorization_request(run.trace)
    if message is not None and "redirect_uri" in message.parameters:
        uri = server_text(message.parameters["redirect_uri"], SCOPE_LIMIT)
        return seen(uri, message.steps, "RFC 8252 §7.3")
    return seen("not sent", entry_numbers(*exchanges_named(run.trace, *POLLS)))


def listening_port(run: Run) -> Cell:
    """Say whether the response came to a port of this machine."""
    response = first_exchange(run.trace, "authorization response")
    if response is not None and response.status and not tuple(run.trace.steps("paste")):
        bound = entry_numbers(*run.trace.steps("bind"), response)
        return seen("yes", bound, "RFC 8252 §7.3")
    return seen("no", learnt(run).steps)


def javascript(run: Run) -> Cell:
    """Say whether a page has to run a script so that the response arrives."""
    relayed = entry_numbers(first_exchange(run.trace, "fragment relay"))
    return seen("needed", relayed, "RFC 6749 §4.2 (D-F)") if relayed else fact(run, "javascript")


def last_hop(run: Run) -> Cell:
    """Say how the response to the approval travelled to the program."""
    if pasted := entry_numbers(*run.trace.steps("paste")):
        return seen("pasted into the terminal", pasted)
    polls = tuple(exchanges_named(run.trace, *POLLS))
    if polls:
        return seen(_transport(polls[-1].url), (polls[-1].number,), "RFC 6749 §3.2")
    response = authorization_response(run.trace)
    return seen(_transport(response.url), response.steps, "RFC 8252 §8.3") if response else NOT_OBSERVED


def secretive(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Return the requests in which a client secret was sent, in whatever way."""
    return tuple(each for each in exchanges if _carries_secret(each))


def duration(tokens: Tokens) -> str:
    """Return how long tokens last, in the largest unit that fits."""
    if tokens.lifetime is None:
        return "not stated"
    for seconds, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if tokens.lifetime >= 2 * seconds or tokens.lifetime == seconds:
            return f"{tokens.lifetime / seconds:g} {unit}"
    return f"{tokens.lifetime:g} s"


def host_of(url: str) -> str:
    """Return the host of an absolute URL, brackets included; empty when there is none."""
    authority = without_query(url).partition("://")[2].partition("/")[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0].lower()


def _carries_secret(exchange: Exchange) -> bool:
    basic = any(
        name.lower() == "authorization" and value.lower().startswith("basic ")
        for name, value in exchange.request_headers
    )
    return basic or not {"client_secret", "client_assertion"}.isdisjoint(dict(parameters_sent(exchange)))


def _transport(url: str) -> str:
    if url.startswith("https:"):
        return "TLS"
    return "http on loopback" if host_of(url) in LOOPBACK else "http, unencrypted"


def _header_names(exchange: Exchange) -> set[str]:
    return {name.lower() for name, _ in exchange.request_headers}


def _scope(run: Run, scope: str, steps: tuple[int, ...]) -> Cell:
    if run.tokens is None:
        return NOT_OBSERVED
    return seen(server_text(scope, SCOPE_LIMIT) or "not stated", steps, "RFC 6749 §3.3")


OUT, IN = "What the program gets", "What it needs"
RESULTS = (
    Property("refresh-token", "Refresh token", OUT, refresh_token),
    Property(
        "refresh-possible",
        "Refresh token allowed by the protocol",
        OUT,
        lambda run: fact(run, "refresh-possible"),
    ),
    Property("lifetime", "Access token lifetime", OUT, lifetime),
    Property("scope-asked", "Scope requested", OUT, scope_asked),
    Property("scope-granted", "Scope granted", OUT, scope_granted),
    Property("id-token", "ID token", OUT, id_token),
    Property("dpop", "Binding to a key (DPoP)", OUT, dpop),
)
REQUIREMENTS = (
    Property("client-secret", "Client secret", IN, client_secret),
    Property("redirect-uri", "Redirect URI", IN, redirect_uri),
    Property("listening-port", "Needs a listening port", IN, listening_port),
    Property("javascript", "JavaScript in the browser", IN, javascript),
    Property("last-hop", "How the response travels", IN, last_hop),
)
