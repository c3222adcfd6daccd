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
verification_uri and redirect_uri. For the program: handle, provider, flow; expires_at in Unix seconds and
expires_in in seconds; interval, the seconds before the first finish; finish, the command; and how, which
says all this in a sentence.

A client secret comes from LOOPBACK_AUTH_CLIENT_SECRET or the configuration file, for start and for finish.
More: help agents.
"""

from __future__ import annotations

import os
import time

from loopback_auth.cli import print_json, settings_of, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.environment import started_here
from loopback_auth.errors import ConfigError, EndpointMissing
from loopback_auth.flow_table import BY_NAME, TWO_STEP, TwoStepFlow
from loopback_auth.folders import data_folder
from loopback_auth.invocation import GENERAL, as_typed
from loopback_auth.signin.planning import check_allowed
from loopback_auth.store import FileTokenStore
from loopback_auth.store.pending import PendingStore
from loopback_auth.store.pending_sign_in import PendingSignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.settings import Settings


USAGE = "[PROVIDER] [--client-id ID] [options]"
SHOWN = ("issuer", "client_id", "scope", "flow", "allowed_flows", "ticket", "message")
"""The settings that its help describes."""

ASK = (
    "then run finish, again after retry_after seconds while it exits with 10; without a terminal it needs "
    "--yes, which keeps whatever account it turns out to be"
)
HOW = {
    "ticket": f"Open url in any browser and approve; {ASK}.",
    "device": f"Open url on any device and approve if it shows user_code; {ASK}.",
    "paste": "Open url in any browser and approve; the browser ends on an address that begins with "
    "redirect_uri and cannot be opened: give all of it to finish, on stdin with --url -.",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="where to sign in")
    add_settings(parser, SHOWN)


def run(options: argparse.Namespace) -> int:
    """Begin."""
    import asyncio

    settings = settings_of(options)
    if settings.is_demo:
        raise ConfigError(
            "The built-in demonstration cannot be left alone: its server ends with the process.",
            hint="Run python -m loopback_auth demo in another terminal, and here: python -m loopback_auth "
            "start --issuer ADDRESS --client-id loopback-auth-demo, with the address that it prints.",
        )
    folder = data_folder(os.environ)
    store, pendings = FileTokenStore(folder), PendingStore(folder)
    store.check_writable()
    pendings.sweep(time.time())
    handed = asyncio.run(_begun(settings, options.provider or "", store))
    # First it is kept, then it is told: nobody should approve what cannot be finished.
    pendings.save(handed)
    if options.json:
        print_json(invitation(handed))
    else:
        show(handed)
    return 0


def invitation(handed: PendingSignIn) -> dict[str, object]:
    """Describe what the person is to do, for JSON; it holds the link, and no other secret."""
    optional = {
        "user_code": handed.user_code,
        "verification_uri": handed.verification_uri,
        "redirect_uri": handed.redirect_uri,
    }
    return {
        "handle": handed.handle,
        "provider": handed.client.provider.name,
        "flow": handed.flow,
        "url": handed.url,
        **{name: value for name, value in optional.items() if value},
        "expires_at": handed.expires_at,
        "expires_in": max(0, int(handed.expires_at - time.time())),
        "interval": handed.interval,
        "finish": as_typed(finish_command(handed.handle, handed.flow)),
        "how": HOW[handed.flow],
    }


def show(handed: PendingSignIn) -> None:
    """Tell people what to do."""
    from loopback_auth.terminal.outcome import until

    tell(f"Sign in to {handed.client.provider.name} at this link, in any browser:\n\n  {handed.url}\n")
    if handed.verification_uri not in ("", handed.url):
        typed = " and type the code" if handed.user_code else ""
        tell(f"Or open this address{typed}:\n\n  {handed.verification_uri}\n")
    if handed.user_code:
        tell(f"Check that the page shows this code, or enter it there:\n\n  {handed.user_code}\n")
    if handed.flow == "paste":
        tell("After you have signed in, the browser ends on an address that it cannot open:")
        tell(f"\n  {handed.redirect_uri}?...\n")
        tell("Copy that whole address; the command below asks for it.")
    else:
        tell("Approve only if you started this yourself just now.")
    tell(f"Valid until {until(handed.expires_at)}. Then finish with:")
    tell(f"\n  {finish_command(handed.handle, handed.flow)}\n")


def finish_command(handle: str, flow: str = "") -> str:
    """Return the command that goes on with a sign-in; where an address is to be pasted, it reads that."""
    return f"{GENERAL} finish {handle}{' --url -' if flow == 'paste' else ''}"


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
    from loopback_auth.commands._remarks import remark
    from loopback_auth.flows.catalog import FlowOptions
    from loopback_auth.settings.configure import client_config
    from loopback_auth.settings.same_client import check_same_client
    from loopback_auth.signin.refresh import can_verify_signatures
    from loopback_auth.signin.two_step import begin

    client = client_config(settings.completed({"flow": flow}, "chosen by start"))
    check_same_client(settings, store)
    conditions = FlowOptions(
        verify_signature="openid" in client.scope.split() and can_verify_signatures(),
        message=settings.text("message") or started_here(),
    )
    return await begin(client, flow, named=named, conditions=conditions, notify=remark)


def _flows(settings: Settings) -> tuple[TwoStepFlow, ...]:
    """List the flows to try, best first.

    Raises:
        ConfigError: what was chosen cannot be split.
    """
    wanted, hint = settings.text("flow"), f"Choose one of {', '.join(TWO_STEP)}, or use login."
    if wanted is not None:
        # A code whose redirect nobody waits for is one whose address is pasted.
        flows = [flow for flow in TWO_STEP if flow == wanted or (flow, wanted) == ("paste", "code")]
        if not flows:
            raise ConfigError(f"The flow {wanted} needs a process that waits for the browser.", hint=hint)
        check_allowed(settings, wanted)
        return tuple(flows)
    offered = [flow for flow in TWO_STEP if any(settings.text(name) for name in BY_NAME[flow].offered_by)]
    # Without any, the last one is tried, so that it is said what is missing.
    allowed = [flow for flow in offered or TWO_STEP[-1:] if flow in settings.words("allowed_flows")]
    if not allowed:
        raise ConfigError(
            f"Of the flows that are allowed (from {settings.origin('allowed_flows')}) none can be used here.",
            hint=hint,
        )
    return tuple(allowed)
