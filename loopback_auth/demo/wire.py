"""Read the requests to the demo server strictly, and write its answers.

A value that is not UTF-8, or that contains a control character, makes the whole request unreadable (RFC 6749
appendix A); an empty value counts as missing, and a repeated one is reported (RFC 6749 §3.1). This module
refuses to know about clients, accounts and tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.narrow import is_object

BODY_LIMIT = 64 * 1024
FIELD_LIMIT = 64

JSON_HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
)


class Refused(Exception):
    """The request is refused; never leaves the demo server.

    Args:
        error: the code as on the wire.
        description: one constant sentence: nothing that the caller sent, no quote, no backslash.
        status: HTTP status for answers in JSON.
        challenge: value of `WWW-Authenticate`; empty: none.
    """

    def __init__(self, error: str, description: str, *, status: int = 400, challenge: str = "") -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
        self.challenge = challenge


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request.

    Args:
        values: by name; of a repeated parameter the first value.
        repeated: names that came more than once.
        resource: all values of the only parameter that may repeat (RFC 8707 §2).
    """

    values: Mapping[str, str] = field(repr=False)
    repeated: frozenset[str]
    resource: tuple[str, ...]

    def get(self, name: str) -> str:
        """Return the value of a parameter, empty when it is absent."""
        return self.values.get(name, "")

    def once(self) -> Parameters:
        """Return the parameters, provided that none is repeated.

        Source: RFC 6749 §3.1, §3.2.
        """
        if self.repeated:
            raise Refused("invalid_request", "A parameter is sent more than once.")
        return self


def read_parameters(text: str) -> Parameters:
    """Read a query string or a form body.

    Source: RFC 6749 §3.1, appendix A and B.
    """
    try:
        pairs = parse_qsl(text, max_num_fields=FIELD_LIMIT, errors="strict")
    except ValueError:
        raise Refused("invalid_request", "The parameters cannot be decoded, or are too many.") from None
    values: dict[str, str] = {}
    repeated: set[str] = set()
    resource: list[str] = []
    for name, value in pairs:
        if not value.isprintable():
            raise Refused("invalid_request", "A parameter holds a control character.")
        if name == "resource":
            resource.append(value)
        elif name in values:
            repeated.add(name)
        else:
            values[name] = value
    return Parameters(values, frozenset(repeated), tuple(resource))


def turned_away(request: HttpRequest, target: str, authority: str) -> HttpResponse | None:
    """Refuse a malformed request, or one for another server; None: it is neither.

    Args:
        request: as it came in.
        target: of the request, below the server.
        authority: host and port of the server.

    Source: RFC 9110 §7.2, §7.4, §15.5.14.
    """
    hosts = request.values("host")
    if len(hosts) > 1:
        return text_reply(400, "There must be one Host header.")
    # A page that rebinds its name to 127.0.0.1 gives itself away here
    if hosts and hosts[0].lower() != authority.lower():
        return text_reply(421, "This server has another name.")
    if not target.startswith("/"):
        return text_reply(421, "This server is not a proxy.")
    if not target.isascii() or "#" in target:
        return text_reply(400, "The request target is malformed.")
    if len(request.body) > BODY_LIMIT:
        return text_reply(413, "The body is too large.")
    return None


def query_of(target: str) -> str:
    """Return the query of a request target, empty when it has none."""
    return target.partition("?")[2]


def form_parameters(request: HttpRequest) -> Parameters:
    """Read the form in the body of a POST.

    Source: RFC 6749 §4.1.3, appendix B.
    """
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise Refused("invalid_request", f"The body must be {FORM}.")
    try:
        return read_parameters(request.body.decode("ascii"))
    except UnicodeDecodeError:
        raise Refused("invalid_request", "The body holds bytes that must be percent-encoded.") from None


def json_members(request: HttpRequest) -> Mapping[str, object]:
    """Read the JSON object in the body of a request; empty without a body.

    Source: RFC 8259 §4, §8.1.
    """
    if not request.body:
        return {}
    if request.header("content-type").partition(";")[0].strip().lower() != "application/json":
        raise Refused("invalid_request", "The body must be application/json.", status=415)
    try:
        document = json.loads(request.body.decode("utf-8"))
    except (ValueError, RecursionError):
        document = None
    if not is_object(document):
        raise Refused("invalid_request", "The body is not a JSON object.")
    return document


def string_member(members: Mapping[str, object], name: str) -> str:
    """Return a member that is a string; empty when it is missing or of another type."""
    value = members.get(name)
    return value if isinstance(value, str) else ""


def bearer_token(request: HttpRequest) -> str:
    """Return the token of an `Authorization: Bearer` header; empty without exactly one (RFC 6750 §2.1)."""
    scheme, token = credentials(request)
    return token if scheme == "bearer" else ""


def credentials(request: HttpRequest) -> tuple[str, str]:
    """Return the scheme of the `Authorization` header in lower case, and its token; empty if there are two.

    Source: RFC 9110 §11.4; RFC 6750 §2.1; RFC 9449 §7.1.
    """
    scheme, _, token = request.header("authorization").partition(" ")
    return scheme.lower(), token if len(request.values("authorization")) == 1 else ""


def json_reply(document: Mapping[str, object], status: int = 200) -> HttpResponse:
    """Answer with a JSON object that must not be cached."""
    return HttpResponse(status, JSON_HEADERS, json.dumps(document).encode("ascii"))


def error_reply(refused: Refused) -> HttpResponse:
    """Answer with an error in JSON.

    Source: RFC 6749 §5.2.
    """
    document = {"error": refused.error, "error_description": refused.description}
    reply = json_reply(document, refused.status)
    if not refused.challenge:
        return reply
    return HttpResponse(reply.status, (*reply.headers, ("WWW-Authenticate", refused.challenge)), reply.body)


def challenged(response: HttpResponse, challenge: str) -> HttpResponse:
    """Put another challenge in place of the one of a refusal; other answers have none."""
    if not response.header("www-authenticate"):
        return response
    kept = [pair for pair in response.headers if pair[0] != "WWW-Authenticate"]
    return HttpResponse(response.status, (*kept, ("WWW-Authenticate", challenge)), response.body)


def text_reply(status: int, text: str, *headers: tuple[str, str]) -> HttpResponse:
    """Answer with one plain sentence."""
    fixed = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
    return HttpResponse(status, fixed + headers, text.encode())


def with_query(url: str, parameters: Sequence[tuple[str, str]]) -> str:
    """Add parameters to a URL that may have a query and has no fragment, leaving the rest untouched."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def with_fragment(url: str, parameters: Sequence[tuple[str, str]], mark: str = "") -> str:
    """Add parameters as the fragment of a URL that has none; `mark` stands before them."""
    return f"{url}#{mark}{urlencode(parameters)}"
