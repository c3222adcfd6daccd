"""The door for other programs: sign a person in and keep the tokens, from async code or without a loop.

    sign_in = await login(client)                                   # opens the browser, returns tokens

What comes afterwards is `token_source`, which signs in once and then renews, and `signin.refresh`.

Everything here is cancellable: cancelling the task closes the port, the browser's wait and the connections.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence

from loopback_auth import pages, words
from loopback_auth.effects import UNOBSERVED, Observer
from loopback_auth.errors import DENIALS, AttemptCancelled, AttemptExpired, LoopbackAuthError, OAuthError
from loopback_auth.events import Notify, Warned, silent
from loopback_auth.flows.catalog import FlowOptions
from loopback_auth.model import ClientConfig, HttpResponse, SignIn
from loopback_auth.network.browser import Opening, open_browser
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.network.threads import apart, check_asyncio, run_sync
from loopback_auth.plan.model import APPROVED_BY_ANYBODY, ROUTES, Plan
from loopback_auth.signin.attempt import TIMEOUT, SignInAttempt
from loopback_auth.signin.controls import Controls
from loopback_auth.signin.driver import Driver, Paste
from loopback_auth.signin.embedded_plan import planned
from loopback_auth.signin.refresh import can_verify_signatures, keep_new
from loopback_auth.signin.resources import OpenBrowser
from loopback_auth.signin.single_flight import leading
from loopback_auth.store.interface import TokenStore

Confirm = Callable[[SignIn], bool | Awaitable[bool]]


async def login(
    client: ClientConfig,
    *,
    store: TokenStore | None = None,
    notify: Notify | None = None,
    open_browser: OpenBrowser | None = None,
    start_page: bool = True,
    timeout: float | None = None,  # noqa: ASYNC109 - also the person's deadline, and part of the messages
    bound: BoundRedirect | None = None,
    flow: str | None = None,
    allowed_flows: Sequence[str] = ROUTES,
    plan: Plan | None = None,
    controls: Controls | None = None,
    message: str = "",
    paste: Paste | None = None,
    confirm: Confirm | None = None,
    exchanges: bool = True,
    observer: Observer = UNOBSERVED,
    alone: bool = False,
) -> SignIn:
    """Sign a person in, by whichever of the flows works here.

    Without `flow` and `plan` it is worked out what can work on this machine with this provider; flows are
    then open side by side, and the first valid answer wins. The result says which one that was, and why it
    was open.

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
        bound: a redirect URI that is bound already, with the browser on its way to the start page.
        flow: one of `flows.catalog.NAMES`, and no other.
        allowed_flows: those that may be chosen from, of `plan.model.ROUTES`.
        plan: the choice, made by the caller; see `plan.routes.plan`.
        controls: by which further flows can be begun while the sign-in is open.
        message: for the person on a ticket's approval page.
        paste: asks for a pasted address besides waiting for the redirect (see `terminal.paste`).
        confirm: asked before the sign-in is kept and handed out whether this is the right account; for flows
            that anybody could have approved (RFC 6749 §10.16). Without it such flows are opened only where
            `flow` or `plan` names them. A plain function is called in a thread.
        exchanges: tell `notify` of every HTTP exchange of ours, too, redacted; False saves the time for that.
        observer: sees everything unredacted, to record it; see `trace.recorder`.
        alone: ask a person although another process may be asking them already. Otherwise, with a
            `FileTokenStore`, of many processes one asks and all of them get what came of it.

    Raises:
        NoFlowAvailable: nothing that is allowed can work here; the reasons are listed.
        NotKept: the person has signed in, and the store does not take the tokens; the error has them.
        LoopbackAuthError: see `errors`; what went wrong is also told in the browser, if it is waiting.
    """
    check_asyncio()
    patience = TIMEOUT if timeout is None else timeout
    async with leading(None if alone else store, client, notify or _teller(client), patience) as theirs:
        if theirs is not None:
            return theirs
        pages.check_complete()
        if store is not None and bound is None:
            await apart(store.check_writable)
        if plan is None:
            own_opener = open_browser is not None
            plan = planned(
                client,
                flow,
                allowed_flows,
                opener=own_opener,
                pastes=paste is not None,
                confirms=confirm is not None,
            )
        conditions = FlowOptions(verify_signature=_verifies(client, plan), message=message)
        tell = notify or _teller(client, plan)
        under_way = SignInAttempt(
            client, plan, notify=tell, conditions=conditions, timeout=timeout, paste=paste
        )
        async with Driver(
            notify=under_way.tell,
            open_browser=open_browser or _opener(plan),
            start_page=start_page and plan.start_page,
            any_port=client.provider.redirect.ports == (0,) and plan.route("code") is not None,
            bound=bound,
            exchanges=exchanges and notify not in (None, silent),
            observer=observer,
            network=client.provider.network,
        ) as driver:
            return await _to_the_last_page(
                driver, under_way.run(driver, controls), store, confirm, under_way.tell
            )


async def _to_the_last_page(
    driver: Driver,
    signing_in: Coroutine[object, object, SignIn],
    store: TokenStore | None,
    confirm: Confirm | None,
    notify: Notify,
) -> SignIn:
    """Sign in, keep what came of it, and let the browser show how it ended."""
    try:
        sign_in = driver.remembering(await signing_in)
        if not await _confirmed(sign_in, confirm, driver, notify):
            account = sign_in.tokens.account or "an unknown account"
            raise AttemptCancelled(
                f"Login cancelled; the tokens for {account} were discarded.",
                hint="Sign in with the other account. What was approved can be removed at the provider.",
            )
        if store is not None:
            await keep_new(store, sign_in, notify)
    except LoopbackAuthError as exc:
        # Who has given up, or has not come all the time, will not come now.
        early = not isinstance(exc, (AttemptCancelled, AttemptExpired))
        await driver.finish(_failure(exc), early=early)
        raise
    except BaseException:
        await driver.finish(_given_up())
        raise
    await driver.finish(_success(sign_in))
    return sign_in


def login_sync(
    client: ClientConfig,
    *,
    store: TokenStore | None = None,
    notify: Notify | None = None,
    open_browser: OpenBrowser | None = None,
    start_page: bool = True,
    timeout: float = TIMEOUT,
    flow: str | None = None,
    allowed_flows: Sequence[str] = ROUTES,
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


def _verifies(client: ClientConfig, plan: Plan) -> bool:
    # Looking for a package takes longer than most steps of a sign-in, and few of them need it.
    wanted = "openid" in client.scope.split() or any("id_token" in route.flow for route in plan.routes)
    return wanted and can_verify_signatures()


def _teller(client: ClientConfig, plan: Plan | None = None) -> Notify:
    from loopback_auth.terminal.messages import Messages

    name = client.provider.shown_name
    return Messages(name, authority="", plan=plan, verbose=False, qr=False, pasting=False).tell


def _opener(plan: Plan) -> OpenBrowser:
    return open_browser if plan.opens else lambda _: Opening(why_not=plan.why_not)


async def _confirmed(sign_in: SignIn, confirm: Confirm | None, driver: Driver, notify: Notify) -> bool:
    """Ask where somebody else may have approved, or may have been faster than the person's browser."""
    if confirm is None and driver.doubted:
        notify(Warned(words.LINK_OPENED_AFTERWARDS))
    if confirm is None or not (driver.doubted or sign_in.flow in APPROVED_BY_ANYBODY):
        return True
    driver.ask_elsewhere(sign_in.tokens.account)
    answer = await apart(confirm, sign_in)
    return answer if isinstance(answer, bool) else await answer


def _success(sign_in: SignIn) -> HttpResponse:
    tokens = sign_in.tokens
    return pages.success(
        client=sign_in.client_id,
        provider=sign_in.name,
        account=tokens.account,
        scope=tokens.scope,
        detail=words.SUCCESS_SIMULATED if sign_in.simulated_person else "",
    )


def _failure(error: LoopbackAuthError) -> HttpResponse:
    if isinstance(error, OAuthError) and error.error in DENIALS:
        # A person who has just pressed the button need not learn what the protocol calls it.
        return pages.failure(message=words.FAILURE_DENIED, hint=error.hint, detail=error.message)
    return pages.failure(message=error.message, hint=error.hint)


def _given_up() -> HttpResponse:
    return pages.failure(
        title=words.CANCELLED_TITLE, message=words.CANCELLED_LEAD, hint=words.CANCELLED_ADVICE
    )
