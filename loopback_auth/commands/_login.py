"""The command `login` on behalf of a command that goes on for longer, such as `run` and `proxy`."""

from __future__ import annotations

from loopback_auth.commands._fresh import signed_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.network.loopback import BoundRedirect
    from loopback_auth.tokens import SignIn


def logged_in(named: str, since: float, *, alone: bool = False) -> SignIn:
    """Sign in as `signed_in`, but do not show the last page any longer when that is done.

    The process that would show it would be a child of the command that goes on.

    Args:
        named: as for `signed_in`.
        since: as for `signed_in`.
        alone: as for `signed_in`.
    """
    bounds: list[BoundRedirect] = []
    try:
        return signed_in(named, bounds, since=since, alone=alone)
    finally:
        for bound in bounds:
            for each in bound.after_exit[0] if bound.after_exit is not None else ():
                each.close()
