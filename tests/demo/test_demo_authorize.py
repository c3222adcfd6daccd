"""The demo server in the browser: each rule of the authorization endpoint kept, and broken by the caller."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from demo_conversation import (
    CHALLENGE,
    ISSUER,
    REDIRECT_URI,
    answer,
    conversation,
    document,
    error,
    hidden,
    query,
    request,
)

from loopback_auth.demo.clients import DemoClient
from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpRequest


def test_approval_returns_code_state_and_issuer() -> None:
    """A client gets back what RFC 6749 §4.1.2 and RFC 9207 §2 promise, and nothing else."""
    returned = conversation().returned()

    assert returned.keys() == {"code", "state", "iss"}
    assert (returned["state"], returned["iss"]) == ("a state", ISSUER)


def test_denial_is_told_to_the_client() -> None:
    """The person said no, and the client must hear it with its state (RFC 6749 §4.1.2.1)."""
    returned = conversation().returned("deny")

    assert (returned["error"], returned["state"], returned["iss"]) == ("access_denied", "a state", ISSUER)
    assert "code" not in returned


def test_request_without_state_gets_none_back() -> None:
    """The state is optional, and must not be invented (RFC 6749 §4.1.2)."""
    assert conversation().returned(state=None).keys() == {"code", "iss"}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": None},
        {"client_id": "stranger"},
        {"redirect_uri": None},
        {"redirect_uri": "https://attacker.example/callback"},
        {"redirect_uri": "http://127.0.0.1:51234/callback/"},
        {"redirect_uri": "http://127.0.0.1:51234/callback?x=1"},
        {"redirect_uri": "http://127.0.0.1:0/callback"},
        {"redirect_uri": "http://127.0.0.1:65536/callback"},
        {"redirect_uri": "http://127.0.0.1:5x/callback"},
        {"redirect_uri": "http://127.0.0.1:80@attacker.example/callback"},
        {"redirect_uri": "http://127.0.0.1.attacker.example/callback"},
        {"redirect_uri": "https://127.0.0.1:51234/callback"},
    ],
)
def test_wrong_client_or_address_is_never_redirected(changes: dict[str, str | None]) -> None:
    """Otherwise the server would be an open redirector (RFC 6749 §3.1.2.4, §4.1.2.1)."""
    response = conversation().authorize(**changes)

    assert (response.status, response.header("location")) == (400, "")
    assert response.header("content-type").startswith("text/html")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_repeated_client_or_address_is_never_redirected(name: str) -> None:
    """Two values leave open who asks (RFC 6749 §3.1)."""
    response = conversation().authorize((name, request()[name]))

    assert (response.status, response.header("location")) == (400, "")


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1/callback",
        "http://127.0.0.1:1/callback",
        "http://[::1]:65535/callback",
        "http://localhost:3000/callback",
    ],
)
def test_any_loopback_port_is_allowed(redirect_uri: str) -> None:
    """A native app learns its port only when it binds (RFC 8252 §7.3)."""
    assert conversation().authorize(redirect_uri=redirect_uri).status == 200


def test_port_of_other_hosts_is_compared() -> None:
    """The freedom of ports is for the loopback interface alone (RFC 9700 §2.1)."""
    client = DemoClient("web", redirect_uris=("https://client.example/cb",))
    talk = conversation(clients=[client])

    assert talk.authorize(client_id="web", redirect_uri="https://client.example/cb").status == 200
    assert talk.authorize(client_id="web", redirect_uri="https://client.example:444/cb").status == 400


def test_query_of_a_redirect_uri_is_kept() -> None:
    """The registered query must survive (RFC 6749 §3.1.2)."""
    changes = {"client_id": "with secret", "redirect_uri": "https://client.example/cb?tenant=1"}
    location = conversation().authorize(**changes, prompt="none").header("location")

    assert location.startswith("https://client.example/cb?tenant=1&error=login_required&")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "password"}, "unsupported_response_type"),
        ({"response_type": "code code2"}, "unsupported_response_type"),
        ({"response_mode": "jwt"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1] + "="}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "profile everything"}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"resource": "/relative"}, "invalid_target"),
        ({"resource": "https://api.example/#part"}, "invalid_target"),
        ({"resource": "https://[api"}, "invalid_target"),
    ],
)
def test_refusal_goes_back_to_the_client(changes: dict[str, str | None], code: str) -> None:
    """With the address proven, the client is told what was wrong, with state and iss (RFC 6749 §4.1.2.1)."""
    returned = answer(conversation().authorize(**changes))

    assert (returned["error"], returned["state"], returned["iss"]) == (code, "a state", ISSUER)


def test_state_outside_ascii_is_refused() -> None:
    """The state is visible ASCII and blanks (RFC 6749 appendix A.5)."""
    assert answer(conversation().authorize(state="é"))["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["scope", "nonce", "code_challenge"])
def test_repeated_parameter_is_refused(name: str) -> None:
    """No parameter may come twice (RFC 6749 §3.1)."""
    returned = answer(conversation().authorize((name, "x"), nonce="n"))

    assert (returned["error"], returned["state"]) == ("invalid_request", "a state")


def test_repeated_state_is_not_chosen_from() -> None:
    """The server cannot know which of two states is the client's."""
    returned = answer(conversation().authorize(("state", "another")))

    assert returned["error"] == "invalid_request"
    assert "state" not in returned


