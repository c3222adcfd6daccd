"""A pending sign-in, which waits for the person: its data types, and the form in which it is kept.

One JSON object, format version 2, with a digest of all its other members. The digest reveals an accidental
change, with which the program must not continue; it is not a protection. A `ValueError` says what is wrong
without quoting it. Refuses to know where the text is kept (`pending`) and what the answers mean
(`signin.two_step`).
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal, TypeVar

from loopback_auth.authorization_messages import Attempt, Callback
from loopback_auth.codec import from_members, read_object, to_members
from loopback_auth.effects import Tick
from loopback_auth.flow_table import TwoStepFlow
from loopback_auth.http_messages import HttpResponse, Stamp
from loopback_auth.model import ClientConfig
from loopback_auth.records import dataclass, field

Outcome = Literal["signed in", "expired", "refused", "failed", "given up"]
"""The result of a sign-in; it failed when an answer broke a rule."""

FORMAT_VERSION = 2
ARRIVED_FOR = 86400.0
"""Seconds for which tokens are kept that arrived just before their process was killed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The error that a flow got for a request.

    Args:
        error: the name of its class.
        message: what happened.
        hint: what to do.
        source: the clause that the answer broke; empty for none.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.
    """

    error: Literal["TransportError", "MalformedResponse"]
    message: str
    hint: str = ""
    source: str = ""
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One effect of a flow, and its answer: at most one of the last six fields.

    Args:
        effect: the name of its class.
        step: of `Send`.
        text: the redirect URI, for `Bind`.
        response: for `Send`.
        callback: for `Receive`.
        moment: for `Sleep`.
        stamp: for `Now`.
        failure: instead of a response.
    """

    effect: str
    step: str = ""
    text: str | None = None
    response: HttpResponse | None = field(default=None, repr=False)
    callback: Callback | None = field(default=None, repr=False)
    moment: Tick | None = None
    stamp: Stamp | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in that waits for the person: what the person needs, and all that is needed to continue.

    Args:
        handle: name of the sign-in, a hyphen, and six characters that make it unique.
        created_at: Unix seconds.
        expires_at: Unix seconds after which the person cannot approve any more.
        flow: that was begun.
        client: without its secret.
        attempt: its random values.
        named: the provider as the person named it; empty when they did not.
        with_secret: the client has a secret, which the settings must provide again.
        with_private_key: the client has a private key, likewise.
        verify_signature: check the signatures of ID tokens.
        message: for the person, on the approval page of a ticket.
        url: to open; that of a ticket contains the ticket's id.
        user_code: to compare or to enter there; empty when there is none.
        verification_uri: short enough to be typed, where it differs from `url`.
        redirect_uri: where the browser ends, when the person has to paste that URL.
        interval: seconds before the first poll; 0 when there is no polling.
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
    with_private_key: bool = False
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
        """Whether an answer has arrived that was not processed yet; it may contain tokens."""
        effects = [each.effect for each in self.journal]
        if "VerificationPrompt" not in effects:
            return "Receive" in effects
        waited = max(at for at, effect in enumerate(effects) if effect in ("VerificationPrompt", "Sleep"))
        return "Send" in effects[waited:]

    def lapsed(self, now: float) -> bool:
        """Return whether it has expired; an answer that arrived before can be used for one more day."""
        return now >= self.expires_at + (ARRIVED_FOR if self.answered else 0.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """The result of a pending sign-in.

    Args:
        handle: of the pending sign-in.
        name: under which its tokens were kept, if they were.
        outcome: how it ended.
        message: what happened, for people.
    """

    handle: str
    name: str
    outcome: Outcome
    message: str


T = TypeVar("T", PendingSignIn, Ended)


def to_json(value: PendingSignIn | Ended) -> bytes:
    """Write a pending sign-in, or its result, as ASCII JSON, ending in a line break."""
    members = to_members(value)
    document = {"version": FORMAT_VERSION, "digest": _digest(members), **members}
    return json.dumps(document, indent=1, allow_nan=False).encode("ascii") + b"\n"


def from_json(kind: type[T], content: bytes, handle: str) -> T:
    """Read a pending sign-in, or its result, back.

    Args:
        kind: which of the two it must be.
        content: what `to_json` wrote, or any other bytes.
        handle: that it must have.

    Raises:
        ValueError: the content is something else; the text quotes no value.
    """
    members = read_object(content)
    version = members.pop("version", None)
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(
            f"not of format version {FORMAT_VERSION}; another version of this program may have written it"
        )
    if members.pop("digest", None) != _digest(members):
        raise ValueError("changed since it was written")
    found = from_members(kind, members)
    if found.handle != handle:
        raise ValueError("written for another handle")
    return found


def _digest(members: object) -> str:
    return hashlib.sha256(json.dumps(members, sort_keys=True).encode("ascii")).hexdigest()
