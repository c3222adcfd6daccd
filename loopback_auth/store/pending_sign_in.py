"""A sign-in that was begun and waits for the person: its nouns, and the form in which they are kept.

One JSON object, format version 2, with a digest over all else in it: that shows a slip of an editor, which
must not be acted upon; it keeps nobody out. A `ValueError` says what is wrong without quoting it. Refuses to
know where the text is kept (`pending`) and what the answers mean (`signin.two_step`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from loopback_auth.codec import from_members, read_object, to_members
from loopback_auth.effects import Tick
from loopback_auth.flow_table import TwoStepFlow
from loopback_auth.model import Attempt, Callback, ClientConfig, HttpResponse

Outcome = Literal["signed in", "expired", "refused", "failed", "given up"]
"""What becomes of a sign-in; it failed when an answer broke a rule."""

FORMAT_VERSION = 2
ARRIVED_FOR = 86400.0
"""Seconds for which tokens are kept that arrived when their process was killed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request of ours that came to nothing, as the flow was told."""

    error: Literal["TransportError", "MalformedResponse"]
    message: str
    hint: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An effect, by the name of its class, and its answer: one of the members behind, or none.

    Args:
        effect: name of its class.
        step: of a request.
        text: the redirect URI, for `Bind`.
    """

    effect: str
    step: str = ""
    text: str | None = None
    response: HttpResponse | None = field(default=None, repr=False)
    callback: Callback | None = field(default=None, repr=False)
    moment: Tick | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that is in the hands of the person: what they need, and all that is needed to go on.

    Args:
        handle: name of the sign-in, a hyphen, and six characters that make it unique.
        created_at: Unix seconds.
        expires_at: Unix seconds after which the person cannot approve any more.
        named: the provider as it was named; empty when it was not.
        client: without its secret.
        with_secret: it has one, which has to be found again.
        verify_signature: ID tokens' signatures are checked.
        message: for the person on a ticket's approval page.
        url: to open; that of a ticket holds the ticket's id.
        user_code: to compare or to enter there; empty when there is none.
        verification_uri: short enough to be typed, where it differs.
        redirect_uri: where the browser ends, when that address is to be pasted.
        interval: seconds that have to pass before it is asked the first time; 0 when nobody is asked.
        journal: what the flow was answered, in order.
    """

    handle: str
    created_at: float
    expires_at: float
    flow: TwoStepFlow
    client: ClientConfig
    attempt: Attempt
    named: str = ""
    with_secret: bool = False
    verify_signature: bool = False
    message: str = ""
    url: str = field(default="", repr=False)
    user_code: str = field(default="", repr=False)
    verification_uri: str = ""
    redirect_uri: str = ""
    interval: float = 0.0
    journal: tuple[JournalEntry, ...] = field(default=(), repr=False)

    @property
    def answered(self) -> bool:
        """Whether an answer is there that nobody has looked at yet: it may hold tokens, however late."""
        effects = [each.effect for each in self.journal]
        if "VerificationPrompt" not in effects:
            return "Receive" in effects
        waited = max(at for at, effect in enumerate(effects) if effect in ("VerificationPrompt", "Sleep"))
        return "Send" in effects[waited:]

    def lapsed(self, now: float) -> bool:
        """Return whether the person's time is over; what has arrived within it may be used for a day more."""
        return now >= self.expires_at + (ARRIVED_FOR if self.answered else 0.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a sign-in.

    Args:
        name: under which its tokens were kept, if they were.
        message: what happened, for people.
    """

    handle: str
    name: str
    outcome: Outcome
    message: str


T = TypeVar("T", PendingSignIn, Ended)


def to_json(value: PendingSignIn | Ended) -> bytes:
    """Write it as ASCII JSON, ending in a line break."""
    members = to_members(value)
    document = {"version": FORMAT_VERSION, "digest": _digest(members), **members}
    return json.dumps(document, indent=1, allow_nan=False).encode("ascii") + b"\n"


def from_json(kind: type[T], content: bytes, handle: str) -> T:
    """Read it back.

    Args:
        kind: what it has to be.
        content: what `to_json` wrote, or anything at all.
        handle: the one that it must bear.

    Raises:
        ValueError: it is something else; the text quotes no value.
    """
    members = read_object(content)
    version = members.pop("version", None)
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"not of format version {FORMAT_VERSION}")
    if members.pop("digest", None) != _digest(members):
        raise ValueError("changed since it was written")
    found = from_members(kind, members)
    if found.handle != handle:
        raise ValueError("written for another handle")
    return found


def _digest(members: object) -> str:
    return hashlib.sha256(json.dumps(members, sort_keys=True).encode("ascii")).hexdigest()
