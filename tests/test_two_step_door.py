"""The door for a login in two steps, as a script without an event loop uses it."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path

import pytest

from loopback_auth import FileTokenStore, two_step
from loopback_auth.errors import ConfigError
from loopback_auth.testing import SimulatedUser, serve
from loopback_auth.two_step import (
    PendingSignIn,
    PendingStore,
    StillPending,
    begin_sync,
    pasted_address,
    resume_sync,
)


def test_login_is_finished_by_another_process(tmp_path: Path) -> None:
    """An agent shows the address, ends, and is started again when the user has approved."""
    user = SimulatedUser()
    with serve() as server:
        store = PendingStore(str(tmp_path))
        pending = begin_sync(server.client(), "ticket")
        store.save(pending)
        [handle] = PendingStore(str(tmp_path)).handles()
        found = store.load(handle)
        assert isinstance(found, PendingSignIn)
        with pytest.raises(StillPending) as still:
            resume_sync(found, save=store.save)
        user.visit(found.url)
        user.page_sync()
        again = store.load(handle)
        assert isinstance(again, PendingSignIn)
        sign_in = resume_sync(again, save=store.save, wait=10.0)

    assert (still.value.handle, still.value.retry_after is not None) == (handle, True)
    assert (sign_in.flow, sign_in.tokens.account) == ("ticket", "demo@example.com")


def test_example_of_the_docstring_runs(tmp_path: Path) -> None:
    """It ends what was pending, because that holds the tokens as well."""
    begins, ends = (
        textwrap.dedent(block)
        for block in re.findall(r"\n\n((?: {4}.+\n)+)", f"{inspect.getdoc(two_step)}\n")
    )
    names: dict[str, object] = {**vars(two_step), "FileTokenStore": FileTokenStore, "folder": str(tmp_path)}
    with serve() as server:
        names["client"] = server.client()
        exec(begins, names)  # noqa: S102 - a few lines of ours
        pending = names["pending"]
        assert isinstance(pending, PendingSignIn)
        user = SimulatedUser()
        user.visit(pending.url)
        user.page_sync()
        names["handle"] = pending.handle
        exec(ends, names)  # noqa: S102 - a few lines of ours

    assert PendingStore(str(tmp_path)).handles() == ()
    assert FileTokenStore(str(tmp_path)).names() == ("demo",)


async def test_pasted_address_of_another_login_is_refused(tmp_path: Path) -> None:
    """Under a loop, as in a notebook, the functions without `await` work as well."""
    store = PendingStore(str(tmp_path))
    with serve() as server:
        pending = begin_sync(server.client(), "paste")
        wrong = pasted_address(f"{pending.redirect_uri}?code=stolen-code&state=another")
        with pytest.raises(ConfigError):
            resume_sync(pending, save=store.save, paste=wrong)
        sign_in = resume_sync(pending, save=store.save, paste=SimulatedUser().paste)

    assert sign_in.flow == "paste"
