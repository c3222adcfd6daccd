"""Sign-in by ticket: a vendor's create, approve, poll and exchange, as its `TicketContract` describes them.

A ticket is an id that the client requests, that a person approves in a browser, and that the client then
exchanges for a token. No standard describes it. Anyone who knows the id before the exchange can take the
token, so the id is a secret, although the URL of the approval page contains it. If the server offers a
binding (a code challenge at creation, the verifier at the exchange), it is used.

Source: the contracts' own `source`; RFC 7636 for the binding, RFC 6749 §5.1 for what a token may be.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from string import Formatter
from urllib.parse import quote, urlencode, urljoin

from loopback_auth.device_and_ticket import Pending, Ticket, TicketContract, TicketRequest
from loopback_auth.errors import (
    ConfigError,
    EndpointMissing,
    LoopbackAuthError,
    MalformedResponse,
    TicketError,
    TransportError,
)
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.protocol.answer import check_well, members_of, refusal_in
from loopback_auth.protocol.json import is_json, member, number, text_or_digits
from loopback_auth.protocol.polling import unanswered, wait_wanted
from loopback_auth.protocol.refusal import refusal
from loopback_auth.protocol.urls import check_approval_url, origin
from loopback_auth.protocol.userinfo import for_people
from loopback_auth.redact import server_text
from loopback_auth.tokens import TokenSet

_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
SHORTEST_ID, LONGEST_ID = 8, 256
LONGEST_INTERVAL, LONGEST_LIFETIME = 60.0, 3600.0
WHOLE = ("base", "ui", "poll_url", "browser_url")
"""Values that are addresses and are put into a template unchanged."""
OPTIONAL = ("user_code", "interval", "expires_in")
"""Names that the contract extracts and an answer may still lack."""


def call_request(call: TicketRequest, values: Mapping[str, str]) -> HttpRequest:
    """Build one request of a contract from its templates.

    Values are percent-encoded in the URL, so that none can change the path. A whole URL from the server is
    used unchanged; it was checked before.

    Raises:
        ConfigError: the contract uses a name without a value, or a value that cannot be in a URL.

    Source: RFC 3986 §2.1, §3.3, §5.2.4 (dot segments, which encoding does not prevent).
    """
    url = _address(call.url, values)
    parameters = [(name, text) for name, template in call.parameters if (text := _filled(template, values))]
    headers = tuple((name, _filled(template, values)) for name, template in call.headers)
    asked = any(name.lower() == "accept" for name, _ in headers)
    fixed = headers if asked else (("Accept", "application/json"), *headers)
    if call.body == "json":
        body = json.dumps(dict(parameters)).encode("ascii")
        return HttpRequest(call.method, url, (*fixed, ("Content-Type", "application/json")), body)
    if call.body == "form":
        return HttpRequest(
            call.method, url, (*fixed, ("Content-Type", FORM)), urlencode(parameters).encode("ascii")
        )
    joint = "&" if "?" in url else "?"
    return HttpRequest(call.method, url + joint + urlencode(parameters) if parameters else url, fixed)


def ticket_response(
    contract: TicketContract,
    values: Mapping[str, str],
    answer: HttpResponse,
    *,
    allowed: Collection[str] = (),
) -> Ticket:
    """Check the answer to the request that creates a ticket.

    Args:
        contract: the vendor's.
        values: from which the request was built.
        answer: untrusted.
        allowed: hosts in the person's own network that the settings allow.

    Raises:
        EndpointMissing: the server does not support tickets; another flow may work.
        TicketError: the server refused.
        TransportError: the server, or a proxy in front of it, failed.
        MalformedResponse: the answer lacks what the contract promises, or names another server.

    Source: the `source` of the contract.
    """
    # A server that is too busy or too slow may still support tickets.
    family = 400 if 400 <= answer.status < 500 and answer.status not in (408, 429) else answer.status
    if answer.status in contract.unsupported or family in contract.unsupported:
        raise EndpointMissing(
            f"The server does not sign in by ticket (HTTP status {answer.status}).",
            hint="Choose another flow.",
            parameter="flow",
        )
    if answer.status not in contract.create.ok:
        raise _refused(answer, "not_created" if _is_for_clients(contract) else "creation_refused")
    document = _document(answer, "ticket", contract.source)
    found = {name: _found(document, path) for name, path in contract.extract.items()}
    known = {**values, **{name: text for name, text in found.items() if text}}
    needed = [name for name in found if name not in OPTIONAL]
    if missing := [name for name in needed if not found[name]]:
        raise _malformed(f"it has no {', '.join(missing)}", contract)
    # They are used in headers too, where a line break would start another header (CVE-2024-50338).
    if strange := [name for name in needed if not _is_visible(found[name])]:
        raise _malformed(f"{', '.join(strange)} is not printable ASCII", contract)
    if "id" in found and not _ID_CHARACTERS.issuperset(found["id"]):
        raise _malformed("its id must consist of letters, digits, - and _", contract)
    # Anyone who guesses the id gets the token: fewer than 48 bits can be guessed while a person approves.
    if "id" in found and not SHORTEST_ID <= len(found["id"]) <= LONGEST_ID:
        raise _malformed(
            f"its id has {len(found['id'])} characters, not {SHORTEST_ID} to {LONGEST_ID}", contract
        )
    if _found(document, "client_id") not in ("", values.get("client_id")):
        raise _malformed("it was created for another client", contract)
    for name in ("poll_url", "browser_url"):
        if name in found:
            known[name] = _joined(contract, found[name], allowed, same_server=name == "poll_url")
    return Ticket(
        values=known,
        browser_url=_shown(contract, _address(contract.browser_url, known), allowed),
        user_code=server_text(found.get("user_code", ""), 64),
        interval=min(max(number(found.get("interval")) or 0.0, contract.interval), LONGEST_INTERVAL),
        lifetime=min(max(number(found.get("expires_in")) or contract.timeout, 1.0), LONGEST_LIFETIME),
    )


def ticket_secrets(contract: TicketContract) -> tuple[str, ...]:
    """List the paths of the members of a contract's answers that are secret.

    URLs are among them, because a whole URL from the vendor contains the id of the ticket.

    Source: the `source` of the contract.
    """
    harmless = ("user_code", "expires_in", "interval", "client_id")
    extracted = (path for name, path in contract.extract.items() if name not in harmless)
    return (*extracted, contract.token_path)


def poll_response(contract: TicketContract, answer: HttpResponse) -> Pending | HttpResponse:
    """Check the answer to one poll: `Pending`, or the answer itself when the ticket is approved.

    Raises:
        TicketError: denied, expired or unknown; vendors use the same status for these.
        MalformedResponse: a success that is not a JSON object.

    Source: the `source` of the contract; only exactly the promised value means approval.
    """
    trouble = unanswered(answer)
    if answer.status in contract.pending:
        return Pending(retry_after=wait_wanted(answer))
    if answer.status in contract.gone and not contract.errors_pend:
        raise TicketError("denied_or_expired")
    if trouble is not None:
        return trouble
    if not 200 <= answer.status < 300:
        if contract.errors_pend:
            return Pending()
        raise TicketError(
            "denied_or_expired", refusal_in(answer).description or f"HTTP status {answer.status}"
        )
    if not answer.body.strip():
        # With long polling an empty answer comes from a proxy that has waited long enough.
        return Pending(trouble="" if contract.long_poll else "an empty answer came")
    if not is_json(answer):
        return Pending(trouble="the answer is not JSON; does this network have a log-in page?")
    document = _document(answer, "ticket status", contract.source)
    if document.get("error"):
        words = refusal(document)
        raise TicketError("denied_or_expired", words.description or words.error)
    return answer if _is_done(contract, answer.status, document) else Pending()


def exchange_response(contract: TicketContract, answer: HttpResponse) -> tuple[TokenSet, str]:
    """Check the answer that contains the token: that of the exchange, or of the last poll without one.

    Returns:
        The tokens, and the account; empty when this answer does not name it.

    Raises:
        TicketError: the exchange was refused.
        TransportError: the server, or a proxy in front of it, failed.
        MalformedResponse: there is no usable token in it.

    Source: RFC 6749 §5.1, appendix A.12 (characters of a token).
    """
    if contract.exchange is not None and answer.status not in contract.exchange.ok:
        raise _refused(answer, "exchange_refused")
    document = _document(answer, "exchange", contract.source)
    token = member(document, contract.token_path)
    if not isinstance(token, str) or not token or not _is_visible(token):
        raise _malformed(f"{contract.token_path} is not a token", contract)
    account = next((text for path in contract.account_paths if (text := _found(document, path))), "")
    tokens = TokenSet(access_token=token, token_type="Bearer", obtained_at=answer.received_at)
    return tokens, for_people(server_text(account, 120))


def account_response(contract: TicketContract, answer: HttpResponse) -> str:
    """Return the name of the account; empty when the answer has none.

    Source: RFC 6749 §10.16 (the name is shown to the person; it proves nothing).
    """
    if answer.status != 200 or not is_json(answer):
        return ""
    document = _document(answer, "account", contract.source)
    found = next((text for path in contract.account_paths if (text := _found(document, path))), "")
    return for_people(server_text(found, 120))


def _address(template: str, values: Mapping[str, str]) -> str:
    for name in _names(template):
        if values.get(name) in ("", ".", ".."):
            raise ConfigError(f"The ticket contract puts {name} into an address, but it is {values[name]!a}.")
    escaped = {name: text if name in WHOLE else quote(text, safe="") for name, text in values.items()}
    return _filled(template, escaped)


def _filled(template: str, values: Mapping[str, str]) -> str:
    if missing := sorted(_names(template) - values.keys()):
        raise ConfigError(f"The ticket contract uses {', '.join(missing)}, which has no value.")
    return template.format_map(values)


def _names(template: str) -> set[str]:
    """Return the names in a template, which may contain nothing but names in braces."""
    try:
        parts = [part for part in Formatter().parse(template) if part[1] is not None]
    except ValueError as exc:
        raise ConfigError(f"The ticket contract has a malformed template: {template!a}: {exc}") from exc
    if any(not name or more or conversion for _, name, more, conversion in parts):
        raise ConfigError(f"A template of the ticket contract may have only names in braces: {template!a}.")
    return {str(name) for _, name, _, _ in parts}


def _joined(contract: TicketContract, url: str, allowed: Collection[str], *, same_server: bool) -> str:
    try:
        joined = _shown(contract, urljoin(contract.base + "/", url), allowed)
    except ValueError as exc:
        raise _malformed("an address in it is not a URL", contract) from exc
    if not same_server or origin(joined) == origin(contract.base):
        return joined
    # A poll carries the secret, so it must not go to another server. A mirror passes on the URL of the
    # registry behind it, and serves that path itself (https://github.com/npm/npm-profile/pull/191).
    if contract.polled_at_base:
        return contract.base[: _path_start(contract.base)] + joined[_path_start(joined) :]
    raise _malformed("it names another server to poll", contract)


def _path_start(url: str) -> int:
    """Return the index at which the path of an absolute URL begins; its length when there is no path."""
    start = url.find("/", url.index("://") + 3)
    return start if start >= 0 else len(url)


def _is_for_clients(contract: TicketContract) -> bool:
    return "{client_id}" in contract.create.url + "".join(text for _, text in contract.create.parameters)


def _shown(contract: TicketContract, url: str, allowed: Collection[str]) -> str:
    try:
        return check_approval_url(url, by=contract.base, allowed=allowed)
    except ConfigError as exc:
        raise _malformed(exc.message, contract) from exc


def _is_done(contract: TicketContract, status: int, document: Mapping[str, object]) -> bool:
    if status != contract.done_status:
        return False
    if not contract.done_path:
        return True
    value = member(document, contract.done_path)
    if contract.done_value is None:
        return isinstance(value, str) and value != ""
    # The type must be right as well: in Python 1 == True, and "true" does not mean approval.
    return type(value) is type(contract.done_value) and value == contract.done_value


def _found(document: Mapping[str, object], path: str) -> str:
    return text_or_digits(member(document, path))


def _is_visible(text: str) -> bool:
    return all("\x20" < character < "\x7f" for character in text)


def _refused(answer: HttpResponse, error: str) -> LoopbackAuthError:
    try:
        check_well(answer, "ticket server")
    except TransportError as exc:
        return exc
    words = refusal_in(answer)
    return TicketError(error, words.description or words.error or f"HTTP status {answer.status}")


def _document(answer: HttpResponse, what: str, source: str) -> Mapping[str, object]:
    return members_of(answer, what=f"{what} answer", source=source)


def _malformed(detail: str, contract: TicketContract) -> MalformedResponse:
    return MalformedResponse(f"The ticket answer is malformed: {detail}", source=contract.source)
