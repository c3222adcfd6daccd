"""The simulated user agent: where it goes, what it fills in, what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from loopback_auth.demo.agent import browse
from loopback_auth.errors import ConfigError, MalformedResponse
from loopback_auth.model import HttpRequest, HttpResponse

START = "http://127.0.0.1:8000/start"
HTML = ("Content-Type", "text/html; charset=utf-8")
LAST = HttpResponse(200, (HTML,), b"<p>Done")

World = Callable[[HttpRequest], HttpResponse]


def visits(*responses: HttpResponse, account: str = "", start: str = START) -> list[HttpRequest]:
    """Browse through prepared responses and a last page; return what was requested."""
    agent = browse(start, account=account)
    requests = [next(agent)]
    for response in responses:
        requests.append(agent.send(response))
    with pytest.raises(StopIteration) as end:
        agent.send(LAST)
    assert end.value.value is LAST
    return requests


def redirect(status: int, location: str) -> HttpResponse:
    """Answer with a redirect."""
    return HttpResponse(status, (("Location", location),))


def page(form: str, *headers: tuple[str, str]) -> HttpResponse:
    """Answer with a page."""
    return HttpResponse(200, (HTML, *headers), f"<main>{form}</main>".encode())


def site(request: HttpRequest) -> tuple[str, str, str]:
    """Name what a server judges a navigation by."""
    return request.method, request.header("sec-fetch-site"), request.header("origin")


POST = (
    '<form method="POST" action="{}"><input type="hidden" name="a" value="&lt;1&gt;">'
    "<button>Go</button></form>"
)


def test_first_request_is_a_typed_address() -> None:
    """A browser that was given an address says that no page sent it (Fetch Metadata §2)."""
    (first,) = visits()

    assert (first.method, first.url) == ("GET", START)
    assert site(first) == ("GET", "none", "")
    assert first.header("host") == "127.0.0.1:8000"
    assert (first.header("sec-fetch-mode"), first.header("sec-fetch-dest")) == ("navigate", "document")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/next?x=1", "http://127.0.0.1:8000/next?x=1"),
        ("next", "http://127.0.0.1:8000/next"),
        ("https://a.example/?state=%41", "https://a.example/?state=%41"),
        ("https://a.example/#fragment", "https://a.example/"),
    ],
)
def test_redirect_is_followed_to_the_letter(location: str, url: str) -> None:
    """Relative addresses are resolved, absolute ones are left as they are (RFC 9110 §10.2.2)."""
    assert visits(redirect(303, location))[-1].url == url


def test_chain_from_a_typed_address_stays_without_site() -> None:
    """Redirects do not turn a typed address into a link (Fetch Metadata §2.2)."""
    last = visits(redirect(302, "https://a.example/"), redirect(302, START))[-1]

    assert site(last) == ("GET", "none", "")


@pytest.mark.parametrize(
    ("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")]
)
def test_only_307_and_308_repeat_a_post(status: int, method: str) -> None:
    """A form must not be sent on by the other redirects (RFC 9110 §15.4, RFC 9700 §4.12)."""
    last = visits(page(POST.format("/form")), redirect(status, "/next"))[-1]

    assert (last.method, last.body) == (method, b"a=%3C1%3E" if method == "POST" else b"")


@pytest.mark.parametrize(
    ("action", "headers", "expected"),
    [
        ("/x", (), ("POST", "same-origin", "http://127.0.0.1:8000")),
        ("/x", (("Referrer-Policy", "no-referrer"),), ("POST", "same-origin", "null")),
        ("http://127.0.0.1:9/", (), ("POST", "same-site", "http://127.0.0.1:8000")),
        ("http://localhost:8000/", (), ("POST", "cross-site", "http://127.0.0.1:8000")),
        ("", (), ("POST", "same-origin", "http://127.0.0.1:8000")),
    ],
)
def test_form_says_where_it_comes_from(
    action: str, headers: tuple[tuple[str, str], ...], expected: tuple[str, str, str]
) -> None:
    """Servers tell forged forms by these headers (Fetch §3.2, Fetch Metadata §2.2)."""
    assert site(visits(page(POST.format(action), *headers))[-1]) == expected


def test_form_from_https_to_http_hides_its_origin() -> None:
    """This is how a real provider posts to a loopback receiver (Fetch §3.2)."""
    last = visits(page(POST.format("http://127.0.0.1:9/cb")), start="https://a.example/")[-1]

    assert site(last) == ("POST", "cross-site", "null")


def test_redirects_after_a_form_remember_the_farthest_site() -> None:
    """A detour over another site cannot be hidden by coming back (Fetch Metadata §2.2)."""
    steps = visits(page(POST.format("/x")), redirect(303, "https://a.example/"), redirect(303, START))

    assert [site(step)[1] for step in steps] == ["none", "same-origin", "cross-site", "cross-site"]


def test_repeated_post_elsewhere_hides_its_origin() -> None:
    """A form sent on to a stranger does not carry the name of the page (Fetch §3.2)."""
    last = visits(page(POST.format("/x")), redirect(307, "https://a.example/"))[-1]

    assert site(last) == ("POST", "cross-site", "null")


ACCOUNTS = (
    '<form method="post" action="/x"><label><input type="radio" name="who" value="1"><b>One</b></label>'
    '<label><input type="radio" name="who" value="2" checked>Two</label>'
    '<button type="button" name="help">Help</button>'
    '<button name="decision" value="deny">No</button>'
    '<button name="decision" value="approve">Yes</button></form>'
)


@pytest.mark.parametrize(("account", "chosen"), [("", "2"), ("1", "1"), ("One", "1"), ("Two", "2")])
def test_account_is_chosen_by_value_or_label(account: str, chosen: str) -> None:
    """A caller knows accounts by what the page shows."""
    last = visits(page(ACCOUNTS), account=account)[-1]

    assert parse_qsl(last.body.decode()) == [("who", chosen), ("decision", "approve")]


def test_account_that_is_not_offered_is_an_error() -> None:
    """Signing in as somebody else would be worse than stopping."""
    with pytest.raises(ConfigError):
        visits(page(ACCOUNTS), account="Three")


def test_denial_presses_the_other_button() -> None:
    """The agent can play the person who says no."""
    agent = browse(START, decision="deny")
    next(agent)

    assert agent.send(page(ACCOUNTS)).body == b"who=2&decision=deny"


@pytest.mark.parametrize(
    "last",
    [
        page('<form method="get" action="/search"><button>Search</button></form>'),
        HttpResponse(200, (("Content-Type", "text/plain"),), POST.encode()),
        HttpResponse(500, (HTML,), b"<h1>Sorry"),
        HttpResponse(303, (), b"no location"),
        redirect(303, "com.example.app:/callback?code=x"),
        redirect(200, "/elsewhere"),
    ],
)
def test_page_that_asks_for_nothing_is_the_last(last: HttpResponse) -> None:
    """The agent stops where a person would have nothing left to press."""
    agent = browse(START)
    next(agent)
    with pytest.raises(StopIteration) as end:
        agent.send(last)

    assert end.value.value is last


def test_endless_redirects_end() -> None:
    """A loop between servers must not become an endless test."""
    with pytest.raises(MalformedResponse, match="20 requests"):
        visits(*[redirect(303, START)] * 20)


@pytest.mark.parametrize("response", [redirect(303, "http://[::1/"), page(POST.format("http://[::1/"))])
def test_unreadable_address_is_reported(response: HttpResponse) -> None:
    """A broken address is the server's mistake, and an error of ours."""
    agent = browse(START)
    next(agent)
    with pytest.raises(MalformedResponse):
        agent.send(response)
