"""Check what a program passes to `login` and its relatives, before anything is opened.

A wrong type would otherwise be noticed in the middle of a sign-in, when the user has approved already.
Called before the browser is started; imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.field_checks import MOST_SECONDS
from loopback_auth.flow_table import CHOOSABLE, ENDPOINTS, NAMES
from loopback_auth.narrow import is_collection
from loopback_auth.store.interface import check_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from loopback_auth.model import ClientConfig


WITH_KEYS = ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")
"""Methods of client authentication for which no flow can do without."""


def check_arguments(function: str, client: object, options: Mapping[str, object]) -> None:
    """Check the arguments of a sign-in.

    Args:
        function: the name of the function or class that was called.
        client: should be a `ClientConfig`.
        options: should be `Options`.

    Raises:
        TypeError: an option is unknown.
        ConfigError: a value has the wrong type or cannot be used; the error names the argument.
    """
    for name in options:
        if name not in CHECKS:
            raise TypeError(
                f"{function}() got an unexpected keyword argument {name!r}. {_near(name, CHECKS)}"
            )
    _check_client(client)
    for name, value in options.items():
        CHECKS[name](name, value)
    flow, allowed = options.get("flow"), options.get("allowed_flows")
    if flow in CHOOSABLE and allowed is not None and flow not in (_listed(allowed) or ()):
        raise ConfigError(
            f"flow is {flow!r}, which is not among allowed_flows.",
            hint="Leave one of the two out.",
            parameter="flow allowed_flows",
        )
    if flow == "paste" and options.get("paste") is None:
        raise ConfigError(
            "flow is 'paste', and nothing asks for the address.",
            hint="Pass a function that asks for it, or choose another flow.",
            parameter="paste flow",
        )


def _check_client(client: object) -> None:
    from loopback_auth.model import ClientConfig  # A program that has a client has imported it.

    if isinstance(client, ClientConfig):
        # The tickets of some vendors are for every program. Others can be signed out of without an ID.
        known = client.client_id or client.client_metadata is not None
        if not known and client.provider.ticket is None:
            raise ConfigError(
                "client_id is empty.",
                hint="Give the ID that the server has for your client, or client_metadata to register one.",
                parameter="client_id",
            )
        return
    from loopback_auth.tokens import SignIn  # Start-up.

    hint = "Pass ClientConfig(provider, client_id=...)."
    if isinstance(client, SignIn):
        hint = "Pass the ClientConfig with which the user signed in."
    raise ConfigError(f"client must be a ClientConfig, not {_kind(client)}.", hint=hint, parameter="client")


def check_addresses(client: ClientConfig) -> None:
    """Refuse addresses that no request could go to, and a provider without any, before anything is opened.

    Raises:
        ConfigError: the error names the field of `ServerMetadata` or `ClientConfig`.

    Source: RFC 6749 §3.1, §3.2; RFC 8414 §2; RFC 8707 §2.
    """
    from loopback_auth.protocol.urls import (  # Start-up.
        check_endpoint,
        check_issuer,
        check_resource,
        check_resource_server,
    )

    metadata, ticket = client.provider.metadata, client.provider.ticket
    if metadata.issuer is not None:
        check_issuer(metadata.issuer)
    for name in ENDPOINTS:
        if (url := getattr(metadata, name)) is not None:
            check_endpoint(url, name=name)
    for resource in client.resource:
        check_resource(resource)
    if client.resource_server:
        check_resource_server(client.resource_server)
    starts = metadata.authorization_endpoint, metadata.device_authorization_endpoint, metadata.issuer, ticket
    if not client.resource_server and all(one is None for one in starts):
        raise ConfigError(
            f"There is no address at which to sign in to {client.provider.shown_name}.",
            hint="Give the issuer, or the URLs of the authorization endpoint and the token endpoint.",
            parameter="issuer authorization_endpoint token_endpoint",
        )


def check_client_id(client: ClientConfig, options: Mapping[str, object]) -> None:
    """Refuse a client without an ID, whose requests the server would refuse in the browser, unseen from here.

    Args:
        client: one without an ID may sign in by a ticket alone.
        options: name the flows; they were checked by `check_arguments`.

    Raises:
        ConfigError: it needs an ID.

    Source: RFC 6749 §4.1.1.
    """
    metadata = client.provider.metadata
    starts = metadata.issuer, metadata.authorization_endpoint, metadata.device_authorization_endpoint
    if client.client_id or client.client_metadata is not None or all(one is None for one in starts):
        return
    flow = options.get("flow")
    flows = _listed(options.get("allowed_flows", CHOOSABLE)) or () if flow is None else (flow,)
    if {*flows} == {"ticket"}:
        return
    raise ConfigError(
        "client_id is empty, and only a ticket can do without it.",
        hint="Give the ID that the server has for your client, or choose the flow ticket.",
        parameter="client_id flow",
    )


def check_credentials(client: ClientConfig) -> None:
    """Refuse a client that cannot prove who it is, sign, or check a signature, before anything is opened.

    Raises:
        ConfigError: the error names the field of `ClientConfig` or `Network`.

    Source: RFC 7523 §3; RFC 8705 §2; RFC 9101 §5; JARM §2.4.
    """
    if client.private_key is not None:
        from loopback_auth.protocol.client_key import client_key  # Few clients have a key.

        try:
            client_key(client.private_key)
        except ConfigError as exc:
            # The frames below have the key in their locals, which some reporters of errors write down.
            raise exc.with_traceback(None) from None
    elif client.signed_request:
        raise ConfigError(
            "The authorization request is to be signed, but no private key was given.",
            hint="Give the private key of the client.",
            parameter="private_key",
        )
    if client.response_mode is not None and client.response_mode.endswith("jwt"):
        from loopback_auth.protocol.request_checks import check_package  # Few responses are signed.

        check_package("The authorization response cannot be checked", "response_mode")
    if client.provider.client_auth in WITH_KEYS:
        from loopback_auth.protocol.client_auth import client_authentication  # Start-up.

        client_authentication(client, client.provider.metadata)


def _check_store(name: str, value: object) -> None:
    if value is not None:
        check_store(value)


def _check_program(name: str, value: object) -> None:
    from loopback_auth.program import Program  # As with the client.

    if value is not None and not isinstance(value, Program):
        raise ConfigError(
            f"{name} must be a Program, not {_kind(value)}.", hint='Pass Program("MyTool").', parameter=name
        )


def _check_callable(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise ConfigError(
            f"{name} must be a function, not {_kind(value)}.", hint=_FUNCTIONS[name], parameter=name
        )


def _check_timeout(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ConfigError(f"{name} must be a number of seconds above 0, not {_kind(value)}.", parameter=name)
    # With a greater one no clock can reckon, which would show in the middle of the sign-in.
    if not 0 < value <= MOST_SECONDS:
        raise ConfigError(
            f"{name} must be a number of seconds above 0, and at most {MOST_SECONDS:g}.", parameter=name
        )


def _check_flow(name: str, value: object) -> None:
    if value is None or (isinstance(value, str) and value in NAMES):
        return
    if isinstance(value, str):
        raise ConfigError(
            f"{name} must be the name of a flow, not {value!r}.", hint=_near(value, NAMES), parameter=name
        )
    raise ConfigError(
        f"{name} must be the name of a flow, not {_kind(value)}.",
        hint="To choose from several: allowed_flows.",
        parameter=name,
    )


def _check_allowed(name: str, value: object) -> None:
    wanted = "must be a list of names of flows"
    if isinstance(value, str):
        raise ConfigError(
            f"{name} {wanted}, not a string.", hint=f"For one flow alone: flow={value!r}.", parameter=name
        )
    names = _listed(value)
    if names is None:
        raise ConfigError(f"{name} {wanted}, not {_kind(value)}.", parameter=name)
    if not names:
        raise ConfigError(f"{name} is empty: no flow is allowed.", hint=_near("", CHOOSABLE), parameter=name)
    for one in names:
        if one in CHOOSABLE:
            continue
        given, hint = (repr(one), _near(one, CHOOSABLE)) if isinstance(one, str) else (_kind(one), "")
        if one in NAMES:
            hint = f"This flow is never chosen by the program. To use it all the same: flow={one!r}."
        raise ConfigError(f"{name} has {given}, which cannot be chosen.", hint=hint, parameter=name)


def _listed(value: object) -> tuple[object, ...] | None:
    # An iterator would be used up here.
    return tuple(value) if is_collection(value) else None


def _check_controls(name: str, value: object) -> None:
    from loopback_auth.signin.controls import Controls  # Few programs have any.

    if value is not None and not isinstance(value, Controls):
        raise ConfigError(
            f"{name} must be a Controls, not {_kind(value)}.", hint="Pass Controls().", parameter=name
        )


def _check_wait(name: str, value: object) -> None:
    if value is not None and not isinstance(value, bool):
        raise ConfigError(
            f"{name} must be True, False or None, not {_kind(value)}.",
            hint="For the number of seconds to wait: timeout.",
            parameter=name,
        )


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be a string, not {_kind(value)}.", parameter=name)


def _near(word: str, known: Iterable[str]) -> str:
    from loopback_auth.settings.reading import suggestion  # Settings are for commands.

    return suggestion(word, known)


def _kind(value: object) -> str:
    """Return what a wrong value is, without showing it: it may be a secret."""
    if value is None:
        return "None"
    return (
        f"the class {value.__name__}"
        if isinstance(value, type)
        else f"a value of type {type(value).__name__}"
    )


_FUNCTIONS = {
    "notify": "Pass a function of one event; see loopback_auth.events.",
    "open_browser": "Pass a function of a URL, such as webbrowser.open.",
    "confirm": "Pass a function of a SignIn that returns whether its account is the right one.",
    "paste": "Pass a function that asks the user for an address, and returns it.",
}

CHECKS: dict[str, Callable[[str, object], None]] = {
    "store": _check_store,
    "program": _check_program,
    "notify": _check_callable,
    "open_browser": _check_callable,
    "timeout": _check_timeout,
    "flow": _check_flow,
    "allowed_flows": _check_allowed,
    "confirm": _check_callable,
    "paste": _check_callable,
    "controls": _check_controls,
    "wait": _check_wait,
    "message": _check_text,
}
"""How each option is checked; a test compares the names with those of `Options`."""
