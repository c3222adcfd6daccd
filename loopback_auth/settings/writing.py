"""Change the configuration file, in which comments, order and spelling stay.

The new file is written beside the old one and then moved over it. A file that cannot be read, that is not
TOML, or that another user could have written, is never changed; neither is one for which the new text would
not read back as exactly what was wanted. A symbolic link stays a link: the file that it names is replaced.

Two processes of ours change the file one after the other. An editor takes no lock, so what it has saved in
the meantime is noticed, and the change is made to that.
"""

# As in `private_files`: paths stay text. The types of tomlkit leave open what a table holds.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# ruff: noqa: PTH101, PTH118, PTH120

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import cast

import tomlkit
from filelock import FileLock, Timeout
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Item, Key, Table, Whitespace

from loopback_auth.errors import ConfigError, LoopbackAuthError, StoreError
from loopback_auth.narrow import is_object, is_tuple
from loopback_auth.settings.config import BOM, holds_secret, parsed, provider_tables
from loopback_auth.settings.trusted import read_trusted
from loopback_auth.store.private_files import discard, move_over, write_private

LOCK_SECONDS = 10.0
ATTEMPTS = 5
"""How often a change is made anew because an editor has saved the file in the meantime."""
PRIVATE = 0o600

Body = list[tuple[Key | None, Item]]
"""What is in a table or in the file, in order; comments have no key."""


def change_config(path: str, change: Callable[[TOMLDocument], None]) -> None:
    """Change the configuration file, completely or not at all; a missing one is created.

    Args:
        path: of the file.
        change: changes the document; called again where the file has changed in the meantime.

    Raises:
        ConfigError: the file cannot be read, is not TOML or is unsafe; it cannot be written; or it would have
            an unknown key or table afterwards.
    """
    target = os.path.realpath(path)
    with _failing(path), _locked(target):
        for _ in range(ATTEMPTS):
            before = _read(path)
            content, private = _changed(before, path, change)
            if content == before:
                return
            new = _written(target, content, private=private)
            try:
                if _read(path) == before:
                    move_over(new, target)
                    return
            finally:
                discard(new)
    raise ConfigError(
        f"The configuration file {path} is being changed by another program",
        hint="Close the editor that has it open, and run this again.",
    )


def set_provider(path: str, name: str, values: Mapping[str, object], *, default: bool = False) -> None:
    """Set keys in the table of a provider, which is created if there is none.

    Args:
        path: of the configuration file.
        name: of the provider.
        values: as `Setting.read` returns them, by their names; None: the key is removed.
        default: this provider is used when none is named.

    Raises:
        ConfigError: as from `change_config`.
    """

    def change(document: TOMLDocument) -> None:
        tables = document.get("providers", {})
        if name in tables:
            table = tables[name]
        elif isinstance(tables, InlineTable):
            # In a table in braces there can only be others in braces.
            table = tables.setdefault(name, tomlkit.inline_table())
        else:
            # Added to `tables`, it would stand between lines such as providers.a = {}, and take those below.
            table, new = tomlkit.table(), tomlkit.table(is_super_table=True)
            new.append(name, table)
            document.append("providers", new)
        for key, value in values.items():
            if value is None:
                table.pop(key, None)
            else:
                table[key] = _item(value)
        if default:
            document["provider"] = name

    change_config(path, change)


def remove_provider(path: str, name: str) -> None:
    """Remove the table of a provider, and what names it as the default.

    Raises:
        ConfigError: as from `change_config`.
    """

    def change(document: TOMLDocument) -> None:
        whole = cast("MutableMapping[str, MutableMapping[str, object]]", document)
        tables = whole.get("providers", {})
        places = _places(document, name)
        tables.pop(name, None)
        if not tables:
            whole.pop("providers", None)
        if places:
            body, place, comments = places[1 if tables else 0]
            body[place] = (None, Whitespace(comments))
        if document.get("provider") == name:  # pyright: ignore[reportUnknownMemberType]
            whole.pop("provider")

    change_config(path, change)


