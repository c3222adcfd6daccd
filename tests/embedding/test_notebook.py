"""A notebook signs in, in a real kernel: by `await` and without, with a link to click, and interrupted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from loopback_auth.testing import DemoAuthorizationServer, SimulatedUser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no $BROWSER for a simulated user there"),
]

SECONDS = 60.0


class Notebook:
    """A kernel, and what its cells said.

    Args:
        manager: of the kernel.
        client: speaks to it.
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self._manager = manager
        self._client = client

    def run(self, cell: str, *, interrupt_after: str = "") -> tuple[str, str, str]:
        """Run a cell, and return what it printed, the HTML that it showed, and the error that ended it.

        Args:
            cell: its code.
            interrupt_after: a text in the HTML after which the user interrupts the kernel.
        """
        printed, shown, error = list[str](), list[str](), list[str]()

        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            elif message["msg_type"] == "display_data":
                shown.append(content["data"]["text/html"])
                if interrupt_after and interrupt_after in shown[-1]:
                    self._manager.interrupt_kernel()
            elif message["msg_type"] == "error":
                error.append(content["ename"])

        self._client.execute_interactive(cell, timeout=SECONDS, output_hook=hook)
        return "".join(printed), "".join(shown), "".join(error)


@pytest.fixture
def notebook(simulated_user: SimulatedUser) -> Iterator[Notebook]:
    """Start a kernel whose `$BROWSER` is the simulated one."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=dict(os.environ))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        yield Notebook(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def first_cell(server: DemoAuthorizationServer) -> str:
    """What the first cell of such a notebook holds."""
    return f"""
from loopback_auth import ClientConfig, TokenSource, login, login_sync
client = ClientConfig.at({server.issuer!r}, client_id="loopback-auth-demo", scope="profile email")
"""


def test_cells_sign_in(notebook: Notebook, demo_authorization_server: DemoAuthorizationServer) -> None:
    """A kernel has a running loop, so both ways are needed, and neither may stop the other."""
    printed, shown, error = notebook.run(
        first_cell(demo_authorization_server)
        + "print(login_sync(client).account, (await login(client)).account)\n"
        + "source = TokenSource(client)\nprint(source.token_sync() == await source.token())"
    )

    assert (error, printed) == ("", "demo@example.com demo@example.com\nTrue\n")
    assert shown.count('<a href="http://127.0.0.1:') == 3
    assert demo_authorization_server.requests("token") == 3


@pytest.mark.parametrize(
    ("call", "error"),
    [("login_sync(client)", "KeyboardInterrupt"), ("await login(client)", "CancelledError")],
)
def test_a_cell_that_waits_can_be_interrupted(
    notebook: Notebook, demo_authorization_server: DemoAuthorizationServer, call: str, error: str
) -> None:
    """A user who closed the tab interrupts the cell; nothing of it is left, and the next cell works."""
    demo_authorization_server.hang.add("/authorize")

    ended = notebook.run(first_cell(demo_authorization_server) + call, interrupt_after="http://127.0.0.1:")
    left, _, _ = notebook.run(
        "import asyncio, threading\n"
        "print(len([one for one in threading.enumerate() if one.name.startswith('loopback_auth')]),\n"
        "      [one for one in asyncio.all_tasks() if 'loopback_auth' in repr(one)])"
    )

    assert ended[2] in (error, "KeyboardInterrupt")
    assert left == "0 []\n"
