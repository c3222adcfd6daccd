"""Everything that reads what strangers send, as functions of bytes: for Hypothesis and Atheris.

A target returns whatever it likes or raises `LoopbackAuthError`; everything else that comes out is a fault.
What servers answer is read by whole flows in a world without sockets, in which one answer is the stranger's.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from resource_world import ResourceWorld, challenged, document, server_metadata

from loopback_auth.authorization_messages import Attempt, Callback
from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.codec import from_members
from loopback_auth.demo.clients import DEMO_CLIENT
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.doctor.probe_flow import probe
from loopback_auth.effects import Flow
from loopback_auth.errors import ConfigError, LoopbackAuthError, ProtocolError
from loopback_auth.explain.capture import capture
from loopback_auth.explain.narration import recorded_story
from loopback_auth.explain.story_text import members
from loopback_auth.explain.story_text import text as told
from loopback_auth.explain.subject import recognised
from loopback_auth.explain.subject_story import subject_story
from loopback_auth.flows.catalog import FlowOptions, flow_named
from loopback_auth.flows.refresh import identified, refresh
from loopback_auth.flows.resource import find_resource
from loopback_auth.flows.revocation import revoke
from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.network.proxies import proxy_for
from loopback_auth.outputs.git_credential import read_request
from loopback_auth.outputs.hosts import url_authority
from loopback_auth.protocol.authorization import authorization_request
from loopback_auth.protocol.client_id_document import check_client_id_document, client_id_document
from loopback_auth.protocol.dpop import DpopKey
from loopback_auth.protocol.dpop_answers import Proofs, Prover
from loopback_auth.protocol.paste import pasted_callback
from loopback_auth.protocol.polling import unanswered, wait_wanted
from loopback_auth.protocol.protected_resource import is_parent
from loopback_auth.protocol.redirect import RedirectEndpoint, redirect_endpoint
from loopback_auth.protocol.registration_response import registration_response
from loopback_auth.protocol.response import authorization_response
from loopback_auth.protocol.urls import check_browser_url, check_endpoint, check_issuer, is_inside, origin
from loopback_auth.records import dataclass, field
from loopback_auth.redact import server_text
from loopback_auth.registration import Registrations
from loopback_auth.settings import load_config, resolve
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.overrides import capabilities_of, overrides_of
from loopback_auth.sign_in_format import read_as, written
from loopback_auth.signin.dpop_keys import new_key
from loopback_auth.store import pending_sign_in as handed
from loopback_auth.store.sign_in_lock import FileSignInLock
from loopback_auth.tokens import SignIn
from loopback_auth.trace.redactor import Redactor
from loopback_auth.trace.secret_labels import SecretLabels

Disturb = Callable[[HttpRequest], HttpResponse | None]

ISSUER = "https://as.example"
NOW = 1_700_000_000.0
ATTEMPT = Attempt(state="s" * 32, code_verifier="v" * 43, nonce="n" * 32)
PROVIDER = Provider("as", ServerMetadata(issuer=ISSUER), ticket=demo_contract("netlify", ISSUER))
CLIENT = ClientConfig(PROVIDER, DEMO_CLIENT.client_id, scope="openid profile email", push=True)
ASKED = authorization_request(
    CLIENT,
    ServerMetadata(issuer=ISSUER, authorization_endpoint=f"{ISSUER}/authorize", token_endpoint=f"{ISSUER}/t"),
    ATTEMPT,
    redirect_uri="http://127.0.0.1:49152/callback",
)
OURS = RedirectEndpoint("127.0.0.1:49152", "/callback", ASKED, relay_path="/relay/key", relay_token="token")


PATIENCE = 2.0
"""Seconds of the processor that any input may cost."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader: what gives it the bytes, and what it reads on a good day."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...] = field(repr=False)


def answer_of(data: bytes) -> HttpResponse:
    """Read an answer off bytes: the status, a line for each header, an empty line, the body."""
    first, headers, body = _message(data)
    digits = first.strip()
    return HttpResponse(int(digits) % 600 if digits.isdecimal() else 200, headers, body, NOW)


def request_of(data: bytes) -> HttpRequest:
    """Read a request off bytes in the same way, with method and target in the first line."""
    first, headers, body = _message(data)
    method, _, target = first.partition(" ")
    return HttpRequest(method, target, headers, body)


