"""Sign in with the browser, keep, call an API, sign out: on Authlib.

    with_authlib.py token|call|logout ISSUER FOLDER [URL]

It leaves the browser and the receiver to the program, hence the smallest that does.
"""

import json
import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

CLIENT_ID, SCOPE = "embedding", "profile offline_access"


class Callback(BaseHTTPRequestHandler):
    """Receives one redirect."""

    target = ""

    def do_GET(self) -> None:
        """Take the answer, and thank for it."""
        Callback.target = self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"You are signed in.")


def opened(issuer: str, folder: str) -> OAuth2Session:
    """Return a session with a token that is kept, or of a new sign-in; it renews the token."""
    kept = Path(folder, "token.json")

    def keep(token: dict[str, object], **_: str) -> None:
        kept.touch(mode=0o600)
        kept.write_text(json.dumps(token))

    session = OAuth2Session(
        CLIENT_ID,
        scope=SCOPE,
        code_challenge_method="S256",
        token_endpoint=f"{issuer}/token",
        update_token=keep,
    )
    if kept.exists():
        session.token = json.loads(kept.read_text())
        session.ensure_active_token(session.token)
        return session
    with HTTPServer(("127.0.0.1", 0), Callback) as receiver:
        origin = f"http://127.0.0.1:{receiver.server_port}"
        session.redirect_uri = f"{origin}/callback"
        verifier = generate_token(48)
        url, state = session.create_authorization_url(f"{issuer}/authorize", code_verifier=verifier)
        webbrowser.open(url)
        receiver.handle_request()
    answer = f"{origin}{Callback.target}"
    keep(session.fetch_token(authorization_response=answer, state=state, code_verifier=verifier))
    return session


if __name__ == "__main__":
    command, issuer, folder, *urls = sys.argv[1:]
    session = opened(issuer, folder)
    if command == "token":
        print(session.token["access_token"])
    elif command == "call":
        print(session.get(urls[0]).text)
    elif command == "logout":
        session.revoke_token(f"{issuer}/revoke", session.token["refresh_token"])
        Path(folder, "token.json").unlink()
