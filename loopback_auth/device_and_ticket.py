"""The nouns of sign-ins that are approved elsewhere: device grants and tickets, and the waiting for them.

Apart from `model`, so that a sign-in by redirect does not pay for what it never uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Pending:
    """A poll's answer that is no answer yet.

    Args:
        slow_down: the server wants longer gaps from now on (RFC 8628 §3.5).
        retry_after: seconds that the server asked to be left alone for, this once.
        trouble: why the answer was of no use, in words of ours; empty when the server simply said "not yet".
    """

    slow_down: bool = False
    retry_after: float | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """What the person enters elsewhere, and what we ask with meanwhile (RFC 8628 §3.2).

    Args:
        lifetime: seconds from `obtained_at`.
        interval: seconds that have to pass between two polls.
    """

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str = field(repr=False)
    interval: float
    lifetime: float
    obtained_at: float


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a vendor's contract, as templates over named values such as `{client_id}` or `{id}`.

    Args:
        parameters: go into the body, or into the query when `body` is `none`; those that come out empty are
            left out.
        ok: statuses of success.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    body: Literal["none", "form", "json"] = "none"
    parameters: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    ok: tuple[int, ...] = (200, 201)


@dataclass(frozen=True, slots=True)
class TicketContract:
    """A vendor's sign-in by ticket, described as data: create, approve in a browser, poll, exchange.

    Paths name members of JSON answers, dots lead into objects. Values that can be used in templates: `base`
    and `ui` (the vendor's addresses), `client_id`, `message`, `uuid`, `code_challenge`, `code_verifier`, and
    whatever `extract` names.

    Args:
        extract: name → path in the answer to `create`.
        browser_url: where the person goes; a path is joined with `base`.
        done: what says "approved": a status, and a path that must have the value `done_value`, or with None
            just be there.
        pending: statuses that mean "not yet"; a success that is not done always does.
        gone: statuses that mean denied, expired, or unknown.
        errors_pend: every other failure means "not yet" too.
        unsupported: statuses at `create` that mean "use another flow"; 400 stands for all of 400 to 499.
        interval: seconds between polls at first.
        timeout: seconds until the ticket is given up.
        binding: the server takes a code challenge at `create` and wants the verifier at `exchange`.
        long_poll: the server answers a poll only when it is over; silence means "not yet".
        polled_at_base: where another server is named to be polled, path and query are asked for at `base`.
        source: the public page or code that shows it.
    """

    base: str
    create: Call
    extract: Mapping[str, str]
    browser_url: str
    poll: Call
    token_path: str
    source: str
    ui: str = ""
    done_status: int = 200
    done_path: str = ""
    done_value: object = None
    pending: tuple[int, ...] = ()
    gone: tuple[int, ...] = (401, 404, 410)
    errors_pend: bool = False
    unsupported: tuple[int, ...] = ()
    exchange: Call | None = None
    account: Call | None = None
    account_paths: tuple[str, ...] = ("email",)
    revoke: Call | None = None
    cleanup: Call | None = None
    interval: float = 1.0
    timeout: float = 300.0
    binding: bool = False
    long_poll: bool = False
    polled_at_base: bool = False


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that waits for approval; who has its id can redeem it, so it is a secret until then."""

    values: Mapping[str, str] = field(repr=False)
    browser_url: str = field(repr=False)
    user_code: str
    interval: float
    lifetime: float
