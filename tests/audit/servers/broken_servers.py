"""Servers that break one rule each, by the check that has to find it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from examined_servers import (
    Alter,
    accepting,
    asks,
    at,
    at_endpoint,
    described,
    document,
    members,
    page,
    parameter,
    redirect,
    returning,
    without,
)
from flow_world import ISSUER

from loopback_auth.audit.servers.redirect_uri_variants import ELSEWHERE, ELSEWHERE_HOST
from loopback_auth.http_messages import HttpRequest, HttpResponse

INVALID_GRANT = document(400, {"error": "invalid_grant"})
ALLOWED = (("Access-Control-Allow-Origin", ELSEWHERE), ("Access-Control-Allow-Credentials", "true"))
DEVICE = "/device_authorization"
KEYS = "/jwks"
MADE_UP_KEY = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "kid": "1"}


def login_taken(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Take every authorization request for the registered redirect URI, whatever is wrong with it."""
    if not asks(request, "/authorize", redirect_uri="http://127.0.0.1:49152/callback"):
        return right
    state = parameter(request, "state")
    return redirect(f"http://127.0.0.1:49152/callback?error=login_required&state={state}&iss={ISSUER}")


def echoed(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Write what an unknown client is called into the page."""
    return page(f"There is no {parameter(request, 'client_id')}.", 400) if right.status == 400 else right


def changed(path: str, **changes: object) -> Alter:
    """Change members of the JSON that an endpoint answers."""
    return lambda request, right: members(right, changes) if asks(request, path) else right


def headers_gone(path: str, *names: str) -> Alter:
    """Leave headers out."""
    return lambda request, right: without(right, *names) if asks(request, path) else right


def second_followed(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Send the browser to the last redirect URI of several."""
    uri = parameter(request, "redirect_uri")
    twice = request.url.count("redirect_uri=") == 2
    return redirect(f"{uri}?error=login_required") if twice else right


def cookie(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Set a cookie that scripts can read."""
    return (
        replace(right, headers=(*right.headers, ("Set-Cookie", "session=1; Secure")))
        if login(request)
        else right
    )


def login(request: HttpRequest) -> bool:
    """Return whether it is the request for the login page."""
    return asks(request, "/authorize") and "prompt=none" not in request.url


def agreeing(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Change one of the two documents."""
    return members(right, {"token_endpoint": f"{ISSUER}/other"}) if "/oauth-auth" in request.url else right


def unregistered(request: HttpRequest, right: HttpResponse) -> HttpResponse:
    """Register whatever is asked for, and say where it can be deleted."""
    if not asks(request, "/register"):
        return right
    there = {"registration_client_uri": f"{ISSUER}/register/1", "registration_access_token": "rat"}
    return document(201, {"client_id": "1", **there})


def keys(*found: Mapping[str, object]) -> Alter:
    """Publish these keys."""
    return at(KEYS, document(200, {"keys": found}))


BROKEN: dict[str, Alter] = {
    "metadata": lambda request, right: HttpResponse(404) if "/.well-known/" in request.url else right,
    "metadata-issuer": described(issuer="https://other.example"),
    "s256-announced": described(code_challenge_methods_supported=["plain"]),
    "iss-announced": described(authorization_response_iss_parameter_supported=None),
    "password-offered": described(grant_types_supported=["authorization_code", "password"]),
    "metadata-agree": agreeing,
    "metadata-json": lambda request, right: (
        replace(right, headers=(("Content-Type", "text/plain"),)) if "/.well-known/" in request.url else right
    ),
    "algorithms": described(dpop_signing_alg_values_supported=["HS256"]),
    "sender-constrained": described(dpop_signing_alg_values_supported=None),
    "endpoints-encrypted": described(userinfo_endpoint="http://as.example/userinfo"),
    "unencrypted": lambda request, right: (
        document(200, {"issuer": ISSUER}) if request.url.startswith("http:") else right
    ),
    "hsts": headers_gone("/.well-known/openid-configuration", "strict-transport-security"),
    "clock": lambda _request, right: replace(right, headers=(("Date", "Tue, 14 Nov 2023 22:30:00 GMT"),)),
    "pkce-enforced": login_taken,
    "plain-challenge": login_taken,
    "implicit": described(response_types_supported=["code", "id_token token"]),
    "state-returned": returning(lambda url: url.replace("state=", "state=not-")),
    "iss-sent": returning(lambda url: url.partition("&iss=")[0]),
    "prompt-none": lambda request, right: page() if asks(request, "/authorize", prompt="none") else right,
    "form-post": lambda request, right: (
        login_taken(request, right) if asks(request, "/authorize", response_mode="form_post") else right
    ),
    "pushed-request": lambda request, right: replace(right, status=200) if asks(request, "/par") else right,
    "markup-echoed": echoed,
    "authorization-cors": lambda request, right: (
        HttpResponse(204, ALLOWED) if request.method == "OPTIONS" and asks(request, "/authorize") else right
    ),
    "open-redirector": lambda request, right: (
        redirect(f"{ELSEWHERE}/callback?error=unauthorized_client")
        if asks(request, "/authorize", redirect_uri=f"{ELSEWHERE}/callback")
        else right
    ),
    "redirect-host": accepting(lambda uri: uri.startswith(ELSEWHERE)),
    "redirect-user-info": accepting(lambda uri: f"@{ELSEWHERE_HOST}" in uri),
    "redirect-suffix": accepting(lambda uri: uri.endswith("/callback/extra")),
    "redirect-traversal": accepting(lambda uri: "/.." in uri),
    "redirect-query": accepting(lambda uri: "?extra" in uri),
    "redirect-fragment": accepting(lambda uri: "#" in uri),
    "redirect-escape": accepting(lambda uri: "%" in uri),
    "redirect-case": accepting(lambda uri: "CALLBACK" in uri),
    "loopback-port": lambda request, right: (
        page("No.", 400) if asks(request, "/authorize") and "49152" not in request.url else right
    ),
    "redirect-second": second_followed,
    "parameter-repeated": login_taken,
    "logout-redirect": at_endpoint(
        "end_session_endpoint", "/logout", redirect(f"{ELSEWHERE}/?state=made-up")
    ),
    "frames": lambda request, right: (
        without(right, "content-security-policy", "x-frame-options") if login(request) else right
    ),
    "referrer": lambda request, right: without(right, "referrer-policy") if login(request) else right,
    "login-stored": lambda request, right: without(right, "cache-control") if login(request) else right,
    "cookies": cookie,
    "token-refuses": at("/token", document(200, {"access_token": "x", "token_type": "Bearer"})),
    "token-errors": at("/token", document(200, {"error": "invalid_grant"})),
    "token-stored": headers_gone("/token", "cache-control"),
    "token-get": lambda request, right: (
        INVALID_GRANT if request.method == "GET" and asks(request, "/token") else right
    ),
    "token-query": lambda request, right: (
        INVALID_GRANT if asks(request, "/token") and not request.body else right
    ),
    "token-repeated": lambda request, right: (
        INVALID_GRANT if b"token-of-loopback-auth-audit-2" in request.body else right
    ),
    "token-cors": lambda request, right: (
        HttpResponse(204, ALLOWED) if request.method == "OPTIONS" and asks(request, "/token") else right
    ),
    "userinfo": at("/userinfo", HttpResponse(400)),
    "userinfo-query": lambda request, right: (
        document(401, {"error": "invalid_token"})
        if asks(request, "/userinfo") and "access_token" in request.url
        else right
    ),
    "introspection": at_endpoint("introspection_endpoint", "/introspect", document(200, {"active": False})),
    "revocation": at("/revoke", document(400, {"error": "invalid_token"})),
    "registration": unregistered,
    "user-code": changed(DEVICE, user_code="123-456"),
    "device-code": changed(DEVICE, device_code="12345"),
    "device-lifetime": changed(DEVICE, expires_in=86400),
    "verification-uri": changed(DEVICE, verification_uri=None),
    "keys": at(KEYS, page()),
    "keys-private": keys({**MADE_UP_KEY, "d": "secret"}),
    "keys-strong": keys({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "1"}),
    "keys-named": keys(MADE_UP_KEY, MADE_UP_KEY),
}
"""By the check that has to fail: a server that breaks this rule."""
