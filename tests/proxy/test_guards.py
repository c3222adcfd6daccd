"""Who may use the proxy, and for what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from multidict import CIMultiDict

from loopback_auth.proxy.guards import Rules, final_recipient

HOST = "127.0.0.1:41234"
RULES = Rules(frozenset((HOST, "localhost:41234")), "/key", read_only=False, name="us-1")
READ_ONLY = replace(RULES, read_only=True)
SOCKET = Rules(None, "", read_only=False, name="us-1")


def status(
    rules: Rules,
    method: str = "GET",
    target: str = "/key/a",
    *,
    host: str = HOST,
    upgrade: bool = False,
    **fields: str,
) -> int:
    """Return the status of the refusal; 0 when the request is forwarded."""
    headers = CIMultiDict({"Host": host} | {name.replace("_", "-"): value for name, value in fields.items()})
    refusal = rules.refusal(method, target, headers, upgrade=upgrade)
    return 0 if refusal is None else refusal.status


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PROPFIND", "OPTIONS"])
def test_a_program_with_the_address_is_let_in(method: str) -> None:
    """It is for them."""
    assert status(RULES, method) == status(RULES, method, host="LOCALHOST:41234") == 0


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:41234", "127.0.0.1", "127.0.0.1:1", "", "[::1]:41234"]
)
def test_another_host_name_is_refused(host: str) -> None:
    """A name bound anew to this machine (DNS rebinding) makes its page one of the same origin."""
    assert status(RULES, host=host) == 421
    assert status(SOCKET, target="/a", host=host) == 0


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:41234", ""])
def test_a_page_in_a_browser_is_refused(origin: str) -> None:
    """It could act with the token, although not read it; also one that a server behind the proxy made."""
    assert status(RULES, Origin=origin) == 403
    assert status(SOCKET, target="/a", Origin=origin) == 403


@pytest.mark.parametrize("site", ["none", "same-origin", "cross-site"])
def test_a_navigation_of_a_browser_is_refused(site: str) -> None:
    """A GET without `Origin`: an image, a script, an address in the bar."""
    assert status(RULES, Sec_Fetch_Site=site) == 403


def test_nodejs_is_not_taken_for_a_browser() -> None:
    """Its fetch sends `Sec-Fetch-Mode` (Fetch §4.5), as MCP clients do."""
    assert status(RULES, Sec_Fetch_Mode="cors") == 0


@pytest.mark.parametrize(
    "target",
    ["/", "/a", "/key2/a", "/keya", "/KEY/a", "/%6bey/a", "//key/a", "/ke", "/k\udcffy/a", "*", "key/a"],
)
def test_without_the_secret_there_is_nothing(target: str) -> None:
    """Every program on this machine can reach the port."""
    assert status(RULES, target=target) == 404


def test_rfc9112_3_2_2_the_absolute_form_is_accepted_for_this_host_alone() -> None:
    """A server MUST accept it; as a forward proxy it would send the token anywhere."""
    assert status(RULES, target=f"http://{HOST}/key/a") == 0
    assert RULES.below(f"http://{HOST}/key/a?b", HOST) == "/a?b"
    assert status(RULES, target="http://evil.example/key/a") == 404
    assert status(RULES, target=f"https://{HOST}/key/a") == 404
    assert status(RULES, target=f"http://{HOST}@evil.example/key/a") == 404


@pytest.mark.parametrize("target", ["/key", "/key/", "/key?a=b"])
def test_the_address_itself_is_the_base(target: str) -> None:
    """A server that is one URL, as MCP servers are, is reached by the printed address."""
    assert status(RULES, target=target) == 0


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
def test_methods_that_show_the_token_or_reach_elsewhere_are_refused(method: str) -> None:
    """RFC 9110 §9.3.8: TRACE answers with the request, and its sender MUST NOT put credentials there."""
    assert status(RULES, method) == 405


def test_rfc9110_15_5_6_the_answer_names_the_methods_that_are_forwarded() -> None:
    """A client that reads only the safe ones there takes the proxy for one that is read-only."""
    allowed = [
        dict(refusal.headers)["Allow"]
        for rules in (RULES, READ_ONLY)
        if (refusal := rules.refusal("TRACE", "/key/a", {"Host": HOST}, upgrade=False)) is not None
    ]

    assert allowed == ["GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE", "GET, HEAD, OPTIONS"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_read_only_forwards_safe_methods_alone(method: str) -> None:
    """RFC 9110 §9.2.1, §15.5.6: the answer MUST name what is allowed."""
    refusal = READ_ONLY.refusal(method, "/key/a", {"Host": HOST}, upgrade=False)

    assert refusal is not None
    assert (refusal.status, dict(refusal.headers)["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert {status(READ_ONLY, one) for one in ("GET", "HEAD", "OPTIONS")} == {0}


def test_read_only_cannot_be_got_round() -> None:
    """Some servers take a GET for something else, and over a websocket everything can be said."""
    assert status(READ_ONLY, X_HTTP_Method_Override="DELETE") == 405
    assert status(READ_ONLY, upgrade=True) == 405
    assert status(RULES, X_HTTP_Method_Override="DELETE") == status(RULES, upgrade=True) == 0


@pytest.mark.parametrize("name", ["X_HTTP_Method_Override", "x-http_method", "X_METHOD-Override"])
def test_rfc3875_4_1_18_an_underscore_is_a_hyphen_for_some_servers(name: str) -> None:
    """They pass fields on as variables, in whose names both are the same."""
    headers = CIMultiDict({"Host": HOST, name: "DELETE"})
    refusal = READ_ONLY.refusal("GET", "/key/a", headers, upgrade=False)

    assert refusal is not None
    assert refusal.status == 405


@pytest.mark.parametrize(("length", "expected"), [("9" * 18, 0), ("0" * 19, 400), ("0" * 5000 + "1", 400)])
def test_rfc9110_8_6_a_length_of_too_many_digits_is_refused(length: str, expected: int) -> None:
    """It is the client's fault, and no failure of the proxy."""
    assert status(RULES, "POST", Content_Length=length) == expected


