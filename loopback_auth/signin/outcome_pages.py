"""Make the last page of a sign-in, which says how it ended."""

from __future__ import annotations

from loopback_auth.errors import DENIALS, AttemptExpired, LoopbackAuthError, OAuthError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages import Pages
from loopback_auth.tokens import SignIn


def success_page(sign_in: SignIn, provider: str, pages: Pages) -> HttpResponse:
    """Make the page for a sign-in whose tokens were received, checked and kept."""
    tokens = sign_in.tokens
    return pages.success(
        client=sign_in.client_id,
        provider=provider,
        account=tokens.account,
        scope=tokens.scope,
        detail=pages.words.SUCCESS_SIMULATED if sign_in.simulated_person else "",
    )


def failure_page(error: LoopbackAuthError, pages: Pages, *, said: bool = False) -> HttpResponse:
    """Make the page for an error of ours, whose texts have no secrets.

    Args:
        error: its sentences are English, as those of all errors.
        pages: of the sign-in.
        said: unless they are words of these pages.
    """
    words = pages.words
    if isinstance(error, OAuthError) and error.error in DENIALS:
        # A user who has just pressed the button need not learn what the protocol calls it.
        hint = pages.again if words.foreign else error.hint
        return pages.failure(message=words.FAILURE_DENIED, hint=hint, detail=error.message)
    if words.foreign and not said:
        message = words.FAILURE_EXPIRED if isinstance(error, AttemptExpired) else words.FAILURE_LEAD
        detail = f"{error.message} {error.hint}"
        return pages.failure(message=message, hint=pages.again, detail=detail)
    return pages.failure(message=error.message, hint=error.hint)


def cancelled_page(pages: Pages) -> HttpResponse:
    """Make the page for a sign-in that the user or the program has cancelled."""
    return pages.failure(
        title=pages.words.CANCELLED_TITLE,
        message=pages.words.CANCELLED_LEAD,
        hint=pages.again,
        kind="cancelled",
    )
