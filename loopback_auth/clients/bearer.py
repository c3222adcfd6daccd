"""What every adapter decides alike: where a token may go, what a refusal asks for, what can be repeated.

It refuses to know about any HTTP library. A token goes over TLS only, except on this machine (RFC 6750
§5.3). A refusal counts only if the refused request carried the token: after a redirect to another origin it
did not.

Source: RFC 6750 §3.1 (401 and 403), §5.3; RFC 9470 §3; RFC 9110 §11.6.1, §15.5.2.
"""

from __future__ import annotations

from typing import Protocol, TypedDict, runtime_checkable

from loopback_auth.errors import ConfigError
from loopback_auth.protocol.challenge import token_challenge
from loopback_auth.protocol.urls import is_loopback_url, origin
from loopback_auth.token_source import TokenSource

UNAUTHORIZED, FORBIDDEN = 401, 403
STEP_UPS = ("insufficient_scope", "insufficient_user_authentication")
"""Errors that a renewed token would meet again: RFC 6750 §3.1, RFC 9470 §3."""
PROOF_ERRORS = ("invalid_dpop_proof", "use_dpop_nonce")
"""Errors about a proof, which a renewed token would meet as well: RFC 9449 §7.1, §9."""
_AT_HAND = (bytes, bytearray, str)


class TokenArguments(TypedDict, total=False):
    """The arguments with which the method `token` of a source is called after a refusal."""

    refused: str
    challenge: str


@runtime_checkable
class _File(Protocol):
    def tell(self) -> int: ...

    def seek(self, position: int, /) -> object: ...


class Refusals:
    """What can still be done about the refusals of one request: one renewal, and one step-up of each kind.

    Args:
        interactive: the user can be asked for more scope, and to authenticate again.
    """

    __slots__ = ("_done", "_interactive")

    def __init__(self, *, interactive: bool) -> None:
        self._interactive = interactive
        self._done: set[str] = set()

    def token_arguments(self, status: int, challenge: str, token: str) -> TokenArguments | None:
        """Return the arguments of `TokenSource.token` for another try; None: the answer is for the caller.

        A request that cannot be sent again gets its answer all the same; the next one has the new token.

        Args:
            status: of the answer.
            challenge: the values of its `WWW-Authenticate` headers, joined by commas; untrusted.
            token: with which the request was sent.

        Source: RFC 6750 §3.1; RFC 9470 §3.
        """
        if status not in (UNAUTHORIZED, FORBIDDEN):
            return None
        asked = token_challenge(challenge)
        step_up = asked.error if asked is not None and asked.error in STEP_UPS else ""
        if asked is not None and asked.error in PROOF_ERRORS:
            return None  # The token is not to blame.
        # Some servers leave the challenge out. One of another scheme is not about our token.
        if not step_up and (status == FORBIDDEN or (asked is None and challenge)):
            return None
        if step_up in self._done or (step_up and not self._interactive):
            return None
        self._done.add(step_up)
        if step_up == "insufficient_scope":
            return {"challenge": challenge}
        return {"refused": token, "challenge": challenge} if challenge else {"refused": token}


def checked(source: object) -> TokenSource:
    """Return the source that was given to an adapter.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(source, TokenSource):
        raise ConfigError(
            f"The source of an adapter must be a TokenSource, not {type(source).__name__}.",
            hint="Make one of your ClientConfig: TokenSource(client).",
            parameter="source",
        )
    return source


def check_destination(url: str) -> None:
    """Refuse to send a token over a connection that others can read.

    Args:
        url: of the request, absolute, with its scheme in lower case.

    Raises:
        ConfigError: it is neither https nor on this machine.

    Source: RFC 6750 §5.3.
    """
    if not url.startswith("https://") and not (url.startswith("http://") and is_loopback_url(url)):
        raise ConfigError(
            f"The access token is not sent to {origin(url)}: the connection would not be encrypted.",
            hint="Use the https address of this server.",
        )


def start_of(body: object) -> int | None:
    """Return where a body that is a file begins, to send it again from there; None for all other bodies."""
    if body is None or isinstance(body, _AT_HAND):
        return None  # What most requests have costs next to nothing here.
    try:
        return body.tell() if isinstance(body, _File) else None
    except (OSError, ValueError):
        return None


def rewound(body: object, start: int | None) -> bool:
    """Return whether a body can be sent again, after going back to the start of a file.

    Args:
        body: of the request, as its library holds it; None: there is none.
        start: see `start_of`.
    """
    if body is None or isinstance(body, _AT_HAND):
        return True
    if start is None or not isinstance(body, _File):
        return False
    try:
        body.seek(start)
    except (OSError, ValueError):
        return False
    return True
