"""The configuration file is changed as a careful person would: nothing else in it moves."""

from __future__ import annotations

import os
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tomlkit import TOMLDocument, table

from loopback_auth.errors import ConfigError
from loopback_auth.settings import load_config
from loopback_auth.settings.writing import change_config, remove_provider, set_provider

posix = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
NOBODY = 65534
KEPT = """\
# mine, do not touch
scope   = "read"  # wide

[providers.work] # at work
issuer = 'https://id.example'
client_id="abc"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is; it is not there yet."""
    return tmp_path / "folder" / "config.toml"


def kept(path: Path, content: str | bytes = KEPT, mode: int = 0o644) -> Path:
    """Write the file as a person has it."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def choose(document: TOMLDocument) -> None:
    """Change one key at the top."""
    document["provider"] = "work"


def add_secret(document: TOMLDocument) -> None:
    """Give a provider a secret."""
    document["providers"]["work"]["client_secret"] = "hunter2-hunter2"


def test_all_that_was_there_stays_as_it_is(path: Path) -> None:
    """Comments and spelling are the person's own."""
    change_config(str(kept(path)), choose)
    new = path.read_text()

    assert new.replace('provider = "work"\n', "").replace("\n\n\n", "\n\n") == KEPT
    assert tomllib.loads(new) == tomllib.loads(KEPT) | {"provider": "work"}


@posix
def test_a_missing_file_is_made_for_its_user_alone(path: Path) -> None:
    """It may get a secret later."""
    change_config(str(path), choose)

    assert path.read_text() == 'provider = "work"\n'
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@posix
def test_a_secret_closes_the_file_to_others(path: Path) -> None:
    """Otherwise the next command refuses to read it; without one the mode stays."""
    change_config(str(kept(path)), choose)
    before = path.stat().st_mode & 0o777
    change_config(str(path), add_secret)

    assert (before, path.stat().st_mode & 0o777) == (0o644, 0o600)
    assert load_config(str(path))


@posix
def test_a_link_stays_one(path: Path, tmp_path: Path) -> None:
    """Many people keep such files in a repository, and link to them."""
    target = kept(tmp_path / "dotfiles.toml")
    path.parent.mkdir()
    path.symlink_to(target)
    change_config(str(path), choose)

    assert path.is_symlink()
    assert tomllib.loads(target.read_text())["provider"] == "work"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_and_byte_order_mark_stay(path: Path, mark: bytes, end: bytes) -> None:
    """Editors on Windows write both, and the file can be read all the same."""
    kept(path, mark + KEPT.encode().replace(b"\n", end))
    change_config(str(path), choose)
    new = path.read_bytes()

    assert new.startswith(mark + b"# mine")
    assert new.count(b"\n") == new.count(end)
    assert load_config(str(path))["provider"] == "work"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b'a = "1"\nb = \n', "line 2"),
        (b"\n\n\xff", "line 3"),
        (b"scope = 1\nscope = 2\n", "line 2"),
        (b"scope = " + b"[" * 5000, "nested"),
        (b"#" * (1 << 20) + b"##", "longer"),
        (b'nonsense = "1"\n', "nonsense"),
    ],
)
def test_what_cannot_be_read_is_not_changed(path: Path, content: bytes, named: str) -> None:
    """A slip of the person must not cost them the file; the error says where it is."""
    kept(path, content)
    with pytest.raises(ConfigError, match=named):
        change_config(str(path), choose)

    assert path.read_bytes() == content
    assert {each.name for each in path.parent.iterdir()} <= {"config.toml", ".config.toml.lock"}


@posix
@pytest.mark.parametrize("mode", [0o444, 0o666])
def test_a_file_that_is_read_only_or_open_to_others_is_not_changed(path: Path, mode: int) -> None:
    """The one was protected by its user, and the other may have been written by a stranger."""
    kept(path, mode=mode)
    with pytest.raises(ConfigError):
        change_config(str(path), choose)

    assert path.read_text() == KEPT


@contextmanager
def bound_by_modes() -> Iterator[None]:
    """Be another user than root, who may write everywhere."""
    if sys.platform == "win32" or os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@posix
def test_a_folder_that_is_read_only_is_named() -> None:
    """There the file cannot be replaced."""
    # Not in the folder of the test, to which other users have no way.
    with TemporaryDirectory() as folder:
        path = kept(Path(folder, "config.toml"))
        path.parent.chmod(0o555)
        with bound_by_modes(), pytest.raises(ConfigError, match="cannot be written"):
            change_config(str(path), choose)

        assert path.read_text() == KEPT


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """There is a file in its place."""
    (tmp_path / "folder").touch()
    with pytest.raises(ConfigError, match="cannot be written") as refused:
        change_config(str(tmp_path / "folder" / "config.toml"), choose)

    assert refused.value.parameter == "config_dir"


