"""What is noted about a sign-in counts until something changes that could change the answer."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from helper_home import Home
from helper_home import home as home

import loopback_auth.store.settings_match as module
from loopback_auth.commands._fresh import matching
from loopback_auth.settings.setting import SETTINGS
from loopback_auth.store.migration import move
from loopback_auth.store.settings_match import (
    ANY_SWITCH,
    ANY_TEXT,
    FOLDER,
    SettingsMatch,
    keep_match,
    read_match,
    settings_state,
    sign_in_state,
    variables_decide,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="it keeps no time of such a change, and no modes")


def noted(home: Home) -> SettingsMatch | None:
    """Return what is noted and counts now."""
    return read_match(str(home.folder / "data"), "work", settings_state(os.environ))


def test_what_was_compared_is_noted(home: Home) -> None:
    """Hosts and user name are those of the settings, in the form in which hosts are compared."""
    home.keep("work", "git.example", "r.example:5000")
    home.configure('token_username = "robot"\n')
    home.compare("work")

    assert noted(home) == SettingsMatch(frozenset({"git.example:443", "r.example:5000"}), "robot")


def older(home: Home) -> Path:
    """Return a file with settings of the same length for another client, which are as old as can be."""
    path = home.folder / "older.toml"
    path.write_text((home.folder / "config.toml").read_text().replace('"client"', '"cl1ent"'))
    os.utime(path, (0, 0))
    return path


def edit_within_a_moment(home: Home, _: pytest.MonkeyPatch) -> None:
    """Change the file, and give it back its time."""
    config = home.folder / "config.toml"
    before = config.stat()
    config.write_text(older(home).read_text())
    os.utime(config, ns=(before.st_atime_ns, before.st_mtime_ns))


def move_an_older_file_here(home: Home, _: pytest.MonkeyPatch) -> None:
    """Restore settings from a copy, for example."""
    older(home).replace(home.folder / "config.toml")


def link_to_an_older_file(home: Home, _: pytest.MonkeyPatch) -> None:
    """Change to another generation of a configuration that is kept elsewhere, where all times are 1970."""
    target = older(home)
    (home.folder / "config.toml").unlink()
    (home.folder / "config.toml").symlink_to(target)


def another_folder(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name another folder, whose file was there long before the sign-in."""
    there = home.folder / "another"
    there.mkdir()
    older(home).replace(there / "config.toml")
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(there))


def another_standard_folder(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name it by the variable of the system."""
    there = home.folder / "xdg" / "loopback_auth"
    there.mkdir(parents=True)
    older(home).replace(there / "config.toml")
    monkeypatch.delenv("LOOPBACK_AUTH_CONFIG_DIR")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(there.parent))


def move_the_folder(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move a folder to where another one was: the file in it is not touched."""
    place, there = home.folder / "place", home.folder / "there"
    place.mkdir()
    there.mkdir()
    (home.folder / "config.toml").replace(place / "config.toml")
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(place))
    (there / "config.toml").write_text((place / "config.toml").read_text().replace('"client"', '"cl1ent"'))
    os.utime(there / "config.toml", (0, 0))
    home.compare("work")
    assert noted(home)
    place.rename(home.folder / "before")
    there.rename(place)


def open_the_folder_behind_a_link(home: Home, _: pytest.MonkeyPatch) -> None:
    """Let others replace the file that a link in a private folder leads to."""
    behind = home.folder / "behind"
    behind.mkdir(mode=0o700)
    config = home.folder / "config.toml"
    config.rename(behind / "real.toml")
    config.symlink_to(behind / "real.toml")
    home.compare("work")
    assert noted(home)
    behind.chmod(0o777)


def put_another_link_on_the_way(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the folder by a link that is replaced: another user may own the new one, which is refused."""
    link = home.folder / "link"
    link.symlink_to(home.folder)
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", str(link))
    home.compare("work")
    assert noted(home)
    (home.folder / "new").symlink_to(home.folder)
    (home.folder / "new").replace(link)


def open_the_file(home: Home, _: pytest.MonkeyPatch) -> None:
    """Let others write to the settings, which the commands refuse then."""
    (home.folder / "config.toml").chmod(0o666)


def open_the_folder(home: Home, _: pytest.MonkeyPatch) -> None:
    """Let others replace the settings."""
    home.folder.chmod(0o777)


def sign_in_again(home: Home, _: pytest.MonkeyPatch) -> None:
    """Keep another sign-in under the name."""
    home.keep("work", issuer="https://another.example")


def remove_the_settings(home: Home, _: pytest.MonkeyPatch) -> None:
    """Do without hosts."""
    (home.folder / "config.toml").unlink()


def another_version(_: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install another version of the program, whose presets may have other hosts."""
    monkeypatch.setattr(module, "__version__", "0.0.1")


def damage_the_note(home: Home, _: pytest.MonkeyPatch) -> None:
    """Cut the note."""
    path = home.folder / "data" / FOLDER / "work.json"
    path.write_bytes(path.read_bytes()[:20])


def edit_the_note(home: Home, _: pytest.MonkeyPatch) -> None:
    """Write what is no user name."""
    path = home.folder / "data" / FOLDER / "work.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "username": None}))


def let_others_write_the_note(home: Home, _: pytest.MonkeyPatch) -> None:
    """Let others name hosts."""
    (home.folder / "data" / FOLDER / "work.json").chmod(0o666)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(edit_within_a_moment, marks=posix),
        move_an_older_file_here,
        pytest.param(link_to_an_older_file, marks=posix),
        another_folder,
        pytest.param(
            another_standard_folder,
            marks=pytest.mark.skipif(sys.platform != "linux", reason="the variable of XDG"),
        ),
        move_the_folder,
        pytest.param(open_the_file, marks=posix),
        pytest.param(open_the_folder, marks=posix),
        pytest.param(open_the_folder_behind_a_link, marks=posix),
        pytest.param(put_another_link_on_the_way, marks=posix),
        sign_in_again,
        remove_the_settings,
        another_version,
        damage_the_note,
        edit_the_note,
        pytest.param(let_others_write_the_note, marks=posix),
    ],
)
def test_a_note_counts_until_something_changes(
    home: Home, monkeypatch: pytest.MonkeyPatch, change: Callable[[Home, pytest.MonkeyPatch], None]
) -> None:
    """Otherwise a token would be given that the settings do not give any more."""
    home.keep("work", "git.example")
    home.compare("work")
    assert noted(home)
    change(home, monkeypatch)

    assert noted(home) is None


