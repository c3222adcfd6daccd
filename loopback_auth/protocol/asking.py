"""What an authorization request may ask for, as far as it can be told before anything is known of the server.

Apart from `protocol.authorization`, because it is checked before the browser is started: what the arguments
alone refuse must not send a person anywhere.

Source: RFC 6749 §3.1; OAuth 2.0 Multiple Response Types §2.1, §3, §5.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from loopback_auth.model import ResponseMode

SENT = ("client_id", "redirect_uri", "response_type", "state")
"""Request parameters that are always ours."""
RESERVED = frozenset(
    {
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "request",
        "request_uri",
        "response_mode",
        "scope",
    }
)
"""Request parameters that are ours even when we leave them out: later checks rely on what was sent."""


def default_mode(response_type: str) -> ResponseMode:
    """Return how an answer travels if nothing is said: in the query only when it is nothing but a code.

    Source: OAuth 2.0 Multiple Response Types §2.1, §3, §5.
    """
    return "query" if response_type == "code" else "fragment"


def check_response_mode(response_type: str, mode: str) -> None:
    """Refuse a mode in which no answer of this type travels: tokens never come in a query.

    Raises:
        ConfigError: it cannot be.

    Source: OAuth 2.0 Multiple Response Types §3, §5; OAuth 2.0 Form Post Response Mode §2.
    """
    usual = default_mode(response_type)
    if mode not in ("form_post", usual):
        raise ConfigError(
            f"An answer to response_type={response_type} does not come by {mode}.",
            hint=f"Leave --response-mode out, or say --response-mode {usual} or form_post.",
        )


def check_extra(extra: Iterable[str], sent: Iterable[str]) -> None:
    """Refuse further parameters that would replace or repeat one of ours.

    Args:
        extra: their names.
        sent: names of what is sent besides those that always are.

    Raises:
        ConfigError: one of them is ours.

    Source: RFC 6749 §3.1 (no parameter more than once).
    """
    clash = sorted(RESERVED.union(SENT, sent).intersection(extra))
    if clash:
        raise ConfigError(
            f"An extra parameter may not replace {', '.join(clash)}.",
            hint="Use the flag of that name, if there is one, instead of --extra.",
        )
