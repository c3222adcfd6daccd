"""What the recorder makes of what it sees: who asked whom, when, for what, and nothing secret in it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import quote

import pytest

from loopback_auth.authorization_messages import AuthorizationRequest, Callback
from loopback_auth.effects import Bind, Browse, Receive, Send, Sleep, Tick, VerificationPrompt, Warn
from loopback_auth.errors import TokenError
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse
from loopback_auth.model import Redirect, ServerMetadata
from loopback_auth.tokens import SignIn, TokenSet
from loopback_auth.trace.recorder import Recorder
from loopback_auth.trace.records import Exchange, Ground, Step
from loopback_auth.trace.redactor import BODY_LIMIT, LIMIT

ISSUER = "https://as.example"
AUTHORITY = "127.0.0.1:49152"
OURS = f"http://{AUTHORITY}"
CALLBACK = f"{OURS}/callback"
KEY = "0123456789abcdef0123456789abcdef"
RELAY = "fedcba9876543210fedcba9876543210"
STATE = "state-canary-0123456789"
CODE = "code-canary-0123456789"
TOKEN = "token-canary-0123456789-abcdefghijklmnopqrstuvwxyz"
ASKED = f"{ISSUER}/authorize?client_id=demo&state={STATE}&redirect_uri={quote(CALLBACK, safe='')}"
HTML = ("Content-Type", "text/html; charset=utf-8")
JSON = ("Content-Type", "application/json")
FORMED = ("Content-Type", FORM)
REQUEST = AuthorizationRequest(
    ASKED, (), CALLBACK, "code", "query", STATE, None, None, ServerMetadata(issuer=ISSUER)
)
PAGE = HttpResponse(200, (HTML,), b"<html><title>Sign in &amp; approve</title>secret words</html>")


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def recorder(ground: Ground = "demo", flow: str = "code", watch: Watch | None = None) -> Recorder:
    """Begin at 1000 seconds."""
    return Recorder(flow, ground=ground, provider="demo", clock=watch or Watch())


def get(url: str, *headers: tuple[str, str]) -> HttpRequest:
    """Ask for a page."""
    return HttpRequest("GET", url, headers)


def post(url: str, body: str, *headers: tuple[str, str]) -> HttpRequest:
    """Send a form."""
    return HttpRequest("POST", url, (FORMED, *headers), body.encode())


def seen(
    here: Recorder, request: HttpRequest, answer: HttpResponse | None = PAGE, *, address: str = ""
) -> None:
    """Let the browser make a request."""
    here.browsed(request, answer, address=address or request.url, begun=1001.0, ended=1001.5)


def sent(
    here: Recorder,
    request: HttpRequest,
    answer: HttpResponse | None = None,
    *,
    secrets: tuple[str, ...] = (),
    at: float = 1001.0,
) -> None:
    """Let the program make a request."""
    here.performed(Send(request, "token request", secrets), answer, begun=at, ended=at + 0.5)


def only(here: Recorder) -> Exchange:
    """Return the one exchange that there is."""
    [exchange] = here.trace().exchanges()
    return exchange


def answering(document: object, status: int = 200) -> HttpResponse:
    """Answer with JSON."""
    return HttpResponse(status, (JSON,), json.dumps(document).encode())


# Who asks whom, and for what.


def bound(ground: Ground = "demo", flow: str = "code") -> Recorder:
    """Have a port, and a browser on its way to the authorization endpoint."""
    watch = Watch()
    here = recorder(ground, flow, watch)
    here.opened(f"{OURS}/{KEY}", "firefox")
    watch.now = 1001.0
    here.performed(Bind(Redirect()), CALLBACK, begun=1000.0, ended=1000.1)
    here.performed(Browse(ASKED, REQUEST), None, begun=1000.5, ended=1000.5)
    return here


@pytest.mark.parametrize(
    ("request_", "receiver", "step"),
    [
        (get(f"{OURS}/{KEY}"), "client", "start page"),
        (get(f"{CALLBACK}?code={CODE}&state={STATE}"), "client", "authorization response"),
        (post(CALLBACK, f"code={CODE}&state={STATE}"), "client", "authorization response"),
        (post(f"{OURS}/{RELAY}", "x=y", ("X-Loopback-Relay", "abc")), "client", "fragment relay"),
        (post(f"{OURS}/{RELAY}/return", "", ("X-Loopback-Relay", "abc")), "client", "page"),
        (get(f"{OURS}/favicon.ico"), "client", "page"),
        (get(ASKED), "server", "authorization request"),
        (post(f"{ISSUER}/sign-in", "decision=continue"), "server", "sign-in and consent"),
        (post(f"{ISSUER}/consent", "decision=deny"), "server", "sign-in and consent"),
        (get(f"{ISSUER}/elsewhere"), "server", "page"),
        (get("http://127.0.0.1:1/callback"), "server", "page"),
    ],
)
def test_browser_request_is_named_by_what_it_is(request_: HttpRequest, receiver: str, step: str) -> None:
    """A reader follows names, and checks look for them."""
    here = bound()
    seen(here, request_)
    exchange = only(here)

    assert (exchange.sender, exchange.receiver, exchange.step) == ("browser", receiver, step)


@pytest.mark.parametrize(
    ("flow", "step"), [("ticket", "ticket approval page"), ("device", "device verification page")]
)
def test_page_to_approve_on_has_the_name_of_its_flow(flow: str, step: str) -> None:
    """Both its addresses, the short one and the one with the code."""
    here = recorder(flow=flow)
    here.performed(
        VerificationPrompt(
            "demo", f"{ISSUER}/device?user_code=WDJB-MJHT", "WDJB-MJHT", f"{ISSUER}/device", 600.0
        ),
        None,
        begun=1000.0,
        ended=1000.0,
    )
    seen(here, get(f"{ISSUER}/device?user_code=WDJB-MJHT"))
    seen(here, post(f"{ISSUER}/device", "user_code=WDJB-MJHT"))
    trace = here.trace()

    assert [exchange.step for exchange in trace.exchanges()] == [step, step]
    assert "WDJB" not in repr(trace)
    [invite] = trace.steps("invite")
    assert invite.value("url") == f"{ISSUER}/device?user_code=<user_code#1>"
    assert (invite.value("plain_url"), invite.value("lifetime")) == (f"{ISSUER}/device", "600")


def test_own_page_is_known_without_a_redirect_uri() -> None:
    """A ticket has none, but there is a page of ours all the same."""
    here = recorder(flow="ticket")
    here.opened(f"{OURS}/{KEY}", "firefox")
    seen(here, get(f"{OURS}/{KEY}"))

    assert (only(here).receiver, only(here).step) == ("client", "start page")


def test_approval_is_a_moment_of_its_own() -> None:
    """How long it took from there to the token is what flows differ in."""
    here = bound()
    seen(here, post(f"{ISSUER}/consent", "interaction=x&decision=approve"))
    [approve] = here.trace().steps("approve")

    assert (approve.at, approve.number) == (1.0, only(here).number - 1)


def test_denial_is_no_approval() -> None:
    """And so has no such moment."""
    here = bound()
    seen(here, post(f"{ISSUER}/consent", "decision=deny"))

    assert not list(here.trace().steps("approve"))


def test_entries_are_in_order_of_time_and_numbered() -> None:
    """An answer that is held until the end is seen last, and was asked for long before."""
    here = bound()
    sent(here, post(f"{ISSUER}/token", "code=x"), at=1003.0)
    here.browsed(get(f"{CALLBACK}?code={CODE}"), PAGE, address=CALLBACK, begun=1002.0, ended=1004.0)
    entries = here.trace().entries

    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.at for entry in entries] == [0.0, 0.0, 0.5, 2.0, 3.0]
    assert [entry.name for entry in entries if isinstance(entry, Step)] == ["bind", "open", "browse"]
    assert [entry.seconds for entry in entries if isinstance(entry, Exchange)] == [2.0, 0.5]


def test_what_came_before_the_clock_was_read_is_no_negative_time() -> None:
    """A browser may be on its way before the recording begins."""
    here = recorder()
    sent(here, get(ISSUER), at=999.0)

    assert only(here).at == 0.0


def test_no_answer_is_status_0() -> None:
    """It was asked for all the same."""
    here = recorder()
    sent(here, get(f"{ISSUER}/jwks"), None)

    assert (only(here).status, only(here).response_headers, only(here).response_body) == (0, (), "")


def test_relayed_fragment_is_read_with_its_question_mark() -> None:
    """Some servers write `#?access_token=…`; the page's path and what it proves itself with are secrets."""
    here = bound()
    relayed = post(f"{OURS}/{RELAY}", f"?code={CODE}", ("X-Loopback-Relay", "page-token-canary"))
    seen(here, relayed, HttpResponse(200))
    seen(here, get(CALLBACK), address=f"{CALLBACK}#?code={CODE}-2")
    exchange, page = here.trace().exchanges()

    assert page.address == f"{CALLBACK}#?code=<code#2>"
    assert (exchange.url, exchange.request_body) == (f"{OURS}/<relay_key#1>", "code=<code#1>")
    assert exchange.request_headers == (FORMED, ("X-Loopback-Relay", "<relay_token#1>"))


