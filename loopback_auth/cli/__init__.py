"""The command line: which commands there are, what all of them share, and how they end.

Only the command that is used is imported. stdout carries the answer and nothing else; what is meant for
people goes to stderr. Every command knows `--json`, and every error has an exit status of its own.
"""

from __future__ import annotations

import os
import sys

from loopback_auth import __version__
from loopback_auth.cli.termination import Continuation
from loopback_auth.errors import EXIT_STATUSES, AttemptCancelled, ConfigError, LoopbackAuthError, Unavailable
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterable, Sequence
    from types import ModuleType

    from loopback_auth.cli.arguments import Parser
    from loopback_auth.settings import Settings

GROUPS = {
    "sign in": {
        "login": "sign in with the browser",
        "start": "begin a login, print where to approve, and exit",
        "finish": "finish a login that start began",
        "cancel": "forget a login that start began",
        "receive": "receive a redirect for a program in any language",
    },
    "use tokens": {
        "token": "print the access token, and renew it when needed",
        "credential": "answer git or docker when they ask for a password",
        "run": "run a command that gets the token, and renew it meanwhile",
        "proxy": "add the token to the requests of other programs",
        "status": "show what is kept: account, scope, until when",
        "use": "choose the sign-in that other commands use",
        "logout": "revoke the tokens and delete them",
    },
    "understand": {
        "doctor": "show which flows work here, and what a server accepts",
        "explain": "explain a flow, a link, an error, a token, a recording",
        "compare": "run the flows side by side and show how they differ",
        "audit": "examine a server, or the sign-in of any program",
        "demo": "run the demonstration server until interrupted",
    },
    "configure": {
        "configure": "write a provider into the configuration file",
        "settings": "show every value and where it comes from",
        "store": "show where sign-ins are kept, or move them to the keychain",
        "providers": "list the providers that are known by name",
        "client-metadata": "print the client's metadata document, to be hosted",
        "completion": "print what bash, zsh, fish or PowerShell completes it by",
        "help": "show this, or more about a command or a topic",
    },
}
"""The commands, by what they are for."""
COMMANDS = {name: text for group in GROUPS.values() for name, text in group.items()}

TOPICS = {
    "accounts": "several accounts at one provider, and where to sign in",
    "agents": "sign in from an agent, a script or a CI job",
    "defences": "which attacks each defence of a flow stops",
    "changes": "what is new",
    "ci": "stop a build when a sign-in is not safe",
    "decisions": "what was decided, and what was rejected",
    "embedding": "sign in from your own program",
    "environments": "what happens over SSH, in containers and cloud shells",
    "exit-statuses": "what each exit status means, and what to do",
    "explaining": "what can be explained, and what is shown of it",
    "files": "where settings and tokens are, and which value counts",
    "flows": "which flow to use when, and what it costs",
    "helpers": "give tokens to git, docker, pip, uv and twine",
    "http": "send tokens with httpx, requests, aiohttp, Google, Azure",
    "installing": "uvx, pipx, pip, extras, completion, man page",
    "mcp": "sign in to an MCP server from a program",
    "netlify": "Netlify's endpoints, in order, and what a ticket is",
    "options": "what a login in your program takes, and its events",
    "programs": "try the sign-in of a program, yours or another's",
    "proxying": "forward requests with the token that they need",
    "receiver": "receive the redirect for msal, Authlib, an MCP client",
    "resources": "sign in to an MCP server or an API by its URL",
    "running": "run commands with a token: variables, files, signals",
    "security": "what is checked, what is not, how to report a weakness",
    "servers": "examine a server, or attack your own",
    "source": "how to read the source",
    "stores": "keep the tokens of your program: files, keychain, Redis",
    "testing": "test the login of your own program",
    "tools": "give a token to kubectl, AWS, curl and other tools",
}
"""The texts in the folder `topics`, which the command `help` shows."""

EXAMPLES = """\
examples:
  python -m loopback_auth login             sign in; you are asked where to
  python -m loopback_auth token             print the access token
  python -m loopback_auth login github --client-id ID
  python -m loopback_auth login --issuer https://id.example --client-id ID
  python -m loopback_auth login https://mcp.example/mcp
  python -m loopback_auth login --help      more about a command
"""


READER_GONE = 141
"""The exit status that shells show for SIGPIPE, which ends a program whose output is no longer read."""
PLAIN = str.maketrans({"\u00d7": "x", "§": "section ", "→": "->", "…": "...", "✓": "ok", "✗": "no", "·": "-"})
"""Replacements for characters that the encoding of a terminal or file lacks."""
PACKAGES = ("aiohttp", "filelock", "segno", "yarl")
"""What a sign-in imports once the browser is on its way."""


