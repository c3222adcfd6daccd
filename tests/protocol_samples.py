"""What the tests of the protocol are about: one client, one server, one attempt, and short ways to answer."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl

from hypothesis import settings

from loopback_auth.authorization_messages import Attempt, AuthorizationRequest, Callback
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.protocol.authorization import authorization_request

ISSUER = "https://as.example"
METADATA = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    pushed_authorization_request_endpoint=f"{ISSUER}/par",
    revocation_endpoint=f"{ISSUER}/revoke",
    userinfo_endpoint=f"{ISSUER}/userinfo",
    jwks_uri=f"{ISSUER}/jwks",
    response_modes_supported=("query",),
    code_challenge_methods_supported=("S256",),
    authorization_response_iss_parameter_supported=True,
    discovered=True,
)
PROVIDER = Provider("example", METADATA)
CLIENT = ClientConfig(PROVIDER, "s6BhdRkqt3", scope="profile")
SECRET_CLIENT = replace(CLIENT, client_secret="7Fjfp0ZBr1KtDRbnfVdmIw")  # of RFC 6749 §2.3.1
REDIRECT_URI = "http://127.0.0.1:49152/callback"
NOW = 1_700_000_000.0

# RFC 7636 appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ATTEMPT = Attempt(
    state="state-af0ifjsldkj-af0ifjsldkj",
    code_verifier=VERIFIER,
    nonce="nonce-n-0S6_WzA2Mj-n-0S6_WzA2Mj",
)

PROPERTY = settings(max_examples=150)
"""The same examples in each run, so that a failure can be repeated."""


def asked(client: ClientConfig = CLIENT, metadata: ServerMetadata = METADATA) -> AuthorizationRequest:
    """Make the authorization request that callbacks answer."""
    return authorization_request(client, metadata, ATTEMPT, redirect_uri=REDIRECT_URI)


def answered(
    *pairs: tuple[str, str], state: str | None = ATTEMPT.state, iss: str | None = ISSUER
) -> Callback:
    """Make a callback by query with our state and issuer, unless told otherwise."""
    own = [("state", state), ("iss", iss)]
    return Callback((*pairs, *((name, value) for name, value in own if value is not None)), "query")


def json_answer(document: object, status: int = 200, *headers: tuple[str, str]) -> HttpResponse:
    """Answer with JSON at the time of `NOW`."""
    return raw_answer(json.dumps(document).encode("ascii"), status, *headers)


def raw_answer(body: bytes, status: int = 200, *headers: tuple[str, str]) -> HttpResponse:
    """Answer with a body that claims to be JSON."""
    return HttpResponse(status, (*headers, ("Content-Type", "application/json")), body, NOW)


def form(request: HttpRequest) -> dict[str, str]:
    """Read the form of a request; no name may be there twice."""
    pairs = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
