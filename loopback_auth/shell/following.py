"""Wait for the sign-in of another process, and take what comes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.shell.events import Followed, Notify
from loopback_auth.store import FileTokenStore, TokenStore
from loopback_auth.store.crowd import Crowd

LOOK = 0.1
"""Seconds between two looks at whether the other one has ended: no lock can be waited for and given up."""


@asynccontextmanager
async def leading(
    store: TokenStore | None, client: ClientConfig, notify: Notify
) -> AsyncIterator[SignIn | None]:
    """Lead those who want this sign-in for as long as the block lasts, or give what another process has got.

    Only a `FileTokenStore` is shared by processes; with any other there is nobody to wait for.

    Raises:
        SignInRequired: another process asked the person, and that failed.
    """
    if not isinstance(store, FileTokenStore):
        yield None
        return
    name = client.provider.name
    crowd, since = store.crowd(name), time.time()
    theirs = await follow(crowd, store, name, client_id=client.client_id, since=since, notify=notify)
    if theirs is not None:
        yield theirs
        return
    with crowd:
        yield None


async def follow(
    crowd: Crowd, store: FileTokenStore, name: str, *, client_id: str, since: float, notify: Notify
) -> SignIn | None:
    """Wait until nobody leads any more, and lead.

    Args:
        crowd: of this name.
        store: where the other process keeps its sign-in.
        name: of the sign-in.
        client_id: who asks; another client's tokens are of no use.
        since: Unix seconds; what ended before that is not what we waited for.
        notify: told whom we wait for.

    Returns:
        What the other process has got, and then we do not lead; None when we lead and have to sign in
        ourselves.

    Raises:
        SignInRequired: the other process asked the person, and that failed.
    """
    followed = None
    while not crowd.lead():
        leader = crowd.leader()
        if leader != followed:
            notify(Followed(leader))
            followed = leader
        await asyncio.sleep(LOOK)
    try:
        theirs = store.load(name) if crowd.ended_since(since) else None
    except BaseException:
        crowd.leave()
        raise
    if theirs is None or (client_id and theirs.client_id != client_id):
        return None
    crowd.leave()
    return theirs
