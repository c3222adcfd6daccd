"""Sign a person in from your own program, async or sync, and keep the tokens.

    sign_in = await login(client)                                   # opens the browser, returns tokens

`token_source` signs in once and renews the tokens afterwards; `signin.refresh` renews and revokes.

Cancelling the task cancels the sign-in: the port and the connections are closed, and a browser that waits for
its last page gets one.
"""

from __future__ import annotations

from loopback_auth.events import Notify, silent
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.model import ClientConfig, SignIn
from loopback_auth.network.threads import check_asyncio, run_sync
from loopback_auth.plan.model import Plan
from loopback_auth.signin import session
from loopback_auth.signin.attempt import TIMEOUT
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.signin.option_checks import check_arguments
from loopback_auth.signin.single_flight import single_flight
from loopback_auth.signin.stores import OpenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Unpack

    from loopback_auth.options import Options


async def login(client: ClientConfig, **options: Unpack[Options]) -> SignIn:
    """Sign a user in by a flow that works here.

    Unless `flow` names one, the program finds out which flows can work on this machine with this provider.
    Several flows may then be open at the same time; the first valid answer wins. The result says which flow
    it came from, and why that flow was open. Of several calls with one store, one asks the user, and all of
    them get the result; of several processes, too, if the store excludes them (`FileTokenStore` does).

    Args:
        client: the client as registered, and what it asks for.
        store: where the sign-in is kept; None: nowhere.
        notify: called in this loop with each event, such as the link to show (see `loopback_auth.events`).
            None: messages go to stderr.
        open_browser: starts a browser on a URL. It returns False, or an `Opening` with the reason, when it
            did not. None: the browser of this machine, if one can be opened here.
        timeout: seconds that the user has to come back from the browser. The requests after that have
            limits of their own. None: 300, or the lifetime of a ticket or device code.
        flow: the only flow to use: `code`, `ticket`, `device`, `paste` or a response type of the implicit
            grant, such as `token`. None: choose.
        allowed_flows: the flows to choose from; all of `code`, `ticket`, `device` and `paste` unless set.
        confirm: called with the `SignIn` before it is kept and returned, for flows that another person could
            have approved (RFC 6749 §10.16); returns whether the account is the right one. Without it such
            flows are used only if `flow` names one. A plain function is called in a thread.
        paste: asks for a pasted address while the program also waits for the redirect.
        controls: begins further flows while the sign-in is open.
        wait: wait for a user who signs in.
        message: shown to the user on the approval page of a ticket.

    Raises:
        TypeError: there is no option of that name.
        ConfigError: an argument has the wrong type or cannot work; nothing was opened.
        NoFlowAvailable: none of the allowed flows can work here; the error lists the reasons.
        NotKept: the user has signed in, but the store did not take the tokens; the error has them.
        LoopbackAuthError: see `errors`. A browser that waits for its last page shows the reason, too.
    """
    check_asyncio()
    check_arguments("login", client, options)
    return await _login(client, options)


def login_sync(client: ClientConfig, **options: Unpack[Options]) -> SignIn:
    """Sign in from code without an event loop, or while one is running in this thread, as in a notebook.

    Arguments and errors are those of `login`. Under a running loop this thread waits, and so does that loop.
    Ctrl-C cancels the sign-in and is raised again.
    """
    check_arguments("login_sync", client, options)
    return run_sync(lambda: _login(client, options))


async def _login(client: ClientConfig, options: Options) -> SignIn:
    store, notify, timeout = options.get("store"), options.get("notify"), options.get("timeout")
    async with single_flight(
        store, client, notify or _messages(client), TIMEOUT if timeout is None else timeout
    ) as theirs:
        if theirs is not None:
            return theirs
        if store is not None:
            await OpenStore(store).check_writable()
        plan = planned(
            client,
            options.get("flow"),
            tuple(options.get("allowed_flows", CHOOSABLE)),
            opener=options.get("open_browser") is not None,
            pastes=options.get("paste") is not None,
            confirms=options.get("confirm") is not None,
        )
        return await session.sign_in(
            client,
            plan,
            notify=notify or _messages(client, plan),
            store=store,
            open_browser=options.get("open_browser"),
            timeout=timeout,
            controls=options.get("controls"),
            message=options.get("message", ""),
            paste=options.get("paste"),
            confirm=options.get("confirm"),
            exchanges=notify not in (None, silent),
        )


def _messages(client: ClientConfig, plan: Plan | None = None) -> Notify:
    from loopback_auth.terminal.messages import Messages  # Start-up.

    name = client.provider.shown_name
    return Messages(name, authority="", plan=plan, qr=False).tell
