"""One of many programs that use the same MCP server: `one_of_many.py URL FOLDER` lists its tools.

Each time it opens the browser, it adds a line to the file `tabs` in the folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import httpx2

from foreign.person import Person
from loopback_auth import FileTokenStore, mcp
from loopback_auth.events import silent

MESSAGE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
HEADERS = {"Accept": "application/json, text/event-stream"}


def main(url: str, folder: str) -> None:
    """Send one message; the status of its answer is all that counts here."""

    def open_browser(address: str) -> object:
        with (Path(folder) / "tabs").open("a") as tabs:
            tabs.write("one\n")
        return Person().open(address)

    auth = mcp.sign_in(url, store=FileTokenStore(folder), open_browser=open_browser, notify=silent)
    with httpx2.Client(auth=auth, timeout=60) as client:
        status = client.post(url, json=MESSAGE, headers=HEADERS).status_code
    sys.exit(status in (401, 403))


if __name__ == "__main__":
    main(*sys.argv[1:])
