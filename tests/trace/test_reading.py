"""Reading an exchange: a label is no fragment, and what is unreadable is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparison_samples import CODE, FORM, JSON
from hostile_samples import PROPERTY, TEXTS
from hypothesis import given

from loopback_auth.trace.reading import (
    form_parameters,
    fragment_parameters,
    labels_in,
    labels_received,
    labels_sent,
    query_parameters,
    response_header,
    response_members,
    without_query,
)
from loopback_auth.trace.records import Exchange

TOKEN_REQUEST = next(CODE.exchanges("client", "server"))

URLS = {
    "https://as.example/a?x=<code#1>&y=2": ("https://as.example/a", (("x", "<code#1>"), ("y", "2")), ()),
    "https://as.example/<ticket#1>?x=1": ("https://as.example/<ticket#1>", (("x", "1"),), ()),
    "http://127.0.0.1:1/c#t=<access_token#12>&s=": (
        "http://127.0.0.1:1/c",
        (),
        (("t", "<access_token#12>"), ("s", "")),
    ),
    "/c?x=<code#1>#y=<state#1>?": ("/c", (("x", "<code#1>"),), (("y", "<state#1>?"),)),
    "/c#?x=1": ("/c", (), (("?x", "1"),)),
    "": ("", (), ()),
}


@pytest.mark.parametrize("url", URLS)
def test_url_is_taken_apart_around_labels(url: str) -> None:
    """The number sign of a label begins no fragment."""
    assert (without_query(url), query_parameters(url), fragment_parameters(url)) == URLS[url]


def test_form_is_read_where_it_is_one() -> None:
    """The type says so, with or without a charset."""
    body = "code=<code#1>&x=a+b%21"
    expected = (("code", "<code#1>"), ("x", "a b!"))
    typed = replace(
        TOKEN_REQUEST, request_body=body, request_headers=(("content-type", f"{FORM[1]}; charset=utf-8"),)
    )

    assert form_parameters(typed) == expected
    assert form_parameters(replace(typed, request_headers=())) == ()


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (
            ' {"a": "x", "b": 1, "c": true, "d": ["p", "q"], "e": [1], "f": {"g": null}}',
            (("a", "x"), ("b", "1"), ("c", "true"), ("d", "p q"), ("e", "[1]"), ("f", '{"g": null}')),
        ),
        ("[1]", ()),
        ("<html>", ()),
        ('{"a": ', ()),
        ('{"a":' * 5000, ()),
        ('{"a": "\ud800"}', (("a", "?"),)),
        ("", ()),
    ],
)
def test_answer_is_read_where_it_is_json(body: str, members: tuple[tuple[str, str], ...]) -> None:
    """A page or half a document is not taken apart, and none is too deep."""
    assert response_members(replace(TOKEN_REQUEST, response_body=body, response_headers=(JSON,))) == members


def test_labels_are_found_on_either_side() -> None:
    """Each once, in order; a header can hold one, too."""
    exchange = replace(
        TOKEN_REQUEST,
        url="/<ticket#1>?a=<state#1>&b=<ticket#1>",
        request_headers=(("Authorization", "Bearer <access_token#1>"),),
        request_body="c=<code#1>",
        response_headers=(("Location", "/?code=<code#2>"),),
        response_body="<device_code#1> <b#> <#1>",
    )

    assert labels_sent(exchange) == ("<ticket#1>", "<state#1>", "<access_token#1>", "<code#1>")
    assert labels_received(exchange) == ("<code#2>", "<device_code#1>")
    assert (response_header(exchange, "location"), response_header(exchange, "x")) == ("/?code=<code#2>", "")
    assert labels_in("", "") == ()


@PROPERTY
@given(TEXTS)
def test_any_text_can_be_read(text: str) -> None:
    """A capture of somebody else is read as well."""
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    exchange = Exchange(
        1, 0, 0, "client", "server", "x", "POST", text, headers, text, 200, headers, "{" + text
    )

    assert without_query(text) == text[: len(without_query(text))]
    assert all(
        len(pair) == 2
        for pair in (
            *query_parameters(text),
            *fragment_parameters(text),
            *form_parameters(exchange),
            *response_members(exchange),
        )
    )