def test_a_target_that_climbs_is_refused() -> None:
    """`target` decides which do."""
    assert status(RULES, target="/key/../a") == 400


def test_rfc9110_7_6_3_a_request_of_our_own_is_a_loop() -> None:
    """A proxy in front of itself would fill up with one request."""
    assert status(RULES, Via="1.1 another, 1.1 us-1") == 508
    assert status(RULES, Via="1.1 another") == 0


def test_rfc9110_7_6_3_a_loop_through_another_proxy_is_seen() -> None:
    """That one may have added a field of its own."""
    headers = CIMultiDict([("Host", HOST), ("Via", "1.1 us-1"), ("via", "1.1 another")])
    turned = CIMultiDict([("Host", HOST), ("via", "1.1 another"), ("Via", "1.1 us-1")])

    assert RULES.refusal("GET", "/key/a", headers, upgrade=False)
    assert RULES.refusal("GET", "/key/a", turned, upgrade=False)


@pytest.mark.parametrize("coding", ["gzip, chunked", "gzip", "chunked, chunked", ""])
def test_rfc9112_6_1_a_transfer_coding_that_is_not_known_is_refused(coding: str) -> None:
    """A server SHOULD respond with 501; the next one would take what is coded for the content."""
    assert status(RULES, "POST", Transfer_Encoding=coding) == 501
    assert status(RULES, "POST", Transfer_Encoding="Chunked") == 0


@pytest.mark.parametrize(
    ("method", "forwards", "final"), [("OPTIONS", "0", True), ("OPTIONS", "1", False), ("GET", "0", False)]
)
def test_rfc9110_7_6_2_options_whose_way_ends_here_is_answered_here(
    method: str, forwards: str, final: bool
) -> None:
    """The intermediary MUST NOT forward it."""
    assert final_recipient(method, {"Max-Forwards": forwards}) is final
