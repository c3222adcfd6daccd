"""Whether the description of a vendor's tickets can be followed, found out before anything is asked or shown.

A description may come from an embedding program. A name without a value, or a brace too many, would be found
only after the person has approved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from string import Formatter

from loopback_auth.device_and_ticket import Call, TicketContract
from loopback_auth.errors import ConfigError
from loopback_auth.protocol.urls import check_endpoint

GIVEN = frozenset({"base", "ui", "client_id", "message", "uuid"})
"""Values that there are before the server has said anything."""
BINDING = frozenset({"code_challenge", "code_verifier"})


def check_contract(contract: TicketContract) -> TicketContract:
    """Return a contract unchanged, or refuse it.

    Raises:
        ConfigError: an address is none, a template is malformed or asks for what nothing provides, a path is
            empty, or a time is not one.

    Source: Python, "Format String Syntax"; what the names mean: `approval.TicketContract`.
    """
    check_endpoint(contract.base, name="base")
    if contract.ui:
        check_endpoint(contract.ui, name="ui")
    given = GIVEN | (BINDING if contract.binding else frozenset())
    later = given | contract.extract.keys()
    first = {"create": contract.create, "account": contract.account, "revoke": contract.revoke}
    then = {"poll": contract.poll, "exchange": contract.exchange, "cleanup": contract.cleanup}
    for name, call in {**first, **then}.items():
        known = given if name in first else later
        for template in _templates(call):
            _check_template(name, template, known)
    _check_template("browser_url", contract.browser_url, later)
    for path in (contract.token_path, *contract.extract.values()):
        if not path:
            raise _unusable("a path to a member is empty")
    for name, seconds in (("interval", contract.interval), ("timeout", contract.timeout)):
        if not (math.isfinite(seconds) and seconds > 0):
            raise _unusable(f"{name} is {seconds}, not a number of seconds")
    return contract


def _templates(call: Call | None) -> Iterator[str]:
    if call is not None:
        yield call.url
        yield from (template for pairs in (call.parameters, call.headers) for _, template in pairs)


def _check_template(where: str, template: str, known: frozenset[str]) -> None:
    try:
        fields = [(name, how, as_what) for _, name, how, as_what in Formatter().parse(template)]
    except ValueError as exc:
        raise _unusable(f"{where} has a malformed template: {exc}") from exc
    for name, how, as_what in fields:
        if name is None:
            continue
        if how or as_what or name not in known:
            raise _unusable(f"{where} asks for {{{name}}}, which nothing provides there")


def _unusable(detail: str) -> ConfigError:
    return ConfigError(
        f"The ticket contract cannot be used: {detail}.",
        hint="Correct the TicketContract of this provider.",
    )
