"""Sign-in and consent at the demo server: two pages that ask a person, whatever the flow behind them.

A flow passes a `Question` and gets the answer; it never sees a form. The question is kept here and found
again by an unguessable ID in a hidden field, which changes with every page, works once and expires. No cookie
is set, so only the ID connects the pages; a real server would bind it to a session cookie as well, because
here anyone who knows the ID can continue in another browser. Against forged posts (RFC 6749 §10.12)
`Sec-Fetch-Site` is checked, or `Origin` where that is missing. `Origin: null` passes, because a page without
referrer sends it even to its own server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from loopback_auth.demo import pages as demo_pages
from loopback_auth.demo.accounts import Account
from loopback_auth.demo.grants import Ledger
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.single_use import SingleUse
from loopback_auth.demo.wire import Parameters, Refused, form_parameters
from loopback_auth.http_messages import HttpRequest, HttpResponse

PAGE_LIFETIME = 600.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The account that answered, and when it signed in.

    Args:
        account: that the person chose.
        auth_time: when they signed in, in Unix seconds.
    """

    account: Account
    auth_time: float


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked, and what follows from the answer.

    Args:
        client_id: of the client that asks.
        scope: names, all of them known to the server.
        approved: returns the last response to the browser after an approval, from the person and the time.
        denied: returns it after a denial, from the time.
        redirect_uri: where the browser goes then; empty: it stays.
        login_hint: the account to preselect.
        code: to compare with the one on another device.
        message: from the client.
        resource: where the access token is going to be used (RFC 8707 §2).
        again: the client wants the person to be authenticated now (RFC 9470 §4).
    """

    client_id: str
    scope: tuple[str, ...]
    approved: Callable[[SignedIn, float], HttpResponse] = field(repr=False)
    denied: Callable[[float], HttpResponse] = field(repr=False)
    redirect_uri: str = ""
    login_hint: str = ""
    code: str = field(default="", repr=False)
    message: str = ""
    resource: tuple[str, ...] = ()
    again: bool = False


class Interactions:
    """The pages that wait for an answer. The `Refused` that its methods raise are for the person."""

    def __init__(self, setup: Setup, ledger: Ledger) -> None:
        self._setup = setup
        self._ledger = ledger
        self._to_sign_in: SingleUse[Question] = SingleUse(PAGE_LIFETIME)
        self._to_consent: SingleUse[tuple[Question, SignedIn]] = SingleUse(PAGE_LIFETIME)

    def ask(self, question: Question, now: float) -> HttpResponse:
        """Return the sign-in page; there are no sessions, so it is always needed."""
        key = self._ledger.unguessable()
        self._to_sign_in.put(key, question, now)
        accounts, hint = self._setup.accounts, question.login_hint
        if hint:  # the page chooses the first account beforehand
            accounts = tuple(sorted(accounts, key=lambda account: hint not in (account.email, account.sub)))
        return demo_pages.sign_in(
            action="/sign-in",
            hidden=[("interaction", key)],
            client_id=self._client_name(question) or question.client_id,
            redirect_uri=question.redirect_uri,
            again=question.again,
            accounts=[(account.sub, account.email) for account in accounts],
        )

    def sign_in(self, request: HttpRequest, now: float) -> HttpResponse:
        """Read the chosen account, and return the consent page."""
        form = self.own_form(request)
        question = self._to_sign_in.take(form.get("interaction"), now)
        if question is None:
            raise page_is_over()
        chosen = (account for account in self._setup.accounts if account.sub == form.get("account"))
        account = next(chosen, None)
        if account is None:
            raise Refused("invalid_request", "There is no such account.")
        key = self._ledger.unguessable()
        self._to_consent.put(key, (question, SignedIn(account, auth_time=now)), now)
        return demo_pages.consent(
            action="/consent",
            hidden=[("interaction", key)],
            client_id=question.client_id,
            client_name=self._client_name(question),
            redirect_uri=question.redirect_uri,
            resource=question.resource,
            account=account.email,
            again=question.again,
            scopes=[(name, self._setup.scopes.get(name, "")) for name in question.scope],
            code=question.code,
            message=question.message,
        )

    def consent(self, request: HttpRequest, now: float) -> HttpResponse:
        """Read the decision, and return the answer of the flow.

        Source: RFC 6749 §4.1.1 (step B of the code flow).
        """
        form = self.own_form(request)
        kept = self._to_consent.take(form.get("interaction"), now)
        if kept is None:
            raise page_is_over()
        question, signed_in = kept
        if self._setup.faults.deny_all or form.get("decision") == "deny":
            return question.denied(now)
        if form.get("decision") != "approve":
            raise Refused("invalid_request", "The request was neither approved nor denied.")
        return question.approved(signed_in, now)

    def _client_name(self, question: Question) -> str:
        client = self._setup.clients.get(question.client_id)
        return client.client_name if client is not None else ""

    def own_form(self, request: HttpRequest) -> Parameters:
        """Read a form, which must come from a page of this server."""
        site, origin = request.header("sec-fetch-site"), request.header("origin")
        foreign = site != "same-origin" if site else origin not in ("", "null", self._setup.issuer)
        if foreign:
            raise Refused("invalid_request", "This form was sent by another site.", status=403)
        return form_parameters(request).once()


def page_is_over() -> Refused:
    """Return the refusal of a page that was used before, has expired, or is unknown."""
    return Refused("invalid_request", "This page was used before, or has expired.")