def test_address_bar_shows_the_fragment_that_is_not_sent() -> None:
    """This is where a token in a fragment can be seen, and only there."""
    here = bound()
    seen(here, get(CALLBACK), address=f"{CALLBACK}#access_token={TOKEN}&state={STATE}")
    exchange = only(here)

    assert exchange.url == CALLBACK
    assert exchange.address == f"{CALLBACK}#access_token=<access_token#1>&state=<state#1>"


# Effects.


def test_effects_become_steps() -> None:
    """With what matters of each."""
    watch = Watch()
    here = recorder(watch=watch)
    callback = Callback((("code", CODE), ("state", STATE)), "query")
    here.performed(Bind(Redirect()), CALLBACK, begun=1000.0, ended=1000.1)
    here.performed(Warn(f"beware of {STATE}"), None, begun=1000.2, ended=1000.2)
    here.performed(Browse(ASKED, REQUEST), None, begun=1000.3, ended=1000.3)
    here.performed(Receive(REQUEST), callback, begun=1000.4, ended=1002.0)
    watch.now = 1003.0
    here.ended(TokenError("invalid_grant", f"no such code: {CODE}"))
    steps = [entry for entry in here.trace().entries if isinstance(entry, Step)]

    assert [(step.name, step.at) for step in steps] == [
        ("bind", 0.0),
        ("warn", 0.2),
        ("browse", 0.3),
        ("receive", 2.0),
        ("failed", 3.0),
    ]
    assert steps[0].value("redirect_uri") == CALLBACK
    assert steps[1].words == "beware of <state#1>"
    assert (steps[3].value("via"), steps[3].value("parameters")) == ("query", "code state")
    assert steps[4].words == "The token request was refused: invalid_grant (no such code: <code#1>)"


