"""Sign in by ticket: create a ticket, let the person approve it in a browser, poll, and exchange it.

Advantage: the browser need not reach this machine. Disadvantages: the program has to poll, and anyone who
knows the id of the ticket can exchange it, unless the server takes a code challenge.

Source: the `source` of each contract in `settings.contracts`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from loopback_auth.authorization_messages import Attempt
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.effects import Flow, Send, VerificationPrompt
from loopback_auth.errors import EndpointMissing, ProtocolError, TransportError
from loopback_auth.flows.polling import poll
from loopback_auth.flows.tokens import signed_in
from loopback_auth.http_messages import HttpRequest
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.contract import check_contract
from loopback_auth.protocol.pkce import code_challenge
from loopback_auth.protocol.ticket import (
    account_response,
    call_request,
    exchange_response,
    poll_response,
    ticket_response,
    ticket_secrets,
)
from loopback_auth.tokens import SignIn, TokenSet


def ticket(client: ClientConfig, attempt: Attempt, *, message: str = "") -> Flow[SignIn]:
    """Sign in by a ticket that the person approves.

    Args:
        client: what to request, and where; its provider has the contract.
        attempt: random values, for the binding if the server offers one.
        message: shown to the person on the approval page, if the server supports that.

    Raises:
        EndpointMissing: the provider has no ticket contract, or the tokens have to be bound to a key.
        ConfigError: the contract cannot be used.

    Source: the `source` of the contract.
    """
    contract = client.provider.ticket
    if contract is None:
        raise EndpointMissing(
            f"{client.provider.name} does not sign in by ticket.",
            hint="Choose another flow.",
            parameter="flow",
        )
    if client.dpop:
        raise EndpointMissing(
            "The token of a ticket cannot be bound to a key.",
            hint="Choose another flow, or switch DPoP off.",
            parameter="flow dpop",
        )
    check_contract(contract)
    values = _values(client, contract, attempt, message)
    secrets = ticket_secrets(contract)
    answer = yield from Send(call_request(contract.create, values), "ticket request", secrets)
    made = ticket_response(contract, values, answer, allowed=client.provider.network.allow_private)
    yield from VerificationPrompt(
        client.provider.shown_name,
        made.browser_url,
        user_code=made.user_code,
        lifetime=made.lifetime,
        redeemable=not contract.binding,
    )
    status = Send(call_request(contract.poll, made.values), "ticket status request", secrets)
    answer = yield from poll(
        lambda: iter(status),
        lambda response: poll_response(contract, response),
        interval=made.interval,
        lifetime=made.lifetime,
        own_pace="interval" not in contract.extract,
        long_poll=contract.long_poll,
    )
    if contract.exchange is not None:
        answer = yield from Send(call_request(contract.exchange, made.values), "ticket exchange", secrets)
    tokens, account = exchange_response(contract, answer)
    if contract.cleanup is not None:
        yield from _cleaned_up(call_request(contract.cleanup, made.values))
    account = account or (yield from _account(contract, values, tokens))
    kept = signed_in(client, client.provider.metadata, replace(tokens, account=account), client_auth="none")
    if contract.revoke is None:
        return kept
    revoke = call_request(contract.revoke, values)
    return replace(kept, revoke_method=revoke.method, revoke_url=revoke.url)


def _values(client: ClientConfig, contract: TicketContract, attempt: Attempt, message: str) -> dict[str, str]:
    values = {
        "base": contract.base,
        "ui": contract.ui,
        "client_id": client.client_id,
        "message": message,
        "uuid": attempt.nonce,
    }
    if contract.binding:
        values["code_challenge"] = code_challenge(attempt.code_verifier)
        values["code_verifier"] = attempt.code_verifier
    return values


def _cleaned_up(request: HttpRequest) -> Flow[None]:
    # The token has arrived, so a failed clean-up does not matter.
    with suppress(ProtocolError, TransportError):
        yield from Send(request, step="ticket clean-up")


def _account(contract: TicketContract, values: dict[str, str], tokens: TokenSet) -> Flow[str]:
    if contract.account is None:
        return ""
    request = call_request(contract.account, values)
    request = replace(request, headers=(*request.headers, ("Authorization", f"Bearer {tokens.access_token}")))
    # The name is optional: the sign-in has succeeded even if this request fails.
    try:
        answer = yield from Send(request, step="account request")
        return account_response(contract, answer)
    except (ProtocolError, TransportError):
        return ""