class _Unwritable(LoopbackAuthError):
    """The answer has nowhere to go."""


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: as after the program's name.

    Returns:
        The exit status.
    """
    from loopback_auth.cli.termination import Termination

    _open_closed_streams()
    try:
        with Termination():
            return _ended(lambda: _command(arguments), arguments)
    except Continuation as rest:
        return _ended(rest.complete, arguments)


def _ended(command: Callable[[], int], arguments: Sequence[str]) -> int:
    try:
        return command()
    except Continuation:
        raise
    except LoopbackAuthError as exc:
        return _fail(exc, arguments)
    except KeyboardInterrupt:
        return _cancelled(arguments)
    except BrokenPipeError:
        # The reader of our output has had enough, as `head` has; a shell shows other programs' end so, too.
        return READER_GONE
    except SystemExit:
        # Help was asked for, and argparse knows no other way to end.
        return 0
    except ModuleNotFoundError as exc:
        return _fail(_missing(exc.name or "") or _internal(exc), arguments)
    except Exception as exc:
        # In Python 3.11 what is raised in a `__set_name__`, as there is in imports, becomes a RuntimeError.
        if isinstance(exc.__cause__, KeyboardInterrupt):
            return _cancelled(arguments)
        return _fail(_internal(exc), arguments)


def settings_of(options: argparse.Namespace, *, without: Collection[str] = ()) -> Settings:
    """Resolve the settings of a command from its flags, the environment and the configuration file.

    Args:
        options: of the command line.
        without: names of variables that do not count.
    """
    from loopback_auth.settings import config_file, load_config, resolve, unknown_variables

    for variable in unknown_variables(os.environ):
        text = f"The variable {variable} is not one of the settings. Is it misspelled?"
        tell(Words.WARNING.format(text=text))
    path = config_file(os.environ)
    settings = resolve(
        provider=options.provider or "",
        flags=vars(options),
        environ={name: value for name, value in os.environ.items() if name not in without},
        config=load_config(path),
        config_path=path,
    )
    for note in settings.notes:
        tell(note)
    return settings


def tell(text: str) -> None:
    """Write a line for people to stderr, which may be closed."""
    from loopback_auth.terminal.line import say

    say(text)


def answer(text: str) -> None:
    """Write the answer, or a part of it, to stdout; it names the command that was typed.

    Raises:
        LoopbackAuthError: it cannot be written.
        BrokenPipeError: the program that read the output has ended.
    """
    from loopback_auth.invocation import as_typed

    encoding = sys.stdout.encoding or "utf-8"  # A stream in memory has none.
    try:
        sys.stdout.write(_encodable(as_typed(text), encoding))
        sys.stdout.flush()
    except OSError as exc:
        from loopback_auth.terminal.line import mute

        mute(sys.stdout)
        if isinstance(exc, BrokenPipeError):
            raise
        raise _Unwritable(
            f"The answer could not be written: {exc.strerror or 'stdout is closed'}",
            hint="Check what the output is redirected to (disk full? closed?).",
        ) from exc


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding)
    return text


def print_json(document: object) -> None:
    """Write the answer of `--json`."""
    import json

    answer(json.dumps(_typed(document), indent=2, ensure_ascii=True) + "\n")


def _typed(value: object) -> object:
    """Put the command that was typed into the texts of a document, before they are escaped."""
    from loopback_auth.invocation import as_typed
    from loopback_auth.narrow import is_object, is_sequence

    if isinstance(value, str):
        return as_typed(value)
    if is_object(value):
        return {key: _typed(one) for key, one in value.items()}
    return [_typed(one) for one in value] if is_sequence(value) else value


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Write a table of plain lines, never cut; at a terminal the last column is broken between words.

    A word is never broken, so that links can be followed and copied.
    """
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        text = "  ".join(cells).rstrip()
        if sys.stdout.isatty():
            from loopback_auth.terminal.line import hanging, width_of

            text = hanging(text, width_of(sys.stdout), indent=sum(widths[:-1]) + 2 * len(widths[:-1]))
        answer(text + "\n")


def described_error(error: LoopbackAuthError, command: str = "") -> dict[str, object]:
    """Describe an error for JSON.

    Args:
        error: what happened.
        command: that was run; empty: one without flags for the settings.
    """
    from loopback_auth.cli.advice import advised

    # Classes that are not in `errors` are for the package alone.
    public = next(kind for kind in type(error).__mro__ if kind.__module__ == LoopbackAuthError.__module__)
    return {
        "error": public.__name__,
        "message": error.message,
        "hint": advised(error, command),
        "parameter": error.parameter,
    }


def tell_error(error: LoopbackAuthError, command: str = "") -> None:
    """Tell people what happened and what to do.

    Args:
        error: what happened.
        command: that was run; empty: one without flags for the settings.
    """
    from loopback_auth.cli.advice import advised
    from loopback_auth.terminal.line import say

    cancelled = isinstance(error, AttemptCancelled)
    say(error.message if cancelled else Words.ERROR.format(text=error.message))
    if hint := advised(error, command):
        say(f"  what to do: {hint}", prose=True)


