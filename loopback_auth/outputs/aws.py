"""A token as AWS credentials: the request for them, and the form in which AWS's tools read them.

AWS accepts no token of another server. Its Security Token Service (STS) gives temporary keys for one, if a
role trusts that server (AssumeRoleWithWebIdentity). So this output needs a role, and a request to AWS each
time. The command is a `credential_process` in AWS's configuration; the tools keep the keys until they expire.

Source: AWS Security Token Service, API Reference 2011-06-15, AssumeRoleWithWebIdentity;
https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlencode
from xml.etree import ElementTree

from loopback_auth.errors import ConfigError, MalformedResponse, OAuthError, TransportError
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.redact import error_code, server_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential

SOURCE = "AWS STS, AssumeRoleWithWebIdentity"
_ROLE = re.compile(r"arn:([a-z][a-z-]*):iam::[0-9]*:role/[A-Za-z0-9_+=,.@/-]+", re.ASCII)
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+){1,3}-[0-9]{1,2}", re.ASCII)
LONGEST_ROLE = 2048
LONGEST_SESSION_NAME = 64
GLOBAL = {
    "aws": ("https://sts.amazonaws.com", "amazonaws.com"),
    "aws-cn": ("https://sts.cn-north-1.amazonaws.com.cn", "amazonaws.com.cn"),
    "aws-us-gov": ("https://sts.us-gov-west-1.amazonaws.com", "amazonaws.com"),
}
"""Partition of a role to the endpoint of STS without a region, and the domain of those in a region."""
MEMBERS = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
"""Members of the answer of STS; the tools read the same names."""
HINTS = {
    "AccessDenied": "Check the trust policy of the role: the token's issuer, and its conditions.",
    "ExpiredTokenException": "Sign in again.",
    "IDPRejectedClaim": "Sign in again: the server refuses the token.",
    "InvalidIdentityToken": "Check that AWS has an identity provider for the token's issuer, with the client "
    "ID among its audiences, and that the token is a JWT.",
}


class AssumeRoleError(OAuthError):
    """STS refused to give credentials for a token."""

    step = "request to assume the role"


def sts_endpoint(role_arn: str, region: str = "") -> str:
    """Return the address of the Security Token Service that a role belongs to.

    Args:
        role_arn: as `arn:aws:iam::123456789012:role/deploy`.
        region: as `eu-central-1`; empty: the endpoint for all regions.

    Raises:
        ConfigError: that is not a role, or not a region, or the endpoints of its partition are not known.

    Source: AWS General Reference, "AWS Security Token Service endpoints and quotas".
    """
    partition = _partition(role_arn)
    if partition not in GLOBAL:
        raise ConfigError(
            f"The endpoints of the AWS partition {partition[:40]} are not known.",
            hint="Set AWS_ENDPOINT_URL_STS to its address.",
        )
    everywhere, domain = GLOBAL[partition]
    if region and _REGION.fullmatch(region) is None:
        raise ConfigError(
            f"{ascii(region)[:80]} is not an AWS region.",
            hint="Write it like eu-central-1.",
            parameter="region",
        )
    return f"https://sts.{region}.{domain}" if region else everywhere


def assume_role_request(credential: Credential, *, role_arn: str, endpoint: str) -> HttpRequest:
    """Build the request for temporary keys. It is not signed: the token is what counts.

    Args:
        credential: an ID token, or another JWT that AWS can check.
        role_arn: the role, which must trust the token's issuer.
        endpoint: of STS.

    Raises:
        ConfigError: that is not a role.

    Source: AWS STS API Reference, AssumeRoleWithWebIdentity, Request Parameters.
    """
    _partition(role_arn)
    name = re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", credential.account, flags=re.ASCII)[:LONGEST_SESSION_NAME]
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role_arn,
        "RoleSessionName": name if len(name) >= 2 else "loopback-auth",
        "WebIdentityToken": credential.token,
    }
    headers = (("Content-Type", FORM), ("Accept", "text/xml"))
    return HttpRequest("POST", endpoint, headers, urlencode(form).encode("ascii"))


def aws(response: HttpResponse) -> str:
    """Return what a `credential_process` prints: one line of JSON with the keys, which are secret.

    Args:
        response: of STS.

    Raises:
        AssumeRoleError: STS refused.
        TransportError: STS has failed, or asks for fewer requests.
        MalformedResponse: that is not an answer of STS.

    Source: AWS SDKs and Tools Reference Guide, "Process credential provider"; AWS STS API Reference,
    AssumeRoleWithWebIdentity, Response Elements and Errors.
    """
    found = _texts(response.body)
    if response.status >= 500 or response.status == 429:
        raise TransportError(
            f"AWS answered with HTTP status {response.status}.", hint="Try again in a few minutes."
        )
    if response.status != 200:
        if "Code" not in found:
            raise _malformed()
        code = error_code(found["Code"])
        error = AssumeRoleError(code, server_text(found.get("Message", ""), 300))
        error.hint = HINTS.get(code, error.hint)
        raise error
    keys = {name: found.get(name, "") for name in MEMBERS}
    if not all(value and value.isascii() and value.isprintable() for value in keys.values()):
        raise _malformed()
    return json.dumps({"Version": 1, **keys}) + "\n"


def _partition(role_arn: str) -> str:
    """Return the partition of a role, such as `aws`; other services have their own.

    Raises:
        ConfigError: that is not a role.
    """
    found = _ROLE.fullmatch(role_arn) if len(role_arn) <= LONGEST_ROLE else None
    if found is None:
        raise ConfigError(
            "That is not the ARN of an AWS role." if role_arn else "No AWS role is named.",
            hint="Write it like arn:aws:iam::123456789012:role/NAME.",
            parameter="role_arn",
        )
    return found[1]


def _texts(body: bytes) -> dict[str, str]:
    """Return the texts of a document by the names of their elements; nothing if it is not plain XML."""
    try:
        text = body.decode("utf-8")
        # A document type may define entities that grow without a bound; an answer of AWS has none. What is
        # read as text has no other encoding in which one could hide.
        root = ElementTree.fromstring("" if "<!" in text else text)  # noqa: S314 - without a document type
    except (ElementTree.ParseError, ValueError):
        return {}
    return {one.tag.rpartition("}")[2]: (one.text or "").strip() for one in root.iter()}


def _malformed() -> MalformedResponse:
    return MalformedResponse(
        "The answer does not come from the AWS Security Token Service.",
        source=SOURCE,
        hint="Check the address of the service.",
    )
