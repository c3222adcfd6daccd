"""Proof Key for Code Exchange, with the vectors of RFC 7636."""

from __future__ import annotations

import re

import pytest
from protocol_samples import CHALLENGE, VERIFIER

from loopback_auth.errors import ConfigError
from loopback_auth.protocol.pkce import base64url, code_challenge, code_verifier

# RFC 7636 appendix B
OCTETS = bytes.fromhex("7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79")


def test_verifier_of_appendix_b() -> None:
    """The example of the specification fixes the alphabet and the missing padding."""
    assert code_verifier(OCTETS) == VERIFIER


def test_challenge_of_appendix_b() -> None:
    """S256 is the only method here, and the example says what it gives (RFC 7636 §4.2)."""
    assert code_challenge(VERIFIER) == CHALLENGE


def test_base64url_of_appendix_a() -> None:
    """The example has both characters that the common alphabet lacks, and no padding."""
    assert base64url(bytes([3, 236, 255, 224, 193])) == "A-z_4ME"


@pytest.mark.parametrize("octets", [32, 33, 95, 96])
def test_verifier_has_allowed_length_and_alphabet(octets: int) -> None:
    """Servers refuse anything but 43 to 128 unreserved characters (RFC 7636 §4.1)."""
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", code_verifier(bytes(range(octets))))


@pytest.mark.parametrize("octets", [0, 31, 97])
def test_verifier_from_too_little_or_too_much_is_refused(octets: int) -> None:
    """Less than 256 bits could be searched, more than 96 octets make more than 128 characters."""
    with pytest.raises(ConfigError, match=f"not {octets}"):
        code_verifier(bytes(octets))


@pytest.mark.parametrize(
    "verifier", ["", "a" * 42, "a" * 129, "a" * 42 + "=", "a" * 42 + "é", "a" * 42 + "\n"]
)
def test_challenge_of_a_malformed_verifier_is_refused(verifier: str) -> None:
    """A challenge for a verifier that no server takes would fail only after the person has approved."""
    with pytest.raises(ConfigError):
        code_challenge(verifier)
