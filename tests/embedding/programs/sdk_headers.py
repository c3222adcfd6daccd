"""An SDK whose users sign in with their browser: what databricks-sdk-py calls `external_browser`.

    sdk_headers.py HOST FOLDER

Its own version builds the URLs, runs a listener with a page, exchanges the code, and keeps, locks and renews
the tokens itself. `headers` is what each request of the SDK asks for, from any thread.
"""

import sys
from collections.abc import Callable

from loopback_auth import ClientConfig, FileTokenStore, Program, Redirect, TokenSource

SCOPE = "profile offline_access"
PORTS = Redirect("localhost", (8020, 8021, 8022, 0))


def external_browser(host: str, folder: str) -> Callable[[], dict[str, str]]:
    """Sign in if that is needed, and return a function that returns the header of a request."""
    client = ClientConfig.at(host, client_id="loopback-auth-demo", scope=SCOPE, redirect=PORTS)
    source = TokenSource(client, store=FileTokenStore(folder), program=Program("Some SDK"))
    source.token_sync()
    return source.headers_sync


if __name__ == "__main__":
    headers = external_browser(*sys.argv[1:])
    print(headers()["Authorization"].partition(" ")[0])
