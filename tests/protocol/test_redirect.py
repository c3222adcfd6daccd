"""Which requests at our port are the callback, and which are turned away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import ATTEMPT, METADATA, PROPERTY, asked

from loopback_auth.authorization_messages import Callback
from loopback_auth.http_messages import FORM, HttpRequest
from loopback_auth.protocol.parameters import BODY_LIMIT, FIELD_LIMIT, parse_parameters
from loopback_auth.protocol.redirect import (
    NOTHING_HERE,
    RedirectEndpoint,
    RelayPage,
    Repeated,
    TurnedAway,
    admission,
    error_in_callback,
    redirect_endpoint,
    start_page,
)
from loopback_auth.protocol.response import DECISIVE

AUTHORITY = "127.0.0.1:49152"
BY_QUERY = RedirectEndpoint(AUTHORITY, "/callback", asked())
BY_FORM = replace(
    BY_QUERY, request=asked(metadata=replace(METADATA, response_modes_supported=("form_post",)))
)
GOOD = f"code=x&state={ATTEMPT.state}"
HOST = ("Host", AUTHORITY)
FORM_TYPE = ("Content-Type", FORM)


def get(
    query: str = GOOD, *headers: tuple[str, str], path: str = "/callback", method: str = "GET"
) -> HttpRequest:
    """Make a request as a browser would, with further headers."""
    return HttpRequest(method, f"{path}?{query}", (HOST, *headers))


def post(body: bytes = GOOD.encode(), *headers: tuple[str, str], url: str = "/callback") -> HttpRequest:
    """Send a form as a page of the authorization server would."""
    return HttpRequest("POST", url, (HOST, *(headers or (FORM_TYPE,))), body)


def status(endpoint: RedirectEndpoint, request: HttpRequest) -> int:
    """Tell how a request is turned away; 0 when it is the callback."""
    verdict = redirect_endpoint(endpoint, request)
    return verdict.status if isinstance(verdict, TurnedAway) else 0


def test_callback_by_query_is_taken() -> None:
    """RFC 6749 §4.1.2, with the headers that Chromium sends after a redirect."""
    headers = (
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
    )

    callback = redirect_endpoint(BY_QUERY, get("code=a%20b%2Bc+d&iss=&state=" + ATTEMPT.state, *headers))

    assert callback == Callback((("code", "a b+c d"), ("iss", ""), ("state", ATTEMPT.state)), "query")
    assert ATTEMPT.state not in repr(callback)


@pytest.mark.parametrize("origin", ["null", "https://as.example", None])
def test_callback_by_form_is_taken_whatever_its_origin(origin: str | None) -> None:
    """A page without referrer posts with `Origin: null`; what protects us is the state."""
    headers = [("Content-Type", f"{FORM}; charset=UTF-8"), *([("Origin", origin)] if origin else [])]

    callback = redirect_endpoint(
        BY_FORM, post(GOOD.encode(), *headers, url="/callback?code=other&state=other")
    )

    assert callback == Callback((("code", "x"), ("state", ATTEMPT.state)), "form_post")


def test_answer_by_query_is_let_through_where_a_form_was_asked_for() -> None:
    """The judgement that follows says so to the person; waiting on would say nothing."""
    assert isinstance(redirect_endpoint(BY_FORM, get()), Callback)


@pytest.mark.parametrize(
    "query",
    [
        "code=x&state=bad",
        "code=x",
        "",
        "error=access_denied",
        "error=access_denied&state=bad",
        "code=x&state=",
        f"code=x&State={ATTEMPT.state}",
        f"code=x&state={ATTEMPT.state}x",
        f"code=x&state={ATTEMPT.state[:-1]}",
        f"code=x&state=%20{ATTEMPT.state}",
        f"{GOOD}&state={ATTEMPT.state}",
        f"{GOOD}&state=bad",
        f"code=x;state={ATTEMPT.state}",
        f"code=x&state={ATTEMPT.state};",
        f"{GOOD}&iss=%00",
        f"{GOOD}&iss=%0a",
        f"{GOOD}&error=%7f",
        f"{GOOD}&error=%0d%0a",
        f"{GOOD}&scope=%ff",
        f"{GOOD}&iss=%c0%80",
        f"{GOOD}&iss=%ed%a0%80",
        f"{GOOD}&iss=\udcff",
        f"code=%ff&state={ATTEMPT.state}",
        f"code=x&state={ATTEMPT.state}%ff",
        GOOD + "&a=1" * (FIELD_LIMIT - 1),
        GOOD + "&a=" + "1" * BODY_LIMIT,
    ],
)
def test_navigation_without_our_state_is_turned_away_as_forged(query: str) -> None:
    """Whatever page sent it, the sign-in goes on waiting (RFC 8252 §8.9, CVE-2026-42073)."""
    verdict = redirect_endpoint(BY_QUERY, get(query))

    assert isinstance(verdict, TurnedAway)
    assert (verdict.status, verdict.forged) == (400, True)
    assert status(BY_FORM, post(query.encode("utf-8", "surrogatepass"))) == 400


def test_target_that_no_bytes_can_be_is_turned_away() -> None:
    """Half of a surrogate pair has no encoding; a foreign error here would take the listener down."""
    assert status(BY_QUERY, get(f"{GOOD}&iss=" + chr(0xD800))) == 400


@pytest.mark.parametrize(
    ("field", "read"),
    [
        ("name=Andr%E9", ("name", "Andr\ufffd")),
        ("name=Andr\udce9", ("name", "Andr\ufffd")),
        ("x=%00%0a%7f", ("x", "\ufffd\n\ufffd")),
        ("x%0d=1", ("x\ufffd", "1")),
        ("iss%ff=1", ("iss\ufffd", "1")),
        ("error_description%0a=1", ("error_description\ufffd", "1")),
        ("error_uri=%ff", ("error_uri", "\ufffd")),
        ("error_description=D%E9sol%E9", ("error_description", "D\ufffdsol\ufffd")),
        ("error_description=%1b[31m", ("error_description", "\ufffd[31m")),
        ("error_description=AADSTS65004%3a+no.%0d%0a", ("error_description", "AADSTS65004: no.\r\n")),
        ("x=" + chr(0xD800), ("x", "\ufffd" * 3)),
    ],
)
def test_what_decides_nothing_cannot_spoil_the_answer(field: str, read: tuple[str, str]) -> None:
    """RFC 6749 §4.1.2: unrecognized parameters MUST be ignored; a description is optional (§4.1.2.1)."""
    callback = redirect_endpoint(BY_QUERY, get(f"{GOOD}&{field}"))

    assert isinstance(callback, Callback)
    assert callback.parameters[-1] == read


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("HEAD", 405),
        ("OPTIONS", 405),
        ("PUT", 405),
        ("DELETE", 405),
        ("TRACE", 405),
        ("get", 405),
        ("POST", 405),
    ],
)
def test_other_methods_are_turned_away(method: str, expected: int) -> None:
    """A link preview's HEAD or a preflight's OPTIONS must not use up the code (RFC 9110 §9.2.1)."""
    assert status(BY_QUERY, get(method=method)) == expected


def test_body_of_an_unexpected_post_is_not_asked_for() -> None:
    """A log-in form redirected with 307 would deliver the person's password (RFC 9700 §4.12)."""
    head = HttpRequest("POST", "/callback", (HOST, FORM_TYPE))

    refusal = admission(BY_QUERY, head)

    assert refusal is not None
    assert refusal.status == 405
    assert admission(BY_FORM, head) is None


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data; boundary=x", "application/json"]
)
def test_post_that_is_no_form_is_turned_away(content_type: str) -> None:
    """Form Post Response Mode §2 fixes the type."""
    assert status(BY_FORM, post(GOOD.encode(), ("Content-Type", content_type))) == 415


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["evil.example:49152"],
        ["127.0.0.1"],
        ["127.0.0.1:49153"],
        ["localhost:49152"],
        ["127.0.0.1.nip.example:49152"],
        ["127.0.0.1:49152 "],
        ["127.0.0.1:49152", "127.0.0.1:49152"],
        ["127.0.0.1:49152", "evil.example"],
    ],
)
def test_request_under_another_name_is_turned_away(hosts: list[str]) -> None:
    """A page that rebinds its own name to 127.0.0.1 gives itself away here (CVE-2022-41924)."""
    request = HttpRequest("GET", f"/callback?{GOOD}", tuple(("Host", host) for host in hosts))

    assert status(BY_QUERY, request) == 421


