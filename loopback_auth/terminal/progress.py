"""The status of a sign-in on one line: what the program waits for, and for how long.

Several flows may be open at once, and the person has to know which: any of them may be the one that works.

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

import time

from loopback_auth.flow_table import BY_NAME, NO_REDIRECT, POLLED
from loopback_auth.plan.model import AT_ONCE
from loopback_auth.program import Program
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.plan.model import Plan


class Progress:
    """What a sign-in waits for, and for how long.

    Args:
        name: of the provider.
        flows: those that are open from the beginning.
        words: what is said of it; None: ours in English.
    """

    def __init__(self, name: str, flows: tuple[str, ...], words: Words | None = None) -> None:
        self._words = words or Program().resolved_words()
        self._name = name
        self._flows = list(flows)
        self._invited: set[str] = set()
        self._limit: float | None = None
        self._valid: dict[str, float] = {}
        self._ignored = 0
        self._brief = self._words.STAGE_WAITING
        self.awaited: str = ""
        self.shown()

    def until(self, seconds: float) -> None:
        """Note when it ends in any case."""
        self._limit = time.monotonic() + seconds

    def valid(self, seconds: float, flow: str = "") -> None:
        """Note how long something can be used that the person was shown; what lasts longest counts.

        Args:
            seconds: from now on.
            flow: that it belongs to; empty: to all.
        """
        self._valid[flow] = time.monotonic() + seconds

    def patience(self) -> float | None:
        """Return the seconds until it ends in any case; None: that is not settled."""
        return None if self._limit is None else max(0.0, self._limit - time.monotonic())

    def shown(self) -> None:
        """Note that the person was shown where to begin."""
        if len(self._offered()) > 1:
            self._await_flows()
        else:
            self.awaited = self._words.STAGE_FIRST

    def began(self, flow: str) -> None:
        """Note that a flow is open."""
        self._flows = [one for one in self._flows if one != flow] + [flow]
        if self.offered(flow) or not self._offered():
            self._await_flows()

    def ended(self, flow: str) -> None:
        """Note that a flow is open no longer, or never came to be."""
        self._valid.pop(flow, None)
        self._flows = [one for one in self._flows if one != flow]
        if self._flows:
            self._await_flows()

    def offered(self, flow: str) -> bool:
        """Return whether a flow is there for the person: a server may prove to have no tickets or codes."""
        return flow not in POLLED or flow in self._invited

    def comes_back(self) -> bool:
        """Return whether a flow is open that needs a browser on this machine, or one that reaches it."""
        return any(flow not in NO_REDIRECT for flow in self._flows)

    def only(self, flow: str) -> bool:
        """Return whether one flow is open and no other."""
        return self._flows == [flow]

    def invited(self, flow: str) -> None:
        """Note that the person was shown where to approve."""
        self._invited.add(flow)
        if len(self._flows) < 2:
            self.awaited = self._words.STAGE_APPROVE
        else:
            self._await_flows()

    def signs_in_at(self, name: str) -> None:
        """Note where the person approves, which may differ from the provider: a resource names its server."""
        self._name = name

    def visited(self) -> None:
        """Note that a browser has come to our page, and gone on from there."""
        self.awaited = self._words.STAGE_VISITED.format(name=self._name)

    def returned(self, *, refused: bool) -> None:
        """Note that the person has done what they can."""
        self.awaited, self._brief = self._words.STAGE_RETURNED, self._words.STAGE_FETCHING
        if refused:  # There is nothing to fetch.
            self.awaited = self._brief = self._words.STAGE_REFUSED

    def followed(self) -> None:
        """Note that another process does all this."""
        self.awaited = self._words.STAGE_OTHER_PROCESS

    def ignored(self, count: int) -> None:
        """Note how many requests were turned away."""
        self._ignored = count

    def texts(self) -> tuple[str, ...]:
        """Return the status line in three lengths, longest first; each says how to cancel."""
        left, stage, brief = self._time_left(), self.awaited, self._brief
        if left:
            stage = self._words.STAGE_LEFT.format(left=left, stage=stage)
            brief = self._words.STAGE_LEFT_BRIEF.format(left=left, stage=brief)
        rejected = self._words.STAGE_REJECTED if self._ignored == 1 else self._words.STAGE_REJECTED_MANY
        longest = [rejected.format(stage=stage, count=self._ignored)] if self._ignored else []
        return tuple(self._words.STAGE_CANCELS.format(stage=text) for text in (*longest, stage, brief))

    def _time_left(self) -> str:
        valid = max(self._valid.values(), default=None)
        ends = [one for one in (self._limit, valid) if one is not None]
        if not ends:
            return ""
        # Of several flows one may go on when the code of another has expired.
        left = max(0, int((min(ends) if len(self._flows) < 2 else ends[0]) - time.monotonic()))
        return f"{left // 60}:{left % 60:02}"

    def _offered(self) -> list[str]:
        return [flow for flow in self._flows if self.offered(flow)]

    def _await_flows(self) -> None:
        awaited = [self._words.of(BY_NAME[flow].awaited) for flow in self._offered()]
        self.awaited = (
            self._words.STAGE_FLOWS.format(awaited=self._either(awaited))
            if awaited
            else self._words.STAGE_ASKING
        )

    def _either(self, names: list[str]) -> str:
        *others, last = names
        return self._words.STAGE_FLOWS_OR.format(others=", ".join(others), last=last) if others else last


def flows_at_first(plan: Plan | None) -> tuple[str, ...]:
    """Return the flows that a plan opens at once; without a plan it is the usual one."""
    if plan is None:
        return ("code",)
    return tuple(route.flow for route in plan.starting(AT_ONCE) or plan.routes[:1])


def likelier_elsewhere(plan: Plan) -> bool:
    """Return whether a browser on any device comes before one that reaches this machine; both may do."""
    flows = [route.flow for route in plan.routes]
    return flows[0] in POLLED and any(flow not in NO_REDIRECT for flow in flows)


def lives_by_itself(plan: Plan) -> bool:
    """Return whether the flow in the lead says itself how long it can be approved."""
    flows = [route.flow for route in plan.routes]
    redirecting = [flow for flow in flows if flow not in NO_REDIRECT]
    return next(iter(redirecting or flows), "") in POLLED
