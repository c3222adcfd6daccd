"""The demo server's router: what it publishes, what it turns away, and that nothing makes it raise."""

from __future__ import annotations

import json
import re
import secrets
from functools import partial
from urllib.parse import urlencode

import pytest
from costs import calls, least_seconds
from demo_conversation import (
    ISSUER,
    REDIRECT_URI,
    Conversation,
    PlainSigner,
    conversation,
    document,
    hidden,
    request,
)
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.demo.accounts import Account
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.setup import DEVICE_CODE
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import FORM, HttpRequest

OAUTH = "/.well-known/oauth-authorization-server"
API = "/netlify/api/v1"
OPENID = "/.well-known/openid-configuration"


def test_metadata_names_endpoints_that_exist() -> None:
    """A client that discovers must find what the document says (RFC 8414 §2)."""
    talk = conversation(signer=PlainSigner())
    published = document(talk.get(OAUTH))
    addresses = [value for name, value in published.items() if name.endswith(("_endpoint", "jwks_uri"))]

    assert published["issuer"] == ISSUER
    assert len(addresses) == 8
    assert [url for url in addresses if talk.get(url).status == 404] == []


def test_both_documents_say_the_same() -> None:
    """OpenID Connect Discovery §4 and RFC 8414 §3 describe one server."""
    talk = conversation(signer=PlainSigner())

    assert document(talk.get(OPENID)) == document(talk.get(OAUTH)) == talk.server.metadata()


def test_server_without_signer_is_plain_oauth() -> None:
    """It must not promise ID tokens that it cannot sign."""
    talk = conversation()
    published = document(talk.get(OAUTH))

    assert "openid" not in published["scopes_supported"]
    assert "jwks_uri" not in published
    assert (talk.get(OPENID).status, talk.get("/jwks").status) == (404, 404)


def test_own_accounts_and_scopes() -> None:
    """Who tests a client brings the scopes of the real server along."""
    server = DemoServer(
        ISSUER,
        entropy=secrets.token_bytes,
        accounts=[Account("s", "only@example.com", "Only")],
        scopes={"read:things": "See your things."},
    )
    parameters = urlencode(request(scope="read:things"))
    page = server.handle(HttpRequest("GET", f"/authorize?{parameters}"), 0)
    form = urlencode({"interaction": hidden(page), "account": "s"}).encode()
    consent = server.handle(HttpRequest("POST", "/sign-in", (("Content-Type", FORM),), form), 0)

    assert b"demo@example.com" not in page.body
    assert b"See your things." in consent.body


@pytest.mark.parametrize(
    "issuer",
    ["", "127.0.0.1:80", "ftp://h", "http://", "http://h/", "http://h/p", "http://h?q", "http://a@h"],
)
def test_issuer_must_be_an_origin(issuer: str) -> None:
    """The well-known address of an issuer with a path is another one (RFC 8414 §3.1)."""
    with pytest.raises(ConfigError):
        DemoServer(issuer, entropy=secrets.token_bytes)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", OAUTH, "GET"),
        ("GET", "/token", "POST"),
        ("PUT", "/authorize", "GET, POST"),
        ("get", "/authorize", "GET, POST"),
        ("OPTIONS", "/revoke", "POST"),
    ],
)
def test_wrong_method_is_told_the_right_one(method: str, path: str, allow: str) -> None:
    """A 405 lists what is allowed (RFC 9110 §15.5.6)."""
    response = conversation().server.handle(HttpRequest(method, path), 0)

    assert (response.status, response.header("allow")) == (405, allow)


@pytest.mark.parametrize(
    ("url", "headers", "body", "status"),
    [
        ("/", (), b"", 404),
        ("/token/", (), b"", 404),
        ("/%74oken", (), b"", 404),
        ("//token", (), b"", 404),
        (ISSUER, (), b"", 404),
        ("http://other.example/token", (), b"", 421),
        (f"{ISSUER}.example/token", (), b"", 421),
        ("*", (), b"", 421),
        ("/authorize#x", (), b"", 400),
        ("/é", (), b"", 400),
        (OAUTH, (("Host", "127.0.0.1:8000"),), b"", 200),
        (OAUTH, (("Host", "rebound.example:8000"),), b"", 421),
        (OAUTH, (("Host", "127.0.0.1:8000"), ("Host", "127.0.0.1:8000")), b"", 400),
        (OAUTH, (), b"x" * 65537, 413),
    ],
)
def test_strange_requests_are_turned_away(
    url: str, headers: tuple[tuple[str, str], ...], body: bytes, status: int
) -> None:
    """Only proper requests for this server get through (RFC 9110 §7.2, §7.4)."""
    assert conversation().server.handle(HttpRequest("GET", url, headers, body), 0).status == status


