"""Flags and help of the commands, as argparse has them, with errors and advice of our own.

argparse answers a misspelled flag with all forty of them; here it is one sentence and one hint. Paragraphs of
help are filled to the width of the terminal, and what is indented stays as it is, so that examples can be
copied. The value of an unknown flag is never repeated: it may be a secret in the wrong place.
"""

from __future__ import annotations

import argparse
import os

from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import NoReturn

    from loopback_auth.settings.setting import Setting

_SECRET_WORDS = ("secret", "password", "token")


class Parser(argparse.ArgumentParser):
    """An argument parser that raises `ConfigError`."""

    def __init__(self, name: str, *, usage: str, description: str, epilog: str = "") -> None:
        prog = f"python -m loopback_auth {name}".rstrip()
        super().__init__(
            prog=prog,
            usage=f"{prog} {usage}",
            description=description,
            epilog=epilog,
            formatter_class=_Formatter,
            allow_abbrev=False,
            add_help=False,
        )
        self._positionals.title = "arguments"
        self.after_dashes: str = ""
        """Attribute of the options for what comes after the first `--`; empty: argparse reads that too."""

    def declare_common(self) -> None:
        """Declare what every command has, after its own options."""
        self.add_argument("--json", action="store_true", help="answer with JSON on stdout, errors too")
        self.declare_help()

    def declare_help(self) -> None:
        """Declare --help."""
        self.add_argument("-h", "--help", action="help", help="show this help")

    def format_help(self) -> str:
        """Write the help, with the command that was typed in place of the general name."""
        from loopback_auth.invocation import as_typed

        # Replaced before the lines are filled, for it may be longer; argparse formats the usage with %.
        self.usage: str | None = _filled_usage(as_typed(self.usage or "")).replace("%", "%%")
        self.description: str | None = as_typed(self.description or "")
        self.epilog: str | None = as_typed(self.epilog or "")
        for group in self._action_groups:
            group.description = as_typed(group.description) if group.description else None
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Refuse what argparse refuses.

        Raises:
            ConfigError: always.
        """
        # Start-up.
        import re

        from loopback_auth.settings.reading import suggestion

        meant = ""
        if choice := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)$", message):
            near = suggestion(choice[1], re.findall(r"[\w-]+", choice[2]))
            meant = f"{near} " if near.startswith("Did") else ""
        message = re.sub(r"invalid int value: (.*)", r"\1 is not a whole number", message)
        message = re.sub(r"invalid float value: (.*)", r"\1 is not a number", message)
        raise ConfigError(f"{message[:1].upper()}{message[1:]}", hint=f"{meant}See {self.prog} --help.")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Read the arguments.

        Raises:
            ConfigError: one is unknown, or cannot be read.
        """
        own = list(arguments)
        end = own.index("--") if self.after_dashes and "--" in own else len(own)
        options, rest = self.parse_known_args(own[:end])
        if rest:
            unknown = self._unknown(next((one for one in rest if one.startswith("-")), rest[0]))
            if self.after_dashes and "--" not in own:
                unknown.hint = f"Put -- before the command that is to be run. {unknown.hint}"
            raise unknown
        if self.after_dashes:
            setattr(options, self.after_dashes, own[end + 1 :])
        return options

    def _unknown(self, argument: str) -> ConfigError:
        import difflib

        from loopback_auth.settings.checks import SECRET_HINT

        flag = argument.partition("=")[0]
        if not flag.startswith("-"):
            return ConfigError(f"One argument too many: {ascii(flag)[:80]}", hint=f"See {self.prog} --help.")
        if any(word in flag for word in _SECRET_WORDS):
            return ConfigError(
                f"There is no flag {ascii(flag)[1:-1][:80]}: other users could read the secret there",
                hint=SECRET_HINT,
            )
        near = difflib.get_close_matches(flag, self._option_string_actions, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        return ConfigError(f"Unknown flag: {ascii(flag)[1:-1][:80]}", hint=f"{meant}See {self.prog} --help.")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Fills paragraphs, and leaves alone those with an indented line."""

    def __init__(self, prog: str) -> None:
        # Asked for every argument; without a width argparse would import shutil, and it three compressions.
        super().__init__(prog, width=help_width())

    def _set_color(self, *_: object, **__: object) -> None:
        # Python 3.14 asks for this with every argument too, and would import dataclasses, inspect and ast.
        self._theme, self._decolor = _Colourless(), str

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return filled(text, width)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        # "-o, --output FILE", as Python 3.13 and later have it; those before repeat FILE.
        value = self._format_args(action, action.dest.upper())
        return super()._format_action_invocation(action).replace(f" {value}, ", ", ")


class _Colourless:
    """The colours of argparse by the part of a help: none, as before Python 3.14."""

    def __getattr__(self, part: str) -> str:
        return ""


def filled(text: str, width: int) -> str:
    """Fill the paragraphs of a text to a width; one with an indented line stays as it is."""
    from textwrap import fill

    paragraphs = text.strip("\n").split("\n\n")
    return "\n\n".join(
        one if "\n  " in f"\n{one}" else fill(one, width, break_on_hyphens=False) for one in paragraphs
    )


def _filled_usage(usage: str) -> str:
    """Break a usage between arguments, not inside of brackets."""
    from textwrap import fill

    depth, joined = 0, ""
    for character in usage:
        depth += (character == "[") - (character == "]")
        joined += "\0" if depth and character == " " else character
    hanging = " " * len("usage: ")
    shown = fill(
        joined, help_width(), initial_indent=hanging, subsequent_indent=hanging, break_on_hyphens=False
    )
    return shown.strip().replace("\0", " ")


def help_width() -> int:
    """Return the characters of a line of help, on the terminal that it is shown on."""
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(1).columns or 80) - 2
    except (OSError, ValueError):
        return 78


ABOUT_SETTINGS = (
    "Each is also a variable and a key of the configuration file: --client-id is LOOPBACK_AUTH_CLIENT_ID and "
    "client_id. "
)


def add_settings(
    parser: argparse.ArgumentParser, shown: Collection[str] | None = None, *, others: bool = True
) -> None:
    """Give a command a flag for every setting that may be on a command line.

    Args:
        parser: of the command.
        shown: names of those that its help describes; None: all.
        others: the command knows the others, too.
    """
    from loopback_auth.settings.setting import SETTINGS

    rest = "All of them: python -m loopback_auth help settings"
    if shown is None:
        rest = (
            "Where a server differs from the standards, keys of its table [providers.NAME] say so, and no "
            "flags; the command settings --all lists them."
        )
    group = parser.add_argument_group(
        "settings",
        ABOUT_SETTINGS + rest,
    )
    for setting in SETTINGS:
        if not setting.flag or not (others or setting.name in (shown or ())):
            continue
        default = "" if setting.default is None else f" (default: {setting.shown(setting.default)})"
        choices = [f'"{one}"' if " " in one else one for one in setting.choices] if _is_long(setting) else []
        values = f"; one of {', '.join(choices)}" if choices else ""
        # argparse formats help with %, and not one of these texts means to use that.
        text = f"{setting.help}{values}{default}".replace("%", "%%")
        if shown is not None and setting.name not in shown:
            text = argparse.SUPPRESS
        if setting.kind == "switch":
            group.add_argument(
                setting.flag, dest=setting.name, action=argparse.BooleanOptionalAction, help=text
            )
        else:
            repeated = "append" if setting.kind in ("scope", "words", "pairs", "ports") else "store"
            group.add_argument(
                setting.flag, dest=setting.name, action=repeated, metavar=_metavar(setting), help=text
            )


def _is_long(setting: Setting) -> bool:
    """Return whether the choices are better listed in the help than in place of the value."""
    return len("|".join(setting.choices)) > 40


def _metavar(setting: Setting) -> str:
    if setting.choices and not _is_long(setting):
        return "|".join(setting.shown(choice) for choice in setting.choices)
    named = {"pairs": "NAME=VALUE", "seconds": "SECONDS", "age": "SECONDS"}
    last = setting.name.replace("resource_server", "url").rpartition("_")[2]
    return named.get(setting.kind, last.upper())
