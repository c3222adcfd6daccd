"""JSON documents explained: what a server answered, or publishes about itself; and never a secret of it."""

from __future__ import annotations

import json

import pytest
from hostile_samples import PROPERTY, TEXTS
from hypothesis import given
from hypothesis import strategies as st
from link_samples import CANARY, ID_TOKEN, KEY, NOW, broken, jwt, verdicts

from loopback_auth.errors import ConfigError
from loopback_auth.explain.documents import DOCUMENT_RULES, KINDS, document_story
from loopback_auth.explain.narration import Story
from loopback_auth.explain.story import ExplainedValue
from loopback_auth.explain.story_text import members, text
from loopback_auth.explain.subject import recognised
from loopback_auth.explain.subject_story import subject_story

UNKNOWN = CANARY[::-1]
"""A secret of which nothing but its look tells."""
TOKENS: dict[str, object] = {"access_token": CANARY, "token_type": "Bearer", "expires_in": 3600}
DEVICE: dict[str, object] = {
    "device_code": CANARY,
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://as.example/device",
    "expires_in": 600,
}
DOCUMENTS: dict[str, dict[str, object]] = {
    "token response": TOKENS,
    "device authorization response": DEVICE,
    "pushed authorization response": {"request_uri": f"urn:x:{CANARY}", "expires_in": 60},
    "server metadata": {"issuer": "https://as.example", "token_endpoint": "https://as.example/token"},
    "resource metadata": {"resource": "https://api.example", "authorization_servers": ["https://as.example"]},
    "introspection response": {"active": True, "sub": "x"},
    "ticket": {"id": CANARY, "authorized": False},
    "registration response": {"client_id": "x", "redirect_uris": [], "client_secret": CANARY},
    "key set": {"keys": [KEY]},
    "UserInfo response": {"sub": "x", "email": "demo@as.example"},
}


def explained(document: object) -> Story:
    """Explain a document, as a pipe brings it."""
    subject = recognised(json.dumps(document))
    return subject_story(subject, provider="", now=NOW, typed=False)


def values(story: Story) -> dict[str, ExplainedValue]:
    """Return the members by name."""
    return {value.name: value for value in story.scenes[0].sent}


def everything(story: Story) -> str:
    """Return all that is shown of a story, in every form."""
    return text(story, width=80) + json.dumps(members(story)) + repr(story)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_recognised_by_its_members(name: str) -> None:
    """And breaks no rule, when it is in order."""
    story = explained(DOCUMENTS[name])

    assert story.title == name
    assert broken(story) == set()
    assert CANARY not in everything(story)


def test_every_kind_has_a_sample() -> None:
    """So that none is hidden behind another one."""
    assert {kind.name for kind in KINDS} == set(DOCUMENTS)


CASES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "plain-http-on-loopback-only": (
        {"issuer": "https://as.example", "token_endpoint": "http://as.example/token"},
        {"issuer": "http://127.0.0.1:9000", "token_endpoint": "http://127.0.0.1:9000/token"},
    ),
    "no-private-key": ({"keys": [{**KEY, "d": CANARY}]}, {"keys": [KEY]}),
    "token-type-named": ({"access_token": "x"}, TOKENS),
    "lifetime-named": ({**TOKENS, "expires_in": "soon"}, TOKENS),
}


@pytest.mark.parametrize("name", CASES)
def test_rule_is_broken_by_the_one_and_not_by_the_other(name: str) -> None:
    """The finding names what is wrong."""
    bad, good = CASES[name]

    assert set(CASES) == {rule.id for rule in DOCUMENT_RULES}
    assert name in broken(explained(bad))
    assert verdicts(explained(good)).get(name) != "fail"
    assert CANARY not in everything(explained(bad))


def test_id_token_in_a_response_is_read() -> None:
    """With its own findings."""
    story = explained({**TOKENS, "id_token": jwt({**ID_TOKEN, "exp": NOW - 3600})})

    assert [scene.title for scene in story.scenes][1:] == ["header of the ID token", "claims of the ID token"]
    assert "not-expired" in broken(story)


def test_endpoints_of_metadata_are_shown() -> None:
    """They are what metadata are for."""
    more: dict[str, object] = {"jwks_uri": "https://as.example/keys", "z": ["a"]}
    shown = values(explained({**DOCUMENTS["server metadata"], **more}))

    assert shown["token_endpoint"].value == "https://as.example/token"
    assert (shown["jwks_uri"].value, shown["z"].value) == ("https://as.example/keys", '["a"]')


def test_public_members_are_shown_and_others_only_if_they_are_harmless() -> None:
    """A server may have a secret under any name."""
    story = explained(
        {**TOKENS, "scope": "read", "account": "demo", "handle": "0af7651916cd43dd8448eb211c80319c"}
        | {"next": f"https://as.example/continue/{CANARY}", "poll_token": CANARY}
    )
    shown = values(story)

    assert (shown["scope"].value, shown["account"].value) == ("read", "demo")
    assert "not shown" in shown["handle"].value
    assert CANARY not in everything(story)


@pytest.mark.parametrize("document", [{UNKNOWN: 1, **TOKENS}, {"map": {UNKNOWN: 1}, **TOKENS}])
def test_secret_in_the_place_of_a_name_is_not_shown(document: dict[str, object]) -> None:
    """Some servers answer with an object by token; names were shown whatever they were."""
    story = document_story(json.dumps(document), now=NOW)

    assert UNKNOWN not in text(story, width=100) + json.dumps(members(story))


def test_link_with_the_user_code_is_reduced() -> None:
    """The code in it is a secret of a kind."""
    complete = f"https://as.example/device?user_code={CANARY}"
    story = explained({**DEVICE, "device_code": "x" * 20, "verification_uri_complete": complete})

    assert values(story)["verification_uri"].value == "https://as.example/device"
    assert CANARY not in everything(story)


def test_error_response_is_told_as_its_error() -> None:
    """With the server's own words, and no secret that is quoted in them."""
    story = explained(
        {"error": "invalid_grant", "error_description": f"{CANARY} is not known", "refresh_token": CANARY}
    )

    assert story.kind == "error"
    assert "is not known" in everything(story)
    assert CANARY not in everything(story)


@pytest.mark.parametrize(
    "document",
    ["{}", "[]", "{", '{"a": 1}', '{"a": NaN}', '{"sub": 1, "sub": 2}', "{" * 9999, '{"error": {"a": 1}}'],
)
def test_other_documents_are_refused(document: str) -> None:
    """Without a word of them."""
    with pytest.raises(ConfigError):
        document_story(document, now=NOW)


@PROPERTY
@given(
    st.sampled_from(list(DOCUMENTS)), st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, max_size=2), max_size=4)
)
def test_strange_documents_are_explained(name: str, more: dict[str, object]) -> None:
    """No control character goes to the terminal."""
    shown = text(document_story(json.dumps({**more, **DOCUMENTS[name]}), now=NOW), width=60)

    assert all(character.isprintable() or character == "\n" for character in shown)
    assert max(map(len, shown.splitlines())) <= 60