def test_log_counts_requests_and_stays_small() -> None:
    """Tests count requests; strangers who try addresses must not fill the memory."""
    talk = conversation()
    for path in ("/authorize?x=1", "/authorize", "/a", "/b"):
        talk.get(path)
    talk.server.handle(HttpRequest("BREW", "/c"), 0)

    assert talk.server.log == {("GET", "/authorize"): 2, ("GET", "*"): 2, ("*", "*"): 1}


def test_no_secret_in_any_repr() -> None:
    """A failing test prints values, and CI keeps what is printed."""
    talk = conversation()
    tokens, grant = talk.tokens(), talk.device()
    sign_in = talk.post("/device", {"user_code": grant["user_code"]})
    shown = repr(talk.server) + repr(talk) + repr(vars(talk.server)) + repr(sign_in)
    secrets_of = (tokens["access_token"], grant["device_code"], grant["user_code"])

    assert [secret for secret in secrets_of if secret in shown] == []


def test_descriptions_stay_within_their_alphabet() -> None:
    """An error_description has no quotes, backslashes or controls (RFC 6749 §4.1.2.1)."""
    talk = conversation()
    answers = [
        talk.exchange("x"),
        talk.refresh("x"),
        talk.post("/par", {}),
        talk.exchange("x", grant_type=None),
        talk.exchange("x", code_verifier=None),
        talk.get("/userinfo"),
    ]
    texts = [document(answer)["error_description"] for answer in answers]

    assert [text for text in texts if not re.fullmatch(r"[ !#-\[\]-~]+", text)] == []


PATHS = st.sampled_from(
    [
        *("/authorize", "/sign-in", "/consent", "/par", "/token", "/revoke", "/userinfo", "/jwks", OAUTH, ""),
        *("/device_authorization", "/device", "/netlify/authorize", "/npm/login", "/npm/-/v1/login"),
        *("/netlify/api/v1/oauth/tickets", "/netlify/api/v1/oauth/tickets/", "/netlify/api/v1/user"),
        *("/netlify/api/v1/oauth/tickets/x", "/netlify/api/v1/oauth/tickets/x/exchange", "/npm/-/whoami"),
        *("/netlify/api/v1/access_tokens/revoke", "/npm/-/v1/done", "/heroku/auth", "/heroku/auth/cli"),
        *("/heroku/auth/browser", "/stripe/stripecli/auth", "/stripe/stripecli/poll", "/doppler/auth/cli"),
        *("/stripe/stripecli/confirm_auth", "/doppler/v3/auth/cli/generate/2"),
        "/doppler/v3/auth/cli/authorize",
    ]
)
NAMES = st.sampled_from(
    [
        *request(),
        *("prompt", "resource", "request_uri", "response_mode", "login_hint", "grant_type", "code", "token"),
        *("refresh_token", "code_verifier", "client_secret", "interaction", "account", "decision", "ticket"),
        *("device_code", "user_code", "device_name", "message", "nonce", "authId", "next", "id", "t"),
    ]
)
VALUES = st.sampled_from(
    [
        *request().values(),
        *("form_post", "fragment", "query", "none", "authorization_code", "refresh_token", "token"),
        *("id_token token", "code id_token", "openid", "urn:ietf:params:oauth:grant-type:device_code"),
    ]
)
FORMS = st.lists(st.tuples(NAMES, VALUES | st.text()), max_size=12).map(
    lambda pairs: urlencode(pairs, errors="surrogatepass")
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Host", "Authorization", "Content-Type", "Origin", "Sec-Fetch-Site"]) | st.text(),
        st.sampled_from([FORM, "application/json", "Bearer x", "Basic x", "Basic OTo5", ISSUER]) | st.text(),
    ),
    max_size=4,
).map(tuple)


