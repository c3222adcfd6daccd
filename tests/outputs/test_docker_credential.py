"""What docker's clients write to a helper, and what they read: the protocol alone."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopback_auth.outputs import docker_credential as protocol
from outputs.credentials import ACCESS


def test_the_answer_is_the_object_that_clients_read() -> None:
    """They decode it into a struct with these three names."""
    answer = protocol.docker_credential(ACCESS, server="https://r.example/v2/", username="oauth2")

    assert json.loads(answer) == {
        "ServerURL": "https://r.example/v2/",
        "Username": "oauth2",
        "Secret": "access",
    }
    assert answer.count("\n") == 1


@pytest.mark.parametrize("question", [b"r.example", b"r.example\n", b" r.example \r\n"])
def test_the_server_is_read_without_the_blanks_around_it(question: bytes) -> None:
    """People pipe it with echo, clients without a line break."""
    assert protocol.read_server(question) == "r.example"


@pytest.mark.parametrize(
    "question", [b"", b" \n", b"a\nb", b"a\x00b", b"\xff", b"x" * (protocol.REQUEST_LIMIT + 1)]
)
def test_what_is_no_server_is_refused_in_the_words_of_the_protocol(question: bytes) -> None:
    """Clients compare the text byte for byte."""
    with pytest.raises(ValueError, match=r"^no credentials server URL$"):
        protocol.read_server(question)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (b"", "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
        (b"\xff", "not a JSON object"),
        (b"{}", "^no credentials server URL$"),
        (b"[]", "^no credentials server URL$"),
        (b'{"ServerURL": 5, "Username": "a"}', "^no credentials server URL$"),
        (b'{"ServerURL": "r.example", "Secret": "canary"}', "^no credentials username$"),
    ],
)
def test_what_cannot_be_stored_is_refused_without_the_secret(question: bytes, text: str) -> None:
    """The client prints the text."""
    with pytest.raises(ValueError, match=text) as refused:
        protocol.read_stored(question)

    assert "canary" not in str(refused.value)


@given(st.binary(max_size=100))
def test_any_question_is_read_or_refused(question: bytes) -> None:
    """No stranger's bytes end the helper otherwise."""
    for read in (protocol.read_server, protocol.read_stored):
        with suppress(ValueError):
            read(question)
