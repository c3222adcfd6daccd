"""Show where sign-ins are kept, or move them to the keychain of this system, or back to plain files.

In files they can be read by you alone, and are in your backups as they are. With `keychain` each file is
encrypted, and the key is where this system keeps passwords: macOS Keychain, Windows Credential Locker, or
GNOME Keyring, KWallet or another Secret Service on a Linux desktop. Then a copy of the files
cannot be read without the keychain. A program that runs as you can ask the keychain, too.

Examples:
  python -m loopback_auth store
  python -m loopback_auth store keychain
  python -m loopback_auth store file

Everything is moved, and the setting `store` is written into the configuration file. You can use
every sign-in during the move. If the move is interrupted, run the same command again.

It needs the extra: pip install 'loopback-auth[keychain]'. More: help files.
"""

from __future__ import annotations

import os

from loopback_auth.cli import described_error, print_json, print_table, tell, tell_error
from loopback_auth.errors import ConfigError, LoopbackAuthError, StoreError
from loopback_auth.folders import data_folder
from loopback_auth.invocation import GENERAL
from loopback_auth.settings import config_file, load_config
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.settings.setting import PREFIX, STORES
from loopback_auth.store.keychain_key import read_keychain
from loopback_auth.store.migration import FOLDERS, KeptFile, in_keychain, kept_files, move
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from tomlkit import TOMLDocument


USAGE = "[keychain | file] [--json]"
VARIABLE = f"{PREFIX}STORE"
NOUNS = ("sign-ins", "keys of bound tokens", "registrations", "unfinished logins")
"""What is in each of `FOLDERS`."""


class Counted:
    """How many files of a folder are encrypted, and how many are plain.

    Args:
        files: all of them.
        failures: takes the errors of those that cannot be read.
    """

    __slots__ = ("encrypted", "plain")

    def __init__(self, files: tuple[KeptFile, ...], failures: list[StoreError]) -> None:
        self.encrypted: int = 0
        self.plain: int = 0
        for file in files:
            try:
                found = in_keychain(file.path)
            except StoreError as exc:
                failures.append(exc)
                continue
            self.encrypted += found is True
            self.plain += found is False


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "where", nargs="?", metavar="WHERE", help="where to move everything: keychain or file"
    )


def run(options: argparse.Namespace) -> int:
    """Show where sign-ins are kept, or move them."""
    folder = data_folder(os.environ)
    if options.where is None:
        return _show(folder, as_json=options.json)
    if options.where not in STORES:
        from loopback_auth.settings.reading import suggestion  # Start-up.

        raise ConfigError(
            f"{ascii(options.where)[:80]} is not a place for sign-ins.",
            hint=suggestion(options.where, STORES),
        )
    return _move(folder, options.where, as_json=options.json)


def _show(folder: str, *, as_json: bool) -> int:
    failures: list[StoreError] = []
    files = kept_files(folder)
    counts = {name: Counted(tuple(one for one in files if one.folder == name), failures) for name in FOLDERS}
    keychain, wanted = read_keychain(folder), KeptSettings(os.environ).store()
    encrypts = keychain.encrypts or wanted == "keychain"
    if as_json:
        print_json(
            {
                "kept_in": "keychain" if encrypts else "file",
                "setting": wanted,
                "folder": folder,
                "backend": keychain.keys[0].backend if keychain.keys else None,
                "files": {
                    name: {"encrypted": one.encrypted, "plain": one.plain} for name, one in counts.items()
                },
                "errors": [described_error(error) for error in failures],
            }
        )
    else:
        backend = f" ({keychain.keys[0].backend})" if encrypts and keychain.keys else ""
        rows = [("kept in", f"files that the keychain has the key of{backend}" if encrypts else "files")]
        rows.append(("folder", folder))
        rows += [
            (noun, _counted(one))
            for noun, one in zip(NOUNS, counts.values(), strict=True)
            if one.encrypted or one.plain
        ]
        print_table(rows)
    for error in failures:
        tell_error(error)
    plain, encrypted = (sum(getattr(one, kind) for one in counts.values()) for kind in ("plain", "encrypted"))
    if encrypts and plain:
        _warn(f"{_files(plain)} not encrypted yet. To encrypt all, run: {GENERAL} store keychain")
    elif encrypted and not encrypts:
        _warn(f"{_files(encrypted)} still encrypted. To decrypt all, run: {GENERAL} store file")
    elif keychain.encrypts and wanted == "file":
        tell(
            f"The setting store is file, and this folder is encrypted. To decrypt, run: {GENERAL} store file"
        )
    return StoreError.exit_code if failures else 0


def _move(folder: str, where: str, *, as_json: bool) -> int:
    done = move(folder, encrypt=where == "keychain")
    remark = _written(where)
    if as_json:
        errors = [described_error(error) for error in done.failures]
        print_json({"kept_in": where, "moved": done.moved, "remark": remark or None, "errors": errors})
    else:
        form = "encrypted, with a key in the keychain" if where == "keychain" else "plain, for you alone"
        left = f" {len(done.failures)} could not be moved." if done.failures else ""
        tell(f"Files in {folder} are {form}: {done.moved} moved now.{left}")
        if remark:
            _warn(remark)
    for error in done.failures:
        tell_error(error)
    return StoreError.exit_code if done.failures else 0


def _written(where: str) -> str:
    """Write the setting; return what the person has to do about it, if anything."""
    path = config_file(os.environ)
    try:
        if load_config(path).get("store", STORES[0]) != where:
            from loopback_auth.settings.writing import change_config  # It imports tomlkit.

            def change(document: TOMLDocument) -> None:
                document["store"] = where

            change_config(path, change)
    except LoopbackAuthError as exc:
        return f'{exc.message.removesuffix(".")}. Write this line at the top of {path}: store = "{where}"'
    value = os.environ.get(VARIABLE, where)
    return (
        f"{VARIABLE} is {ascii(value)[:80]}, which takes precedence over the file. Unset it."
        if value != where
        else ""
    )


def _counted(one: Counted) -> str:
    parts = [(one.encrypted, "encrypted"), (one.plain, "plain")]
    return ", ".join(f"{number} {kind}" for number, kind in parts if number)


def _files(number: int) -> str:
    return "1 file is" if number == 1 else f"{number} files are"


def _warn(text: str) -> None:
    tell(Words.WARNING.format(text=text))
