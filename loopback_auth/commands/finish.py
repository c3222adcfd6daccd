"""Finish a login that `start` began: ask the server whether it is approved, and keep the tokens if so.

HANDLE is what `start` printed; you can leave it out when there is only one login. The command asks once,
and waits only with --wait. The exit status is 0 when you are signed in, 10 while the login is not approved,
7 when the time is over, and 4 when the server refused. After 4, 5 and 7 the login is forgotten; after every
other status you can run this again. With --json, status is done or pending, and retry_after is the number
of seconds until you should run this again, or null when an address is to be pasted; an error has error,
message, hint and parameter.

Examples:
  python -m loopback_auth finish
  python -m loopback_auth finish github-0a1b2c --wait 60 --yes --json
  python -m loopback_auth finish id.example-0a1b2c --url -

A pasted address that belongs to another login is refused with exit status 2; then paste the right one.
Other users of this machine can read an address on the command line; --url - reads it from stdin. More: help
agents.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from loopback_auth.cli import print_json, tell
from loopback_auth.cli.advice import advised
from loopback_auth.commands import the_pendings, the_store
from loopback_auth.commands._kept import described, registration_at
from loopback_auth.commands._pending import BEGIN_AGAIN, chosen, finish_command, naming, outcome
from loopback_auth.commands._second_account import kept_beside
from loopback_auth.commands._warnings_only import remark
from loopback_auth.environment import is_terminal
from loopback_auth.errors import (
    AttemptCancelled,
    AttemptExpired,
    ConfigError,
    LoopbackAuthError,
    OAuthError,
    SignInRequired,
    StillPending,
)
from loopback_auth.flow_table import APPROVED_BY_ANYBODY
from loopback_auth.plan.model import confirmation_needed
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.signin.pasting import pasted
from loopback_auth.signin.refresh import can_verify_signatures
from loopback_auth.signin.stores import keep_new, other_account
from loopback_auth.signin.two_step import FINAL, pasted_address, resume
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import LOCK_TIMEOUT
from loopback_auth.store.pending import PendingStore
from loopback_auth.store.pending_sign_in import Ended, Outcome, PendingSignIn
from loopback_auth.terminal.messages import Messages
from loopback_auth.terminal.outcome import result_text
from loopback_auth.terminal.paste import read_line
from loopback_auth.terminal.terminal import Terminal
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.authorization_messages import AuthorizationRequest, Callback
    from loopback_auth.signin.driver import Paste
    from loopback_auth.tokens import SignIn


USAGE = "[HANDLE] [--wait SECONDS] [--url URL] [--yes] [--json]"
LONGEST_WAIT = 3600.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "handle", nargs="?", metavar="HANDLE", help="which login; needed only if there are several"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="seconds to wait for the approval, 0 to 3600",
    )
    parser.add_argument(
        "--url", metavar="URL", help="address on which the browser ended; - reads it from stdin"
    )
    parser.add_argument(
        "--yes", "-y", action="store_true", help="accept whichever account approved, without asking"
    )
    parser.set_defaults(replaced=None)


def run(options: argparse.Namespace) -> int:
    """Finish the chosen login, or say that it is still pending."""
    if not 0 <= options.wait <= LONGEST_WAIT:
        raise ConfigError("The time to wait is not between 0 and 3600 seconds.", hint="Correct --wait.")
    pendings, store = the_pendings(), the_store()
    handle = chosen(pendings, options.handle or "")
    try:
        with naming(handle):
            sign_in = _ended_before(pendings, store, handle)
            if sign_in is None:
                with pendings.lock(handle, LOCK_TIMEOUT + options.wait):
                    # While we waited for the lock another process may have finished it.
                    sign_in = _ended_before(pendings, store, handle)
                    sign_in = sign_in or _finish(pendings, store, handle, options)
    except StillPending as exc:
        _tell_pending(exc, options)
        return exc.exit_code
    if options.json:
        print_json({"status": "done", **described(sign_in), "replaced": options.replaced})
    else:
        tell(result_text(sign_in, store.path(sign_in.name)))
    return 0


def _ended_before(pendings: PendingStore, store: FileTokenStore, handle: str) -> SignIn | None:
    found = pendings.load(handle)
    return outcome(found, store) if isinstance(found, Ended) else None


def _finish(
    pendings: PendingStore, store: FileTokenStore, handle: str, options: argparse.Namespace
) -> SignIn:
    handed = pendings.load(handle)
    if not isinstance(handed, PendingSignIn):
        raise SignInRequired(f"{handle} was ended by another process.", hint=f"{BEGIN_AGAIN}.")
    if not handed.lapsed(time.time()):
        _check(handed, options)
        store.check_writable()
    try:
        sign_in, wanted = asyncio.run(_resumed(handed, pendings, store, options))
    except FINAL as exc:
        pendings.end(Ended(handle, handed.client.provider.name, _outcome(exc), exc.message))
        if _outcome(exc) == "expired":
            raise AttemptExpired(exc.message, hint=f"{BEGIN_AGAIN}.") from exc
        if isinstance(exc, OAuthError):
            exc.hint = f"{advised(exc, 'start')} {BEGIN_AGAIN}."
        raise
    except (AttemptCancelled, KeyboardInterrupt):
        raise AttemptCancelled(
            f"Stopped waiting; {handle} is kept.", hint=f"Go on: {finish_command(handle)}"
        ) from None
    if not wanted:
        raise _given_up(sign_in, pendings, handle)
    sign_in = _named(sign_in, pendings, store, handle, options)
    asyncio.run(keep_new(store, sign_in, remark))
    pendings.end(
        Ended(handle, sign_in.name, "signed in", "The login was finished, but the sign-in is no longer kept.")
    )
    return sign_in


def _named(
    sign_in: SignIn, pendings: PendingStore, store: FileTokenStore, handle: str, options: argparse.Namespace
) -> SignIn:
    """Return the sign-in under the name for it, where it would replace that of another account."""
    before = asyncio.run(other_account(store, sign_in))
    if before is None:
        return sign_in
    asks = is_terminal(sys.stdin) and not (options.yes or options.json)
    agrees = Terminal(Messages(sign_in.name, authority="")).agrees if asks else None
    try:
        named = asyncio.run(kept_beside(before, sign_in, store=store, agrees=agrees))
    except (AttemptCancelled, KeyboardInterrupt):
        # The server gives out these tokens only once, so the login cannot be finished later.
        raise _given_up(sign_in, pendings, handle) from None
    options.replaced = before.account if named.name == before.name else None
    return named


def _given_up(sign_in: SignIn, pendings: PendingStore, handle: str) -> AttemptCancelled:
    account = sign_in.tokens.account or Words.UNNAMED_ACCOUNT
    unwanted = Words.CANCELLED_ACCOUNT.format(account=account)
    pendings.end(Ended(handle, sign_in.name, "given up", unwanted))
    return AttemptCancelled(unwanted, hint=Words.CANCELLED_ACCOUNT_ADVICE)


def _outcome(error: LoopbackAuthError) -> Outcome:
    if isinstance(error, AttemptExpired):
        return "expired"
    if isinstance(error, OAuthError):
        # RFC 8628 §3.5: the server may be the first to notice that the time is over.
        return "expired" if error.error == "expired_token" else "refused"
    return "failed"


async def _resumed(
    handed: PendingSignIn, pendings: PendingStore, store: FileTokenStore, options: argparse.Namespace
) -> tuple[SignIn, bool]:
    """Resume the login; return the sign-in, and whether the person accepts the account."""
    if options.wait and not options.json:
        tell(f"Waiting for the approval, {options.wait:g} seconds at most.")
    sign_in = await resume(
        handed,
        client_secret=_client_secret(handed, store),
        private_key=_private_key(handed),
        save=pendings.save,
        wait=options.wait,
        paste=_paste(options.url) if handed.flow == "paste" else None,
        notify=remark,
    )
    asks = _anybody_could_approve(handed) and not options.yes
    return sign_in, not asks or await Terminal(Messages(sign_in.name, authority="")).confirm(sign_in)


def _check(handed: PendingSignIn, options: argparse.Namespace) -> None:
    """Refuse what cannot work, before anything is sent."""
    if options.url is not None and handed.flow != "paste":
        raise ConfigError(
            f"{handed.handle} is finished without an address: its flow is {handed.flow}.",
            hint="Leave --url out.",
        )
    if _anybody_could_approve(handed) and not options.yes and not is_terminal(sys.stdin):
        raise ConfigError(
            confirmation_needed(handed.flow),
            hint="Run this in a terminal, or add --yes to accept whichever account approved.",
        )
    if handed.verify_signature and not can_verify_signatures():
        raise ConfigError(
            f"{handed.handle} was started by a Python that can check signatures; this one cannot.",
            hint="Install the extra: pip install 'loopback-auth[oidc]'.",
        )


def _anybody_could_approve(handed: PendingSignIn) -> bool:
    # RFC 6749 §10.16; RFC 8628 §5.4: only the account shows who approved.
    return handed.flow in APPROVED_BY_ANYBODY


def _paste(url: str | None) -> Paste | None:
    if url is None and not is_terminal(sys.stdin):
        return None

    async def brought(request: AuthorizationRequest) -> Callback:
        if url is None:
            return await pasted(request, notify=remark, read=lambda: read_line(Words.PASTE_PROMPT))
        # With `-` it is stdin that counts, also where there is a terminal besides.
        text = url if url != "-" else await read_line(Words.PASTE_PROMPT, terminal="")
        return await pasted_address(text, remark)(request)

    return brought


def _client_secret(handed: PendingSignIn, store: FileTokenStore) -> str | None:
    """Find the client's secret again: in its registration, or in the settings that started the login.

    Raises:
        ConfigError: the configuration file cannot be read.
    """
    if not handed.with_secret:
        return None
    client = handed.client
    made = registration_at(client.provider.metadata.issuer or "", client.client_id, store)
    if made is not None:
        return made.client_secret
    return KeptSettings(os.environ).client_secret(client.client_id, *_names(handed))


def _private_key(handed: PendingSignIn) -> str | None:
    """Find the client's private key again, in the settings with which the login was started.

    Raises:
        ConfigError: the configuration file, or the file with the key, cannot be read.
    """
    if not handed.with_private_key:
        return None
    client = handed.client
    return KeptSettings(os.environ).private_key(client.client_id, *_names(handed))


def _names(handed: PendingSignIn) -> tuple[str, str]:
    provider = handed.client.provider
    return handed.named, provider.configured_as or provider.name


def _tell_pending(pending: StillPending, options: argparse.Namespace) -> None:
    again = f"{finish_command(pending.handle)}{' --yes' * options.yes}"
    seconds = pending.retry_after
    hint = f"Give that address: {again} --url -"
    if seconds is not None:
        moment = f"{seconds:.0f} second{'s' * (seconds != 1)}"
        hint = f"Run this again in {moment}, or let it wait: {again} --wait 60"
    if options.json:
        document = {"status": "pending", "handle": pending.handle, "expires_at": pending.expires_at}
        print_json({**document, "retry_after": seconds, "message": pending.message, "hint": hint})
        return
    tell(pending.message)
    tell(f"  what to do: {hint}")
