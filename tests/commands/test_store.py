"""Where sign-ins are kept: shown, moved both ways, and written into the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import CommandLine
from fake_keychain import be_wrong, environment, lose_all

from commands.people import RecordingServer, client_flags, keep, store, visit


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Return the folder of a keychain."""
    return tmp_path / "secrets"


@pytest.fixture
def environ(tmp_path: Path, secrets: Path) -> dict[str, str]:
    """Return what makes commands use that keychain, and where their settings are."""
    return {**environment(secrets), "LOOPBACK_AUTH_CONFIG_DIR": str(tmp_path / "config")}


def config(tmp_path: Path, text: str) -> Path:
    """Write a configuration file."""
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(text)
    return path


def test_moved_there_and_back(command_line: CommandLine, environ: dict[str, str], tmp_path: Path) -> None:
    """Tokens can be had all the time, and the setting says it for later ones."""
    keep(command_line, "one")
    path = config(tmp_path, '# mine\nprovider = "github" # as ever\n')
    there = command_line.run("store", "keychain", **environ)
    text = path.read_text()
    shown = command_line.run("store", "--json", **environ).json
    token = command_line.run("token", "one", **environ)

    assert (there.status, there.stdout) == (0, "")
    assert '# mine\nprovider = "github" # as ever\n' in text
    assert 'store = "keychain"' in text
    assert (shown["kept_in"], shown["setting"]) == ("keychain", "keychain")
    assert shown["files"]["sign-ins"] == {"encrypted": 1, "plain": 0}  # type: ignore[index]
    assert (token.status, token.stdout) == (0, "access-token-of-one\n")

    back = command_line.run("store", "file", "--json", **environ)
    assert back.json == {"kept_in": "file", "moved": 1, "remark": None, "errors": []}
    assert 'store = "file"' in path.read_text()
    assert json.loads(Path(store(command_line).path("one")).read_bytes())
    assert command_line.run("store", **environ).status == 0


def test_a_setting_alone_encrypts_what_is_kept_next(
    command_line: CommandLine, environ: dict[str, str], secrets: Path
) -> None:
    """A login under that setting leaves no plain text, and needs no command before."""
    done = command_line.run("login", "demo", "--simulate-person", "--store", "keychain", **environ)
    assert done.status == 0, done.stderr

    (path,) = (command_line.home / "kept" / "sign-ins").glob("*.json")
    assert path.read_bytes()[:1] == b"\x01"
    assert command_line.run("token", "--json", **environ).status == 0


