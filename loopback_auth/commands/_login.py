"""The command `login` on behalf of another one, which then goes on with the sign-in."""

from __future__ import annotations

from loopback_auth.cli.arguments import Parser
from loopback_auth.commands import login

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.network.loopback import BoundRedirect
    from loopback_auth.tokens import SignIn


def logged_in(named: str, since: float, *, alone: bool = False) -> SignIn:
    """Do what the command `login` does, with the settings that it would have; return the sign-in.

    The last page is not kept up: the process that would do so became a child of what goes on.

    Args:
        named: what the person has named; empty: nothing.
        since: Unix seconds; what another process has signed in to since then will do.
        alone: do not wait for another process that signs in.
    """
    parser = Parser("login", usage=login.USAGE, description="")
    login.arguments(parser)
    read = parser.read([*[named] * bool(named), *["--alone"] * alone])
    bounds: list[BoundRedirect] = []
    try:
        return login.signed_in(read, bounds, since=since)
    finally:
        for bound in bounds:
            for each in bound.after_exit[0] if bound.after_exit is not None else ():
                each.close()