def _message(data: bytes) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    pairs = (line.partition(":") for line in lines)
    return first[:9000], tuple((name, value.strip()) for name, _, value in pairs), body


def _seed(answer: HttpResponse) -> bytes:
    lines = (f"{name}: {value}" for name, value in answer.headers)
    return "\n".join((str(answer.status), *lines)).encode("latin-1") + b"\n\n" + answer.body


@cache
def _signer() -> Signer | None:
    return rsa_signer()


def _world(disturb: Disturb | None = None) -> MemoryWorld:
    numbers = count()
    server = DemoServer(ISSUER, entropy=lambda size: (b"%064d" % next(numbers))[-size:], signer=_signer())
    return MemoryWorld(server, disturb=disturb)


def _sign_in(name: str) -> Flow[object]:
    return flow_named(name, CLIENT, ATTEMPT, FlowOptions(verify_signature=True, message="m"))


@cache
def _signed_in() -> SignIn:
    return _world().run(flow_named("code", CLIENT, ATTEMPT, FlowOptions(verify_signature=True)))


def _renewed() -> Flow[object]:
    renewal = yield from refresh(CLIENT, _signed_in())
    return (yield from identified(CLIENT, renewal, verify_signature=True))


def _revoked() -> Flow[object]:
    return (yield from revoke(CLIENT, _signed_in()))


def _probed() -> Flow[object]:
    return (yield from probe(CLIENT, iter([ATTEMPT] * 9)))


FLOWS: dict[str, Callable[[], Flow[object]]] = {
    **{name: partial(_sign_in, name) for name in ("code", "token", "code id_token", "device", "ticket")},
    "renewal": _renewed,
    "revocation": _revoked,
    "probe": _probed,
}


def _flow_targets() -> Iterator[tuple[str, Target]]:
    """Run each flow once, and make a target of each answer that it got."""
    for name, flow in FLOWS.items():
        answers: list[tuple[str, HttpResponse]] = []
        watched = _world()

        def seen(
            request: HttpRequest, world: MemoryWorld = watched, into: list[tuple[str, HttpResponse]] = answers
        ) -> HttpResponse:
            answer = world.server.handle(request, world.now)
            into.append((request.url.partition("?")[0], answer))
            return answer

        watched.disturb = seen
        with suppress(LoopbackAuthError):
            watched.run(flow())
        by_place: dict[str, list[bytes]] = {}
        for url, answer in answers:
            by_place.setdefault(_place(url), []).append(_seed(answer))
        for place, seeds in by_place.items():
            yield f"{name}: {place}", Target(partial(_answered, flow, place), tuple(dict.fromkeys(seeds)))


def _place(url: str) -> str:
    """Return the path of an address, without the ids of tickets."""
    path = url.removeprefix(ISSUER)
    return "/".join(part for part in path.split("/") if len(part) < 30)


def _answered(flow: Callable[[], Flow[object]], place: str, data: bytes) -> None:
    answer = answer_of(data)
    world = _world(lambda request: answer if _place(request.url.partition("?")[0]) == place else None)
    world.run(flow())


def _callback(data: bytes) -> None:
    request = request_of(data)
    verdict = redirect_endpoint(OURS, request)
    if isinstance(verdict, Callback):
        Redactor().clean_callback(verdict)
        authorization_response(ASKED, verdict)
        redirect_endpoint(replace(OURS, answered=True, answer=verdict), request)


def _pasted(data: bytes) -> None:
    pasted_callback(data.decode("utf-8", "surrogateescape"), ASKED)


def _kept(data: bytes) -> None:
    # What is not a sign-in is a ValueError, of which the store makes its own error.
    with suppress(ValueError):
        read_as(SignIn, data)


def _handed(data: bytes) -> None:
    with suppress(ValueError):
        handed.from_json(handed.PendingSignIn, data, "as-abcdef")
    with suppress(ValueError, RecursionError):
        members = json.loads(data)
        with suppress(ValueError):
            from_members(handed.PendingSignIn, members)


def _crowd(data: bytes) -> None:
    path = _folder() / "as.crowd"
    path.write_bytes(data)
    path.chmod(0o600)
    crowd = FileSignInLock(str(path))
    crowd.leader()
    crowd.ended_since(0.0)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="loopback_auth-fuzz-"))


