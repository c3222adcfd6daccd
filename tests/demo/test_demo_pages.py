"""What the pages of the demonstration server say only when there is something to say."""

from __future__ import annotations

from loopback_auth import words
from loopback_auth.demo import pages as demo_pages


def consent(**more: str) -> str:
    """Write a consent page that leads nowhere."""
    page = demo_pages.consent(
        action="/x", hidden=[], client_id="c", redirect_uri="", account="a", scopes=[], **more
    )
    assert "form-action 'self';" in page.header("content-security-policy")
    return page.body.decode()


def test_consent_shows_code_and_message_when_there_are_some() -> None:
    """The person compares the one and weighs the other (RFC 8628 §3.3.1)."""
    assert "WDJB-MJHT" in consent(code="WDJB-MJHT")
    assert "Deploy the docs" in consent(message="Deploy the docs")
    assert "Compare" not in consent()
    assert words.DEMO_MESSAGE not in consent()


def test_page_that_leads_nowhere_says_so_by_silence() -> None:
    """An empty row would look like a fault."""
    sign_in = demo_pages.sign_in(action="/x", hidden=[], client_id="c", redirect_uri="", accounts=[])

    assert "Returns to" not in consent()
    assert b"Returns to" not in sign_in.body


def test_entered_code_that_was_of_no_use_says_why() -> None:
    """The form comes again with what was typed, so that a slip can be mended (RFC 8628 §3.3)."""
    page = demo_pages.enter_code(action="/x", code="WDJB", problem="No such code.", status=400)

    assert page.status == 400
    assert b'value="WDJB"' in page.body
    assert b"No such code." in page.body
    assert b"No such code." not in demo_pages.enter_code(action="/x").body
