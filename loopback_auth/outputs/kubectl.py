"""A sign-in as kubectl, and every program on client-go, reads it from a credential plugin.

The plugin is a command in the kubeconfig (`users[].user.exec`), which prints one JSON object. client-go keeps
the token in memory until it expires, and runs the plugin again after a 401.

Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ and
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from loopback_auth.errors import ConfigError
from loopback_auth.tokens import DPOP, SignIn

API_VERSION = "client.authentication.k8s.io/v1"
LAST_SECOND = 253_402_300_799
"""Of the year 9999: a timestamp has four digits for the year (RFC 3339 §5.6)."""


def exec_credential(sign_in: SignIn) -> str:
    """Return the `ExecCredential` for a cluster: one line of JSON, with a secret in it.

    Args:
        sign_in: its ID token is what a cluster with OpenID Connect checks. One without an ID token gives its
            access token, for clusters that look it up by a webhook.

    Returns:
        A JSON object with `status.token`, and `status.expirationTimestamp` if the expiry is known.

    Raises:
        ConfigError: there is no token, or it is an access token that is bound to a key.

    Source: Kubernetes, Client Authentication (v1), ExecCredentialStatus; RFC 3339 §5.6.
    """
    id_token = sign_in.id_token
    token = id_token.raw if id_token is not None else sign_in.tokens.access_token
    expires_at = id_token.expires_at if id_token is not None else sign_in.expires_at
    if not token:
        raise ConfigError(
            f"The sign-in to {sign_in.name} came without a token for a cluster.",
            hint="Choose another flow: code, for example.",
            parameter="flow",
        )
    if id_token is None and sign_in.tokens.token_type == DPOP:
        raise ConfigError(
            f"The access token for {sign_in.name} is bound to a key, and client-go sends bearer tokens only.",
            hint="Ask for an ID token with the scope openid, or switch DPoP off.",
            parameter="scope dpop",
        )
    status = {"token": token}
    if expires_at is not None and expires_at >= 0:
        # Windows' own functions for the time end with the year 3000.
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(min(expires_at, LAST_SECOND)))
        status["expirationTimestamp"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    # kubectl refuses another version than the one that the kubeconfig names.
    return json.dumps({"apiVersion": API_VERSION, "kind": "ExecCredential", "status": status})
