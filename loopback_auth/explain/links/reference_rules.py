"""Rules for signed and pushed authorization requests, and for parameters that are more than a word.

Source: RFC 9101 §5, §6.3; RFC 9126 §2.2, §4; RFC 8707 §2; RFC 9396 §2; RFC 9449 §10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from loopback_auth.compare.judging.verdicts import Judgement, failed, passed
from loopback_auth.explain.links.link import Link
from loopback_auth.explain.links.link_rules import names
from loopback_auth.explain.rules import Rule

PUSHED = "urn:ietf:params:oauth:request_uri:"
"""The beginning of the references that RFC 9126 §2.2 recommends."""
HASH = re.compile(r"[A-Za-z0-9_-]{43}")
"""A SHA-256 hash in base64url without padding."""


def json_parameters(link: Link) -> Judgement | None:
    """Parse the parameters that are JSON."""
    seen = False
    for name, kind, word in (("claims", dict, "an object"), ("authorization_details", list, "a list")):
        # Inside a signed request they are members, and no text.
        value = next((one.value for one in link.parameters if one.name == name), "")
        if not value:
            continue
        seen = True
        try:
            if not isinstance(json.loads(value), kind):
                return failed(f"The parameter {name} is not {word} of JSON.")
        except (ValueError, RecursionError):
            return failed(f"The parameter {name} is not JSON.")
    return passed("What has to be JSON is JSON.") if seen else None


def resource_form(link: Link) -> Judgement | None:
    """Look at the form of the resource indicators."""
    values = [one.value for one in link.parameters if one.name == "resource" and one.value]
    if not values:
        return None
    if any("#" in value for value in values):
        return failed("A resource has a fragment.")
    if any(not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:.", value) for value in values):
        return failed("A resource is not an absolute URI.")
    return passed("Each resource is an absolute URI without a fragment.")


def resource_named(link: Link) -> Judgement | None:
    """Look for the resource that the token is for."""
    if link.by_reference:
        return None
    if not any(name in link for name in ("resource", "audience", "authorization_details")):
        return failed("The request does not say which API the access token is for.")
    return passed("The request says which API the access token is for.")


def dpop_jkt(link: Link) -> Judgement | None:
    """Look at the form of the thumbprint."""
    value = link.value("dpop_jkt")
    if not value:
        return None
    return passed("It is a SHA-256 hash.") if HASH.fullmatch(value) else failed("It is not a SHA-256 hash.")


def by_value_or_reference(link: Link) -> Judgement | None:
    """Look for a request object by value and by reference."""
    given = {one.name for one in link.parameters if one.value} & {"request", "request_uri"}
    if not given:
        return None
    return (
        failed("There is a request and a request_uri.")
        if len(given) > 1
        else passed("There is one of the two.")
    )


def request_uri_form(link: Link) -> Judgement | None:
    """Look at the form of the reference."""
    uri = next((one.value for one in link.parameters if one.name == "request_uri"), "")
    if not uri:
        return None
    if uri.startswith((PUSHED, "https://", "urn:")):
        return passed("The request_uri is a reference of the server, or an https address.")
    return failed("The request_uri is neither a reference of the server nor an https address.")


def alone_with_reference(link: Link) -> Judgement | None:
    """Look for parameters beside a reference or a signed request, which the server ignores."""
    if link.request_object is None and "request_uri" not in link:
        return None
    nothing: Mapping[str, object] = {}
    inside = link.request_object.claims if link.request_object is not None else nothing
    ignored = tuple(
        one
        for one in link.parameters
        if one.name not in ("client_id", "request", "request_uri") and one.name not in inside and one.value
    )
    if ignored:
        return failed(f"Beside the reference or the signed request, and ignored there: {names(ignored)}.")
    return passed("What counts is in the request that was pushed or signed.")


def same_client(link: Link) -> Judgement | None:
    """Compare the client inside a signed request with the one outside."""
    if link.request_object is None or not link.request_object.claims:
        return None
    outside = next((one.value for one in link.parameters if one.name == "client_id"), "")
    if outside != link.request_object.text("client_id"):
        return failed("The client_id inside the signed request is not the one outside.")
    return passed("The client_id is the same inside and outside.")


REFERENCE_RULES: tuple[Rule[Link], ...] = (
    Rule(
        "signed-request-client",
        "high",
        "The signed request is of the same client",
        "RFC 9101 §5, §6.3",
        "Write the same client_id inside and outside.",
        same_client,
    ),
    Rule(
        "json-parameters",
        "medium",
        "What has to be JSON is JSON",
        "OpenID Connect Core 1.0 §5.5; RFC 9396 §2",
        "Write it as JSON, and encode it once for the link.",
        json_parameters,
    ),
    Rule(
        "resource-form",
        "medium",
        "Each resource is an absolute URI without a fragment",
        "RFC 8707 §2",
        "Write the resource as the API has it in its metadata.",
        resource_form,
    ),
    Rule(
        "request-once",
        "medium",
        "The request is given by value or by reference",
        "RFC 9101 §5",
        "Send either request or request_uri.",
        by_value_or_reference,
    ),
    Rule(
        "request-uri-form",
        "medium",
        "The reference is one that a server can use",
        "RFC 9101 §5.2; RFC 9126 §2.2",
        "Push the request, and use the request_uri of the response.",
        request_uri_form,
    ),
    Rule(
        "dpop-jkt-form",
        "low",
        "dpop_jkt is the thumbprint of a key",
        "RFC 9449 §10; RFC 7638 §3",
        "Send the SHA-256 thumbprint of the key in base64url without padding.",
        dpop_jkt,
    ),
    Rule(
        "reference-alone",
        "info",
        "What counts is in the request that was pushed or signed",
        "RFC 9101 §6.3; RFC 9126 §4",
        "Leave the other parameters out, or put them inside.",
        alone_with_reference,
    ),
    Rule(
        "resource-named",
        "info",
        "The request says which API the access token is for",
        "RFC 8707 §2; RFC 9700 §2.3",
        "Send the resource if the server takes it. An MCP client must.",
        resource_named,
    ),
)
"""Rules for parameters that are signed, pushed, JSON or a URI."""
