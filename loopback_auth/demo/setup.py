"""The configuration of one demo server, which its endpoints share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loopback_auth.demo.accounts import Account
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.features import Features
from loopback_auth.demo.jwts import ALGORITHMS
from loopback_auth.demo.keys import Signer

PATHS = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "pushed_authorization_request_endpoint": "/par",
    "revocation_endpoint": "/revoke",
    "userinfo_endpoint": "/userinfo",
    "device_authorization_endpoint": "/device_authorization",
    "jwks_uri": "/jwks",
}
"""Endpoints by their names in the metadata (RFC 8414 §2, RFC 9126 §5, RFC 8628 §4)."""

REGISTRATION = "/register"
"""The client registration endpoint (RFC 7591 §3); no setting names it."""

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = ("authorization_code", "implicit", "refresh_token", DEVICE_CODE)
RESPONSE_TYPES = {
    "code": False,
    "token": False,
    "id_token": True,
    "id_token token": True,
    "code id_token": True,
}
"""Response types, and whether they need a signer."""
AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")
RESPONSE_MODES = ("query", "fragment", "form_post")
DPOP_ALGORITHMS = ("ES256", "RS256")
"""Algorithms of DPoP proofs (RFC 9449 §5.1)."""
ACR_VALUES = ("urn:demo:chosen", "urn:demo:confirmed")
"""How a person can be authenticated, the weakest first (OpenID Connect Core §2, RFC 9470 §3)."""
PROMPTS = ("none", "login", "consent", "select_account")


@dataclass(slots=True)
class Setup:
    """The configuration of one demo server, which does not change.

    Args:
        issuer: origin of the server.
        signer: signs ID tokens; None: there are none.
        clients: registered clients by their IDs; more register while the server runs.
        accounts: that can sign in; the first is offered first.
        scopes: known names, each with what it allows.
        faults: rules that the server breaks; they may be changed while it runs.
        expires_in: seconds for which a new access token is valid; they may be changed while it runs.
        require_pushed_authorization_requests: authorization requests must be pushed (RFC 9126 §5).
        device_interval: seconds between polls of a device code (RFC 8628 §3.2).
        features: what else is offered.
        client_documents: a client ID may be the address of a document about the client.
    """

    issuer: str
    signer: Signer | None
    clients: dict[str, DemoClient]
    accounts: tuple[Account, ...]
    scopes: Mapping[str, str]
    faults: Faults
    expires_in: int
    require_pushed_authorization_requests: bool
    device_interval: int
    features: Features
    client_documents: bool

    def granted(self, scope: tuple[str, ...]) -> tuple[str, ...]:
        """Return the part of a scope that this server grants (RFC 6749 §3.3)."""
        narrow = self.faults.narrow_scope
        allowed = scope if narrow is None else narrow.split()
        return tuple(name for name in scope if name in allowed)


def response_types(setup: Setup) -> list[str]:
    """Return the supported response types; those with an ID token only if there is a signer.

    Source: RFC 6749 §3.1.1; OAuth 2.0 Multiple Response Type Encoding Practices §3, §5.
    """
    return [
        name
        for name, signed in RESPONSE_TYPES.items()
        if (setup.signer is not None or not signed)
        # Through the browser no proof comes along, so a bound token cannot be issued there
        and not (setup.features.dpop == "required" and "token" in name.split())
    ]


def response_modes(setup: Setup) -> list[str]:
    """Return the supported response modes; the signed ones only if they are on (JARM §2.3)."""
    signed = ["jwt", *(f"{mode}.jwt" for mode in RESPONSE_MODES)] if setup.features.signed_responses else []
    return [*RESPONSE_MODES, *signed]


def auth_methods(setup: Setup) -> list[str]:
    """Return the supported methods of client authentication."""
    return [*AUTH_METHODS, *(["private_key_jwt"] if setup.features.client_keys else [])]


def metadata(setup: Setup) -> dict[str, object]:
    """Return the metadata document of the server.

    Source: RFC 8414 §2; OpenID Connect Discovery §3; RFC 9126 §5; RFC 9207 §3; RFC 8628 §4;
    RFC 7591 §3; RFC 9449 §5.1; RFC 9101 §9, §10.5; JARM §3; draft-ietf-oauth-client-id-metadata-document §5.
    """
    document: dict[str, object] = {
        "issuer": setup.faults.metadata_issuer or setup.issuer,
        **{name: setup.issuer + path for name, path in PATHS.items() if name != "jwks_uri"},
        "require_pushed_authorization_requests": setup.require_pushed_authorization_requests,
        "scopes_supported": list(setup.scopes),
        "response_types_supported": response_types(setup),
        "response_modes_supported": response_modes(setup),
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": auth_methods(setup),
        "revocation_endpoint_auth_methods_supported": auth_methods(setup),
        "acr_values_supported": list(ACR_VALUES),
        "prompt_values_supported": list(PROMPTS),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": setup.features.signed_requests != "off",
        "request_uri_parameter_supported": False,
    }
    if setup.faults.authorization_endpoint:
        document["authorization_endpoint"] = setup.faults.authorization_endpoint
    if not setup.faults.pkce_unannounced:
        document["code_challenge_methods_supported"] = ["S256"]
    if setup.client_documents:
        document["client_id_metadata_document_supported"] = True
    features = setup.features
    if features.client_keys:
        for endpoint in ("token", "revocation"):
            document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    if features.signed_requests != "off":
        document["request_object_signing_alg_values_supported"] = list(ALGORITHMS)
        document["require_signed_request_object"] = features.signed_requests == "required"
    if features.signed_responses:
        document["authorization_signing_alg_values_supported"] = ["RS256"]
    if features.dpop != "off":
        document["dpop_signing_alg_values_supported"] = list(DPOP_ALGORITHMS)
    if features.registration:
        document["registration_endpoint"] = setup.issuer + REGISTRATION
    if setup.signer is not None:
        document |= {
            "jwks_uri": setup.issuer + PATHS["jwks_uri"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "name", "email", "email_verified", "auth_time", "acr"],
        }
    return document
