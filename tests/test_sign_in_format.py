"""The kept form: everything comes back, and nothing else is taken for a sign-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.model import Network, ServerMetadata
from loopback_auth.quirks import Quirks
from loopback_auth.sign_in_format import read_as, written
from loopback_auth.tokens import IdToken, SignIn, TokenSet

CANARY = "canary-7f3a"
URL = "https://as.example"

FULL = SignIn(
    name="as.example",
    client_id="client",
    client_auth="client_secret_basic",
    metadata=ServerMetadata(
        issuer=URL,
        authorization_endpoint=f"{URL}/authorize",
        token_endpoint=f"{URL}/token",
        pushed_authorization_request_endpoint=f"{URL}/par",
        revocation_endpoint=f"{URL}/revoke",
        userinfo_endpoint=f"{URL}/userinfo",
        jwks_uri=f"{URL}/jwks",
        response_modes_supported=("query", "form_post"),
        code_challenge_methods_supported=("S256",),
        token_endpoint_auth_methods_supported=(),
        id_token_signing_alg_values_supported=("RS256", "ES256"),
        authorization_response_iss_parameter_supported=True,
        require_pushed_authorization_requests=True,
        discovered=True,
    ),
    requested_scope="openid offline_access",
    tokens=TokenSet(
        access_token=f"access-{CANARY}",
        token_type="Bearer",
        obtained_at=1000.5,
        expires_at=4600.25,
        refresh_token=f"refresh-{CANARY}",
        scope="openid",
        id_token=IdToken(
            {"sub": "ada", "aud": ["client"], "exp": 4600, "nothing": None, "name": "Adä"},
            "verified",
            f"raw-{CANARY}",
        ),
        account="ada@as.example",
        extra={"instance_url": URL, "team": {"id": 1}, "scopes": ["a"]},
    ),
    temporary=True,
    quirks=Quirks(
        access_token_path="authed_user.access_token",
        token_body="json",
        token_headers=(("Notion-Version", "2022-06-28"),),
        token_types=("user", "bot"),
        nonce=False,
        scope_aliases=(("email", "https://as.example/auth/userinfo.email"),),
        userinfo_method="POST",
    ),
    network=Network("/etc/corp/ca.pem", allow_private=("token.corp.example",), public=True),
    resource=("https://api.example/a", "https://api.example/b"),
    audience="api",
)
BARE = SignIn("bare", "client", "none", ServerMetadata(), "", TokenSet("token", "Bearer", 1000.0))

texts = st.text(max_size=20)
times = st.floats(-1e12, 1e12)
claim_sets = st.dictionaries(
    texts,
    st.recursive(st.none() | st.booleans() | st.integers() | texts, st.lists, max_leaves=5),
    max_size=4,
)
metadata = st.builds(
    ServerMetadata,
    issuer=st.none() | texts,
    response_modes_supported=st.none() | st.lists(texts).map(tuple),
    discovered=st.booleans(),
)
id_tokens = st.builds(IdToken, claim_sets, st.sampled_from(("verified", "not verified")), texts)
token_sets = st.builds(
    TokenSet,
    texts,
    texts,
    times,
    expires_at=st.none() | times,
    refresh_token=st.none() | texts,
    id_token=st.none() | id_tokens,
)
sign_ins = st.builds(SignIn, texts, texts, st.just("none"), metadata, texts, token_sets, st.booleans())


def places(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Walk to every member of a kept sign-in that has a type of its own."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield (*path, name)
            if name not in ("claims", "extra"):
                yield from places(member, (*path, name))


def changed(path: tuple[str, ...], value: object) -> bytes:
    """Write the full sign-in with one member replaced."""
    members: Any = json.loads(written(FULL))
    inner = members
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return json.dumps(members).encode()


PLACES = sorted(places(json.loads(written(FULL))))


@pytest.mark.parametrize("sign_in", [FULL, BARE], ids=["full", "bare"])
def test_a_sign_in_comes_back_whole(sign_in: SignIn) -> None:
    """What is lost in keeping is missing at the first refresh, hours later."""
    content = written(sign_in)

    assert read_as(SignIn, content) == sign_in
    assert content.isascii()


@given(sign_ins)
def test_any_sign_in_comes_back_whole(sign_in: SignIn) -> None:
    """Servers choose these texts: lone surrogates, line breaks and emptiness included."""
    assert read_as(SignIn, written(sign_in)) == sign_in


def test_what_is_not_known_is_not_written() -> None:
    """None means that the server did not say, and so does absence."""
    tokens = json.loads(written(BARE))["tokens"]

    assert sorted(tokens) == ["access_token", "account", "extra", "obtained_at", "scope", "token_type"]


def test_read_only_claims_can_be_kept() -> None:
    """The model asks for a Mapping, not for a dict."""
    tokens = TokenSet(
        "token", "Bearer", 1.0, id_token=IdToken(MappingProxyType({"sub": "ada"}), "verified", "raw")
    )
    sign_in = SignIn("bare", "client", "none", ServerMetadata(), "", tokens)

    assert read_as(SignIn, written(sign_in)).tokens.id_token == IdToken({"sub": "ada"}, "verified", "raw")


@pytest.mark.parametrize("claim", [float("nan"), float("inf"), b"bytes", object()])
def test_a_claim_that_is_no_json_is_refused(claim: object) -> None:
    """Better no file than one that cannot be read back."""
    tokens = TokenSet("token", "Bearer", 1.0, id_token=IdToken({"odd": claim}, "verified", "raw"))

    with pytest.raises(ValueError, match="not JSON"):
        written(SignIn("bare", "client", "none", ServerMetadata(), "", tokens))


@pytest.mark.parametrize("path", PLACES, ids=".".join)
@pytest.mark.parametrize("value", [[CANARY, 1], None, 1e400, {"issuer": [CANARY]}], ids=repr)
def test_a_member_of_another_kind_is_refused(path: tuple[str, ...], value: object) -> None:
    """A value of the wrong kind would fail later, far from its cause; and it may be a secret."""
    if path[-1] in ("claims", "extra", "network", "quirks") and isinstance(value, dict):
        value = [value]
    with pytest.raises(ValueError, match=r"\w") as caught:
        read_as(SignIn, changed(path, value))

    assert CANARY not in repr(caught.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tokens", "obtained_at"), True),
        (("tokens", "expires_at"), "4600"),
        (("temporary",), 1),
        (("version",), True),
        (("version",), 2),
        (("version",), "1"),
        (("client_auth",), "client_secret_jwt"),
        (("tokens", "id_token", "signature"), "Verified"),
        (("quirks", "token_body"), "xml"),
        (("quirks", "token_headers"), [["one"]]),
        (("quirks", "token_headers"), [["one", 2]]),
        (("quirks", "nonce"), 0),
        (("tokens", "id_token", "claims"), {"odd": float("nan")}),
    ],
)
def test_what_nearly_fits_is_refused(path: tuple[str, ...], value: object) -> None:
    """Python takes True for 1 and JSON writers take numbers for texts; we take neither."""
    with pytest.raises(ValueError, match=r"another|must|version|JSON"):
        read_as(SignIn, changed(path, value))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"version": 1}',
        b"[" * 200_000,
        b'{"version": 1, "a":' * 100_000,
        b'{"version": ' + b"9" * 5000 + b"}",
        '{"ä": 1}'.encode("utf-16"),
    ],
    ids=range(10),
)
def test_other_content_is_refused(content: bytes) -> None:
    """Depth, length and encoding have limits of their own, and none may crash us."""
    with pytest.raises(ValueError, match=r"\w"):
        read_as(SignIn, content)


def test_members_of_a_later_version_are_passed_over() -> None:
    """A newer release may add a member without changing what the others mean."""
    assert read_as(SignIn, changed(("tokens", "brand_new"), 1)) == FULL


def test_a_file_without_quirks_is_that_of_a_provider_without_any() -> None:
    """Files of earlier versions have no such member, and most providers have no quirk."""
    assert "quirks" not in json.loads(written(BARE))
    assert read_as(SignIn, written(BARE)).quirks == Quirks()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_else_is_taken_for_a_sign_in(content: bytes) -> None:
    """Whatever is in the file, the answer is one kind of error."""
    with pytest.raises(ValueError, match=r"\w"):
        read_as(SignIn, content)
