"""What a credential plugin of kubectl prints."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from loopback_auth.errors import ConfigError
from loopback_auth.model import ServerMetadata
from loopback_auth.outputs.kubectl import exec_credential
from loopback_auth.tokens import IdToken, SignIn, TokenSet

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

PLAIN = SignIn(
    "cluster",
    "client",
    "none",
    ServerMetadata(issuer="https://id.example"),
    "",
    TokenSet("access", "Bearer", 1_000_000_000.0, 1_000_003_600.5),
)


def with_id_token(**claims: object) -> SignIn:
    """Return a sign-in that has an ID token with these claims."""
    return replace(PLAIN, tokens=replace(PLAIN.tokens, id_token=IdToken(claims, "verified", "h.p.s")))


def status(sign_in: SignIn) -> dict[str, str]:
    """Return what kubectl takes of it, after a look at the whole."""
    document = json.loads(exec_credential(sign_in))
    jsonschema.validate(document, SCHEMA)
    found: dict[str, str] = document["status"]
    return found


def test_cluster_gets_the_id_token() -> None:
    """With OpenID Connect it checks the ID token, whose lifetime is not that of the access token."""
    assert status(with_id_token(exp=1_700_000_000)) == {
        "token": "h.p.s",
        "expirationTimestamp": "2023-11-14T22:13:20Z",
    }


def test_without_id_token_it_is_the_access_token() -> None:
    """A webhook looks it up; a part of a second would be one second too late at most."""
    assert status(PLAIN) == {"token": "access", "expirationTimestamp": "2001-09-09T02:46:40Z"}


@pytest.mark.parametrize("unknown", [None, "soon", -1, float("nan")])
def test_unknown_expiry_is_left_out(unknown: object) -> None:
    """Then kubectl runs the plugin again after a 401."""
    assert status(with_id_token(exp=unknown)) == {"token": "h.p.s"}


@pytest.mark.parametrize("far", [1e300, float("inf"), 10**400])
def test_far_expiry_is_one_that_can_be_written(far: object) -> None:
    """A server may say anything, and this must not end in a traceback of the calendar."""
    assert status(with_id_token(exp=far))["expirationTimestamp"] == "9999-12-31T23:59:59Z"


def test_no_token_is_an_error() -> None:
    """An empty one would be asked for again and again."""
    with pytest.raises(ConfigError) as caught:
        exec_credential(replace(PLAIN, tokens=replace(PLAIN.tokens, access_token="")))

    assert caught.value.parameter == "flow"


def test_a_bound_access_token_is_refused_in_words() -> None:
    """client-go sends no proofs (RFC 9449 §7.1); an ID token needs none."""
    bound = replace(PLAIN, tokens=replace(PLAIN.tokens, token_type="DPoP"))
    with pytest.raises(ConfigError) as caught:
        exec_credential(bound)

    assert caught.value.parameter == "scope dpop"
    id_token = IdToken({}, "verified", "h.p.s")
    assert status(replace(bound, tokens=replace(bound.tokens, id_token=id_token)))["token"] == "h.p.s"
