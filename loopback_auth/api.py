"""The door for other programs: sign a person in and keep the tokens, from async code or without a loop.

    sign_in = await login(client)                                   # opens the browser, returns tokens

What comes afterwards is `token_source`, which signs in once and then renews, and `signin.refresh`.

Everything here is cancellable: cancelling the task closes the port, the browser's wait and the connections.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence

from loopback_auth.events import Notify, silent
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.network.threads import apart, check_asyncio, run_sync
from loopback_auth.plan.model import Plan
from loopback_auth.signin import session
from loopback_auth.signin.attempt import TIMEOUT
from loopback_auth.signin.controls import Controls
from loopback_auth.signin.driver import Paste
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.signin.resources import OpenBrowser
from loopback_auth.signin.session import Confirm
from loopback_auth.signin.single_flight import single_flight
from loopback_auth.store.interface import TokenStore


async def login(
    client: ClientConfig,
    *,
    store: TokenStore | None = None,
    notify: Notify | None = None,
    open_browser: OpenBrowser | None = None,
    start_page: bool = True,
    timeout: float | None = None,  # noqa: ASYNC109 - also the person's deadline, and part of the messages
    flow: str | None = None,
    allowed_flows: Sequence[str] = CHOOSABLE,
    plan: Plan | None = None,
    controls: Controls | None = None,
    message: str = "",
    paste: Paste | None = None,
    confirm: Confirm | None = None,
) -> SignIn:
    """Sign a person in, by whichever of the flows works here.

    Without `flow` and `plan` it is worked out what can work on this machine with this provider; flows are
    then open side by side, and the first valid answer wins. The result says which one that was, and why it
    was open. With a `FileTokenStore`, of many processes one asks the person and all of them get the result.

    Args:
        client: the client as registered, and what it asks for.
        store: where the sign-in is kept; None keeps it nowhere.
        notify: told what happens, the link to show above all (see `events`); called in this loop. None:
            it is said on stderr.
        open_browser: starts a browser on a URL; returns False, or an `Opening` that says why, where it did
            not. None: this machine's browser, if the plan has it opened.
        start_page: begin at a page of ours; False opens the provider's URL at once.
        timeout: seconds until the person has to be back; what is left to do then has limits of its own.
            None: `TIMEOUT`, or for tickets and device codes as long as these live.
        flow: one of `flow_table.NAMES`, and no other.
        allowed_flows: those that may be chosen from, of `flow_table.CHOOSABLE`.
        plan: the choice, made by the caller; see `plan.routes.plan`.
        controls: by which further flows can be begun while the sign-in is open.
        message: for the person on a ticket's approval page.
        paste: asks for a pasted address besides waiting for the redirect (see `terminal.paste`).
        confirm: asked before the sign-in is kept and handed out whether this is the right account; for flows
            that anybody could have approved (RFC 6749 §10.16). Without it such flows are opened only where
            `flow` or `plan` names them. A plain function is called in a thread.

    Raises:
        NoFlowAvailable: nothing that is allowed can work here; the reasons are listed.
        NotKept: the person has signed in, and the store does not take the tokens; the error has them.
        LoopbackAuthError: see `errors`; what went wrong is also told in the browser, if it is waiting.
    """
    check_asyncio()
    async with single_flight(
        store, client, notify or _teller(client), TIMEOUT if timeout is None else timeout
    ) as theirs:
        if theirs is not None:
            return theirs
        if store is not None:
            await apart(store.check_writable)
        if plan is None:
            plan = planned(
                client,
                flow,
                allowed_flows,
                opener=open_browser is not None,
                pastes=paste is not None,
                confirms=confirm is not None,
            )
        return await session.sign_in(
            client,
            plan,
            notify=notify or _teller(client, plan),
            store=store,
            open_browser=open_browser,
            start_page=start_page,
            timeout=timeout,
            controls=controls,
            message=message,
            paste=paste,
            confirm=confirm,
            exchanges=notify not in (None, silent),
        )


def login_sync(
    client: ClientConfig,
    *,
    store: TokenStore | None = None,
    notify: Notify | None = None,
    open_browser: OpenBrowser | None = None,
    start_page: bool = True,
    timeout: float = TIMEOUT,
    flow: str | None = None,
    allowed_flows: Sequence[str] = CHOOSABLE,
    confirm: Confirm | None = None,
) -> SignIn:
    """Sign in from code without a loop, or, as in a notebook, from under one that is running.

    Arguments and errors are those of `login`. Ctrl-C cancels the sign-in and is raised again.
    """

    def begin() -> Coroutine[object, object, SignIn]:
        return login(
            client,
            store=store,
            notify=notify,
            open_browser=open_browser,
            start_page=start_page,
            timeout=timeout,
            flow=flow,
            allowed_flows=allowed_flows,
            confirm=confirm,
        )

    return run_sync(begin)


def _teller(client: ClientConfig, plan: Plan | None = None) -> Notify:
    from loopback_auth.terminal.messages import Messages  # Start-up.

    name = client.provider.shown_name
    return Messages(name, authority="", plan=plan, qr=False).tell
