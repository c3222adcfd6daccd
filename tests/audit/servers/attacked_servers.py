"""Servers to attack in memory: the demonstration server, with a user, and answers to alter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

from examined_servers import Alter, asks, document, parameter, unaltered, world
from flow_world import CLIENT

from loopback_auth.audit.servers.attacks.attack_server import attack_server
from loopback_auth.audit.servers.attacks.attack_session import AttackSession
from loopback_auth.audit.servers.attacks.person import Person
from loopback_auth.audit.servers.examination import examine
from loopback_auth.audit.servers.judging import attacked, judged
from loopback_auth.authorization_messages import Attempt
from loopback_auth.compare.model import Attack, Finding
from loopback_auth.compare.running.simulate import KEY
from loopback_auth.demo.faults import Faults
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.records import replace
from loopback_auth.signin.refresh import can_verify_signatures
from loopback_auth.trace.records import Trace

OPENID = replace(CLIENT, scope="openid email offline_access")
BROUGHT = {
    "access_token": "made-up-access-token-0123456789",
    "token_type": "Bearer",
    "scope": "profile openid",
}
TOKENS = document(200, BROUGHT)
PASSWORD = "an example"


def attempts() -> Iterator[Attempt]:
    """Give out randomness that differs each time, and is the same in each run."""
    for number in count(1000):
        yield Attempt(
            state=f"state-{number:037}", code_verifier=f"verifier-{number:034}", nonce=f"nonce-{number:037}"
        )


def bound_attempts() -> Iterator[Attempt]:
    """Give out the same with a key."""
    return (replace(one, dpop_key=KEY) for one in attempts())


def all_findings(
    alter: Alter = unaltered,
    faults: Faults | None = None,
    *,
    client: ClientConfig = OPENID,
    person: Person | None = None,
) -> dict[str, Finding]:
    """Examine a server and attack it; return everything that was found, by its id.

    Args:
        alter: makes another answer of each right one.
        faults: rules that the server breaks.
        client: under attack.
        person: who signs in.
    """
    place = world(alter, faults)
    seen = place.run(examine(client, attempts()))
    tried = list[Attack]()
    session = AttackSession(
        client,
        seen.metadata,
        attempts(),
        person or Person(),
        verify_signature=can_verify_signatures(),
        bound_attempts=bound_attempts(),
    )
    place.run(attack_server(session, tried))
    run = attacked(judged("server", seen, Trace("code", "live", "server", ())), tuple(tried)).run
    assert {one.id for one in run.findings} >= {one.id for one in tried}
    return {one.id: one for one in run.findings}


def gives_tokens(when: Callable[[HttpRequest], bool]) -> Alter:
    """Give tokens for some token requests that must be refused."""
    return lambda request, right: TOKENS if asks(request, "/token") and when(request) else right


def grants(request: HttpRequest, grant_type: str) -> bool:
    """Return whether it is a token request with this grant."""
    return parameter(request, "grant_type") == grant_type


def by_stranger(request: HttpRequest) -> bool:
    """Return whether another client than the one under attack has sent a request."""
    return parameter(request, "client_id") not in ("", CLIENT.client_id)


def with_password(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Ask for a password on the login page."""
    if not asks(request, "/sign-in") and b'action="/sign-in"' in right.body:
        field = b'<input type="password" name="password"></form>'
        return replace(right, body=right.body.replace(b"</form>", field, 1))
    return right
