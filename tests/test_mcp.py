"""One line signs a client of MCP in: what is asked when, which tokens go where, and what an error says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resource_world import challenged, resource_server

from loopback_auth import ClientConfig, ClientMetadata, FileTokenStore, MemoryTokenStore, TokenSource, mcp
from loopback_auth.errors import ConfigError, LoopbackAuthError, SignInRequired
from loopback_auth.events import silent
from loopback_auth.mcp import ResourceAuth
from loopback_auth.testing import DemoAuthorizationServer, Features, SimulatedUser, serve


@pytest.fixture
def server() -> Iterator[DemoAuthorizationServer]:
    """Serve an MCP server and its authorization server."""
    with serve() as served:
        yield served


@pytest.fixture
def store(tmp_path: Path) -> FileTokenStore:
    """Keep sign-ins in a folder of the test's own."""
    return FileTokenStore(tmp_path)


def auth_for(server: DemoAuthorizationServer, store: FileTokenStore | MemoryTokenStore) -> ResourceAuth:
    """Return what signs a willing user in."""
    return mcp.sign_in(server.mcp, store=store, open_browser=SimulatedUser().open, notify=silent)


def message(method: str, **parameters: object) -> dict[str, object]:
    """Write a message of JSON-RPC."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}


LIST = message("tools/list")
WRITE = message("tools/call", name="write", arguments={"text": "a note"})


def asked(server: DemoAuthorizationServer) -> list[str]:
    """Return the scopes of all authorization requests."""
    return [
        one.parameters.get("scope", "")
        for one in server.log
        if (one.method, one.path) == ("GET", "/authorize")
    ]


def test_nothing_is_requested_before_it_is_needed(server: DemoAuthorizationServer) -> None:
    """A program makes what signs in when it starts."""
    auth_for(server, MemoryTokenStore())

    assert server.log == ()


def test_one_line_signs_in_with_httpx2(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """The MCP SDK and fastmcp use this library now; the first request goes without a token."""
    with httpx2.Client(auth=auth_for(server, store)) as client:
        first, second = client.post(server.mcp, json=LIST), client.post(server.mcp, json=LIST)

    assert (first.status_code, second.status_code) == (200, 200)
    assert [one.status for one in server.log if one.path == "/mcp"] == [401, 200, 200]
    assert (server.requests("register"), asked(server)) == (1, ["mcp:read offline_access"])


async def test_one_line_signs_in_with_async_httpx2(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The SDK's clients are asynchronous."""
    async with httpx2.AsyncClient(auth=auth_for(server, store)) as client:
        answer = await client.post(server.mcp, json=LIST)

    assert answer.status_code == 200


