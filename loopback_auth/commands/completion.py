"""Print what a shell needs to complete this command.

Examples:
  python -m loopback_auth completion bash >~/.local/share/bash-completion/completions/loopback-auth
  python -m loopback_auth completion zsh >~/.zfunc/_loopback-auth
  python -m loopback_auth completion fish >~/.config/fish/completions/loopback-auth.fish
  python -m loopback_auth completion powershell >~/loopback-auth.ps1

The shell then completes commands, flags, values, providers and the names of your sign-ins for the command
`loopback-auth`, and starts no program for that. PowerShell needs the first of these lines in its $PROFILE,
and zsh the others in ~/.zshrc:

  . ~/loopback-auth.ps1

  fpath+=~/.zfunc
  autoload -Uz compinit && compinit

Outside of virtual environments, bash, zsh and fish find their files by themselves: pip puts them into the
folder share of the environment, and with them the man page loopback-auth(1), which `man` also finds in an
active environment and after pipx install.
"""

from __future__ import annotations

from importlib.resources import files

from loopback_auth.cli import answer, print_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

USAGE = "SHELL [--json]"
FILES = {
    "bash": "loopback-auth.bash",
    "zsh": "_loopback-auth",
    "fish": "loopback-auth.fish",
    "powershell": "loopback-auth.ps1",
}
"""The file of each shell in the folder `completions`, which scripts/shell_files.py makes of the parsers."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("shell", choices=list(FILES), metavar="SHELL", help="bash, zsh, fish or powershell")


def run(options: argparse.Namespace) -> int:
    """Print the file."""
    text = files("loopback_auth").joinpath("completions", FILES[options.shell]).read_text(encoding="utf-8")
    if options.json:
        print_json({"shell": options.shell, "text": text})
    else:
        answer(text)
    return 0
