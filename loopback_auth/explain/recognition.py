"""Decides which requests of a recording belong to a sign-in, and names each as the specifications do.

A request is recognised by its parameters, by its response, or by an address in an earlier message: a
redirect URI, an endpoint in the metadata, the page for a user code. Nothing is claimed about any other
request.

Source: RFC 6749 §4, §5, §6; RFC 8628 §3; RFC 9126 §2; RFC 7009 §2.1; RFC 8414 §3; for tickets the
contracts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from string import Formatter
from urllib.parse import parse_qsl, unquote

from loopback_auth.device_and_ticket import TicketContract, TicketRequest
from loopback_auth.explain.har import Entry
from loopback_auth.explain.story import RESPONSE_PARAMETERS
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.protocol.device import GRANT_TYPE as DEVICE_CODE
from loopback_auth.protocol.json import member, object_or_none
from loopback_auth.settings.contracts import CONTRACTS, NETLIFY
from loopback_auth.trace.reading import without_query

WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
GRANTS = {
    "authorization_code": "token request",
    DEVICE_CODE: "device token request",
    "refresh_token": "refresh request",
}
"""Names of token requests by grant type; other grant types are not a sign-in of a user."""
CALLS = {
    "create": "ticket request",
    "poll": "ticket status request",
    "exchange": "ticket exchange",
    "account": "account request",
    "revoke": "revocation request",
}
TICKETS_PATH = "/oauth/tickets"
"""A path that is recognised on any host."""


class Recognition:
    """Names requests in order, and remembers the addresses that they announce for later ones."""

    def __init__(self) -> None:
        self.contract: TicketContract | None = None
        """The contract of the tickets that were seen; None before the first."""
        self.redirect_uris: set[str] = set()
        self._behind_fragments: set[str] = set()
        """Redirect URIs whose response is in the fragment, which an archive may leave out."""
        self._states: set[str] = set()
        self._endpoints: dict[str, str] = {}

    def step(self, entry: Entry) -> str:
        """Return the name of a request; empty when it does not belong to a sign-in."""
        request, answer = entry.request, entry.answer
        step = self._ticket(request, answer) or self._named(entry)
        if step in ("authorization request", "pushed authorization request"):
            self._expect(sent(request))
        self._remember(step, answer)
        return step

    def _expect(self, asked: Mapping[str, str]) -> None:
        """Remember where the response to an authorization request goes."""
        uri = without_query(asked.get("redirect_uri", ""))
        self.redirect_uris.add(uri)
        usual = "fragment" if {"token", "id_token"} & set(asked.get("response_type", "").split()) else "query"
        if asked.get("response_mode", usual) == "fragment":
            self._behind_fragments.add(uri)

    def _named(self, entry: Entry) -> str:
        request, along, place = entry.request, sent(entry.request), without_query(entry.request.url)
        answered = document(entry.answer)
        if any(name in place for name in WELL_KNOWN):
            return "metadata request"
        if self._is_response(entry, along, place):
            # A script of the page that read the fragment; a form that is posted navigates.
            relayed = request.method == "POST" and entry.by_browser and not entry.navigates
            return "fragment relay" if relayed else "authorization response"
        if "grant_type" in along:
            return GRANTS.get(along["grant_type"], "")
        if "code" in along and along.keys() & {"client_secret", "code_verifier"}:
            return "token request"  # GitHub asks for no grant type.
        if request.method == "POST" and "device_code" in answered:
            return "device authorization request"
        if request.method == "POST" and "request_uri" in answered and "client_id" in along:
            return "pushed authorization request"
        if "client_id" in along and along.keys() & {"response_type", "request_uri", "request"}:
            return self._first_time(along)
        if request.method == "POST" and "token" in along:
            return _about_token(place, along)
        return self._endpoints.get(place, "UserInfo request" if place.endswith("/userinfo") else "")

    def _first_time(self, along: Mapping[str, str]) -> str:
        """Name an authorization request once: the pages of a server often repeat its parameters."""
        key = "\n".join(along.get(name, "") for name in ("client_id", "state", "request_uri", "nonce"))
        if key in self._states:
            return ""
        self._states.add(key)
        return "authorization request"

    def _is_response(self, entry: Entry, along: Mapping[str, str], place: str) -> bool:
        fragment = dict(parse_qsl(entry.request.url.partition("#")[2].removeprefix("?")))
        if along.keys() & {"grant_type", "client_secret", "code_verifier"}:
            return False
        if not RESPONSE_PARAMETERS & {*along, *fragment}:
            due = place in self._behind_fragments and entry.navigates and entry.request.method == "GET"
        else:
            ours = "state" in {*along, *fragment} and "client_id" not in along and entry.by_browser
            due = ours or place in self.redirect_uris
        if due:
            self._behind_fragments.discard(place)
        return due

    def _ticket(self, request: HttpRequest, answer: HttpResponse | None) -> str:
        along = sent(request)
        if along.get("response_type") == "ticket" and "ticket" in along:
            self.contract = self.contract or NETLIFY
            return "ticket approval page"
        place = without_query(request.url)
        for contract in [self.contract] if self.contract is not None else CONTRACTS.values():
            for name, step in CALLS.items():
                call: TicketRequest | None = getattr(contract, name)
                if call is None or call.method != request.method or not _matches(call, contract, place):
                    continue
                if self.contract is None and (
                    name in ("account", "revoke") or not _is_create(name, call, answer)
                ):
                    continue
                self.contract = contract
                self._learn_addresses(contract, name, answer)
                return step
        if (
            self.contract is NETLIFY
            and request.method == "POST"
            and re.search(r"/oauth/tickets/[^/]+/authorize$", place)
        ):
            return "ticket approval"
        return ""

    def _learn_addresses(self, contract: TicketContract, name: str, answer: HttpResponse | None) -> None:
        if name != "create":
            return
        for value, step in (("poll_url", "ticket status request"), ("browser_url", "ticket approval page")):
            address = member(document(answer), contract.extract.get(value, ""))
            if isinstance(address, str) and address:
                self._endpoints[without_query(address)] = step

    def _remember(self, step: str, answer: HttpResponse | None) -> None:
        members = document(answer)
        if step == "metadata request":
            known = {"userinfo_endpoint": "UserInfo request", "jwks_uri": "key set request"}
        elif step == "device authorization request":
            known = dict.fromkeys(
                ("verification_uri", "verification_uri_complete", "verification_url"),
                "device verification page",
            )
        else:
            return
        for name, following in known.items():
            address = members.get(name)
            if isinstance(address, str):
                self._endpoints[without_query(address)] = following


def sent(request: HttpRequest) -> Mapping[str, str]:
    """Return what a request carries in its query and in its body, a form or JSON."""
    pairs = parse_qsl(request.url.partition("#")[0].partition("?")[2], keep_blank_values=True)
    if request.header("content-type").partition(";")[0].strip().lower() == FORM:
        pairs += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return {**dict(pairs), **{name: one for name, one in document(request).items() if isinstance(one, str)}}


def document(message: HttpRequest | HttpResponse | None) -> Mapping[str, object]:
    """Return the JSON object in the body of a message; empty when the body is something else."""
    return (object_or_none(message.body) if message is not None else None) or {}


def ticket_ids(contract: TicketContract | None, url: str) -> Iterator[str]:
    """Iterate over the parts of an address that are the ID of a ticket."""
    if contract is None:
        return
    for name in CALLS:
        call: TicketRequest | None = getattr(contract, name)
        if call is not None and (found := _pattern(call, contract).fullmatch(without_query(url))) is not None:
            yield from (unquote(part) for part in found.groups() if part)


def _matches(call: TicketRequest, contract: TicketContract, place: str) -> bool:
    return _pattern(call, contract).fullmatch(place) is not None


def _pattern(call: TicketRequest, contract: TicketContract) -> re.Pattern[str]:
    """Return a pattern for the address of a call; an address that the server chooses matches nothing."""
    free = r"https?://[^/]+(?:/.*)?"
    known = {"base": contract.base, "ui": contract.ui}
    expression = ""
    for literal, name, _, _ in Formatter().parse(without_query(call.url)):
        expression += re.escape(literal)
        if name in known:
            expression += free if TICKETS_PATH in call.url else re.escape(known[name])
        elif name is not None:
            expression += "([^/]+)" if name == "id" else "(?!)"
    return re.compile(expression)


def _is_create(name: str, call: TicketRequest, answer: HttpResponse | None) -> bool:
    """Return whether a request creates a ticket, or has the ID of one in its path."""
    return "{id}" in call.url if name != "create" else answer is not None and answer.status in call.ok


def _about_token(place: str, along: Mapping[str, str]) -> str:
    if "introspect" in place:
        return "introspection request"
    return "revocation request" if "revoke" in place or "token_type_hint" in along else ""