@pytest.mark.parametrize("target", ["http://evil.example/callback", "*", "127.0.0.1:80", "callback", ""])
def test_target_that_is_no_path_is_turned_away(target: str) -> None:
    """The absolute form names another host than the Host header (RFC 9112 §3.2.2)."""
    assert status(BY_QUERY, HttpRequest("GET", f"{target}?{GOOD}", (HOST,))) == 400


@pytest.mark.parametrize(
    "path", ["/", "/callback/", "//callback", "/Callback", "/%63allback", "/callback#", "/favicon.ico"]
)
def test_only_the_exact_path_is_answered(path: str) -> None:
    """Nothing else exists here, however it is spelled (CVE-2026-55837)."""
    assert redirect_endpoint(BY_QUERY, get(path=path)) == NOTHING_HERE


def test_root_path_is_a_path() -> None:
    """A redirect URI without a path is asked for as `/` (RFC 9112 §3.2.1)."""
    assert isinstance(redirect_endpoint(replace(BY_QUERY, path=""), get(path="/")), Callback)


@pytest.mark.parametrize(
    "header",
    [
        ("Sec-Fetch-Mode", "no-cors"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Mode", "websocket"),
        ("Sec-Fetch-Dest", "image"),
        ("sec-fetch-dest", "iframe"),
        ("Sec-Fetch-Dest", "empty"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Sec-Purpose", "Prefetch"),
        ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"),
        ("X-Purpose", "preview"),
    ],
)
def test_request_that_no_person_made_is_turned_away(header: tuple[str, str]) -> None:
    """Images, scripts and prefetches must not use up the code (Fetch Metadata)."""
    assert status(BY_QUERY, get(GOOD, header)) == 403


@pytest.mark.parametrize("site", ["none", "same-site", "cross-site"])
def test_site_does_not_matter(site: str) -> None:
    """A genuine redirect says any of these, depending on how the person came along."""
    assert status(BY_QUERY, get(GOOD, ("Sec-Fetch-Site", site))) == 0


def test_second_answer_is_gone() -> None:
    """The first callback is the only one (RFC 9700 §4.2.4); a stranger learns nothing from that."""
    answered = replace(BY_QUERY, answered=True)

    assert status(answered, get()) == 410
    assert status(answered, get("code=x&state=bad")) == 400


def test_nothing_is_a_callback_before_the_browser_was_sent_away() -> None:
    """There is no state yet that anybody could know."""
    assert redirect_endpoint(replace(BY_QUERY, request=None), get()) == NOTHING_HERE


@pytest.mark.parametrize(
    ("request_", "used", "expected"),
    [
        (get("", path="/key"), False, 0),
        (HttpRequest("GET", "/key", (HOST,)), False, 0),
        (get("", path="/key"), True, 410),
        (get("", path="/other"), False, 404),
        (get("", path="/"), False, 404),
        (get("", path="/key/"), False, 404),
        (get("", path="/key", method="HEAD"), False, 405),
        (get("", ("Sec-Fetch-Dest", "image"), path="/key"), False, 403),
        (get("", ("Sec-Purpose", "prefetch"), path="/key"), False, 403),
        (HttpRequest("GET", "/key", (("Host", "evil.example"),)), False, 421),
    ],
)
def test_start_page_opens_once_and_to_navigations_only(
    request_: HttpRequest, used: bool, expected: int
) -> None:
    """Behind it is the authorization URL, and in that the state."""
    refusal = start_page(request_, authority=AUTHORITY, key="key", used=used)

    assert (refusal.status if refusal else 0) == expected


def test_reasons_are_words_of_ours() -> None:
    """They are shown in a page, so nothing of the request is in them (RFC 9700 §4.2.4)."""
    verdict = redirect_endpoint(BY_QUERY, get("code=<script>&state=<script>"))

    assert isinstance(verdict, TurnedAway)
    assert "script" not in repr(verdict)


NAMES = st.sampled_from(["state", "code", "iss", "error", "error_description", "foo"]) | st.text(max_size=4)
VALUES = st.sampled_from([ATTEMPT.state, "x", ""]) | st.text(max_size=6)
ENCODED = st.lists(st.tuples(NAMES, VALUES), max_size=5).map(
    lambda pairs: urlencode(pairs, errors="surrogatepass").encode()
)
RAW = st.lists(
    st.sampled_from(
        [b"&", b"=", b"+", b"%", b"%2", b"%26", b";", b"?", b"#", b"\x00", b"\xff", b"state", b"code"]
    )
    | st.just(ATTEMPT.state.encode())
    | st.binary(max_size=4),
    max_size=8,
).map(b"".join)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Host", "Content-Type", "Sec-Fetch-Mode", "Sec-Purpose"]),
        st.sampled_from([AUTHORITY, FORM, "navigate", "prefetch"]) | st.text(max_size=4),
    ),
    max_size=3,
)


