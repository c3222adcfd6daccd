"""Checks of an authorization request that need to know nothing about the server.

They are apart from `protocol.authorization`, because they run before the browser is started: when the
arguments alone are wrong, no page is opened.

Source: RFC 6749 §3.1; OAuth 2.0 Multiple Response Types §2.1, §3, §5.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from loopback_auth.model import ResponseMode

SENT = ("client_id", "redirect_uri", "response_type", "state")
"""Request parameters that the program always sets."""
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
"""Request parameters that only the program may set, also where it leaves them out: checks rely on them."""


def is_signed(mode: str) -> bool:
    """Return whether the parameters of a response come in a signed JWT.

    Source: JWT Secured Authorization Response Mode (JARM) §2.3.
    """
    return mode == "jwt" or mode.endswith(".jwt")


def carrier(mode: str, response_type: str) -> str:
    """Return how a response travels: by `query`, `fragment` or `form_post`, whether it is signed or not.

    Source: JARM §2.3.1 to §2.3.4 (`jwt` is the default of the response type).
    """
    return default_mode(response_type) if mode == "jwt" else mode.removesuffix(".jwt")


def default_mode(response_type: str) -> ResponseMode:
    """Return the response mode when none is requested: `query` for a code alone, else `fragment`.

    Source: OAuth 2.0 Multiple Response Types §2.1, §3, §5.
    """
    return "query" if response_type == "code" else "fragment"


def check_package(what: str, parameter: str) -> None:
    """Refuse what needs the extra `oidc` if that cannot be imported.

    Args:
        what: cannot be done without it, as the beginning of a sentence.
        parameter: that demands it.

    Raises:
        ConfigError: joserfc is missing.

    Source: RFC 7515 §5 (signatures).
    """
    try:
        import joserfc.jwk  # noqa: F401  # pyright: ignore[reportUnusedImport] - optional package
    except Exception as exc:  # A compiled library of it may not load: see `can_verify_signatures`.
        raise ConfigError(
            f"{what}, because the package joserfc is missing.",
            hint="Install the extra: pip install 'loopback-auth[oidc]'.",
            parameter=parameter,
        ) from exc


def check_response_mode(response_type: str, mode: str) -> None:
    """Refuse a response mode that does not exist for a response type: tokens are never in a query.

    Raises:
        ConfigError: there is no such combination.

    Source: OAuth 2.0 Multiple Response Types §3, §5; OAuth 2.0 Form Post Response Mode §2; JARM §2.3.
    """
    usual = default_mode(response_type)
    # JARM §2.3.1: tokens are not in a query either if they are signed, unless they are encrypted too.
    if carrier(mode, response_type) not in ("form_post", usual):
        raise ConfigError(
            f"response_mode={mode} cannot be used with response_type={response_type}.",
            hint=f"Leave the response mode out, or use {usual}, form_post, jwt or form_post.jwt.",
            parameter="response_mode",
        )


def check_extra(extra: Iterable[str], sent: Iterable[str]) -> None:
    """Refuse extra parameters that would replace or repeat one of the program's own.

    Args:
        extra: names of the extra parameters.
        sent: names of parameters that are sent, in addition to those that always are.

    Raises:
        ConfigError: an extra parameter has the name of one of the program's own.

    Source: RFC 6749 §3.1 (no parameter more than once).
    """
    clash = sorted(RESERVED.union(SENT, sent).intersection(extra))
    if clash:
        raise ConfigError(
            f"An extra parameter may not replace {', '.join(clash)}.",
            hint="Leave it out; if there is a setting of that name, use that instead.",
            parameter="extra",
        )
