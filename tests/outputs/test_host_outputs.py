"""The outputs that are for one host."""

from __future__ import annotations

import json
import netrc as python_netrc
from base64 import b64decode
from pathlib import Path

import jsonschema
import pytest

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.bazel import LONGEST_REQUEST, bazel, requested_uri
from loopback_auth.outputs.docker import docker
from loopback_auth.outputs.netrc import netrc
from loopback_auth.records import replace
from outputs.credentials import ACCESS

RESPONSE = {
    "type": "object",
    "properties": {
        "headers": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "expires": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
    },
    "additionalProperties": False,
}
"""Credential Helpers Specification, GetCredentialsResponse; RFC 3339 §5.6."""


def test_pythons_netrc_reads_the_entry(tmp_path: Path) -> None:
    """Requests and pip read it by that."""
    file = tmp_path / "netrc"
    file.write_text(netrc(ACCESS, host="git.example.com", username="alice@example.com"))

    assert python_netrc.netrc(file).authenticators("git.example.com") == ("alice@example.com", "", "access")


@pytest.mark.parametrize(
    "bad",
    ["", "a b", "a\nmachine evil.example login x password y", "#a", 'a"b', "a'b", "a\\b", "\xe9", "a\x00"],
)
def test_netrc_refuses_what_programs_read_differently(bad: str) -> None:
    """An account may be anything that a server says; a line break would be another entry."""
    with pytest.raises(ConfigError) as caught:
        netrc(ACCESS, host="git.example.com", username=bad)

    assert caught.value.parameter == "username"


@pytest.mark.parametrize("token", ['canary"', "#canary", "canary\\", "canary'"])
def test_netrc_refuses_such_a_token_and_does_not_quote_it(token: str) -> None:
    """Curl knows quotes from 7.84 on, others never."""
    with pytest.raises(ConfigError) as caught:
        netrc(replace(ACCESS, token=token), host="git.example.com", username="x")

    assert "canary" not in caught.value.message + caught.value.hint


def test_docker_reads_name_and_token_from_one_value() -> None:
    """RFC 7617 §2: they are joined by a colon, and a token may have further ones."""
    made = docker(replace(ACCESS, token="a:b"), host="127.0.0.1:5000", username="oauth2\xe9")
    auths = json.loads(made)["auths"]

    assert list(auths) == ["127.0.0.1:5000"]
    assert b64decode(auths["127.0.0.1:5000"]["auth"]).decode() == "oauth2\xe9:a:b"


@pytest.mark.parametrize("bad", ["", "a:b", "a\nb", "a\x00", "\u202e"])
def test_rfc7617_2_a_user_name_has_no_colon(bad: str) -> None:
    """What comes after it would be read as a part of the password."""
    with pytest.raises(ConfigError) as caught:
        docker(ACCESS, host="registry.example", username=bad)

    assert caught.value.parameter == "username"


def test_build_tools_get_headers_and_expiry() -> None:
    """They ask again when it has passed."""
    answer = json.loads(bazel(ACCESS))
    jsonschema.validate(answer, RESPONSE)

    assert answer == {"headers": {"Authorization": ["Bearer access"]}, "expires": "2001-09-09T02:46:40Z"}


def test_without_an_expiry_build_tools_get_none() -> None:
    """Then they decide for how long to keep the headers."""
    answer = json.loads(bazel(replace(ACCESS, expires_at=None)))
    jsonschema.validate(answer, RESPONSE)

    assert list(answer) == ["headers"]


@pytest.mark.parametrize(
    "uri", ["https://api.example.org/rest/endpoint", "grpcs://example.com/com.example.package.Service/Method"]
)
def test_requests_of_the_specification_are_read(uri: str) -> None:
    """Its own examples; further members must not make the helper fail."""
    assert requested_uri(json.dumps({"uri": uri}).encode()) == uri
    assert requested_uri(json.dumps({"uri": uri, "more": [1]}).encode()) == uri


@pytest.mark.parametrize(
    "request_text",
    [
        b"",
        b"garbage",
        b"[]",
        b'"https://canary.example"',
        b"{}",
        b'{"uri": 1}',
        b'{"uri": ["https://canary.example"]}',
        b'{"uri": ""}',
        b'{"uri": "canary.example"}',
        b'{"uri": "https://canary.example\\n"}',
        '{"uri": "https://c\xe4nary.example"}'.encode(),
        b'{"url": "https://canary.example"}',
        b"\xff\xfe\x00",
        b"[" * 60_000,
        b'{"uri": "https://canary.example/' + b"a" * LONGEST_REQUEST + b'"}',
    ],
)
def test_garbage_on_stdin_is_refused_and_not_quoted(request_text: bytes) -> None:
    """It may have a secret of another tool."""
    with pytest.raises(ConfigError) as caught:
        requested_uri(request_text)

    assert "canary" not in caught.value.message + caught.value.hint
