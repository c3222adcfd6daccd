"""What all ticket vendors of the demo server share: create a ticket, ask the person, exchange it.

The module of each vendor decides the form of its requests and answers. A client without a `client_id` is
shown to the person under the vendor's name.
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
from loopback_auth.http_messages import HttpRequest, HttpResponse

Endpoint = Callable[[HttpRequest, float], HttpResponse]
Routes = Mapping[str, Mapping[str, Endpoint]]

LIFETIME = 600.0
SCOPE = ("profile", "email")
"""A ticket has no scope, so its token has this one."""


class TicketEndpoints:
    """Creates and exchanges the tickets of one demo server, for every vendor."""

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
        """Create a ticket, and return the secret with which it is polled."""
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
        """Return the token of an approved ticket, and its account."""
        token, account = self.approvals.redeem(secret, now)
        return shown_token(token, self.setup.faults), account

    def account(self, request: HttpRequest, now: float) -> Account | None:
        """Return the account of the access token in a request; None without a valid one."""
        issued = self._ledger.access_tokens.get(bearer_token(request))
        good = issued is not None and not issued.jkt and self._ledger.valid(issued, now)
        return issued.grant.account if issued is not None and good else None

    def revoke(self, request: HttpRequest) -> None:
        """Revoke the access token in a request."""
        self._ledger.access_tokens.pop(bearer_token(request), None)

    def poll_url(self, path: str) -> str:
        """Return a URL to poll."""
        return (self.setup.faults.poll_elsewhere or self.setup.issuer) + path

    def creating(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint that creates tickets, with the faults applied."""

        def created(request: HttpRequest, now: float) -> HttpResponse:
            status = self.setup.faults.ticket_status
            return no(status, "Not here.") if status else endpoint(request, now)

        return created

    def polling(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint that is polled, with the faults applied."""
        return lambda request, now: self.approvals.troubles.instead(now) or endpoint(request, now)

    def page(self, vendor: str, parameter: str) -> Endpoint:
        """Return the endpoint of the approval page; the query parameter has the handle."""
        return lambda request, now: self.approvals.ask(vendor, in_query(request, parameter), now)


def in_query(request: HttpRequest, name: str) -> str:
    """Return a query parameter, empty when it is absent."""
    return read_parameters(query_of(request.url)).once().get(name)


def no(status: int, message: str) -> HttpResponse:
    """Return a refusal in the form of the vendors: a status, the same as a number, and a sentence."""
    return json_reply({"code": status, "message": message}, status)
