"""What people paste, and what of it is the answer to this sign-in."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import ATTEMPT, CLIENT, ISSUER, METADATA, PROPERTY, PROVIDER, REDIRECT_URI, asked

from loopback_auth.authorization_messages import Callback
from loopback_auth.errors import AuthorizationError, IssuerMismatch, MalformedResponse
from loopback_auth.http_messages import HttpRequest
from loopback_auth.protocol.paste import NotAccepted, Pasted, pasted_callback
from loopback_auth.protocol.redirect import RedirectEndpoint, redirect_endpoint
from loopback_auth.protocol.response import authorization_response

STATE = ATTEMPT.state
CODE = "4/0AbCd-efGh_ijKl"
QUERY = urlencode({"code": CODE, "state": STATE, "iss": ISSUER})
URL = f"{REDIRECT_URI}?{QUERY}"
REQUEST = asked()
BY_FRAGMENT = asked(replace(CLIENT, response_type="token", response_mode="fragment"))
WITHOUT_PKCE = asked(replace(CLIENT, provider=replace(PROVIDER, pkce=False)))
HYBRID = asked(replace(CLIENT, response_type="code id_token", response_mode="fragment"))
TOKEN = f"access_token=t&token_type=Bearer&state={STATE}&iss={quote(ISSUER)}"


def packed(text: str, *, urlsafe: bool = True, padded: bool = False) -> str:
    """Write base64 as some pages show it."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    encoded = encode(text.encode()).decode()
    return encoded if padded else encoded.rstrip("=")


def accepted(text: str) -> Pasted:
    """Paste something that must be taken."""
    verdict = pasted_callback(text, REQUEST)
    assert isinstance(verdict, Pasted), verdict
    return verdict


def refused(text: str) -> str:
    """Paste something that must not be taken; return why."""
    verdict = pasted_callback(text, REQUEST)
    assert isinstance(verdict, NotAccepted), verdict
    return verdict.reason


@pytest.mark.parametrize(
    "text",
    [
        URL,
        f"  {URL}\r\n",
        f"\x1b[200~{URL}\x1b[201~",
        f'"{URL}"',
        f"'{URL}'",
        f"<{URL}>",
        f"`{URL}`",
        URL[:40] + "\n" + URL[40:70] + "\r\n  " + URL[70:],
        f"{URL}#",
        f"{URL}#_=_",
        URL.removeprefix("http://"),
        f"?{QUERY}",
        QUERY,
        f"&{QUERY}",
        f"{QUERY}#_=_",
        packed(QUERY),
        packed(f"?{QUERY}", padded=True),
        packed(QUERY, urlsafe=False, padded=True),
        packed(json.dumps({"code": CODE, "state": STATE, "iss": ISSUER})),
        packed(json.dumps({"state": STATE, "code": CODE, "iss": ISSUER, "n": 1}), urlsafe=False, padded=True),
    ],
)
def test_answer_is_found_in_any_shape(text: str) -> None:
    """Terminals wrap and mark, chats quote, browsers hide the scheme, some pages pack it all into one."""
    pasted = accepted(text)

    assert pasted.warning == ""
    response = authorization_response(REQUEST, pasted.callback)
    assert (response.code, pasted.callback.via) == (CODE, "paste")


@pytest.mark.parametrize("text", [f"{CODE}#{STATE}", f" {CODE} # {STATE} ", f"abcdefg==#{STATE}"])
def test_code_and_state_as_some_pages_show_them(text: str) -> None:
    """One piece with both halves."""
    code = "".join(text.split()).partition("#")[0]

    assert accepted(text).callback == Callback((("code", code), ("state", STATE)), "paste")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4%2F0AbCd-efGh_ijKl", CODE),
        ("4%2f0AbCd-efGh_ijKl", CODE),
        (f"4%2F0AbCd-efGh_ijKl#{STATE}", CODE),
        ("abcd%2Gefgh", "abcd%2Gefgh"),
        ("100%sure/yes", "100%sure/yes"),
        ("ab/cd%2Fefgh", "ab/cd%2Fefgh"),
        ("abcdefgh%FF", "abcdefgh%FF"),
    ],
)
def test_code_copied_from_an_address_is_unescaped_once(text: str, code: str) -> None:
    """Sent as it stands there, it would be escaped twice, and be another code."""
    pasted = accepted(text)

    assert dict(pasted.callback.parameters)["code"] == code
    assert ("escapes" in pasted.warning) is (code == CODE)


@pytest.mark.parametrize(
    "text", [f"code={CODE}", f"{REDIRECT_URI}?code=x", "error=access_denied", "code=x&state="]
)
def test_answer_without_state_is_told_from_that_of_another_sign_in(text: str) -> None:
    """What to do about it is something else: RFC 6749 §10.12."""
    assert "state" in refused(text)


