"""Every known secret becomes the same label in any text, however it is written there."""

from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loopback_auth.trace.secret_labels import LONGEST_TEXT, MOST_SECRETS, SecretLabels

PROPERTY = settings(max_examples=200)


def test_secret_is_labelled_alike_wherever_it_shows() -> None:
    """A reader can follow a code from the redirect to the token request without seeing it."""
    labels = SecretLabels()

    assert labels.learn("code", "first-code") == "<code#1>"
    assert labels.learn("code", "second-code") == "<code#2>"
    assert labels.learn("state", "a-state") == "<state#1>"
    assert labels.learn("code", "first-code") == "<code#1>"
    assert labels.text("first-code second-code a-state first-code") == "<code#1> <code#2> <state#1> <code#1>"


def test_empty_value_is_no_secret() -> None:
    """Replacing it would put a label between all characters."""
    labels = SecretLabels()

    assert labels.learn("code", "") == ""
    assert labels.text("abc") == "abc"


def test_longer_secret_is_replaced_before_the_one_inside_it() -> None:
    """Else its rest would be left over."""
    labels = SecretLabels()
    labels.learn("code", "abcdefgh")
    labels.learn("access_token", "abcdefgh-rest")

    assert labels.text("abcdefgh-rest abcdefgh") == "<access_token#1> <code#1>"


def test_short_secret_is_not_looked_for_in_base64() -> None:
    """Two letters of it would hit ordinary words."""
    labels = SecretLabels()
    labels.learn("code", "x")

    assert labels.text("eA eHg= plain") == "eA eHg= plain"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("code=ok&x=1", "code=<code#1>&x=1"),
        ("%3Dok%26", "%3D<code#1>%26"),
        ('"ok"', '"<code#1>"'),
        ("token book ok1 1ok", "token book ok1 1ok"),
    ],
)
def test_short_secret_is_replaced_where_it_stands_alone(text: str, shown: str) -> None:
    """A server that answers `"code": "ok"` must not make ordinary words unreadable."""
    labels = SecretLabels()
    labels.learn("code", "ok")

    assert labels.text(text) == shown


def test_labels_are_listed_with_the_length_of_what_they_stand_for() -> None:
    """Nothing else may be told of a secret."""
    labels = SecretLabels()
    labels.learn("state", "a-state")
    labels.learn("code", "first-code")
    labels.learn("code", "first-code")

    assert labels.known() == (("<state#1>", 7), ("<code#1>", 10))


@pytest.mark.parametrize("name", [r"\1_token", r"\g<0>_token", "", "a b", "<x>", "a" * 41, "ä_token"])
def test_label_is_not_for_others_to_choose(name: str) -> None:
    """The name of a member comes from a server, and would reach terminals and pages."""
    labels = SecretLabels()

    assert labels.learn(name, "a secret+value") == "<secret#1>"
    assert labels.text("a%20secret%2Bvalue") == "<secret#1>"


ATTACKS: dict[str, tuple[list[str], str]] = {
    "a token of nothing but plus signs": (["+" * (1 << 20)], "+" * LONGEST_TEXT),
    "a token that is escaped": (["%2B" * 300_000, "%2B" * 20_000], "%252B" * 10_000),
    "thousands of tokens": ([f"{number:04}{'a' * 296}" for number in range(3000)], "a" * LONGEST_TEXT),
    "tokens that begin alike": (["a" * length + "b" for length in range(10, 900)], "a" * LONGEST_TEXT),
    "tokens that end alike": (["b" + "a" * length for length in range(10, 900)], "a" * LONGEST_TEXT),
    "tokens of one letter": (["a" * length for length in range(1, 8)], "a" * LONGEST_TEXT),
    "escapes within escapes": (["canary-canary"], "%25" * 1000 + "2525" * 4000),
    "escapes that never end": (["canary-canary"], "&" * 20_000 + "#" * 20_000 + "9" * 20_000 + "\\u" * 100),
}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_no_token_takes_long_to_be_redacted(attack: str) -> None:
    """One answer cost minutes and gigabytes; it is processor time, for the machine may be busy."""
    secrets, text = ATTACKS[attack]
    labels = SecretLabels()
    begun = time.process_time()
    for secret in secrets:
        labels.learn("access_token", secret)
    labels.text(text)

    assert time.process_time() - begun < 5


def test_what_cannot_be_judged_is_not_shown() -> None:
    """Neither a text that is too long, nor one escaped too often, nor any after too many secrets."""
    labels = SecretLabels()
    labels.learn("code", "canary-canary")
    endless = f"%{'25' * 100}63anary-canary"

    assert "anary" not in labels.text("canary-canary" * 6000)
    assert "anary" not in labels.text(endless)
    for number in range(MOST_SECRETS):
        labels.learn("code", f"canary-{number:06}")
    assert "anary" not in labels.text(f"canary-{MOST_SECRETS - 1:06}")


@PROPERTY
@given(st.text("%25cC4361\\u0/&#;x+ "), st.text("%25cC436141\\u0/&#;x+ ", min_size=8, max_size=20))
def test_secret_that_looks_escaped_is_found_plain_and_escaped(before: str, secret: str) -> None:
    """A server can choose a token that reads like an escape, and that what stands before it completes."""
    labels = SecretLabels()
    labels.learn("code", secret)

    assert secret not in labels.text(f"{before}{secret}")
    for written in (quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret)):
        assert written not in labels.text(f"a={written}&b=1")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded but for slashes": quote,
    "percent-encoded in lower case": lambda text: quote(text, safe="").lower() if text.islower() else text,
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "plus-encoded": quote_plus,
    "in a form": lambda text: urlencode({"code": text, "x": "y"}),
    "in JSON": json.dumps,
    "in JSON with escaped slashes": lambda text: json.dumps(text).replace("/", "\\/"),
    "in JSON beyond ASCII": lambda text: json.dumps({"a": text}, ensure_ascii=False),
    "in HTML": html.escape,
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 without padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "in base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in base64url without padding": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "in base64 in a form": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "in base64, first": lambda text: base64.b64encode(text.encode() + b":x").decode(),
    "in base64, later": lambda text: base64.b64encode(b"id:" + text.encode()).decode(),
    "in base64, later still": lambda text: base64.b64encode(b"client:" + text.encode() + b"!").decode(),
}

SECRETS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=8, max_size=24) | st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=8, max_size=12
)


@PROPERTY
@given(st.sampled_from(sorted(SPELLINGS)), SECRETS)
@example("in JSON with escaped slashes", "abc/def+ghi/jkl==")
@example("in JSON", 'quote"and\\slash')
@example("percent-encoded but for slashes", "4/0AX4XfWh~a+b")
def test_no_spelling_of_a_secret_remains(spelling: str, secret: str) -> None:
    """Writers escape differently, some escape slashes, and Basic hides a secret in base64."""
    labels = SecretLabels()
    labels.learn("code", secret)
    written = SPELLINGS[spelling](secret)

    shown = labels.text(f"before {written} after")

    assert "<code#1>" in shown
    for name, spell in SPELLINGS.items():
        if "later" not in name and "first" not in name:
            assert spell(secret) not in shown, name


@PROPERTY
@given(st.text(max_size=40))
def test_text_without_secrets_is_left_alone(text: str) -> None:
    """A labels that eats ordinary text hides what a reader wants to know."""
    labels = SecretLabels()
    labels.learn("code", "canary-canary-canary")

    assert labels.text(text) == text
