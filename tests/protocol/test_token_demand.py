"""What a resource demands of a request without a token (RFC 9728 §5.1, RFC 9110 §11.6.1)."""

from __future__ import annotations

import json

import pytest
from resource_world import challenged, document

from loopback_auth.errors import ConfigError
from loopback_auth.protocol.token_demand import (
    MOST_HEADERS,
    TokenDemand,
    challenge_demand,
    initialize_request,
    may_take_post,
    resource_request,
    token_demand,
)

PLACE = "https://resource.example.com/.well-known/oauth-protected-resource"


def test_rfc9728_5_1_example() -> None:
    """The RFC's own 401."""
    answer = challenged(f'Bearer resource_metadata="{PLACE}"')

    assert token_demand(answer) == TokenDemand(PLACE, challenged=True)


def test_mcp_example_has_a_scope() -> None:
    """The MCP specification's 401, folded over two lines."""
    answer = challenged(f'Bearer resource_metadata="{PLACE}",\r\n   scope="files:read"')

    assert token_demand(answer) == TokenDemand(PLACE, "files:read", challenged=True)


@pytest.mark.parametrize(
    ("values", "demand"),
    [
        # Several headers, or several challenges in one, in any order.
        (
            ('Basic realm="a"', f'Bearer scope="x", resource_metadata="{PLACE}"'),
            TokenDemand(PLACE, "x", challenged=True),
        ),
        (
            (f'Bearer realm="a", DPoP algs="ES256", scope="y", resource_metadata="{PLACE}", Basic',),
            TokenDemand(PLACE, "y", challenged=True),
        ),
        # A quotation mark that is never closed ends with its header.
        (('Basic realm="a', f'Bearer resource_metadata="{PLACE}"'), TokenDemand(PLACE, challenged=True)),
        # Without quotation marks, as some servers write URLs.
        ((f"Bearer resource_metadata={PLACE}, scope=a:b",), TokenDemand(PLACE, "a:b", challenged=True)),
        # §5.1: the parameter may stand in another scheme; then there is no challenge to a token of ours.
        ((f'Basic realm="a", resource_metadata="{PLACE}"',), TokenDemand(PLACE)),
        # That of a scheme of ours comes first.
        (
            ('Other resource_metadata="https://a.example/"', f'Bearer resource_metadata="{PLACE}"'),
            TokenDemand(PLACE, challenged=True),
        ),
        ((), TokenDemand()),
        (("",), TokenDemand()),
        (("Bearer",), TokenDemand(challenged=True)),
        (("bearer RESOURCE_METADATA=x",), TokenDemand("x", challenged=True)),
    ],
)
def test_rfc9110_11_6_1_challenges_may_stand_anywhere(values: tuple[str, ...], demand: TokenDemand) -> None:
    """A client has to read them all, since servers offer several schemes."""
    assert token_demand(challenged(*values)) == demand


def test_rfc9449_7_1_resource_that_offers_dpop_alone_demands_it() -> None:
    """With a bearer token beside it, nothing is demanded."""
    assert challenge_demand('DPoP algs="ES256"').dpop
    assert not challenge_demand('DPoP algs="ES256"', "Bearer").dpop


def test_header_names_have_no_case() -> None:
    """HTTP/2 sends them in lower case."""
    answer = challenged("Bearer")
    lower = type(answer)(401, (("www-authenticate", f'Bearer resource_metadata="{PLACE}"'),))

    assert token_demand(lower) == TokenDemand(PLACE, challenged=True)


@pytest.mark.parametrize("status", [200, 204, 301, 403, 404, 405, 500])
def test_only_a_401_or_a_challenge_asks_for_a_token(status: int) -> None:
    """Some servers answer 403 or 400 with a challenge (RFC 9110 §11.6.1 lets any answer have one)."""
    assert token_demand(document({}, status)) is None
    assert token_demand(challenged("Basic", status=status)) is None
    assert token_demand(challenged("Bearer", status=status)) == TokenDemand(challenged=True)


def test_headers_without_number_are_not_all_read() -> None:
    """A server cannot keep the program busy."""
    assert token_demand(challenged(*["Basic"] * MOST_HEADERS, "Bearer")) == TokenDemand()


def test_requests_carry_nothing_of_the_user() -> None:
    """They go to an address that nothing is known about."""
    get, post = resource_request("https://mcp.example/mcp"), initialize_request("https://mcp.example/mcp")

    assert (get.method, get.body, dict(get.headers)) == ("GET", b"", {"Accept": "application/json"})
    assert (post.method, json.loads(post.body)["method"]) == ("POST", "initialize")
    assert {name for name, _ in post.headers} == {"Content-Type", "Accept"}


@pytest.mark.parametrize("url", ["http://mcp.example/", "https://mcp.example/#a", "file:///etc/passwd", ""])
def test_rfc9728_1_2_resource_is_https_without_a_fragment(url: str) -> None:
    """A token must not be asked for over a connection that others can read or change."""
    for build in (resource_request, initialize_request):
        with pytest.raises(ConfigError):
            build(url)


@pytest.mark.parametrize(
    ("status", "posts"), [(200, False), (307, False), (404, True), (405, True), (406, True)]
)
def test_mcp_servers_may_answer_post_alone(status: int, posts: bool) -> None:
    """Where GET shows something, nothing is posted to an address that may not be an MCP server."""
    assert may_take_post(document({}, status)) is posts
