"""All adapters with the real libraries and a real server: what is renewed, what is repeated, and where."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import httpx
import pytest
import requests

from clients.api import api, expired, source_at
from clients.callers import ALL, OURS, Call, Caller, with_async_httpx, with_async_httpx2
from loopback_auth import TokenSource
from loopback_auth.clients import httpx as for_httpx
from loopback_auth.clients import requests as for_requests
from loopback_auth.demo.setup import ACR_VALUES
from loopback_auth.errors import AuthorizationError, ConfigError, SignInRequired
from loopback_auth.events import silent
from loopback_auth.signin.process_state import MOST_REFUSED
from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser

every = pytest.mark.parametrize("caller", ALL.values(), ids=ALL)
ours = pytest.mark.parametrize("caller", OURS.values(), ids=OURS)


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an API."""
    with api() as served:
        yield served


@pytest.fixture
def other() -> Iterator[DemoAuthorizationServer]:
    """Serve an API at another origin."""
    with api() as served:
        yield served


def renewals(server: DemoAuthorizationServer) -> int:
    """Count the renewals that the server was asked for."""
    return server.requests("token", grant="refresh_token")


@every
def test_fresh_token_goes_with_every_request(server: DemoAuthorizationServer, caller: Caller) -> None:
    """Fifty requests at the same time renew nothing."""
    source = source_at(server)
    answers = caller(source, [Call(server.resource)] * 50)

    assert {answer.status for answer in answers} == {200}
    assert renewals(server) == 0
    assert server.requests("resource") == 50


@every
def test_expired_token_is_renewed_once(server: DemoAuthorizationServer, caller: Caller) -> None:
    """Before the requests are sent, so that none of them is refused."""
    source = expired(source_at(server))
    answers = caller(source, [Call(server.resource)] * 50)

    assert {answer.status for answer in answers} == {200}
    assert renewals(server) == 1
    assert server.requests("resource", status=401) == 0


@every
def test_refused_token_is_renewed_once_for_all(server: DemoAuthorizationServer, caller: Caller) -> None:
    """The server rotates refresh tokens: a second renewal with the same one would revoke the grant."""
    source = source_at(server)
    for count in (1, 2):
        server.expire_tokens()
        answers = caller(source, [Call(server.resource)] * 48)

        assert {answer.status for answer in answers} == {200}
        assert renewals(server) == count


@every
def test_revoked_sign_in_needs_the_user(server: DemoAuthorizationServer, caller: Caller) -> None:
    """The error of the source is raised as it is, where the user may not be asked."""
    source = source_at(server, interactive=False)
    server.revoke_tokens()

    with pytest.raises(SignInRequired):
        caller(source, [Call(server.resource)])


@every
def test_server_that_refuses_everything_is_heard(server: DemoAuthorizationServer, caller: Caller) -> None:
    """Its answer says why, and no library raises for a status: that is for the program to do."""
    source = source_at(server, interactive=False)
    refusing = Call(f"{server.issuer}/answer?status=401&challenge=Bearer")
    for _ in range(MOST_REFUSED + 3):
        [answer] = caller(source, [refusing])

        assert (answer.status, answer.text) == (401, "nothing")
    assert renewals(server) <= MOST_REFUSED + 1
    assert {each.status for each in caller(source, [Call(server.resource)])} == {200}


@ours
def test_user_is_not_asked_for_each_refusal(server: DemoAuthorizationServer, caller: Caller) -> None:
    """Without a refresh token, only the user could bring a new token, which would be refused as well."""
    source = TokenSource(server.client(), open_browser=SimulatedUser().open, notify=silent, flow="token")
    refusing = Call(f"{server.issuer}/answer?status=401")
    answers = [caller(source, [refusing])[0].status for _ in range(3)]

    assert answers == [401] * 3
    assert server.requests("authorize") <= 4


@ours
def test_user_signs_in_again_after_a_revocation(server: DemoAuthorizationServer, caller: Caller) -> None:
    """An interactive program goes on with the same request."""
    source = source_at(server)
    server.revoke_tokens()
    [answer] = caller(source, [Call(server.resource)])

    assert answer.status == 200


@ours
def test_user_who_denies_is_an_error_of_the_source(server: DemoAuthorizationServer, caller: Caller) -> None:
    """Programs catch one class, whichever library they call with."""
    user = SimulatedUser("deny")
    source = TokenSource(server.client(), open_browser=user.open, notify=silent, flow="code")

    with pytest.raises(AuthorizationError):
        caller(source, [Call(server.resource)])


