"""Pages as a program has them: its name, language, colour and logo, and pages that it renders itself."""

from __future__ import annotations

import re
from itertools import product

import pytest

from loopback_auth import Page, Program
from loopback_auth.events import Event, Warned, silent
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages import Pages
from loopback_auth.pages.accent import DARK_SHEET, ENOUGH, LIGHT_SHEET, accent_style, contrast
from loopback_auth.pages.frame import file_text
from loopback_auth.pages.renderer import LARGEST_PAGE
from loopback_auth.words import Words

HOSTILE = """</title><script>alert(1)</script>"'><img src=x onerror=alert(1)>&amp;$title"""
SCRIPTED_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script>'
    '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></body></foreignObject>'
    "</svg>"
)


def text_of(response: HttpResponse) -> str:
    """Return the HTML of a page."""
    return response.body.decode()


def pages_of(program: Program, told: list[Event] | None = None) -> dict[str, HttpResponse]:
    """Return every page that a sign-in of a program can show."""
    pages = Pages(program, silent if told is None else told.append)
    return {
        "success": pages.success(
            client="me", provider="Acme Cloud", account="alice@example.com", scope="openid email", detail=""
        ),
        "failure": pages.failure(message="It failed.", hint="Try again.", detail="error=no"),
        "cancelled": pages.failure(title="Cancelled", message="m", hint="h", kind="cancelled"),
        "over": pages.over(200),
        "over-failed": pages.over(400),
        "continued": pages.continued(),
        "turned_away": pages.turned_away(status=404, reason=Words.REFUSED_NOTHING_HERE),
        "relay": pages.relay(path="/r", token="t"),
        "waiting": pages.waiting(
            path="/w", token="t", provider="Acme Cloud", url="https://a.example/", user_code="C"
        ),
        "question": pages.question(path="/w", token="t", account="alice@example.com"),
    }


@pytest.mark.parametrize("name", pages_of(Program()))
def test_each_page_speaks_of_the_program_in_its_language(name: str) -> None:
    """A user who never heard of this package must not wonder who asks."""
    html = text_of(pages_of(Program("MyTool", returns_to="MyTool", language="de"))[name])

    assert '<html lang="de">' in html
    assert "Diese Seite kommt nicht vom Anbieter, sondern von MyTool." in html
    assert "- MyTool</title>" in html
    assert not re.search(
        r"terminal|loopback.auth|\bthe\b|\byou\b",
        re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S),
        re.I,
    )


@pytest.mark.parametrize("name", pages_of(Program()))
def test_hostile_values_of_a_program_change_no_element(name: str) -> None:
    """A name may come from a file, and a translation from a stranger."""
    words = {"PAGE_CLOSE": HOSTILE, "PAGE_FOOTER": HOSTILE, "RELAY_ENDED": HOSTILE, "WAITING_ENDED": HOSTILE}
    hostile = pages_of(Program(HOSTILE, returns_to=HOSTILE, logo=SCRIPTED_SVG, words=words))[name]
    plain = pages_of(Program("n", returns_to="r", logo='<svg xmlns="http://www.w3.org/2000/svg"/>'))[name]

    def shape(page: HttpResponse) -> list[str]:
        return re.findall(r"<(?!!)/?[a-zA-Z]+", text_of(page))

    assert shape(hostile) == shape(plain)
    assert hostile.header("content-security-policy").count("script-src") <= 1
    assert "unsafe" not in hostile.header("content-security-policy")


def test_a_logo_is_an_image_and_nothing_else() -> None:
    """Inside an image no script of an SVG runs, and nothing that it names is loaded (SVG 2 §2.2.3)."""
    html = text_of(pages_of(Program(logo=SCRIPTED_SVG))["success"])

    assert (
        html.count('src="data:image/svg+xml;base64,') == html.count('href="data:image/svg+xml;base64,') == 1
    )
    assert ("onload" in html, "foreignObject" in html) == (False, False)


