"""Every flow by its name, ready to run.

A flow is imported when it is chosen: importing all would take a tenth of a short sign-in. Which flow to
choose is decided in `plan`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from loopback_auth.authorization_messages import Attempt
from loopback_auth.effects import Flow
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import NAMES
from loopback_auth.model import ClientConfig, ResponseType
from loopback_auth.protocol.request_checks import is_signed
from loopback_auth.records import get_args
from loopback_auth.tokens import SignIn

WITH_SECRET = ("client_secret_basic", "client_secret_post")
RESPONSE_TYPES: tuple[ResponseType, ...] = get_args(ResponseType)


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """The options of a flow that its caller chooses.

    Args:
        verify_signature: check the signatures of ID tokens (needs joserfc).
        message: for the person, on the approval page of a ticket.
    """

    verify_signature: bool = False
    message: str = ""


def flow_named(name: str, client: ClientConfig, attempt: Attempt, options: FlowOptions) -> Flow[SignIn]:
    """Return the flow of a name, ready to run.

    `paste` is the code flow; only the interpreter receives the response in another way.

    Raises:
        ConfigError: there is no such flow, or a value of the client cannot be sent.
    """
    verify = options.verify_signature
    if name == "device":
        from loopback_auth.flows.device import device_code  # Start-up.

        if client.client_secret is None and client.provider.client_auth in WITH_SECRET:
            # GitHub and others require the secret with a code but not with a device code (RFC 8628 §3.4).
            client = replace(client, provider=replace(client.provider, client_auth="none"))
        return device_code(client, attempt.dpop_key, verify_signature=verify)
    if name == "ticket":
        from loopback_auth.flows.ticket import ticket  # Start-up.

        return ticket(client, attempt, message=options.message)
    if name == "paste":
        # The person copies the response from the address bar.
        signed = is_signed(client.response_mode or "")
        name, client = "code", replace(client, response_mode="query.jwt" if signed else "query")
    # The others are response types; compared one by one, so that the name gets their type.
    for response_type in RESPONSE_TYPES:
        if name == response_type:
            return _by_browser(replace(client, response_type=response_type), attempt, verify=verify)
    raise ConfigError(
        f"There is no flow called {name!a}.", hint=f"Choose one of {', '.join(NAMES)}.", parameter="flow"
    )


def _by_browser(client: ClientConfig, attempt: Attempt, *, verify: bool) -> Flow[SignIn]:
    if "code" in client.response_type.split():
        from loopback_auth.flows.code import authorization_code  # Start-up.

        return authorization_code(client, attempt, verify_signature=verify)
    from loopback_auth.flows.implicit import implicit  # Start-up.

    return implicit(client, attempt, verify_signature=verify)
