"""Forget a login that `start` began and that is not finished.

The server is not notified, because it has no request for that: the ticket or the code expires by itself.

Examples:
  python -m loopback_auth cancel
  python -m loopback_auth cancel github-0a1b2c
  python -m loopback_auth cancel --all
"""

from __future__ import annotations

from loopback_auth.cli import described_error, print_json, tell, tell_error
from loopback_auth.commands import the_pendings
from loopback_auth.commands._pending import chosen
from loopback_auth.errors import SignInRequired, StoreError
from loopback_auth.store.pending import name_in
from loopback_auth.store.pending_sign_in import Ended

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from loopback_auth.store.pending import PendingStore


USAGE = "[HANDLE] [--all] [--json]"
LOCK_SECONDS = 5.0
"""Seconds that another process gets to finish the same sign-in."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "handle", nargs="?", metavar="HANDLE", help="which login; needed only if there are several"
    )
    parser.add_argument("--all", action="store_true", help="forget every login that is not finished")


def run(options: argparse.Namespace) -> int:
    """Forget the chosen login."""
    pendings = the_pendings()
    handles = pendings.handles() if options.all else (chosen(pendings, options.handle or ""),)
    results: list[dict[str, object]] = []
    worst = 0
    for handle in handles:
        try:
            results.append(_cancel(pendings, handle))
        except StoreError as exc:
            if not options.all:
                raise
            tell_error(exc)
            results.append({"handle": handle, **described_error(exc)})
            worst = exc.exit_code
    if not results:
        tell("There is no unfinished login.")
    if options.json:
        print_json(results if options.all else results[0])
    return worst


def _cancel(pendings: PendingStore, handle: str) -> dict[str, object]:
    """Forget one sign-in, understood or not; return what happened, for JSON."""
    with pendings.lock(handle, LOCK_SECONDS):
        if handle not in pendings.handles():
            raise SignInRequired(f"{handle} has ended already.", hint="See python -m loopback_auth status.")
        pendings.end(Ended(handle, name_in(handle), "given up", "It was cancelled."))
    tell(f"Cancelled {handle}. Its ticket or code expires by itself at the server.")
    return {"status": "cancelled", "handle": handle}
