"""Ask a keychain one question, and end in time.

A call to a keychain may wait for ever, for a person or for a daemon that hangs, and cannot be cancelled. So
it is made in a thread of its own, and waited for only so long. Until it has ended no other call is made for
the same key: a caller that comes meanwhile gets the same answer, so that a person sees one question and not
many. The text of the key does not leave that thread, whose frames no error reporter sees.
"""

from __future__ import annotations

import os
import re
import threading
import time
from typing import Any, Generic, TypeVar

from loopback_auth.errors import LoopbackAuthError
from loopback_auth.store.private_files import store_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback_auth.errors import StoreError

ANSWER_SECONDS = 10.0
"""Seconds for the answer of a keychain that asks no person."""
PERSON_SECONDS = 60.0
"""Seconds for a person to unlock the keychain, after the `ANSWER_SECONDS`."""
REMEMBERED_SECONDS = 5.0
"""Seconds for which a failure answers every later call, too."""
FILES = "or keep the sign-ins in files"
"""What every hint ends with."""

T = TypeVar("T")


class Question(Generic[T]):
    """One call to a keychain, in a thread of its own."""

    def __init__(self, ask: Callable[[Question[T]], T]) -> None:
        self.waits_for_person = False
        """The keychain may be asking a person."""
        self._ask = ask
        self._answer: T | None = None
        self._error: tuple[str, str] = "", ""
        self._ended = threading.Event()
        self._asked_at = time.monotonic()
        self._ended_at = 0.0
        threading.Thread(target=self._run, name="loopback_auth-keychain", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether the next caller has to ask again."""
        if not self._ended.is_set():
            return False
        return self._answer is not None or time.monotonic() > self._ended_at + REMEMBERED_SECONDS

    def answer(self) -> T:
        """Wait for the answer.

        Raises:
            StoreError: there is none in time, or the keychain failed.
        """
        # The time counts from the question: a later caller waits for the rest of it alone.
        if not self._is_there(ANSWER_SECONDS) and not (
            self.waits_for_person and self._is_there(ANSWER_SECONDS + PERSON_SECONDS)
        ):
            raise keychain_error(
                "The keychain of this system does not answer", f"Unlock or restart the keychain, {FILES}."
            )
        if self._answer is None:
            raise keychain_error(*self._error)
        return self._answer

    def _is_there(self, seconds: float) -> bool:
        return self._ended.wait(max(self._asked_at + seconds - time.monotonic(), 0.0))

    def _run(self) -> None:
        # No exception leaves this thread: its frames and its text may have the secret.
        try:
            self._answer = self._ask(self)
        except LoopbackAuthError as exc:
            self._error = exc.message, exc.hint
        except BaseException as exc:
            self._error = _described(exc)
        finally:
            self._ended_at = time.monotonic()
            self._ended.set()


class Questions:
    """The questions of this process, by what is asked."""

    def __init__(self) -> None:
        self._process = 0
        self._lock = threading.Lock()
        self._asked: dict[str, Question[Any]] = {}

    def ask(self, what: str, ask: Callable[[Question[T]], T]) -> T:
        """Return the answer to a question, which is asked once even if several callers want it.

        Args:
            what: the same text for the same question.
            ask: makes the call to the keychain.

        Raises:
            StoreError: as `Question.answer`.
        """
        if self._process != os.getpid():
            # After a fork: its threads are not in this process.
            self._process, self._lock, self._asked = os.getpid(), threading.Lock(), {}
        with self._lock:
            question: Question[T] | None = self._asked.get(what)
            if question is None or question.is_over:
                question = self._asked[what] = Question(ask)
        answer = question.answer()
        self._asked.pop(what, None)
        return answer


LOCKED = (
    "The keychain is locked, and there is no screen here on which you could unlock it",
    f"Unlock it in a session at the screen of this machine, {FILES}.",
)
_BY_NUMBER = {
    # Source: SecBase.h of macOS.
    "-25308": LOCKED,  # errSecInteractionNotAllowed
    "-25293": ("The keychain refused the password", f"Unlock it, {FILES}."),  # errSecAuthFailed
    "-128": ("The question of the keychain was declined", f"Allow this program to use its key, {FILES}."),
}


def _described(exc: BaseException) -> tuple[str, str]:
    """Return what happened and what to do; what a back end says is not quoted, as it may have the secret."""
    name = type(exc).__name__
    if name == "KeyringLocked":
        return "The keychain was not unlocked", f"Unlock it, {FILES}."
    for number in re.findall(r"(?<![\w-])-\d{3,6}\b", str(exc)):
        if number in _BY_NUMBER:
            return _BY_NUMBER[number]
    return f"The keychain failed: {name}", f"Check that it runs and is unlocked, {FILES}."


def keychain_error(message: str, hint: str) -> StoreError:
    """Return an error of the keychain."""
    return store_error(message, hint, "keychain")
