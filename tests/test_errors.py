"""The tree of errors, its exit codes, and the hints."""

from __future__ import annotations

import ast
import copy
import inspect
import pickle
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from loopback_auth import errors
from loopback_auth.commands._child import NotExecutable, NotFound
from loopback_auth.commands._gate import STOPPED
from loopback_auth.errors import (
    AuthorizationError,
    LoopbackAuthError,
    NoFlowAvailable,
    NotKept,
    OAuthError,
    ProtocolError,
    PushedAuthorizationError,
    RevocationError,
    StillPending,
    TicketError,
    TokenError,
    TransportError,
)
from loopback_auth.hints import HINTS, hint_for

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, LoopbackAuthError)
}
AUTHORIZATION_CODES = (  # RFC 6749 §4.1.2.1
    "invalid_request",
    "unauthorized_client",
    "access_denied",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
)
TOKEN_CODES = (  # RFC 6749 §5.2
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
)


@dataclass(frozen=True)
class Line:
    """One line of the tree that the module opens with."""

    depth: int
    name: str
    exit_code: int | None


def drawn() -> list[Line]:
    """Read the tree: two blanks for a level, the exit code at the end of the line."""
    found = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ( *)([A-Z][A-Za-z]+)  +(.*)$", line):
            code = re.search(r" (\d+)$", match[3])
            found.append(Line(len(match[1]) // 2, match[2], int(code[1]) if code else None))
    return found


def test_tree_at_the_top_is_the_tree_of_the_classes() -> None:
    """Readers choose what to catch from that drawing."""
    parents: list[str] = []
    tree = {}
    for line in drawn():
        parents[line.depth :] = [line.name]
        tree[line.name] = parents[line.depth - 1] if line.depth else "Exception"

    assert tree == {name: cls.__mro__[1].__name__ for name, cls in CLASSES.items()}


def test_exit_codes_at_the_top_are_those_of_the_classes() -> None:
    """Scripts tell failures apart by them; a class without one has its parent's."""
    codes = {line.name: line.exit_code for line in drawn() if line.exit_code is not None}
    own = {name: cls.exit_code for name, cls in CLASSES.items() if "exit_code" in vars(cls)}

    assert codes == {name: code for name, code in own.items() if name != "LoopbackAuthError"}
    assert len(set(own.values())) == len(own)
    assert all(0 < code < 256 for code in own.values())


def test_every_exit_status_is_described() -> None:
    """Help says what a status means, from this table and nowhere else."""
    used = {cls.exit_code for cls in CLASSES.values()}

    assert set(errors.EXIT_STATUSES) == {0, STOPPED, NotExecutable.exit_code, NotFound.exit_code, *used}
    assert list(errors.EXIT_STATUSES) == sorted(errors.EXIT_STATUSES)


def test_module_imports_nothing_when_it_is_loaded() -> None:
    """It is loaded before the browser is started, and every module loads it."""
    imported = [
        node
        for node in ast.parse(inspect.getsource(errors)).body
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__"
    ]

    assert imported == []


@pytest.mark.parametrize("error", AUTHORIZATION_CODES)
def test_each_authorization_error_has_a_hint(error: str) -> None:
    """RFC 6749 §4.1.2.1: the list is closed, so none may be forgotten."""
    found = AuthorizationError(error)

    assert (found.hint, found.parameter) == HINTS["authorization request", error]


@pytest.mark.parametrize("error", ["invalid_request_object", "request_not_supported"])
def test_rfc9101_7_each_refusal_of_a_signed_request_has_a_hint(error: str) -> None:
    """By the browser and where it was pushed; a request object by reference is never sent."""
    for found in (AuthorizationError(error), PushedAuthorizationError(error)):
        assert (found.hint, found.parameter) == HINTS[found.step, error]


@pytest.mark.parametrize("error", TOKEN_CODES)
def test_each_token_error_has_a_hint(error: str) -> None:
    """RFC 6749 §5.2: the list is closed, so none may be forgotten."""
    found = TokenError(error)

    assert (found.hint, found.parameter) == HINTS["token request", error]


@pytest.mark.parametrize("error", [AuthorizationError, TokenError, PushedAuthorizationError, RevocationError])
def test_unknown_code_still_has_a_hint(error: type[OAuthError]) -> None:
    """Servers have codes of their own; something can always be done."""
    assert error("made_up").hint


def test_hints_belong_to_steps_that_exist() -> None:
    """A misspelled step would never be looked up."""
    steps = {cls.step for cls in CLASSES.values() if issubclass(cls, OAuthError)}

    assert {step for step, _ in HINTS} <= steps
    assert {step for step, _ in HINTS} == steps - {OAuthError.step}


@pytest.mark.parametrize("hint", sorted({hint for hint, _ in (*HINTS.values(), hint_for("", ""))}))
def test_hint_is_one_sentence_that_says_what_to_do(hint: str) -> None:
    """It stands below the message on a line of its own."""
    assert re.fullmatch(r"[A-Z].*\.", hint)
    assert len(hint) < 120


def test_refusal_says_where_what_and_why() -> None:
    """The message is what a person reads first."""
    error = TokenError("invalid_grant", "The code was used.", "https://as.example/help")

    assert str(error) == "The token request was refused: invalid_grant (The code was used.)"
    assert (error.error, error.error_description) == ("invalid_grant", "The code was used.")
    assert (error.error_uri, error.exit_code) == ("https://as.example/help", 4)


@pytest.mark.parametrize(
    ("error", "status"), [("server_error", 6), ("temporarily_unavailable", 6), ("access_denied", 4)]
)
def test_a_server_that_is_not_well_has_refused_nothing(error: str, status: int) -> None:
    """A script tries again later, and has to tell that from a person who said no."""
    assert AuthorizationError(error).exit_code == status


def test_broken_rule_names_its_clause() -> None:
    """Whoever runs the server wants to know which."""
    error = ProtocolError(
        "The answer is odd", source="RFC 9207 §2.4", expected="a", received="b", hint="Ask."
    )

    assert str(error) == "The answer is odd [RFC 9207 §2.4]"
    assert (error.source, error.expected, error.received, error.hint) == ("RFC 9207 §2.4", "a", "b", "Ask.")


def test_message_may_be_changed_before_it_is_shown() -> None:
    """The driver scrubs it of secrets, and what is shown must be what was scrubbed."""
    error = LoopbackAuthError("with a secret")
    error.message = "without"

    assert str(error) == "without"


def test_a_traceback_shows_the_hint() -> None:
    """In a program that does not catch it, that is all that anybody sees; a note of others stays."""
    error = LoopbackAuthError("It failed.", hint="Try again.")
    error.add_note("somebody's own")
    error.hint = "Try later."
    shown = "".join(traceback.format_exception(error))

    assert "It failed.\n" in shown
    assert "What to do: Try later." in shown
    assert "somebody's own" in shown
    assert "Try again" not in shown
    assert not hasattr(LoopbackAuthError("It failed."), "__notes__") or LoopbackAuthError("x").__notes__ == []


MADE = [
    LoopbackAuthError("It failed.", hint="Try again.", parameter="client_id"),
    NoFlowAvailable({"code": "there is no browser"}),
    TokenError("invalid_client", "Unknown client."),
    TicketError("not_created"),
    ProtocolError("It is odd", source="RFC 9207 §2.4", expected="a", received="b", parameter="issuer"),
    TransportError("It is busy.", retry_after=2.5),
    NotKept("github", "a sign-in", OSError()),
    StillPending("Not approved.", handle="github-0a1b2c", expires_at=1.0, retry_after=None),
]


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("moved", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - our own
def test_error_can_go_to_another_process(
    error: LoopbackAuthError, moved: Callable[[LoopbackAuthError], LoopbackAuthError]
) -> None:
    """A pool of processes hands exceptions over; one that cannot be rebuilt there breaks the pool."""
    there = moved(error)

    assert type(there) is type(error)
    assert (str(there), vars(there)) == (str(error), vars(error))
