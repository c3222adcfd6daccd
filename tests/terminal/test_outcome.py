"""What is said of a token that is printed and kept nowhere: how it ends, where it was issued."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loopback_auth import words
from loopback_auth.model import ServerMetadata
from loopback_auth.terminal.outcome import result_text
from loopback_auth.tokens import SignIn, TokenSet

PRINTED = SignIn("as", "client", "none", ServerMetadata(), "", TokenSet("a-token", "Bearer", 0.0))
REVOCATION = "https://as.example/revoke"


@pytest.mark.parametrize(
    ("sign_in", "offered"),
    [
        (PRINTED, None),
        (replace(PRINTED, metadata=ServerMetadata(revocation_endpoint=REVOCATION)), REVOCATION),
        (
            replace(PRINTED, flow="ticket", revoke_method="DELETE", revoke_url=REVOCATION),
            f"DELETE {REVOCATION}",
        ),
        (replace(PRINTED, flow="ticket"), None),
    ],
    ids=["nothing", "RFC 7009", "a vendor's own", "a ticket without any"],
)
def test_the_person_reads_how_the_token_ends(sign_in: SignIn, offered: str | None) -> None:
    """The program has forgotten it, so nothing but the server can end it."""
    said = result_text(sign_in, "")

    assert "web page" in said
    assert (offered or "") in said
    assert (offered is None) is (REVOCATION not in said)


def test_nothing_is_left_to_do_where_the_server_is_gone() -> None:
    """The demonstration has no web page any more."""
    said = result_text(replace(PRINTED, temporary=True), "")

    assert words.RESULT_PRINTED_DEMO in said
    assert "web page" not in said


def test_an_id_token_alone_is_nothing_to_revoke() -> None:
    """It says who somebody was, and opens nothing."""
    said = result_text(replace(PRINTED, tokens=replace(PRINTED.tokens, access_token="")), "")

    assert words.RESULT_ID_ONLY in said
    assert "revoke" not in said
