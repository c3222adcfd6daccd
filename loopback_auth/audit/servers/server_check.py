"""What a check of a server is, and how its finding is worded: with what was sent to come to it.

A check judges nothing but answers. It passes only on an answer that shows the rule to be kept; where there is
none, it says what would have to be known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loopback_auth.audit.servers.answers import Answer, Observed
from loopback_auth.compare.judging.verdicts import Judgement, found, idle, unseen
from loopback_auth.compare.model import Finding, Severity
from loopback_auth.model import ServerMetadata
from loopback_auth.protocol.urls import origin, shown_url

MOST_SHOWN = 2
"""Requests of a check that are written out."""


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """One rule that a server is checked against.

    Args:
        id: name of the check, which stays the same.
        severity: how bad a failure is.
        title: a statement that is true when the check passes.
        fault: a sentence about the server that is true when the check fails.
        source: the clause that demands it.
        advice: one imperative sentence for a failure.
        questions: whose answers the check reads; without one to the first, it does not judge.
        judge: reads the answers.
        any_of: an answer to any of the questions will do.
    """

    id: str
    severity: Severity
    title: str
    fault: str
    source: str
    advice: str
    questions: tuple[str, ...]
    judge: Callable[[Observed], Judgement]
    any_of: bool = False

    def finding(self, observed: Observed) -> Finding:
        """Return what the check finds."""
        answers = [observed.answers[name] for name in self.questions if name in observed.answers]
        judgement = self._judgement(observed)
        fault = self.fault if judgement.verdict == "fail" else ""
        because = " ".join(filter(None, (fault, judgement.because, sent(answers, observed.metadata))))
        steps = tuple(one.number for one in answers if one.number)
        return found(self, Judgement(judgement.verdict, because, steps))

    def _judgement(self, observed: Observed) -> Judgement:
        wanted = self.questions if self.any_of else self.questions[:1]
        if not wanted or any(observed.response(name) is not None for name in wanted):
            return self.judge(observed)
        first = wanted[0]
        if first in observed.inapplicable:
            return idle(observed.inapplicable[first])
        return unseen(observed.silence(first))


def sent(answers: Sequence[Answer], metadata: ServerMetadata) -> str:
    """Return the sentence that says which requests were sent, without their parameters.

    Args:
        answers: to them.
        metadata: of the server, whose own origin is left out.
    """
    issuer = metadata.issuer or metadata.authorization_endpoint or ""
    made = list(dict.fromkeys(_shown(one, origin(issuer)) for one in answers if one.number))
    count = sum(1 for one in answers if one.number)
    if not made:
        return ""
    listed = "; ".join(made[:MOST_SHOWN]) + ("; …" if len(made) > MOST_SHOWN else "")
    return f"Sent: {listed} ({count} request{'s' * (count != 1)})."


def _shown(answer: Answer, own: str) -> str:
    url = shown_url(answer.request.url).partition("?")[0]
    return f"{answer.request.method} {url.removeprefix(own) or '/'}"
