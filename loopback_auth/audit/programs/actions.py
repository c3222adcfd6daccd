"""What a scenario can do to a program that signs in, and the type of such a scenario.

Theory of operation. A scenario is a generator, as in `compare.attacks`: it yields an action, is resumed with
its result, and reads from top to bottom. The program's sign-in is a real one with a user who approves; it
begins with the first action that lets it go on, and it is paused, with the browser in the middle of a step,
while the scenario acts. `Ask` and `Until` are those of `compare.attacks`, so their steps can be used here.

Every action is bounded in time. A scenario returns its answers by the ids of the questions of its trial.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from loopback_auth.audit.programs.observed import ProgramResult, Seen
from loopback_auth.compare.attacks.attack_actions import Ask, Until
from loopback_auth.compare.judging.verdicts import Judgement

T = TypeVar("T")

ANSWER_SECONDS = 5.0
"""Seconds that `Ask` waits for an answer, at most; then the status is 0."""
END_SECONDS = 20.0
"""Seconds that a sign-in may take after the user has approved, where nothing makes it wait."""


@dataclass(frozen=True, slots=True)
class End:
    """Let the sign-in go on to its end: the browser brings the response, and the program ends.

    A program that stays (a server) is ended when it has got its tokens and has answered the browser. One
    that has not ended after the limit is ended, and its status is None.

    Args:
        within: limit in seconds.
    """

    within: float = END_SECONDS

    def __iter__(self) -> Generator[End, Any, ProgramResult]:
        result: ProgramResult = yield self
        return result


@dataclass(frozen=True, slots=True)
class Abandon:
    """Close the browser's tab: it makes no further step. The result is that of the program when it ends.

    Args:
        interrupt_after: seconds after which Ctrl-C is pressed (SIGINT), if the program has not ended.
        within: seconds after Ctrl-C at which a program that has not ended is ended.
    """

    interrupt_after: float
    within: float = 5.0

    def __iter__(self) -> Generator[Abandon, Any, ProgramResult]:
        result: ProgramResult = yield self
        return result


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Open a TCP connection and send bytes; the result is what came back, empty for nothing.

    Args:
        authority: host and port, as in a URL.
        pieces: what is sent, one after the other; none: the connection says nothing.
        wait: seconds in which an answer may come; it ends early when the other side closes.
        keep: the connection stays open until the sign-in ends; otherwise it is closed after the wait.
    """

    authority: str
    pieces: tuple[bytes, ...] = field(default=(), repr=False)
    wait: float = 1.0
    keep: bool = False

    def __iter__(self) -> Generator[SendBytes, Any, bytes]:
        answer: bytes = yield self
        return answer


@dataclass(frozen=True, slots=True)
class Bind:
    """Try to listen at an address as another program, with the options that share ports, and let go of it.

    The result is the name of the system's error, such as `EADDRINUSE`; empty when it could listen.

    Args:
        authority: IP address and port, as in a URL.
    """

    authority: str

    def __iter__(self) -> Generator[Bind, Any, str]:
        refusal: str = yield self
        return refusal


@dataclass(frozen=True, slots=True)
class Pass:
    """Let time pass; it ends early when the program ends.

    Args:
        seconds: at most.
    """

    seconds: float

    def __iter__(self) -> Generator[Pass, Any, None]:
        yield self


@dataclass(frozen=True, slots=True)
class Look:
    """See what can be seen of the program now."""

    def __iter__(self) -> Generator[Look, Any, Seen]:
        seen: Seen = yield self
        return seen


ProgramAction = Ask | Until | End | Abandon | SendBytes | Bind | Pass | Look
ProgramActions = Generator[ProgramAction, Any, T]
ProgramScenario = ProgramActions[Mapping[str, Judgement]]
