"""Sign in by ticket: create one, let the person approve it in a browser, ask until approved, redeem it.

What a ticket is for: the browser need not be able to come back to us. What it costs: no redirect tells us of
the approval, so we ask; and nothing but the id shows that the one who redeems is the one who began, unless
the server takes a code challenge.

Source: the contract's own (`contracts`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.effects import Flow, Send, VerificationPrompt
from loopback_auth.errors import EndpointMissing, ProtocolError, TransportError
from loopback_auth.flows.polling import poll
from loopback_auth.flows.tokens import signed_in
from loopback_auth.model import Attempt, ClientConfig, HttpRequest, SignIn, TokenSet
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


def ticket(client: ClientConfig, attempt: Attempt, *, message: str = "") -> Flow[SignIn]:
    """Sign in by a ticket that the person approves.

    Args:
        client: who asks; its provider has the contract.
        attempt: fresh randomness, for the binding where the server offers one.
        message: shown to the person on the approval page where the server does that.

    Raises:
        EndpointMissing: the provider has no tickets.
        ConfigError: the contract cannot be followed.

    Source: the contract's own.
    """
    contract = client.provider.ticket
    if contract is None:
        raise EndpointMissing(
            f"{client.provider.name} does not sign in by ticket.", hint="Choose another --flow."
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
    answer = yield from poll(
        call_request(contract.poll, made.values),
        lambda response: poll_response(contract, response),
        step="ticket status request",
        interval=made.interval,
        lifetime=made.lifetime,
        own_pace="interval" not in contract.extract,
        long_poll=contract.long_poll,
        secrets=secrets,
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
    # The token is here: tidying up behind us may fail.
    with suppress(ProtocolError, TransportError):
        yield from Send(request, step="ticket clean-up")


def _account(contract: TicketContract, values: dict[str, str], tokens: TokenSet) -> Flow[str]:
    if contract.account is None:
        return ""
    request = call_request(contract.account, values)
    request = replace(request, headers=(*request.headers, ("Authorization", f"Bearer {tokens.access_token}")))
    # The name is a courtesy: the sign-in has succeeded, whatever becomes of this request.
    try:
        answer = yield from Send(request, step="account request")
        return account_response(contract, answer)
    except (ProtocolError, TransportError):
        return ""
