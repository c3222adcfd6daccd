"""Sign in with the browser, keep, call an API, sign out: on requests_oauth2client.

    with_requests_oauth2client.py token|call|logout ISSUER FOLDER [URL]

It leaves the browser and the receiver to the program, hence the smallest that does.
"""

import sys
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from requests_oauth2client import BearerToken, OAuth2Client, TokenSerializer

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


def client_at(issuer: str, redirect_uri: str = "") -> OAuth2Client:
    """Return the client."""
    return OAuth2Client(
        token_endpoint=f"{issuer}/token",
        authorization_endpoint=f"{issuer}/authorize",
        revocation_endpoint=f"{issuer}/revoke",
        client_id=CLIENT_ID,
        redirect_uri=redirect_uri or None,
        testing=True,
    )


def bearer(issuer: str, folder: str) -> BearerToken:
    """Return a token: the kept one, a renewed one, or one of a new sign-in."""
    kept = Path(folder, "token")
    if kept.exists():
        token = TokenSerializer().loads(kept.read_bytes())
        if not token.is_expired(60):
            return token
        token = client_at(issuer).refresh_token(token)
    else:
        with HTTPServer(("127.0.0.1", 0), Callback) as receiver:
            origin = f"http://127.0.0.1:{receiver.server_port}"
            client = client_at(issuer, f"{origin}/callback")
            request = client.authorization_request(scope=SCOPE)
            webbrowser.open(request.uri)
            receiver.handle_request()
        response = request.validate_callback(f"{origin}{Callback.target}")
        token = client.authorization_code(response)
    kept.touch(mode=0o600)
    kept.write_bytes(TokenSerializer().dumps(token))
    return token


if __name__ == "__main__":
    command, issuer, folder, *urls = sys.argv[1:]
    if command == "token":
        print(bearer(issuer, folder).access_token)
    elif command == "call":
        import requests

        print(requests.get(urls[0], auth=bearer(issuer, folder), timeout=30).text)
    elif command == "logout":
        client_at(issuer).revoke_refresh_token(bearer(issuer, folder))
        Path(folder, "token").unlink()