@pytest.mark.slow
@PROPERTY
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "\x00"]),
    target=st.one_of(
        st.builds(lambda query: "/callback?" + query.decode("utf-8", "surrogateescape"), ENCODED | RAW),
        st.text(st.characters(), max_size=10),
    ),
    headers=st.one_of(HEADERS, st.just([HOST, FORM_TYPE]), st.just([HOST, FORM_TYPE])),
    body=ENCODED | RAW,
    endpoint=st.sampled_from(
        [BY_QUERY, BY_FORM, replace(BY_QUERY, answered=True), replace(BY_FORM, request=None)]
    ),
)
def test_no_request_raises_and_no_callback_lacks_our_state(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes, endpoint: RedirectEndpoint
) -> None:
    """Anybody may send anything to this port."""
    verdict = redirect_endpoint(endpoint, HttpRequest(method, target, tuple(headers), body))

    if isinstance(verdict, Callback):
        assert [value for name, value in verdict.parameters if name == "state" and value] == [ATTEMPT.state]
        assert endpoint.request is not None
        assert not endpoint.answered
    else:
        assert isinstance(verdict, TurnedAway)
        assert 400 <= verdict.status < 500


@pytest.mark.parametrize(
    ("query", "why", "error"),
    [
        ("error=access_denied", "carried no state", "access_denied"),
        ("code=x", "carried no state", ""),
        ("code=x&state=other", "carried another state", ""),
        (f"{GOOD}&state=other", "carried more than one state", ""),
        (f"code=%ff&state={ATTEMPT.state}", "could not be read", ""),
        ("error=%E2%80%AEevil" + "x" * 500, "carried no state", "evil" + "x" * 75 + "…"),
    ],
)
def test_answer_that_is_turned_away_says_why(query: str, why: str, error: str) -> None:
    """The person who waits has to learn it, and a stranger's words are cut and cleaned."""
    verdict = redirect_endpoint(BY_QUERY, get(query))

    assert isinstance(verdict, TurnedAway)
    assert (verdict.why, error_in_callback(get(query))) == (why, error)


