"""What git writes to a helper, and what it reads: the protocol alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.git_credential import REQUEST_LIMIT, Request, git_credential, read_request
from loopback_auth.records import replace
from outputs.credentials import ACCESS

DOCUMENTED = b"protocol=https\nhost=example.com\nusername=bob\npassword=secr3t\n"
"""The example of git-credential(1)."""


def test_the_example_of_the_documentation_is_read() -> None:
    """git-credential(1), TYPICAL USE."""
    asked = read_request(DOCUMENTED)

    assert (asked.protocol, asked.host, asked.username, asked.secret) == (
        "https",
        "example.com",
        "bob",
        "secr3t",
    )
    assert "secr3t" not in repr(asked)


def test_what_follows_the_empty_line_is_not_read() -> None:
    """'The list of attributes is terminated by a blank line or end-of-file.'."""
    assert read_request(b"host=a.example\n\nhost=b.example\n").host == "a.example"
    assert read_request(b"\nhost=b.example\n").host == ""
    assert read_request(b"") == Request()


def test_attributes_that_are_not_known_are_passed_over() -> None:
    """'Unrecognised attributes and capabilities are silently discarded.'."""
    asked = read_request(b"host=a.example\nnew=1\noauth_refresh_token=r\npath=a b\xff\ncapability[]=new\n")

    assert asked == Request(host="a.example", capabilities=frozenset(["new"]))


def test_an_empty_value_takes_the_earlier_ones_back() -> None:
    """'An empty multi-valued attribute acts to clear any previous entries and reset the list.'."""
    asked = read_request(b"capability[]=authtype\ncapability[]=\ncapability[]=state\n")

    assert asked.capabilities == {"state"}


@pytest.mark.parametrize(
    "question",
    [
        b"protocol=https\nhost=good.example\nhost=evil.example\n",
        b"host=evil.example\nprotocol=https\nhost=good.example\n",
        b"protocol=http\nprotocol=https\nhost=good.example\n",
        b"host=good.example\rhost=evil.example\n",
        b"host=good.example\r\nprotocol=https\r\n",
        b"host=good.example\x00evil.example\n",
        b"host=good.example\x0bhost=evil.example\n",
        b"host=good.example\xc2\x85host=evil.example\n",
        b"host=good.example\xe2\x80\xa8host=evil.example\n",
        b"host=good.example\xff\n",
        b"username=alice\x1b[2J\nhost=good.example\n",
        b"host\n",
        b"=good.example\n",
        b"protocol https\n",
        b"host=" + b"a" * 70_000 + b"\n",
        b"a" * (REQUEST_LIMIT + 1),
        b"\x00" * 1000,
    ],
)
def test_a_value_cannot_become_two(question: bytes) -> None:
    """CVE-2020-5260, CVE-2024-52006: the password of one host went to another."""
    with pytest.raises(ConfigError) as refused:
        read_request(question)

    assert "good.example" not in refused.value.message


def test_the_same_said_twice_is_said_once() -> None:
    """Git itself repeats nothing, but a wrapper may."""
    assert read_request(b"host=a.example\nhost=a.example\n").host == "a.example"


@given(st.binary(max_size=200))
def test_any_question_is_read_or_refused(question: bytes) -> None:
    """No stranger's bytes end the helper otherwise."""
    try:
        asked = read_request(question)
    except ConfigError:
        return
    assert asked.host.isprintable()
    assert asked.username.isprintable()


def test_the_answer_is_a_password_with_its_end() -> None:
    """What every git can use, and what code hosts document; the end so that no cache outlives it."""
    assert git_credential(ACCESS, username="oauth2", request=Request()) == (
        "username=oauth2\npassword=access\npassword_expiry_utc=1000003600\n"
    )


@pytest.mark.parametrize("end", [None, 0.0, -5.0])
def test_an_end_that_is_not_known_is_not_said(end: float | None) -> None:
    """Git takes 0 for 'never', and others for 'long ago'."""
    assert "expiry" not in git_credential(replace(ACCESS, expires_at=end), username="a", request=Request())


def test_an_end_without_end_is_a_number() -> None:
    """A server may say infinity, and git reads digits."""
    answer = git_credential(replace(ACCESS, expires_at=float("inf")), username="a", request=Request())

    assert answer.endswith("password_expiry_utc=253402300799\n")


BOTH = frozenset(["authtype", "state"])


@pytest.mark.parametrize(
    ("headers", "capabilities", "is_bearer"),
    [
        ([b'Bearer realm="x"'], BOTH, True),
        ([b"bearer"], frozenset(["authtype"]), True),
        ([b'Bearer realm="x"'], frozenset[str](), False),
        ([b'Bearer realm="x"', b'Basic realm="x"'], BOTH, False),
        ([b'Basic realm="x, y", Bearer realm="x"'], BOTH, False),
        ([b"Negotiate, NTLM"], BOTH, False),
        ([], BOTH, False),
    ],
)
def test_a_bearer_token_is_sent_where_no_password_can_be(
    headers: list[bytes], capabilities: frozenset[str], is_bearer: bool
) -> None:
    """'This value should not be sent unless the appropriate capability is provided on input.'."""
    question = b"".join(b"capability[]=%s\n" % one.encode() for one in capabilities)
    question += b"".join(b"wwwauth[]=%s\n" % one for one in headers)
    lines = git_credential(ACCESS, username="a", request=read_request(question)).splitlines()

    assert ("authtype=Bearer" in lines, "credential=access" in lines, "ephemeral=1" in lines) == (
        is_bearer,
    ) * 3
    assert ("password=access" in lines) is not is_bearer
    if is_bearer:
        # "A capability[] directive must precede any value depending on it."
        assert lines.index("capability[]=authtype") < lines.index("authtype=Bearer")


def test_the_state_brings_back_which_sign_in_it_was() -> None:
    """'The value should include a prefix unique to the credential helper and should ignore [others].'."""
    answer = git_credential(ACCESS, username="a", request=Request(capabilities=frozenset(["state"])))

    assert "capability[]=state\nstate[]=loopback-auth:cluster\n" in answer
    assert (
        read_request(b"state[]=other:x\nstate[]=loopback-auth:cluster\nstate[]=other:y\n").name == "cluster"
    )
    assert read_request(b"state[]=other:x\n").name == ""