def test_repeated_resource_is_allowed() -> None:
    """The resource is the one parameter that may repeat (RFC 8707 §2)."""
    resources = ("resource", "https://a.example/"), ("resource", "https://b.example/")

    assert conversation().authorize(*resources).status == 200


def test_empty_parameter_counts_as_absent() -> None:
    """Parameters without a value are treated as if omitted (RFC 6749 §3.1)."""
    assert conversation().authorize(prompt="", response_mode="").status == 200
    assert answer(conversation().authorize(code_challenge=""))["error"] == "invalid_request"


@pytest.mark.parametrize("query", ["state=%ff", "state=%00", "&" * 70, "state=%0d%0aX:1"])
def test_unreadable_request_gets_a_page(query: str) -> None:
    """What cannot be decoded has no trustworthy address in it either (RFC 6749 appendix A)."""
    assert conversation().get(f"/authorize?{query}").status == 400


def test_request_by_post_is_served() -> None:
    """An OpenID provider must take the authorization request by POST as well (Core §3.1.2.1)."""
    talk = conversation()

    assert b"demo@example.com" in talk.post("/authorize", request()).body


def test_form_post_delivers_in_a_body() -> None:
    """With form_post nothing secret is part of an address (Form Post Response Mode §2)."""
    parameters = urlencode(request(response_mode="form_post"))
    step = conversation().browse(f"{ISSUER}/authorize?{parameters}")

    assert (step.method, step.url) == ("POST", REDIRECT_URI)
    assert step.body.startswith(b"code=")


def test_refusal_by_form_post() -> None:
    """Errors take the same way as success (Form Post Response Mode §2)."""
    page = conversation().authorize(response_mode="form_post", prompt="none")

    assert page.status == 200
    assert b'value="login_required"' in page.body


def test_login_hint_chooses_beforehand() -> None:
    """A hint spares the person the choice, and takes nothing away (OpenID Connect Core §3.1.2.1)."""
    page = conversation().authorize(login_hint="second@example.com").body.decode()

    assert page.index("second@example.com") < page.index("demo@example.com")


def test_consent_page_names_client_account_and_scope() -> None:
    """A person can decide only on what the page says."""
    talk = conversation()
    form = {"interaction": hidden(talk.authorize()), "account": "demo-2", "decision": "continue"}
    page = talk.post("/sign-in", form).body.decode()

    for text in ("loopback-auth-demo", "second@example.com", "See your name.", "See your email address."):
        assert text in page


def test_page_works_once() -> None:
    """A form that is sent again must not sign in again."""
    talk = conversation()
    form = {"interaction": hidden(talk.authorize()), "account": "demo-1"}

    assert [talk.post("/sign-in", form).status for _ in range(2)] == [200, 400]


def test_page_expires() -> None:
    """A page left open for hours is not a consent."""
    talk = conversation()
    form = {"interaction": hidden(talk.authorize()), "account": "demo-1"}
    talk.now += 600

    assert talk.post("/sign-in", form).status == 400


def test_consent_cannot_be_given_before_sign_in() -> None:
    """The id of the first page is worth nothing on the second."""
    talk = conversation()
    form = {"interaction": hidden(talk.authorize()), "decision": "approve"}

    assert talk.post("/consent", form).status == 400


@pytest.mark.parametrize("account", ["", "demo-3", "demo@example.com"])
def test_unknown_account_is_refused(account: str) -> None:
    """Only accounts of the page can be chosen."""
    talk = conversation()

    assert talk.post("/sign-in", {"interaction": hidden(talk.authorize()), "account": account}).status == 400


def test_no_decision_is_no_consent() -> None:
    """Anything but the approving button leaves the client without a code."""
    talk = conversation()
    page = talk.post("/sign-in", {"interaction": hidden(talk.authorize()), "account": "demo-1"})
    response = talk.post("/consent", {"interaction": hidden(page), "decision": "continue"})

    assert (response.status, response.header("location")) == (400, "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Sec-Fetch-Site", "same-origin"), ("Origin", "null")], 200),
        ([("Sec-Fetch-Site", "cross-site")], 403),
        ([("Sec-Fetch-Site", "same-site")], 403),
        ([("Sec-Fetch-Site", "none")], 403),
        ([("Origin", ISSUER)], 200),
        ([("Origin", "null")], 200),
        ([("Origin", "http://attacker.example")], 403),
        ([], 200),
    ],
)
def test_form_of_another_site_is_refused(headers: list[tuple[str, str]], status: int) -> None:
    """A foreign page that learnt an id must not sign the person in (RFC 6749 §10.12)."""
    talk = conversation()
    form = {"interaction": hidden(talk.authorize()), "account": "demo-1"}

    assert talk.post("/sign-in", form, *headers).status == status