@pytest.mark.parametrize(
    "refusal",
    [
        get(method="HEAD"),
        get(GOOD, ("Sec-Fetch-Dest", "image")),
        get(GOOD, ("Sec-Purpose", "prefetch")),
        replace(get(), headers=(("Host", "localhost:1"),)),
    ],
)
def test_whatever_is_turned_away_at_the_redirect_uri_says_why(refusal: HttpRequest) -> None:
    """A server that answers to another name of this machine is a mistake that the person can mend."""
    verdict = admission(BY_QUERY, refusal)

    assert verdict is not None
    assert verdict.why


@dataclass(frozen=True)
class Stateless:
    """The request of a protocol that has no state."""

    state: None = None
    response_mode: str = "form_post"


@pytest.mark.parametrize("query", ["code=x", "ticket=x", "error=y"])
def test_protocol_without_a_state_takes_any_answer_once(query: str) -> None:
    """Its parameters are not ours to know; another answer is still something else."""
    endpoint = replace(BY_QUERY, request=Stateless(), relay_path="/relay", relay_token="x")
    callback = redirect_endpoint(endpoint, get(query))
    assert isinstance(callback, Callback)
    taken = replace(endpoint, answered=True, answer=callback)

    assert redirect_endpoint(taken, get(query)) == Repeated()
    assert status(taken, get("ticket=other")) == 410
    assert redirect_endpoint(endpoint, get("")) == RelayPage()
    assert status(endpoint, post(b"")) == 400