@ours
def test_missing_scope_is_asked_for(server: DemoAuthorizationServer, caller: Caller) -> None:
    """The challenge names it (RFC 6750 §3.1)."""
    source = source_at(server)
    [answer] = caller(source, [Call(f"{server.resource}?scope=email")])

    assert answer.status == 200
    assert "email" in json.loads(answer.text)["scope"]
    assert server.requests("authorize") == 2


@ours
def test_missing_scope_is_asked_for_once(server: DemoAuthorizationServer, caller: Caller) -> None:
    """Requests at the same time lack the same scope, and the user has one browser."""
    source = source_at(server)
    answers = caller(source, [Call(f"{server.resource}?scope=email")] * 20)

    assert {answer.status for answer in answers} == {200}
    assert server.requests("authorize") == 2


@ours
def test_rfc9470_4_user_authenticates_again_once_for_one_request(
    server: DemoAuthorizationServer, caller: Caller
) -> None:
    """A server that is never satisfied is heard then, and no renewal is tried."""
    source = source_at(server)
    challenge = f'Bearer error="insufficient_user_authentication", acr_values="{ACR_VALUES[0]}"'
    query = urlencode({"status": "401", "challenge": challenge})
    [answer] = caller(source, [Call(f"{server.issuer}/answer?{query}")])

    assert (answer.status, server.requests("answer"), renewals(server)) == (401, 2, 0)
    assert {one.parameters["acr_values"] for one in server.log if "acr_values" in one.parameters} == {
        ACR_VALUES[0]
    }


@ours
def test_rfc9470_4_user_authenticates_as_the_resource_wants(
    server: DemoAuthorizationServer, caller: Caller
) -> None:
    """Requests at the same time need the same, and the user has one browser."""
    source = source_at(server)
    answers = caller(source, [Call(f"{server.resource}/sensitive")] * 20)

    assert {answer.status for answer in answers} == {200}
    assert server.requests("authorize") == 2


@every
def test_missing_scope_is_told_where_nobody_can_be_asked(
    server: DemoAuthorizationServer, caller: Caller
) -> None:
    """The answer has the server's own words."""
    source = source_at(server, interactive=False)
    [answer] = caller(source, [Call(f"{server.resource}?scope=email")])

    assert answer.status == 403
    assert server.requests("resource") == 1


@ours
def test_renewal_and_step_up_for_one_request(server: DemoAuthorizationServer, caller: Caller) -> None:
    """A token may be too old and too narrow."""
    source = source_at(server)
    server.expire_tokens()
    [answer] = caller(source, [Call(f"{server.resource}?scope=email")])

    assert (answer.status, renewals(server)) == (200, 1)


@ours
def test_body_is_sent_again(server: DemoAuthorizationServer, caller: Caller, tmp_path: Path) -> None:
    """Whatever can be read a second time."""
    source, stored = source_at(server), tmp_path / "body"
    stored.write_bytes(b"stored")
    with stored.open("rb") as file:
        none_taken = caller in (with_async_httpx, with_async_httpx2)
        files = () if none_taken else (io.BytesIO(b"in memory"), file)
        for content in (b"bytes", {"form": "field"}, *files):
            server.expire_tokens()
            [answer] = caller(source, [Call(server.resource, "POST", content)])
            first, second = [one.body for one in server.log if one.path == "/resource"][-2:]

            assert answer.status == 200
            assert first == second != b""


@pytest.mark.parametrize("library", ["requests", "aiohttp"])
def test_file_is_sent_again_from_where_it_began(server: DemoAuthorizationServer, library: str) -> None:
    """Programs send the rest of a file whose head they have read; httpx cannot send that at all."""
    source, content = source_at(server), io.BytesIO(b"read and sent")
    content.seek(len(b"read and "))
    server.expire_tokens()
    [answer] = OURS[library](source, [Call(server.resource, "POST", content)])

    assert (answer.status, json.loads(answer.text)["body"]) == (200, "sent")


@ours
def test_multipart_form_is_sent_again(server: DemoAuthorizationServer, caller: Caller) -> None:
    """An upload is a form with a file in it."""
    source = source_at(server)
    server.expire_tokens()
    [answer] = caller(source, [Call(server.resource, "POST", upload=io.BytesIO(b"the upload"))])

    assert answer.status == 200
    assert "the upload" in json.loads(answer.text)["body"]


@ours
def test_generator_is_not_sent_again(server: DemoAuthorizationServer, caller: Caller) -> None:
    """It is empty the second time; the token is renewed for the request after it."""
    source = source_at(server)
    server.expire_tokens()
    [refused] = caller(source, [Call(server.resource, "POST", [b"one", b"two"])])
    [accepted] = caller(source, [Call(server.resource, "POST", [b"one", b"two"])])

    assert (refused.status, accepted.status) == (401, 200)
    assert json.loads(accepted.text)["body"] == "onetwo"
    assert (renewals(server), server.requests("resource")) == (1, 2)


