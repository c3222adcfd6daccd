"""Begin a login and exit at once: for agents and scripts that cannot wait for a person.

It prints where to approve, until when, and the command that finishes the login. It uses a flow that needs
no open port: a ticket, a device code, or a pasted address; the first that the server offers, or --flow.
Until the login is finished it is kept in a file that only you can read.

Examples:
  python -m loopback_auth start github --client-id ID --json
  python -m loopback_auth finish github-0a1b2c --wait 60 --yes --json
  python -m loopback_auth start https://id.example --client-id ID --flow paste
  python -m loopback_auth cancel --all

With --json the answer is one object. For the person: url and, depending on the flow, user_code,
verification_uri and redirect_uri. For the program: handle, provider, flow, and name, under
which the sign-in will be kept; expires_at in Unix seconds and expires_in in seconds; interval, the seconds
before the first finish; finish, the command; and how, which says all this in a sentence.

A client secret comes from LOOPBACK_AUTH_CLIENT_SECRET or the configuration file, for start and for finish.
More: help agents.
"""

from __future__ import annotations

import asyncio
import time

from loopback_auth.cli import print_json
from loopback_auth.cli.arguments import add_settings
from loopback_auth.commands import any_store, the_pendings, the_store
from loopback_auth.commands._accounts import login_settings
from loopback_auth.commands._pending import invitation, show
from loopback_auth.commands._program import COMMAND_LINE
from loopback_auth.commands._warnings_only import remark
from loopback_auth.environment import started_here
from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.flow_table import BY_NAME, TWO_STEP, TwoStepFlow
from loopback_auth.flows.catalog import FlowOptions
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.same_client import check_same_client
from loopback_auth.signin.planning import check_allowed
from loopback_auth.signin.refresh import can_verify_signatures
from loopback_auth.signin.two_step import begin
from loopback_auth.store import FileTokenStore
from loopback_auth.store.pending_sign_in import PendingSignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.settings import Settings


USAGE = "[PROVIDER] [--as ACCOUNT] [--client-id ID] [options]"
SHOWN = ("issuer", "client_id", "scope", "flow", "allowed_flows", "ticket", "message")
"""The settings that its help describes."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="where to sign in")
    parser.add_argument("--as", dest="account", metavar="ACCOUNT", help="keep it as PROVIDER-ACCOUNT")
    add_settings(parser, SHOWN)


def run(options: argparse.Namespace) -> int:
    """Begin a login, keep it, and show what the person has to do."""
    settings = login_settings(options, any_store())
    if settings.is_demo:
        raise ConfigError(
            "A login at the built-in demonstration cannot be finished later: its server ends first.",
            hint="Run python -m loopback_auth demo in another terminal, and here: python -m loopback_auth "
            "start --issuer ADDRESS --client-id loopback-auth-demo, with the address that it prints.",
        )
    store, pendings = the_store(settings), the_pendings(settings)
    store.check_writable()
    pendings.sweep(time.time())
    handed = asyncio.run(_begun(settings, options.provider or "", store))
    # First it is kept, then it is shown: a login that cannot be finished must not be approved.
    pendings.save(handed)
    if options.json:
        print_json(invitation(handed))
    else:
        show(handed)
    return 0


async def _begun(settings: Settings, named: str, store: FileTokenStore) -> PendingSignIn:
    """Begin with the first flow that the server offers."""
    *others, last = _flows(settings)
    for flow in others:
        try:
            return await _begin(settings, flow, named, store)
        except EndpointMissing:
            continue
    return await _begin(settings, last, named, store)


async def _begin(settings: Settings, flow: TwoStepFlow, named: str, store: FileTokenStore) -> PendingSignIn:
    client = client_config(settings.completed({"flow": flow}, "chosen by start"))
    check_same_client(settings, store)
    options = FlowOptions(
        verify_signature="openid" in client.scope.split() and can_verify_signatures(),
        message=settings.text("message") or started_here(COMMAND_LINE.resolved_words()),
    )
    return await begin(
        client, flow, named=named, options=options, notify=remark, store=store, program=COMMAND_LINE
    )


def _flows(settings: Settings) -> tuple[TwoStepFlow, ...]:
    """List the flows to try, best first.

    Raises:
        ConfigError: what was chosen cannot be split.
    """
    wanted, hint = settings.text("flow"), f"Choose one of {', '.join(TWO_STEP)}, or use login."
    if wanted is not None:
        # Without a process that waits for the redirect, the flow `code` becomes `paste`.
        flows: list[TwoStepFlow] = [
            flow for flow in TWO_STEP if flow == wanted or (flow, wanted) == ("paste", "code")
        ]
        if not flows:
            raise ConfigError(f"The flow {wanted} needs a process that waits for the browser.", hint=hint)
        check_allowed(settings, wanted)
        return tuple(flows)
    offered: list[TwoStepFlow] = [
        flow for flow in TWO_STEP if any(settings.text(name) for name in BY_NAME[flow].offered_by)
    ]
    # Without any, the last one is tried, so that it is said what is missing.
    allowed: list[TwoStepFlow] = [
        flow for flow in (offered or TWO_STEP[-1:]) if flow in settings.words("allowed_flows")
    ]
    if not allowed:
        raise ConfigError(
            f"Of the flows that are allowed (from {settings.origin('allowed_flows')}) none can be used here.",
            hint=hint,
        )
    return tuple(allowed)