def test_pasted_answer_is_told_from_one_that_arrived() -> None:
    """The person has brought it."""
    here = recorder()
    callback = Callback((("code", CODE),), "paste")
    here.performed(Receive(REQUEST), callback, begun=1000.0, ended=1002.0)

    assert [step.at for step in here.trace().steps("paste")] == [2.0]
    assert not list(here.trace().steps("receive"))


@pytest.mark.parametrize(
    ("seconds", "moment", "returned"),
    [
        (5.0, Tick(0, 0), [""]),
        (5.0, Tick(0, 0, returned=True, watched=True), ["yes"]),
        (0.0, Tick(0, 0), []),
    ],
)
def test_waiting_says_for_what(seconds: float, moment: Tick, returned: list[str]) -> None:
    """Sleeping for no time at all is how a flow reads the clock."""
    here = recorder()
    here.performed(Sleep(seconds), moment, begun=1000.0, ended=1000.0 + seconds)

    assert [step.value("returned") for step in here.trace().steps("wait")] == returned


@pytest.mark.parametrize(
    ("account", "ending"),
    [("demo@example.com", " as demo@example.com."), ("", "signed in.")],
)
def test_success_names_the_account_if_it_is_known(account: str, ending: str) -> None:
    """Not every server tells."""
    tokens = TokenSet(TOKEN, "Bearer", 0.0, account=account)
    here = recorder()
    here.ended(SignIn("demo", "client", "none", ServerMetadata(), "", tokens))

    assert [step.words.endswith(ending) for step in here.trace().steps("done")] == [True]


@pytest.mark.parametrize(
    ("url", "program", "page", "argument"),
    [
        (f"{OURS}/{KEY}", "firefox", "start page", f"{OURS}/<start_key#1>"),
        (f"{OURS}/{KEY}", "", "start page", f"{OURS}/<start_key#1>"),
        (ASKED, "firefox", "provider's page", ASKED.replace(STATE, "<state#1>")),
    ],
)
def test_opened_address_is_what_is_in_the_process_list(
    url: str, program: str, page: str, argument: str
) -> None:
    """Everybody on the machine can read the arguments of a program."""
    here = recorder()
    here.opened(url, program)
    [step] = here.trace().steps("open")

    assert page in step.words
    assert (step.value("argument"), step.value("program")) == (argument, program)


