"""What comes out of a sign-in, and what it needs: tokens, secrets, ports, the last hop."""

from __future__ import annotations

from loopback_auth.compare.judging.cells import NOT_OBSERVED, Property, seen
from loopback_auth.compare.judging.course_rows import learnt
from loopback_auth.compare.judging.known_rows import fact
from loopback_auth.compare.model import Cell, Run, Tokens
from loopback_auth.redact import server_text
from loopback_auth.trace.evidence import POLLS, answered, asked, first, granted, named, numbers
from loopback_auth.trace.reading import along, place
from loopback_auth.trace.records import Exchange

LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
SCOPE_LIMIT = 120


def refresh_token(run: Run) -> Cell:
    """Say whether a refresh token came."""
    if run.tokens is None:
        return NOT_OBSERVED
    return seen("came" if run.tokens.refresh_token else "none came", granted(run.trace), "RFC 6749 §1.5")


def lifetime(run: Run) -> Cell:
    """Say for how long the access token is good."""
    if run.tokens is None:
        return NOT_OBSERVED
    return seen(duration(run.tokens), granted(run.trace), "RFC 6749 §5.1")


def scope_asked(run: Run) -> Cell:
    """Say which scope was asked for."""
    message = asked(run.trace)
    began = numbers(first(run.trace, "device authorization request"))
    steps = message.steps if message is not None else began or granted(run.trace)
    return _scope(run, run.tokens.scope_asked if run.tokens else "", steps)


def scope_granted(run: Run) -> Cell:
    """Say which scope was granted."""
    return _scope(run, run.tokens.scope_granted if run.tokens else "", granted(run.trace))


def id_token(run: Run) -> Cell:
    """Say whether an ID token came, and what became of its signature."""
    if run.tokens is None:
        return NOT_OBSERVED
    status = run.tokens.id_token
    text = f"came, signature {status}" if status else "none came"
    return seen(text, granted(run.trace), "OpenID Connect Core 1.0 §3.1.3.7")


def dpop(run: Run) -> Cell:
    """Say whether the tokens can be bound to a key, or were."""
    bound = [each for each in run.trace.exchanges("client", "server") if "dpop" in _header_names(each)]
    return seen("proof sent", numbers(*bound), "RFC 9449 §5") if bound else fact(run, "dpop")


def client_secret(run: Run) -> Cell:
    """Say whether we sent a secret of the client's."""
    ours = tuple(run.trace.exchanges("client", "server"))
    telling = secretive(ours)
    if telling:
        return seen("sent", numbers(*telling), "RFC 8252 §8.5")
    message = asked(run.trace)
    steps = numbers(*ours) or (message.steps if message is not None else ())
    return seen("none sent", steps, "RFC 8252 §8.5")


def redirect_uri(run: Run) -> Cell:
    """Say which redirect URI was sent, if any."""
    message = asked(run.trace)
    if message is not None and "redirect_uri" in message.parameters:
        uri = server_text(message.parameters["redirect_uri"], SCOPE_LIMIT)
        return seen(f"yes: {uri}", message.steps, "RFC 8252 §7.3")
    return seen("none sent", numbers(*named(run.trace, *POLLS)))


def listening_port(run: Run) -> Cell:
    """Say whether the answer came to a port of ours."""
    response = first(run.trace, "authorization response")
    if response is not None and response.status and not tuple(run.trace.steps("paste")):
        bound = numbers(*run.trace.steps("bind"), response)
        return seen("yes", bound, "RFC 8252 §7.3")
    return seen("no", learnt(run).steps)


def javascript(run: Run) -> Cell:
    """Say whether a page has to run a script for the answer to arrive."""
    relayed = numbers(first(run.trace, "fragment relay"))
    return seen("needed", relayed, "RFC 6749 §4.2 (D-F)") if relayed else fact(run, "javascript")


def last_hop(run: Run) -> Cell:
    """Say how the answer to the approval travelled on its last stretch."""
    if pasted := numbers(*run.trace.steps("paste")):
        return seen("the terminal", pasted)
    polls = tuple(named(run.trace, *POLLS))
    if polls:
        return seen(_transport(polls[-1].url), (polls[-1].number,), "RFC 6749 §3.2")
    response = answered(run.trace)
    return seen(_transport(response.url), response.steps, "RFC 8252 §8.3") if response else NOT_OBSERVED


def secretive(exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
    """Return the requests in which a client secret was sent, in whatever way."""
    return tuple(each for each in exchanges if _carries_secret(each))


def duration(tokens: Tokens) -> str:
    """Say in the largest fitting unit how long tokens last."""
    if tokens.lifetime is None:
        return "the server did not say"
    for seconds, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if tokens.lifetime >= 2 * seconds or tokens.lifetime == seconds:
            return f"{tokens.lifetime / seconds:g} {unit}"
    return f"{tokens.lifetime:g} s"


def host_of(url: str) -> str:
    """Return the host of an absolute URL, brackets included; empty when there is none."""
    authority = place(url).partition("://")[2].partition("/")[0].rpartition("@")[2]
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0].lower()


def _carries_secret(exchange: Exchange) -> bool:
    basic = any(
        name.lower() == "authorization" and value.lower().startswith("basic ")
        for name, value in exchange.request_headers
    )
    return basic or not {"client_secret", "client_assertion"}.isdisjoint(dict(along(exchange)))


def _transport(url: str) -> str:
    if url.startswith("https:"):
        return "TLS"
    return "plain http on loopback" if host_of(url) in LOOPBACK else "plain http"


def _header_names(exchange: Exchange) -> set[str]:
    return {name.lower() for name, _ in exchange.request_headers}


def _scope(run: Run, scope: str, steps: tuple[int, ...]) -> Cell:
    if run.tokens is None:
        return NOT_OBSERVED
    return seen(server_text(scope, SCOPE_LIMIT) or "none named", steps, "RFC 6749 §3.3")


OUT, IN = "What comes out", "What it needs"
RESULTS = (
    Property("refresh-token", "Refresh token", OUT, refresh_token),
    Property("refresh-possible", "Refresh token by protocol", OUT, lambda run: fact(run, "refresh-possible")),
    Property("lifetime", "Access token lasts", OUT, lifetime),
    Property("scope-asked", "Scope asked for", OUT, scope_asked),
    Property("scope-granted", "Scope granted", OUT, scope_granted),
    Property("id-token", "ID token", OUT, id_token),
    Property("dpop", "Binding to a key (DPoP)", OUT, dpop),
)
REQUIREMENTS = (
    Property("client-secret", "Client secret", IN, client_secret),
    Property("redirect-uri", "Redirect URI", IN, redirect_uri),
    Property("listening-port", "Listening port needed", IN, listening_port),
    Property("javascript", "JavaScript in the browser", IN, javascript),
    Property("last-hop", "Transport on the last hop", IN, last_hop),
)
