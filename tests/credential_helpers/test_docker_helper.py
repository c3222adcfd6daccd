"""What the helper of docker answers for what is kept, in the texts that clients compare."""

from __future__ import annotations

import json
import time

import pytest
from helper_home import TABLE, Home
from renewing import TokenEndpoint

from loopback_auth.credential_helpers import docker
from loopback_auth.errors import SignInRequired

NOT_FOUND = ("credentials not found in native keychain\n", 1)


def get(server: str) -> tuple[str, int]:
    """Ask as docker does."""
    return docker.answer("get", server.encode(), "")


@pytest.mark.parametrize(
    "server", ["r.example", "r.example:443", "https://r.example", "https://r.example/v2/", "R.example\n"]
)
def test_the_token_of_the_registry_is_given(home: Home, server: str) -> None:
    """Clients name a registry with and without a scheme and a path."""
    home.keep("work", "r.example")
    text, status = get(server)

    assert (json.loads(text), status) == (
        {"ServerURL": server.strip(), "Username": "alice", "Secret": "canary-work"},
        0,
    )


@pytest.mark.parametrize(
    "server",
    [
        "https://index.docker.io/v1/",
        "http://r.example",
        "r.example:5000",
        "r.example.evil.example",
        "r.example@evil",
    ],
)
def test_another_registry_gets_nothing(home: Home, server: str) -> None:
    """Then clients go on without a password: most images are public."""
    home.keep("work", "r.example")

    assert get(server) == NOT_FOUND


def test_a_registry_on_this_machine_may_speak_http(home: Home) -> None:
    """As docker does it with 127.0.0.0/8."""
    home.keep("work", "127.0.0.1:5000")

    assert get("127.0.0.1:5000")[1] == get("http://127.0.0.1:5000")[1] == 0
    assert get("127.0.0.1:5001") == NOT_FOUND


def test_the_user_name_is_that_of_the_settings(home: Home) -> None:
    """Google's registries want oauth2accesstoken; `<token>` makes an identity token of it."""
    home.keep("work", "r.example")
    home.configure('token_username = "<token>"\n')

    assert json.loads(get("r.example")[0])["Username"] == "<token>"


def test_a_due_token_is_renewed(home: Home, server: TokenEndpoint) -> None:
    """As for every command."""
    home.keep("work", "r.example", issuer=server.issuer, expires_at=time.time() - 1)

    assert json.loads(get("r.example")[0])["Secret"] == "access-1"


def test_a_registry_of_a_provider_without_a_sign_in_is_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Docker would only say that it has no credentials."""
    home.configure(TABLE.format(name="work", issuer="https://id.example", hosts=["registry.example"]))

    with pytest.raises(SignInRequired):
        docker.answer_at_a_glance(b"registry.example", "")
    assert docker.answer("get", b"registry.example", "") == NOT_FOUND
    assert "login work" in capsys.readouterr().err


def test_a_sign_in_that_has_ended_is_told(
    home: Home, server: TokenEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """The client shows what is on stderr."""
    server.status, server.document = 400, {"error": "invalid_grant"}
    home.keep("work", "r.example", issuer=server.issuer, expires_at=time.time() - 1)

    assert get("r.example") == NOT_FOUND
    assert "login work" in capsys.readouterr().err


@pytest.mark.parametrize("question", ["", "\n", "a\nb", "\x00"])
@pytest.mark.parametrize("action", ["get", "erase"])
def test_a_question_without_a_registry_is_refused(home: Home, question: str, action: str) -> None:
    """In the text of the protocol."""
    assert docker.answer(action, question.encode(), "") == ("no credentials server URL\n", 1)


def test_a_password_of_others_is_not_kept(home: Home) -> None:
    """`docker login` has to say so: later it would not be there. Our own token is kept already."""
    home.keep("work", "r.example")
    before = sorted(home.folder.rglob("*"))

    def store(secret: str, server: str = "r.example") -> tuple[str, int]:
        members = {"ServerURL": server, "Username": "alice", "Secret": secret}
        return docker.answer("store", json.dumps(members).encode(), "")

    text, status = store("canary-of-others")
    assert (status, "canary" in text) == (1, False)
    assert store("canary-work", "other.example")[1] == 1
    assert store("")[1] == 1
    assert store("canary-work") == ("", 0)
    assert sorted(home.folder.rglob("*")) == before


def test_docker_logout_leaves_the_sign_in(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Other tools use it too; the person is told how to end it."""
    home.keep("work", "r.example")

    assert docker.answer("erase", b"r.example", "") == ("", 0)
    assert "logout work" in capsys.readouterr().err
    assert docker.answer("erase", b"other.example", "") == ("", 0)
    assert home.token("work") == "canary-work"


def test_list_names_registries_and_no_secret(home: Home) -> None:
    """Builders ask for all that there is."""
    home.keep("work", "r.example", "r.example:5000", expires_at=time.time() - 1)
    home.keep("home", account="bob")

    assert docker.answer("list", b"", "") == ('{"r.example": "alice", "r.example:5000": "alice"}\n', 0)


@pytest.mark.parametrize("action", ["", "new", "GET", "--help"])
def test_an_action_that_is_not_known_is_refused(home: Home, action: str) -> None:
    """As the programs of docker do it."""
    text, status = docker.answer(action, b"r.example", "")

    assert (status, "unknown action" in text) == (1, True)


def test_version_is_one_line(home: Home) -> None:
    """Clients ask for it when they look for helpers."""
    text, status = docker.answer("version", b"", "")

    assert (status, text.startswith("docker-credential-loopback-auth (loopback_auth) ")) == (0, True)