def test_issuer_may_stand_in_the_query_beside_the_fragment() -> None:
    """RFC 9207 §2 adds it to the response; Authlib adds it to the query."""
    token = TOKEN.partition("&iss=")[0]

    pasted = pasted_callback(f"{REDIRECT_URI}?iss={quote(ISSUER)}&x=1#{token}", BY_FRAGMENT)

    assert isinstance(pasted, Pasted)
    assert authorization_response(BY_FRAGMENT, pasted.callback).parameters["access_token"] == "t"


@pytest.mark.parametrize("text", [CODE, "abcdefgh", "abcdefgh==", f"\x1b[200~{CODE}\x1b[201~\n"])
def test_bare_code_is_taken_with_a_warning(text: str) -> None:
    """RFC 6749 §10.12: nothing shows that it is ours; PKCE makes a foreign one worthless."""
    pasted = accepted(text)

    assert "PKCE" in pasted.warning
    assert dict(pasted.callback.parameters)["state"] == STATE


def test_words_are_no_code() -> None:
    """A command that was typed into the wrong window must not end the login as a wrong code would."""
    assert "neither" in refused("loopback-auth login demo")
    assert accepted(f"{CODE[:4]}\n{CODE[4:]}").callback.parameters


def test_bare_code_is_refused_where_nothing_protects_it() -> None:
    """Without PKCE it could be the code of a thief's account; and of a hybrid answer it is only a part."""
    for request in (WITHOUT_PKCE, BY_FRAGMENT, HYBRID):
        assert isinstance(pasted_callback(CODE, request), NotAccepted)
    assert isinstance(pasted_callback(URL, WITHOUT_PKCE), Pasted)


@pytest.mark.parametrize("text", ["", "  \n", "\x1b[200~\x1b[201~", '""'])
def test_nothing_is_nothing(text: str) -> None:
    """An Enter too many costs nothing."""
    assert refused(text) == "Nothing was pasted."


@pytest.mark.parametrize(
    "text", ["yes", "help", "q", "what now?", "é" * 10, "abc\x07defghij", "abcdefgh\x00"]
)
def test_talk_is_no_code(text: str) -> None:
    """A code that is none would end the sign-in at the token endpoint."""
    refused(text)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/callback",
        "http://127.0.0.1:49153/callback",
        "http://127.0.0.1/callback",
        "http://localhost:49152/callback",
        "https://127.0.0.1:49152/callback",
        "http://127.0.0.1:49152/",
        "http://127.0.0.1:49152/callback/",
        "http://127.0.0.1:49152/callback/x",
        "http://127.0.0.1:49152/%63allback",
        "http://127.0.0.1:49152@evil.example/callback",
        "HTTP://127.0.0.1:49152/callback",
        "evil.example/callback",
        "127.0.0.1:49153/callback",
        "://127.0.0.1:49152/callback",
    ],
)
@pytest.mark.parametrize("mark", ["?", "#", "#?"])
def test_other_address_is_refused_although_it_has_our_state(address: str, mark: str) -> None:
    """ConsentFix: who can make people paste an address chooses the address."""
    assert REDIRECT_URI in refused(f"{address}{mark}{QUERY}")


def test_redirect_uri_without_a_path_gets_its_slash_from_the_browser() -> None:
    """Nobody can copy it without."""
    bare = replace(REQUEST, redirect_uri="http://127.0.0.1:49152")

    assert isinstance(pasted_callback(f"http://127.0.0.1:49152/?{QUERY}", bare), Pasted)
    assert isinstance(pasted_callback(f"http://127.0.0.1:49152?{QUERY}", bare), Pasted)
    assert isinstance(pasted_callback(f"http://127.0.0.1:49152//?{QUERY}", bare), NotAccepted)


@pytest.mark.parametrize(
    "address",
    [REDIRECT_URI, f"{REDIRECT_URI}?", f"{REDIRECT_URI}#", REDIRECT_URI[7:], f"{REDIRECT_URI[7:]}?#"],
)
def test_address_without_an_answer_is_told_from_a_wrong_one(address: str) -> None:
    """Somebody copied it too early, or not all of it."""
    assert "all of it" in refused(address)


@pytest.mark.parametrize(
    "query",
    [
        "code=x",
        "code=x&state=",
        "code=x&state=other",
        f"code=x&state={STATE}x",
        f"code=x&state={STATE}&state={STATE}",
        f"code=x&state=other&state={STATE}",
        f"code=x&State={STATE}",
        "error=access_denied",
        f"code=%ff&state={STATE}",
        f"code=%00&state={STATE}",
        "&".join([f"state={STATE}", *["a=b"] * 400]),
    ],
)
def test_answer_to_another_sign_in_is_refused(query: str) -> None:
    """RFC 6749 §10.12, in whatever shape."""
    for text in (f"{REDIRECT_URI}?{query}", query, f"?{query}", f"#{query}", packed(query)):
        refused(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{CODE}#other",
        f"{CODE}#",
        f"#{STATE}",
        packed(json.dumps({"code": CODE, "state": "other"})),
        packed(json.dumps({"code": f"x&state={STATE}", "state": "other"})),
        packed(f'{{"code": "x", "state": "other", "state": "{STATE}"}}'),
    ],
)
def test_other_state_is_refused_in_pairs_too(text: str) -> None:
    """No spelling may smuggle a second state in."""
    refused(text)