def _places(document: TOMLDocument, name: str) -> list[tuple[Body, int, str]]:
    """Return where the table of a provider is, from outside to inside, and the comments behind its last key.

    The library takes what a person has written above the next table for the end of this one. Empty: there are
    none, or the table has no heading.
    """
    for outer, (group, tables) in enumerate(document.body):
        if group is None or group.key != "providers" or not isinstance(tables, Table):
            continue
        for inner, (key, table) in enumerate(tables.value.body):
            if key is not None and key.key == name and isinstance(table, Table):
                comments = _below(table)
                found = [(document.body, outer, comments), (tables.value.body, inner, comments)]
                return found if "#" in comments else []
    return []


def _below(table: Table) -> str:
    """Return what is in a table behind its last key."""
    items = table.value.body
    end = max((at for at, (key, _) in enumerate(items) if key is not None), default=-1)
    last = items[end][1] if end >= 0 else None
    inside = _below(last) if isinstance(last, Table) else ""
    return inside + "".join(item.as_string() for _, item in items[end + 1 :])


def _item(value: object) -> object:
    if is_tuple(value):
        return list(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not is_object(value):
        return value
    pairs = tomlkit.inline_table()
    for key, each in value.items():
        pairs[key] = each
    return pairs


def _changed(before: bytes, path: str, change: Callable[[TOMLDocument], None]) -> tuple[bytes, bool]:
    """Return the new content, and whether it has a secret."""
    provider_tables(parsed(before, path), path)  # Its errors name the line, and what is not a table.
    mark, text = (BOM if before.startswith(BOM) else b""), before.removeprefix(BOM).decode()
    try:
        document = tomlkit.parse(text)
    except (TOMLKitError, RecursionError) as exc:
        raise _unwritable(path) from exc
    change(document)
    try:
        new = tomlkit.dumps(document)
        # What has only such line ends gets no others.
        if "\r\n" in text and not re.search(r"(?<!\r)\n", text):
            new = re.sub(r"(?<!\r)\n", "\r\n", new)
        content = mark + new.encode()
        read_back, wanted = parsed(content, path), document.unwrap()
    except (TOMLKitError, RecursionError, UnicodeEncodeError, ConfigError) as exc:
        raise _unwritable(path) from exc
    if read_back != wanted:
        raise _unwritable(path)
    provider_tables(read_back, path)
    return content, holds_secret(read_back)


def _unwritable(path: str) -> ConfigError:
    return ConfigError(
        f"The configuration file {path} cannot be changed without changing what else is in it",
        hint="Write the new lines with an editor.",
    )


def _read(path: str) -> bytes:
    try:
        os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return b""
    return read_trusted(path)[0]


def _written(target: str, content: bytes, *, private: bool) -> str:
    """Write the new file beside the old one, with the mode of the old one unless it has a secret."""
    try:
        mode = stat.S_IMODE(os.stat(target).st_mode)  # noqa: PTH116
    except FileNotFoundError:
        mode = PRIVATE
    if not mode & stat.S_IWUSR:
        # Moving another file over it would succeed all the same.
        raise ConfigError(
            f"The configuration file {target} is read-only",
            hint="Run: chmod u+w, or change it with an editor.",
        )
    new = write_private(os.path.dirname(target), content, os.path.basename(target))  # noqa: PTH119
    os.chmod(new, mode & PRIVATE if private else mode)
    return new


@contextmanager
def _locked(target: str) -> Generator[None]:
    folder, name = os.path.split(target)
    os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    try:
        with FileLock(os.path.join(folder, f".{name}.lock"), timeout=LOCK_SECONDS, mode=PRIVATE):
            yield
    except Timeout:
        raise ConfigError(
            f"Another process is changing the configuration file {target}", hint="Run this again in a moment."
        ) from None


@contextmanager
def _failing(path: str) -> Generator[None]:
    """Raise what the system refuses as an error about the configuration file."""
    try:
        yield
    except (OSError, StoreError) as exc:
        cause = exc.__cause__ if isinstance(exc, LoopbackAuthError) else exc
        why = (cause.strerror or type(cause).__name__) if isinstance(cause, OSError) else str(exc)
        raise ConfigError(
            f"The configuration file {path} cannot be written: {why}",
            hint=f"Make {os.path.dirname(path)} writable for you, or name another folder in "
            "LOOPBACK_AUTH_CONFIG_DIR.",
            parameter="config_dir",
        ) from exc
