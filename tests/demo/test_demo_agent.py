"""The simulated user agent: where it goes, what it fills in, what it says of itself."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest

from loopback_auth.demo.agent import browse
from loopback_auth.errors import ConfigError, MalformedResponse
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.pages import Pages

START = "http://127.0.0.1:8000/start"
HTML = ("Content-Type", "text/html; charset=utf-8")
LAST = HttpResponse(200, (HTML,), b"<p>Done")

World = Callable[[HttpRequest], HttpResponse]


def visits(
    *responses: HttpResponse, account: str = "", start: str = START, user_code: str = ""
) -> list[HttpRequest]:
    """Browse through prepared responses and a last page; return what was requested."""
    agent = browse(start, account=account, user_code=user_code)
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
    """To sign in with another account would be worse than to stop."""
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


ENTER = '<form method="post" action="/device"><input name="user_code" value="{}"><button>Go</button></form>'


def test_code_is_entered_once() -> None:
    """A person who is asked again has nothing else to enter, and stops."""
    agent = browse(START, user_code="WDJB-MJHT")
    next(agent)
    entered = agent.send(page(ENTER.format("")))
    with pytest.raises(StopIteration) as end:
        agent.send(page(ENTER.format("")))

    assert (entered.url, entered.body) == ("http://127.0.0.1:8000/device", b"user_code=WDJB-MJHT")
    assert end.value.value.body


def test_code_that_is_there_already_is_kept() -> None:
    """The complete verification URI saves the typing (RFC 8628 §3.3.1)."""
    assert visits(page(ENTER.format("BCDF-GHJK")), user_code="")[-1].body == b"user_code=BCDF-GHJK"


def test_page_that_asks_for_an_unknown_code_is_the_last() -> None:
    """The agent does not guess."""
    agent = browse(START)
    next(agent)
    with pytest.raises(StopIteration):
        agent.send(page(ENTER.format("")))


CALLBACK = "http://127.0.0.1:51234/callback"
RELAY = Pages().relay(path="/relay/abc", token="secret of the page")


def test_fragment_is_relayed_as_the_script_does() -> None:
    """A fragment never travels by itself (RFC 9110 §7.1): the page sends it, and proves where it is from."""
    relayed = visits(redirect(303, f"{CALLBACK}#access_token=a%2Bb&state=s"), RELAY)

    assert [step.url for step in relayed] == [START, CALLBACK, "http://127.0.0.1:51234/relay/abc"]
    assert (relayed[-1].method, relayed[-1].body) == ("POST", b"access_token=a%2Bb&state=s")
    assert site(relayed[-1]) == ("POST", "same-origin", "http://127.0.0.1:51234")
    assert relayed[-1].header("content-type") == "application/x-www-form-urlencoded"
    assert relayed[-1].header("x-loopback-relay") == "secret of the page"
    assert (relayed[-1].header("sec-fetch-mode"), relayed[-1].header("sec-fetch-dest")) == (
        "cors",
        "empty",
    )


def test_question_mark_before_the_fragment_is_dropped() -> None:
    """Netlify writes one."""
    assert visits(redirect(303, f"{CALLBACK}#?state=s"), RELAY)[-1].body == b"state=s"


def test_page_without_fragment_relays_nothing() -> None:
    """There is nothing to send, and the person reads so."""
    agent = browse(CALLBACK)
    next(agent)
    with pytest.raises(StopIteration) as end:
        agent.send(RELAY)

    assert end.value.value is RELAY


@pytest.mark.parametrize("answer", [redirect(303, "/next"), page(POST.format("/x")), HttpResponse(204, ())])
def test_answer_to_the_relay_is_the_last(answer: HttpResponse) -> None:
    """Only the script gets to see it, and our script follows nothing."""
    agent = browse(START)
    next(agent)
    agent.send(redirect(303, f"{CALLBACK}#state=s"))
    agent.send(RELAY)
    with pytest.raises(StopIteration) as end:
        agent.send(answer)

    assert end.value.value is answer


def test_fragment_goes_along_with_a_redirect() -> None:
    """A browser keeps it unless the new address has its own (RFC 9110 §10.2.2)."""
    kept = visits(redirect(303, f"{CALLBACK}#state=s"), redirect(302, "/other"), RELAY)
    replaced = visits(redirect(303, f"{CALLBACK}#state=s"), redirect(302, "/other#state=t"), RELAY)

    assert (kept[-1].body, replaced[-1].body) == (b"state=s", b"state=t")


def test_waiting_page_leads_to_the_approval_page() -> None:
    """The person follows the link into another tab, with the code that the page shows."""
    waiting = Pages().waiting(
        path="/live/x", token="t", provider="P", url="https://as.example/device", user_code="WDJB-MJHT"
    )
    steps = visits(waiting, page(ENTER.format("")))

    assert site(steps[1]) == ("GET", "cross-site", "")
    assert [step.url for step in steps[1:]] == ["https://as.example/device"] * 2
    assert steps[-1].body == b"user_code=WDJB-MJHT"
