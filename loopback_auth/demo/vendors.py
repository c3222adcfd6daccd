"""Ticket vendors at the demo server whose poll itself returns the token: npm, Heroku, Stripe, Doppler.

Paths, members and statuses are what each vendor's published client expects. The addresses of pages and
polls, which a client reads from the responses, are chosen here. Every ticket gives its token once; a ticket
that has ended gets the same response as an unknown one. Heroku holds its poll open until the user decides;
this server has no clock, and answers 202 with an empty object instead, as a proxy might.

Source: https://github.com/npm/npm-profile, lib/index.js; https://github.com/heroku/heroku-cli-command,
src/login.ts; https://github.com/stripe/stripe-cli, pkg/login; https://github.com/DopplerHQ/cli,
pkg/cmd/login.go and pkg/http/api.go.
"""

from __future__ import annotations

from urllib.parse import urlencode

from loopback_auth.demo import pages as demo_pages
from loopback_auth.demo.ticket_endpoints import Routes, TicketEndpoints, in_query, no
from loopback_auth.demo.wire import bearer_token, form_parameters, json_members, json_reply, string_member
from loopback_auth.http_messages import HttpRequest, HttpResponse


class Npm:
    """npm's web login: the poll gets 202 with `Retry-After` until the user has decided."""

    name = "npm"
    base = "/npm"
    approval_page = "/npm/login"

    def __init__(self, endpoints: TicketEndpoints) -> None:
        self._endpoints = endpoints

    def routes(self) -> Routes:
        """Return the endpoints below `/npm` by path and method."""
        return {
            "/npm/-/v1/login": {"POST": self._endpoints.creating(self._create)},
            "/npm/-/v1/done": {"GET": self._endpoints.polling(self._done)},
            "/npm/-/whoami": {"GET": self._whoami},
            self.approval_page: {"GET": self._endpoints.page("npm", "next")},
        }

    def _create(self, request: HttpRequest, now: float) -> HttpResponse:
        secret = self._endpoints.create("npm", now, message=string_member(json_members(request), "hostname"))
        handle = self._endpoints.approvals.handle("npm", secret)
        done = self._endpoints.poll_url(_path("/npm/-/v1/done", authId=secret))
        page = self._endpoints.setup.issuer + _path(self.approval_page, next=handle)
        return json_reply({"loginUrl": page, "doneUrl": done})

    def _done(self, request: HttpRequest, now: float) -> HttpResponse:
        secret = in_query(request, "authId")
        found = self._endpoints.approvals.seen("npm", secret, now)
        if found is None or found.state == "denied":
            return no(404, "There is no such login.")
        if found.state == "pending":
            reply = json_reply({}, 202)
            return HttpResponse(202, (*reply.headers, ("Retry-After", "1")), reply.body)
        return json_reply({"token": self._endpoints.redeem(secret, now)[0]})

    def _whoami(self, request: HttpRequest, now: float) -> HttpResponse:
        account = self._endpoints.account(request, now)
        return no(401, "Unauthorized") if account is None else json_reply({"username": account.email})


class Heroku:
    """Heroku's browser login: the poll carries a second secret in a header."""

    name = "heroku"
    base = "/heroku"
    approval_page = "/heroku/auth/browser"

    def __init__(self, endpoints: TicketEndpoints) -> None:
        self._endpoints = endpoints

    def routes(self) -> Routes:
        """Return the endpoints below `/heroku` by path and method."""
        return {
            "/heroku/auth": {"POST": self._endpoints.creating(self._create)},
            "/heroku/auth/cli": {"GET": self._endpoints.polling(self._poll)},
            self.approval_page: {"GET": self._endpoints.page("heroku", "id")},
            "/heroku/account": {"GET": self._account},
        }

    def _create(self, request: HttpRequest, now: float) -> HttpResponse:
        message = string_member(json_members(request), "description")
        secret = self._endpoints.create("heroku", now, message=message)
        handle = self._endpoints.approvals.handle("heroku", secret)
        poll = _path("/heroku/auth/cli", id=handle)
        elsewhere = self._endpoints.setup.faults.poll_elsewhere
        answer = {
            "browser_url": _path(self.approval_page, id=handle),
            "cli_url": elsewhere + poll,
            "token": secret,
        }
        return json_reply(answer)

    def _poll(self, request: HttpRequest, now: float) -> HttpResponse:
        secret = bearer_token(request)
        found = self._endpoints.approvals.seen("heroku", secret, now)
        if found is None:
            return no(404, "There is no such login.")
        if found.state == "pending":
            return json_reply({}, 202)
        if found.state == "denied":
            return json_reply({"error": "The login was denied."})
        return json_reply({"access_token": self._endpoints.redeem(secret, now)[0]})

    def _account(self, request: HttpRequest, now: float) -> HttpResponse:
        account = self._endpoints.account(request, now)
        return no(401, "Unauthorized") if account is None else json_reply({"email": account.email})