def _configuration(data: bytes) -> None:
    path = _folder() / "config.toml"
    path.write_bytes(data)
    config = load_config(str(path))
    settings = resolve(provider="", flags={}, environ={}, config=config, config_path="config.toml")
    client = client_config(settings)
    overrides_of(settings), capabilities_of(settings)
    # Nobody signs in, but what a flow would begin with is built.
    with suppress(StopIteration):
        flow_named("code", client, ATTEMPT, FlowOptions()).send(None)


def _archive(data: bytes) -> None:
    for run, contract in capture(data).runs:
        told(recorded_story(run, contract))


def _told(data: bytes) -> None:
    """Redact whatever went over the wire, and show it."""
    redactor = Redactor()
    request, answer = request_of(data), answer_of(data)
    redactor.learn_request(request)
    redactor.exchanged(request, redactor.clean_response(answer, ("id", "data.token")), step="x", seconds=0.0)
    text = server_text(data.decode("utf-8", "replace"), 100_000)
    redactor.clean_error(ProtocolError(text, source="x", received=text))
    redactor.learn_request(request, guess=True)
    redactor.learn_response(answer)
    redactor.headers((*request.headers, *answer.headers))
    redactor.body(request), redactor.body(answer), redactor.text(text)
    labels = SecretLabels()
    labels.learn("code", text[:40])
    labels.text(text)


def _explained(data: bytes) -> None:
    """Explain whatever somebody pastes, and write it for a narrow terminal."""
    subject = recognised(data.decode("utf-8", "replace"))
    story = subject_story(subject, provider="", now=1_700_000_000.0, typed=True)
    shown = told(story, width=40)
    assert all(character.isprintable() or character == "\n" for character in shown)
    json.dumps(members(story))


def _paused(data: bytes) -> None:
    answer = answer_of(data)
    seconds = wait_wanted(answer)
    assert seconds is None or (math.isfinite(seconds) and seconds >= 0)
    unanswered(answer)


@cache
def _dpop_key() -> DpopKey:
    return DpopKey(new_key())


def _proven(data: bytes) -> None:
    url, stamp = "https://as.example/token", Stamp(1_700_000_000.0, "jti")
    answer, proofs = replace(answer_of(data), received_at=stamp.wall), Proofs(Prover(_dpop_key()))
    for _ in range(3):
        text = proofs.next("POST", url, stamp)
        assert text.isascii()
        assert len(text) < 8192
        if not proofs.again(url, answer):
            return
    raise AssertionError("A server can have a request sent for ever.")


def _address(data: bytes) -> None:
    url = data.decode("utf-8", "surrogateescape")
    for check in (check_browser_url, check_issuer, partial(check_endpoint, name="x")):
        with suppress(ConfigError):
            is_inside(check(url))


def _proxy(data: bytes) -> None:
    address, _, exceptions = data.decode("utf-8", "surrogateescape").partition("\n")
    proxy_for(ISSUER, {"HTTPS_PROXY": address, "NO_PROXY": exceptions})


ANSWER = f"code=abcdefgh&state={ATTEMPT.state}&iss=https%3A%2F%2Fas.example"
TOKENS = f"access_token=abcdefgh&token_type=bearer&expires_in=3600&id_token=a.b.c&state={ATTEMPT.state}"
HEAD = "Host: 127.0.0.1:49152\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document\nCookie: a=b; c=d"
OURS_HEAD = f"{HEAD}\nOrigin: http://127.0.0.1:49152\nX-Loopback-Relay: token"
FORM = "Content-Type: application/x-www-form-urlencoded"
JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."
CONFIG = """\
provider = "work"
timeout = 60
[providers.work]
issuer = "https://as.example"
client_id = "a"
scope = ["openid", "email"]
resource = ["https://a.example/"]
extra = { a = "b" }
port = [8400, 0]
ticket = "netlify"
"""


