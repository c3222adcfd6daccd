"""Check a ticket contract before it is used.

A contract may come from a program that embeds this package. A template with a misspelt name, or with an
unmatched brace, would otherwise be noticed only after the person has approved. This module refuses to know
what the requests do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from string import Formatter

from loopback_auth.device_and_ticket import TicketContract, TicketRequest
from loopback_auth.errors import ConfigError
from loopback_auth.protocol.urls import check_endpoint

GIVEN = frozenset({"base", "ui", "client_id", "message", "uuid"})
"""Values that templates can use before the server has answered."""
BINDING = frozenset({"code_challenge", "code_verifier"})


def check_contract(contract: TicketContract) -> TicketContract:
    """Return a contract unchanged, or refuse it.

    Raises:
        ConfigError: an address is not a URL, a template is malformed or uses an unknown name, a path is
            empty, or a time is not a number of seconds.

    Source: Python, "Format String Syntax"; the names are explained at `device_and_ticket.TicketContract`.
    """
    check_endpoint(contract.base, name="base")
    if contract.ui:
        check_endpoint(contract.ui, name="ui")
    given = GIVEN | BINDING if contract.binding else GIVEN
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


def _templates(call: TicketRequest | None) -> Iterator[str]:
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
            raise _unusable(f"{where} uses {{{name}}}, which has no value there")


def _unusable(detail: str) -> ConfigError:
    return ConfigError(
        f"The ticket contract cannot be used: {detail}.",
        hint="Correct the TicketContract of this provider.",
        parameter="ticket",
    )