class Stripe:
    """Stripe's pairing: the user compares a code, and the last poll returns the keys."""

    name = "stripe"
    base = "/stripe"
    approval_page = "/stripe/stripecli/confirm_auth"

    def __init__(self, endpoints: TicketEndpoints) -> None:
        self._endpoints = endpoints

    def routes(self) -> Routes:
        """Return the endpoints below `/stripe` by path and method."""
        return {
            "/stripe/stripecli/auth": {"POST": self._endpoints.creating(self._create)},
            "/stripe/stripecli/poll": {"GET": self._endpoints.polling(self._poll)},
            self.approval_page: {"GET": self._endpoints.page("stripe", "t")},
        }

    def _create(self, request: HttpRequest, now: float) -> HttpResponse:
        message = form_parameters(request).once().get("device_name")
        code = self._endpoints.approvals.user_code()
        secret = self._endpoints.create("stripe", now, message=message, user_code=code)
        handle = self._endpoints.approvals.handle("stripe", secret)
        page = self._endpoints.setup.issuer + _path(self.approval_page, t=handle)
        poll = self._endpoints.poll_url(_path("/stripe/stripecli/poll", secret=secret))
        return json_reply({"browser_url": page, "poll_url": poll, "verification_code": code})

    def _poll(self, request: HttpRequest, now: float) -> HttpResponse:
        secret = in_query(request, "secret")
        found = self._endpoints.approvals.seen("stripe", secret, now)
        if found is None or found.state == "denied":
            return no(404, "There is no such pairing.")
        wrong = self._endpoints.setup.faults.wrong_type
        if found.state == "pending":
            return json_reply({"redeemed": False if wrong is None else wrong})
        token, account = self._endpoints.redeem(secret, now)
        answer = {
            "redeemed": True if wrong is None else wrong,
            "account_id": account.sub,
            "account_display_name": account.name,
            "testmode_key_secret": token,
        }
        return json_reply(answer)


class Doppler:
    """Doppler's login: the user enters a code, the client polls with another; 409 means not yet."""

    name = "doppler"
    base = "/doppler"
    approval_page = "/doppler/auth/cli"

    def __init__(self, endpoints: TicketEndpoints) -> None:
        self._endpoints = endpoints

    def routes(self) -> Routes:
        """Return the endpoints below `/doppler` by path and method."""
        return {
            "/doppler/v3/auth/cli/generate/2": {"GET": self._endpoints.creating(self._create)},
            "/doppler/v3/auth/cli/authorize": {"POST": self._endpoints.polling(self._poll)},
            self.approval_page: {"GET": self._page, "POST": self._entered},
        }

    def _create(self, request: HttpRequest, now: float) -> HttpResponse:
        code = self._endpoints.approvals.user_code()
        message = in_query(request, "hostname")
        secret = self._endpoints.create("doppler", now, message=message, user_code=code)
        page = f"{self._endpoints.setup.issuer}/doppler/auth/cli"
        return json_reply({"code": code, "polling_code": secret, "auth_url": page})

    def _poll(self, request: HttpRequest, now: float) -> HttpResponse:
        secret = string_member(json_members(request), "code")
        found = self._endpoints.approvals.seen("doppler", secret, now)
        if found is None:
            return json_reply({"messages": ["There is no such code."], "success": False}, 401)
        if found.state == "pending":
            return json_reply({"messages": ["It has not been approved yet."], "success": False}, 409)
        if found.state == "denied":
            return json_reply({"error": "The login was denied."})
        token, account = self._endpoints.redeem(secret, now)
        issuer = self._endpoints.setup.issuer
        return json_reply({"token": token, "name": account.name, "dashboard_url": f"{issuer}/doppler"})

    def _page(self, _request: HttpRequest, _now: float) -> HttpResponse:
        return demo_pages.enter_code(action=self.approval_page)

    def _entered(self, request: HttpRequest, now: float) -> HttpResponse:
        form = self._endpoints.interactions.own_form(request)
        return self._endpoints.approvals.enter("doppler", self.approval_page, form.get("user_code"), now)


def _path(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}"
