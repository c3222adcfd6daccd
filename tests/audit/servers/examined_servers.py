"""Servers to examine in memory: the demonstration server, with one answer altered or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import cache
from itertools import repeat
from urllib.parse import parse_qs, urlsplit

from flow_world import ATTEMPT, CLIENT, ISSUER, SECRET_CLIENT, Entropy

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.catalog import CHECKS
from loopback_auth.audit.servers.examination import examine
from loopback_auth.compare.model import Finding
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig

Alter = Callable[[HttpRequest, HttpResponse], HttpResponse]
"""Makes another answer of the right one."""


@cache
def signer() -> Signer:
    """Make the key of the servers once: it takes a moment."""
    made = rsa_signer()
    assert made is not None
    return made


def unaltered(_request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """Leave everything as it is."""
    return answer


def world(
    alter: Alter = unaltered, faults: Faults | None = None, *, require_push: bool = False
) -> MemoryWorld:
    """Begin with a fresh server.

    Args:
        alter: makes another answer of each right one.
        faults: rules that the server breaks.
        require_push: it takes pushed requests alone.
    """
    server = DemoServer(
        ISSUER,
        entropy=Entropy(),
        signer=signer(),
        clients=(SECRET_CLIENT,),
        faults=faults,
        require_pushed_authorization_requests=require_push,
    )

    def answered(request: HttpRequest) -> HttpResponse:
        right = server.handle(request, place.now)
        sent = (
            ("Strict-Transport-Security", "max-age=31536000"),
            ("Date", formatdate(place.now, usegmt=True)),
        )
        return alter(request, replace(right, headers=(*right.headers, *sent)))

    place = MemoryWorld(server, disturb=answered)
    return place


def observed(
    alter: Alter = unaltered,
    faults: Faults | None = None,
    *,
    client: ClientConfig = CLIENT,
    require_push: bool = False,
) -> Observed:
    """Examine a server."""
    return world(alter, faults, require_push=require_push).run(examine(client, repeat(ATTEMPT)))


def findings(seen: Observed) -> dict[str, Finding]:
    """Judge what was observed, by the ids of the checks."""
    return {check.id: check.finding(seen) for check in CHECKS}


def asks(request: HttpRequest, path: str, **parameters: str) -> bool:
    """Return whether a request is to a path, with these parameters in its URL or body among others."""
    url = urlsplit(request.url)
    sent = parse_qs(url.query) | parse_qs(request.body.decode("latin-1"))
    return url.path == path and all(value in sent.get(name, []) for name, value in parameters.items())


def parameter(request: HttpRequest, name: str) -> str:
    """Return a parameter of the URL or the body; empty where there is none."""
    sent = parse_qs(urlsplit(request.url).query) | parse_qs(request.body.decode("latin-1"))
    return sent.get(name, [""])[-1]


def members(answer: HttpResponse, changes: Mapping[str, object]) -> HttpResponse:
    """Change members of a JSON document; None takes one out."""
    document = json.loads(answer.body) | changes
    kept = {name: value for name, value in document.items() if value is not None}
    return replace(answer, body=json.dumps(kept).encode())


def without(answer: HttpResponse, *names: str) -> HttpResponse:
    """Take headers out."""
    kept = tuple(pair for pair in answer.headers if pair[0].lower() not in names)
    return replace(answer, headers=kept)


def document(status: int, content: object) -> HttpResponse:
    """Make a JSON answer."""
    return HttpResponse(status, (("Content-Type", "application/json"),), json.dumps(content).encode())


def redirect(url: str) -> HttpResponse:
    """Make a redirect."""
    return HttpResponse(302, (("Location", url),))


def page(text: str = "<h1>Log in</h1>", status: int = 200) -> HttpResponse:
    """Make a page without any headers that protect it."""
    return HttpResponse(status, (("Content-Type", "text/html"),), text.encode())


def described(**changes: object) -> Alter:
    """Change members of both metadata documents."""

    def alter(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        return members(answer, changes) if "/.well-known/" in request.url and answer.status == 200 else answer

    return alter


def at(path: str, answer: HttpResponse, **parameters: str) -> Alter:
    """Answer requests to a path, with these parameters."""

    def alter(request: HttpRequest, right: HttpResponse) -> HttpResponse:
        return answer if asks(request, path, **parameters) else right

    return alter


def at_endpoint(name: str, path: str, answer: HttpResponse, **parameters: str) -> Alter:
    """Name an endpoint in the metadata, and answer there."""
    announce, reply = described(**{name: f"{ISSUER}{path}"}), at(path, answer, **parameters)
    return lambda request, right: reply(request, announce(request, right))


def accepting(wanted: Callable[[str], bool]) -> Alter:
    """Accept further redirect URIs: answer at them that the user is not logged in."""

    def alter(request: HttpRequest, right: HttpResponse) -> HttpResponse:
        uri = parameter(request, "redirect_uri")
        if not asks(request, "/authorize", prompt="none") or not wanted(uri) or right.status != 400:
            return right
        base, mark, query = uri.partition("#")[0].partition("?")
        more = f"error=login_required&state={parameter(request, 'state')}&iss={ISSUER}"
        return redirect(f"{base}?{query}{'&' * bool(mark)}{more}")

    return alter


def returning(change: Callable[[str], str], **parameters: str) -> Alter:
    """Change the address to which the authorization endpoint sends the browser."""

    def alter(request: HttpRequest, right: HttpResponse) -> HttpResponse:
        if not asks(request, "/authorize", **parameters) or not right.header("location"):
            return right
        return replace(without(right, "location"), headers=(("Location", change(right.header("location"))),))

    return alter
