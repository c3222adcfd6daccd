"""The command line: which commands there are, what all of them share, and how they end.

Only the command that is used is imported. stdout carries the answer and nothing else; what is meant for
people goes to stderr. Every command knows `--json`, and every error has an exit status of its own.
"""

from __future__ import annotations

import argparse
import os
import sys

from loopback_auth.errors import AttemptCancelled, ConfigError, LoopbackAuthError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from loopback_auth.settings import Settings

COMMANDS = {
    "login": "sign in with the browser",
    "token": "print the access token, renewed if need be",
    "status": "show who is signed in, without secrets",
    "logout": "revoke the tokens and forget them",
    "settings": "show every effective value and where it comes from",
    "providers": "list the providers that are known by name",
    "demo": "run the demonstration server until interrupted",
}

OVERVIEW = """\
examples:
  python -m loopback_auth login                    sign in to the built-in demonstration server
  python -m loopback_auth token                    print the access token
  python -m loopback_auth login github --client-id ID
  python -m loopback_auth login --issuer https://id.example --client-id ID
  python -m loopback_auth COMMAND --help           more about a command

exit status:
  0 done                      5 an answer broke a rule
  1 failure of this program   6 no answer from the server
  2 wrong use                 7 nobody came back in time
  3 not possible here         8 tokens could not be read or kept
  4 the server said no        9 nobody is signed in        130 given up
"""


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: as after the program's name.

    Returns:
        The exit status.
    """
    name = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    if name and name not in COMMANDS:
        from loopback_auth.config import suggestion

        return _fail(
            ConfigError(
                f"Unknown command: {name[:80]!a}",
                hint=f"{suggestion(name, COMMANDS)} See python -m loopback_auth --help.",
            ),
            as_json=False,
        )
    if not name:
        return _overview(arguments)
    options = _parser(name).parse_args(arguments[1:])
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except LoopbackAuthError as exc:
        return _fail(exc, as_json=options.json)
    except KeyboardInterrupt:
        return _fail(AttemptCancelled("Given up; nothing was kept."), as_json=options.json)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as exc:
        return _fail(_internal(exc), as_json=options.json)


def settings_of(options: argparse.Namespace) -> Settings:
    """Resolve the settings of a command from its flags, the environment and the configuration file."""
    from loopback_auth.settings import config_file, load_config, resolve, unknown_variables

    path = config_file(os.environ)
    settings = resolve(
        provider=options.provider or "",
        flags=vars(options),
        environ=os.environ,
        config=load_config(path),
        config_path=path,
    )
    for variable in unknown_variables(os.environ):
        tell(f"warning: the variable {variable} means nothing here; is it misspelled?")
    return settings


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Give a command a flag for every setting that may be on a command line."""
    from loopback_auth.setting import SETTINGS

    group = parser.add_argument_group(
        "settings", "Each is also a variable LOOPBACK_AUTH_NAME and a key of the configuration file."
    )
    for setting in SETTINGS:
        if setting.secret:
            continue
        # argparse formats help with %, and not one of these texts means to use that.
        text = setting.help.replace("%", "%%")
        if setting.kind == "switch":
            group.add_argument(
                setting.flag, dest=setting.name, action=argparse.BooleanOptionalAction, help=text
            )
        elif setting.kind in ("words", "pairs", "ports"):
            metavar = {"pairs": "NAME=VALUE", "ports": "PORT"}.get(setting.kind, "VALUE")
            group.add_argument(setting.flag, dest=setting.name, action="append", metavar=metavar, help=text)
        else:
            metavar = "|".join(setting.choices) if setting.choices else setting.name.upper()
            group.add_argument(setting.flag, dest=setting.name, metavar=metavar, help=text)


def tell(text: str) -> None:
    """Write a line for people."""
    sys.stderr.write(text + "\n")


def print_json(document: object) -> None:
    """Write the answer of `--json`."""
    import json

    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=True) + "\n")


def _parser(name: str) -> argparse.ArgumentParser:
    from importlib import import_module

    command = import_module(f"loopback_auth.commands.{name}")
    parser = argparse.ArgumentParser(
        prog=f"python -m loopback_auth {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.arguments(parser)
    parser.add_argument("--json", action="store_true", help="answer with JSON on stdout")
    parser.set_defaults(run=command.run)
    return parser


def _overview(arguments: Sequence[str]) -> int:
    from importlib.metadata import version

    width = max(map(len, COMMANDS))
    table = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m loopback_auth",
        usage="python -m loopback_auth COMMAND [options]",
        description="Sign in to an OAuth 2.0 / OpenID Connect server from the command line.\n\n"
        f"commands:\n{table}",
        epilog=OVERVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"loopback_auth {version('loopback_auth')}")
    parser.parse_args(arguments)
    parser.print_help(sys.stderr)
    return 2


def _internal(exc: Exception) -> LoopbackAuthError:
    """Describe a fault of ours by its place alone: the words of a foreign exception may quote a secret."""
    import traceback

    frames = traceback.extract_tb(exc.__traceback__)
    places = ", ".join(f"{os.path.basename(one.filename)}:{one.lineno}" for one in frames[-4:])  # noqa: PTH119
    return LoopbackAuthError(
        f"Internal error: {type(exc).__name__} at {places}",
        hint="Report this line; nothing that was kept is lost.",
    )


def _fail(error: LoopbackAuthError, *, as_json: bool) -> int:
    if as_json:
        print_json({"error": type(error).__name__, "message": error.message, "hint": error.hint})
    else:
        tell(f"error: {error.message}")
        if error.hint:
            tell(f"  what to do: {error.hint}")
    return error.exit_code
