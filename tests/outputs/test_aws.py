"""Keys of AWS for a token: the request, and what is made of the answer."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest

from loopback_auth.errors import ConfigError, MalformedResponse, TransportError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.outputs.aws import AssumeRoleError, assume_role_request, aws, sts_endpoint
from loopback_auth.records import replace
from outputs.credentials import ACCESS

ROLE = "arn:aws:iam::123456789012:role/FederatedWebIdentityRole"

ANSWER = b"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>amzn1.account.AF6RHO7KZU5XRVQJGXK6HB56KR2A</SubjectFromWebIdentityToken>
    <Audience>client.5498841531868486423.1548@apps.example.com</Audience>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/FederatedWebIdentityRole/app1</Arn>
      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:app1</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE</SessionToken>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <Expiration>2014-10-24T23:00:23Z</Expiration>
      <AccessKeyId>ASgeIAIOSFODNN7EXAMPLE</AccessKeyId>
    </Credentials>
    <Provider>www.amazon.com</Provider>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata>
    <RequestId>ad4156e9-bce1-11e2-82e6-6b6efEXAMPLE</RequestId>
  </ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"""
"""AWS STS API Reference, AssumeRoleWithWebIdentity, Examples."""

REFUSAL = (
    b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    b"<Code>%s</Code><Message>No OpenIDConnect provider found in your account</Message></Error>"
    b"<RequestId>1</RequestId></ErrorResponse>"
)


def test_the_answer_becomes_what_a_credential_process_prints() -> None:
    """The four members and the version; the tools read the expiry, and then ask again."""
    assert json.loads(aws(HttpResponse(200, body=ANSWER))) == {
        "Version": 1,
        "AccessKeyId": "ASgeIAIOSFODNN7EXAMPLE",
        "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY",
        "SessionToken": "AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE",
        "Expiration": "2014-10-24T23:00:23Z",
    }


def test_the_request_names_role_session_and_token() -> None:
    """And has no signature: who has no keys of AWS yet cannot sign."""
    request = assume_role_request(ACCESS, role_arn=ROLE, endpoint="https://sts.amazonaws.com")

    assert dict(parse_qsl(request.body.decode())) == {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "alice@example.com",
        "WebIdentityToken": "access",
    }
    assert (request.method, request.header("authorization")) == ("POST", "")


@pytest.mark.parametrize(
    ("account", "named"),
    [("", "loopback-auth"), ("x", "loopback-auth"), ("Zo\xeb A&b\n", "Zo--A-b-"), ("a" * 99, "a" * 64)],
)
def test_a_session_name_is_one_that_aws_takes(account: str, named: str) -> None:
    r"""It has 2 to 64 characters of [\w+=,.@-] (AWS STS API Reference, RoleSessionName)."""
    request = assume_role_request(replace(ACCESS, account=account), role_arn=ROLE, endpoint="https://x")

    assert dict(parse_qsl(request.body.decode()))["RoleSessionName"] == named


@pytest.mark.parametrize(
    ("role", "region", "endpoint"),
    [
        (ROLE, "", "https://sts.amazonaws.com"),
        (ROLE, "eu-central-1", "https://sts.eu-central-1.amazonaws.com"),
        ("arn:aws-cn:iam::123456789012:role/a/b", "", "https://sts.cn-north-1.amazonaws.com.cn"),
        (
            "arn:aws-cn:iam::123456789012:role/a",
            "cn-northwest-1",
            "https://sts.cn-northwest-1.amazonaws.com.cn",
        ),
        (
            "arn:aws-us-gov:iam::123456789012:role/a",
            "us-gov-east-1",
            "https://sts.us-gov-east-1.amazonaws.com",
        ),
    ],
)
def test_an_endpoint_is_of_the_partition_of_the_role(role: str, region: str, endpoint: str) -> None:
    """Keys of one partition are unknown in the others."""
    assert sts_endpoint(role, region) == endpoint


@pytest.mark.parametrize(
    ("role", "region", "parameter"),
    [
        ("", "", "role_arn"),
        ("admin", "", "role_arn"),
        ("arn:aws:iam::123456789012:user/a", "", "role_arn"),
        (f"{ROLE}\n", "", "role_arn"),
        (f"{ROLE}&Policy=x", "", "role_arn"),
        ("arn:aws:iam::1:role/" + "a" * 3000, "", "role_arn"),
        ("arn:aws:iam::\u0661\u0662:role/a", "", "role_arn"),
        (ROLE, "evil.example/", "region"),
        (ROLE, "eu-central-1.evil.example", "region"),
        (ROLE, "eu-central-1@evil", "region"),
        (ROLE, "eu-central-1\n", "region"),
        ("arn:aws-iso:iam::123456789012:role/a", "", ""),
    ],
)
def test_what_is_not_a_role_or_a_region_is_refused(role: str, region: str, parameter: str) -> None:
    """A region becomes a part of the host that gets the token."""
    with pytest.raises(ConfigError) as caught:
        sts_endpoint(role, region)

    assert caught.value.parameter == parameter


@pytest.mark.parametrize("code", [b"InvalidIdentityToken", b"AccessDenied", b"ExpiredTokenException", b"New"])
def test_a_refusal_says_what_aws_says_and_what_to_do(code: bytes) -> None:
    """The common ones are a missing identity provider and a trust policy."""
    with pytest.raises(AssumeRoleError) as caught:
        aws(HttpResponse(400, body=REFUSAL % code))

    assert caught.value.error == code.decode()
    assert "No OpenIDConnect provider" in caught.value.error_description
    assert caught.value.hint


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_at_aws_is_not_a_refusal(status: int) -> None:
    """It passes, and the sign-in stays good."""
    with pytest.raises(TransportError):
        aws(HttpResponse(status, body=REFUSAL % b"InternalFailure"))


BOMB = '<!DOCTYPE a [<!ENTITY b "&#65;"><!ENTITY c "&b;&b;&b;">]><a><AccessKeyId>&c;</AccessKeyId></a>'


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b"<html>sign in to the network</html>"),
        (200, b"\xff\xfe<"),
        (200, BOMB.encode()),
        (200, BOMB.encode("utf-16")),
        (200, ANSWER.replace(b"<?xml", b"").replace(b"SessionToken", b"Sitzung")),
        (200, ANSWER.replace(b"2014-10-24T23:00:23Z", b"")),
        (200, ANSWER.replace(b"ASgeIAIOSFODNN7EXAMPLE", b"AS\nX")),
        (200, ANSWER.replace(b"ASgeIAIOSFODNN7EXAMPLE", "Ä".encode())),
        (200, b"<a>" * 50_000),
        (302, b""),
        (403, b"<html>a proxy</html>"),
    ],
)
def test_what_is_not_an_answer_of_sts_is_refused(status: int, body: bytes) -> None:
    """A portal of a network answers with a page, and nothing of it must reach the tool."""
    with pytest.raises(MalformedResponse):
        aws(HttpResponse(status, body=body))