# Live ground: nobody sees into the browser.


def test_only_on_live_ground_visits_count() -> None:
    """Elsewhere the browser's own observer has seen them already."""
    head = get(f"/callback?code={CODE}&state={STATE}", ("Host", AUTHORITY))
    demo, live = bound("demo"), bound("live")
    for here in (demo, live):
        here.visited(head, 200)
    [_, visit] = live.trace().exchanges()

    assert not list(demo.trace().exchanges())
    assert (visit.sender, visit.receiver, visit.step, visit.status) == (
        "browser",
        "client",
        "authorization response",
        200,
    )
    assert visit.url == visit.address == f"{CALLBACK}?code=<code#1>&state=<state#1>"


def test_answer_that_was_held_until_the_end_is_where_it_arrived() -> None:
    """Our port tells of a visitor when it has answered, and this one waits for the outcome."""
    watch = Watch()
    here = recorder("live", watch=watch)
    here.performed(Bind(Redirect()), CALLBACK, begun=1000.0, ended=1000.0)
    here.performed(Receive(REQUEST), Callback((("code", CODE),), "query"), begun=1000.0, ended=1002.0)
    sent(here, post(f"{ISSUER}/token", f"code={CODE}"), at=1002.0)
    watch.now = 1003.0
    here.visited(get("/callback?code=again", ("Host", AUTHORITY)), 410)
    here.visited(get(f"/callback?code={CODE}", ("Host", AUTHORITY)), 200)
    entries = here.trace().entries

    assert [(entry.at, entry.name if isinstance(entry, Step) else entry.status) for entry in entries] == [
        (0.0, "bind"),
        (2.0, 200),
        (2.0, "receive"),
        (2.0, 0),
        (3.0, 410),
    ]


def test_on_live_ground_the_request_to_the_server_is_not_observed() -> None:
    """Only its address is known, since it came from us."""
    asked = only(bound("live"))

    assert (asked.step, asked.observed, asked.status) == ("authorization request", False, 0)
    assert asked.address == asked.url == ASKED.replace(STATE, "<state#1>")


def test_on_live_ground_the_page_to_approve_on_is_not_observed() -> None:
    """Whether anybody went there is not known either."""
    here = recorder("live", "ticket")
    here.performed(
        VerificationPrompt("demo", f"{ISSUER}/approve?ticket={CODE}"), None, begun=1000.0, ended=1000.0
    )

    assert (only(here).observed, only(here).url) == (False, f"{ISSUER}/approve?ticket=<ticket#1>")


def test_parameters_of_a_stranger_are_not_kept() -> None:
    """They may belong to another sign-in, and could as well be chosen to spoil the labels."""
    here = bound("live")
    here.visited(get("/callback?code=a&state=another-sign-in", ("Host", AUTHORITY)), 400)
    *_, visit = here.trace().exchanges()

    assert visit.url == CALLBACK
    assert "another-sign-in" not in repr(here.trace())


def test_script_of_a_page_of_ours_has_no_address() -> None:
    """The address bar does not change."""
    here = bound("live")
    here.visited(HttpRequest("POST", f"/{RELAY}", (("X-Loopback-Relay", "page-token-canary"),)), 200)
    *_, visit = here.trace().exchanges()

    assert (visit.step, visit.address) == ("fragment relay", "")
    assert visit.request_headers == (("X-Loopback-Relay", "<relay_token#1>"),)


# Secrets: one label wherever they turn up.


def test_label_is_the_same_in_every_place() -> None:
    """So that a reader can follow a secret without ever seeing it."""
    here = bound()
    packed = base64.b64encode(f'{{"code":"{CODE}"}}'.encode()).decode()
    urlsafe = base64.urlsafe_b64encode(f"?>{CODE}".encode()).decode()
    seen(here, get(f"{CALLBACK}?code={CODE}"), address=f"{CALLBACK}#code={CODE}")
    sent(here, post(f"{ISSUER}/token", f"code={CODE}&x={quote(CODE)}"), answering({"a": [{"b": CODE}]}))
    sent(here, get(f"{ISSUER}/x/{CODE}/y?next={quote(f'{OURS}/?code={CODE}', safe='')}"))
    sent(here, get(f"{ISSUER}/?p={packed}&q={urlsafe}", ("Authorization", f"Bearer {CODE}")))
    trace = here.trace()

    assert repr(trace).count("<code#1>") >= 9
    assert "<code#2>" not in repr(trace)
    for form in (CODE, packed, urlsafe, base64.b64encode(CODE.encode()).decode()):
        assert form not in repr(trace)