def test_what_an_editor_saves_in_the_meantime_is_not_lost(path: Path) -> None:
    """It takes no lock, so the change is made once more, to what is there now."""
    kept(path)
    saved = iter([KEPT + "scope = 'write' # saved\n"])

    def change(document: TOMLDocument) -> None:
        for content in saved:
            path.write_text(content)
        choose(document)

    change_config(str(path), change)

    assert "# saved" in path.read_text()
    assert tomllib.loads(path.read_text())["provider"] == "work"


def test_an_editor_that_never_stops_is_named(path: Path) -> None:
    """What it wrote stays, and nothing is left of ours."""
    kept(path)
    times = iter(range(100))

    def change(document: TOMLDocument) -> None:
        path.write_text(f"{KEPT}# {next(times)}\n")
        choose(document)

    with pytest.raises(ConfigError, match="another program"):
        change_config(str(path), change)

    assert "provider" not in tomllib.loads(path.read_text())
    # Windows removes the lock, too.
    assert {each.name for each in path.parent.iterdir()} - {".config.toml.lock"} == {"config.toml"}


def test_many_at_once_lose_no_change(path: Path) -> None:
    """Two commands in two terminals."""

    def add(number: int) -> None:
        def change(document: TOMLDocument) -> None:
            one = table()
            one["client_id"] = str(number)
            tables = document.setdefault("providers", table(is_super_table=True))
            tables[f"p{number}"] = one

        change_config(str(path), change)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert set(tomllib.loads(path.read_text())["providers"]) == {f"p{number}" for number in range(6)}


def test_a_change_that_makes_no_sense_is_refused(path: Path) -> None:
    """Nothing is written that the next command could not read."""
    kept(path)

    def change(document: TOMLDocument) -> None:
        document["clientid"] = "abc"

    with pytest.raises(ConfigError, match="clientid"):
        change_config(str(path), change)

    assert path.read_text() == KEPT


@pytest.mark.parametrize(
    "content",
    [
        'providers = {work = {client_id = "abc"}}  # mine\n',
        '[providers]\nwork = {client_id = "abc"}  # mine\n',
        'providers.work.client_id = "abc"  # mine\n',
        '[providers]\nwork.client_id = "abc"  # mine\n',
        # Lines one after the other, which the library holds apart.
        'providers.b = {}\nproviders.work = {client_id = "abc"}  # mine\n',
        'providers.b.scope = "x"\nprovider = "b"\nproviders.work.client_id = "abc"  # mine\n[providers.c]\n',
    ],
)
@pytest.mark.parametrize("name", ["work", "github"])
def test_a_provider_is_written_in_every_spelling_of_tables(path: Path, content: str, name: str) -> None:
    """TOML 1.0.0, "Inline Table": braces can have braces inside, but no heading; both are tables."""
    set_provider(str(kept(path, content)), name, {"client_id": "new", "scope": ("a", "b")})
    new = path.read_text()

    written: dict[str, object] = {name: {"client_id": "new", "scope": ["a", "b"]}}
    assert tomllib.loads(new)["providers"] == tomllib.loads(content)["providers"] | written
    assert "# mine" in new


@pytest.mark.parametrize(
    "content",
    ["providers = 3\n", "[[providers]]\n", "[providers]\nwork = 3\n", "[[providers.work]]\n"],
)
def test_what_is_no_table_is_said_and_not_changed(path: Path, content: str) -> None:
    """TOML can say it, and the library fails on it in ways of its own."""
    with pytest.raises(ConfigError, match="table"):
        set_provider(str(kept(path, content)), "work", {"client_id": "new"})

    assert path.read_text() == content


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (
            '# work\n[providers.work]\nclient_id = "abc"\n\n# b\n[providers.b]\n',
            "# work\n\n# b\n[providers.b]\n",
        ),
        ('[providers.b]\n[providers.work]\nclient_id = "abc"\n# end\n', "[providers.b]\n# end\n"),
        ('[providers.work]\nclient_id = "abc"\n# end\n', "# end\n"),
        ('[providers.work.extra]\na = "b"\n\n# b\n[providers.b]\n', "\n# b\n[providers.b]\n"),
        ('[providers.work]\nclient_id = "abc" # c\n[providers.b]\n', "[providers.b]\n"),
    ],
)
def test_what_is_written_above_the_next_table_stays(path: Path, content: str, left: str) -> None:
    """The library takes it for the end of the table that is removed."""
    remove_provider(str(kept(path, content)), "work")

    assert path.read_text() == left
