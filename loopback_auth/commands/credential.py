"""Answer a tool that asks for a password: git or docker, in the language of its credential helpers.

Examples:
  git config --global credential.https://github.com.helper "!python -m loopback_auth credential git"
  git config --global credential.helper loopback-auth       where git-credential-loopback-auth is on the PATH

The tool runs this; it gives the action as the last argument, and the question on stdin. The answer is the
token of the sign-in whose hosts are asked about, or of the sign-in NAME if its token is for that host. It
is renewed first when needed. You are asked nothing, unless the settings of the tool have --login: then the
browser opens when only a new sign-in helps. See: python -m loopback_auth help helpers
"""

from __future__ import annotations

import sys

from loopback_auth.commands._stdin import read_stdin_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

USAGE = "git|docker [NAME | --login NAME] ACTION"
LIMIT = (1 << 20) + 1
"""Bytes that are read of a question: one more than either protocol allows."""
READING = ("get", "erase", "store")
"""The actions that come with a question."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("tool", choices=("git", "docker"), metavar="TOOL", help="git or docker")
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="which sign-in; default: the one for the host"
    )
    parser.add_argument("action", metavar="ACTION", help="what the tool wants: get, store, erase, ...")
    parser.add_argument(
        "--login", metavar="NAME", help="use the sign-in NAME, and sign in if it has no usable token"
    )


def run(options: argparse.Namespace) -> int:
    """Answer the tool."""
    # Start-up: on the way to a kept token, `question` alone is needed.
    from importlib import import_module

    from loopback_auth.cli import answer
    from loopback_auth.credential_helpers.token_lookup import Login

    helper = import_module(f"loopback_auth.credential_helpers.{options.tool}")
    content = question() if options.action in READING else b""
    with Login() as login:
        name = options.login or options.name or ""
        text, status = helper.answer(options.action, content, name, login if options.login else None)
        if text:
            answer(text)
    return int(status)


def question() -> bytes:
    """Return what the tool has written, or the beginning of what is too long; it can be read once more.

    From now on lines of the answer end in a line feed alone, as both protocols say, on Windows too.

    Raises:
        ConfigError: stdin is closed, or cannot be read.
    """
    # A program that embeds the command line may have put another kind of stream there.
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(newline="\n")
    try:
        return read_stdin_again(LIMIT)
    except (OSError, ValueError, AttributeError):
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError("There is no question on stdin.", hint="Let git or docker run this.") from None