def test_request_with_an_empty_state_is_not_one_without() -> None:
    """A mistake of ours must not open the port to every page."""
    assert status(replace(BY_QUERY, request=replace(asked(), state="")), get("code=x&state=")) == 400
    assert status(replace(BY_QUERY, request=replace(asked(), state="")), get("code=x")) == 400


def test_same_answer_once_more_is_no_stranger() -> None:
    """A reload, or a browser that asks again by itself (RFC 9110 §9.2.2); another code is something else."""
    callback = redirect_endpoint(BY_QUERY, get())
    assert isinstance(callback, Callback)
    taken = replace(BY_QUERY, answered=True, answer=callback)
    other = redirect_endpoint(taken, get(f"code=y&state={ATTEMPT.state}"))

    assert redirect_endpoint(taken, get(f"{GOOD}&session_state=1")) == Repeated()
    assert isinstance(other, TurnedAway)
    assert (other.status, other.forged) == (410, True)
    assert status(replace(BY_QUERY, answered=True), get()) == 410


@pytest.mark.parametrize("endpoint", [BY_QUERY, BY_FORM])
def test_answer_in_the_fragment_is_fetched_whatever_was_asked_for(endpoint: RedirectEndpoint) -> None:
    """Some servers list form_post and answer by fragment; nobody would ever learn why nothing comes."""
    serving = replace(endpoint, relay_path="/relay", relay_token="t")
    ours = (FORM_TYPE, ("Origin", f"http://{AUTHORITY}"), ("X-Loopback-Relay", "t"))

    assert redirect_endpoint(serving, get("")) == RelayPage()
    assert redirect_endpoint(serving, get("iss=https://as.example")) == RelayPage()
    assert status(replace(serving, answered=True), get("")) == 410
    verdict = redirect_endpoint(serving, post(GOOD.encode(), *ours, url="/relay"))
    assert isinstance(verdict, Callback)
    assert verdict.via == "relay"


@pytest.mark.parametrize(
    "headers",
    [
        (("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Origin", "https://evil.example")),
        (("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),),
        (("Upgrade", "h2c"),),
        (("Origin", "null"),),
        (("Origin", "https://evil.example"),),
    ],
)
def test_connection_of_a_script_is_no_visit(headers: tuple[tuple[str, str], ...]) -> None:
    """Chromium sends a WebSocket handshake without Fetch Metadata; a visit by GET has no Origin."""
    start = start_page(get("", *headers, path="/key"), authority=AUTHORITY, key="key", used=False)

    assert status(BY_QUERY, get(GOOD, *headers)) == 403
    assert start is not None
    assert start.status == 403


@PROPERTY
@given(ENCODED | RAW | st.builds(lambda tail: f"{GOOD}&".encode() + tail, RAW))
def test_query_and_form_are_read_alike(raw: bytes) -> None:
    """Two parsers would be two opinions on what was sent."""
    by_query = redirect_endpoint(BY_QUERY, get(raw.decode("utf-8", "surrogateescape")))
    by_form = redirect_endpoint(BY_FORM, post(raw))

    if isinstance(by_form, Callback):
        assert isinstance(by_query, Callback)
        assert by_query.parameters == by_form.parameters
    else:
        assert by_query == by_form


@PROPERTY
@given(ENCODED | RAW)
def test_what_is_read_is_what_others_read(raw: bytes) -> None:
    """A server or proxy with the usual parser sees the same of what matters, if we accept any."""
    parameters = parse_parameters(raw)
    if parameters is None:
        return
    others = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)

    assert [pair for pair in parameters if pair[0] in DECISIVE] == [
        pair for pair in others if pair[0] in DECISIVE
    ]


@PROPERTY
@given(
    st.lists(
        st.tuples(st.text(st.characters(categories=["L", "N", "P", "Zs"])), st.text("a+ %&=é/;")), max_size=5
    )
)
def test_parameters_survive_encoding(pairs: list[tuple[str, str]]) -> None:
    """What a rule-abiding server encodes is read back unchanged, with `+` and with `%20` (appendix B)."""
    for via in (urlencode(pairs), urlencode(pairs, quote_via=quote)):
        assert list(parse_parameters(via.encode()) or ()) == pairs
