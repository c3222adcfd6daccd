"""Facts are judged only where there is something to judge: a device flow has neither port nor state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from loopback_auth.audit.programs.facts.evidence import Evidence
from loopback_auth.audit.programs.facts.table import FACTS
from loopback_auth.audit.programs.observed import (
    Listener,
    ProgramResult,
    Seen,
    Visit,
    WrittenFile,
)
from loopback_auth.compare.model import Verdict
from loopback_auth.demo.request_log import LoggedRequest
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse

TOKEN, CODE, VERIFIER = "an-access-token-of-the-server", "a-code-of-the-server", "v" * 43


def logged(path: str, parameters: Mapping[str, str], *, status: int = 200) -> LoggedRequest:
    """Return a request that the server was sent."""
    headers = (("Content-Type", FORM),)
    return LoggedRequest("POST", path, tuple(parameters), dict(parameters), headers, b"", status, 0.0)


ASKED = {
    "response_type": "code",
    "redirect_uri": "http://127.0.0.1:5000/callback",
    "state": "s" * 30,
    "code_challenge": "c" * 43,
    "code_challenge_method": "S256",
}
EXCHANGED = logged("/token", {"code": CODE, "code_verifier": VERIFIER, "redirect_uri": ASKED["redirect_uri"]})
PLAIN = ProgramResult(
    status=0,
    succeeded=True,
    link="http://127.0.0.1:9/authorize?x",
    request=ASKED,
    requests=(EXCHANGED,),
    tokens={"access_token": TOKEN},
)
DEVICE = ProgramResult(
    status=0,
    succeeded=True,
    requests=(logged("/device_authorization", {}), logged("/token", {"grant_type": "device_code"})),
    tokens={"access_token": TOKEN},
)
NOTHING: Verdict = "not observed"


def verdict(question: str, plain: ProgramResult, *others: ProgramResult) -> Verdict:
    """Judge one fact."""
    fact = next(one for one in FACTS if one.question.id == question)
    return fact.judge(Evidence(plain, others)).verdict


def test_a_device_flow_sends_no_authorization_request() -> None:
    """What a flow does not have is neither good nor bad."""
    about_requests = [one.question.id for one in FACTS[:12] if one.question.id != "bearer-header"]

    assert {verdict(name, DEVICE) for name in about_requests} == {"not applicable"}
    assert {verdict(name, DEVICE) for name in ("port-closed", "listens-first", "page-shown")} == {
        "not applicable"
    }


def test_a_port_that_the_end_of_the_audit_closes() -> None:
    """A program that stays, and is ended, has not closed its port: soon is no praise, and late a fault."""
    here = Seen(listeners=(Listener("127.0.0.1", 5000),), running=True)
    ended = replace(PLAIN, status=None, seen=here)

    assert verdict("port-closed", replace(ended, port_open_after=0.5)) == "not observed"
    assert verdict("port-closed", replace(ended, port_open_after=6.1)) == "fail"
    assert verdict("port-closed", replace(PLAIN, port_open_after=0.5)) == "pass"


def test_nothing_seen_is_no_praise() -> None:
    """A program of which nothing was seen must not pass."""
    passing = [one.question.id for one in FACTS if verdict(one.question.id, ProgramResult()) == "pass"]

    assert passing == ["processes-left"]


@pytest.mark.parametrize(
    ("kind", "expected"), [("code", "pass"), ("token", "fail"), ("id_token token", "fail")]
)
def test_rfc9700_2_1_2_tokens_through_the_browser(kind: str, expected: Verdict) -> None:
    """RFC 9700 §2.1.2: clients SHOULD NOT use response types that put tokens into the response."""
    assert verdict("response-type", replace(PLAIN, request=ASKED | {"response_type": kind})) == expected


def test_rfc7636_4_3_without_a_method_it_is_plain() -> None:
    """RFC 7636 §4.3: the method defaults to plain if it is not present."""
    request = {name: value for name, value in ASKED.items() if name != "code_challenge_method"}

    assert verdict("pkce-method", replace(PLAIN, request=request)) == "fail"


def test_values_of_other_sign_ins_are_compared() -> None:
    """RFC 9700 §2.1.1: the challenge or nonce MUST be specific to the transaction."""
    fresh = replace(PLAIN, request=ASKED | {"code_challenge": "d" * 43})

    judged = [verdict("fresh-values", PLAIN, *others) for others in ((), (fresh,), (fresh, PLAIN))]

    assert judged == [NOTHING, "pass", "fail"]
    assert verdict("fresh-state", PLAIN, fresh) == "fail"


def test_rfc9562_a_uuid_is_a_state() -> None:
    """A version 4 UUID has 122 random bits: short of RFC 6749 §10.10, and beyond all guessing."""
    lengths = {
        "3c4f0b7e-9d2a-4b61-8e55-0a1b2c3d4e5f": "pass",
        "s" * 16: "fail",
        "a" * 22: "fail",
        "aB3" * 7: "pass",
    }

    judged = {one: verdict("state-length", replace(PLAIN, request=ASKED | {"state": one})) for one in lengths}

    assert judged == lengths


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://127.0.0.1:5/x", "pass"),
        ("http://[::1]:5/x", "pass"),
        ("http://127.0.0.1", "pass"),
        ("http://localhost:5/x", "fail"),
        ("http://localhost", "fail"),
        ("https://vendor.example/x", "not applicable"),
        ("", "not applicable"),
    ],
)
def test_rfc8252_8_3_literal_address(uri: str, expected: Verdict) -> None:
    """RFC 8252 §8.3: the use of localhost is NOT RECOMMENDED."""
    assert verdict("redirect-host", replace(PLAIN, request=ASKED | {"redirect_uri": uri})) == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0o600, "pass"), (0o400, "pass"), (0o640, "fail"), (0o604, "fail"), (0o666, "fail")],
)
def test_files_with_tokens(mode: int, expected: Verdict) -> None:
    """CVE-2025-27154: a token cache that others could read."""
    kept = Seen(files=(WrittenFile("notes.txt", 0o666, b"nothing"), WrittenFile("t", mode, TOKEN.encode())))

    assert verdict("file-modes", replace(PLAIN, seen=kept)) == expected


def test_a_secret_in_any_sign_in_counts() -> None:
    """Programs print codes where a sign-in fails: the traceback has the URL in it."""
    failing = replace(PLAIN, succeeded=False, tokens={}, seen=Seen(stderr=f"GET /callback?code={CODE}"))

    assert (verdict("code-in-output", PLAIN), verdict("code-in-output", PLAIN, failing)) == ("pass", "fail")


def test_a_page_of_the_vendor_is_told_nothing_secret() -> None:
    """A redirect to the vendor's page takes the code along if the program does not take care."""
    away = HttpRequest("GET", f"https://vendor.example/done?code={CODE}")
    plain = replace(PLAIN, visits=(Visit(away, HttpResponse(0), away.url),))
    fact = next(one for one in FACTS if one.question.id == "page-external")

    answer = fact.judge(Evidence(plain))

    assert answer.verdict == "fail"
    assert "code" in answer.because
    assert verdict("page-shown", plain) == "pass"


def test_a_closed_connection_is_no_page() -> None:
    """Programs that end too soon leave an error page of the browser behind."""
    asked = HttpRequest("GET", "http://127.0.0.1:5000/callback")
    plain = replace(PLAIN, visits=(Visit(asked, HttpResponse(0), asked.url),))

    assert verdict("page-shown", plain) == "fail"


def test_a_listener_is_told_by_its_address() -> None:
    """Two listeners at one port are two, as with both families of localhost."""
    assert len({Listener("127.0.0.1", 5), Listener("::1", 5)}) == 2
