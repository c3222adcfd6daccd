"""The result of a sign-in in words: account, scope, expiry, and where the tokens are kept."""

from __future__ import annotations

import time

from loopback_auth import words
from loopback_auth.redact import server_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.tokens import SignIn


def result_text(sign_in: SignIn, kept_in: str) -> str:
    """Return the result in words: who is signed in, and how to go on.

    Args:
        sign_in: the result.
        kept_in: path of the file; empty: it is kept nowhere, and its token is printed.
    """
    tokens = sign_in.tokens
    title = words.SIGNED_IN_AS if tokens.account else words.SIGNED_IN
    # A response without a scope grants the requested one (RFC 6749 §5.1); an empty scope grants nothing.
    nothing = words.RESULT_NO_SCOPE if sign_in.requested_scope.strip() else words.RESULT_SCOPE_DEFAULT
    facts = [(words.RESULT_APPROVED, words.RESULT_SIMULATED)] if sign_in.simulated_person else []
    if sign_in.resource_server:
        facts.append((words.RESULT_SERVER, sign_in.metadata.issuer or ""))
    if tokens.access_token:
        facts += [
            (words.RESULT_SCOPE, server_text(tokens.scope) or nothing),
            (
                words.RESULT_UNTIL,
                _renewal(sign_in, kept=bool(kept_in)).format(until=until(tokens.expires_at)),
            ),
        ]
    if tokens.id_token is not None:
        checked = words.RESULT_ID_TOKEN_CHECKED.format(signature=tokens.id_token.signature)
        facts.append((words.RESULT_ID_TOKEN, checked))
    bound = tokens.token_type.lower() == "dpop"
    if bound:
        facts.append((words.RESULT_TOKEN_USE, words.RESULT_BOUND))
    facts.append((words.RESULT_KEPT_IN, kept_in or words.RESULT_NOWHERE))
    go_on = (words.RESULT_HEADERS if bound else words.RESULT_TOKEN).format(name=sign_in.name)
    if not tokens.access_token:
        go_on = words.RESULT_ID_ONLY
    elif not kept_in:
        go_on = _how_to_end(sign_in)
    lines = [title.format(name=sign_in.name, account=tokens.account)]
    return "\n".join([*lines, *(f"  {label:<9}  {value}" for label, value in facts), go_on])


def _how_to_end(sign_in: SignIn) -> str:
    """Return how a token ends that is kept nowhere: only the person can do that."""
    if sign_in.temporary:
        return words.RESULT_PRINTED_DEMO
    revoke = ""
    if sign_in.revoke_url:
        revoke = words.RESULT_PRINTED_VENDOR.format(
            method=sign_in.revoke_method, url=server_text(sign_in.revoke_url)
        )
    elif endpoint := sign_in.metadata.revocation_endpoint:
        revoke = words.RESULT_PRINTED_REVOKE.format(url=server_text(endpoint))
    return words.RESULT_PRINTED.format(revoke=revoke)


def until(expires_at: float | None) -> str:
    """Return when a token expires, in local time."""
    if expires_at is None:
        return words.RESULT_UNTIL_UNKNOWN
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(expires_at))
    except (OverflowError, ValueError, OSError):
        return words.RESULT_UNTIL_BEYOND


def _renewal(sign_in: SignIn, *, kept: bool) -> str:
    """Return the template that says what happens when the token expires; it is renewed if it is kept."""
    if sign_in.temporary:
        return words.RESULT_DEMO_STOPPED
    if sign_in.tokens.expires_at is None:
        return words.RESULT_NOT_SAID
    renewed = kept and sign_in.tokens.refresh_token
    return words.RESULT_RENEWED if renewed else words.RESULT_SIGN_IN_AGAIN
