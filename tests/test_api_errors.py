"""What a program meets when a sign-in, a renewal or a sign-out fails: neutral words, in three places.

A failure is shown by the error, by the page in the browser, and by the messages on stderr.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from demo_client import client
from neutral import check_neutral
from patience import SOON
from time_leap import leaping

from loopback_auth.api import login
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import (
    AttemptExpired,
    AuthorizationError,
    ConfigError,
    DeviceError,
    EndpointMissing,
    IssuerMismatch,
    LoopbackAuthError,
    MalformedResponse,
    NoFlowAvailable,
    RedirectUnavailable,
    TicketError,
    TokenError,
    TransportError,
)
from loopback_auth.events import Event, LinkOpened, LinkReady, RequestIgnored, SignInFailed
from loopback_auth.model import ClientConfig, Network, Redirect, ServerMetadata
from loopback_auth.options import Options
from loopback_auth.terminal.messages import Messages

FAULTLESS = Faults()
NOBODY = "http://127.0.0.1:1"


def same(one: ClientConfig) -> ClientConfig:
    """Leave the client as it is."""
    return one


def asking(**changes: object) -> Callable[[ClientConfig], ClientConfig]:
    """Change what the client asks for."""
    return lambda one: replace(one, **changes)  # type: ignore[arg-type]


def at(**changes: object) -> Callable[[ClientConfig], ClientConfig]:
    """Change the provider."""
    return lambda one: replace(one, provider=replace(one.provider, **changes))  # type: ignore[arg-type]


def known(**changes: object) -> Callable[[ClientConfig], ClientConfig]:
    """Change what is known of the server."""
    return lambda one: at(metadata=replace(one.provider.metadata, **changes))(one)  # type: ignore[arg-type]


def over_tls(**changes: object) -> Callable[[ClientConfig], ClientConfig]:
    """Change the provider, and let it speak TLS."""
    return lambda one: at(metadata=ServerMetadata("https://localhost:1"), **changes)(one)


@dataclass(frozen=True)
class Case:
    """A sign-in that fails.

    Args:
        error: its class.
        parameter: what the error is about.
        change: made to the client, which could sign in otherwise.
        faults: of the server.
        options: of `login`.
        denies: the user does.
        over_at: the event at which the time is over.
    """

    error: type[LoopbackAuthError]
    parameter: str = ""
    change: Callable[[ClientConfig], ClientConfig] = same
    faults: Faults = FAULTLESS
    options: Options = field(default_factory=Options)
    denies: bool = False
    over_at: type[Event] = SignInFailed


CODE = Options(flow="code")
IDENTITY = asking(scope="openid email")
SIGNER = rsa_signer()

CASES = {
    "the user denies": Case(AuthorizationError, denies=True),
    "scope refused": Case(AuthorizationError, "scope", asking(scope="admin:everything"), options=CODE),
    "unknown client": Case(
        AttemptExpired,
        "client_id redirect timeout",
        asking(client_id="x"),
        options=CODE,
        over_at=LinkOpened,
    ),
    "nobody comes": Case(
        AttemptExpired,
        "flow timeout",
        options={**CODE, "open_browser": lambda _: False},
        over_at=LinkReady,
    ),
    "wrong state": Case(
        AttemptExpired, "timeout", faults=Faults(wrong_state=True), options=CODE, over_at=RequestIgnored
    ),
    "no ticket": Case(NoFlowAvailable, "allowed_flows confirm", options={"allowed_flows": ("ticket",)}),
    "cannot paste": Case(ConfigError, "paste flow", options={"flow": "paste"}),
    "wrong issuer": Case(
        IssuerMismatch, "issuer allowed_issuer", faults=Faults(metadata_issuer="https://x.example")
    ),
    "other server answers": Case(IssuerMismatch, faults=Faults(wrong_iss=True), options=CODE),
    "no iss": Case(IssuerMismatch, faults=Faults(omit_iss=True), options=CODE),
    "code twice": Case(MalformedResponse, faults=Faults(duplicate_parameter="code"), options=CODE),
    "no metadata": Case(
        EndpointMissing,
        "issuer authorization_endpoint token_endpoint",
        faults=Faults(without_metadata=True),
        options=CODE,
    ),
    "token endpoint moved": Case(
        MalformedResponse, "token_endpoint", faults=Faults(redirect_token_endpoint=NOBODY), options=CODE
    ),
    "token endpoint fails": Case(
        TransportError, faults=Faults(token_status=500, token_html=True), options=CODE
    ),
    "token endpoint is busy": Case(
        TransportError, faults=Faults(token_status=503, token_body=b""), options=CODE
    ),
    "token endpoint is a page": Case(
        MalformedResponse, "token_endpoint", faults=Faults(token_html=True), options=CODE
    ),
    "no token": Case(MalformedResponse, "token_endpoint", faults=Faults(token_body=b"{}"), options=CODE),
    "code refused": Case(
        TokenError,
        faults=Faults(token_status=400, token_body=b'{"error": "invalid_grant"}'),
        options=CODE,
    ),
    "client refused": Case(
        TokenError,
        "client_id client_secret private_key client_auth",
        faults=Faults(token_status=401, token_body=b'{"error": "invalid_client"}'),
        options=CODE,
    ),
    "not understood": Case(
        TokenError, faults=Faults(token_status=400, token_body=b'{"error": "invalid_request"}'), options=CODE
    ),
    "wrong nonce": Case(MalformedResponse, "issuer client_id", IDENTITY, Faults(wrong_nonce=True), CODE),
    "wrong audience": Case(
        MalformedResponse, "issuer client_id", IDENTITY, Faults(wrong_audience=True), CODE
    ),
    "clock": Case(MalformedResponse, "", IDENTITY, Faults(clock_skew=-1e6), CODE),
    "no ID token": Case(MalformedResponse, "scope", IDENTITY, Faults(omit_members=("id_token",)), CODE),
    "token type": Case(
        MalformedResponse,
        "token_types",
        faults=Faults(token_body=b'{"access_token": "x", "token_type": "mac"}'),
        options=CODE,
    ),
    "device denied": Case(
        DeviceError, faults=Faults(device_interval=1), options={"flow": "device"}, denies=True
    ),
    "code too late": Case(
        DeviceError, faults=Faults(expires_early=0.0, device_interval=1), options={"flow": "device"}
    ),
    "no device": Case(
        EndpointMissing,
        "flow device_authorization_endpoint",
        known(
            issuer=None,
            authorization_endpoint=f"{NOBODY}/a",
            token_endpoint=f"{NOBODY}/t",
        ),
        options={"flow": "device"},
    ),
    "ticket denied": Case(TicketError, options={"flow": "ticket"}, denies=True),
    "no ticket for the client": Case(
        TicketError, "client_id", faults=Faults(ticket_status=403), options={"flow": "ticket"}
    ),
    "no tickets at all": Case(
        EndpointMissing,
        "flow",
        lambda one: client(one.provider.metadata.issuer or "", "npm"),
        Faults(ticket_status=404),
        {"flow": "ticket"},
    ),
    "ticket not exchanged": Case(
        TicketError, faults=Faults(exchange_refused=True), options={"flow": "ticket"}
    ),
    "server down": Case(TransportError, "", known(issuer=NOBODY), options=CODE),
    "plain http": Case(ConfigError, "issuer", known(issuer="http://id.example"), options=CODE),
    "metadata as issuer": Case(
        ConfigError, "issuer", known(issuer="https://id.example/.well-known/x"), options=CODE
    ),
    "nothing known": Case(
        ConfigError, "issuer authorization_endpoint token_endpoint", known(issuer=None), options=CODE
    ),
    "resource": Case(ConfigError, "resource", asking(resource=("not a uri",)), options=CODE),
    "extra": Case(ConfigError, "extra", asking(extra={"state": "x"}), options=CODE),
    "response mode": Case(ConfigError, "response_mode", asking(response_mode="fragment"), options=CODE),
    "no secret": Case(ConfigError, "client_secret", at(client_auth="client_secret_post"), options=CODE),
    "no authorities": Case(
        ConfigError, "ca_file", over_tls(network=Network(ca_file="/nowhere/ca.pem")), options=CODE
    ),
    "no certificate": Case(
        ConfigError,
        "client_cert client_key",
        over_tls(network=Network(client_cert="/nowhere/client.pem")),
        options=CODE,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_sign_in_that_fails_names_no_flag(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """The program has none of ours, and its user would look for them."""
    user = SimulatedUser("deny" if case.denies else "approve")

    def server(issuer: str) -> DemoServer:
        return DemoServer(issuer, entropy=os.urandom, faults=case.faults, signer=SIGNER)

    messages = Messages("demo", authority="", qr=False)
    notify = leaping(SOON, at=case.over_at, notify=messages.tell)
    async with serve_demo(server_factory=server) as demo:
        with pytest.raises(LoopbackAuthError) as caught:
            await login(
                case.change(client(demo.issuer)),
                **Options(open_browser=user.open, notify=notify, timeout=SOON) | case.options,
            )
        pages = [(await visit).body.decode() for visit in user.visits if isinstance(visit, asyncio.Task)]

    assert (type(caught.value), caught.value.parameter) == (case.error, case.parameter)
    check_neutral(caught.value, *pages, capsys.readouterr().err)


async def test_port_that_is_taken_names_no_flag(capsys: pytest.CaptureFixture[str]) -> None:
    """The commonest failure of a registered port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = Redirect(ports=(other.getsockname()[1],))
        with pytest.raises(RedirectUnavailable) as caught:
            await login(at(redirect=taken)(client(NOBODY)), flow="code", open_browser=lambda _: False)

    assert caught.value.parameter == "ports"
    check_neutral(caught.value, capsys.readouterr().err)