def test_json_in_base64_is_taken_literally() -> None:
    """A plus stays a plus, and a percent a percent."""
    pasted = accepted(packed(json.dumps({"code": "a+b%41&c=d", "state": STATE})))

    assert dict(pasted.callback.parameters)["code"] == "a+b%41&c=d"


@pytest.mark.parametrize("shape", ["{url}?{query}", "{query}", "#{query}"])
def test_refusal_of_the_server_is_an_answer(shape: str) -> None:
    """The person said no elsewhere; to wait on would be absurd."""
    query = urlencode({"error": "access_denied", "state": STATE, "iss": ISSUER})
    pasted = accepted(shape.format(url=REDIRECT_URI, query=query))

    with pytest.raises(AuthorizationError, match="access_denied"):
        authorization_response(REQUEST, pasted.callback)


def test_answer_of_another_issuer_is_judged_like_any() -> None:
    """RFC 9207 §2.4."""
    pasted = accepted(
        f"{REDIRECT_URI}?{urlencode({'code': CODE, 'state': STATE, 'iss': 'https://x.example'})}"
    )

    with pytest.raises(IssuerMismatch):
        authorization_response(REQUEST, pasted.callback)


@pytest.mark.parametrize(
    "shape", ["{url}#{query}", "{url}#?{query}", "#{query}", "#?{query}", "{query}", "{url}?x=1#{query}"]
)
def test_token_in_the_fragment_is_for_those_who_asked_for_one(shape: str) -> None:
    """And a fault for everybody else."""
    text = shape.format(url=REDIRECT_URI, query=TOKEN)
    pasted = pasted_callback(text, BY_FRAGMENT)
    assert isinstance(pasted, Pasted)

    assert authorization_response(BY_FRAGMENT, pasted.callback).parameters["access_token"] == "t"
    if "?x=1" not in shape:
        with pytest.raises(MalformedResponse, match="access_token"):
            authorization_response(REQUEST, accepted(text).callback)


TEXTS = st.one_of(
    st.text(),
    st.text(alphabet=st.characters()),
    st.text(alphabet="?#&=%+/:.~ \x1b[20abcdefstate"),
    st.sampled_from([URL, QUERY, f"{CODE}#{STATE}", packed(QUERY), CODE]).flatmap(
        lambda text: st.tuples(st.integers(0, len(text)), st.text(max_size=3), st.integers(0, 3)).map(
            lambda cut: text[: cut[0]] + cut[1] + text[cut[0] + cut[2] :]
        )
    ),
)


@PROPERTY
@given(TEXTS, st.sampled_from([REQUEST, WITHOUT_PKCE, BY_FRAGMENT, HYBRID]))
def test_what_is_accepted_has_our_state_or_is_a_bare_code(text: str, request: object) -> None:
    """And nothing that anybody pastes raises."""
    assert isinstance(request, type(REQUEST))
    verdict = pasted_callback(text, request)

    if isinstance(verdict, Pasted):
        assert [value for name, value in verdict.callback.parameters if name == "state" and value] == [STATE]
        bare = dict(verdict.callback.parameters).keys() == {"code", "state"} and request.code_verifier
        assert not verdict.warning or bare
    else:
        assert verdict.reason


PARTS = st.lists(
    st.tuples(
        st.sampled_from(["code", "state", "error", "iss", "x", "state%20", ""]),
        st.sampled_from([STATE, "other", "", "x", "%ff", "%00", "a+b", ISSUER]),
    ),
    min_size=1,
    max_size=5,
)


@PROPERTY
@given(PARTS)
def test_verdict_is_that_of_the_redirect_endpoint(parts: list[tuple[str, str]]) -> None:
    """One rule for an answer, however it reached us: else the laxer door would be used."""
    query = "&".join(f"{name}={value}" for name, value in parts)
    endpoint = RedirectEndpoint("127.0.0.1:49152", "/callback", REQUEST)
    headers = (("Host", "127.0.0.1:49152"),)

    arrived = redirect_endpoint(endpoint, HttpRequest("GET", f"/callback?{query}", headers))
    pasted = pasted_callback(f"{REDIRECT_URI}?{query}", REQUEST)

    assert isinstance(arrived, Callback) is isinstance(pasted, Pasted)
    if isinstance(arrived, Callback) and isinstance(pasted, Pasted):
        assert arrived.parameters == pasted.callback.parameters


def test_metadata_of_the_samples_is_what_the_tests_mean() -> None:
    """A server that always says who it is."""
    assert METADATA.authorization_response_iss_parameter_supported
