"""Netlify's ticket handshake at the demo server: create, show, exchange, and what the token is good for.

The paths, members and statuses are those of the published interface. What it does not say is strict here: a
ticket is valid for ten minutes and can be exchanged once, an exchange before the approval is refused with
403, and a denied, expired or used ticket is answered like an unknown one. One thing is more than the vendor
offers: a ticket that was created with a code challenge needs the verifier at the exchange (RFC 7636), so that
the id alone, which is also in the browser, is not enough.

Source: https://github.com/netlify/open-api, swagger.yml, paths /oauth/tickets.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime

from loopback_auth.demo.faults import Faults
from loopback_auth.demo.requests import required_code_challenge
from loopback_auth.demo.ticket_endpoints import Routes, TicketEndpoints, in_query, no
from loopback_auth.demo.tokens import CODE_VERIFIER, s256
from loopback_auth.demo.wire import Parameters, json_members, json_reply, string_member
from loopback_auth.http_messages import HttpRequest, HttpResponse

KIND = "netlify"
API = "/netlify/api/v1"
TICKETS = f"{API}/oauth/tickets"
MESSAGE_LIMIT = 500


class Netlify:
    """The endpoints below `/netlify`."""

    name = KIND
    base = API
    approval_page = "/netlify/authorize"

    def __init__(self, endpoints: TicketEndpoints) -> None:
        self._endpoints = endpoints

    @property
    def _faults(self) -> Faults:
        return self._endpoints.setup.faults

    def routes(self) -> Routes:
        """Return the endpoints by path and method; `{id}` stands for one segment."""
        return {
            TICKETS: {"POST": self._endpoints.creating(self._create)},
            f"{TICKETS}/{{id}}": {"GET": self._endpoints.polling(self._show)},
            f"{TICKETS}/{{id}}/exchange": {"POST": self._exchange},
            f"{API}/user": {"GET": self._user},
            f"{API}/access_tokens/revoke": {"DELETE": self._revoke},
            self.approval_page: {"GET": self._endpoints.page(KIND, "ticket")},
        }

    def _create(self, request: HttpRequest, now: float) -> HttpResponse:
        client_id, members = in_query(request, "client_id"), json_members(request)
        if client_id not in self._endpoints.setup.clients:
            return no(401, "OAuth application not found")
        message = members.get("message", "")
        if not isinstance(message, str) or len(message) > MESSAGE_LIMIT:
            return no(422, "The message is not text, or too long.")
        challenge = ""
        if "code_challenge" in members:
            names = ("code_challenge", "code_challenge_method")
            values = {name: string_member(members, name) for name in names}
            challenge = required_code_challenge(Parameters(values, frozenset(), ()))
        ticket = self._endpoints.create(
            KIND, now, client_id=client_id, message=message, code_challenge=challenge
        )
        shown = self._members(self._faults.bad_ticket_id or ticket, client_id, now, authorized=False)
        return json_reply(shown, 201)

    def _show(self, request: HttpRequest, now: float) -> HttpResponse:
        ticket = _ticket(request)
        found = self._endpoints.approvals.seen(KIND, ticket, now)
        if found is None or found.state == "denied":
            return no(404, "Not Found")
        authorized = found.state == "approved"
        return json_reply(self._members(ticket, found.client_id, found.created_at, authorized=authorized))

    def _exchange(self, request: HttpRequest, now: float) -> HttpResponse:
        ticket = _ticket(request)
        found = self._endpoints.approvals.find(KIND, ticket)
        if found is None or found.state in ("denied", "used") or now >= found.expires_at:
            return no(404, "Not Found")
        if found.state == "pending" or self._faults.exchange_refused:
            return no(403, "The ticket is not authorized.")
        bound = found.code_challenge and not self._faults.ignore_verifier
        if bound and not _proves(request, found.code_challenge):
            return no(403, "The code_verifier does not fit the code_challenge.")
        token, account = self._endpoints.redeem(ticket, now)
        answer = {
            "id": ticket,
            "access_token": token,
            "user_id": account.sub,
            "user_email": account.email,
            "created_at": self._date(now),
        }
        return json_reply(answer, 201)

    def _user(self, request: HttpRequest, now: float) -> HttpResponse:
        account = self._endpoints.account(request, now)
        if account is None:
            return no(401, "Unauthorized")
        return json_reply({"id": account.sub, "full_name": account.name, "email": account.email})

    def _revoke(self, request: HttpRequest, now: float) -> HttpResponse:
        if self._endpoints.account(request, now) is None:
            return no(401, "Unauthorized")
        self._endpoints.revoke(request)
        return HttpResponse(204, (("Cache-Control", "no-store"),))

    def _members(
        self, ticket: str, client_id: str, created_at: float, *, authorized: bool
    ) -> dict[str, object]:
        wrong = self._faults.wrong_type
        return {
            "id": ticket,
            "client_id": client_id,
            "authorized": authorized if wrong is None else wrong,
            "created_at": self._date(created_at),
        }

    def _date(self, moment: float) -> str:
        return datetime.fromtimestamp(moment + self._faults.clock_skew, UTC).isoformat()


def _ticket(request: HttpRequest) -> str:
    return request.url.partition("/oauth/tickets/")[2].partition("?")[0].partition("/")[0]


def _proves(request: HttpRequest, challenge: str) -> bool:
    verifier = string_member(json_members(request), "code_verifier") or in_query(request, "code_verifier")
    return bool(CODE_VERIFIER.fullmatch(verifier)) and hmac.compare_digest(challenge, s256(verifier))
