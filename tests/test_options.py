"""The options of `login` and `login_sync`: one list, explained, and checked before anything is opened."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from demo_client import client

from loopback_auth import (
    FileTokenStore,
    MemoryTokenStore,
    Program,
    Provider,
    ServerMetadata,
    login,
    login_sync,
)
from loopback_auth.demo.serve import demo_thread
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import ConfigError
from loopback_auth.events import silent
from loopback_auth.options import Options
from loopback_auth.signin.option_checks import CHECKS
from loopback_auth.tokens import SignIn

KNOWN = client("http://127.0.0.1:1")


def test_every_option_is_checked_and_explained() -> None:
    """Three lists that nothing else holds together; editors show the docstring."""
    explained = re.findall(r"^    (\w+): ", inspect.getdoc(login) or "", re.MULTILINE)

    assert set(explained) - {"client", "TypeError", "ConfigError", "NoFlowAvailable"} >= set(CHECKS)
    assert set(CHECKS) == set(Options.__annotations__)


NEVER_CHOSEN = ("token",)
WRONG: dict[str, Callable[[], SignIn]] = {
    "timeout": lambda: login_sync(KNOWN, timeout="5"),  # type: ignore[arg-type]
    "timeout of 0": lambda: login_sync(KNOWN, timeout=0),
    "timeout that is no number": lambda: login_sync(KNOWN, timeout=float("nan")),
    "program": lambda: login_sync(KNOWN, program="MyTool"),  # type: ignore[arg-type]
    "notify": lambda: login_sync(KNOWN, notify="x"),  # type: ignore[arg-type]
    "open_browser": lambda: login_sync(KNOWN, open_browser="firefox"),  # type: ignore[arg-type]
    "store, a path": lambda: login_sync(KNOWN, store=Path("x")),  # type: ignore[arg-type]
    "store, a string": lambda: login_sync(KNOWN, store="x"),  # type: ignore[arg-type]
    "store, a class": lambda: login_sync(KNOWN, store=MemoryTokenStore),  # type: ignore[arg-type]
    "flow": lambda: login_sync(KNOWN, flow="devcie"),  # type: ignore[arg-type]
    "flow, a list": lambda: login_sync(KNOWN, flow=["code"]),  # type: ignore[arg-type]
    "allowed_flows, a string": lambda: login_sync(KNOWN, allowed_flows="code"),  # type: ignore[arg-type]
    "allowed_flows, misspelt": lambda: login_sync(KNOWN, allowed_flows=["cdoe"]),  # type: ignore[list-item]
    "allowed_flows, never chosen": lambda: login_sync(KNOWN, allowed_flows=NEVER_CHOSEN),  # type: ignore[arg-type]
    "allowed_flows, a number in it": lambda: login_sync(KNOWN, allowed_flows=[3]),  # type: ignore[list-item]
    "allowed_flows, a number": lambda: login_sync(KNOWN, allowed_flows=3),  # type: ignore[arg-type]
    "allowed_flows, empty": lambda: login_sync(KNOWN, allowed_flows=()),
    "flow that is not allowed": lambda: login_sync(KNOWN, flow="device", allowed_flows=("code",)),
    "confirm": lambda: login_sync(KNOWN, confirm=True),  # type: ignore[arg-type]
    "paste": lambda: login_sync(KNOWN, paste="http://127.0.0.1/"),  # type: ignore[arg-type]
    "controls": lambda: login_sync(KNOWN, controls=object()),  # type: ignore[arg-type]
    "wait": lambda: login_sync(KNOWN, wait=30),  # type: ignore[arg-type]
    "message": lambda: login_sync(KNOWN, message=b"x"),  # type: ignore[arg-type]
    "client, a provider": lambda: login_sync(KNOWN.provider),  # type: ignore[arg-type]
    "client, an issuer": lambda: login_sync("https://as.example"),  # type: ignore[arg-type]
    "client, a class": lambda: login_sync(type(KNOWN)),  # type: ignore[arg-type]
}
"""That type checkers refuse most of them is proven by the comments, which would be refused if needless."""


@pytest.mark.parametrize(("case", "call"), WRONG.items(), ids=WRONG)
def test_a_wrong_argument_is_refused_by_its_name(case: str, call: Callable[[], SignIn]) -> None:
    """It would otherwise be noticed when a person has approved already, or after the whole time-out."""
    with pytest.raises(ConfigError) as caught:
        call()
    argument = re.split(r"\W", case)[0]

    assert caught.value.message.startswith(f"{argument} ")


@pytest.mark.parametrize(
    ("call", "hinted"),
    [
        (WRONG["store, a path"], "FileTokenStore(path)"),
        (WRONG["store, a class"], "MemoryTokenStore(...)"),
        (WRONG["flow"], "device"),
        (WRONG["allowed_flows, a string"], "flow='code'"),
        (WRONG["allowed_flows, misspelt"], "code"),
        (WRONG["allowed_flows, never chosen"], "flow='token'"),
        (WRONG["client, a provider"], "ClientConfig(provider"),
    ],
)
def test_the_hint_says_what_to_pass(call: Callable[[], SignIn], hinted: str) -> None:
    """A first guess that fails should be the last one."""
    with pytest.raises(ConfigError) as caught:
        call()

    assert hinted in caught.value.hint


def test_an_unknown_option_is_what_python_says_of_it() -> None:
    """Whoever reads the traceback knows these words, and the name that was meant is near."""
    with pytest.raises(
        TypeError, match=r"login_sync\(\) got an unexpected keyword argument 'time_out'.*timeout"
    ):
        login_sync(KNOWN, time_out=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"login\(\) got an unexpected keyword argument 'scope'"):
        asyncio.run(login(KNOWN, scope="openid"))  # type: ignore[call-arg]


async def test_login_refuses_as_login_sync_does() -> None:
    """Two doors, one list."""
    with pytest.raises(ConfigError, match="timeout"):
        await login(KNOWN, timeout="5")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="client"):
        await login(Provider("x", ServerMetadata()))  # type: ignore[arg-type]


def test_every_option_can_be_passed(tmp_path: Path) -> None:
    """What is checked is used, too; a set will do for a list."""
    user, store = SimulatedUser(), FileTokenStore(str(tmp_path))
    with demo_thread() as demo:
        options: Options = {
            "store": store,
            "notify": silent,
            "program": Program("MyTool"),
            "open_browser": user.open,
            "timeout": 20,
            "allowed_flows": {"code"},
            "confirm": lambda _: True,
            "wait": True,
            "message": "from a test",
            "controls": None,
            "flow": None,
            "paste": None,
        }
        sign_in = login_sync(client(demo.issuer), **options)
        user.page_sync()

    assert set(options) == set(CHECKS)
    assert store.load("demo") == sign_in