def _har() -> Iterator[bytes]:
    header = [{"name": "Content-Type", "value": "application/json"}]
    times = {"startedDateTime": "2026-01-01T00:00:00.000Z", "time": 12.5}
    tokens = json.dumps({"access_token": "abcdefgh" * 3, "token_type": "bearer", "error": "x"})
    for url, form in (
        (ASKED.url, ""),
        (f"http://127.0.0.1/callback?{ANSWER}", ""),
        (f"{ISSUER}/token", ANSWER),
    ):
        request: dict[str, object] = {"method": "POST" if form else "GET", "url": url, "headers": []}
        posted = {"postData": {"mimeType": "application/x-www-form-urlencoded", "text": form}} if form else {}
        led = {"redirectURL": f"http://127.0.0.1/callback#{TOKENS}", "status": 302, "headers": header}
        content = {"content": {"mimeType": "application/json", "text": tokens}}
        entry = {**times, "request": {**request, **posted}, "response": {**led, **content}}
        yield json.dumps({"log": {"version": "1.2", "entries": [entry]}}).encode()
        yield json.dumps({"log": {"version": "1.2", "entries": [entry, entry]}}).encode()


def _pending() -> bytes:
    return handed.to_json(
        handed.PendingSignIn("as-abcdef", NOW, NOW + 600, "paste", replace(CLIENT, push=None), ATTEMPT)
    )


