"""What a credential plugin of kubectl prints."""

from __future__ import annotations

import json

import jsonschema
import pytest

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.credential import credential
from loopback_auth.outputs.kubectl import API_VERSIONS, kubectl
from outputs.credentials import ACCESS, with_id_token

SCHEMA = {
    "type": "object",
    "required": ["apiVersion", "kind", "status"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "client.authentication.k8s.io/v1"},
        "kind": {"const": "ExecCredential"},
        "status": {
            "type": "object",
            "required": ["token"],
            "additionalProperties": False,
            "properties": {
                "token": {"type": "string", "minLength": 1},
                "expirationTimestamp": {
                    "type": "string",
                    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
                },
            },
        },
    },
}
"""Kubernetes, Client Authentication (v1): of its members those that a plugin without certificates prints."""


def status(text: str) -> dict[str, str]:
    """Return what kubectl takes of it, after a look at the whole."""
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    found: dict[str, str] = document["status"]
    return found


def test_cluster_gets_the_id_token() -> None:
    """With OpenID Connect it checks the ID token, whose lifetime is not that of the access token."""
    given = credential(with_id_token(exp=1_700_000_000), of="id_token")

    assert status(kubectl(given)) == {"token": "h.p.s", "expirationTimestamp": "2023-11-14T22:13:20Z"}


def test_a_webhook_gets_the_access_token() -> None:
    """A part of a second would be one second too late at most."""
    assert status(kubectl(ACCESS)) == {"token": "access", "expirationTimestamp": "2001-09-09T02:46:40Z"}


@pytest.mark.parametrize("unknown", [None, "soon", -1, float("nan"), float("-inf")])
def test_unknown_expiry_is_left_out(unknown: object) -> None:
    """Then kubectl runs the plugin again after a 401."""
    assert status(kubectl(credential(with_id_token(exp=unknown), of="id_token"))) == {"token": "h.p.s"}


@pytest.mark.parametrize("far", [1e300, float("inf"), 10**400])
def test_far_expiry_is_one_that_can_be_written(far: object) -> None:
    """A server may say anything, and this must not end in a traceback of the calendar."""
    text = kubectl(credential(with_id_token(exp=far), of="id_token"))

    assert status(text)["expirationTimestamp"] == "9999-12-31T23:59:59Z"


@pytest.mark.parametrize("version", API_VERSIONS)
def test_the_answer_has_the_version_that_was_asked_for(version: str) -> None:
    """Kubectl refuses another one, and before 1.22 it knows v1beta1 alone."""
    info = {"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": True}}

    assert json.loads(kubectl(ACCESS, exec_info=json.dumps(info)))["apiVersion"] == version


@pytest.mark.parametrize(
    "info",
    [
        "no JSON",
        "[]",
        "{}",
        '{"apiVersion": 1}',
        '{"apiVersion": []}',
        '{"apiVersion": "client.authentication.k8s.io/v1alpha1"}',
        "[" * 100_000,
    ],
)
def test_another_version_is_refused(info: str) -> None:
    """An answer that kubectl does not take would be told as a fault of the cluster."""
    with pytest.raises(ConfigError):
        kubectl(ACCESS, exec_info=info)
