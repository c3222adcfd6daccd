"""Which requests of a recording belong to the same sign-in.

Those that share a secret: the state leads from the request to the answer, the code from there to the token
request, the token to whatever is done with it. An answer that shares none, because its state is a stranger's
or not to be seen, goes to the request that waits for one at its address: that is what was wrong there. What
has no secret, or is the first to show a token, goes to the sign-in before it at the same server.
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
"""Requests whose answers belong to the sign-in as they do."""
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
"""Kinds of secrets that two requests of the same sign-in share, and no others do."""
BESIDES = frozenset({"key set request", "metadata request"})
"""Requests that tell of no sign-in when there are no others."""
FOLLOWING = frozenset({"UserInfo request", "account request", "introspection request", "revocation request"})
"""Requests that carry a token which a sign-in may have got where nobody recorded it."""

ASKING = frozenset({"authorization request", PUSHED})
"""Requests that say where the answer goes."""

Group = tuple[set[str], list["Found"]]
"""The labels that lead to a sign-in, and its requests."""


@dataclass(frozen=True, slots=True)
class Found:
    """A request that was named; `address` has the fragment that the browser brought along."""

    entry: Entry
    step: str
    sender: Party
    receiver: Party
    address: str = field(default="", repr=False)
    observed: bool = True


def groups(found: Sequence[Found], redactor: Redactor) -> list[list[Found]]:
    """Put together what belongs to one sign-in, in the order in which each began."""
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


def _joined_otherwise(one: Found, links: set[str], begun: Sequence[Group]) -> list[Group]:
    """Return the last sign-in that a request belongs to although it shares no secret with it."""
    belongs = _waits_for if one.step in RESPONSES else _is_at_its_server
    return [group for group in reversed(begun) if belongs(group, one, links)][:1]


def _waits_for(group: Group, one: Found, _links: set[str]) -> bool:
    steps = {member.step for member in group[1]}
    asked = [sent(member.entry.request) for member in group[1] if member.step in ASKING]
    at = {without_query(parameters.get("redirect_uri", "")) for parameters in asked}
    return without_query(one.entry.request.url) in at and one.step not in steps


def _is_at_its_server(group: Group, one: Found, links: set[str]) -> bool:
    """Return whether a request is at a sign-in's own server, where one of both has no secret to compare."""
    here = server(one.entry.request.url)
    nothing = not links or not group[0]
    first_use = one.step in FOLLOWING and "access_token" not in map(label_kind, group[0])
    return (nothing or first_use) and any(server(member.entry.request.url) == here for member in group[1])


def server(url: str) -> str:
    """Return scheme and host of an address, however malformed it is."""
    return "/".join(without_query(url).split("/", 3)[:3])


def _links(one: Found, redactor: Redactor) -> set[str]:
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