def test_secret_that_becomes_known_later_is_labelled_before_as_well() -> None:
    """A ticket's id stands in a path before an answer says that it is one."""
    here = recorder(flow="ticket")
    ticket = "ticketcanary0123456789"
    sent(here, get(f"{ISSUER}/tickets/{ticket}"), at=1001.0)
    sent(here, get(f"{ISSUER}/new"), answering({"id": ticket}), secrets=("id",), at=1002.0)
    first, second = here.trace().exchanges()

    assert first.url == f"{ISSUER}/tickets/<ticket#1>"
    assert second.response_body == '{"id": "<ticket#1>"}'


def test_secret_of_an_answer_may_be_an_address() -> None:
    """Then what is unguessable in it is the secret, and the rest can be read."""
    here = recorder(flow="ticket")
    ticket = "0c6f1b2e-canary-9d8e-7a6b5c4d3e2f"
    made = answering({"login": {"url": f"/login?next={quote(f'/cli/{ticket}', safe='')}"}})
    sent(here, get(f"{ISSUER}/new"), made, secrets=("login.url", "absent", "login"))
    sent(here, get(f"{ISSUER}/cli/{ticket}"))
    first, second = here.trace().exchanges()

    assert first.response_body == '{"login": {"url": "/login?next=%2Fcli%2F<ticket#1>"}}'
    assert second.url == f"{ISSUER}/cli/<ticket#1>"


def test_id_token_is_one_secret_and_what_it_holds_another() -> None:
    """Its parts are labelled too where they stand alone."""
    nonce = "nonce-canary-0123456789"
    payload = base64.urlsafe_b64encode(json.dumps({"nonce": nonce, "sub": "1"}).encode()).decode().rstrip("=")
    token = f"eyJhbGciOiJSUzI1NiJ9.{payload}.c2lnbmF0dXJlLWNhbmFyeQ"
    here = recorder()
    sent(here, get(f"{ISSUER}/1"), answering({"id_token": token, "nested": {"code": CODE}}))
    sent(here, get(f"{ISSUER}/2?x={nonce}&payload={payload}&signature=c2lnbmF0dXJlLWNhbmFyeQ"))
    first, second = here.trace().exchanges()

    assert first.response_body == '{"id_token": "<id_token#1>", "nested": {"code": "<code#1>"}}'
    assert second.url == (f"{ISSUER}/2?x=<nonce#1>&payload=<id_token_part#1>&signature=<id_token_part#2>")


@pytest.mark.parametrize("token", ["eyJhbGciOiJub25lIn0.bm8ganNvbiBjYW5hcnk.", "eyJh.eyJh.eyJh"])
def test_token_that_holds_no_document_is_a_secret_all_the_same(token: str) -> None:
    """It came where a token comes."""
    here = recorder()
    sent(here, get(ISSUER), answering({"access_token": token}))

    assert only(here).response_body == '{"access_token": "<access_token#1>"}'


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (f"Bearer {TOKEN}", "Bearer <access_token#1>"),
        (f"token {TOKEN}", "token <access_token#1>"),
        (
            f"Basic {base64.b64encode(b'me:p%2Bsecret%25canary').decode()}",
            "Basic me:<client_secret#1>",
        ),
        (f"basic {base64.b64encode(b'me:raw%zz%FFcanary').decode()}", "basic me:<client_secret#2>"),
        ("Basic !!!not-base64-canary", "Basic :<client_secret#1>"),
        ("Basic", "Basic"),
    ],
)
def test_credentials_are_secret_by_their_place(header: str, shown: str) -> None:
    """Those of Basic are spelt out, since base64 would hide where the secret ends."""
    here = recorder()
    sent(here, get(ISSUER, ("Authorization", header)))
    [(_, kept)] = only(here).request_headers

    assert "canary" not in kept
    assert kept.rstrip(": ") == shown.rstrip(": ")


