"""The token in a file, kept fresh beside a program that has the terminal."""

from __future__ import annotations

import time
from queue import SimpleQueue

import pytest

from loopback_auth.commands._file_renewal import FileRenewal
from loopback_auth.errors import SignInRequired, TransportError
from loopback_auth.model import ServerMetadata
from loopback_auth.outputs.credential import credential
from loopback_auth.tokens import SignIn, TokenSet

SECONDS = 30
"""In which everything here has long happened."""


def sign_in(token: str, seconds: float) -> SignIn:
    """Return a sign-in whose token lives for so long."""
    now = time.time()
    tokens = TokenSet(token, "Bearer", obtained_at=now, expires_at=now + seconds)
    return SignIn("one", "abc", "none", ServerMetadata("https://one.example"), "", tokens)


class Answers:
    """A source that answers one after the other, the last one for ever."""

    def __init__(self, *answers: SignIn | Exception) -> None:
        self.left = list(answers)
        self.asked: SimpleQueue[None] = SimpleQueue()

    async def sign_in(self) -> SignIn:
        """Return the next one."""
        answer = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        self.asked.put(None)
        if isinstance(answer, Exception):
            raise answer
        return answer


def renewing(source: Answers, written: SimpleQueue[str], seconds: float = 0.1) -> FileRenewal:
    """Renew a first token that lives for so long."""
    first = sign_in("first", seconds)
    return FileRenewal(source, credential(first), written.put, first.tokens.obtained_at)


def test_token_that_is_due_is_replaced() -> None:
    """And the next one when that is due; the same token is not written again."""
    written: SimpleQueue[str] = SimpleQueue()
    source = Answers(sign_in("second", 0.1), sign_in("second", 0.1), sign_in("third", 3600))
    with renewing(source, written):
        found = [written.get(timeout=SECONDS), written.get(timeout=SECONDS)]

    assert found == ["second", "third"]
    assert written.empty()


def test_failure_is_said_once_and_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    """The old token stays in the file; a sign-in in another window helps."""
    written: SimpleQueue[str] = SimpleQueue()
    failing = [
        SignInRequired("You are no longer signed in.", hint="Sign in again."),
        TransportError("No answer."),
    ]
    with renewing(Answers(*failing, sign_in("new", 3600)), written):
        assert written.get(timeout=SECONDS) == "new"

    (line,) = capfd.readouterr().err.splitlines()
    assert "You are no longer signed in. Sign in again." in line


def test_token_that_cannot_be_in_a_file_is_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    """A server may bind the token to a key all of a sudden, or send one with a line break."""
    written: SimpleQueue[str] = SimpleQueue()
    source = Answers(sign_in("two lines\n", 3600))
    with renewing(source, written):
        source.asked.get(timeout=SECONDS)
        source.asked.get(timeout=SECONDS)

    assert written.empty()
    assert "two lines" not in capfd.readouterr().err


def test_program_that_ends_does_not_wait() -> None:
    """The token is good for an hour, and the program has ended at once."""
    written: SimpleQueue[str] = SimpleQueue()
    source = Answers(sign_in("second", 3600))
    begun = time.monotonic()
    with renewing(source, written, 3600):
        pass

    assert time.monotonic() - begun < SECONDS
    assert source.asked.empty()


def test_a_fault_of_the_system_is_no_end_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    """No free file for the connection, for instance; what such an error says may quote anything."""
    written: SimpleQueue[str] = SimpleQueue()
    source = Answers(OSError(24, "canary"), RuntimeError("canary"), sign_in("second", 3600))
    with renewing(source, written):
        found = written.get(timeout=SECONDS)

    told = capfd.readouterr().err
    assert found == "second"
    assert "OSError" in told
    assert "canary" not in told
    assert "Traceback" not in told
