"""The key of one sign-in: its numbers are as long as the curve wants them, whatever a library leaves out."""

from __future__ import annotations

import pytest

from loopback_auth.protocol.dpop import DpopKey
from loopback_auth.protocol.jwk import whole_numbers
from loopback_auth.protocol.pkce import base64url
from loopback_auth.signin.dpop_keys import new_key


@pytest.mark.parametrize(("curve", "size"), [("P-256", 32), ("P-384", 48), ("P-521", 66)])
def test_rfc7518_6_2_1_2_a_number_is_as_long_as_the_curve_wants(curve: str, size: int) -> None:
    """One key in a hundred begins with a zero, which joserfc 1.5 does not write."""
    short, whole = base64url(b"\x01\x02"), base64url(b"\x01\x02".rjust(size, b"\0"))
    members = {"kty": "EC", "crv": curve, "x": short, "y": whole, "d": short}

    assert whole_numbers(members) == {"kty": "EC", "crv": curve, "x": whole, "y": whole, "d": whole}
    assert whole_numbers({"kty": "OKP", "crv": "Ed25519", "x": short})["x"] == short


def test_every_new_key_can_be_used() -> None:
    """And no two are the same."""
    keys = [new_key() for _ in range(20)]

    assert {DpopKey(key).public["crv"] for key in keys} == {"P-256"}
    assert len({key["x"] for key in keys}) == len(keys)
