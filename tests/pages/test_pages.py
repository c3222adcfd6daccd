"""The pages: what a stranger can put into them, what they may load, and what their headers say."""

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest

from loopback_auth import pages
from loopback_auth.demo import pages as demo_pages
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages import Pages, safe_headers

LOOPBACK = "http://127.0.0.1:8080/"
PLAIN = "word"
HOSTILE = """"'></style></title></textarea><script>alert(1)</script><img/src=x>&amp;$style${body}"""

# Each page with one text in every argument; where a URL is required the text is its path.
PAGES: dict[str, Callable[[str], HttpResponse]] = {
    "success": lambda text: Pages().success(
        client=text, provider=text, account=text, scope=text, detail=text
    ),
    "failure": lambda text: Pages().failure(title=text, message=text, hint=text, detail=text),
    "turned_away": lambda text: Pages().turned_away(status=404, reason=text),
    "demo_sign_in": lambda text: demo_pages.sign_in(
        action=text,
        hidden=[(text, text)],
        client_id=text,
        redirect_uri=LOOPBACK + text,
        accounts=[(text, text)],
    ),
    "demo_consent": lambda text: demo_pages.consent(
        action=text,
        hidden=[(text, text)],
        client_id=text,
        redirect_uri=LOOPBACK + text,
        account=text,
        scopes=[(text, text)],
        code=text,
        message=text,
    ),
    "demo_enter_code": lambda text: demo_pages.enter_code(action=text, code=text, problem=text),
    "demo_refused": lambda text: demo_pages.refused(title=text, message=text, hint=text, status=400),
    "demo_done": lambda text: demo_pages.done(title=text, message=text),
    "form_post": lambda text: demo_pages.form_post(action=LOOPBACK + text, parameters=[(text, text)]),
    "relay": lambda text: Pages().relay(path=text, token=text),
    "question": lambda text: Pages().question(path=text, token=text, account=text),
    "waiting": lambda text: Pages().waiting(
        path=text, token=text, provider=text, url=LOOPBACK + text, user_code=text
    ),
}
SCRIPTED = {"demo_refused", "success", "failure", "form_post", "question", "relay", "waiting"}

every_page = pytest.mark.parametrize("name", PAGES)


class Reader(HTMLParser):
    """Reads a page as a browser would: its elements in order, and the text of its style and script."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, str] = {}
        self.words: list[str] = []
        self.feed(response.body.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element with its attributes, unescaped."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep the text, by element where it is a style or a script."""
        tag = self.elements[-1][0] if self.elements else ""
        if self.cdata_elem in ("script", "style"):  # It is title as well since python/cpython#118350.
            self.inline[tag] = self.inline.get(tag, "") + data
        else:
            self.words.append(data)

    @property
    def shape(self) -> list[tuple[str, list[str]]]:
        """The elements and the names of their attributes."""
        return [(tag, sorted(attributes)) for tag, attributes in self.elements]

    def controls(self, **wanted: str) -> list[dict[str, str | None]]:
        """The inputs and buttons whose attributes have the wanted values."""
        found = [attributes for tag, attributes in self.elements if tag in {"input", "button"}]
        return [one for one in found if wanted.items() <= one.items()]


