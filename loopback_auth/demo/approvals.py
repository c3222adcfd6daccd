"""Keep the device codes and tickets that wait for a person at the demo server.

Each has a secret by which the client asks, and a way for the person to find it: a user code, a handle in an
address, or, as at some vendors, the very secret. Who knows the way may answer the question; only who knows
the secret gets the token, and only once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from loopback_auth import words
from loopback_auth.demo import pages as demo_pages
from loopback_auth.demo.accounts import Account
from loopback_auth.demo.consent import Interactions, Question, SignedIn, page_is_over
from loopback_auth.demo.faults import PollTroubles
from loopback_auth.demo.grants import Grant, Ledger
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.wire import Refused
from loopback_auth.http_messages import HttpResponse

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Twenty letters without vowels, so that no code is a word (RFC 8628 §6.1)."""
CODE_LENGTH = 8
WRONG_CODES, WRONG_CODES_WITHIN = 10, 60.0
"""After so many wrong user codes in so many seconds, none is accepted for a while (RFC 8628 §5.1)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The state of a device code or a ticket.

    Args:
        kind: which endpoints it belongs to: `device`, or a vendor.
        client_id: of the client that created it.
        scope: names that were requested, all of them known to the server.
        created_at: Unix seconds.
        expires_at: Unix seconds.
        resource: where the access token is going to be used (RFC 8707 §2).
        user_code: to enter or to compare (RFC 8628 §3.3); empty: there is none.
        message: shown to the person.
        code_challenge: the exchange must have its verifier; empty: no verifier is needed.
        state: `used` once its token was issued.
        grant: what the person approved; None before.
    """

    kind: str
    client_id: str
    scope: tuple[str, ...]
    created_at: float
    expires_at: float
    resource: tuple[str, ...] = ()
    user_code: str = field(default="", repr=False)
    message: str = ""
    code_challenge: str = ""
    state: Literal["pending", "approved", "denied", "used"] = "pending"
    grant: Grant | None = field(default=None, repr=False)


