"""What every part of one demo server needs to know: fixed at its construction, shared by its endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loopback_auth.demo.accounts import Account
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer

PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "pushed_authorization_request_endpoint": "/par",
    "revocation_endpoint": "/revoke",
    "userinfo_endpoint": "/userinfo",
}
"""Endpoints by their names in the metadata (RFC 8414 §2, RFC 9126 §5)."""

RESPONSE_MODES = ("query", "form_post")
PROMPTS = ("none", "login", "consent", "select_account")


@dataclass(frozen=True, slots=True)
class Setup:
    """The settled facts of one demo server; see `DemoServer` for their meaning."""

    issuer: str
    signer: Signer | None
    clients: Mapping[str, DemoClient]
    accounts: tuple[Account, ...]
    scopes: Mapping[str, str]
    faults: Faults
    expires_in: int
    require_pushed_authorization_requests: bool


def metadata(setup: Setup) -> dict[str, object]:
    """Describe the server, and nothing that it cannot do.

    Source: RFC 8414 §2; OpenID Connect Discovery §3; RFC 9126 §5; RFC 9207 §3.
    """
    document: dict[str, object] = {
        "issuer": setup.faults.metadata_issuer or setup.issuer,
        **{name: setup.issuer + path for name, path in PATHS.items()},
        "require_pushed_authorization_requests": setup.require_pushed_authorization_requests,
        "scopes_supported": list(setup.scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "prompt_values_supported": list(PROMPTS),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    if not setup.faults.pkce_unannounced:
        document["code_challenge_methods_supported"] = ["S256"]
    if setup.signer is not None:
        document |= {
            "jwks_uri": f"{setup.issuer}/jwks",
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "name", "email", "email_verified", "auth_time"],
        }
    return document
