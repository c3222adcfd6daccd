"""Sign a user in from your own program, async or sync, and keep the tokens.

    sign_in = await login(client)                                   # opens the browser, returns tokens

`token_source` signs in once and renews the tokens afterwards; `signin.refresh` renews and revokes.

The browser is on its way before anything slow is imported, as with the command; hence the imports in
functions.

Cancelling the task cancels the sign-in: the port and the connections are closed, and a browser that waits for
its last page gets one.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext
from importlib import import_module

from loopback_auth.errors import LoopbackAuthError, NoFlowAvailable
from loopback_auth.flow_table import CHOOSABLE, TIMEOUT
from loopback_auth.network.browser import launch
from loopback_auth.plan.model import NO
from loopback_auth.plan.routes import parameters_of
from loopback_auth.signin.embedded_plan import link_not_shown, not_waiting, planned
from loopback_auth.signin.option_checks import (
    check_addresses,
    check_arguments,
    check_client_id,
    check_credentials,
)
from loopback_auth.store import FileTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from typing import Unpack

    from loopback_auth.events import Notify
    from loopback_auth.model import ClientConfig
    from loopback_auth.network.loopback import BoundRedirect
    from loopback_auth.options import Options
    from loopback_auth.plan.model import Plan
    from loopback_auth.tokens import SignIn


async def login(client: ClientConfig, **options: Unpack[Options]) -> SignIn:
    """Sign a user in by a flow that works here.

    Unless `flow` names one, the program finds out which flows can work on this machine with this provider.
    Several flows may then be open at the same time; the first valid answer wins. The result says which flow
    it came from, and why that flow was open. Of several calls with one store, one asks the user, and all of
    them get the result; of several processes, too, if the store excludes them (`FileTokenStore` does).

    Args:
        client: the client as registered, and what it asks for.
        store: where the sign-in is kept; None: nowhere.
        program: names your program on pages and in messages; None: they speak of "the program".
        notify: called in the loop of the sign-in with each event, such as the link to show; a plain function
            or a coroutine function (see `loopback_auth.events`). None: messages go to stderr. With `silent`
            nothing is shown; where no browser is opened either, that is refused.
        open_browser: opens a URL, as `webbrowser.open` does; any plain or async function. A plain one is
            called in a thread, so it may block. One that returns False, a string that says why not, or an
            exit status other than 0, or that raises, has opened nothing: then the link is what is left. An
            awaitable is awaited beside the sign-in, and cancelled when that ends. None: the browser of this
            machine, if one can be opened here.
        timeout: seconds that the user has to come back from the browser. The requests after that have
            limits of their own. None: 300, or the lifetime of a ticket or device code.
        flow: the only flow to use: `code`, `ticket`, `device`, `paste` or a response type of the implicit
            grant, such as `token`. None: choose.
        allowed_flows: the flows to choose from; all of `code`, `ticket`, `device` and `paste` unless set.
        confirm: called with the `SignIn` before it is kept and returned, for flows that another person could
            have approved (RFC 6749 §10.16); returns whether the account is the right one. Without it such
            flows are used only if `flow` names one. A plain function is called in a thread.
        paste: asks the user for the address on which the browser ended, and returns that text, while the
            program also waits for the redirect: `lambda request: input("Address: ")`. A wrong text is
            reported by `PasteRefused`, and asked for again. `request.url` is the link to open, which
            `PasteReady` shows. A plain function is called in a thread, and may block; a coroutine function
            is cancelled when the redirect comes first.
        controls: begins further flows while the sign-in is open, such as by a button of your program.
        wait: whether to wait for a user. None: not in CI jobs and under coding agents, where no user sees the
            link: `Unavailable` is raised at once. There the program waits only if your own `open_browser`
            has opened a page (not one of the module `webbrowser`), as a simulated user in tests does, or if
            `flow` is `paste` and your `paste` asks. True: wait all the same. False: never.
        message: shown to the user on the approval page of a ticket.

    Raises:
        TypeError: there is no option of that name.
        ConfigError: an argument has the wrong type or cannot work; nothing was opened.
        Unavailable: the program must not wait for a user here, or no user could see the link.
        NoFlowAvailable: none of the allowed flows can work here; the error lists the reasons.
        NotKept: the user has signed in, but the store did not take the tokens; the error has them.
        LoopbackAuthError: see `errors`. A browser that waits for its last page shows the reason, too.
    """
    from loopback_auth.network.threads import check_asyncio

    check_asyncio()
    check_arguments("login", client, options)
    check_client_id(client, options)
    return await _login(client, options, plan_of(client, options))


def login_sync(client: ClientConfig, **options: Unpack[Options]) -> SignIn:
    """Sign in from code without an event loop, or while one is running in this thread, as in a notebook.

    Arguments and errors are those of `login`. Under a running loop this thread waits, and so does that loop.
    Ctrl-C cancels the sign-in and is raised again.
    """
    check_arguments("login_sync", client, options)
    check_client_id(client, options)
    plan = plan_of(client, options)
    store = options.get("store")
    lock = store.sign_in_lock(client.provider.name) if isinstance(store, FileTokenStore) else None
    if _in_a_loop() or (store is not None and (lock is None or not lock.lead())):
        return _run(lambda: _login(client, options, plan))
    # Nothing has to be waited for, so the browser is on its way before asyncio is imported.
    with lock or nullcontext():
        if isinstance(store, FileTokenStore):
            store.check_writable()
            if registers(client):
                issuer = client.provider.metadata.issuer or ""
                client = with_ports(client, store.registered_ports(issuer))
        with _launched(client, options, plan) as bound:
            return _run(lambda: _signed_in(client, options, plan, bound))


def plan_of(client: ClientConfig, options: Options) -> Plan:
    """Plan a sign-in by the options of a program, or say why none can begin here.

    Args:
        client: the client, with its provider.
        options: as they were passed to `login`.

    Raises:
        ConfigError: an address, a private key or a resource cannot be used, or a credential is missing.
        Unavailable: the program must not wait for a user here, or no user could see the link.
        EndpointMissing: the provider does not offer the only flow.
        NoFlowAvailable: no flow can work; the error lists the reasons.
    """
    check_addresses(client)
    check_credentials(client)
    opener, flow = options.get("open_browser"), options.get("flow")
    pastes, wait = options.get("paste") is not None, options.get("wait")
    chosen = planned(
        client,
        flow,
        tuple(options.get("allowed_flows", CHOOSABLE)),
        opener=opener is not None,
        opens_here=_is_pythons_own(opener),
        pastes=pastes,
        confirms=options.get("confirm") is not None,
        wait=wait,
    )
    reaches_the_user = (opener is not None and not _is_pythons_own(opener)) or (pastes and flow == "paste")
    if chosen.facts.waits.level == NO and (wait is False or not reaches_the_user):
        raise not_waiting(chosen)
    if not chosen.routes:
        missing = parameters_of(chosen.refused)
        hint = f"The program can pass {' or '.join(missing.split())}, or name a flow." if missing else ""
        raise NoFlowAvailable(dict(chosen.refused), hint=hint, parameter=missing)
    if opener is None and not pastes and not chosen.opens and not _shows(options):
        raise link_not_shown("no browser is opened here")
    return chosen


def _is_pythons_own(opener: object) -> bool:
    """Return whether an opener is one of the module `webbrowser`: it opens what we would open."""
    from functools import partial

    while isinstance(opener, partial):
        opener = opener.func
    return getattr(opener, "__module__", "") == "webbrowser"


def _shows(options: Options) -> bool:
    from loopback_auth.events import silent  # Start-up.

    notify = options.get("notify")
    if notify is not None:
        return notify is not silent
    closed = sys.stderr is None or sys.stderr.closed
    return not closed and getattr(sys.stderr, "name", "") != os.devnull


def _in_a_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None
    except RuntimeError:
        return False


def _run(begin: Callable[[], Coroutine[object, object, SignIn]]) -> SignIn:
    from loopback_auth.network.threads import run_sync

    return run_sync(begin)


async def _login(client: ClientConfig, options: Options, plan: Plan) -> SignIn:
    from loopback_auth.events import SignInFailed, SignInSucceeded
    from loopback_auth.signin.notifier import Notifier
    from loopback_auth.signin.single_flight import single_flight
    from loopback_auth.signin.stores import OpenStore

    store, timeout = options.get("store"), options.get("timeout")
    begun = False
    async with Notifier(options.get("notify") or _messages(client, options)) as notifier:
        try:
            async with single_flight(
                store, client, notifier.tell, TIMEOUT if timeout is None else timeout
            ) as theirs:
                if theirs is not None:
                    notifier.tell(SignInSucceeded(theirs.tokens.account, theirs.flow))
                    return theirs
                if store is not None:
                    await OpenStore(store).check_writable()
                    if registers(client):
                        issuer = client.provider.metadata.issuer or ""
                        client = with_ports(client, await OpenStore(store).registered_ports(issuer))
                with _launched(client, options, plan) as bound:
                    begun = True
                    return await _signed_in(client, options, plan, bound)
        except LoopbackAuthError as exc:
            if not begun:
                notifier.tell(SignInFailed(exc.message, exc.hint))
            raise


def registers(client: ClientConfig) -> bool:
    """Return whether a client has no client ID yet, so that its redirect URI will be registered."""
    return not client.client_id and client.client_metadata is not None


def with_ports(client: ClientConfig, registered: tuple[int, ...]) -> ClientConfig:
    """Return a client that tries the ports first that are registered, as far as it may have them.

    Source: RFC 6749 §3.1.2.3 (a server may compare the whole redirect URI).
    """
    # Start-up: most clients are registered by hand.
    from loopback_auth.records import replace
    from loopback_auth.store.registered_ports import preferred_ports

    redirect = client.provider.redirect
    redirect = replace(redirect, ports=preferred_ports(redirect.ports, registered))
    return replace(client, provider=replace(client.provider, redirect=redirect))


@contextmanager
def _launched(client: ClientConfig, options: Options, plan: Plan) -> Generator[BoundRedirect | None]:
    redirect = client.provider.redirect
    bound = launch(
        plan,
        (redirect.host, redirect.ports, redirect.path),
        opener=options.get("open_browser"),
    )
    try:
        if bound is not None:
            bound.shown = False
        yield bound
    finally:
        if bound is not None:
            bound.close()


async def _signed_in(
    client: ClientConfig, options: Options, plan: Plan, bound: BoundRedirect | None
) -> SignIn:
    from loopback_auth.events import silent
    from loopback_auth.network.threads import apart

    # All that is slow, while the browser starts; in a thread, for a loop that has other things to do.
    session = await apart(import_module, "loopback_auth.signin.session")
    notify = options.get("notify")
    done: SignIn = await session.sign_in(
        client,
        plan,
        notify=notify or _messages(client, options, plan, bound),
        store=options.get("store"),
        open_browser=options.get("open_browser"),
        timeout=options.get("timeout"),
        bound=bound,
        controls=options.get("controls"),
        message=options.get("message", ""),
        paste=options.get("paste"),
        confirm=options.get("confirm"),
        exchanges=notify not in (None, silent),
        program=options.get("program"),
    )
    return done


def _messages(
    client: ClientConfig, options: Options, plan: Plan | None = None, bound: BoundRedirect | None = None
) -> Notify:
    # Start-up.
    from loopback_auth.terminal.messages import Messages
    from loopback_auth.terminal.notebook import notebook_line

    program = options.get("program")
    return Messages(
        client.provider.shown_name,
        authority=bound.authority if bound is not None else "",
        plan=plan,
        qr=False,
        program=program,
        line=notebook_line(program),
    ).tell