def test_pushed_request_signs_in() -> None:
    """The browser carries a reference in place of the request (RFC 9126 §2.2, §4)."""
    talk = conversation()
    response = talk.post("/par", request(scope="profile"))
    pushed = document(response)
    step = talk.browse(f"{ISSUER}/authorize?client_id=loopback-auth-demo&request_uri={pushed['request_uri']}")

    assert (response.status, pushed["expires_in"]) == (201, 60)
    assert query(step.url)["state"] == ["a state"]


@pytest.mark.parametrize(
    ("client_id", "seconds", "times"),
    [("with secret", 0, 1), ("loopback-auth-demo", 60, 1), ("loopback-auth-demo", 0, 2), ("", 0, 1)],
)
def test_pushed_request_is_bound_short_lived_and_single_use(client_id: str, seconds: int, times: int) -> None:
    """A reference is good for its client, for a minute and for one use (RFC 9126 §2.2, §4, §7.3)."""
    talk = conversation()
    reference = document(talk.post("/par", request()))["request_uri"]
    talk.now += seconds
    for _ in range(times):
        response = talk.get(f"/authorize?client_id={client_id.replace(' ', '+')}&request_uri={reference}")

    assert response.status == 400


def test_repeated_reference_is_refused() -> None:
    """Two references leave open what is asked (RFC 6749 §3.1)."""
    talk = conversation()
    reference = document(talk.post("/par", request()))["request_uri"]
    twice = f"request_uri={reference}&" * 2

    assert talk.get(f"/authorize?{twice}client_id=loopback-auth-demo").status == 400


def test_parameters_beside_a_reference_are_ignored() -> None:
    """Only what was pushed counts, or the browser could change it (RFC 9126 §4)."""
    talk = conversation()
    reference = document(talk.post("/par", request(state="pushed")))["request_uri"]
    response = talk.authorize(request_uri=reference, state="in the address", prompt="none")

    assert b"demo@example.com" in response.body


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "stranger"}, "invalid_client"),
        ({"client_id": "with secret"}, "invalid_client"),
        ({"redirect_uri": "https://attacker.example/"}, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_bad_push_is_refused_at_once(changes: dict[str, str | None], code: str) -> None:
    """The point of pushing is to learn of mistakes before the browser opens (RFC 9126 §2.3)."""
    assert error(conversation().post("/par", request(**changes))) == (400, code)


def test_server_can_insist_on_pushing() -> None:
    """Then a request in the address is refused, and a pushed one is not (RFC 9126 §5)."""
    talk = conversation(require_pushed_authorization_requests=True)
    reference = document(talk.post("/par", request()))["request_uri"]

    assert answer(talk.authorize())["error"] == "invalid_request"
    assert talk.get(f"/authorize?client_id=loopback-auth-demo&request_uri={reference}").status == 200


def test_expired_pages_are_forgotten() -> None:
    """Unfinished requests must not fill the memory of a long demonstration."""
    talk = conversation()
    first = hidden(talk.authorize())
    talk.now += 600
    talk.authorize()
    talk.now -= 600

    assert talk.post("/sign-in", {"interaction": first, "account": "demo-1"}).status == 400


@pytest.mark.parametrize(
    "arguments",
    [
        {"client_id": "", "redirect_uris": ("https://client.example/",)},
        {"client_id": "c"},
        {"client_id": "c", "redirect_uris": ("https://client.example/#f",)},
        {"client_id": "c", "redirect_uris": ("https://client.example/",), "client_secret": ""},
        {
            "client_id": "c",
            "redirect_uris": ("https://client.example/",),
            "client_auth": "client_secret_post",
        },
        {
            "client_id": "c",
            "redirect_uris": ("https://c.example/",),
            "client_secret": "s",
            "client_auth": "none",
        },
    ],
)
def test_impossible_client_is_refused(arguments: dict[str, object]) -> None:
    """A wrong registration should fail where it is written, not in the middle of a sign-in."""
    with pytest.raises(ConfigError):
        DemoClient(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "https://under_score.example/"])
def test_client_beyond_http_is_refused(uri: str) -> None:
    """The pages of the demo cannot send a browser there."""
    with pytest.raises(ConfigError):
        conversation(clients=[DemoClient("app", redirect_uris=(uri,))])


def test_head_is_not_a_request_for_authorization() -> None:
    """A link preview must not open a sign-in."""
    response = conversation().server.handle(HttpRequest("HEAD", "/authorize"), 0)

    assert (response.status, response.header("allow")) == (405, "GET, POST")
