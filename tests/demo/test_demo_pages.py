"""What the pages of the demo server gained for devices and tickets: a code to enter, and one to compare."""

from __future__ import annotations

import pytest

from loopback_auth import pages

HOSTILE = "\"'><script>alert(1)</script>"


def consent(**more: str) -> str:
    """Write a consent page that leads nowhere."""
    page = pages.demo_consent(
        action="/x", hidden=[], client_id="c", redirect_uri="", account="a", scopes=[], **more
    )
    assert "form-action 'self';" in page.header("content-security-policy")
    return page.body.decode()


def test_consent_shows_code_and_message_when_there_are_some() -> None:
    """The person compares the one and weighs the other (RFC 8628 §3.3.1)."""
    assert "WDJB-MJHT" in consent(code="WDJB-MJHT")
    assert "Deploy the docs" in consent(message="Deploy the docs")
    assert "Compare" not in consent()
    assert "It says" not in consent()


def test_page_that_leads_nowhere_says_so_by_silence() -> None:
    """An empty row would look like a fault."""
    sign_in = pages.demo_sign_in(action="/x", hidden=[], client_id="c", redirect_uri="", accounts=[])

    assert "Returns to" not in consent()
    assert b"Returns to" not in sign_in.body


@pytest.mark.parametrize(
    "body",
    [
        consent(code=HOSTILE, message=HOSTILE),
        pages.demo_enter_code(action=HOSTILE, code=HOSTILE, problem=HOSTILE).body.decode(),
        pages.demo_done(title=HOSTILE, message=HOSTILE).body.decode(),
    ],
)
def test_hostile_text_stays_text(body: str) -> None:
    """Codes come in addresses, and messages from clients."""
    assert "<script>" not in body
    assert "&lt;script&gt;" in body
