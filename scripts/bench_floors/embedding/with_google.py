"""Sign in with the browser, keep, call an API, sign out: on google-auth and google-auth-oauthlib.

    with_google.py token|call|logout ISSUER FOLDER [URL]

As the quickstarts of Google's APIs for Python do it; `read` and `with_token_uri` are what another server
needs: two lines.
"""

import sys
from pathlib import Path

from google.oauth2.credentials import Credentials

CLIENT_ID, CLIENT_SECRET = "embedding-installed", "not-a-secret"
SCOPES = ["profile", "offline_access"]


def credentials(issuer: str, folder: str) -> Credentials:
    """Return valid credentials: kept, renewed, or of a new sign-in."""
    kept = Path(folder, "token.json")
    found: Credentials | None = None
    if kept.exists():
        read = Credentials.from_authorized_user_file(kept, SCOPES)  # type: ignore[no-untyped-call]
        found = read.with_token_uri(f"{issuer}/token")
        found.expiry = read.expiry  # which a copy loses
    if found and found.valid:
        return found
    if found and found.refresh_token:
        from google.auth.transport.requests import Request

        found.refresh(Request())  # type: ignore[no-untyped-call]
    else:
        from google_auth_oauthlib.flow import InstalledAppFlow

        endpoints = {"auth_uri": f"{issuer}/authorize", "token_uri": f"{issuer}/token"}
        installed = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **endpoints}
        flow = InstalledAppFlow.from_client_config({"installed": installed}, SCOPES)
        found = flow.run_local_server(port=0, authorization_prompt_message="")
    kept.touch(mode=0o600)
    kept.write_text(found.to_json())
    return found


if __name__ == "__main__":
    command, issuer, folder, *urls = sys.argv[1:]
    if command == "token":
        print(credentials(issuer, folder).token)
    elif command == "call":
        from google.auth.transport.requests import AuthorizedSession

        session = AuthorizedSession(credentials(issuer, folder))  # type: ignore[no-untyped-call]
        print(session.get(urls[0]).text)
    elif command == "logout":
        import requests

        refresh_token = credentials(issuer, folder).refresh_token
        client = (CLIENT_ID, CLIENT_SECRET)
        requests.post(f"{issuer}/revoke", {"token": refresh_token}, auth=client, timeout=30)
        Path(folder, "token.json").unlink()
