"""Read the configuration file, and refuse unknown keys and tables.

The top level has values for every provider, and `provider`, the one to use when none is named; a table
`[providers.NAME]` has the values for one, and may extend a preset by `preset = "google"`. The values
themselves are checked by `Setting.read`, when they are used. This module is imported only when there is such
a file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping

from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_object
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.reading import suggestion
from loopback_auth.settings.setting import SETTINGS
from loopback_auth.settings.trusted import read_trusted

RESERVED = ("demo",)
BOM = b"\xef\xbb\xbf"
"""Byte order mark, with which some editors begin a file in UTF-8; it means nothing."""
_NAMES = tuple(setting.name for setting in SETTINGS)
_QUIRKS = frozenset(setting.name for setting in SETTINGS if setting.quirk)
_SECRETS = frozenset(setting.name for setting in SETTINGS if setting.secret)


def read_config(path: str) -> Mapping[str, object]:
    """Read and parse the configuration file.

    Raises:
        ConfigError: the file cannot be read, is not TOML, or other users can write to it or read a secret in
            it.
    """
    content, mode = read_trusted(path)
    config = parsed(content, path)
    if os.name == "posix" and mode & 0o077 and holds_secret(config):
        raise ConfigError(
            f"The configuration file {path} contains a secret that other users can read",
            hint=f"Run: chmod 600 {path}",
        )
    return config


def provider_tables(config: Mapping[str, object], path: str) -> Mapping[str, Mapping[str, object]]:
    """Return the tables of the providers by name, after a check for unknown keys.

    Raises:
        ConfigError: an unknown key or preset, a reserved name, or a value where a table is expected.
    """
    for key in config:
        if key in _QUIRKS:
            raise ConfigError(
                f"In {path}, {key} must be in the table of a provider",
                hint="Move it below a heading such as [providers.work].",
            )
    _check_keys(config, (*_NAMES, "provider", "providers"), path)
    named = config.get("provider", "")
    if is_object(named):
        meant = next(iter(named), "work")
        raise ConfigError(
            f"In {path}, [provider.{meant}] is not a valid heading",
            hint=f"Did you mean [providers.{meant}]?",
        )
    if not isinstance(named, str):
        raise ConfigError(
            f"In {path}, provider must be a string", hint="Write the name of one provider, in quotes."
        )
    tables = config.get("providers", {})
    read = {name: table for name, table in tables.items() if is_object(table)} if is_object(tables) else None
    if read is None or read != tables:
        raise ConfigError(
            f"In {path}, providers must be a table of tables",
            hint="Write one heading such as [providers.work] for each provider.",
        )
    for name, table in read.items():
        _check_table(name, table, f"{path} [providers.{name}]")
    return read


def parsed(content: bytes, path: str) -> dict[str, object]:
    """Return what is in a configuration file, unchecked.

    Raises:
        ConfigError: it is not TOML in UTF-8.
    """
    try:
        return tomllib.loads(content.removeprefix(BOM).decode("utf-8"))
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise _no_toml(path, f"it is not UTF-8 (at line {line})") from exc
    except RecursionError as exc:
        raise _no_toml(path, "its brackets are nested too deeply") from exc
    except ValueError as exc:  # A number with thousands of digits is a ValueError of Python, not of tomllib.
        raise _no_toml(path, str(exc)) from exc


def _no_toml(path: str, detail: str) -> ConfigError:
    return ConfigError(
        f"The configuration file {path} is not valid TOML: {detail}",
        hint='Correct that line; strings need quotes, as in client_id = "abc".',
    )


def holds_secret(config: Mapping[str, object]) -> bool:
    """Return whether a setting in the file is a secret."""
    tables = config.get("providers")
    holders = [config, *(tables.values() if is_object(tables) else ())]
    return any(is_object(holder) and not _SECRETS.isdisjoint(holder) for holder in holders)


def _check_table(name: str, table: Mapping[str, object], place: str) -> None:
    _check_keys(table, (*_NAMES, "preset"), place)
    if name in RESERVED:
        raise ConfigError(
            f"{place} has the name of the built-in demonstration server",
            hint="Give your provider another name.",
        )
    if "://" in name:
        raise ConfigError(
            f"{place} has an address as its name",
            hint="Choose a short name, and write the address as issuer = in the table.",
        )
    preset = table.get("preset")
    if preset is not None and (not isinstance(preset, str) or preset not in every_preset()):
        raise ConfigError(
            f"{place} extends an unknown preset: {ascii(preset)[:80]}",
            hint=suggestion(str(preset), every_preset()),
        )


def _check_keys(table: Mapping[str, object], known: Iterable[str], place: str) -> None:
    for key in table:
        if key not in known:
            raise ConfigError(f"Unknown key {ascii(key)[:80]} in {place}", hint=suggestion(key, known))
