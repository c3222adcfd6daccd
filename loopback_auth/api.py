"""Sign a person in from your own program, async or sync, and keep the tokens.

    sign_in = await login(client)                                   # opens the browser, returns tokens

`token_source` signs in once and renews the tokens afterwards; `signin.refresh` renews and revokes.

Cancelling the task cancels the sign-in: the port and the connections are closed, and a browser that waits for
its last page gets one.
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
    """Sign a person in by a flow that works here.

    Without `flow` and `plan` the program finds out which flows can work on this machine with this provider.
    Several flows may then be open at the same time; the first valid answer wins. The result says which flow
    it came from, and why that flow was open. With a `FileTokenStore`, one of several processes asks the
    person, and all of them get the result.

    Args:
        client: the client as registered, and what it asks for.
        store: where the sign-in is kept; None: nowhere.
        notify: called in this loop with each event, such as the link to show (see `events`). None: messages
            go to stderr.
        open_browser: starts a browser on a URL. It returns False, or an `Opening` with the reason, when it
            did not. None: the browser of this machine, if the plan opens one.
        start_page: let the browser begin at a page on this machine; False: at the provider's URL.
        timeout: seconds that the person has to come back from the browser. The requests after that have
            limits of their own. None: `TIMEOUT`, or the lifetime of a ticket or device code.
        flow: the only flow to use, one of `flow_table.NAMES`; None: choose.
        allowed_flows: the flows to choose from, of `flow_table.CHOOSABLE`.
        plan: which flows there are and when each begins, instead of a choice; see `plan.routes.plan`.
        controls: begins further flows while the sign-in is open.
        message: shown to the person on the approval page of a ticket.
        paste: asks for a pasted address while the program also waits for the redirect; see `terminal.paste`.
        confirm: called with the `SignIn` before it is kept and returned, for flows that another person could
            have approved (RFC 6749 §10.16); returns whether the account is the right one. Without it such
            flows are used only if `flow` or `plan` names them. A plain function is called in a thread.

    Raises:
        NoFlowAvailable: none of the allowed flows can work here; the error lists the reasons.
        NotKept: the person has signed in, but the store did not take the tokens; the error has them.
        LoopbackAuthError: see `errors`. A browser that waits for its last page shows the reason, too.
    """
    check_asyncio()
    async with single_flight(
        store, client, notify or _messages(client), TIMEOUT if timeout is None else timeout
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
            notify=notify or _messages(client, plan),
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
    """Sign in from code without an event loop, or while one is running in this thread, as in a notebook.

    Arguments and errors are those of `login`, but for `timeout`, which has a default here: 300 seconds.
    Ctrl-C cancels the sign-in and is raised again.
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


def _messages(client: ClientConfig, plan: Plan | None = None) -> Notify:
    from loopback_auth.terminal.messages import Messages  # Start-up.

    name = client.provider.shown_name
    return Messages(name, authority="", plan=plan, qr=False).tell
