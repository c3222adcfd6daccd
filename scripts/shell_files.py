"""Make the completion of four shells, and the man page; scripts/goldens.py writes and checks them.

They are made of the parsers of the commands, and are files of the package, so that nothing is imported, and
nothing waits, when a shell completes a word. Names of providers are those of the presets; names of sign-ins
are those of the files in the data folder, which the shell lists by itself.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

from loopback_auth import __version__
from loopback_auth.cli import COMMANDS, TOPICS, command_of, overview
from loopback_auth.commands.completion import FILES
from loopback_auth.flow_table import NAMES
from loopback_auth.invocation import GENERAL, SCRIPT
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.setting import SETTINGS

ROOT = Path(__file__).resolve().parent.parent
MAN_PAGE = f"scripts/shipped/{SCRIPT}.1"
SIGN_INS = {
    "bash": "_loopback_auth_sign_ins",
    "zsh": "_loopback_auth_sign_ins",
    "fish": "(__loopback_auth_sign_ins)",
    "powershell": "_loopback_auth_sign_ins",
    "preamble": {
        "bash": """\
_loopback_auth_sign_ins() {
  local folder=${LOOPBACK_AUTH_DATA_DIR-} file
  if [[ -z $folder && $OSTYPE == darwin* ]]; then
    folder="$HOME/Library/Application Support/loopback_auth"
  fi
  for file in "${folder:-${XDG_DATA_HOME:-$HOME/.local/share}/loopback_auth}"/sign-ins/"$1"*.json; do
    if [[ -e $file ]]; then file=${file##*/}; echo "${file%.json}"; fi
  done
}
""",
        "zsh": """\
_loopback_auth_sign_ins() {
  local folder=${LOOPBACK_AUTH_DATA_DIR-}
  if [[ -z $folder && $OSTYPE == darwin* ]]; then
    folder="$HOME/Library/Application Support/loopback_auth"
  fi
  local -a names=("${folder:-${XDG_DATA_HOME:-$HOME/.local/share}/loopback_auth}"/sign-ins/*.json(N:t:r))
  compadd -a names
}
""",
        "fish": """\
function __loopback_auth_sign_ins
  set -l folder $LOOPBACK_AUTH_DATA_DIR
  if test -z "$folder"; and test (uname) = Darwin
    set folder "$HOME/Library/Application Support/loopback_auth"
  else if test -z "$folder"; and test -n "$XDG_DATA_HOME"
    set folder $XDG_DATA_HOME/loopback_auth
  else if test -z "$folder"
    set folder $HOME/.local/share/loopback_auth
  end
  for file in $folder/sign-ins/*.json
    string replace --regex '.*/(.*)\\.json$' '$1' -- $file
  end
end
""",
        "powershell": """\
function _loopback_auth_sign_ins {
  param([string]$WordToComplete)
  $folder = $env:LOOPBACK_AUTH_DATA_DIR
  if (-not $folder -and $IsMacOS) { $folder = "$HOME/Library/Application Support/loopback_auth" }
  elseif (-not $folder -and $IsLinux -and $env:XDG_DATA_HOME) { $folder = "$env:XDG_DATA_HOME/loopback_auth" }
  elseif (-not $folder -and $IsLinux) { $folder = "$HOME/.local/share/loopback_auth" }
  elseif (-not $folder) { $folder = "$env:LOCALAPPDATA\\loopback_auth" }
  Get-ChildItem -Path "$folder/sign-ins" -Filter *.json -ErrorAction SilentlyContinue |
    ForEach-Object { $_.BaseName } | Where-Object { $_ -like "$WordToComplete*" }
}
""",
    },
}
"""What each shell runs for the name of a sign-in, and how that is defined there."""
WORDS = {
    "PROVIDER": tuple(every_preset()),
    "COMMAND|TOPIC": (*COMMANDS, *TOPICS),
    "WHAT": tuple(NAMES),
    "configure NAME": tuple(every_preset()),
    "store WHERE": ("file", "keychain"),
}
"""What an argument can be where argparse does not know: by its name in the usage, or after its command."""
CHOICES = {setting.name: setting.choices for setting in SETTINGS if setting.choices and setting.flag}
PATHS = ("FILE", "PATH", "DIR", "CERT", "KEY")


def files() -> Iterator[tuple[str, str]]:
    """Make each file: its name, below the root of the project, and its text."""
    before = dict(os.environ)
    os.environ["COLUMNS"] = "80"
    try:
        parser = completed()
        for shell, name in FILES.items():
            yield f"loopback_auth/completions/{name}", tidy(shtab.complete(parser, shell))
        yield MAN_PAGE, man_page()
    finally:
        os.environ.clear()
        os.environ.update(before)


def completed() -> argparse.ArgumentParser:
    """Return a parser of all commands that says how each argument is completed."""
    parser = argparse.ArgumentParser(prog=SCRIPT)
    parser.add_argument("--version", action="store_true", help="show the version")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, text in COMMANDS.items():
        own = command_of(name)[1]
        for action in own._actions:  # argparse has no other list of them
            complete(action, name)
        commands.add_parser(name, help=text, description=text, parents=[own], add_help=False)
    return parser


def complete(action: argparse.Action, command: str) -> None:
    """Say how one argument of a command is completed, by its name in the usage."""
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    words = CHOICES.get(action.dest) or WORDS.get(f"{command} {metavar}") or WORDS.get(metavar)
    if metavar == "NAME" and not action.option_strings and not words:
        action.complete = SIGN_INS  # type: ignore[attr-defined]  # shtab looks for it
    elif metavar in PATHS:
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif words and not action.choices:
        action.choices = [word for word in words if " " not in word]


def man_page() -> str:
    """Return the man page: what there is, then each command with its options and examples."""
    top = overview()
    parser = argparse.ArgumentParser(
        prog=SCRIPT,
        usage=f"{SCRIPT} COMMAND [options]",
        description=f"{(top.description or '').partition(chr(10))[0]}\n\n{topics()}",
        epilog=top.epilog,
        formatter_class=top.formatter_class,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, text in COMMANDS.items():
        module, own = command_of(name)
        command = commands.add_parser(
            name,
            help=text,
            usage=f"{SCRIPT} {name} {module.USAGE}".replace("%", "%%"),
            description=own.description,
            add_help=False,
            formatter_class=own.formatter_class,
        )
        # With `parents` Pythons before 3.14 take some options out of their groups.
        command._action_groups = own._action_groups
    known = {
        "date": " ",
        "project_name": SCRIPT,
        "version": __version__,
        "manual_title": "User Commands",
        "description": "log a user in with OAuth 2.0 / OpenID Connect",
    }
    # No line is spread to the margin, no word is broken, and what is indented stays as it is.
    page = str(Manpage(parser, known)).replace("\n.SH NAME", "\n.nh\n.ad l\n.SH NAME", 1)
    page = re.sub(r"(?:^ {2}.*\n)+", lambda block: f".nf\n{block[0]}.fi\n", page, flags=re.MULTILINE)
    # A line of prose that begins with a point is no macro.
    page = re.sub(r"^(?=[.'](?!(?:TH|SH|TP|nh|ad|nf|fi|B)\b))", r"\\&", page, flags=re.MULTILINE)
    return tidy(page.replace(".SH COMMENTS", ".SH EXAMPLES AND EXIT STATUS"))


def topics() -> str:
    """List the topics of `help`."""
    return "Topics, as in help agents:\n" + "\n".join(f"  {name}: {text}" for name, text in TOPICS.items())


def tidy(text: str) -> str:
    """Name the console script, and leave no blanks at ends of lines."""
    for general in (GENERAL, GENERAL.replace("-", r"\-")):
        text = text.replace(general, SCRIPT)
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"
