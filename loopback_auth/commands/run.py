"""Run a command that gets the token in a variable or in a file, and renew the token first.

Examples:
  python -m loopback_auth run github --env GH_TOKEN -- gh repo list
  python -m loopback_auth run -- sh -c 'curl -H "Authorization: Bearer $ACCESS_TOKEN" "$URL"'
  python -m loopback_auth run work -- curl -H "@{header_file}" https://api.example/things
  python -m loopback_auth run work --env "TOKEN_FILE={token_file}" -- server --port 8080
  python -m loopback_auth run work --token-file secrets/token -- prometheus

Without --env and without a file the variable is ACCESS_TOKEN, or ID_TOKEN with --id-token. In the command
{header_file} stands for the path of a file with one header line, and {token_file} for that of a file with the
token alone. Both are in a folder that only you can open, are renewed while the command runs, and removed when
it ends. A variable cannot be renewed in a program that runs.

The command gets the terminal and the signals. The exit status is that of the command; 127 if it was not
found, 126 if it cannot be started. More: help running.
"""

from __future__ import annotations

import os
import sys
import time

from loopback_auth.cli import tell_error
from loopback_auth.cli.arguments import Parser
from loopback_auth.cli.core_dumps import forbid_core_dumps
from loopback_auth.cli.termination import Continuation
from loopback_auth.commands import the_store
from loopback_auth.commands._child import Blocked, become, end_like, find, run_to_end
from loopback_auth.commands._fresh import fresh_sign_in
from loopback_auth.commands._placeholders import places
from loopback_auth.errors import ConfigError, NotKept, SignInRequired, TokenError
from loopback_auth.outputs.credential import credential
from loopback_auth.tokens import SignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.commands._placeholders import Places
    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import Token

USAGE = "[NAME] [--env VAR]... [--token-file PATH] [--header-file PATH] [--login] -- COMMAND [ARGUMENT]..."
LONGEST_LEEWAY = 1e9
"""Seconds; some thirty years."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    if isinstance(parser, Parser):
        parser.after_dashes = "command"
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; default: the one in use")
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="VAR",
        help="the variable that gets the token; or VAR=TEXT, where TEXT contains {token}, {token_file} or "
        "{header_file}; may be repeated",
    )
    parser.add_argument(
        "--token-file", metavar="PATH", help="keep the token in a file here, for as long as the command runs"
    )
    parser.add_argument("--header-file", metavar="PATH", help="the same with the header Authorization")
    parser.add_argument("--id-token", action="store_true", help="use the ID token, not the access token")
    parser.add_argument(
        "--leeway",
        type=float,
        metavar="SECONDS",
        help="seconds for which the token must be good when the command starts; default: 60, or a tenth of a "
        "short lifetime",
    )
    parser.add_argument("--login", action="store_true", help="sign in if there is no usable token")
    parser.add_argument(
        "--alone", action="store_true", help="with --login, do not wait for another process that signs in"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command, in place of this process if no file has to be removed afterwards."""
    core_limit = forbid_core_dumps()
    if not options.command:
        raise ConfigError(
            "There is no command to run.", hint="Put it after --: python -m loopback_auth run -- COMMAND"
        )
    if options.leeway is not None and not 0 <= options.leeway < LONGEST_LEEWAY:
        raise ConfigError("The leeway is not a number of seconds.", hint="Correct --leeway.")
    links = _links(options)
    of: Token = "id_token" if options.id_token else "access_token"
    found = places(options.command, options.env, list(links.values()), of)
    # Before a token is renewed for nothing.
    path = find(options.command[0], os.environ)
    store = the_store()
    sign_in = _signed_in(store, options, of)
    raise _Run(path, found, links, store, sign_in, of, core_limit)


def _links(options: argparse.Namespace) -> dict[str, str]:
    """Return the paths that the person chose, and the names of the files that they lead to."""
    chosen = {"token": options.token_file, "header": options.header_file}
    links = {path: name for name, path in chosen.items() if path is not None}
    if "" in links:
        raise ConfigError("The path of a file is empty.", hint="Check the variable that it came from.")
    if None not in chosen.values() and len(links) < len(chosen):
        raise ConfigError("Both files have the same path.", hint="Choose two paths.")
    return links


class _Run(Continuation):
    """Runs the command with the token."""

    def __init__(
        self,
        path: str,
        places: Places,
        links: dict[str, str],
        store: FileTokenStore,
        sign_in: SignIn,
        of: Token,
        core_limit: int,
    ) -> None:
        super().__init__()
        self._path = path
        self._places = places
        self._links = links
        self._store = store
        self._sign_in = sign_in
        self._token = credential(sign_in, of=of)
        self._core_limit = core_limit

    def complete(self) -> int:
        """Run it; return its exit status."""
        if self._places.files:
            return self._with_files()
        command, environ = self._places.command_with({}), self._environ({})
        if sys.platform == "win32":
            return run_to_end(self._path, command, environ, self._core_limit)
        become(self._path, command, environ, self._core_limit)
        return 1  # Not reached.

    def _with_files(self) -> int:
        # Start-up: most commands need no file.
        from loopback_auth.commands._file_renewal import FileRenewal
        from loopback_auth.commands._token_files import TokenFiles, runs_folder
        from loopback_auth.commands._token_source import KeptSource

        names = self._places.files
        files = TokenFiles(runs_folder(os.environ), self._links)

        def write(token: str) -> None:
            contents = {"token": token, "header": f"Authorization: Bearer {token}\n"}
            files.write({name: contents[name] for name in names})

        source = KeptSource(self._store, self._sign_in.name, of=self._token.of)
        with Blocked() as blocked, files:
            write(self._token.token)
            paths = {name: files.path(name) for name in names}
            command, environ = self._places.command_with(paths), self._environ(paths)
            with FileRenewal(source, self._token, write, self._sign_in.tokens.obtained_at):
                status = run_to_end(self._path, command, environ, self._core_limit, blocked.before)
        return end_like(status)

    def _environ(self, paths: dict[str, str]) -> dict[str, str]:
        return {**os.environ, **self._places.variables_with(paths, self._token.token)}


def _signed_in(store: FileTokenStore, options: argparse.Namespace, of: Token) -> SignIn:
    """Return the sign-in with a fresh token."""
    looked_at = time.time()
    try:
        return fresh_sign_in(store, options.provider or "", leeway=options.leeway, of=of)
    except NotKept as exc:
        if not isinstance(exc.sign_in, SignIn):
            raise
        tell_error(exc)  # The command has the token at least this once.
        return exc.sign_in
    except (SignInRequired, TokenError):
        # Whatever the server calls it, only the person can help.
        if not options.login:
            raise
        from loopback_auth.commands._login import logged_in  # Most commands find a sign-in.

        return logged_in(options.provider or "", looked_at, alone=options.alone)