MEMBERS = st.dictionaries(
    NAMES | st.sampled_from(["code_challenge", "description", "hostname"]),
    VALUES | st.text() | st.none() | st.integers() | st.lists(st.text(), max_size=2),
    max_size=5,
).map(lambda members: json.dumps(members).encode())


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]) | st.text(),
    path=PATHS,
    query=FORMS | st.text(),
    headers=HEADERS,
    body=FORMS.map(str.encode) | MEMBERS | st.binary(),
    media_type=st.sampled_from([FORM, "application/json"]),
)
def test_nothing_makes_it_raise(
    method: str, path: str, query: str, headers: tuple[tuple[str, str], ...], body: bytes, media_type: str
) -> None:
    """A client under test may send anything, and needs a response."""
    server = conversation(signer=PlainSigner()).server
    asked = HttpRequest(method, f"{path}?{query}", (*headers, ("Content-Type", media_type)), body)

    assert 200 <= server.handle(asked, 0).status < 500


def begun(talk: Conversation) -> dict[str, str]:
    """Begin a device grant and a ticket of each kind, approve some; return what stands for them."""
    grant, npm = talk.device(), document(talk.send("POST", "/npm/-/v1/login"))
    ticket = document(talk.send("POST", f"{API}/oauth/tickets?client_id=loopback-auth-demo"))["id"]
    doppler = document(talk.get("/doppler/v3/auth/cli/generate/2"))
    heroku = document(talk.send("POST", "/heroku/auth"))
    stripe = document(talk.post("/stripe/stripecli/auth", {"device_name": "d"}))
    talk.visit(grant["verification_uri_complete"])
    talk.visit(f"{ISSUER}/netlify/authorize?ticket={ticket}")
    talk.visit(npm["loginUrl"], "deny")
    sign_in = talk.post("/device", {"user_code": talk.device()["user_code"]})
    return {
        "device_code": grant["device_code"],
        "user_code": doppler["code"],
        "code": doppler["polling_code"],
        "ticket": ticket,
        "authId": npm["doneUrl"].rpartition("=")[2],
        "id": heroku["cli_url"].rpartition("=")[2],
        "secret": stripe["poll_url"].rpartition("=")[2],
        "t": stripe["browser_url"].rpartition("=")[2],
        "interaction": hidden(sign_in),
        "token": heroku["token"],
    }


@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(["GET", "POST", "DELETE"]),
            PATHS | st.just("{ticket}") | st.just("{ticket}/exchange"),
            st.sampled_from([FORM, "application/json"]),
            st.sampled_from([0.0, 1.0, 5.0, 599.0]),
            st.dictionaries(NAMES, VALUES, max_size=3),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_nothing_that_is_known_makes_it_raise(
    calls: list[tuple[str, str, str, float, dict[str, str]]],
) -> None:
    """The same with codes and tickets that exist, in whatever order and state."""
    talk = conversation(signer=PlainSigner())
    known = begun(talk)
    more = {"client_id": "loopback-auth-demo", "grant_type": DEVICE_CODE, "account": "demo-1"}
    for method, path, media_type, seconds, changes in calls:
        talk.wait(seconds)
        values = known | more | {"decision": "approve"} | changes
        url = path.replace("{ticket}", f"{API}/oauth/tickets/{known['ticket']}")
        body = json.dumps(values) if media_type != FORM else urlencode(values)
        proof = () if path == "/token" else (("Authorization", f"Bearer {known['token']}"),)
        headers = (("Content-Type", media_type), *proof)
        asked = HttpRequest(
            method, f"{url}?{urlencode(values) if method == 'GET' else ''}", headers, body.encode()
        )

        assert 200 <= talk.server.handle(asked, talk.now).status < 500


@given(changes=st.dictionaries(NAMES, VALUES | st.text()))
def test_browser_is_never_sent_elsewhere(changes: dict[str, str]) -> None:
    """Whatever is asked, the browser is sent to a registered address only (RFC 6749 §3.1.2.4)."""
    query = urlencode(request() | changes, errors="surrogatepass")
    response = conversation(signer=PlainSigner()).get(f"/authorize?{query}")

    assert response.status in (200, 303, 400)
    assert response.status != 303 or response.header("location").startswith(
        (f"{REDIRECT_URI}?", f"{REDIRECT_URI}#")
    )


def test_sign_in_is_cheap() -> None:
    """Suites run it thousands of times: one whole sign-in stays below a few milliseconds of CPU."""
    talk = conversation()
    talk.tokens()
    first = calls(partial(sign_in, talk))

    assert least_seconds(partial(sign_in, talk), runs=50) < 0.01
    # 3,400 for the first one, and as many when there were others before it.
    assert first < 5_000
    assert calls(partial(sign_in, talk)) < 1.1 * first


def sign_in(talk: Conversation) -> None:
    """Do what a client does that knows nothing but the issuer."""
    talk.get(OAUTH)
    talk.tokens()
