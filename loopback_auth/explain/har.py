"""Reads HTTP archives (HAR), as the developer tools of browsers export them, into our messages.

The result still has every secret and is only for `capture`. Members that are not needed are ignored. A
needed member of the wrong type is an error, which names its place and quotes no value. A missing or null
member counts as empty where writers leave it out: one request without a response must not cost the whole
recording. User name and password in an address are removed.

Source: http://www.softwareishard.com/blog/har-12-spec/; Chromium leaves fragments out of addresses and,
by default, Authorization and cookies; Firefox leaves out what is undefined; Playwright gives
what was not answered the status -1.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NoReturn
from urllib.parse import parse_qsl, urlencode

from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.narrow import is_list, is_object
from loopback_auth.trace.records import Headers

LIMIT = 50_000_000
"""Bytes that an archive may have."""
BODY_LIMIT = 1_000_000
"""Characters of a body; a longer one is not a message of a sign-in."""
MAX_MILLISECONDS = 1e15
"""A larger number of milliseconds is not a time."""
BROWSERS = ("webinspector", "firefox")
"""Names in an archive of the browsers that wrote it."""
COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04")
"""First bytes of compressed files: gzip, zip."""

_USER = re.compile(r"^(https?://)[^/?#]*@", re.IGNORECASE)
_HINT = "Export it again: in the browser's developer tools, open Network and save all as HAR with content."


@dataclass(frozen=True, slots=True)
class Entry:
    """One request in an archive, with its response.

    Args:
        at: when the request began, in Unix seconds.
        seconds: from the request to the end of the response.
        request: with every secret.
        answer: the response, with every secret; None when there was none.
        by_browser: a browser sent the request.
        navigates: the request changes what the address bar shows.
        page: ID of the page under which the archive has it.
        notes: the members that an archive of this program adds, by names without their underscores.
    """

    at: float
    seconds: float
    request: HttpRequest
    answer: HttpResponse | None
    by_browser: bool
    navigates: bool
    page: str = ""
    notes: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)


@dataclass(frozen=True, slots=True)
class Archive:
    """The content of an archive.

    Args:
        entries: in order of time.
        flows: name of the flow by ID of the page; only in an archive that this program wrote.
    """

    entries: tuple[Entry, ...]
    flows: Mapping[str, str]


def read_archive(content: bytes) -> Archive:
    """Read an archive.

    Raises:
        ConfigError: the file is too large, compressed, or not an HTTP archive.
    """
    if len(content) > LIMIT:
        raise ConfigError(
            f"The archive is larger than {LIMIT // 1_000_000} MB.",
            hint="Record again, and record only the sign-in.",
        )
    if content.startswith(COMPRESSED):
        raise ConfigError(
            "This archive is compressed.",
            hint="Unpack it with gunzip or unzip, then pass the .har file.",
        )
    try:
        root = json.loads(content.decode("utf-8-sig"), parse_constant=_constant)
    except (ValueError, RecursionError):
        raise _invalid("it is not valid JSON") from None
    log = _object(_object(root, "the file").get("log"), "log")
    if not _text(log.get("version", "1.2"), "log.version").startswith("1."):
        raise _invalid("log.version is not 1.2")
    creator = log.get("browser") or log.get("creator")
    named = str(_object(creator or dict[str, object](), "log.creator").get("name", "")).lower()
    listed = _list(log.get("entries"), "log.entries")
    found = (_entry(one, f"log.entries[{at}]", browser=named in BROWSERS) for at, one in enumerate(listed))
    entries = sorted((one for one in found if one is not None), key=lambda one: one.at)
    return Archive(tuple(entries), _flows(log) if named == "loopback_auth" else {})


def _flows(log: Mapping[str, object]) -> dict[str, str]:
    pages = [_object(one, "log.pages[]") for one in _list(log.get("pages", []), "log.pages")]
    return {str(page.get("id", "")): _text(page.get("title"), "log.pages[].title") for page in pages}


def _entry(value: object, where: str, *, browser: bool) -> Entry | None:
    """Read one entry; None when it is not HTTP, such as a data URL."""
    members = _object(value, where)
    asked = _object(members.get("request"), f"{where}.request")
    if not _text(asked.get("url"), f"{where}.request.url").lower().startswith(("http://", "https://")):
        return None
    request = _request(asked, f"{where}.request")
    by_browser = browser or _is_browser(request)
    kind = str(members.get("_resourceType", "")).lower()
    navigates = kind == "document" or request.header("sec-fetch-mode") == "navigate"
    return Entry(
        at=_moment(members.get("startedDateTime"), f"{where}.startedDateTime"),
        seconds=max(_number(members.get("time") or 0, f"{where}.time") / 1000, 0.0),
        request=request,
        answer=_answer(_object(members.get("response") or {}, f"{where}.response"), f"{where}.response"),
        by_browser=by_browser,
        navigates=navigates,
        page=str(members.get("pageref", "")),
        notes={name[1:]: one for name, one in members.items() if name.startswith("_")},
    )


def _request(members: Mapping[str, object], where: str) -> HttpRequest:
    method = _text(members.get("method"), f"{where}.method").upper()
    url = _USER.sub(r"\1", _text(members.get("url"), f"{where}.url"))
    headers = _headers(members.get("headers"), f"{where}.headers")
    if members.get("postData") is None:
        return HttpRequest(method, url, headers)
    posted = _object(members["postData"], f"{where}.postData")
    kind = _text(posted.get("mimeType") or "", f"{where}.postData.mimeType")
    text = _text(posted.get("text") or "", f"{where}.postData.text")
    if not text and posted.get("params"):
        kind, text = FORM, urlencode(_pairs(posted["params"], f"{where}.postData.params"))
    return HttpRequest(method, url, _completed(headers, "Content-Type", kind), _bounded(text))


def _answer(members: Mapping[str, object], where: str) -> HttpResponse | None:
    status = members.get("status") or 0
    if type(status) is not int or not -1 <= status <= 999:
        raise _invalid(f"{where}.status is not an HTTP status")
    if status <= 0:
        return None
    headers = _headers(members.get("headers"), f"{where}.headers")
    content = _object(members.get("content") or {}, f"{where}.content")
    headers = _completed(headers, "Location", members.get("redirectURL"))
    headers = _completed(headers, "Content-Type", content.get("mimeType"))
    text = _text(content.get("text") or "", f"{where}.content.text")
    if content.get("encoding") == "base64":
        return _as_json(HttpResponse(status, headers, _decoded(text, where)))
    return _as_json(HttpResponse(status, headers, _bounded(text)))


def _as_json(answer: HttpResponse) -> HttpResponse:
    """Turn a form into JSON: GitHub answers with a form when a client does not ask for JSON."""
    if answer.header("content-type").partition(";")[0].strip().lower() != FORM:
        return answer
    headers = tuple(pair for pair in answer.headers if pair[0].lower() != "content-type")
    members = dict(parse_qsl(answer.body.decode("utf-8", "replace"), keep_blank_values=True))
    return replace(
        answer, headers=(*headers, ("Content-Type", "application/json")), body=json.dumps(members).encode()
    )


def _completed(headers: Headers, name: str, value: object) -> Headers:
    """Add a header that the archive has elsewhere, unless it is among the headers."""
    if not isinstance(value, str) or not value or any(key.lower() == name.lower() for key, _ in headers):
        return headers
    return (*headers, (name, value))


def _decoded(text: str, where: str) -> bytes:
    if len(text) > BODY_LIMIT:
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise _invalid(f"{where}.content.text is not valid base64") from None


def _bounded(text: str) -> bytes:
    return text.encode("utf-8", "replace") if len(text) <= BODY_LIMIT else b""


def _is_browser(request: HttpRequest) -> bool:
    names = {name.lower() for name, _ in request.headers}
    return "sec-fetch-mode" in names or request.header("user-agent").startswith("Mozilla/")


def _headers(value: object, where: str) -> Headers:
    # HTTP/2 has fields such as :authority, which repeat the address.
    return tuple(pair for pair in _pairs(value, where) if not pair[0].startswith(":"))


def _pairs(value: object, where: str) -> list[tuple[str, str]]:
    pairs = [_object(one, f"{where}[]") for one in _list([] if value is None else value, where)]
    return [
        (_text(one.get("name"), f"{where}[].name"), _text(one.get("value") or "", f"{where}[].value"))
        for one in pairs
    ]


def _moment(value: object, where: str) -> float:
    try:
        return datetime.fromisoformat(_text(value, where)).timestamp()
    except (ValueError, OverflowError):
        raise _invalid(f"{where} is not a date") from None


def _number(value: object, where: str) -> float:
    # Comparisons take whole numbers of any length, and are false for NaN.
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not -MAX_MILLISECONDS < value < MAX_MILLISECONDS
    ):
        raise _invalid(f"{where} is not a number")
    return float(value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _invalid(f"{where} is not a string")
    return value


def _list(value: object, where: str) -> list[object]:
    if not is_list(value):
        raise _invalid(f"{where} is not a list")
    return value


def _object(value: object, where: str) -> Mapping[str, object]:
    if not is_object(value):
        raise _invalid(f"{where} is not a JSON object")
    return value


def _constant(_name: str) -> NoReturn:
    raise ValueError


def _invalid(what: str) -> ConfigError:
    return ConfigError(f"This is not an HTTP archive: {what}.", hint=_HINT)
