"""The options of a sign-in that a program begins, for `login`, `login_sync` and what is built on them.

A function of your own can pass all of them on, with completion and checks (PEP 692):

    def connect(**options: Unpack[Options]) -> SignIn:
        return login_sync(CLIENT, **options)

To set some of them yourself, put all into one, because a type checker takes a name that is given twice for a
mistake: `merged: Options = {"program": PROGRAM, **options}`, then `login_sync(CLIENT, **merged)`.

`login` explains them; `signin.option_checks` checks them when the program runs. Only type checkers need this
module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from loopback_auth.events import Notify
    from loopback_auth.flow_table import ChoosableFlow, FlowName
    from loopback_auth.program import Program
    from loopback_auth.signin.controls import Controls
    from loopback_auth.signin.pasting import AskForAddress
    from loopback_auth.signin.resources import OpenBrowser
    from loopback_auth.signin.session import Confirm
    from loopback_auth.signin.stores import Store


class Options(TypedDict, total=False):
    """Keyword arguments of `login`, which explains each of them; all can be left out."""

    store: Store | None
    program: Program | None
    notify: Notify | None
    open_browser: OpenBrowser | None
    timeout: float | None
    flow: FlowName | None
    allowed_flows: Sequence[ChoosableFlow] | Set[ChoosableFlow]
    confirm: Confirm | None
    paste: AskForAddress | None
    controls: Controls | None
    wait: bool | None
    message: str
