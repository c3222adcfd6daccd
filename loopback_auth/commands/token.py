"""Print the access token to stdout, and nothing else; renew it first when needed.

Examples:
  curl -H "Authorization: Bearer $(python -m loopback_auth token)" "$URL"
  python -m loopback_auth token github
  python -m loopback_auth token --json
  python -m loopback_auth token github --login
  python -m loopback_auth token --leeway 300        good for five minutes at least
  python -m loopback_auth token https://mcp.example/mcp
  python -m loopback_auth token github --as curl | curl -K - "$URL"
  python -m loopback_auth token work --as kubectl
  python -m loopback_auth token mcp.example-mcp --headers "$URL" | curl -H @- "$URL"

Without NAME it is the token of the last sign-in, or of the one that `use` has chosen. Without a usable
token the exit status is 9. You are asked nothing, except at a terminal for a client secret that is not set.
With --login you are asked to sign in when there is no usable token; of many processes that need the token
at the same time one asks you, and all of them get it. If the server is in trouble for a while, the exit
status is 6 and the sign-in is kept.

--as prints the token in the form that a tool reads, with its expiry where the tool has a place for it. These
tools know bearer tokens alone.

A token that is bound to a key (DPoP) needs a proof in each request. --headers prints the headers of one
request to URL, with the proof if the token needs one: for a request with another method add --method, and
--nonce if the server has answered with a DPoP-Nonce.
"""

from __future__ import annotations

import time
from contextlib import nullcontext

from loopback_auth import words
from loopback_auth.cli import answer, print_json, tell, tell_error
from loopback_auth.commands import the_store
from loopback_auth.commands._fresh import fresh_sign_in, signed_in
from loopback_auth.commands._kept import is_bound
from loopback_auth.commands._tools import add_flags, tool_output
from loopback_auth.errors import ConfigError, NotKept, SignInRequired, TokenError
from loopback_auth.outputs.credential import credential
from loopback_auth.tokens import SignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.commands._tools import ToolOutput
    from loopback_auth.network.loopback import BoundRedirect

LONGEST_LEEWAY = 1e9
"""Seconds; some thirty years."""

USAGE = "[NAME] [--as TOOL | --headers URL] [--id-token] [--renew] [--leeway SECONDS] [--login] [--json]"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="NAME", help="which sign-in; default: the one in use")
    parser.add_argument("--renew", action="store_true", help="renew the token even if it is still good")
    parser.add_argument(
        "--leeway",
        type=float,
        metavar="SECONDS",
        help="seconds for which the token must be good; default: 60, or a tenth of a short lifetime",
    )
    parser.add_argument(
        "--headers", metavar="URL", help="print the headers of a request to this URL, for curl -H @-"
    )
    parser.add_argument("--method", metavar="METHOD", help="with --headers, of that request; default: GET")
    parser.add_argument("--nonce", metavar="NONCE", help="with --headers, from the server's DPoP-Nonce")
    parser.add_argument("--login", action="store_true", help="sign in if there is no usable token")
    parser.add_argument(
        "--alone", action="store_true", help="with --login, do not wait for another process that signs in"
    )
    add_flags(parser)


def run(options: argparse.Namespace) -> int:
    """Print the token."""
    if options.leeway is not None and not 0 <= options.leeway < LONGEST_LEEWAY:
        raise ConfigError("The leeway is not a number of seconds.", hint="Correct --leeway.")
    if options.headers is None and (options.method or options.nonce) is not None:
        raise ConfigError("There is no URL for the headers.", hint="Give it with --headers.")
    tool = tool_output(options)
    store = the_store()
    looked_at = time.time()
    try:
        with tool.quietly() if tool is not None else nullcontext():
            sign_in = fresh_sign_in(
                store,
                tool.name(store) if tool is not None else options.provider or "",
                force=options.renew,
                leeway=options.leeway,
                of=tool.of if tool is not None else options.of or "access_token",
                ask=tool is None or options.login,
            )
    except NotKept as exc:
        if not isinstance(exc.sign_in, SignIn):
            raise
        # The caller has the token at least this once; the exit status says that it is not kept.
        _print(exc.sign_in, options, tool)
        tell_error(exc)
        return exc.exit_code
    except (SignInRequired, TokenError):
        # Whatever the server calls it, only the person can help.
        if not options.login:
            raise
        return _login(options, tool, looked_at)
    _print(sign_in, options, tool)
    return 0


def _print(sign_in: SignIn, options: argparse.Namespace, tool: ToolOutput | None) -> None:
    tokens = sign_in.tokens
    if tool is not None:
        answer(tool.written(sign_in))
        return
    if options.of == "id_token":
        found = credential(sign_in, of="id_token")
        if options.json:
            print_json({"id_token": found.token, "expires_at": found.expires_at})
        else:
            answer(found.token + "\n")
        return
    if not tokens.access_token:
        raise SignInRequired(
            f"The sign-in to {sign_in.name} says who you are, but it came without an access token.",
            hint="Sign in again with another --flow, code for example.",
        )
    if options.headers is not None:
        from loopback_auth.commands._request_headers import request_headers

        headers = request_headers(sign_in, options.headers, options.method or "GET", options.nonce or "")
        if options.json:
            print_json(headers)
        else:
            answer("".join(f"{name}: {value}\n" for name, value in headers.items()))
    elif options.json:
        print_json(
            {
                "access_token": tokens.access_token,
                "token_type": tokens.token_type,
                "expires_at": tokens.expires_at,
                "scope": tokens.scope,
            }
        )
    else:
        answer(tokens.access_token + "\n")
        if is_bound(sign_in):
            tell(words.RESULT_TOKEN_PROOF.format(name=sign_in.name))


def _login(options: argparse.Namespace, tool: ToolOutput | None, since: float) -> int:
    """Do what the command `login` does, and print the token."""
    from loopback_auth.commands import login

    bounds: list[BoundRedirect] = []
    try:
        sign_in = signed_in(options.provider or "", bounds, since=since, alone=options.alone)
        _print(sign_in, options, tool)
    finally:
        login.serve_after_exit(bounds)
    return 0
