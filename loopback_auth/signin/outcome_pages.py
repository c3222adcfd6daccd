"""The last page of a sign-in, made of how it ended."""

from __future__ import annotations

from loopback_auth.errors import DENIALS, LoopbackAuthError, OAuthError
from loopback_auth.model import HttpResponse, SignIn
from loopback_auth.pages import Pages


def success_page(sign_in: SignIn, pages: Pages) -> HttpResponse:
    """Make the page for a sign-in whose tokens were received, checked and kept."""
    tokens = sign_in.tokens
    return pages.success(
        client=sign_in.client_id,
        provider=sign_in.name,
        account=tokens.account,
        scope=tokens.scope,
        detail=pages.words.SUCCESS_SIMULATED if sign_in.simulated_person else "",
    )


def failure_page(error: LoopbackAuthError, pages: Pages) -> HttpResponse:
    """Make the page for an error of ours, whose texts have no secrets."""
    if isinstance(error, OAuthError) and error.error in DENIALS:
        # A person who has just pressed the button need not learn what the protocol calls it.
        return pages.failure(message=pages.words.FAILURE_DENIED, hint=error.hint, detail=error.message)
    return pages.failure(message=error.message, hint=error.hint)


def cancelled_page(pages: Pages) -> HttpResponse:
    """Make the page for a sign-in that the person or the program has cancelled."""
    return pages.failure(
        title=pages.words.CANCELLED_TITLE,
        message=pages.words.CANCELLED_LEAD,
        hint=pages.words.CANCELLED_ADVICE,
        kind="cancelled",
    )
