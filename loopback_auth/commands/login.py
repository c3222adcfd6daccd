"""Sign in by a flow that works here, and keep the tokens.

The browser opens, you approve, and the browser comes back to this machine. If that may not work here,
another flow opens beside it: a ticket, a device code, or a pasted address. The first valid response counts.
PROVIDER is a name from `python -m loopback_auth providers`, a table of your configuration file, or an
address that starts with https://: that of an API or an MCP server, or an issuer. Without it you are asked
at a terminal, and elsewhere you sign in to the built-in demonstration server (demo), where you need no
account. The name of a kept sign-in signs in to it again; --as keeps several accounts at one provider.

Examples:
  python -m loopback_auth login demo
  python -m loopback_auth login github --client-id ID
  python -m loopback_auth login github --as work    keep it as github-work
  python -m loopback_auth login https://id.example --client-id ID --scope openid
  python -m loopback_auth login https://mcp.example/mcp
  python -m loopback_auth login netlify --client-id ID --flow ticket
  python -m loopback_auth login google --client-id ID --flow device

A client secret comes from LOOPBACK_AUTH_CLIENT_SECRET, the configuration file, or a prompt. More: help
accounts, help flows, help environments, help resources.
"""

from __future__ import annotations

import os
import sys

from loopback_auth.cli import check_packages, print_json, settings_of, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.commands import any_store, the_store
from loopback_auth.environment import is_terminal
from loopback_auth.errors import Unavailable
from loopback_auth.narrow import is_name
from loopback_auth.network.browser import launch
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.settings import needs_secret, redirect_of
from loopback_auth.settings.overrides import LOGIN_IN_CONTAINER
from loopback_auth.signin.planning import plan_for
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.plan.model import Plan
    from loopback_auth.settings import Settings
    from loopback_auth.store.interface import TokenStore
    from loopback_auth.tokens import SignIn


