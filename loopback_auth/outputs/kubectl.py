"""A token as kubectl, and every program on client-go, reads it from a credential plugin.

The plugin is a command in the kubeconfig (`users[].user.exec`), which prints one JSON object. client-go keeps
the token in memory until it expires, and runs the plugin again after a 401. Which version of the object it
wants, it says in the variable `KUBERNETES_EXEC_INFO`; both versions are equal in what is used here.

Source: https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ and
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import json

from loopback_auth.narrow import is_object
from loopback_auth.outputs.timestamps import timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential

API_VERSION = "client.authentication.k8s.io/v1"
API_VERSIONS = (API_VERSION, "client.authentication.k8s.io/v1beta1")
"""The second is the only one that kubectl knows before its version 1.22."""
INFO_VARIABLE = "KUBERNETES_EXEC_INFO"


def kubectl(credential: Credential, *, exec_info: str = "") -> str:
    """Return the `ExecCredential` for a cluster: one line of JSON, with a secret in it.

    Args:
        credential: its token is what the cluster checks: an ID token by OpenID Connect, an access token by a
            webhook.
        exec_info: content of the variable `KUBERNETES_EXEC_INFO`; empty: version v1 of the object is wanted.

    Returns:
        A JSON object with `status.token`, and `status.expirationTimestamp` if the expiry is known.

    Raises:
        ConfigError: the kubeconfig asks for a version that is not known.

    Source: Kubernetes, Client Authentication (v1), ExecCredentialStatus; RFC 3339 §5.6.
    """
    status = {"token": credential.token}
    if expires_at := timestamp(credential.expires_at):
        status["expirationTimestamp"] = expires_at
    # kubectl refuses another version than the one that the kubeconfig names.
    version = _asked(exec_info) if exec_info else API_VERSION
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status}) + "\n"


def _asked(exec_info: str) -> str:
    try:
        info: object = json.loads(exec_info)
    except (ValueError, RecursionError):
        info = None
    version = info.get("apiVersion") if is_object(info) else None
    if version not in API_VERSIONS:
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            f"The variable {INFO_VARIABLE} does not name a version that is known.",
            hint=f"Set apiVersion to {API_VERSION} in the kubeconfig.",
        )
    return str(version)