class Approvals:
    """All device codes and tickets. The `Refused` that its methods raise are for the person.

    Args:
        setup: of the server.
        ledger: records the tokens.
        interactions: the pages that ask the person.
    """

    def __init__(self, setup: Setup, ledger: Ledger, interactions: Interactions) -> None:
        self.troubles: PollTroubles = PollTroubles(setup.faults)
        self._setup = setup
        self._ledger = ledger
        self._interactions = interactions
        self._waiting: dict[str, Waiting] = {}
        self._by_handle: dict[tuple[str, str], str] = {}
        self._by_code: dict[tuple[str, str], str] = {}
        self._wrong_codes: deque[float] = deque(maxlen=WRONG_CODES)

    def open(self, waiting: Waiting, lifetime: float) -> str:
        """Keep a device code or a ticket for its lifetime in seconds, and return its secret."""
        secret = self._ledger.unguessable()
        early = self._setup.faults.expires_early
        expires_at = waiting.created_at + (lifetime if early is None else early)
        self._waiting[secret] = replace(waiting, expires_at=expires_at)
        if waiting.user_code:
            self._by_code[waiting.kind, _letters(waiting.user_code)] = secret
        return secret

    def handle(self, kind: str, secret: str) -> str:
        """Make a value by which a person finds what waits, and which asks for nothing else."""
        handle = self._ledger.unguessable()
        self._by_handle[kind, handle] = secret
        return handle

    def user_code(self) -> str:
        """Make a code of eight letters, such as `WDJB-MJHT`.

        Source: RFC 8628 §6.1.
        """
        number = int.from_bytes(self._ledger.entropy(16), "big")
        letters = ""
        for _ in range(CODE_LENGTH):
            number, place = divmod(number, len(ALPHABET))
            letters += ALPHABET[place]
        return f"{letters[:4]}-{letters[4:]}"

    def find(self, kind: str, secret: str) -> Waiting | None:
        """Return what belongs to a secret, expired or not; None if it is unknown."""
        found = self._waiting.get(secret)
        return found if found is not None and found.kind == kind else None

    def use(self, secret: str) -> None:
        """Note that the token was issued, so that the secret is not valid any more."""
        if not self._setup.faults.reusable:
            self._waiting[secret] = replace(self._waiting[secret], state="used")

    def seen(self, kind: str, secret: str, now: float) -> Waiting | None:
        """Return the state that a poll sees; None if it is used or expired. Faults can delay an approval."""
        found = self.find(kind, secret)
        if found is None or found.state == "used" or now >= found.expires_at:
            return None
        if found.state == "approved" and self.troubles.late():
            return replace(found, state="pending")
        return found

    def redeem(self, secret: str, now: float) -> tuple[str, Account]:
        """Give out the access token of what was approved, and say whose it is."""
        grant = self._waiting[secret].grant
        if grant is None:
            raise Refused("invalid_grant", "This has not been approved.")
        self.use(secret)
        expires_at = now + self._setup.expires_in
        return self._ledger.issue_access_token(grant, grant.scope, expires_at), grant.account

    def ask(self, kind: str, handle: str, now: float) -> HttpResponse:
        """Ask the person about what belongs to a handle, or to a secret."""
        secret = self._by_handle.get((kind, handle), handle)
        found = self.find(kind, secret)
        if found is None or _over(found, now):
            raise page_is_over()
        return self._interactions.ask(self._question(secret, found), now)

    def enter(self, kind: str, action: str, user_code: str, now: float) -> HttpResponse:
        """Ask the person who has entered a user code, or to enter another one.

        Source: RFC 8628 §3.3, §5.1 (guessing), §6.1 (case and separators do not matter).
        """
        wrong = self._wrong_codes
        limited = not self._setup.faults.unlimited_user_codes
        if limited and len(wrong) == WRONG_CODES and now - wrong[0] < WRONG_CODES_WITHIN:
            raise Refused("slow_down", "Too many wrong codes; try again in a minute.", status=429)
        secret = self._by_code.get((kind, _letters(user_code)), "")
        found = self.find(kind, secret)
        if found is None or _over(found, now):
            wrong.append(now)
            problem = words.DEMO_WRONG_CODE
            return demo_pages.enter_code(action=action, problem=problem, status=400)
        return self.ask(kind, secret, now)

    def _question(self, secret: str, waiting: Waiting) -> Question:
        return Question(
            client_id=waiting.client_id,
            scope=waiting.scope,
            approved=partial(self._approved, secret),
            denied=partial(self._denied, secret),
            code=waiting.user_code,
            message=waiting.message,
            resource=waiting.resource,
        )

    def _approved(self, secret: str, signed_in: SignedIn, now: float) -> HttpResponse:
        waiting = self._waiting[secret]
        if _over(waiting, now):
            raise page_is_over()
        grant = Grant(
            id=self._ledger.unguessable(),
            client_id=waiting.client_id,
            redirect_uri="",
            account=signed_in.account,
            scope=self._setup.granted(waiting.scope),
            resource=waiting.resource,
            code_challenge="",
            nonce="",
            auth_time=signed_in.auth_time,
        )
        self._waiting[secret] = replace(waiting, state="approved", grant=grant)
        return demo_pages.done(title=words.DEMO_APPROVED, message=words.DEMO_APPROVED_LEAD)

    def _denied(self, secret: str, _now: float) -> HttpResponse:
        waiting = self._waiting[secret]
        if waiting.state != "pending":
            raise page_is_over()
        self._waiting[secret] = replace(waiting, state="denied")
        return demo_pages.done(title=words.DEMO_DENIED, message=words.DEMO_DENIED_LEAD)


def _over(waiting: Waiting, now: float) -> bool:
    return waiting.state != "pending" or now >= waiting.expires_at


def _letters(user_code: str) -> str:
    return "".join(letter for letter in user_code.upper() if letter in ALPHABET)