@every
def test_token_does_not_go_to_another_origin(
    server: DemoAuthorizationServer, other: DemoAuthorizationServer, caller: Caller
) -> None:
    """A redirect is in the hands of the server; the token is for the first one alone."""
    source = source_at(server)
    [answer] = caller(source, [Call(f"{server.issuer}/to?url={other.resource}")])

    assert answer.status == 401
    assert [one.header("authorization") for one in other.log] in ([""], [""] * 3)
    assert "Bearer" in server.log[-1].header("authorization")


@ours
def test_refusal_of_another_origin_renews_nothing(
    server: DemoAuthorizationServer, other: DemoAuthorizationServer, caller: Caller
) -> None:
    """It has not seen the token, so it has not refused it."""
    source = source_at(server)
    caller(source, [Call(f"{server.issuer}/to?url={other.resource}")])

    assert (renewals(server), len(other.log)) == (0, 1)


@ours
def test_redirect_within_the_origin_keeps_the_token(server: DemoAuthorizationServer, caller: Caller) -> None:
    """What was redirected is sent again alone, and not what led there."""
    source = source_at(server)
    server.expire_tokens()
    [answer] = caller(source, [Call(f"{server.issuer}/to?url=/resource&status=307", "POST", b"kept")])

    assert (answer.status, renewals(server)) == (200, 1)
    assert json.loads(answer.text)["body"] == "kept"
    assert (server.requests("to"), server.requests("resource")) == (1, 2)


@ours
@pytest.mark.parametrize(
    ("status", "challenge", "sent"),
    [
        (401, "", 2),
        (401, "Bearer", 2),
        (401, 'Basic realm="x", Bearer error="invalid_token"', 2),
        (401, 'Basic realm="x"', 1),
        (401, 'DPoP error="invalid_token"', 2),
        (401, 'Negotiate error="invalid_token"', 1),
        (403, 'Bearer error="insufficient_scope"', 1),
        (403, "", 1),
        (404, "Bearer", 1),
        (503, 'Bearer error="invalid_token"', 1),
    ],
)
def test_only_a_refusal_of_the_token_is_answered(
    server: DemoAuthorizationServer, caller: Caller, status: int, challenge: str, sent: int
) -> None:
    """Once; everything else is for the program (RFC 6750 §3.1, RFC 9110 §11.6.1)."""
    source = source_at(server)
    query = urlencode({"status": str(status), "challenge": challenge})
    [answer] = caller(source, [Call(f"{server.issuer}/answer?{query}")])

    assert answer.status == status
    assert (server.requests("answer"), renewals(server)) == (sent, sent - 1)


@every
def test_token_is_not_sent_in_the_clear(server: DemoAuthorizationServer, caller: Caller) -> None:
    """Anyone on the way could use it (RFC 6750 §5.3)."""
    with pytest.raises(ConfigError, match=r"not be encrypted"):
        caller(source_at(server), [Call("http://192.0.2.1/")])


@ours
def test_connection_is_used_again(server: DemoAuthorizationServer, caller: Caller) -> None:
    """A retry over a new connection would take a handshake longer."""
    source = source_at(server)
    with refusing_once() as (url, seen):
        [answer] = caller(source, [Call(url, "POST", b"body")])

    assert answer.status == 200
    assert len(seen) == 2
    assert len(set(seen)) == 1


@contextmanager
def refusing_once() -> Iterator[tuple[str, list[int]]]:
    """Serve a resource that refuses the first request, and lists the ports that requests came from."""
    seen: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.client_address[1])
            self.send_response(401 if len(seen) == 1 else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}/", seen
        served.shutdown()


async def test_refusal_beside_another_call_gets_another_token(server: DemoAuthorizationServer) -> None:
    """A call that only wants a token must not answer for one that says that the token was refused."""
    source = await asyncio.to_thread(source_at, server)
    refused = await source.token()
    server.expire_tokens()
    _, second, third = await asyncio.gather(
        source.token(), source.token(refused=refused), source.token(refused=refused)
    )

    assert second == third != refused
    assert renewals(server) == 1


def test_answers_are_streamed(server: DemoAuthorizationServer) -> None:
    """A download is not read into memory, also after a renewal."""
    source, url = source_at(server), server.resource
    server.expire_tokens()
    with httpx.Client(auth=for_httpx.BearerAuth(source)) as client, client.stream("GET", url) as one:
        unread, body = not one.is_stream_consumed, b"".join(one.iter_bytes())
    server.expire_tokens()
    with requests.Session() as session:
        session.auth = for_requests.BearerAuth(source)
        with session.get(url, stream=True) as two:
            assert two.raw.read() == body

    assert unread
    assert renewals(server) == 2
