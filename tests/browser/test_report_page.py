"""The page of a comparison in a browser: opened from disk, by mouse, by keys, without a script, on paper.

Pictures for the eye are left in `tests/artefacts`; what a program can see is asserted, with axe-core where a
page may shut somebody out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route
from report_samples import KINDS

from browser.accessibility import grave
from browser.conftest import PATIENCE, Tab
from browser.test_appearance import PICTURES, SCHEMES, WIDTHS
from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.report import report
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.flow_table import BY_NAME, COMPARED

pytestmark = pytest.mark.browser

BESIDE = 6
TWELVE = (*COMPARED, *(name for name in BY_NAME if name not in COMPARED))[:12]


@cache
def html(flows: tuple[str, ...] = COMPARED) -> str:
    """The page of flows, in memory, under attack."""
    return report(compare_simulated(flows, attacks=lambda run: simulated_attacks(run.flow)))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as a file."""
    written = tmp_path_factory.mktemp("report") / "report.html"
    written.write_text(html(), "utf-8")
    return written


@pytest.fixture(scope="module")
def path_of_six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of as many flows as fit beside each other."""
    written = tmp_path_factory.mktemp("report") / "report.html"
    written.write_text(html(COMPARED[:BESIDE]), "utf-8")
    return written


@pytest.fixture
def opened(tab: Tab, path: Path) -> Iterator[Tab]:
    """The page in a browser, where it complains of nothing and asks nobody."""
    yield from opening(tab, path)


@pytest.fixture
def six_opened(tab: Tab, path_of_six: Path) -> Iterator[Tab]:
    """The page of six flows likewise."""
    yield from opening(tab, path_of_six)


def opening(tab: Tab, path: Path) -> Iterator[Tab]:
    """Open a page, and look afterwards at what it did."""
    tab.page.emulate_media(reduced_motion="reduce")
    tab.page.goto(path.as_uri())
    yield tab
    assert [request.url for request in tab.requests] == [path.as_uri()]
    assert tab.complaints == []


@pytest.fixture
def without_script(browser: Browser, path: Path) -> Iterator[Page]:
    """The page where scripts are switched off."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(path.as_uri())
        yield page


def arrow(page: Page, flow: int, words: str) -> Locator:
    """Find the first arrow of a flow with these words in its name."""
    return page.locator("figure").nth(flow).locator(f".arrow[aria-label*='{words}']").first


def focused(page: Page) -> str:
    """Return the name of what has the focus."""
    name: str = page.evaluate(
        "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
    )
    return name


def test_page_looks_like_this(opened: Tab) -> None:
    """Four pictures of the whole page, and nothing is wider than the screen."""
    PICTURES.mkdir(exist_ok=True)
    for scheme in SCHEMES:
        opened.page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            opened.page.set_viewport_size({"width": width, "height": 900})
            opened.page.screenshot(
                path=PICTURES / f"report-{scheme}-{width}.png", full_page=True, animations="disabled"
            )

            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_exchange_in_the_dock_looks_like_this(opened: Tab) -> None:
    """The same with an arrow chosen, as on the screen."""
    for scheme in SCHEMES:
        opened.page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            opened.page.set_viewport_size({"width": width, "height": 900})
            arrow(opened.page, 0, "token request").click()
            opened.page.screenshot(path=PICTURES / f"report-dock-{scheme}-{width}.png", animations="disabled")

            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_six_flows_fit_beside_each_other_on_a_wide_screen(six_opened: Tab) -> None:
    """Only what is seen together is compared; more flows are scrolled sideways."""
    six_opened.page.set_viewport_size({"width": 1280, "height": 900})
    strip = six_opened.page.locator(".strip")

    assert strip.evaluate("strip => strip.scrollWidth <= strip.clientWidth")
    assert six_opened.page.locator(".scroll").evaluate("table => table.scrollWidth <= table.clientWidth")


def test_conclusions_are_on_the_first_screen(six_opened: Tab) -> None:
    """Whoever has to choose sees without scrolling what to do with each flow, and where."""
    page = six_opened.page
    page.set_viewport_size({"width": 1280, "height": 900})
    below = page.locator(".conclusion, .places dt").evaluate_all(
        "all => all.filter((one) => one.getBoundingClientRect().bottom > innerHeight).length"
    )

    assert page.locator(".conclusion").count() == BESIDE
    assert page.locator(".places dt").count() == 5
    assert below == 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("flow", [0, len(COMPARED) - 1])
