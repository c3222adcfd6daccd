"""Sign in with the browser, keep, call an API, forget: on msal, with its own receiver.

    with_msal.py token|call|logout ISSUER FOLDER [URL]

It asks the server for its metadata whenever it starts, and has no request that revokes.
"""

import sys
from pathlib import Path

from msal import PublicClientApplication, SerializableTokenCache

CLIENT_ID, SCOPES = "embedding", ["email"]


def application(issuer: str, folder: str) -> PublicClientApplication:
    """Return the application with what was kept."""
    cache, kept = SerializableTokenCache(), Path(folder, "token_cache.json")
    if kept.exists():
        cache.deserialize(kept.read_text())
    return PublicClientApplication(CLIENT_ID, oidc_authority=issuer, token_cache=cache)


def keep(app: PublicClientApplication, folder: str) -> None:
    """Keep what has changed."""
    if app.token_cache.has_state_changed:
        Path(folder, "token_cache.json").touch(mode=0o600)
        Path(folder, "token_cache.json").write_text(app.token_cache.serialize())


def token(issuer: str, folder: str) -> str:
    """Return an access token: the kept one, a renewed one, or one of a new sign-in."""
    app = application(issuer, folder)
    result, accounts = None, app.get_accounts()
    if accounts:
        result = app.acquire_token_silent(SCOPES, account=accounts[0])
    if not result:
        result = app.acquire_token_interactive(SCOPES)
    if "error" in result:
        raise SystemExit(result.get("error_description", result["error"]))
    keep(app, folder)
    return str(result["access_token"])


if __name__ == "__main__":
    command, issuer, folder, *urls = sys.argv[1:]
    if command == "token":
        print(token(issuer, folder))
    elif command == "call":
        import requests

        headers = {"Authorization": f"Bearer {token(issuer, folder)}"}
        print(requests.get(urls[0], headers=headers, timeout=30).text)
    elif command == "logout":
        app = application(issuer, folder)
        for account in app.get_accounts():
            app.remove_account(account)
        keep(app, folder)