def test_cookies_are_learnt_and_never_shown() -> None:
    """A session is as good as a token; a language is not."""
    here = recorder()
    cookie = ("Cookie", "sid=session-canary-1; lang=en")
    answer = HttpResponse(200, (("Set-Cookie", "sid=session-canary-2; Path=/"), HTML), b"")
    sent(here, post(f"{ISSUER}/?s=session-canary-1", "t=session-canary-2&lang=en", cookie), answer)
    exchange = only(here)

    assert exchange.request_headers == (FORMED,)
    assert exchange.response_headers == (HTML,)
    assert exchange.url == f"{ISSUER}/?s=<cookie#1>"
    assert exchange.request_body == "t=<cookie#2>&lang=en"


def test_what_looks_secret_in_a_form_of_the_browser_is() -> None:
    """Servers have names of their own for what ties their pages together, and passwords are passwords."""
    here = recorder()
    session = "AbCdEf0123456789-canary"
    seen(here, post(f"{ISSUER}/log-in?s={session}", f"password=hunter2canary&csrf={session}&lang=english"))
    exchange = only(here)

    assert exchange.url == f"{ISSUER}/log-in?s=<s#1>"
    assert exchange.request_body == "password=<password#1>&csrf=<s#1>&lang=english"


def test_what_a_reader_needs_is_no_secret_although_it_looks_like_one() -> None:
    """Whether there was a code challenge is the first thing that is judged."""
    here = recorder()
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    seen(here, get(f"{ISSUER}/authorize?client_id=an-identifier-0123456789&code_challenge={challenge}"))

    assert challenge in only(here).url
    assert "an-identifier-0123456789" in only(here).url


@pytest.mark.parametrize(
    "body",
    [
        f"code=%FF{CODE}%zz",
        f"code={quote(quote(CODE + '/+'))}",
        f"request_uri={quote(f'https://x.example/?token={TOKEN}', safe='')}",
        f"redirect_uri={quote(quote(f'https://x.example/?code={CODE}', safe=''), safe='')}",
        f"x={quote(f'https://x.example/#?access_token={TOKEN}', safe='')}",
        f'{{"token": "{TOKEN}", "deep": {{"code_verifier": "{CODE}"}}}}',
    ],
)
@pytest.mark.parametrize("kind", [FORM, "application/json", "text/plain"])
def test_malformed_and_nested_secrets_do_not_show(body: str, kind: str) -> None:
    """Whoever writes them does not ask how we read them."""
    here = recorder()
    request = HttpRequest("POST", ISSUER, (("Content-Type", kind),), body.encode())
    sent(here, request, HttpResponse(200, (("Content-Type", kind),), body.encode()))

    assert CODE not in repr(here.trace())
    assert TOKEN not in repr(here.trace())


def test_number_in_place_of_a_token_is_labelled() -> None:
    """A broken server's token is a token; what else is a number stays one."""
    here = recorder()
    sent(here, get(ISSUER), answering({"access_token": 8675309, "expires_in": 3600, "ok": True}))

    assert json.loads(only(here).response_body) == {
        "access_token": "<access_token#1>",
        "expires_in": 3600,
        "ok": True,
    }


def test_code_of_a_refusal_is_no_authorization_code() -> None:
    """Vendors number their errors so, or name them."""
    here = recorder()
    sent(here, get(ISSUER), answering({"code": "not_found", "message": "not_found"}, 404))

    assert only(here).response_body == '{"code": "not_found", "message": "not_found"}'


@pytest.mark.parametrize("name", [r"\1_token", "a_token" * 9, "<b>_token", "\x1b_token"])
def test_label_is_not_the_servers_to_choose(name: str) -> None:
    """Names come from outside too."""
    here = recorder()
    secret = 'a "secret" canary'
    sent(here, get(ISSUER), answering({name: secret}))
    sent(here, get(f"{ISSUER}/?x={quote(secret)}"))
    *_, last = here.trace().exchanges()

    assert last.url == f"{ISSUER}/?x=<secret#1>"


def test_secrets_are_listed_as_far_as_they_occur() -> None:
    """With their length, and nothing else of them."""
    here = recorder()
    sent(here, post(ISSUER, f"code={CODE}", ("Cookie", "sid=session-canary-1")))

    assert [(one.label, one.kind, one.length) for one in here.trace().secrets] == [
        ("<code#1>", "code", len(CODE))
    ]


# What is kept of a message.