def test_one_line_signs_in_with_httpx(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """The SDK used this library before version 2."""
    with httpx.Client(auth=auth_for(server, store)) as client:
        assert client.post(server.mcp, json=LIST).status_code == 200


async def test_one_object_serves_both_libraries(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """A program may use the one for the SDK, and the other for its own requests."""
    auth = auth_for(server, store)
    async with httpx.AsyncClient(auth=auth) as client, httpx2.AsyncClient(auth=auth) as other:
        assert (await client.post(server.mcp, json=LIST)).status_code == 200
        assert (await other.post(server.mcp, json=LIST)).status_code == 200

    assert len(asked(server)) == 1


def test_sign_in_is_shared_by_all_programs(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """It is kept under the name of the URL, as the command line keeps it."""
    with httpx2.Client(auth=auth_for(server, store)) as client:
        client.post(server.mcp, json=LIST)
    other = mcp.sign_in(server.mcp, store=store, interactive=False)
    with httpx2.Client(auth=other) as client:
        answer = client.post(server.mcp, json=LIST)

    assert answer.status_code == 200
    assert store.names() == (ClientConfig.for_resource(server.mcp).provider.name,)
    assert other.source.token_sync()


def test_sign_in_is_kept_in_the_users_data_folder(
    server: DemoAuthorizationServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the command line keeps it."""
    monkeypatch.setenv("LOOPBACK_AUTH_DATA_DIR", str(tmp_path))
    auth = mcp.sign_in(server.mcp, open_browser=SimulatedUser().open, notify=silent)
    with httpx2.Client(auth=auth) as client:
        client.post(server.mcp, json=LIST)

    assert FileTokenStore(tmp_path).names() == (auth.source.client.provider.name,)


def test_step_up_asks_for_all_scopes(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """A tool needs more than the list of tools (MCP 2025-11-25, "Step-Up Authorization Flow")."""
    with httpx2.Client(auth=auth_for(server, store)) as client:
        client.post(server.mcp, json=LIST)
        answer = client.post(server.mcp, json=WRITE)

    assert "Noted" in answer.text
    assert set(asked(server)[-1].split()) == {"mcp:read", "mcp:write", "offline_access"}
    assert len(asked(server)) == 2


def test_next_sign_in_asks_for_what_was_learnt(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The user who has allowed a scope is not asked twice for it, one after the other."""
    with httpx2.Client(auth=auth_for(server, store)) as client:
        client.post(server.mcp, json=LIST)
        client.post(server.mcp, json=WRITE)
    server.revoke_tokens()
    with httpx2.Client(auth=auth_for(server, store)) as client:
        client.post(server.mcp, json=WRITE)

    assert len(asked(server)) == 3
    assert set(asked(server)[-1].split()) == {"mcp:read", "mcp:write", "offline_access"}


def test_mcp_scopes_of_the_metadata_are_asked_for_once(store: FileTokenStore) -> None:
    """Servers made with the Python SDK leave the scope out (MCP 2025-11-25, "Scope Selection Strategy").

    Nothing shows whether more scope helps, so that there is one try.
    """
    user = SimulatedUser()
    with serve() as server, resource_server() as resource:
        url = resource.protect("/mcp", server.issuer, scopes=("profile",))
        auth = mcp.sign_in(
            url,
            client_id=server.client_id,
            store=store,
            open_browser=user.open,
            notify=silent,
        )
        place = f"{resource.origin}/.well-known/oauth-protected-resource/mcp"
        with httpx2.Client(auth=auth) as client:
            auth.source.token_sync()
            resource.protect("/mcp", server.issuer, scopes=("profile", "email"))
            more = f'Bearer error="insufficient_scope", resource_metadata="{place}"'
            resource.answers["/mcp"] = challenged(more, status=403)
            answers = [client.post(url, json={}).status_code for _ in range(3)]
        asked = [
            set(one.parameters["scope"].split())
            for one in server.log
            if (one.method, one.path) == ("GET", "/authorize")
        ]

    assert answers == [403, 403, 403]
    assert [scopes - {"offline_access"} for scopes in asked] == [{"profile"}, {"profile", "email"}]


@pytest.mark.parametrize("options", [{"interactive": False}, {"wait": False}])
def test_where_no_user_may_be_asked_the_error_says_what_is_wanted(
    server: DemoAuthorizationServer, store: FileTokenStore, options: dict[str, bool]
) -> None:
    """In a server, a CI job, or under a coding agent."""
    with httpx2.Client(auth=auth_for(server, store)) as client:
        client.post(server.mcp, json=LIST)
    auth = mcp.sign_in(server.mcp, store=store, notify=silent, **options)  # type: ignore[arg-type]
    with httpx2.Client(auth=auth) as client:
        assert client.post(server.mcp, json=LIST).status_code == 200
        with pytest.raises(SignInRequired) as refusal:
            client.post(server.mcp, json=WRITE)

    assert "mcp:write" in refusal.value.scope.split()


def test_without_a_sign_in_and_a_user_it_is_an_error(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """Not an answer that the SDK would show as a failed message."""
    auth = mcp.sign_in(server.mcp, store=store, interactive=False)
    with httpx2.Client(auth=auth) as client, pytest.raises(SignInRequired):
        client.post(server.mcp, json=LIST)


def test_open_server_asks_nobody(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """A server that answers without a token has not asked for one."""
    url = f"{server.issuer}/.well-known/oauth-authorization-server"
    with httpx2.Client(auth=mcp.sign_in(url, store=store)) as client:
        answer = client.get(url)

    assert answer.status_code == 200
    assert asked(server) == []


def test_rfc6750_5_3_another_origin_gets_no_token(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """One HTTP client may be used for several servers, and each token is for one of them."""
    auth = auth_for(server, store)
    with serve() as other, httpx2.Client(auth=auth) as client:
        client.post(server.mcp, json=LIST)
        answer = client.post(other.mcp, json=LIST)

        assert answer.status_code == 401
        assert [one.header("authorization") for one in other.log] == [""]


async def test_rfc6750_5_3_another_origin_gets_no_token_async(
    server: DemoAuthorizationServer, store: FileTokenStore
) -> None:
    """The same for an asynchronous client."""
    with serve() as other:
        async with httpx2.AsyncClient(auth=auth_for(server, store)) as client:
            await client.post(server.mcp, json=LIST)
            answer = await client.post(other.mcp, json=LIST)

        assert answer.status_code == 401
        assert [one.header("authorization") for one in other.log] == [""]


@pytest.mark.parametrize("bound", [None, True])
@pytest.mark.parametrize("status", [302, 303, 307, 308])
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_redirect_before_the_sign_in_takes_no_token_elsewhere(
    server: DemoAuthorizationServer, library: Any, status: int, bound: bool | None
) -> None:
    """The first request has no token, so that the libraries have none to take off."""
    found: list[httpx.Request] = []

    def answer(request: httpx.Request) -> object:
        metadata = f"{server.issuer}/.well-known/oauth-protected-resource/mcp"
        challenge = {"WWW-Authenticate": f'Bearer resource_metadata="{metadata}"'}
        if str(request.url) == server.mcp:
            return library.Response(status, headers={"Location": "https://other.example/mcp", **challenge})
        found.append(request)
        return library.Response(401, headers=challenge)

    user = SimulatedUser()
    auth = mcp.sign_in(
        server.mcp, store=MemoryTokenStore(), open_browser=user.open, notify=silent, dpop=bound
    )
    with library.Client(auth=auth, transport=library.MockTransport(answer), follow_redirects=True) as client:
        answered = client.post(server.mcp, json=LIST)

    assert answered.status_code == 401
    assert not [one for one in found if {"authorization", "dpop"} & set(one.headers)]
    assert asked(server) == []  # Another server's challenge is not one of this resource.


async def test_redirect_before_the_sign_in_takes_no_token_elsewhere_async(
    server: DemoAuthorizationServer,
) -> None:
    """The same for an asynchronous client."""
    found: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        if str(request.url) == server.mcp:
            return httpx2.Response(307, headers={"Location": "https://other.example/mcp"})
        found.append(request)
        return httpx2.Response(401, headers={"WWW-Authenticate": "Bearer"})

    auth = mcp.sign_in(server.mcp, store=MemoryTokenStore(), open_browser=SimulatedUser().open, notify=silent)
    transport = httpx2.MockTransport(answer)
    async with httpx2.AsyncClient(auth=auth, transport=transport, follow_redirects=True) as client:
        assert (await client.post(server.mcp, json=LIST)).status_code == 401

    assert ["authorization" in one.headers for one in found] == [False]


def test_default_port_is_the_same_origin() -> None:
    """The libraries leave it out of a URL; the user need not."""
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        return httpx2.Response(401, headers={"WWW-Authenticate": "Bearer"})

    auth = mcp.sign_in("https://MCP.example:443/mcp", store=MemoryTokenStore(), interactive=False)
    client = httpx2.Client(auth=auth, transport=httpx2.MockTransport(answer))
    with client, pytest.raises(SignInRequired):
        client.post("https://mcp.example/mcp")

    assert seen == ["https://mcp.example/mcp"]


@settings(max_examples=60, deadline=None)  # The first example imports what a step-up needs.
@given(
    st.sampled_from([401, 403, 407, 500]),
    st.lists(
        st.text(alphabet='Bearer DPoP=",\\\t;é\x00')
        | st.sampled_from(['Bearer error="', "insufficient_scope"])
    ),
)
def test_whatever_a_server_answers_ends_in_an_answer_or_an_error_of_ours(
    status: int, challenges: list[str]
) -> None:
    """The SDK cannot say more of another exception than that a message has failed."""
    headers = [(b"WWW-Authenticate", each.encode("latin-1")) for each in challenges]

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(status, headers=headers)

    sent: list[httpx2.Request] = []
    auth = mcp.sign_in("https://mcp.example/mcp", store=MemoryTokenStore(), interactive=False)
    client = httpx2.Client(auth=auth, transport=httpx2.MockTransport(answer))
    with client, suppress(LoopbackAuthError):
        client.post("https://mcp.example/mcp", json=LIST)

    assert len(sent) == 1
    assert "authorization" not in sent[0].headers


def test_given_client_is_used(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """A client that was registered by hand comes before every other way to get one."""
    auth = mcp.sign_in(
        server.mcp,
        client_id=server.client_id,
        scope="mcp:read mcp:write",
        store=store,
        open_browser=SimulatedUser().open,
        notify=silent,
    )
    with httpx2.Client(auth=auth) as client:
        assert "Noted" in client.post(server.mcp, json=WRITE).text

    assert server.requests("register") == 0
    assert asked(server) == ["mcp:read mcp:write"]


def test_name_of_the_program_is_registered(server: DemoAuthorizationServer, store: FileTokenStore) -> None:
    """The user reads it on the server's page."""
    auth = mcp.sign_in(
        server.mcp,
        client_metadata=ClientMetadata(client_name="My editor"),
        store=store,
        open_browser=SimulatedUser().open,
        notify=silent,
    )
    with httpx2.Client(auth=auth) as client:
        client.post(server.mcp, json=LIST)

    [registered] = [one for one in server.log if one.path == "/register"]
    assert json.loads(registered.body)["client_name"] == "My editor"


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("http://mcp.example/mcp", "resource_server"),
        ("mcp.example", "resource_server"),
        ("https://mcp.example/mcp#x", "resource_server"),
        ("", "resource_server"),
    ],
)
def test_url_that_cannot_be_a_resource_is_refused_at_once(url: str, parameter: str) -> None:
    """Not by the first request."""
    with pytest.raises(ConfigError) as refusal:
        mcp.sign_in(url, store=MemoryTokenStore())

    assert refusal.value.parameter == parameter


def test_source_for_no_resource_is_refused() -> None:
    """It would send its first request without a token, and learn nothing from the answer."""
    client = ClientConfig.at("https://id.example", client_id="c")
    with pytest.raises(ConfigError) as refusal:
        ResourceAuth(TokenSource(client))

    assert refusal.value.parameter == "resource_server"


@pytest.mark.parametrize("installed", [("httpx2",), ("httpx",), ()])
def test_one_of_the_two_libraries_is_enough(installed: tuple[str, ...]) -> None:
    """Neither comes with this package, and a client takes an Auth of its own library alone."""
    missing = {"httpx", "httpx2"} - set(installed)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({missing!r}))\nfrom loopback_auth import mcp\n"
        + "".join(f"import {name}; assert issubclass(mcp.ResourceAuth, {name}.Auth)\n" for name in installed)
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, "pip install httpx2" in done.stderr) == ((0, False) if installed else (1, True))


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_server_that_demands_bound_tokens_gets_them(
    store: FileTokenStore, asynchronous: bool
) -> None:
    """Its metadata say so (RFC 9728 §2), with no setting of ours; a step-up has a key of its own."""
    features = Features(dpop="required", server_nonces=True, resource_nonces=True)
    with serve(features=features) as server:
        auth = auth_for(server, store)
        if asynchronous:
            async with httpx2.AsyncClient(auth=auth) as client:
                answers = [await client.post(server.mcp, json=each) for each in (LIST, LIST, WRITE, WRITE)]
        else:
            with httpx2.Client(auth=auth) as plain:
                answers = [plain.post(server.mcp, json=each) for each in (LIST, LIST, WRITE, WRITE)]
        statuses = [one.status for one in server.log if one.path == "/mcp"]
        kept = store.load(auth.source.sign_in_sync().name)

    assert [answer.status_code for answer in answers] == [200] * 4
    # Without a token, without a nonce, then as it should be; once more for the wider token and its key.
    assert statuses == [401, 401, 200, 200, 403, 401, 200, 200]
    assert kept is not None
    assert (kept.tokens.token_type, bool(kept.dpop_key)) == ("DPoP", True)


@pytest.mark.parametrize("interactive", [True, False])
def test_rfc9449_7_1_a_server_may_begin_to_demand_bound_tokens(
    server: DemoAuthorizationServer, store: FileTokenStore, interactive: bool
) -> None:
    """A renewal keeps a bearer token what it is, so that only another sign-in helps."""
    schemes = ["Bearer"]

    def answer(request: httpx2.Request) -> httpx2.Response:
        taken = request.headers.get("Authorization", "").startswith(f"{schemes[-1]} ")
        challenge = (
            f'{schemes[-1]} resource_metadata="{server.issuer}/.well-known/oauth-protected-resource/mcp"'
        )
        return httpx2.Response(
            200 if taken else 401, headers={} if taken else {"WWW-Authenticate": challenge}
        )

    def called(auth: ResourceAuth) -> list[int]:
        with httpx2.Client(auth=auth, transport=httpx2.MockTransport(answer)) as client:
            return [client.post(server.mcp, json=LIST).status_code for _ in range(3)]

    assert called(auth_for(server, store)) == [200] * 3
    schemes.append("DPoP")
    if interactive:
        assert called(auth_for(server, store)) == [200] * 3
    else:
        with pytest.raises(SignInRequired):
            called(mcp.sign_in(server.mcp, store=store, interactive=False))
    assert len(asked(server)) == 1 + interactive
    assert server.requests("token", grant="refresh_token") == 0
