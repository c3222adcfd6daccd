"""Sign in with the browser, keep, call an API, sign out: on this package.

    with_loopback_auth.py token|call|logout ISSUER FOLDER [URL]

`requests` is imported where it is needed, here and in the others, so that a kept token is printed
without it.
"""

import sys

from loopback_auth import ClientConfig, FileTokenStore, TokenSource

CLIENT_ID, SCOPE = "embedding", "profile offline_access"


def source(issuer: str, folder: str) -> TokenSource:
    """Return what has the tokens."""
    client = ClientConfig.at(issuer, client_id=CLIENT_ID, scope=SCOPE)
    return TokenSource(client, store=FileTokenStore(folder))


if __name__ == "__main__":
    command, issuer, folder, *urls = sys.argv[1:]
    if command == "token":
        print(source(issuer, folder).token_sync())
    elif command == "call":
        import requests

        from loopback_auth.clients.requests import BearerAuth

        print(requests.get(urls[0], auth=BearerAuth(source(issuer, folder)), timeout=30).text)
    elif command == "logout":
        source(issuer, folder).logout_sync()
