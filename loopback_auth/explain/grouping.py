"""Decides which requests of a recording belong to the same sign-in.

Requests that share a secret belong together: the state leads from the authorization request to its
response, the code from there to the token request, the token to its use. A response that shares no secret,
because its state is wrong or was not recorded, belongs to the request that waits for a response at its
address, so that the checks see what is wrong. A request without a secret, or the first with a token,
belongs to the latest sign-in at the same server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from loopback_auth.explain.endings import PUSHED
from loopback_auth.explain.har import Entry
from loopback_auth.explain.recognition import sent
from loopback_auth.trace.evidence import RESPONSES
from loopback_auth.trace.reading import LABEL, label_kind, without_query
from loopback_auth.trace.records import Party
from loopback_auth.trace.redactor import Redactor

DIRECT = (
    "device authorization request",
    "device token request",
    PUSHED,
    "refresh request",
    "ticket exchange",
    "ticket request",
    "token request",
)
"""Requests of the program whose responses belong to the same sign-in."""
LINKING = frozenset(
    {
        "access_token",
        "code",
        "code_verifier",
        "device_code",
        "id_token",
        "nonce",
        "refresh_token",
        "request_uri",
        "state",
        "ticket",
        "user_code",
    }
)
"""Kinds of secrets that are shared only by requests of the same sign-in."""
NO_SIGN_IN_ALONE = frozenset({"key set request", "metadata request"})
"""Requests that are not a sign-in when there are no others."""
TOKEN_USES = frozenset({"UserInfo request", "account request", "introspection request", "revocation request"})
"""Requests with a token that a sign-in may have obtained where it was not recorded."""

ASKING = frozenset({"authorization request", PUSHED})
"""Requests that name the redirect URI for the response."""

Group = tuple[set[str], list["NamedRequest"]]
"""The labels that belong to a sign-in, and its requests."""


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A recorded request that was recognised.

    Args:
        entry: the request with its response, secrets included.
        step: name of the request in the specifications.
        sender: who sent it.
        receiver: who answered it.
        address: what the address bar showed, fragment included; empty when the request was not a navigation.
        observed: the recorder saw the request; False when it was only concluded.
    """

    entry: Entry
    step: str
    sender: Party
    receiver: Party
    address: str = field(default="", repr=False)
    observed: bool = True


def groups(found: Sequence[NamedRequest], redactor: Redactor) -> list[list[NamedRequest]]:
    """Group the requests by sign-in; the sign-ins are in the order in which they began."""
    begun: list[Group] = []
    for one in found:
        links = _links(one, redactor)
        joined = [group for group in begun if links & group[0]] or _joined_otherwise(one, links, begun)
        if not joined:
            begun.append((links, [one]))
            continue
        first, *others = joined
        first[0].update(links)
        first[1].append(one)
        for other in others:
            first[0].update(other[0])
            first[1].extend(other[1])
            begun.remove(other)
    return [sorted(members, key=lambda one: one.entry.at) for _, members in begun]


def _joined_otherwise(one: NamedRequest, links: set[str], begun: Sequence[Group]) -> list[Group]:
    """Return the latest sign-in to which a request belongs without sharing a secret."""
    belongs = _waits_for if one.step in RESPONSES else _is_at_its_server
    return [group for group in reversed(begun) if belongs(group, one, links)][:1]


def _waits_for(group: Group, one: NamedRequest, _links: set[str]) -> bool:
    steps = {member.step for member in group[1]}
    asked = [sent(member.entry.request) for member in group[1] if member.step in ASKING]
    at = {without_query(parameters.get("redirect_uri", "")) for parameters in asked}
    return without_query(one.entry.request.url) in at and one.step not in steps


def _is_at_its_server(group: Group, one: NamedRequest, links: set[str]) -> bool:
    """Return whether a request went to the server of a sign-in, when there are no secrets to compare."""
    here = server(one.entry.request.url)
    nothing = not links or not group[0]
    first_use = one.step in TOKEN_USES and "access_token" not in map(label_kind, group[0])
    return (nothing or first_use) and any(server(member.entry.request.url) == here for member in group[1])


def server(url: str) -> str:
    """Return scheme and host of an address, however malformed it is."""
    return "/".join(without_query(url).split("/", 3)[:3])


def _links(one: NamedRequest, redactor: Redactor) -> set[str]:
    request = one.entry.request
    texts = [
        request.url,
        one.address,
        request.body.decode("utf-8", "replace"),
        request.header("authorization"),
    ]
    if one.step in DIRECT and one.entry.answer is not None:
        texts.append(one.entry.answer.body.decode("utf-8", "replace"))
    shown = (label for text in texts for label in LABEL.findall(redactor.excerpt(text)))
    return {label for label in shown if label_kind(label) in LINKING}