@pytest.mark.parametrize(
    "accent", ["".join(parts) for parts in product(("00", "44", "80", "bb", "ff"), repeat=3)]
)
def test_every_accent_can_be_read_in_both_themes(accent: str) -> None:
    """A yellow on white, or a navy on black, would hide the button and the advice (WCAG 2.2 §1.4.3)."""
    for rules in accent_style(f"#{accent}").split("@media"):
        colours = dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", rules))
        sheet = DARK_SHEET if "dark" in rules else LIGHT_SHEET

        assert contrast(colours["accent"], colours["tint"]) >= ENOUGH
        assert contrast(colours["accent"], sheet) >= ENOUGH
        assert contrast(colours["accent"], colours["on-accent"]) >= ENOUGH


def test_sheets_are_those_of_the_style() -> None:
    """The contrast is computed against them."""
    style = file_text("style.css")

    assert re.findall(r"--sheet: (#[0-9a-f]{6})", style) == [LIGHT_SHEET, DARK_SHEET]


def render(page: Page) -> str:
    """Render a page as a program might: without escaping anything."""
    head = f"<!doctype html><title>{page.title}</title><h1>{page.kind}</h1>"
    return f"{head}<p title='{page.message}'>{page.account}"


def test_a_program_renders_its_last_pages() -> None:
    """What the texts hold stays text even where the program forgets to escape it."""
    pages = Pages(Program(page=render))
    failed = pages.failure(message=f"The server said: {HOSTILE}", hint="h", status=502)
    html = text_of(failed)

    assert failed.status == 502
    assert html.startswith("<!doctype html><title>Not signed in</title><h1>failure</h1>")
    assert ("<script>alert" in html, "<img" in html) == (False, False)
    assert "history.replaceState" in html
    assert (
        text_of(pages.success(client="", provider="", account="a", scope="", detail="")).count("<p title=")
        == 1
    )


def test_a_rendered_page_runs_and_loads_nothing() -> None:
    """The renderer may be as careless as it likes: the address of the page may hold a code."""
    policy = pages_of(Program(page=render))["success"].header("content-security-policy")

    assert policy.startswith(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    )
    assert re.search(r"script-src 'sha256-[^']+'(;|$)", policy)
    assert "style-src 'unsafe-inline'; img-src data:" in policy


@pytest.mark.parametrize("name", ["turned_away", "relay", "waiting", "question", "continued"])
def test_other_pages_stay_ours(name: str) -> None:
    """They need a script of ours, or answer strangers, who must not be able to call the program."""

    def refuse(_: Page) -> str:
        raise AssertionError("called")

    told: list[Event] = []
    Pages(Program(page=refuse), told.append).turned_away(status=404, reason="r")

    assert "<main" in text_of(pages_of(Program(page=refuse))[name])
    assert told == []


async def late(_: Page) -> str:
    """Render too late."""
    return "<p>"


def broken(_: Page) -> str:
    """Fail."""
    raise ValueError("a secret of the program")


@pytest.mark.parametrize(
    ("renderer", "why"),
    [
        (broken, "ValueError"),
        (lambda _: None, "NoneType"),
        (lambda _: b"<p>", "bytes"),
        (lambda _: "", "str"),
        (lambda _: "x" * (LARGEST_PAGE + 1), "str"),
        (late, "coroutine"),
        (lambda: "", "TypeError"),
    ],
)
def test_a_renderer_that_fails_costs_nothing(renderer: object, why: str) -> None:
    """The user has approved, and wants to know how it ended; the author is told once."""
    told: list[Event] = []
    shown = pages_of(Program(page=renderer), told)  # type: ignore[arg-type]

    assert "alice@example.com" in text_of(shown["success"])
    assert [why in str(event) for event in told if isinstance(event, Warned)] == [True]
    assert "secret" not in str(told)


def test_text_is_html_for_template_engines_too() -> None:
    """An engine that escapes by itself must not do it twice."""
    page = Page("success", title="A &amp; B")

    assert page.title.__html__() == "A &amp; B"  # type: ignore[attr-defined]
