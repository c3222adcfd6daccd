"""The simulated user at pages of any server: which form is sent, with what, and where the browser ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from loopback_auth.audit.servers.attacks.browser import MOST_PAGES, Browser, Visit
from loopback_auth.audit.servers.attacks.forms import read_web_page
from loopback_auth.audit.servers.attacks.person import Person, chosen_form, filled
from loopback_auth.audit.servers.cookies import Cookies
from loopback_auth.effects import FlowResult, Send, resume_flow
from loopback_auth.http_messages import HttpRequest, HttpResponse

HOST = "https://as.example"
BACK = "http://127.0.0.1:49152/callback"
ADA = Person("ada@example.org", "an example", {"tenant": "blue"}, "WDJB-MJHT")
HTML = ("Content-Type", "text/html; charset=utf-8")


def page(text: str, status: int = 200, *headers: tuple[str, str]) -> HttpResponse:
    """Make a page."""
    return HttpResponse(status, (HTML, *headers), text.encode())


def sent(text: str, person: Person = ADA) -> dict[str, str] | None:
    """Return what the user sends from a page; None where they send nothing."""
    form = chosen_form(read_web_page(page(text)))
    return None if form is None else dict(filled(form, person))


def visit(pages: Mapping[str, HttpResponse], person: Person = ADA) -> tuple[Visit, list[HttpRequest]]:
    """Visit a server that has these pages, by method and address."""
    flow = Browser(person).visit(f"{HOST}/authorize?x=1", lambda address: address.startswith(BACK))
    requests: list[HttpRequest] = []
    answer: object = None
    while not isinstance(step := resume_flow(flow, answer), FlowResult):
        assert isinstance(step, Send)
        requests.append(step.request)
        answer = pages[f"{step.request.method} {step.request.url.removeprefix(HOST).partition('?')[0]}"]
    return step.value, requests


LOGIN = (
    "<form method=post action=/in><input name=user>"
    "<input type=password name=pw><button>Log in</button></form>"
)
FORMS = [
    pytest.param(
        "<form action=/search><input name=q><button>Search</button></form>" + LOGIN,
        {"user": "ada@example.org", "pw": "an example"},
        id="login beside a search",
    ),
    pytest.param(
        "<form method=post action=/logout><button>Log out</button></form>"
        "<form method=post action=/consent><input type=hidden name=key value=1>"
        "<input type=checkbox name=scope value=email><input type=checkbox name=scope2 value=profile>"
        "<button name=no value=deny>Cancel</button><button name=yes value=go>Allow</button></form>",
        {"key": "1", "scope": "email", "scope2": "profile", "yes": "go"},
        id="consent with boxes, beside log out",
    ),
    pytest.param(
        "<form method=post><input type=submit name=cancel value=Cancel>"
        "<input type=submit name=allow value=Authorize></form>",
        {"allow": "Authorize"},
        id="django-oauth-toolkit",
    ),
    pytest.param(
        "<form method=post id=f><input type=radio name=a value=1>"
        "<input type=radio name=a value=2 checked></form>"
        "<button form=f name=decision value=approve>Go on</button>",
        {"a": "2", "decision": "approve"},
        id="button outside of its form",
    ),
    pytest.param(
        "<form method=post><input type=radio name=who value=bob checked>"
        "<input type=radio name=who value=ada@example.org><button>Continue</button></form>",
        {"who": "ada@example.org"},
        id="account to choose",
    ),
    pytest.param(
        "<form method=post><select name=org><option value=1>A<option value=2 selected>B</select>"
        "<input name=tenant value=red><textarea name=note></textarea><button>OK</button></form>",
        {"org": "2", "tenant": "blue", "note": ""},
        id="choice, and a field that was given",
    ),
    pytest.param(
        "<form method=post><input name=user_code><button>Continue</button></form>",
        {"user_code": "WDJB-MJHT"},
        id="user code",
    ),
    pytest.param(
        "<form method=post><input type=email name=identifier><button disabled>Next</button>"
        "<button>Next</button></form>",
        {"identifier": "ada@example.org"},
        id="name first, password later",
    ),
    pytest.param("<form method=post><button name=d value=deny>Deny</button></form>", None, id="only no"),
    pytest.param("<form method=post action=/logout><button>Yes</button></form>", None, id="only log out"),
    pytest.param("<p>Nothing here", None, id="no form"),
    pytest.param("<form", None, id="cut"),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_form_is_chosen_and_filled_in(text: str, expected: dict[str, str] | None) -> None:
    """Log in where a password is asked for, approve elsewhere, and never cancel or log out."""
    assert sent(text) == expected


def test_what_is_no_page_has_no_form() -> None:
    """JSON with a form in a string is not a page."""
    answer = HttpResponse(200, (("Content-Type", "application/json"),), LOGIN.encode())

    assert read_web_page(answer).forms == []


def test_page_without_end_is_read_only_so_far() -> None:
    """A server that sends thousands of fields does not stop the user."""
    many = "<form method=post>" + "<input name=x value=1>" * 20_000 + "<button>OK</button></form>"
    forms = read_web_page(page(many)).forms

    assert [len(form.fields) for form in forms] == [500]


@pytest.mark.parametrize("attribute", ["Max-Age=0", "max-age=-100", "Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
def test_rfc6265_5_2_2_ended_cookie_is_deleted(attribute: str) -> None:
    """A Max-Age that is not positive is the earliest time, and so is that date."""
    cookies = Cookies()
    for line in ("s=1; Max-Age=60", "t=2", f"s=; {attribute}"):
        cookies.learn("https://id.example/", page(LOGIN, 200, ("Set-Cookie", line)))

    assert cookies.added(HttpRequest("GET", "https://id.example/")).headers == (("Cookie", "t=2"),)


def test_rfc6265_5_cookies_come_back_to_their_origin_alone() -> None:
    """A login page recognises its visitor by a cookie; no other host gets it."""
    pages = {
        "GET /authorize": page(
            "", 302, ("Location", "/login"), ("Set-Cookie", "s=1; HttpOnly"), ("Set-Cookie", "t=2")
        ),
        "GET /login": page(LOGIN, 200, ("Set-Cookie", "t=; Max-Age=0")),
        "POST /in": page("", 303, ("Location", "https://other.example/next")),
        "GET https://other.example/next": page("", 302, ("Location", f"{BACK}?code=c&state=s")),
    }
    ended, requests = visit(pages)

    assert [one.header("cookie") for one in requests] == ["", "s=1; t=2", "s=1", ""]
    assert (ended.address, ended.value("code"), ended.forms) == (BACK, "c", 1)
    assert requests[2].header("origin") == HOST
    assert not ended.leaked


@pytest.mark.parametrize(("status", "leaks"), [(302, False), (303, False), (307, True), (308, True)])
def test_rfc9110_15_4_only_307_and_308_repeat_a_form(status: int, leaks: bool) -> None:
    """That is what makes them dangerous after a form with a password (RFC 9700 §4.12)."""
    ended, requests = visit(
        {"GET /authorize": page(LOGIN), "POST /in": page("", status, ("Location", f"{BACK}?code=c"))}
    )

    assert ended.leaked is leaks
    assert [one.url.startswith(BACK) for one in requests] == [False, False]  # It is never requested.


def test_answer_in_fragment_or_form_is_read() -> None:
    """Whatever the response mode is."""
    fragment, _ = visit({"GET /authorize": page("", 302, ("Location", f"{BACK}#access_token=t&state=s"))})
    posted = f'<body onload=x><form method=post action="{BACK}"><input type=hidden name=code value=c></form>'
    form, _ = visit({"GET /authorize": page(posted)})
    refreshed = f'<meta http-equiv=refresh content="0; url={BACK}?code=c">'
    refresh, _ = visit({"GET /authorize": page(refreshed)})

    assert (fragment.via, fragment.value("access_token")) == ("relay", "t")
    assert (form.via, form.value("code")) == ("form_post", "c")
    assert refresh.value("code") == "c"


def endless() -> Iterator[tuple[str, HttpResponse]]:
    """Make pages that lead on and on."""
    yield "GET /authorize", page("", 302, ("Location", "/authorize"))


def test_loop_has_an_end() -> None:
    """And the user says that they have given up."""
    ended, requests = visit(dict(endless()))

    assert len(requests) == MOST_PAGES
    assert "gave up" in ended.told
    assert ended.address == ""


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (page("<title>Sign in</title>" + LOGIN), "asks for a password"),
        (page("<title>SPA</title><div id=root>"), "no form"),
        (HttpResponse(500, (HTML,), b"oops"), "no form"),
        (page('<form method=post action="http://[bad"><button>OK</button></form>'), "cannot be read"),
    ],
)
def test_where_the_user_stopped_is_told(answer: HttpResponse, why: str) -> None:
    """With method, address, status and title, and without the password."""
    ended, _ = visit({"GET /authorize": answer}, Person("ada"))

    assert why in ended.told
    assert f"GET {HOST}/authorize" in ended.told
    assert "x=1" not in ended.told


def test_password_is_not_in_representations() -> None:
    """A failed test or a traceback must not show it."""
    assert "an example" not in repr(ADA) + repr(visit({"GET /authorize": page("")})[0])