def test_pages_are_kept_by_title_and_size() -> None:
    """What they say is for the person."""
    here = bound()
    body = b"<title>\n Sign in &amp; approve </title>" + b"x" * 1200
    seen(here, get(ASKED), HttpResponse(200, (HTML,), body))
    seen(here, get(ASKED), HttpResponse(200, (HTML,), b"no title"))
    first, second = here.trace().exchanges()

    assert first.response_body == "<title>Sign in &amp; approve</title> (1 239 bytes of HTML)"
    assert second.response_body == "(8 bytes of HTML)"


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("image/png", b"\x89PNG", "(4 bytes of image/png)"),
        ("", b"what?", "(5 bytes of an unknown type)"),
        ("application/json", b"[1, 2]", "(6 bytes of application/json)"),
        ("application/json", b'{"a": 1, "a": 2}', "(16 bytes of application/json)"),
        ("application/problem+json", b'{"a": "\\ud800"}', '{"a": "\\ud800"}'),
        (FORM, f"access_token={TOKEN}".encode(), f"({len(TOKEN) + 13} bytes of {FORM})"),
        ("text/plain", b"", ""),
    ],
)
def test_other_bodies_are_kept_as_far_as_they_can_be_understood(kind: str, body: bytes, shown: str) -> None:
    """What cannot be understood cannot be made safe."""
    here = recorder()
    sent(here, get(ISSUER), HttpResponse(200, (("Content-Type", kind),), body))

    assert only(here).response_body == shown
    assert isinstance(only(here).response_body.encode(), bytes)


def test_token_in_a_form_answer_is_learnt() -> None:
    """Some token endpoints answer so, and the token goes on from there."""
    here = recorder()
    sent(here, get(ISSUER), HttpResponse(200, (FORMED,), f"access_token={TOKEN}".encode()))
    sent(here, get(f"{ISSUER}/{TOKEN}"))
    *_, last = here.trace().exchanges()

    assert last.url == f"{ISSUER}/<access_token#1>"


def test_only_headers_that_matter_are_kept() -> None:
    """The others are noise, or tell more about a machine than anybody asked."""
    here = recorder()
    sent(
        here,
        get(
            ISSUER,
            ("User-Agent", "x"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Referer", f"{ISSUER}/?state={STATE}"),
        ),
        HttpResponse(302, (("Server", "x"), ("Location", f"{CALLBACK}?code={CODE}"), ("Retry-After", "5"))),
    )
    exchange = only(here)

    assert exchange.request_headers == (
        ("Sec-Fetch-Mode", "navigate"),
        ("Referer", f"{ISSUER}/?state=<state#1>"),
    )
    assert exchange.response_headers == (("Location", f"{CALLBACK}?code=<code#1>"), ("Retry-After", "5"))


def test_long_text_is_cut_after_it_was_made_safe_or_not_shown() -> None:
    """Half a secret would not be recognised any more, and to look for one everywhere takes time."""
    here = recorder()
    edge = f"{ISSUER}/{'x' * (LIMIT - 40)}?code={CODE}"
    sent(here, get(edge), answering({"a": "y" * BODY_LIMIT, "code": CODE}))
    exchange = only(here)

    assert len(exchange.url) <= LIMIT
    assert exchange.response_body == "(65 579 bytes of application/json)"
    assert CODE[:8] not in repr(here.trace())


def test_recorder_shows_nothing_of_what_it_has_seen() -> None:
    """It ends up in tracebacks and debuggers' tool tips."""
    here = bound()
    seen(here, get(f"{CALLBACK}?code={CODE}"))
    raw = [repr(getattr(here, name)) for name in vars(here)]

    assert repr(here) == "Recorder('code', 'demo', 4 entries)"
    assert not [text for text in raw if CODE in text or KEY in text]


def test_text_of_others_can_be_made_safe() -> None:
    """The reason of a failure goes into reports."""
    here = recorder()
    sent(here, post(ISSUER, f"code={CODE}"))

    assert here.text(f"{CODE} was used before") == "<code#1> was used before"


def test_trace_can_be_taken_twice() -> None:
    """Labels do not change when more is seen."""
    here = bound()
    first = here.trace()
    sent(here, post(ISSUER, f"code={CODE}"))

    assert here.trace().entries[: len(first.entries)] == first.entries
    assert replace(here.trace(), entries=(), secrets=()) == replace(first, entries=(), secrets=())