def _command(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments and not arguments[0].startswith("-") else ""
    if not name:
        return _overview(arguments)
    if name not in COMMANDS:
        from loopback_auth.settings.reading import suggestion

        meant = (
            f"It is a help topic: python -m loopback_auth help {name}."
            if name in TOPICS
            else "Did you mean --version?"
            if name == "version"
            else suggestion(name, COMMANDS)
        )
        hint = f"{meant} See python -m loopback_auth --help."
        raise ConfigError(f"Unknown command: {ascii(name)[:80]}", hint=hint)
    command, parser = command_of(name)
    options = parser.read(arguments[1:])
    if name not in (
        "login",
        "run",
    ):  # They do so themselves, once the browser is on its way or a program runs.
        from loopback_auth.cli.core_dumps import forbid_core_dumps

        forbid_core_dumps()
    status: int = command.run(options)
    return status


def command_of(name: str) -> tuple[ModuleType, Parser]:
    """Return the module of a command, and the parser of its arguments, which has its help.

    Args:
        name: one of `COMMANDS`.
    """
    from importlib import import_module

    from loopback_auth.cli.arguments import Parser

    command = import_module(f"loopback_auth.commands.{name.replace('-', '_')}")
    parser = Parser(name, usage=command.USAGE, description=command.__doc__ or "")
    command.arguments(parser)
    parser.declare_common()
    return command, parser


def overview() -> Parser:
    """Return the parser whose help says what there is: commands, topics, exit statuses."""
    from loopback_auth.cli.arguments import Parser

    width = max(map(len, (*COMMANDS, *TOPICS)))
    listed = {
        title: "\n".join(f"  {name:<{width}}  {text}" for name, text in table.items())
        for title, table in {**GROUPS, "topics, as in help agents": TOPICS}.items()
    }
    statuses = "\n".join(f"  {status:>3}  {text}" for status, text in EXIT_STATUSES.items())
    parser = Parser(
        "",
        usage="COMMAND [options]",
        description="Sign in to an OAuth 2.0 / OpenID Connect server from the command line.\n\n"
        + "\n\n".join(f"{title}:\n{lines}" for title, lines in listed.items()),
        epilog=f"{EXAMPLES}\nexit status:\n{statuses}",
    )
    parser.add_argument("--version", action="store_true", help="show the version")
    parser.declare_help()
    return parser


def _overview(arguments: Sequence[str]) -> int:
    parser = overview()
    options, rest = parser.parse_known_args(arguments)
    if rest:
        raise ConfigError(
            f"A command has to come first, before {ascii(rest[0])[:80]}",
            hint="See python -m loopback_auth --help.",
        )
    answer(f"loopback_auth {__version__}\n" if options.version else parser.format_help())
    return 0


def _open_closed_streams() -> None:
    """Open the null device for streams that were closed, so that no socket gets their number.

    The one for stdout cannot be written to, so that an answer is not lost without an error.
    """
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - it stays


def check_packages(*, binds: bool = False) -> None:
    """Look for the packages that a sign-in needs, before a link is shown.

    Args:
        binds: its tokens are to be bound to a key.

    Raises:
        Unavailable: one is missing.
        ConfigError: the one that signs proofs is missing.
    """
    for name in PACKAGES:
        if not _has(name):
            raise _missing(name) or Unavailable(name)
    if binds and not _has("joserfc"):
        from loopback_auth.protocol.dpop import missing_package  # Start-up.

        raise missing_package()


def _has(package: str) -> bool:
    return any(finder.find_spec(package, None) for finder in sys.meta_path)


def _missing(module: str) -> LoopbackAuthError | None:
    """Describe a package that this Python lacks; None for a module of ours."""
    name = module.partition(".")[0]
    if name in ("", "loopback_auth"):
        return None
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib costs
    hint = f"Install the package for it: {sys.executable} -m pip install loopback-auth"
    for other, advice in (
        (f"{root}/.venv/bin/python", "Use the one that has it: {} -m loopback_auth"),
        (f"{root}/scripts/install", "Run {}, then use .venv/bin/python beside it."),
    ):
        if os.path.exists(other) and other != os.path.abspath(sys.executable):  # noqa: PTH100, PTH110
            hint = advice.format(other)
            break
    return Unavailable(f"This Python ({sys.executable}) lacks {name}.", hint=hint)


def _internal(exc: Exception) -> LoopbackAuthError:
    """Describe a fault of ours by its place alone: the words of a foreign exception may quote a secret."""
    import traceback

    frames = traceback.extract_tb(exc.__traceback__)
    places = ", ".join(f"{os.path.basename(one.filename)}:{one.lineno}" for one in frames[-4:])  # noqa: PTH119
    return LoopbackAuthError(
        f"Internal error: {type(exc).__name__} at {places}",
        hint="Report this line; nothing that was kept is lost.",
    )


def _cancelled(arguments: Sequence[str]) -> int:
    return _fail(AttemptCancelled("Cancelled."), arguments)


def _fail(error: LoopbackAuthError, arguments: Sequence[str]) -> int:
    command = arguments[0] if arguments else ""
    # What comes after -- is for another program.
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" not in own or isinstance(error, _Unwritable):
        tell_error(error, command)
        return error.exit_code
    try:
        print_json(described_error(error, command))
    except (_Unwritable, BrokenPipeError):
        tell_error(error, command)
    return error.exit_code