USAGE = "[PROVIDER] [--as ACCOUNT] [--client-id ID] [options]"
SHOWN = (
    "resource_server",
    "issuer",
    "client_id",
    "scope",
    "flow",
    "allowed_flows",
    "port",
    "redirect_uri",
    "browser",
    "reachable",
    "wait",
    "timeout",
    "dpop",
)
"""The settings that its help describes."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    import argparse

    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="where to sign in")
    parser.add_argument(
        "--as", dest="account", metavar="ACCOUNT", help="keep it as PROVIDER-ACCOUNT, beside other accounts"
    )
    parser.add_argument(
        "--verbose", "-v", action="store_true", help="show every request, with labels for secrets"
    )
    parser.add_argument(
        "--yes", "-y", action="store_true", help="accept whichever account approved, without asking"
    )
    parser.add_argument(
        "--qr",
        action=argparse.BooleanOptionalAction,
        help="draw QR codes of links, for a phone; default: as needed",
    )
    parser.add_argument(
        "--simulate-person",
        action=argparse.BooleanOptionalAction,
        help="have a simulated person sign in, at the built-in demonstration only; default: where you cannot "
        "be asked",
    )
    parser.add_argument(
        "--alone", action="store_true", help="do not wait for another process that is signing in already"
    )
    parser.add_argument("--no-store", action="store_true", help="print the token, and keep nothing")
    parser.set_defaults(replaced=None)
    add_settings(parser, SHOWN)


def run(options: argparse.Namespace) -> int:
    """Sign in, or use the result of a process that does."""
    bounds: list[BoundRedirect] = []
    try:
        done = signed_in(options, bounds)
        if options.no_store:
            from loopback_auth.commands._no_store import print_tokens

            print_tokens(done, as_json=options.json)
        elif options.json:
            from loopback_auth.commands._kept import described

            print_json({**described(done), "replaced": options.replaced})
    finally:
        serve_after_exit(bounds)
    return 0


def serve_after_exit(bounds: list[BoundRedirect]) -> None:
    """Keep the last page available for a moment; call this after all output."""
    for bound in bounds:
        if bound.after_exit is not None:
            from loopback_auth.network.after_exit import serve_after_exit

            serve_after_exit(*bound.after_exit)


def signed_in(
    options: argparse.Namespace, bounds: list[BoundRedirect], *, since: float | None = None
) -> SignIn:
    """Sign in, or wait for another process that does, and return what is kept.

    Args:
        options: as declared above.
        bounds: takes the port whose last page may stay up for a moment; see `serve_after_exit`.
        since: when the caller looked for a sign-in and found none, in Unix seconds; one that another process
            has brought to its end later is taken. None: only one that is under way now.
    """
    settings = _settings(options)
    check_packages(binds=settings.switch("dpop") is True)
    store = the_store(settings)
    if options.no_store:
        return _unkept(options, settings, store, bounds)
    if not settings.is_demo:
        if os.path.lexists(store.path(settings.kept_as)):
            from loopback_auth.settings.same_client import check_same_client

            check_same_client(settings, store)
        settings = _complete(options, settings)
    chosen = plan_for(settings, unconfirmed=options.yes, simulate=options.simulate_person)
    store.check_writable()
    # Each process has its own demonstration server, so there is no result to wait for.
    lock = None if options.alone or settings.is_demo else store.sign_in_lock(settings.kept_as)
    command = LOGIN_IN_CONTAINER if since is None else ""
    if lock is None:
        return _asked(options, settings, chosen, store, bounds, command=command)
    if not lock.lead() or (since is not None and lock.ended_since(since)):
        from loopback_auth.commands._other_process import sign_in_of_other_process  # Start-up: it is rare.

        if (theirs := sign_in_of_other_process(lock, settings, store, since)) is not None:
            return theirs
    with lock:
        return _asked(options, settings, chosen, store, bounds, command=command)


def _unkept(
    options: argparse.Namespace, settings: Settings, store: FileTokenStore, bounds: list[BoundRedirect]
) -> SignIn:
    """Sign in, and return what is not kept; no other process is waited for, or waits for this one."""
    from loopback_auth.commands._no_store import NoStore, check_not_bound

    check_not_bound(settings)
    settings = settings if settings.is_demo else _complete(options, settings)
    chosen = plan_for(settings, unconfirmed=options.yes, simulate=options.simulate_person)
    return _asked(options, settings, chosen, store, bounds, command=LOGIN_IN_CONTAINER, unkept=NoStore(store))


def _settings(options: argparse.Namespace) -> Settings:
    store = any_store()
    if not options.provider and is_terminal(sys.stdin) and not options.json:
        settings = settings_of(options)
        if settings.is_demo:
            from loopback_auth.commands._login_questions import (
                ask_provider,  # Start-up: most people name one.
            )

            ask_provider(options, settings, store)
        if not options.provider and options.account is None:
            return settings
    named = options.provider or ""
    if options.account is None and not (is_name(named) and os.path.lexists(store.path(named))):
        return settings_of(options)
    from loopback_auth.commands._accounts import login_settings  # Start-up: most logins need neither.

    return login_settings(options, store)


def _asked(
    options: argparse.Namespace,
    settings: Settings,
    chosen: Plan,
    store: FileTokenStore,
    bounds: list[BoundRedirect],
    *,
    command: str,
    unkept: TokenStore | None = None,
) -> SignIn:
    """Have the person sign in, and show the result; `command` is empty when another command was typed."""
    if chosen.simulated:
        return _simulated(options, settings, chosen, store, unkept)
    if not chosen.opens and getattr(sys.stderr, "name", "") == os.devnull:
        raise Unavailable(
            "The link cannot be shown: stderr is closed, and no browser is opened here.",
            hint="Leave stderr open, or use start --json, which answers on stdout.",
        )
    bound = _launched(settings, chosen, store)
    try:
        if bound is not None and sys.platform == "linux":
            # A port that is registered has to be free for the next sign-in at once.
            bound.lingers = bound.any_port
            bounds.append(bound)

        # The browser is on its way; from here on imports may cost.
        from loopback_auth.cli.core_dumps import forbid_core_dumps
        from loopback_auth.commands._program import COMMAND_LINE
        from loopback_auth.terminal.messages import Messages

        forbid_core_dumps()
        messages = Messages(
            settings.shown_name,
            authority=bound.authority if bound is not None else "",
            plan=chosen,
            verbose=options.verbose,
            qr=options.qr,
            pasting=settings.text("flow") == "paste",
            command=command,
            program=COMMAND_LINE,
        )
        if bound is not None and (opening := bound.opening) is not None:
            messages.link(bound.start_url, program=opening.program, why_not=opening.why_not)
        from loopback_auth.commands._signing_in import sign_in  # What is slow, after the link is shown.

        return sign_in(
            options,
            settings,
            chosen,
            messages,
            store=store,
            unkept=unkept,
            bound=bound,
            timeout=_timeout(settings),
        )
    finally:
        if bound is not None:
            bound.close()


def _simulated(
    options: argparse.Namespace,
    settings: Settings,
    chosen: Plan,
    store: FileTokenStore,
    unkept: TokenStore | None,
) -> SignIn:
    """Have a simulated person sign in to the demonstration, and show the result."""
    from loopback_auth.commands._simulated import sign_in

    bound = _launched(settings, chosen, store, start_page=False)
    try:
        return sign_in(
            options,
            settings,
            chosen,
            store=store,
            unkept=unkept,
            bound=bound,
            timeout=_timeout(settings),
        )
    finally:
        if bound is not None:
            bound.close()


def _launched(
    settings: Settings, chosen: Plan, store: FileTokenStore, *, start_page: bool = True
) -> BoundRedirect | None:
    address, (host, ports, path) = settings.text("bind") or "", redirect_of(settings)
    if not settings.text("client_id") and not settings.is_demo:
        from loopback_auth.store.registered_ports import preferred_ports  # The program will register itself.

        ports = preferred_ports(ports, store.registered_ports(settings.text("issuer") or ""))
    return launch(
        chosen,
        (host, ports, path),
        address="" if address == "loopback" else address,
        start_page=start_page,
    )


def _complete(options: argparse.Namespace, settings: Settings) -> Settings:
    """Ask for a missing client or secret if there is a terminal; refuse at once what cannot work."""
    from loopback_auth.settings.checks import check_settings

    if not settings.text("client_id") and is_terminal(sys.stdin) and not options.json:
        from loopback_auth.commands._login_questions import ask_client

        settings = ask_client(options, settings)
    if needs_secret(settings) and settings.text("client_id") and is_terminal(sys.stdin):
        from loopback_auth.terminal.secret import ask_client_secret

        can_go_without = settings.text("device_authorization_endpoint") and settings.text("flow") is None
        without = " (Enter: go on with a device code, which needs none)" if can_go_without else ""
        secret = ask_client_secret(settings.shown_name, without)
        settings = settings.with_secret(secret)
        if secret:
            tell(
                "The secret is not kept. A renewal at a terminal asks for it again; otherwise it must be in "
                "LOOPBACK_AUTH_CLIENT_SECRET or in the configuration file."
            )
    check_settings(settings)
    return settings


def _timeout(settings: Settings) -> float | None:
    # A ticket or a device code says itself how long it lives, unless the person has less patience.
    return None if settings.origin("timeout") == "default" else settings.seconds("timeout")