@pytest.mark.parametrize("young", ["settings", "sign-in"])
def test_what_has_just_changed_is_not_noted(home: Home, monkeypatch: pytest.MonkeyPatch, young: str) -> None:
    """It may change again within the same tick of a clock, and would look the same."""
    home.keep("work", "git.example")
    monkeypatch.setattr(module, "SETTLED_SECONDS", 2.0)
    changed = time.time() + 100
    os.utime(home.folder / "config.toml" if young == "settings" else home.store.path("work"), (0, changed))
    folder, match = str(home.folder / "data"), SettingsMatch(frozenset(), "")
    settings, sign_in = settings_state(os.environ), sign_in_state(folder, "work")
    keep_match(folder, "work", match, settings=settings, sign_in=sign_in, now=changed + 1)
    before = noted(home)
    keep_match(folder, "work", match, settings=settings, sign_in=sign_in, now=changed + 3)

    assert (before, noted(home)) == (None, match)


@pytest.mark.parametrize("variable", ["LOOPBACK_AUTH_CLIENT_ID", "LOOPBACK_AUTH_TIMEOUT"])
def test_what_matches_by_a_variable_is_not_noted(
    home: Home, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """Without the variable it may not match: the first says the client, the second cannot be read."""
    home.keep("work", "git.example")
    config = home.folder / "config.toml"
    config.write_text(config.read_text().replace('"client"', '"another"'))
    monkeypatch.setenv(variable, "client")
    home.compare("work")

    assert noted(home) is None


def test_what_matches_by_another_name_is_not_noted(home: Home) -> None:
    """Settings of that name were compared, and a glance is for the name of the sign-in alone."""
    home.keep("work", "git.example")
    matching(home.store, "")
    by_none = noted(home)
    matching(home.store, "https://work")

    assert (by_none, noted(home)) == (None, None)


def test_a_note_that_cannot_be_kept_costs_time_alone(home: Home) -> None:
    """The data folder may be one that can only be read."""
    home.keep("work", "git.example")
    (home.folder / "data" / FOLDER).write_text("a file where the folder would be")
    home.compare("work")

    assert noted(home) is None


@pytest.mark.parametrize(
    "end",
    [lambda home: home.store.delete("work"), lambda home: move(str(home.folder / "data"), encrypt=False)],
)
def test_a_note_ends_with_its_sign_in(home: Home, end: Callable[[Home], object]) -> None:
    """Nothing of it stays on the disk when that is deleted or moved, nor of one that a crash has left."""
    home.keep("work", "git.example")
    home.compare("work")
    folder = home.folder / "data" / FOLDER
    (folder / f".new-work-{'0' * 16}").touch()
    end(home)

    assert list(folder.iterdir()) == []


def test_variables_that_are_not_known_to_be_harmless_decide() -> None:
    """A setting that is new, or misspelt, may be any."""
    known = {item.variable: item for item in SETTINGS if item.variable}
    switches = {name for name, item in known.items() if item.kind == "switch"}
    texts = {name for name, item in known.items() if item.kind == "text" and not item.choices}

    assert switches - {"LOOPBACK_AUTH_DPOP"} == ANY_SWITCH
    assert ANY_TEXT - {"LOOPBACK_AUTH_CLIENT_KEY_PASSWORD"} <= texts
    assert variables_decide({"LOOPBACK_AUTH_UNKNOWN": "x"})
    assert variables_decide({"LOOPBACK_AUTH_WAIT": "perhaps"})
    assert variables_decide({"LOOPBACK_AUTH_CLIENT_SECRET": "caf\udce9"})
    assert not variables_decide({"LOOPBACK_AUTH_ISSUER": "", "LOOPBACK_AUTH_DATA_DIR": "x", "HOME": "/"})
    assert not variables_decide({"LOOPBACK_AUTH_WAIT": "false", "LOOPBACK_AUTH_CLIENT_SECRET": "x"})
