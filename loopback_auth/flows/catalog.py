"""Every flow by its name: which generator it is, and what it needs of the world.

Source: the flows' own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from loopback_auth.effects import Flow
from loopback_auth.errors import ConfigError
from loopback_auth.flows.code import authorization_code
from loopback_auth.flows.device import device_code
from loopback_auth.flows.implicit import implicit
from loopback_auth.flows.ticket import ticket
from loopback_auth.model import Attempt, ClientConfig, ResponseType, SignIn

RESPONSE_TYPES: tuple[ResponseType, ...] = get_args(ResponseType)
NAMES = (*RESPONSE_TYPES, "ticket", "device", "paste")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a flow may rely on.

    Args:
        verify_signature: ID tokens' signatures can be checked.
        message: for the person on a ticket's approval page.
    """

    verify_signature: bool = False
    message: str = ""


def flow_named(name: str, client: ClientConfig, attempt: Attempt, conditions: Conditions) -> Flow[SignIn]:
    """Return the flow of a name, ready to run.

    `paste` is the code flow whose answer the person brings: the difference is in how it is received.

    Raises:
        ConfigError: there is no such flow.
    """
    verify = conditions.verify_signature
    for response_type in RESPONSE_TYPES:
        if name == response_type:
            client = replace(client, response_type=response_type)
            flow = authorization_code if "code" in response_type.split() else implicit
            return flow(client, attempt, verify_signature=verify)
    match name:
        case "paste":
            # What is read off an address bar has to be in the address.
            client = replace(client, response_type="code", response_mode="query")
            return authorization_code(client, attempt, verify_signature=verify)
        case "device":
            return device_code(client, verify_signature=verify)
        case "ticket":
            return ticket(client, attempt, message=conditions.message)
        case _:
            raise ConfigError(f"There is no flow called {name!a}.", hint=f"Choose one of {', '.join(NAMES)}.")
