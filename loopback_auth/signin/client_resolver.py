"""Complete the client of a sign-in when the browser is on its way, and once more if the server refuses it.

Where the server is found is decided in `resource_client`, and what a client ID is got by in `registering`.

Source: RFC 9728 §5; RFC 7591.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from loopback_auth.errors import AttemptExpired, LoopbackAuthError, OAuthError, RedirectUnavailable
from loopback_auth.flows.registration import listen
from loopback_auth.model import ClientAuth, ClientConfig
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.program import Program
from loopback_auth.signin.driver import Driver
from loopback_auth.signin.registering import forgotten_by_page, registered_again
from loopback_auth.signin.resource_client import completed, knows_server
from loopback_auth.signin.resources import Resources
from loopback_auth.signin.stores import Store

LOOK_SECONDS = 5.0
"""Seconds to find out why a browser has not come back."""


class ClientResolver:
    """Completes a client of which only a resource, or no client ID, is known.

    Args:
        declared: how the client authenticates, as the program wants it.
        store: where the sign-in will be kept, and registrations are.
        program: that a server registers.
    """

    def __init__(self, declared: ClientAuth | None, store: Store | None, program: Program | None) -> None:
        self._declared: ClientAuth | None = declared
        self._store = store
        self._program = program
        self._again = True

    async def resolved(self, client: ClientConfig, resources: Resources) -> ClientConfig:
        """Return a client that knows its authorization server and its client ID.

        Args:
            client: of which perhaps only the resource is known.
            resources: of the sign-in: its port, and its connections.

        Raises:
            LoopbackAuthError: see `resource_client.completed`.
        """
        if knows_server(client) and client.client_id:
            return client
        bound = await _bound(client, resources)
        known = await completed(
            client,
            Driver(resources).run,
            redirect_uri=bound.redirect_uri if bound is not None else "",
            store=self._store,
            program=self._program,
            notify=resources.notify,
        )
        if bound is not None and known.client_id != client.client_id:
            # The port may be registered now, and then it has to be free for the next sign-in at once.
            bound.any_port = bound.lingers = False
        return known

    async def registered_again(
        self, client: ClientConfig, resources: Resources, refusal: OAuthError, *, answered: bool
    ) -> ClientConfig | None:
        """Return another client than the one that the server has refused, once; see `registering`.

        Args:
            client: as it was resolved.
            resources: as in `resolved`.
            refusal: of the server.
            answered: the browser has come back already.

        Raises:
            LoopbackAuthError: as `registering.registered` raises it.
        """
        again, self._again = self._again, False
        if not again:
            return None
        bound = await _bound(client, resources)
        return await registered_again(
            client,
            refusal,
            bound.redirect_uri if bound is not None else "",
            Driver(resources).run,
            self._store,
            self._program,
            declared=self._declared,
            notify=resources.notify,
            answered=answered,
        )

    async def explain(self, expired: AttemptExpired, client: ClientConfig, resources: Resources) -> None:
        """Say so in an error if the browser could not come back, because the server did not know the client.

        Args:
            expired: the browser went to the server, and has not come back in time.
            client: as it was resolved.
            resources: as in `resolved`.
        """
        bound = await _bound(client, resources)
        if bound is None:
            return
        with suppress(LoopbackAuthError, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                if await forgotten_by_page(client, bound.redirect_uri, Driver(resources).run, self._store):
                    expired.hint = (
                        "The server showed an error page. Sign in again: the program will register again."
                    )


async def _bound(client: ClientConfig, resources: Resources) -> BoundRedirect | None:
    # A flow that needs the port reports this itself, and others can do without.
    with suppress(RedirectUnavailable):
        await Driver(resources).run(listen(client))  # By an effect, which observers see.
        return await resources.port(client.provider.redirect)
    return None
