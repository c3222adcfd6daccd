"""Names of columns and findings that other documents link to."""

from __future__ import annotations

import re

import pytest
from hostile_samples import HOSTILE, PROPERTY, TEXTS
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.compare.judging.anchors import anchor, unique


@pytest.mark.parametrize(
    ("finding", "run", "expected"),
    [
        ("token-in-fragment", "", "token-in-fragment"),
        ("token-in-fragment", "code form_post", "code-form-post/token-in-fragment"),
        ("replay", "msal 1.34.2", "msal-1.34.2/replay"),
        ("replay", "https://id.example:8443/v1", "https-id.example-8443-v1/replay"),
        ("..", "../..", "unnamed/unnamed"),
    ],
)
def test_anchor(finding: str, run: str, expected: str) -> None:
    """It can be a fragment, and a path of which no part leads elsewhere."""
    assert anchor(finding, run) == expected


@PROPERTY
@given(TEXTS, TEXTS)
def test_any_names_make_an_anchor(finding: str, run: str) -> None:
    """RFC 3986 §3.3 and §3.5 allow all of these characters as they are."""
    made = anchor(finding, run)

    assert re.fullmatch(r"([a-z0-9.-]+/)?[a-z0-9.-]+", made)
    assert not {".", ".."} & set(made.split("/"))


@PROPERTY
@given(st.lists(st.sampled_from(["a", "a (2)", "a (3)", "b", *HOSTILE[:2]]), max_size=12))
def test_names_are_unique_and_keep_their_order(names: list[str]) -> None:
    """Also where a name looks like what another one gets."""
    found = unique(names)

    assert len(found) == len({*found}) == len(names)
    assert all(made.startswith(name) for name, made in zip(names, found, strict=True))