@pytest.mark.parametrize("fault", ["locked", "not allowed", "forgets", "truncates"])
def test_a_keychain_that_cannot_be_used_moves_nothing(
    command_line: CommandLine, environ: dict[str, str], secrets: Path, tmp_path: Path, fault: str
) -> None:
    """Neither the files nor the settings are changed, and it is said what to do."""
    keep(command_line, "one")
    be_wrong(secrets, fault)
    done = command_line.run("store", "keychain", **environ)

    assert (done.status, done.stdout) == (8, "")
    assert done.complaint
    found = store(command_line).load("one")
    assert found is not None
    assert found.tokens.access_token == "access-token-of-one"
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("backend", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_without_a_back_end_it_is_refused(
    command_line: CommandLine, environ: dict[str, str], backend: str
) -> None:
    """The back end is named, and so is the variable that chose it."""
    done = command_line.run("store", "keychain", **environ | {"PYTHON_KEYRING_BACKEND": backend})

    assert done.status == 8
    assert backend in done.complaint
    assert "PYTHON_KEYRING_BACKEND" in done.complaint


def test_a_login_is_refused_before_the_person_is_asked(
    command_line: CommandLine, environ: dict[str, str], secrets: Path
) -> None:
    """What was approved could not be kept."""
    be_wrong(secrets, "locked")
    done = command_line.run("login", "demo", "--simulate-person", LOOPBACK_AUTH_STORE="keychain", **environ)

    assert done.status == 8
    assert "--store" in done.complaint
    assert "http://" not in done.stderr


def test_a_locked_keychain_is_said_by_whatever_needs_a_token(
    command_line: CommandLine, environ: dict[str, str], secrets: Path
) -> None:
    """Nothing is lost by it: unlocked, the same command works."""
    keep(command_line, "one")
    command_line.run("store", "keychain", **environ)
    be_wrong(secrets, "locked")
    locked = command_line.run("token", "one", **environ)
    shown = command_line.run("store", **environ)
    be_wrong(secrets, "")

    assert (locked.status, locked.stdout) == (8, "")
    assert "LOOPBACK_AUTH_DATA_DIR" in locked.complaint
    # What is encrypted already cannot be read by another setting.
    assert "LOOPBACK_AUTH_STORE" not in locked.complaint
    assert shown.status == 0
    assert command_line.run("token", "one", **environ).stdout == "access-token-of-one\n"


def test_a_lost_key_is_said_and_what_is_left_is_shown(
    command_line: CommandLine, environ: dict[str, str], secrets: Path
) -> None:
    """The way back names each file that stays as it is."""
    keep(command_line, "one")
    command_line.run("store", "keychain", **environ)
    lose_all(secrets)
    back = command_line.run("store", "file", "--json", **environ)

    assert back.status == 8
    assert back.json["moved"] == 0
    assert len(back.json["errors"]) == 1  # type: ignore[arg-type]
    assert command_line.run("token", "one", **environ).status == 8
    assert command_line.run("store", "--json", **environ).json["files"]["sign-ins"] == {  # type: ignore[index]
        "encrypted": 1,
        "plain": 0,
    }
    assert command_line.run("logout", "one", **environ).status in (0, 8)


def test_a_variable_that_says_otherwise_is_named(command_line: CommandLine, environ: dict[str, str]) -> None:
    """It counts before the file that the command has written."""
    done = command_line.run("store", "keychain", "--json", LOOPBACK_AUTH_STORE="file", **environ)

    assert done.status == 0
    assert "LOOPBACK_AUTH_STORE" in str(done.json["remark"])


def test_a_file_of_settings_that_cannot_be_changed_names_the_line(
    command_line: CommandLine, environ: dict[str, str], tmp_path: Path
) -> None:
    """The files are moved all the same, because a folder that is encrypted stays so."""
    keep(command_line, "one")
    path = config(tmp_path, "broken =")
    done = command_line.run("store", "keychain", **environ)

    assert done.status == 0
    assert 'store = "keychain"' in done.stderr
    assert path.read_text() == "broken ="


@pytest.mark.parametrize("where", ["keyfile", "files", "", "--", "keychain\n", "ключ"])
def test_another_place_is_refused_with_a_suggestion(
    command_line: CommandLine, environ: dict[str, str], where: str
) -> None:
    """A typing error must not look like a move."""
    done = command_line.run("store", where, **environ)
    if where == "--":
        assert done.status == 0
    else:
        assert done.status == 2
        assert "not a place" in done.complaint


@pytest.mark.parametrize("command", ["status", "login", "store", "token"])
def test_an_unknown_value_of_the_setting_is_refused(command_line: CommandLine, command: str) -> None:
    """Otherwise tokens would be kept in plain text by a typing error."""
    done = command_line.run(command, LOOPBACK_AUTH_STORE="keychian")

    assert done.status == 2
    assert "Did you mean keychain?" in done.complaint


def test_status_and_doctor_say_where_sign_ins_are(command_line: CommandLine, environ: dict[str, str]) -> None:
    """These are where a person looks who wonders what is on the disk."""
    keep(command_line, "one")
    plain = command_line.run("status", "one", **environ)
    command_line.run("store", "keychain", **environ)
    encrypted = command_line.run("status", "one", **environ)
    listed = command_line.run("status", "--json", **environ)
    doctor = command_line.run("doctor", **environ)
    broken = command_line.run(
        "doctor", **environ | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    )

    assert "kept in  a file for you alone" in plain.stdout
    assert "its key is in the keychain" in encrypted.stdout
    assert [one["encrypted"] for one in json.loads(listed.stdout)] == [True]
    assert "fake_keychain.Keychain" in doctor.stdout
    assert "not a keychain" in broken.stdout


def test_a_login_that_is_under_way_during_the_move_is_encrypted(
    command_line: CommandLine, environ: dict[str, str], server: RecordingServer
) -> None:
    """It began when sign-ins were plain, and ends afterwards under a name that nothing had before."""
    keep(command_line, "one")
    arguments = ("login", *client_flags(server.issuer), "--no-browser")
    with command_line.start(*arguments, **environ) as login:
        link = login.link()
        assert command_line.run("store", "keychain", **environ).status == 0
        visit(link)
        ended = login.end()

    assert ended.status == 0, ended.stderr
    kept = command_line.home / "kept"
    assert {path.read_bytes()[:1] for path in kept.glob("*/*.json")} == {b"\x01"}
    assert len(list(kept.glob("sign-ins/*.json"))) == 2
