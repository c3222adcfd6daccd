"""What all ticket vendors of the demo server share: making a ticket, asking the person, knowing the account.

A vendor decides what its requests and answers look like; here is only what they come down to. Clients that
name no `client_id` are known to the person by the vendor's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loopback_auth.demo.accounts import Account
from loopback_auth.demo.approvals import Approvals, Waiting
from loopback_auth.demo.consent import Interactions
from loopback_auth.demo.faults import shown_token
from loopback_auth.demo.grants import Ledger
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.wire import bearer_token, json_reply, query_of, read_parameters
from loopback_auth.model import HttpRequest, HttpResponse

Endpoint = Callable[[HttpRequest, float], HttpResponse]
Routes = Mapping[str, Mapping[str, Endpoint]]

LIFETIME = 600.0
SCOPE = ("profile", "email")
"""A ticket names no scope: it stands for whatever an account has here."""


class TicketEndpoints:
    """Makes and redeems the tickets of one demo server, whatever their vendor."""

    def __init__(
        self, setup: Setup, ledger: Ledger, approvals: Approvals, interactions: Interactions
    ) -> None:
        self.setup = setup
        self.approvals = approvals
        self.interactions = interactions
        self._ledger = ledger

    def create(
        self,
        vendor: str,
        now: float,
        *,
        client_id: str = "",
        message: str = "",
        user_code: str = "",
        code_challenge: str = "",
    ) -> str:
        """Make a ticket; return the secret by which it is polled."""
        waiting = Waiting(
            kind=vendor,
            client_id=client_id or vendor,
            scope=SCOPE,
            created_at=now,
            expires_at=now + LIFETIME,
            user_code=user_code,
            message=message,
            code_challenge=code_challenge,
        )
        return self.approvals.open(waiting, LIFETIME)

    def redeem(self, secret: str, now: float) -> tuple[str | int, Account]:
        """Give out the token of an approved ticket, and say whose it is."""
        token, account = self.approvals.redeem(secret, now)
        return shown_token(token, self.setup.faults), account

    def account(self, request: HttpRequest, now: float) -> Account | None:
        """Return whom the access token of a request stands for; None without a good one."""
        issued = self._ledger.access_tokens.get(bearer_token(request))
        good = issued is not None and self._ledger.valid(issued, now)
        return issued.grant.account if issued is not None and good else None

    def revoke(self, request: HttpRequest) -> None:
        """End the access token of a request."""
        self._ledger.access_tokens.pop(bearer_token(request), None)

    def poll_url(self, path: str) -> str:
        """Write an address to be polled."""
        return (self.setup.faults.poll_elsewhere or self.setup.issuer) + path

    def creating(self, endpoint: Endpoint) -> Endpoint:
        """Let the faults have a request for a new ticket first."""
        status = self.setup.faults.ticket_status
        return endpoint if not status else lambda _request, _now: no(status, "Not here.")

    def polling(self, endpoint: Endpoint) -> Endpoint:
        """Let the faults have a poll first."""
        return lambda request, now: self.approvals.troubles.instead(now) or endpoint(request, now)

    def page(self, vendor: str, parameter: str) -> Endpoint:
        """Make the approval page, to which this query parameter shows the way."""
        return lambda request, now: self.approvals.ask(vendor, in_query(request, parameter), now)


def in_query(request: HttpRequest, name: str) -> str:
    """Return a query parameter, empty when it is absent."""
    return read_parameters(query_of(request.url)).once().get(name)


def no(status: int, message: str) -> HttpResponse:
    """Refuse as vendors do: a status, the same as a number, and a sentence."""
    return json_reply({"code": status, "message": message}, status)