def test_names_of_the_lanes_stay_in_sight(opened: Tab, width: int, flow: int) -> None:
    """Arrows between nameless lines are puzzles; the names stand above their lanes, and cover no arrow."""
    page = opened.page
    page.set_viewport_size({"width": width, "height": 900})
    arrow(page, flow, "authorization re" if flow == 0 else "token request").click()
    for _ in range(3):
        page.keyboard.press("ArrowUp")
    box = page.locator(".arrow.current .hit").bounding_box()
    names = page.locator(".names figcaption").nth(flow)
    lanes = page.locator("figure").nth(flow).locator(".lane")
    seen = names.bounding_box()

    assert box is not None
    assert seen is not None
    assert 0 < seen["y"] <= seen["y"] + seen["height"] <= box["y"] + 1
    assert names.locator("text").all_text_contents() == ["User", "Browser", "Program", "Server"]
    middle = (
        "all => all.map((one) => { const box = one.getBoundingClientRect(); return box.x + box.width / 2; })"
    )
    above, below = names.locator("text").evaluate_all(middle), lanes.evaluate_all(middle)[:4]
    assert above == pytest.approx(below, abs=1)


def test_first_row_of_names_is_covered_by_that_which_stays(opened: Tab) -> None:
    """Two rows of names below each other would look like a fault."""
    page = opened.page
    page.evaluate("scrollTo(0, document.getElementById('drawn').getBoundingClientRect().top - 200)")
    tops = "all => all.map((one) => one.getBoundingClientRect()).map((box) => [box.x, box.y, box.height])"

    assert page.locator(".names figcaption").evaluate_all(tops) == [
        pytest.approx(place, abs=1) for place in page.locator("figure figcaption").evaluate_all(tops)
    ]


def test_no_text_of_the_diagrams_is_too_small_to_read(opened: Tab) -> None:
    """Where six are beside each other as well."""
    opened.page.set_viewport_size({"width": 1280, "height": 900})
    smallest = opened.page.locator(".band").evaluate_all(
        """bands => Math.min(...bands.flatMap((diagram) => {
          const scale = diagram.getBoundingClientRect().width / diagram.viewBox.baseVal.width;
          return [...diagram.querySelectorAll("text, tspan")]
            .map((text) => scale * parseFloat(getComputedStyle(text).fontSize));
        }))"""
    )

    assert smallest > 8.5


def test_attacks_open_to_what_happened(opened: Tab) -> None:
    """The line says how it ended with which flow, and the rest is a key away."""
    attack = opened.page.locator(".attack").first
    attack.locator("summary").focus()
    opened.page.keyboard.press("Enter")

    attack.locator(".shown").wait_for(state="visible")
    assert attack.locator(".end").count() == len(COMPARED)


def test_text_stays_inside_of_the_diagrams_and_off_the_numbers(opened: Tab) -> None:
    """The layout only estimates how wide letters are."""
    astray = opened.page.locator(".band").evaluate_all(
        """bands => bands.flatMap((band) => {
          const room = band.viewBox.baseVal.width;
          const outside = [...band.querySelectorAll("text")].filter((text) => {
            const box = text.getBBox();
            return box.x < -1 || box.x + box.width > room + 1;
          });
          const covering = [...band.querySelectorAll(".arrow")].filter((arrow) => {
            const [number, label] = [".number", ".label"].map((one) => arrow.querySelector(one).getBBox());
            return number.x + number.width > label.x;
          });
          return [...outside, ...covering].map((one) => one.textContent);
        })"""
    )

    assert astray == []


def test_tab_reaches_the_arrows_and_shows_what_they_carried(opened: Tab) -> None:
    """Whoever has no mouse sees the same."""
    page = opened.page
    page.locator(".strip").focus()
    page.keyboard.press("Tab")

    assert focused(page).startswith("1 listen for the redirect")
    assert page.locator("#dock_title").inner_text() == "code · 1 · listen for the redirect"
    page.keyboard.press("Tab")
    assert focused(page).startswith("2 ")
    assert "127.0.0.1" in page.locator("#dock_content").inner_text()


def test_arrow_keys_go_through_a_flow_and_across_the_flows(opened: Tab) -> None:
    """Down is what happened next, right is the same moment of the next flow."""
    page = opened.page
    arrow(page, 0, "authorization response").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")

    assert focused(page).startswith("11 authorization response")
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("11 authorization response")
    assert page.locator("#dock_title").inner_text() == "code form_post · 11 · authorization response"


