"""Get new tokens for a refresh token that this package does not keep."""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.events import Notify
from loopback_auth.field_checks import check_text
from loopback_auth.flows.refresh import refreshed
from loopback_auth.model import ClientConfig
from loopback_auth.network.threads import check_asyncio, run_sync, to_the_end
from loopback_auth.records import replace
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.refresh import can_verify_signatures, check_type
from loopback_auth.signin.resource_client import with_server
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.stores import ENDING_SECONDS
from loopback_auth.tokens import TokenSet


async def refresh(client: ClientConfig, refresh_token: str, *, notify: Notify | None = None) -> TokenSet:
    """Get new tokens for a refresh token that is kept elsewhere: by git, in a vault, in a variable.

    Nothing is kept here, and no lock is held. If the server rotates refresh tokens, the one in the result
    replaces the given one, which must not be sent again (RFC 9700 §4.14.2): keep it before anything else, and
    do not cancel the call.

    Args:
        client: to which the refresh token was issued. Its endpoints are discovered if need be; its scope is
            the one that was granted, and is not sent.
        refresh_token: one line of visible ASCII.
        notify: called with each event; a plain function or a coroutine function. None: events are ignored.

    Returns:
        The new tokens. Without a new refresh token the old one is in them; an ID token is in them if its
        claims are right, and `account` is who it names.

    Raises:
        ConfigError: the refresh token is not one line of visible ASCII, or the client is not complete.
        SignInRequired: the server does not accept the refresh token.
        NotKept: the answer had a new refresh token and no usable access token; the error has the former.
        LoopbackAuthError: any other failure; the refresh token can be used again.

    Source: RFC 6749 §6; RFC 8707 §2.2; OpenID Connect Core 1.0 §12.
    """
    check_asyncio()
    told = Notifier(notify)
    check_type(client, ClientConfig)
    check_text(refresh_token, "refresh_token")
    if not client.client_id and client.client_metadata is not None:
        raise ConfigError(
            "client_id is empty, and a refresh token is of use to one client only.",
            hint="Give the ID of the client to which it was issued.",
            parameter="client_id",
        )
    verify = "openid" in client.scope.split() and can_verify_signatures()

    async def run() -> TokenSet:
        network = client.provider.network
        async with (
            told as notifier,
            Resources(notify=notifier.tell, exchanges=notifier.listens, network=network) as resources,
        ):
            run = Driver(resources).run
            found = replace(await with_server(client, run, None, notifier.tell), scope=client.scope)
            return await run(refreshed(found, refresh_token, verify_signature=verify))

    return await to_the_end(run(), ENDING_SECONDS)


def refresh_sync(client: ClientConfig, refresh_token: str, *, notify: Notify | None = None) -> TokenSet:
    """Do what `refresh` does, from code without an event loop, or while one is running in this thread."""
    return run_sync(lambda: refresh(client, refresh_token, notify=notify))
