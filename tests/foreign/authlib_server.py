"""Serve an authorization server made with Authlib that still gives out tokens by `response_type=token`.

Its issuer goes to stdout as one line of JSON; it runs until stdin ends, so that it never outlives the tests.
The grants, the checks and the wording on the wire are Authlib's; here are only the one client, the one
person, the consent page and what is kept, which Authlib leaves to whoever uses it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlsplit

# Authlib refuses http otherwise, also on this machine.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ImplicitGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, request
from werkzeug.serving import make_server

PERSON = "ada"
CONSENT = """<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Consent</title>
<h1>May this program act for you?</h1>
<form method="post">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button>
</form>"""


@dataclass(frozen=True)
class Client:
    """A public native client, for both grants."""

    client_id: str

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Allow the one path on any port of this machine (RFC 8252 §7.3)."""
        address = urlsplit(redirect_uri)
        return (address.scheme, address.hostname, address.path) == ("http", "127.0.0.1", "/callback")

    def check_response_type(self, response_type: str) -> bool:
        """Allow both."""
        return response_type in ("code", "token")

    def check_grant_type(self, grant_type: str) -> bool:
        """Allow no refresh token."""
        return grant_type in ("authorization_code", "implicit")

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Allow a client without a secret, at every endpoint."""
        return bool(endpoint) and method == "none"

    def get_allowed_scope(self, scope: str) -> str:
        """Allow what there is."""
        return " ".join(word for word in scope.split() if word == "email")


@dataclass(frozen=True)
class Code:
    """An authorization code and all that it is bound to."""

    code: str
    redirect_uri: str
    scope: str
    user: str
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        """Return where it was sent."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return what it is good for."""
        return self.scope


@dataclass(frozen=True)
class Token:
    """An access token; it outlives the tests."""

    user: str
    scope: str

    def get_scope(self) -> str:
        """Return what it is good for."""
        return self.scope

    def is_expired(self) -> bool:
        """Tell that its hour is not over."""
        return False

    def is_revoked(self) -> bool:
        """Tell that nobody can revoke it."""
        return False


CLIENTS = {"native": Client("native")}
codes: dict[str, Code] = {}
tokens: dict[str, Token] = {}


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc] # Authlib has no types
    """The pair to the implicit grant."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none",)

    def save_authorization_code(self, code: str, asked: OAuth2Request) -> None:
        """Keep a code."""
        given = asked.payload.data
        challenge, method = given.get("code_challenge"), given.get("code_challenge_method")
        codes[code] = Code(code, given["redirect_uri"], asked.scope, asked.user, challenge, method)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        """Find a code; there is but one client."""
        return codes.get(code) if client.client_id in CLIENTS else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Forget a code that was used."""
        del codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> str:
        """Return whose code it is."""
        return authorization_code.user


class Validator(BearerTokenValidator):  # type: ignore[misc] # Authlib has no types
    """Knows the tokens given out here."""

    def authenticate_token(self, token_string: str) -> Token | None:
        """Find a token."""
        return tokens.get(token_string)


def save_token(token: Mapping[str, str], asked: OAuth2Request) -> None:
    """Keep a token of either grant."""
    tokens[token["access_token"]] = Token(asked.user, token["scope"])


app = Flask(__name__)
authorization = AuthorizationServer(app, CLIENTS.get, save_token)
authorization.register_grant(ImplicitGrant)
authorization.register_grant(CodeGrant, [CodeChallenge(required=True)])
resource = ResourceProtector()
resource.register_token_validator(Validator())


@app.get("/.well-known/oauth-authorization-server")
def metadata() -> dict[str, object]:
    """Describe this server (RFC 8414 §3.2)."""
    issuer = request.host_url.rstrip("/")
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/me",
        "response_types_supported": ["code", "token"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": ["authorization_code", "implicit"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
    }


@app.route("/authorize", methods=["GET", "POST"])
def authorize() -> str | Response:
    """Ask the person, or do as the person said."""
    try:
        grant = authorization.get_consent_grant(end_user=PERSON)
    except OAuth2Error as error:
        refusal: Response = authorization.handle_error_response(request, error)
        return refusal
    if request.method == "GET":
        return CONSENT
    user = PERSON if request.form["decision"] == "approve" else None
    answer: Response = authorization.create_authorization_response(grant_user=user, grant=grant)
    return answer


@app.post("/token")
def token() -> Response:
    """Exchange a code."""
    answer: Response = authorization.create_token_response()
    return answer


@app.get("/me")
def me() -> dict[str, str]:
    """Tell whoever has a token for it whose it is."""
    with resource.acquire("email"):
        return {"email": f"{current_token.user}@example.org"}


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"either": f"http://127.0.0.1:{server.server_port}"}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
