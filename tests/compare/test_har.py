"""The HTTP Archive: what each entry says, and that it is true about what was not seen.

Whether it obeys the published schema is for `tests/foreign`, whether developer tools open it for
`tests/browser`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from comparison_samples import CODE, COMPARISON, TICKET
from hostile_samples import HOSTILE, PROPERTY, TEXTS, hostile
from hypothesis import given

from loopback_auth.compare.drawing.har import NO_ANSWER, har
from loopback_auth.compare.model import Comparison

ONE_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
"""RFC 3986 §2: what a URI is made of."""


def log(comparison: Comparison = COMPARISON) -> Any:
    """The log that is written of a comparison."""
    written = json.loads(har(comparison))

    assert list(written) == ["log"]
    return written["log"]


def test_archive_says_who_made_it() -> None:
    """As the specification demands."""
    assert (log()["version"], log()["creator"]) == ("1.2", {"name": "loopback_auth", "version": "0.1.0"})


def test_flows_are_pages_one_after_the_other() -> None:
    """Developer tools sort all entries by time: flows that began together would be mixed up."""
    pages, entries = log()["pages"], log()["entries"]
    times = [datetime.fromisoformat(str(entry["startedDateTime"])) for entry in entries]

    assert [(page["id"], page["title"]) for page in pages] == [("page_1", "code"), ("page_2", "ticket")]
    assert [entry["pageref"] for entry in entries] == ["page_1"] * 3 + ["page_2"] * 3
    assert times == sorted(times)
    assert entries[0]["startedDateTime"] == "2023-11-14T22:13:20.100+00:00"
    assert pages[1]["startedDateTime"] == "2023-11-14T22:13:23.300+00:00"


def test_times_are_not_negative() -> None:
    """The sum of send, wait and receive is the time of the entry."""
    exchange = replace(next(CODE.exchanges()), seconds=-0.5)
    run = replace(COMPARISON.runs[0], trace=replace(CODE, entries=(exchange,)))
    times = [
        entry["time"] for entry in (*log()["entries"], *log(replace(COMPARISON, runs=(run,)))["entries"])
    ]
    timings = [sum(entry["timings"].values()) for entry in log()["entries"]]

    assert times == [10, 10, 30, 20, 0, 20, 0]
    assert timings == times[:-1]


def test_parameters_are_taken_apart() -> None:
    """Developer tools show them as tables; a label is whole there, and no fragment in the address."""
    request = log()["entries"][1]["request"]
    form = log()["entries"][2]["request"]

    assert request["queryString"] == [
        {"name": "code", "value": "<code#1>"},
        {"name": "state", "value": "<state#1>"},
        {"name": "iss", "value": "https://as.example"},
    ]
    assert request["url"] == (
        "http://127.0.0.1:49152/callback?code=%3Ccode%231%3E&state=%3Cstate%231%3E&iss=https%3A%2F%2Fas.example"
    )
    assert form["postData"] == {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [
            {"name": "grant_type", "value": "authorization_code"},
            {"name": "code", "value": "<code#1>"},
            {"name": "code_verifier", "value": "<code_verifier#1>"},
        ],
        "text": "grant_type=authorization_code&code=<code#1>&code_verifier=<code_verifier#1>",
    }
    assert "postData" not in request


def test_own_members_say_what_har_cannot() -> None:
    """Who asked whom, in which step, and what the address bar showed."""
    entry, page = log()["entries"][1], log()["pages"][1]

    assert (entry["_sender"], entry["_receiver"], entry["_step"]) == (
        "browser",
        "client",
        "authorization response",
    )
    assert (entry["_number"], entry["_observed"], entry["_resourceType"]) == (5, True, "document")
    assert str(entry["_address"]).startswith("http://127.0.0.1:49152/callback?code=<code#1>")
    assert (page["_outcome"], [step["name"] for step in page["_steps"]]) == ("refused", ["invite", "failed"])
    assert log()["entries"][2]["_resourceType"] == "fetch"


def test_unobserved_exchange_says_so() -> None:
    """Nothing is made up for it: no status, no header, no answer."""
    entry = log()["entries"][4]

    assert (entry["response"]["status"], entry["response"]["headers"], entry["_observed"]) == (0, [], False)
    assert "Not observed" in str(entry["comment"])
    assert "Not observed" in str(entry["response"]["comment"])


def test_missing_answer_says_so() -> None:
    """That is another thing: it was seen that none came."""
    exchange = replace(next(TICKET.exchanges()), status=0)
    run = replace(COMPARISON.runs[1], trace=replace(TICKET, entries=(exchange,)))
    response = log(replace(COMPARISON, runs=(run,)))["entries"][0]["response"]

    assert (response["status"], response["comment"]) == (0, NO_ANSWER)


def test_redirect_is_told() -> None:
    """As a URL, which the developer tools link."""
    exchange = replace(
        next(CODE.exchanges()),
        status=302,
        response_headers=(("Location", "http://127.0.0.1/c?code=<code#1>"),),
    )
    run = replace(COMPARISON.runs[0], trace=replace(CODE, entries=(exchange,)))
    response = log(replace(COMPARISON, runs=(run,)))["entries"][0]["response"]

    assert response["redirectURL"] == "http://127.0.0.1/c?code=%3Ccode%231%3E"
    assert response["statusText"] == "Found"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_escaped(text: str) -> None:
    """Printed on a terminal it steers nothing, and is still there."""
    written = har(hostile(text))

    assert all(line.isascii() and line.isprintable() for line in written.split("\n"))
    assert json.loads(written)["log"]["pages"][0]["title"] == text.replace("\ud800", "?")


@PROPERTY
@given(TEXTS)
def test_addresses_are_addresses(text: str) -> None:
    """An importer that fails at one address shows none of the others."""
    for entry in log(hostile(text))["entries"]:
        assert ONE_URI.fullmatch(str(entry["request"]["url"]))
        assert ONE_URI.fullmatch(str(entry["response"]["redirectURL"]))
