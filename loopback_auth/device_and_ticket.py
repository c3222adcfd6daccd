"""The data types of sign-ins that are approved on any device: device grants and tickets.

They are apart from `model`, so that a sign-in by redirect does not import what it never uses.

Source: RFC 8628 §3.2, §3.5.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.field_checks import check_types
from loopback_auth.records import Literal, dataclass, field


@dataclass(frozen=True, slots=True)
class Pending:
    """The person has not approved yet: poll again.

    Args:
        slow_down: poll less often from now on (RFC 8628 §3.5).
        retry_after: seconds to wait before the next poll, this time only.
        trouble: why the response could not be used, in our words; empty when the server said "not yet".
    """

    slow_down: bool = False
    retry_after: float | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """A device authorization response (RFC 8628 §3.2).

    Args:
        device_code: the program polls with it.
        user_code: the person enters or compares it.
        verification_uri: where the person enters it.
        verification_uri_complete: the same with the code in it; empty when the server has none.
        interval: seconds between two polls.
        lifetime: seconds from `obtained_at`.
        obtained_at: Unix seconds.
    """

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str = field(repr=False)
    interval: float
    lifetime: float
    obtained_at: float


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """One request of a ticket contract, as templates with named values such as `{client_id}` or `{id}`.

    Args:
        method: of HTTP.
        url: a template; a path is joined with `base`.
        body: how `parameters` are encoded in the body; `none`: they go into the query.
        parameters: names and templates; those that are empty in the end are left out.
        headers: names and templates.
        ok: statuses that mean success.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    body: Literal["none", "form", "json"] = "none"
    parameters: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    ok: tuple[int, ...] = (200, 201)

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True, slots=True)
class TicketContract:
    """A vendor's sign-in by ticket as data: create, approve in a browser, poll, exchange.

    A path names a member of a JSON response, with dots between the names of nested objects. Templates can use
    `base` and `ui` (the vendor's addresses), `client_id`, `message`, `uuid`, `code_challenge`,
    `code_verifier`, and the names in `extract`.

    Args:
        base: address of the vendor's API.
        create: the request that creates the ticket.
        extract: name to path, in the response to `create`.
        browser_url: template of the page where the person approves; a path is joined with `base`.
        poll: the request that asks whether the ticket was approved.
        token_path: where the access token is, in the response to `exchange` or, without one, to `poll`.
        source: the public page or code that documents the contract.
        ui: address of the vendor's pages, where it differs from `base`.
        done_status: the status of a poll that means "approved".
        done_path: a member that an approved poll must have; empty: the status is enough.
        done_value: the value of that member; None: any value.
        pending: statuses that mean "not yet"; a success without the marks of "approved" means it too.
        gone: statuses that mean denied, expired, or unknown.
        errors_pend: every other failure means "not yet" too.
        unsupported: statuses at `create` that mean "use another flow"; 400 stands for 400 to 499.
        exchange: the request that exchanges the approved ticket for a token; None: the poll has it.
        account: the request that says whose account it is; None: there is none.
        account_paths: members of its response that name the account, best first.
        revoke: the request that revokes the token; None: there is none.
        cleanup: the request that removes the ticket afterwards; None: there is none.
        interval: seconds between polls at first.
        timeout: seconds until the program stops waiting.
        binding: the server takes a code challenge at `create` and requires the verifier at `exchange`.
        long_poll: the server answers a poll only when it was decided; a timeout means "not yet".
        polled_at_base: where the vendor names another server to poll, only path and query count.
    """

    base: str
    create: TicketRequest
    extract: Mapping[str, str]
    browser_url: str
    poll: TicketRequest
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
    exchange: TicketRequest | None = None
    account: TicketRequest | None = None
    account_paths: tuple[str, ...] = ("email",)
    revoke: TicketRequest | None = None
    cleanup: TicketRequest | None = None
    interval: float = 1.0
    timeout: float = 300.0
    binding: bool = False
    long_poll: bool = False
    polled_at_base: bool = False

    def __post_init__(self) -> None:
        check_types(self)

    @staticmethod
    def known(vendor: str, *, base: str = "", ui: str = "") -> TicketContract:
        """Return the contract of a vendor: `netlify`, `npm`, `heroku`, `stripe` or `doppler`.

        Args:
            vendor: whose.
            base: address of an API that follows the same contract; empty: the vendor's own.
            ui: address of its pages; required with `base` where the vendor has another one for them.

        Raises:
            ConfigError: the vendor is unknown, or an address cannot be used.
        """
        from loopback_auth.settings.known import known_contract  # A door: see there.

        return known_contract(vendor, base=base, ui=ui)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that waits for approval. Its id is a secret: anyone who knows it can exchange the ticket.

    Args:
        values: what templates can use, such as the id.
        browser_url: where the person approves.
        user_code: to compare on that page; empty when there is none.
        interval: seconds between polls at first.
        lifetime: seconds until the program stops waiting.
    """

    values: Mapping[str, str] = field(repr=False)
    browser_url: str = field(repr=False)
    user_code: str
    interval: float
    lifetime: float