CLIENT_URL = "https://tool.example/client.json"
HOSTED = ClientMetadata(client_name="Tool", url=CLIENT_URL)
REGISTERED = (
    b"201\nContent-Type: application/json\n\n"
    + json.dumps(
        {
            "client_id": "id-1",
            "client_secret": "abcdefgh",
            "client_secret_expires_at": 1_800_000_000,
            "redirect_uris": [ASKED.redirect_uri],
            "grant_types": ["authorization_code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "registration_client_uri": f"{ISSUER}/register/id-1",
            "registration_access_token": "abcdefgh",
        }
    ).encode()
)

RESOURCE = "https://mcp.example/mcp"
PLACE = "https://mcp.example/.well-known/oauth-protected-resource/mcp"


def _resource_targets() -> Iterator[tuple[str, Target]]:
    """One answer of a resource, or of the server that it names, is the stranger's; the others are right."""
    right = {
        RESOURCE: challenged(f'Basic, Bearer resource_metadata="{PLACE}", scope="a b"'),
        PLACE: document({"resource": RESOURCE, "authorization_servers": [ISSUER], "scopes_supported": ["a"]}),
        f"{ISSUER}/.well-known/oauth-authorization-server": server_metadata(ISSUER),
    }
    client = ClientConfig.for_resource(RESOURCE)
    names = "challenge", "metadata", "server"

    def read(url: str, data: bytes) -> object:
        access = ResourceWorld({**right, url: answer_of(data)}).run(find_resource(client))
        # Whatever they say: tokens are for the resource that was asked, and a browser may go there.
        assert is_parent(access.resource, RESOURCE)
        assert not is_inside(access.metadata.token_endpoint or "")
        return replace(client, scope=access.scope)

    for name, (url, answer) in zip(names, right.items(), strict=True):
        yield name, Target(partial(read, url), (_seed(answer),))


def _registered(data: bytes) -> None:
    """Whatever a server registers: the redirect URI is ours, and its token goes to no other server."""
    asked = {"redirect_uris": [ASKED.redirect_uri], "grant_types": ["authorization_code"]}
    endpoint = f"{ISSUER}/register"
    found = registration_response(answer_of(data), asked, issuer=ISSUER, endpoint=endpoint).registration
    kept = Registrations((found,))
    assert ASKED.redirect_uri in found.redirect_uris
    assert origin(found.registration_client_uri or ISSUER) == ISSUER
    assert Registrations.from_json(kept.to_json()) == kept


def _hosted(data: bytes) -> None:
    flaws = check_client_id_document(CLIENT_URL, answer_of(data))
    assert all(flaw.text.isprintable() for flaw in flaws)


def _asked(data: bytes) -> None:
    """Whatever git or docker asks about: where we see a host, the standard library sees the same one."""
    asked = read_request(data)
    for url in (f"{asked.protocol}://{asked.host}", asked.username):
        name = url_authority(url).rpartition(":")[0]
        if name and url.isascii():
            parts = urlsplit(url if "://" in url else f"https://{url}")
            assert name.strip("[]") == (parts.hostname or "").removesuffix(".")
            assert "@" not in parts.netloc


@cache
def targets() -> dict[str, Target]:
    """Return every target by its name."""
    relay = f"POST /relay/key\n{OURS_HEAD}\n{FORM}\n\n{TOKENS}".encode()
    posted = f"POST /callback\n{HEAD}\n{FORM}\n\n{ANSWER}".encode()
    queried = f"GET /callback?{ANSWER}\n{HEAD}\n\n".encode()
    secrets = (
        f'200\nSet-Cookie: a=bcdefghijk\nLocation: /?{ANSWER}#{TOKENS}\n\n{{"a": [{{"id_token": "{JWT}"}}]}}'
    )
    later = b"429\nRetry-After: 5\nDate: Tue, 14 Nov 2023 22:13:20 GMT\nX-RateLimit-Reset: 1700000005\n\n"
    dated = b"503\nRetry-After: Tue, 14 Nov 2023 22:13:25 GMT\nContent-Type: application/json\n\n{}"
    unproven = b'401\nDPoP-Nonce: a.b-c\nWWW-Authenticate: DPoP error="use_dpop_nonce", algs="ES256"\n\n'
    skewed = b'400\nDPoP-Nonce: a\nDate: Tue, 14 Nov 2023 23:13:20 GMT\n\n{"error":"invalid_dpop_proof"}'
    whole = f"http://127.0.0.1:49152/callback?{ANSWER}".encode()
    direct = {
        "callback": Target(_callback, (queried, posted, relay)),
        "pasted text": Target(_pasted, (whole, ANSWER.encode(), b'"\x1b[200~abcdefgh#' + b"s" * 32)),
        "kept sign-in": Target(_kept, (written(_signed_in()).encode(),)),
        "pending sign-in": Target(_handed, (_pending(),)),
        "crowd": Target(_crowd, (b'{"process": 7}', b'{"ended_at": 1.5, "error": "x"}')),
        "configuration": Target(_configuration, (CONFIG.encode(),)),
        "HTTP archive": Target(_archive, tuple(_har())),
        "what is told": Target(_told, (secrets.encode(), f"POST /?{ANSWER}\n{FORM}\n\n{TOKENS}".encode())),
        "what is explained": Target(
            _explained,
            (
                whole,
                f"https://as.example/authorize?client_id=x&request={JWT}&redirect_uri=http%3A%2F%2Fa".encode(),
                JWT.encode(),
                b'{"error": "invalid_client", "error_description": "AADSTS50011: x"}',
                b'Bearer error="invalid_token", error_description="x"',
                b"https://app.netlify.com/authorize?response_type=ticket&ticket=x",
            ),
        ),
        "pauses": Target(_paused, (later, dated)),
        "proofs": Target(_proven, (unproven, skewed)),
        **{f"resource: {name}": target for name, target in _resource_targets()},
        "registration": Target(_registered, (REGISTERED, b'400\n\n{"error":"invalid_redirect_uri"}')),
        "client document": Target(_hosted, (json.dumps(client_id_document(HOSTED)).encode(),)),
        "addresses": Target(_address, (b"https://as.example:8443/a?b=c#d", b"http://[::1]:80/", b"urn:a:b")),
        "questions of git": Target(
            _asked,
            (
                b"capability[]=state\nprotocol=https\nhost=git.example:8443\nusername=http://a@[::1]:80\\/x\n\n",
                b"wwwauth[]=Bearer\nprotocol=http\nhost=127.0.0.1\nusername=GIT.example.:0443?x#y\n",
            ),
        ),
        "proxies": Target(_proxy, (b"socks5h://a:b@127.0.0.1:1080\n.example,10.0.0.0/8,[::1]:80",)),
    }
    flows = dict(_flow_targets())
    # The server of another world refuses the refresh token; here is what it would say to its own.
    renewal = replace(flows["renewal: /token"], seeds=flows["code: /token"].seeds)
    return {**direct, **flows, "renewal: /token": renewal}


def survives(name: str, data: bytes) -> None:
    """Let a target read, and judge what comes of it; time is the processor's, for the machine may be busy."""
    begun, words = time.process_time(), ""
    try:
        targets()[name].read(data)
    except LoopbackAuthError as error:
        words = f"{error} {error.hint}"

    # In one line, without anything that a terminal obeys (CVE-2024-50349).
    assert words.isprintable(), ascii(words)
    assert time.process_time() - begun < PATIENCE
