"""Open an authorization URL, receive the redirect, and print the parameters that came with it.

For programs in other languages, which build the URL, check the response and exchange the code themselves.
In URL, {redirect_uri} stands for the redirect URI of this command, and {state} for a new random state:

  https://id.example/authorize?client_id=ID&redirect_uri={redirect_uri}&state={state}

A response without that state is refused, and the command goes on waiting. With - in place of URL, one line is
read from stdin, because other users can read the arguments of a command.

Examples:
  python -m loopback_auth receive "$URL"
  cat url.txt | python -m loopback_auth receive --json --port 8400 -
  python -m loopback_auth receive --json --hold "$URL"

The answer is the redirect URI with the parameters, on one line. With --json it is an object on one line with
redirect_uri, which the token request has to repeat, and parameters. If the server refuses, its error is
printed in the same way, and the exit status is 4.

With --hold the browser waits for the outcome of your exchange: write the line `ok` or `error TEXT` to stdin.
Then the page says "Signed in", or shows TEXT. Without --hold it says that the answer was received.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from functools import partial
from urllib.parse import quote

from loopback_auth.cli import answer, settings_of, tell, tell_error
from loopback_auth.cli.arguments import add_settings
from loopback_auth.commands._program import COMMAND_LINE
from loopback_auth.errors import AttemptCancelled, ConfigError, LoopbackAuthError, Unavailable
from loopback_auth.network.browser import opener_of
from loopback_auth.network.loopback import BoundRedirect, bind
from loopback_auth.network.threads import apart
from loopback_auth.plan.model import NO
from loopback_auth.plan.routes import capabilities, plan
from loopback_auth.protocol.authorization_url import ForeignRequest, ResponseParameters, foreign_request
from loopback_auth.protocol.pkce import base64url
from loopback_auth.settings import redirect_of
from loopback_auth.settings.overrides import overrides_of
from loopback_auth.signin.foreign_visit import ForeignVisit
from loopback_auth.signin.planning import surroundings_of
from loopback_auth.terminal.messages import Messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from loopback_auth.plan.model import Plan
    from loopback_auth.settings import Settings

USAGE = "URL [--port PORT] [--hold] [--json] [options]"
SHOWN = ("port", "redirect_uri", "browser", "wait", "timeout")
"""The settings that are used here."""
LONGEST_LINE = 64 * 1024


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("url", metavar="URL", help="where to send the browser; - reads it from stdin")
    parser.add_argument(
        "--hold", action="store_true", help="keep the browser waiting until stdin says how it ended"
    )
    add_settings(parser, SHOWN, others=False)


def run(options: argparse.Namespace) -> int:
    """Receive one redirect."""
    options.provider = ""
    settings = settings_of(options)
    chosen = _planned(settings)
    address = settings.text("bind") or ""
    bound = bind(*redirect_of(settings), address="" if address == "loopback" else address)
    try:
        template = sys.stdin.readline(LONGEST_LINE).strip() if options.url == "-" else options.url
        request = _request(template, bound)
        messages = Messages(
            request.server, authority=bound.authority, plan=chosen, qr=False, program=COMMAND_LINE
        )
        own_state = "{state}" in template
        bound.opening, bound.shown = opener_of(chosen)(bound.start_url), False

        def begin() -> ForeignVisit:
            return ForeignVisit(
                request,
                bound,
                notify=messages.tell,
                timeout=settings.seconds("timeout"),
                program=COMMAND_LINE,
                exposed=not own_state and options.url != "-",
                again=partial(_request, template, bound) if own_state else None,
            )

        return asyncio.run(_received(begin, options))
    finally:
        bound.close()


def _planned(settings: Settings) -> Plan:
    able = capabilities(set(), client_secret_missing=False, any_port=redirect_of(settings)[1] == (0,))
    chosen = plan(surroundings_of(settings), able, overrides=overrides_of(settings), unconfirmed=True)
    if chosen.facts.waits.level == NO:
        raise Unavailable(
            f"Not waiting for a browser: {chosen.facts.waits.reason}.",
            hint=f"{chosen.place.advice} To wait all the same: --wait.".strip(),
        )
    return chosen.only("code")


def _request(template: str, bound: BoundRedirect) -> ForeignRequest:
    """Return the request that the browser is to carry, with a new state each time."""
    state = base64url(os.urandom(24))
    url = template.replace("{redirect_uri}", quote(bound.redirect_uri, safe="")).replace("{state}", state)
    try:
        return foreign_request(url, redirect_uri=bound.redirect_uri, any_port=bound.any_port)
    except ConfigError as exc:
        left_out = [one for one in ("{redirect_uri}", "{state}") if one not in template]
        if template.startswith(("https:", "http:")) and left_out:
            exc.hint = f"Write {' and '.join(f'{one[1:-1]}={one}' for one in left_out)} into the URL."
        raise


async def _received(begin: Callable[[], ForeignVisit], options: argparse.Namespace) -> int:
    """Print what comes back, show the browser how it ended, and return the exit status."""
    visit, shown = begin(), False
    try:
        parameters = await visit.response()
        _show(parameters, as_json=options.json)
        shown = True
        if visit.refusal is not None:
            raise visit.refusal
        await (_held(visit) if options.hold else visit.finish(visit.pages.received()))
    except BaseException as exc:
        await visit.end(exc)
        if not shown or not isinstance(exc, LoopbackAuthError):
            raise
        # stdout has had its line.
        tell_error(exc)
        return exc.exit_code
    finally:
        await visit.close()
    return 0


def _show(parameters: ResponseParameters, *, as_json: bool) -> None:
    document = {"redirect_uri": parameters.redirect_uri, "parameters": parameters}
    answer((json.dumps(document) if as_json else parameters.url) + "\n")


async def _held(visit: ForeignVisit) -> None:
    """Wait for a line on stdin that says how the login ended, and show that."""
    if sys.stdin.isatty():
        tell("Type `ok` or `error TEXT`, and the browser shows it.")
    line = await apart(sys.stdin.readline, LONGEST_LINE)
    word, _, text = line.strip().partition(" ")
    if word == "ok" and not text:
        await visit.end(None)
    elif word == "error":
        await visit.fail(text.strip() or visit.pages.words.FAILURE_AFTERWARDS)
    elif not line:
        raise AttemptCancelled("The program that asked has ended without saying how the login went.")
    else:
        raise ConfigError(
            "The line on stdin is neither `ok` nor `error TEXT`.",
            hint="Write one of them after the exchange.",
        )
