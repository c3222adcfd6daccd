"""How a sign-in ended, in words: who, for what, until when, and where the tokens are."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.model import SignIn


def signed_in(sign_in: SignIn, kept_in: str) -> str:
    """Say who is signed in, and how to go on."""
    from loopback_auth.redact import server_text

    tokens = sign_in.tokens
    who = f" as {tokens.account}" if tokens.account else ""
    # What is not told is what was asked for (RFC 6749 §5.1): an empty scope beside a request is an answer.
    nothing = "none" if sign_in.requested_scope.strip() else "server default (not stated)"
    simulated = ["  approved   by a simulated person; nobody was asked"] if sign_in.simulated_person else []
    lines = [f"Signed in to {sign_in.name}{who}.", *simulated]
    if tokens.access_token:
        lines += [
            f"  scope      {server_text(tokens.scope) or nothing}",
            f"  until      {until(tokens.expires_at)}{_renewal(sign_in)}",
        ]
    if tokens.id_token is not None:
        lines.append(f"  ID token   claims checked, signature {tokens.id_token.signature}")
    lines.append(f"  kept in    {kept_in}")
    if not tokens.access_token:
        return "\n".join([*lines, "It says who you are; no access token came with it."])
    return "\n".join([*lines, f"Print the token with: python -m loopback_auth token {sign_in.name}"])


def until(expires_at: float | None) -> str:
    """Say when a token ends, in local time."""
    if expires_at is None:
        return "unknown"
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(expires_at))
    except (OverflowError, ValueError, OSError):
        return "beyond every calendar"


def _renewal(sign_in: SignIn) -> str:
    """Say what happens then."""
    if sign_in.temporary:
        return " (the demo server has stopped)"
    if sign_in.tokens.expires_at is None:
        return " (the server did not say)"
    return ", then renewed by itself" if sign_in.tokens.refresh_token else ", then you sign in again"