def policy(response: HttpResponse) -> dict[str, str]:
    """Split the Content-Security-Policy into its directives."""
    directives = response.header("content-security-policy").split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def source_of(text: str) -> str:
    """Hash an inline text as a browser does (CSP Level 3 §6.7.3)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@every_page
def test_hostile_text_changes_no_element(name: str) -> None:
    """Whatever an argument holds is text: a callback page that can be scripted hands over the sign-in."""
    hostile, plain = Reader(PAGES[name](HOSTILE)), Reader(PAGES[name](PLAIN))

    assert hostile.shape == plain.shape
    assert hostile.inline == plain.inline


@every_page
def test_hostile_text_is_still_shown(name: str) -> None:
    """Escaping must not eat the text, or the person reads a sentence with a hole."""
    reader = Reader(PAGES[name](HOSTILE))

    shown = "".join(reader.words) + "".join(str(one) for _, held in reader.elements for one in held.values())
    assert HOSTILE in shown


@every_page
def test_invisible_characters_are_dropped_from_text(name: str) -> None:
    """An override of the writing direction can make a refusal read as its opposite (UTR 36 §3)."""
    reader = Reader(PAGES[name]("a\u202eb\x1b[31m"))

    assert not any(character in "".join(reader.words) for character in "\u202e\x1b")


@every_page
def test_every_page_has_the_security_headers(name: str) -> None:
    """The address may hold a code: no cache, referrer, frame or opener may get it (RFC 9700 §4.2.4)."""
    headers = PAGES[name](PLAIN).headers

    assert {*safe_headers()[:-1], ("Content-Type", "text/html; charset=utf-8")} <= {*headers}
    assert len({key.lower() for key, _ in headers}) == len(headers)


def test_safe_headers_are_these() -> None:
    """Redirects and empty answers carry the same protection, spelled out here so that none is lost."""
    headers = dict(safe_headers())

    assert headers == {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": (
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    }


@every_page
def test_no_page_speaks_for_the_whole_host(name: str) -> None:
    """HSTS would break other programs on this host, and CORS would let other sites read the page."""
    names = {key.lower() for key, _ in PAGES[name](PLAIN).headers}

    assert "strict-transport-security" not in names
    assert not any(key.startswith("access-control-") for key in names)


@every_page
def test_policy_allows_exactly_what_is_inlined(name: str) -> None:
    """A hash that does not fit leaves the page unstyled, a wider source lets injected code run."""
    response = PAGES[name](PLAIN)
    reader, directives = Reader(response), policy(response)

    assert set(reader.inline) == ({"style", "script"} if name in SCRIPTED else {"style"})
    assert directives["style-src"] == source_of(reader.inline["style"])
    assert directives.get("script-src") == (source_of(reader.inline["script"]) if name in SCRIPTED else None)
    assert directives["default-src"] == directives["base-uri"] == directives["frame-ancestors"] == "'none'"


@every_page
def test_page_names_nothing_outside_itself(name: str) -> None:
    """A resource or a link would tell another host of the sign-in, with the address as referrer."""
    reader = Reader(PAGES[name](PLAIN))
    names = {attribute for _, attributes in reader.elements for attribute in attributes}

    assert not names & {"src", "srcset", "style", "background", "ping", "formaction", "onclick"}
    # The one link there is leads to the approval page, in a tab of its own, and takes no referrer along.
    links = [dict(attributes) for tag, attributes in reader.elements if tag == "a"]
    assert [link["rel"] for link in links] == (["noopener noreferrer"] if name == "waiting" else [])
    assert {tag for tag, _ in reader.elements}.isdisjoint({"img", "iframe", "base", "object"})
    # Without an icon browsers ask for /favicon.ico, which our policy forbids and Firefox reports.
    icons = [dict(attributes) for tag, attributes in reader.elements if tag == "link"]
    assert icons == [{"rel": "icon", "href": "data:,"}]
    assert policy(PAGES[name](PLAIN))["img-src"] == "data:"


@every_page
def test_page_has_language_title_and_no_index(name: str) -> None:
    """A screen reader needs the language, a row of tabs the title, and no crawler has business here."""
    reader = Reader(PAGES[name](PLAIN))

    assert ("html", {"lang": "en"}) in reader.elements
    assert ("meta", {"name": "robots", "content": "noindex"}) in reader.elements
    assert re.search(r"<title>[^<]+</title>", PAGES[name](PLAIN).body.decode())


def test_files_are_those_that_are_used_and_load_nothing() -> None:
    """A forgotten file is shipped for ever; an import in the stylesheet would be a request."""
    folder = files("loopback_auth.pages")
    present = {item.name for item in folder.iterdir() if item.name.endswith((".html", ".css", ".js"))}
    sources = "".join(path.read_text("utf-8") for path in Path(pages.__file__).parent.glob("*.py"))
    used = set(re.findall(r'"(\w+\.(?:html|css|js))"', sources))

    assert present == used
    for name in present:
        assert not re.search(r"//|url\(|@import", folder.joinpath(name).read_text("utf-8")), name


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (PAGES["success"](PLAIN), 200),
        (PAGES["failure"](PLAIN), 400),
        (Pages().failure(title="t", message="m", hint="h", status=502), 502),
        (Pages().turned_away(status=421, reason="r"), 421),
        (PAGES["demo_sign_in"](PLAIN), 200),
        (PAGES["demo_consent"](PLAIN), 200),
        (PAGES["form_post"](PLAIN), 200),
    ],
)
def test_status_says_what_happened(response: HttpResponse, status: int) -> None:
    """Programs read the status, not the page."""
    assert response.status == status


@pytest.mark.parametrize(
    "response",
    [
        Pages().success(client="", provider="", account="", scope=" ", detail=""),
        Pages().failure(title="", message="", hint=""),
        Pages().turned_away(status=400, reason=""),
        demo_pages.consent(
            action="/", hidden=[], client_id="c", redirect_uri=LOOPBACK, account="a", scopes=[]
        ),
    ],
)
def test_empty_arguments_leave_no_empty_element(response: HttpResponse) -> None:
    """Not every server tells the account or the scope; an empty row looks like a fault."""
    assert not re.search(r"<(p|b|dl|dt|dd|ul|li|h1|title)\b[^>]*>\s*</", response.body.decode())


def test_success_shows_only_the_known_facts() -> None:
    """A row stands for something that the server said."""
    body = (
        Pages().success(client="", provider="demo", account="", scope="openid email", detail="").body.decode()
    )

    assert re.findall(r"<dt>(.*?)</dt>", body) == ["Provider", "Scope"]
    assert re.findall(r"<code.*?>(.*?)</code>", body) == ["openid", "email"]


@pytest.mark.parametrize("name", ["success", "failure"])
def test_code_leaves_the_address_bar(name: str) -> None:
    """The pages at the redirect URI were asked for with a code in their address."""
    script = Reader(PAGES[name](PLAIN)).inline["script"]

    assert script == 'history.replaceState(null, "", location.pathname)'


@pytest.mark.parametrize("name", ["demo_sign_in", "demo_consent", "form_post"])
def test_hidden_fields_come_back_byte_for_byte(name: str) -> None:
    """Cleaning is for display: a state that changed on the way is another state (RFC 6749 §4.1.2)."""
    value = "a  b\u200dc" + HOSTILE + "é"

    assert Reader(PAGES[name](value)).controls(type="hidden", name=value, value=value)


def test_sign_in_offers_each_account_and_picks_the_first() -> None:
    """One click is enough for whoever only wants to see the flow."""
    accounts = [("ada", "Ada"), ("grace", "Grace")]
    page = Reader(
        demo_pages.sign_in(action="/a", hidden=[], client_id="c", redirect_uri=LOOPBACK, accounts=accounts)
    )

    radios = page.controls(type="radio", name="account")
    assert [(one["value"], "checked" in one) for one in radios] == [("ada", True), ("grace", False)]
    assert page.controls(name="decision", value="continue")


def test_consent_can_be_given_and_refused() -> None:
    """Both answers go by POST, so that no link and no image can give them."""
    page = Reader(PAGES["demo_consent"](PLAIN))

    assert [one["value"] for one in page.controls(name="decision")] == ["approve", "deny"]
    assert [held["method"] for tag, held in page.elements if tag == "form"] == ["post"]


def test_form_post_works_without_script() -> None:
    """A browser without script gets the answer across by a button (Form Post Response Mode §2)."""
    page = Reader(demo_pages.form_post(action=LOOPBACK, parameters=[("submit", "1")]))

    assert page.controls() == [{"type": "hidden", "name": "submit", "value": "1"}, {}]
    assert page.inline["script"] == "HTMLFormElement.prototype.submit.call(document.forms[0])"


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("http://127.0.0.1:8080/callback", "http://127.0.0.1:8080"),
        ("http://localhost/callback?x=1", "http://localhost"),
        ("https://client.example", "https://client.example"),
        ("http://[::1]:8080/callback", "http:"),
    ],
)
def test_forms_may_go_to_the_redirect_uri_and_no_further(url: str, source: str) -> None:
    """Chromium checks form-action on the redirect after a form too, so it must name the client."""
    post = demo_pages.form_post(action=url, parameters=[])
    consent = demo_pages.consent(
        action="/", hidden=[], client_id="c", redirect_uri=url, account="a", scopes=[]
    )

    assert policy(post)["form-action"] == source
    assert policy(consent)["form-action"] == f"'self' {source}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/callback",
        "//client.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://",
        "http://127.0.0.1:1; script-src *",
        "http://127.0.0.1 *",
        "http://127.0.0.1\r\nX: y",
        "http://127.0.0.1\n",
        "http://127.0.0.1,example.org/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1\\@example.org/",
        "http://[::1/",
        "http://*/",
    ],
)
def test_address_that_would_widen_the_policy_is_refused(url: str) -> None:
    """The origin is copied into a header, where a semicolon starts a directive and a line end a header."""
    with pytest.raises(ConfigError):
        demo_pages.form_post(action=url, parameters=[])


def test_what_pages_say_is_kept_apart_from_how_they_look() -> None:
    """A sentence in a template or a script would be forgotten by whoever changes or translates the words."""
    folders = [Path(str(package.__file__)).parent for package in (pages, demo_pages)]
    texts = {path: path.read_text("utf-8") for folder in folders for path in folder.glob("*.*")}
    markup = re.compile(r"<[^>]*>|\$\w+")
    templates = {path: markup.sub("", text).strip() for path, text in texts.items() if path.suffix == ".html"}
    said = {path: re.findall(r"say\(([^)]*)\)", text) for path, text in texts.items() if path.suffix == ".js"}

    assert not any(templates.values()), templates
    assert not [one for calls in said.values() for one in calls if '"' in one], said
