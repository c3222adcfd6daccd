"""The table of a provider is written by flags or by questions, and nothing that could not work."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import PATIENCE, CommandLine, Ended

from commands.people import CONFIDENTIAL, RecordingServer, in_terminal, keep, sign_in, store

posix = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and modes of POSIX")
ISSUER = "https://id.example"


@pytest.fixture
def path(command_line: CommandLine) -> Path:
    """The configuration file, which is not there yet."""
    return command_line.home / "config.toml"


def configure(command_line: CommandLine, *arguments: str, stdin: str = "") -> Ended:
    """Run the command on that file."""
    done = subprocess.run(
        [sys.executable, "-m", "loopback_auth", "configure", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=command_line.environment({"LOOPBACK_AUTH_CONFIG_DIR": str(command_line.home)}),
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def table(path: Path, name: str) -> dict[str, object]:
    """Return the table of a provider."""
    found: dict[str, object] = tomllib.loads(path.read_text())["providers"][name]
    return found


@pytest.mark.slow
def test_a_provider_that_is_written_can_be_signed_in_to(
    command_line: CommandLine, path: Path, server: RecordingServer
) -> None:
    """By flags and stdin, without a question; the secret never was an argument."""
    flags = ("--issuer", server.issuer, "--client-id", CONFIDENTIAL.client_id, "--client-auth", "post")
    secret = CONFIDENTIAL.client_secret or ""
    written = configure(
        command_line, "corp", *flags, "--with-secret", "--check", "--json", stdin=f"{secret}\n"
    )
    ended = sign_in(command_line, "corp", LOOPBACK_AUTH_CONFIG_DIR=str(path.parent))

    assert written.status == 0, written.complaint
    assert written.json["keys"] == ["client_auth", "client_id", "client_secret", "issuer"]
    assert secret not in written.stdout + written.stderr
    assert "has answered" in written.stderr
    assert ended.status == 0, ended.stderr


def test_hosts_are_written_by_a_flag(command_line: CommandLine, path: Path) -> None:
    """As the hint of a helper says it; what is not a host is refused, and nothing is written."""
    server = ("--issuer", ISSUER, "--client-id", "abc")
    written = configure(
        command_line, "corp", *server, "--hosts", "a.example,b.example:8443", "--hosts", "c.example"
    )
    named = configure(command_line, "corp", "--token-username", "oauth2")
    before = path.read_bytes()
    refused = configure(command_line, "corp", "--hosts", "https://a.example/")

    assert (written.status, named.status, refused.status) == (0, 0, 2)
    assert table(path, "corp")["hosts"] == ["a.example", "b.example:8443", "c.example"]
    assert table(path, "corp")["token_username"] == "oauth2"
    assert path.read_bytes() == before


def test_values_have_the_types_of_the_file(command_line: CommandLine, path: Path) -> None:
    """They are read back as what they were given for; a key can be removed again."""
    more = ("--scope", "a b", "--scope", "c", "--port", "8400", "--port", "8401", "--extra", "x=y", "--dpop")
    configure(command_line, "corp", "--issuer", ISSUER, "--client-id", "abc", "--timeout", "90", *more)
    before = table(path, "corp")
    configure(command_line, "corp", "--unset", "scope", "--unset", "extra")

    assert before == {
        "issuer": ISSUER,
        "client_id": "abc",
        "scope": "a b c",
        "port": [8400, 8401],
        "extra": {"x": "y"},
        "dpop": True,
        "timeout": 90,
    }
    assert table(path, "corp").keys() == before.keys() - {"scope", "extra"}


def test_list_and_remove(command_line: CommandLine, path: Path) -> None:
    """What is removed is not the default any longer, and comments elsewhere stay."""
    path.write_text(f'# mine\n[providers.corp]\nissuer = "{ISSUER}"\nclient_secret = "hunter2"\n')
    path.chmod(0o600)
    configure(command_line, "github", "--client-id", "abc", "--default")
    listed = configure(command_line, "--list", "--json")
    removed = configure(command_line, "github", "--remove")
    again = configure(command_line, "github", "--remove")

    assert listed.json["default"] == "github"
    assert listed.json["providers"] == [
        {"name": "corp", "preset": None, "client_id": None, "secret": "in the file"},
        {"name": "github", "preset": "github", "client_id": "abc", "secret": None},
    ]
    assert (removed.status, again.status) == (0, 2)
    assert path.read_text().startswith("# mine\n")
    assert "github" not in path.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--client-id", "abc"),
        ("corp", "--client-id", "abc"),
        ("corp", "--issuer", "http://id.example", "--client-id", "abc"),
        ("corp", "--issuer", ISSUER, "--client-id", "a\nb"),
        ("corp", "--preset", "gibhub", "--client-id", "abc"),
        ("corp", "--issuer", ISSUER, "--unset", "clientid"),
        ("corp", "--issuer", ISSUER, "--with-secret"),
        ("keycloak", "--client-id", "abc"),
        ("demo", "--client-id", "abc"),
        ("Corp", "--issuer", ISSUER),
        ("../x", "--issuer", ISSUER),
        (ISSUER, "--client-id", "abc"),
        ("corp", "--issuer", ISSUER, "--port", "x"),
        ("corp", "--remove"),
    ],
)
def test_what_could_not_work_is_not_written(
    command_line: CommandLine, path: Path, arguments: tuple[str, ...]
) -> None:
    """Otherwise the next login would be the one to say so."""
    ended = configure(command_line, *arguments)

    assert ended.status == 2
    assert not path.exists()


def test_a_secret_that_is_too_long_is_refused_and_not_cut_off(command_line: CommandLine, path: Path) -> None:
    """A file of a key that was piped in by mistake would be kept as half a secret."""
    flags = ("corp", "--issuer", ISSUER, "--client-id", "abc", "--with-secret")
    long = configure(command_line, *flags, stdin="a" * 4097)

    assert long.status == 2
    assert "aaaa" not in long.complaint
    assert not path.exists()
    assert configure(command_line, *flags, stdin="a" * 4096).status == 0
    assert "a" * 4096 in path.read_text()


def test_a_server_that_does_not_answer_is_not_written(command_line: CommandLine, path: Path) -> None:
    """With --check; without it a laptop on a train can be configured."""
    flags = ("corp", "--issuer", "http://127.0.0.1:9", "--client-id", "abc")
    checked = configure(command_line, *flags, "--check")
    there = path.exists()
    unchecked = configure(command_line, *flags)

    assert (checked.status, there) == (6, False)
    assert (unchecked.status, path.exists()) == (0, True)


def test_what_is_there_can_be_checked(command_line: CommandLine, path: Path) -> None:
    """Nothing is written then, and nothing need be given."""
    configure(command_line, "corp", "--issuer", "http://127.0.0.1:9", "--client-id", "abc")
    before = path.read_text()
    checked = configure(command_line, "corp", "--check")

    assert (checked.status, path.read_text()) == (6, before)
    assert configure(command_line, "other", "--check").status == 2


def test_a_file_with_an_error_is_not_touched(command_line: CommandLine, path: Path) -> None:
    """The error says where it is."""
    path.write_text("[providers.corp]\nissuer = \n")
    ended = configure(command_line, "corp", "--issuer", ISSUER, "--client-id", "abc")

    assert ended.status == 2
    assert "line 2" in ended.complaint
    assert path.read_text() == "[providers.corp]\nissuer = \n"


def test_a_provider_does_not_get_the_name_of_an_account(command_line: CommandLine, path: Path) -> None:
    """The name would mean two things."""
    made = keep(command_line, "corp")
    store(command_line).save(replace(made, name="corp-work", configured_as="corp"))
    ended = configure(command_line, "corp-work", "--issuer", ISSUER, "--client-id", "abc")

    assert ended.status == 2
    assert "account at corp" in ended.complaint
    assert not path.exists()


@posix
@pytest.mark.slow
def test_questions_lead_to_the_same(command_line: CommandLine, path: Path) -> None:
    """What is to be registered is said before its result is asked for; a wrong answer is asked for again."""
    environ = {"LOOPBACK_AUTH_CONFIG_DIR": str(path.parent)}
    with in_terminal(command_line, "configure", columns=200, **environ) as screen:
        screen.wait_for("Which provider")
        screen.type("Git Hub\n")
        screen.wait_for("underscore and hyphen.")
        screen.type("github\n")
        screen.wait_for("callback URL http://127.0.0.1/callback")
        screen.wait_for("Client ID:")
        screen.type("\n")
        screen.wait_for("shown at the registration")
        screen.type("abc\n")
        screen.wait_for("Client secret for github (Enter: none): ")
        screen.type("hunter2-hunter2\n")
        screen.wait_for("Scopes")
        screen.type("repo\n")
        screen.wait_for("Written:")
        status = screen.end()

    assert status == 0
    assert "hunter2" not in screen.shown
    assert table(path, "github") == {"client_id": "abc", "client_secret": "hunter2-hunter2", "scope": "repo"}
    assert path.stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.slow
@pytest.mark.parametrize(("key", "status"), [("\x03", 130), ("\x04", 130)])
def test_who_gives_up_has_changed_nothing(
    command_line: CommandLine, path: Path, key: str, status: int
) -> None:
    """Ctrl-C and Ctrl-D, at a question in the middle."""
    path.write_text("# mine\n")
    with in_terminal(
        command_line, "configure", "github", LOOPBACK_AUTH_CONFIG_DIR=str(path.parent)
    ) as screen:
        screen.wait_for("Client ID:")
        screen.type(key)
        ended = screen.end()

    assert ended == status
    assert path.read_text() == "# mine\n"
    assert "Traceback" not in screen.shown


@posix
@pytest.mark.slow
def test_empty_answers_keep_what_is_there(command_line: CommandLine, path: Path) -> None:
    """Whoever changes one value need not type the others again."""
    path.write_text(f'[providers.corp]\nissuer = "{ISSUER}"\nclient_id = "abc"\nclient_secret = "hunter2"\n')
    path.chmod(0o600)
    with in_terminal(command_line, "configure", "corp", LOOPBACK_AUTH_CONFIG_DIR=str(path.parent)) as screen:
        for shown in (f"[{ISSUER}]:", "[abc]:", "(Enter: the one that is there)"):
            screen.wait_for(shown)
            screen.type("\n")
        screen.wait_for("Scopes")
        screen.type("read write\n")
        screen.wait_for("Written:")
        screen.end()

    assert table(path, "corp") == {
        "issuer": ISSUER,
        "client_id": "abc",
        "client_secret": "hunter2",
        "scope": "read write",
    }