def test_enter_leads_into_the_exchange_and_escape_back(opened: Tab) -> None:
    """A screen reader hears the exchange by going there, and not at every step past it."""
    page = opened.page
    page.locator(".strip").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert focused(page) == "dock_title"
    page.keyboard.press("Escape")
    assert focused(page).startswith("1 ")
    page.get_by_role("button", name="Close").click()
    assert page.locator("#dock").is_hidden()
    assert focused(page).startswith("1 ")


def test_arrow_with_the_focus_is_not_behind_the_dock(opened: Tab) -> None:
    """WCAG 2.2 §2.4.11: what has the focus is seen."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 700})
    page.locator(".strip").focus()
    page.keyboard.press("Tab")
    for _ in range(14):
        page.keyboard.press("ArrowDown")
        box, dock = page.locator(".arrow.current .hit").bounding_box(), page.locator("#dock").bounding_box()

        assert box is not None
        assert dock is not None
        assert box["y"] + box["height"] <= dock["y"] + 1


def test_pointing_at_an_arrow_shows_its_exchange(opened: Tab) -> None:
    """And what was chosen comes back when the pointer leaves."""
    page = opened.page
    page.set_viewport_size({"width": 1280, "height": 1400})
    page.locator("#diagrams").scroll_into_view_if_needed()
    arrow(page, COMPARED.index("token"), "authorization response").hover()

    assert page.locator("#dock_title").inner_text() == "token · 12 · authorization response"
    assert "<access_token#1>" in page.locator("#dock_content").inner_text()
    arrow(page, 0, "token request").click()
    arrow(page, 0, "UserInfo request").hover()
    assert "UserInfo" in page.locator("#dock_title").inner_text()
    page.mouse.move(5, 5)
    assert page.locator("#dock_title").inner_text() == "code · 13 · token request"


def test_dock_steps_through_a_flow(opened: Tab) -> None:
    """From the first request to the tokens with one button."""
    page = opened.page
    arrow(page, 0, "authorization response").click()
    page.get_by_role("button", name="Next step").click()

    assert page.locator("#dock_title").inner_text().startswith("code · 12 ")
    page.get_by_role("button", name="Previous step").click()
    assert page.locator("#dock_title").inner_text().startswith("code · 11 ")


def test_following_a_secret_leaves_only_who_carries_it(opened: Tab) -> None:
    """Where the access token goes in each flow is the question that this page answers."""
    page = opened.page
    button = page.locator("#follow").get_by_role("button", name="access_token", exact=True)
    button.click()
    lit = page.locator(".arrow.lit").evaluate_all(
        "arrows => arrows.map((one) => one.getAttribute('aria-label'))"
    )

    assert button.get_attribute("aria-pressed") == "true"
    assert lit
    assert all("access_token" in label for label in lit)
    opacity = "one => Number(getComputedStyle(one).opacity)"
    assert page.locator(".arrow.lit").first.evaluate(opacity) == 1
    assert page.locator(".arrow:not(.lit)").first.evaluate(opacity) < 0.5
    page.keyboard.press("Escape")
    assert button.get_attribute("aria-pressed") == "false"
    assert page.locator("body.following").count() == 0


def test_pointing_at_a_secret_lights_it_up_everywhere(opened: Tab) -> None:
    """In the table as in the diagrams."""
    page = opened.page
    page.locator("td .secret", has_text="<ticket#1>").first.hover()
    lit = page.locator(".lit[data-secret]").evaluate_all("all => all.map((one) => one.dataset.secret)")

    assert len(lit) > 5
    assert set(lit) == {"ticket#1"}
    assert page.locator(".cargo.lit").count() > 2


def test_link_to_a_step_opens_it(opened: Tab) -> None:
    """The evidence of a cell is one click away."""
    page = opened.page
    link = page.locator("td .steps a").first
    target = (link.get_attribute("href") or "").removeprefix("#")
    link.click()

    page.locator(f"[id='{target}'] .shown").wait_for(state="visible")
    assert page.locator(f"[id='{target}']").get_attribute("open") == ""


@pytest.mark.parametrize("width", [1280, 390])
def test_menu_leads_to_the_headings(opened: Tab, width: int) -> None:
    """A section is longer than the window: it is read from its heading, which the menu must not cover."""
    page = opened.page
    page.set_viewport_size({"width": width, "height": 900})
    entries = page.locator("body > nav a")
    anchors = entries.evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    page.evaluate(
        "addEventListener('hashchange', () => { document.documentElement.dataset.at = location.hash; })"
    )

    assert "#findings" in anchors
    for anchor in anchors:
        page.locator(f"body > nav a[href='{anchor}']").click()
        page.locator(f"html[data-at='{anchor}']").wait_for()
        menu, heading = (page.locator(name).bounding_box() for name in ("body > nav", f"{anchor} > h2"))
        assert menu is not None
        assert heading is not None
        assert menu["y"] + menu["height"] <= heading["y"], anchor
        assert heading["y"] + heading["height"] <= 900, anchor


@pytest.mark.parametrize(
    "anchor", ["token-in-fragment", "code-form-post/state-returned", "replay", "device/replay"]
)
def test_link_to_a_finding_shows_and_marks_it(tab: Tab, path: Path, anchor: str) -> None:
    """Code scanning and chats link to one finding, be it among those that failed or among the others."""
    page = tab.page
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{path.as_uri()}#{anchor}")
    target = page.locator(f"[id='{anchor}']")
    box = target.bounding_box()
    height = page.evaluate("innerHeight")

    assert box is not None
    assert 0 < box["y"] < height
    marked = "one => [one, one.closest('.verdict, .attack')].map((one) => getComputedStyle(one).outlineStyle)"
    assert "solid" in target.evaluate(marked)
    own = target.locator("xpath=ancestor-or-self::*").locator(f"a[href='#{anchor}']")
    assert own.count() >= 1
    page.goto(f"{path.as_uri()}#findings")
    page.evaluate("name => { location.hash = name; }", anchor)
    assert target.is_visible()


def test_malformed_link_does_no_harm(tab: Tab, path: Path) -> None:
    """A fragment is whatever somebody wrote behind the address."""
    for fragment in ("%", "%E0%A4%A", "nothing", "__proto__", "x'\"]"):
        tab.page.goto(f"{path.as_uri()}#{fragment}")
        tab.page.reload()

    assert tab.complaints == []


def test_rows_in_which_the_flows_differ(opened: Tab) -> None:
    """The others can be put away."""
    page = opened.page
    alike, all_rows = page.locator("tr.alike"), page.locator("tbody tr:visible")
    before = all_rows.count()
    page.get_by_label("Only where the flows differ").check()

    assert alike.count() > 0
    assert all_rows.count() == before - alike.count()


def test_dock_is_below_what_was_touched(browser: Browser, path: Path) -> None:
    """On a telephone the exchange slides in from below, and the arrow stays in sight."""
    with browser.new_context(viewport={"width": 400, "height": 800}, has_touch=True) as context:
        page = Tab(context.new_page()).page
        page.emulate_media(reduced_motion="reduce")
        page.goto(path.as_uri())
        arrow(page, 0, "token request").tap()
        dock = page.locator("#dock").bounding_box()
        box = page.locator(".arrow.current .hit").bounding_box()

    assert dock is not None
    assert box is not None
    assert dock["y"] + dock["height"] <= 801
    assert 0 <= box["y"] <= box["y"] + box["height"] <= dock["y"] + 1


def test_without_a_script_every_exchange_can_be_read(without_script: Page) -> None:
    """The script adds what pointing shows; everything is there without it."""
    page = without_script
    link = arrow(page, 0, "token request")
    target = (link.get_attribute("href") or "").removeprefix("#")
    link.click()
    entry = page.locator(f"[id='{target}']")
    if entry.get_attribute("open") is None:
        entry.locator("summary").click()

    assert page.url.endswith(f"#{target}")
    assert "grant_type=authorization_code" in entry.inner_text()
    assert page.locator("#dock").is_hidden()
    assert page.locator("#follow").is_hidden()


def test_what_is_closed_is_open_on_paper(opened: Tab) -> None:
    """What only a screen can do is gone, and *Every step* is printed where that is asked for."""
    page = opened.page
    closed = "all => all.filter((one) => one.getBoundingClientRect().height === 0).length"
    page.emulate_media(media="print")

    assert page.locator(".attack .shown, details.rest li").evaluate_all(closed) == 0
    for gone in ("body > nav", "#dock", "#follow", ".option", ".names", "#exchanges"):
        assert all(one.is_hidden() for one in page.locator(gone).all())
    page.emulate_media(media="screen")
    page.get_by_label("Print every step too").check()
    page.emulate_media(media="print")
    assert page.locator("#exchanges .shown").evaluate_all(closed) == 0
    assert page.locator("#exchanges .shown").count() > 50


def printed(page: Page) -> tuple[set[bytes], int, list[tuple[str, float]]]:
    """Print a page: its sizes of paper, how many pages, and each heading with its distance from the foot."""
    document = page.pdf(prefer_css_page_size=True, outline=True, tagged=True)
    headings = re.findall(rb"/Title \(([^)]*)\)\n/Dest \[\d+ 0 R /XYZ [\d.]+ ([\d.]+) 0\]", document)
    sizes = re.findall(rb"/MediaBox \[([^\]]*)\]", document)
    return set(sizes), len(sizes), [(title.decode("latin-1"), float(above)) for title, above in headings]


def test_no_heading_is_left_at_the_foot_of_a_page_and_all_pages_lie_the_same_way(opened: Tab) -> None:
    """A heading without its text looks like the end; a page that stands among others has to be turned."""
    sizes, count, headings = printed(opened.page)

    assert len(sizes) == 1
    assert count < 30
    assert len(headings) > 60
    # In points: the margin is 31, and below it a heading has at least two lines of its text.
    assert [title for title, above in headings if above < 31 + 3 * 13] == []


def test_every_step_is_printed_on_request(opened: Tab) -> None:
    """It is more than all the rest."""
    _, without, _ = printed(opened.page)
    opened.page.get_by_label("Print every step too").check()
    sizes, count, _ = printed(opened.page)

    assert len(sizes) == 1
    assert count > without + 10


def test_twelve_columns_open_in_under_a_second(tab: Tab, tmp_path: Path) -> None:
    """What counts is the time that the page needs of a processor: tests share the machine with others."""
    path = tmp_path / "twelve.html"
    path.write_text(html(TWELVE), "utf-8")
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    tab.page.goto(path.as_uri())
    metrics = session.send("Performance.getMetrics")["metrics"]
    [took] = [one["value"] for one in metrics if one["name"] == "TaskDuration"]

    assert 0 < took < 1


@pytest.mark.parametrize("width", WIDTHS)
def test_attacks_can_be_read_beside_twelve_columns(tab: Tab, tmp_path: Path, width: int) -> None:
    """Where a table has no room, each result stands behind the name of its column."""
    path = tmp_path / "twelve.html"
    path.write_text(html(TWELVE), "utf-8")
    page = tab.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path.as_uri())
    titles = page.locator(".attack h3").evaluate_all("all => all.map((one) => one.clientWidth)")
    named = page.locator(".end.fail .of").evaluate_all("all => all.map((one) => one.offsetWidth)")

    assert min(titles) > 200
    assert named
    assert min(named) > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_page_works_from_a_server_too(context: BrowserContext) -> None:
    """The same file behind a web server, which has headers of its own."""

    def answer(route: Route) -> None:
        route.fulfill(status=200, headers={"content-type": "text/html; charset=utf-8"}, body=html())

    tab = Tab(context.new_page())
    tab.page.route("**/*", answer)
    tab.page.goto("http://127.0.0.1/report.html")
    arrow(tab.page, 0, "token request").click()

    assert tab.page.locator("#dock").is_visible()
    assert [request.url for request in tab.requests] == ["http://127.0.0.1/report.html"]
    assert tab.complaints == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 390])
def test_page_shuts_nobody_out(opened: Tab, scheme: Any, width: int) -> None:
    """No serious and no critical violation: as it opens, with an exchange shown, and with everything open."""
    page = opened.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})

    assert grave(page) == []
    arrow(page, 0, "token request").click()
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    page.locator("#follow button").first.click()
    assert grave(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", KINDS)
def test_page_of_every_kind_shuts_nobody_out(
    tab: Tab, tmp_path: Path, kind: str, scheme: Any, width: int
) -> None:
    """Servers, programs, twins and changes: nothing is wider than the screen either."""
    path = tmp_path / "report.html"
    path.write_text(report(KINDS[kind]), "utf-8")
    page = tab.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path.as_uri())

    assert grave(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    assert grave(page) == []
    page.screenshot(path=PICTURES / f"report-{kind}-{scheme}-{width}.png", full_page=True)
    assert tab.complaints == []
