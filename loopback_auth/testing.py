"""What you need to test your own login: an authorization server on this machine, and a user with a browser.

In pytest, name this module in `conftest.py`; two fixtures are there then:

    pytest_plugins = ["loopback_auth.testing"]

    def test_login(demo_authorization_server, simulated_user):
        client = demo_authorization_server.client()
        sign_in = login_sync(client, open_browser=simulated_user.open)
        assert sign_in.tokens.account == "demo@example.com"
        assert demo_authorization_server.requests("token", grant="authorization_code") == 1

Without pytest, and in every other test framework:

    from loopback_auth import TokenSource
    from loopback_auth.testing import SimulatedUser, serve

    with serve() as server:
        user = SimulatedUser(account="second@example.com")
        source = TokenSource(server.client(), open_browser=user.open)
        first = source.token_sync()
        assert "Signed in" in user.page_sync()
        server.expire_tokens()                    # the next request with this token gets 401
        server.delay["/token"] = 0.1              # and its renewal takes a while
        assert source.token_sync(refused=first) != first
        assert server.requests("token", grant="refresh_token") == 1

A program that is started by the test opens `$BROWSER`, which is the simulated one:

    with user.browser() as environ:
        subprocess.run(["my-tool", "login"], env=os.environ | environ, check=True)

The fixture `simulated_user` has set `$BROWSER` already. The server is a real and strict one, in a thread of
its own, so that it also works in asynchronous tests. It speaks every flow of this package, knows the client
`loopback-auth-demo`, rotates refresh tokens, and revokes a grant whose refresh token is used twice (RFC 9700
§4.14.2).

An MCP server and two other protected resources come with it; a client that knows nothing but their URL finds
the authorization server from there, and registers itself:

    client = ClientConfig.for_resource(server.mcp)

Wrong servers are made of `Faults`, other ones of `Features`: `serve(features=Features(dpop="required"))`.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import cast

from loopback_auth.api import login_sync
from loopback_auth.demo.accounts import ACCOUNTS, Account
from loopback_auth.demo.agent import Decision
from loopback_auth.demo.clients import DEMO_CLIENT, DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.features import Features
from loopback_auth.demo.fetching import fetch_locally
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.request_log import LoggedRequest, LoggingServer
from loopback_auth.demo.serve import Demo, Host, demo_thread
from loopback_auth.demo.tickets import demo_contract
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.events import silent
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.tokens import SignIn

__all__ = [
    "Account",
    "Decision",
    "DemoAuthorizationServer",
    "DemoClient",
    "Faults",
    "Features",
    "LoggedRequest",
    "SimulatedUser",
    "serve",
]


class DemoAuthorizationServer:
    """An authorization server that runs, with what a test can ask it and change about it.

    Args:
        demo: the server, and the port that it is bound to.
    """

    def __init__(self, demo: Demo) -> None:
        self._demo = demo
        self._server = cast("LoggingServer", demo.server)
        self.delay: dict[str, float] = demo.delay
        """Seconds to wait before each answer, by path, such as `/token`; may be changed at any time."""
        self.hang: set[str] = demo.hang
        """Paths that are never answered, such as `/token`; may be changed at any time. Such a request is not
        counted, and its connection ends with the server."""
        self.half_close: set[str] = demo.half_close
        """Paths whose answers break off in the middle of the body; may be changed at any time."""

    @property
    def issuer(self) -> str:
        """The URL of the server, such as `http://127.0.0.1:54321`, without a slash at its end."""
        return self._demo.issuer

    @property
    def client_id(self) -> str:
        """The public client that the server knows; it redirects to `/callback` on any loopback port."""
        return DEMO_CLIENT.client_id

    @property
    def resource(self) -> str:
        """A URL that wants an access token, for any method.

        Without a valid token it answers 401 (RFC 6750 §3.1). With `?scope=email` it answers 403, with the
        error `insufficient_scope`, to a token without that scope. Otherwise it answers 200 with the members
        `sub`, `scope` (of the token), `method` and `body` (what was sent, as text). A token may be issued for
        this URL, or for none (RFC 8707 §2).
        """
        return f"{self.issuer}/resource"

    @property
    def faults(self) -> Faults:
        """The rules that the server breaks; assign another value at any time."""
        return self._server.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._server.faults = faults

    @property
    def expires_in(self) -> int:
        """Lifetime of new access tokens in seconds; assign another value at any time."""
        return self._server.expires_in

    @expires_in.setter
    def expires_in(self, seconds: int) -> None:
        self._server.expires_in = seconds

    @property
    def log(self) -> tuple[LoggedRequest, ...]:
        """Every request that was answered so far, in order.

        Parameters, headers and body have their values, which include secrets; the text form (`repr`) does
        not.
        """
        return tuple(self._server.requests)

    def requests(self, endpoint: str = "", *, grant: str = "", status: int = 0) -> int:
        """Count the requests that were answered so far.

        Args:
            endpoint: its path, with or without the slash, such as `token`, `userinfo`,
                `device_authorization`, `revoke` or `resource`; empty: every one.
            grant: the `grant_type`, such as `refresh_token`; empty: any, or none.
            status: of the answer, such as 401; 0: any.
        """
        path = f"/{endpoint.lstrip('/')}"
        return sum(
            (not endpoint or one.path == path)
            and (not grant or one.grant == grant)
            and (not status or one.status == status)
            for one in self.log
        )

    def client(self, *, scope: str = "profile email", name: str = "demo") -> ClientConfig:
        """Return the client `loopback-auth-demo`, ready for every flow.

        Args:
            scope: names separated by blanks: `profile`, `email`, `offline_access`, and `openid` where the
                extra `oidc` is installed.
            name: of the provider, under which a store keeps the sign-in.
        """
        ticket = demo_contract("netlify", self.issuer, binding=True)
        provider = Provider(name, ServerMetadata(issuer=self.issuer), ticket=ticket)
        return ClientConfig(provider, self.client_id, scope=scope)

    def sign_in(self, *, scope: str = "profile email", account: str = "", name: str = "demo") -> SignIn:
        """Sign a simulated user in, for tests of what comes after a login; keep it in a store of yours.

            store.save(server.sign_in())
            source = TokenSource(server.client(), store=store, interactive=False)

        Args:
            scope: as of `client`.
            account: value or label of the account; empty: the first.
            name: as of `client`.
        """
        user = SimulatedUser(account=account)
        client = self.client(scope=scope, name=name)
        return login_sync(client, open_browser=user.open, notify=silent, flow="code", wait=True)

    @property
    def mcp(self) -> str:
        """The URL of an MCP server, which takes tokens for itself alone, with the scope `mcp:read`.

        Its tool `whoami` says whose token it was called with; `write` needs the scope `mcp:write`, too.
        """
        return f"{self.issuer}/mcp"

    @property
    def sensitive(self) -> str:
        """A URL as `resource`, for a user who has confirmed who they are in the last five minutes.

        Another token gets 401 with the error `insufficient_user_authentication`, and with `acr_values` and
        `max_age` for the next sign-in (RFC 9470 §3).
        """
        return f"{self.issuer}/resource/sensitive"

    @property
    def registered(self) -> tuple[DemoClient, ...]:
        """The clients that registered themselves (RFC 7591), in order; their secrets are not in `repr`."""
        return self._server.registered

    def forget_registrations(self) -> None:
        """Forget every client that registered itself, as a server does that lost them; tokens stay valid."""
        self._server.forget_registrations()

    def rotate_nonces(self) -> None:
        """Let every DPoP nonce that was given out so far be refused, so that clients must learn another."""
        self._server.rotate_nonces()

    def expire_tokens(self) -> None:
        """Let every access token that was issued so far be refused with 401; refresh tokens stay valid."""
        self._server.expire_access_tokens()

    def revoke_tokens(self) -> None:
        """Revoke every access and refresh token, so that the user has to sign in again."""
        self._server.revoke_all()


@contextmanager
def serve(
    *,
    port: int = 0,
    host: Host = "127.0.0.1",
    faults: Faults | None = None,
    clients: Sequence[DemoClient] = (),
    accounts: Sequence[Account] = ACCOUNTS,
    scopes: Mapping[str, str] | None = None,
    expires_in: int = 3600,
    device_interval: int = 1,
    features: Features | None = None,
    delay: Mapping[str, float] | None = None,
    hang: Collection[str] = (),
) -> Generator[DemoAuthorizationServer]:
    """Serve a demo authorization server on this machine, in a thread, for as long as the block lasts.

    Args:
        port: 0 means any free one.
        host: loopback address to bind.
        faults: the rules to break; None: none.
        clients: known besides `loopback-auth-demo`.
        accounts: who can sign in; the first is offered first.
        scopes: additional scopes: the sentence for the consent page by name.
        expires_in: lifetime of access tokens in seconds.
        device_interval: seconds that have to pass between two polls with a device code (RFC 8628 §3.2).
        features: what it offers beyond the sign-in, such as DPoP; None: the default of `Features`.
        delay: seconds to wait before each answer, by path.
        hang: paths that are never answered.

    Raises:
        ConfigError: the address is in use, or this machine does not have it.
    """

    def made(issuer: str) -> LoggingServer:
        return LoggingServer(
            issuer,
            entropy=secrets.token_bytes,
            signer=_signer(),
            clients=clients,
            accounts=accounts,
            scopes=scopes,
            faults=faults,
            expires_in=expires_in,
            device_interval=device_interval,
            features=features,
            fetch=fetch_locally,
        )

    with demo_thread(port=port, host=host, server_factory=made, delay=delay, hang=hang) as demo:
        yield DemoAuthorizationServer(demo)


@cache
def _signer() -> Signer | None:
    """Make the key for ID tokens, once, because that takes a while; without joserfc there are none."""
    return rsa_signer()


try:
    import pytest
except ImportError:
    pass  # The rest of this module works without it.
else:

    @pytest.fixture
    def demo_faults() -> Faults:
        """Break no rules. Override this fixture, or parametrize it, to break some from the start."""
        return Faults()

    @pytest.fixture
    def demo_features() -> Features:
        """Offer what a demo server usually does. Override or parametrize it, for example to require DPoP."""
        return Features()

    @pytest.fixture
    def demo_authorization_server(
        demo_faults: Faults, demo_features: Features
    ) -> Iterator[DemoAuthorizationServer]:
        """Serve a fresh authorization server for one test."""
        with serve(faults=demo_faults, features=demo_features) as server:
            yield server

    @pytest.fixture
    def simulated_user(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedUser]:
        """Return a user who approves: `open` is the `open_browser` of a login, `$BROWSER` starts it too.

        On Windows `$BROWSER` is not set.
        """
        user = SimulatedUser()
        if sys.platform == "win32":
            yield user
            return
        with user.browser() as environ:
            for name, value in environ.items():
                monkeypatch.setenv(name, value)
            yield user
