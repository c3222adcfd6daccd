"""A sign-in in two steps: begun by one process, finished by another, for callers that cannot wait.

    pending = await begin(client, "ticket")               # show pending.url, keep it: store.save(pending)
    sign_in = await resume(pending, save=store.save)      # tokens, or StillPending with .retry_after

Theory of operation. A flow is a deterministic generator, so its whole state is the list of answers that it
got: the journal. To go on, the program makes the same generator from the same client and the same random
values, gives it the journal, and then performs its next effects (`replay`). Every answer is kept before the
flow gets it. So a process may be killed between any two steps: an answer that had arrived is there, and one
that had not is asked for again.

Only the wall clock is used, since a monotonic clock ends with its process; it never runs backwards within a
journal. Nothing listens at the redirect URI: the browser fails there, and a person pastes its address.

Weak spot, admitted: a request whose answer was lost is sent again, a code included, though never after any
answer to it (D9). A server that had exchanged the code refuses, and revokes the tokens that it had issued for
it (RFC 6749 §4.1.2), which have been lost; then the person has to begin again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.errors import AttemptExpired, ConfigError, OAuthError, ProtocolError, StillPending
from loopback_auth.events import Notify, Warned, silent
from loopback_auth.field_checks import check_instance, check_seconds
from loopback_auth.flow_table import TWO_STEP, TwoStepFlow
from loopback_auth.flows.catalog import FlowOptions
from loopback_auth.flows.discovery import discover
from loopback_auth.model import ClientConfig, Network
from loopback_auth.program import Program
from loopback_auth.protocol.device import device_authorization_request
from loopback_auth.protocol.paste import NotAccepted, Pasted, pasted_callback
from loopback_auth.signin.driver import Paste, new_attempt
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.option_checks import CHECKS
from loopback_auth.signin.registering import registered
from loopback_auth.signin.replay import Replay, redirect_uri_of
from loopback_auth.signin.resource_client import knows_server, with_server
from loopback_auth.signin.stores import OpenStore, Store
from loopback_auth.signin.world import RealWorld, Requests, World
from loopback_auth.store.pending import LAPSED, new_handle
from loopback_auth.store.pending_sign_in import PendingSignIn
from loopback_auth.store.registered_ports import preferred_ports
from loopback_auth.tokens import SignIn

FINAL = (OAuthError, ProtocolError, AttemptExpired)
"""Errors that end a sign-in; after any other error `resume` may be called again."""

PASTE_SECONDS = 600.0
"""Seconds for which a pasted address is awaited; servers let codes live no longer (RFC 6749 §4.1.2)."""


async def begin(
    client: ClientConfig,
    flow: TwoStepFlow,
    *,
    named: str = "",
    options: FlowOptions | None = None,
    notify: Notify | None = None,
    store: Store | None = None,
    program: Program | None = None,
    world: World | None = None,
) -> PendingSignIn:
    """Begin a sign-in, up to where the program would have to wait for a person.

    Args:
        client: the client as registered, and what it asks for.
        flow: one that needs no open port.
        named: the provider as the person named it, to find the client secret again.
        options: options of the flow, now and when it is resumed.
        notify: called with warnings; a plain function or a coroutine function. None: they are ignored.
        store: where the sign-in will be kept, and registrations are; None: nowhere.
        program: that a server registers; None: a program without a name.
        world: the network and the clock; None: the real ones.

    Returns:
        What to show to the person and to keep until `resume`; it holds secrets.

    Raises:
        ConfigError: the client is not a `ClientConfig`, or the flow cannot be split in two steps.
        EndpointMissing: the server does not offer this flow.
        LoopbackAuthError: see `errors`; nothing has to be cleaned up.
    """
    check_instance(client, ClientConfig, "client")
    for name, value in (("store", store), ("program", program)):
        CHECKS[name](name, value)
    _check_flow(flow)
    async with Notifier(notify) as notifier, _opened(world, client.provider.network) as opened:
        client = await _completed(client, flow, opened, store, program, notifier.tell)
        now, options = opened.now(), options or FlowOptions()
        pending = PendingSignIn(
            handle=new_handle(client.provider.name),
            created_at=now,
            expires_at=now + PASTE_SECONDS,
            flow=flow,
            client=replace(client, client_secret=None, private_key=None),
            attempt=new_attempt(bound=bool(client.dpop)),
            named=named,
            with_secret=client.client_secret is not None,
            with_private_key=client.private_key is not None,
            verify_signature=options.verify_signature,
            message=options.message,
        )
        replay = Replay(pending, client, opened, notify=notifier.tell)
        with suppress(StillPending):
            await replay.run()
        pending = replay.pending
        return replace(pending, client=_remembering(pending.client, opened))


async def resume(
    pending: PendingSignIn,
    *,
    save: Callable[[PendingSignIn], None],
    client_secret: str | None = None,
    private_key: str | None = None,
    wait: float = 0.0,
    paste: Paste | None = None,
    notify: Notify | None = None,
    store: Store | None = None,
    world: World | None = None,
) -> SignIn:
    """Resume a sign-in: poll once if that is due, and finish it if the person has approved.

    Only one process at a time may resume it. If another person could have approved, as with a ticket or a
    device code, the caller still has to confirm the account (RFC 6749 §10.16).

    Args:
        pending: as it was kept last.
        save: keeps the sign-in as it stands; called before every step.
        client_secret: of a client that has one, and was not registered by the program itself.
        private_key: of a client that has one.
        wait: seconds that may be spent waiting for the person, not counting the requests.
        paste: gets the pasted address; see `pasted_address`. None: there is none yet.
        notify: called with warnings; a plain function or a coroutine function. None: they are ignored.
        store: that `begin` was given: it has the secret of a client that the program has registered.
        world: the network and the clock; None: the real ones.

    Raises:
        StillPending: the login has not been approved yet, or there is no pasted address.
        LoopbackAuthError: see `errors`; after one of `FINAL` the sign-in is over.
    """
    check_instance(pending, PendingSignIn, "pending")
    check_seconds(wait, "wait")
    told = Notifier(notify)
    if pending.with_secret and client_secret is None:
        client_secret = await _registered_secret(pending, store)
    if pending.with_private_key and private_key is None:
        raise _missing(pending, "private_key")
    client = replace(pending.client, client_secret=client_secret, private_key=private_key)
    async with told as notifier, _opened(world, client.provider.network) as opened:
        if pending.lapsed(opened.now()):
            raise AttemptExpired(f"{pending.handle} is over. {LAPSED}", hint="Begin again.")
        replay = Replay(pending, client, opened, notify=notifier.tell, save=save, wait=wait, paste=paste)
        sign_in = await replay.run()
        network = _remembering(client, opened).provider.network
    return replace(
        sign_in,
        network=network,
        flow=pending.flow,
        reason="It was started in one step and finished in another.",
    )


async def _registered_secret(pending: PendingSignIn, store: Store | None) -> str:
    """Return the secret that the program got when it registered.

    Raises:
        ConfigError: the client was given by hand, and its secret was not.
    """
    issuer = pending.client.provider.metadata.issuer
    kept = await OpenStore(store).registrations(issuer) if store is not None and issuer else None
    found = kept.of(pending.client.client_id) if kept is not None else None
    if found is None or found.client_secret is None:
        raise _missing(pending, "client_secret")
    return found.client_secret


def _missing(pending: PendingSignIn, parameter: str) -> ConfigError:
    what = parameter.replace("_", " ")
    return ConfigError(
        f"The {what} for {pending.client.provider.name} is missing; it is never kept.",
        hint=f"Give the {what} again.",
        parameter=parameter,
    )


def pasted_address(text: str, notify: Notify = silent) -> Paste:
    """Return a `Paste` that takes one text for the pasted address.

    It raises `ConfigError` if that is not the right address; the sign-in can still be resumed with another.
    """

    async def judged(request: AuthorizationRequest) -> Callback:
        answer = pasted_callback(text, request)
        if isinstance(answer, Pasted) and answer.warning and _names_itself(request):
            answer = NotAccepted("A code alone is not enough here: paste the whole address.")
        if isinstance(answer, NotAccepted):
            raise ConfigError(
                answer.reason, hint="The sign-in still waits: give the address on which the browser ended."
            )
        if answer.warning:
            notify(Warned(answer.warning))
        return answer.callback

    return judged


def _check_flow(flow: str) -> None:
    if flow not in TWO_STEP:
        raise ConfigError(
            f"The flow {flow!a} needs a browser that comes back to a process that waits.",
            hint=f"Choose one of {', '.join(TWO_STEP)}.",
            parameter="flow",
        )


async def _completed(
    client: ClientConfig,
    flow: TwoStepFlow,
    world: World,
    store: Store | None,
    program: Program | None,
    notify: Notify,
) -> ClientConfig:
    """Return a client that knows its server and its client ID, and redirects as it is registered."""
    if knows_server(client) and client.client_id:
        return client
    redirect_uri = ""
    if flow == "paste" and not client.client_id:
        redirect, issuer = client.provider.redirect, client.provider.metadata.issuer or ""
        ports = await OpenStore(store).registered_ports(issuer) if store is not None else ()
        port = preferred_ports(redirect.ports, ports)[0] or world.free_port(redirect.host)
        redirect = replace(redirect, ports=(port,))
        client = replace(client, provider=replace(client.provider, redirect=redirect))
        redirect_uri = redirect_uri_of(redirect, world)
    run = Requests(world, notify).run
    client = await with_server(client, run, store, notify)
    if flow == "device" and not client.client_id:
        # A client must not be registered for what the server does not offer.
        metadata = await run(discover(client.provider, "device_authorization_endpoint"))
        device_authorization_request(client, metadata)
        client = replace(client, provider=replace(client.provider, metadata=metadata))
    return await registered(client, redirect_uri, run, store, program, notify=notify)


def _names_itself(request: AuthorizationRequest) -> bool:
    # RFC 9207 §2.4: a server that names itself in every answer does not send a code alone.
    return request.metadata.authorization_response_iss_parameter_supported


def _remembering(client: ClientConfig, world: World) -> ClientConfig:
    """Return a client that knows whether its server is a public one, for the processes after this."""
    if not world.seen_public:
        return client
    provider = client.provider
    return replace(client, provider=replace(provider, network=replace(provider.network, public=True)))


@asynccontextmanager
async def _opened(world: World | None, network: Network) -> AsyncGenerator[World]:
    if world is not None:
        yield world
        return
    async with RealWorld(network) as real:
        yield real
