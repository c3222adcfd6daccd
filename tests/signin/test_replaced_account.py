"""Whether a new sign-in replaces another account's: the user is told then, and not about a new name."""

from __future__ import annotations

import time

import pytest

from loopback_auth.events import Event, Warned
from loopback_auth.model import ServerMetadata
from loopback_auth.signin.stores import keep_new
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.tokens import IdToken, SignIn, TokenSet


def made(account: str, sub: str = "", issuer: str = "https://id.example") -> SignIn:
    """Make a sign-in of an account; with an ID token if it has a `sub`."""
    id_token = IdToken({"iss": issuer, "sub": sub}, "verified", "x.y.z") if sub else None
    tokens = TokenSet("access", "Bearer", time.time(), id_token=id_token, account=account)
    return SignIn("example", "client", "none", ServerMetadata("https://id.example"), "", tokens)


CASES = [
    (made("alice"), made("alice"), False),
    (made("alice"), made("bob"), True),
    (made("alice", "1"), made("bob", "2"), True),
    (made("Alice", "1"), made("Alice Smith", "1"), False),
    (made("alice", "1"), made("bob", "1", "https://other.example"), True),
    (made("alice", "1"), made("bob"), True),
    (made(""), made("bob"), False),
]


@pytest.mark.parametrize(("before", "after", "told"), CASES)
async def test_user_is_told_when_the_account_is_another_one(
    before: SignIn, after: SignIn, told: bool
) -> None:
    """A display name may be changed at any time; `iss` and `sub` stay (OpenID Connect Core 1.0 §5.7)."""
    store, events = MemoryTokenStore(), list[Event]()
    await keep_new(store, before)
    await keep_new(store, after, events.append)

    assert [type(event) for event in events] == [Warned] * told
    assert store.load("example") == after
