"""What a sign-in does before its flow when only the URL of a resource is known, as one flow for simulations.

On sockets `signin.resource_client` does the same, and keeps the registration.

Source: RFC 9728 §5; RFC 7591 §3.
"""

from __future__ import annotations

from loopback_auth.effects import Flow
from loopback_auth.flows.registration import listen, register, with_registration
from loopback_auth.flows.resource import find_resource, with_access
from loopback_auth.model import ClientConfig


def completed(client: ClientConfig) -> Flow[ClientConfig]:
    """Return a client that knows its authorization server and its client ID.

    Raises:
        LoopbackAuthError: see `flows.resource.find_resource` and `flows.registration.register`.
    """
    redirect_uri = yield from listen(client)
    client = with_access(client, (yield from find_resource(client)))
    if client.client_id:
        return client
    made = yield from register(client, client.provider.metadata, redirect_uri, name="")
    return with_registration(client, made)
