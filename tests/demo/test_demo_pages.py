"""The parts of the demonstration server's pages that are only there when they have content."""

from __future__ import annotations

from loopback_auth import words
from loopback_auth.demo import pages as demo_pages


def consent(*, code: str = "", message: str = "") -> str:
    """Write a consent page without a redirect."""
    page = demo_pages.consent(
        action="/x",
        hidden=[],
        client_id="c",
        redirect_uri="",
        account="a",
        scopes=[],
        code=code,
        message=message,
    )
    assert "form-action 'self';" in page.header("content-security-policy")
    return page.body.decode()


def test_consent_shows_code_and_message_when_there_are_some() -> None:
    """The user compares the code, and reads the message (RFC 8628 §3.3.1)."""
    assert "WDJB-MJHT" in consent(code="WDJB-MJHT")
    assert "Deploy the docs" in consent(message="Deploy the docs")
    assert words.DEMO_COMPARE not in consent()
    assert words.DEMO_MESSAGE not in consent()


def test_page_without_a_redirect_shows_no_address() -> None:
    """An empty row would look like an error."""
    sign_in = demo_pages.sign_in(action="/x", hidden=[], client_id="c", redirect_uri="", accounts=[])

    assert words.DEMO_RETURNS not in consent()
    assert words.DEMO_RETURNS not in sign_in.body.decode()


def test_page_says_why_a_code_was_refused() -> None:
    """It keeps what was typed, so that the user can correct it (RFC 8628 §3.3)."""
    page = demo_pages.enter_code(action="/x", code="WDJB", problem="No such code.", status=400)

    assert page.status == 400
    assert b'value="WDJB"' in page.body
    assert b"No such code." in page.body
    assert b"No such code." not in demo_pages.enter_code(action="/x").body
