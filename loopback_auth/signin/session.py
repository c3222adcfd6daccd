"""One sign-in from its plan to its last page: race the flows, confirm the account, keep the tokens.

Called with a plan: by `api.login`, which makes one, by the command `login` and by comparisons. Cancelling the
task closes the port and the connections.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable

from loopback_auth.authorization_messages import AuthorizationResponse, Callback
from loopback_auth.effects import UNOBSERVED, FlowResult, Observer, Send
from loopback_auth.environment import started_here
from loopback_auth.errors import AttemptCancelled, AttemptExpired, LoopbackAuthError, Unavailable
from loopback_auth.events import (
    CallbackReceived,
    Exchanged,
    Notify,
    SignInFailed,
    SignInSucceeded,
    Warned,
    silent,
)
from loopback_auth.flow_table import APPROVED_BY_ANYBODY
from loopback_auth.flows.catalog import FlowOptions
from loopback_auth.model import ClientConfig
from loopback_auth.network.browser import opener_of
from loopback_auth.network.loopback import BoundRedirect
from loopback_auth.network.threads import apart
from loopback_auth.pages import check_complete
from loopback_auth.plan.model import NO, Plan
from loopback_auth.program import Page, Program
from loopback_auth.records import prepare
from loopback_auth.signin.attempt import SignInAttempt
from loopback_auth.signin.controls import Controls
from loopback_auth.signin.embedded_plan import link_not_shown, not_waiting
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.outcome_pages import cancelled_page, failure_page, success_page
from loopback_auth.signin.pasting import AskForAddress, pasted_by
from loopback_auth.signin.refresh import can_verify_signatures
from loopback_auth.signin.resources import OpenBrowser, Resources
from loopback_auth.signin.stores import Store, keep_new, other_account
from loopback_auth.tokens import IdToken, SignIn, TokenSet
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.signin.client_resolver import ClientResolver

Confirm = Callable[[SignIn], bool | Awaitable[bool]]
"""Called with a sign-in; returns whether its account is the right one."""

Beside = Callable[[SignIn, SignIn], Awaitable[SignIn]]
"""Called with the kept sign-in of another account, and the new one; returns that under the name for it."""

AFTER_THE_CALLBACK = (
    *(AuthorizationResponse, Callback, CallbackReceived, Exchanged, FlowResult, IdToken, Page, Send, SignIn),
    *(SignInSucceeded, TokenSet),
)
"""Records of which the first instance is made while the browser waits for its last page."""


async def sign_in(
    client: ClientConfig,
    plan: Plan,
    *,
    notify: Notify,
    store: Store | None = None,
    open_browser: OpenBrowser | None = None,
    start_page: bool = True,
    timeout: float | None = None,  # noqa: ASYNC109 - also the user's deadline, and part of the messages
    bound: BoundRedirect | None = None,
    controls: Controls | None = None,
    message: str = "",
    paste: AskForAddress | None = None,
    confirm: Confirm | None = None,
    beside: Beside | None = None,
    exchanges: bool = False,
    observer: Observer = UNOBSERVED,
    program: Program | None = None,
) -> SignIn:
    """Sign a user in by the flows of a plan, and show the browser how it ended.

    Args:
        client: the client as registered, and what it asks for.
        plan: which flows there are, and when each begins.
        notify: called in this loop with each event, such as the link to show (see `events`).
        store: where the sign-in is kept; None: nowhere. The caller has checked that it can be written.
        open_browser: starts a browser on a URL; None: the browser of this machine, if the plan opens one.
        start_page: let the browser begin at a page on this machine; False: at the provider's URL.
        timeout: seconds that the user has to come back from the browser; None: `flow_table.TIMEOUT`, or the
            lifetime of a ticket or device code.
        bound: a redirect URI that is bound already, with the browser on its way to the start page.
        controls: begins further flows while the sign-in is open.
        message: shown to the user on the approval page of a ticket; empty: what a program with a name has
            to say of itself, the time and the machine.
        paste: asks for a pasted address while the program also waits for the redirect; a text is judged, and
            asked for again if it is not the right one.
        confirm: called before the sign-in is kept, if another person may have approved it
            (RFC 6749 §10.16). A plain function is called in a thread.
        beside: called before the sign-in would replace that of another account; it may give it another name.
        exchanges: report every HTTP exchange of this program to `notify`, redacted; that takes time.
        observer: sees everything unredacted, to record it; see `trace.recorder`.
        program: who speaks on the pages; None: a program without a name.

    Raises:
        NoFlowAvailable: no flow of the plan can work; the error lists the reasons.
        NotKept: the user has signed in, but the store did not take the tokens; the error has them.
        AttemptCancelled: the account was not the right one, or the user gave up.
        AttemptExpired: the user did not come back in time.
        LoopbackAuthError: see `errors`.
    """
    check_complete()
    prepare(*AFTER_THE_CALLBACK)
    message = message or _introduced(plan, program)

    def options(client: ClientConfig) -> FlowOptions:
        return FlowOptions(verify_signature=_verifies(client, plan), message=message)

    notifier = Notifier(notify)
    pastes = None if paste is None else partial(pasted_by, paste, notify=notifier.tell)
    attempt = SignInAttempt(
        client,
        plan,
        notify=notifier.tell,
        options=options,
        timeout=timeout,
        paste=pastes,
        resolver=_resolver(client, store, program),
    )
    async with (
        notifier,
        Resources(
            notify=attempt.tell,
            open_browser=opener_of(plan, open_browser),
            start_page=start_page and plan.start_page,
            any_port=_may_have_any_port(client) and plan.route("code") is not None,
            bound=bound,
            exchanges=exchanges,
            observer=observer,
            network=client.provider.network,
            program=program,
            not_waiting=_not_waiting(plan, notify),
        ) as resources,
    ):
        unwanted: AttemptCancelled | None = None
        try:
            signed_in = resources.remembering(await attempt.run(resources, controls))
            if not await _confirmed(signed_in, confirm, resources, attempt.tell):
                unwanted = _unwanted(signed_in, resources.pages.words)
                raise unwanted
            if store is not None:
                signed_in = await _named(signed_in, store, beside, resources)
                await keep_new(store, signed_in, attempt.tell)
        except LoopbackAuthError as exc:
            # A browser that did not come before the time was over, or the user gave up, will not come now.
            early = not isinstance(exc, (AttemptCancelled, AttemptExpired))
            cancelled = isinstance(exc, AttemptCancelled)
            attempt.tell(SignInFailed(exc.message, exc.hint, cancelled=cancelled))
            page = failure_page(exc, resources.pages, said=exc is unwanted)
            await resources.finish(page, early=early)
            raise
        except BaseException:
            words = resources.pages.words
            attempt.tell(SignInFailed(words.CANCELLED_LEAD, cancelled=True))
            await resources.finish(cancelled_page(resources.pages))
            raise
        attempt.tell(SignInSucceeded(signed_in.tokens.account, signed_in.flow))
        await resources.finish(success_page(signed_in, client.provider.shown_name, resources.pages))
    return signed_in


def _resolver(client: ClientConfig, store: Store | None, program: Program | None) -> ClientResolver | None:
    if not (client.resource_server or client.client_metadata):
        return None
    from loopback_auth.signin.client_resolver import ClientResolver  # Start-up: few clients need it.

    return ClientResolver(client.provider.client_auth, store, program)


def _may_have_any_port(client: ClientConfig) -> bool:
    # A redirect URI that the program registers itself is registered with its port.
    by_itself = client.client_metadata is not None and not client.client_id
    return client.provider.redirect.ports == (0,) and not by_itself


def _introduced(plan: Plan, program: Program | None) -> str:
    if program is None or not program.name or plan.route("ticket") is None:
        return ""
    return started_here(program.resolved_words())


def _verifies(client: ClientConfig, plan: Plan) -> bool:
    # Looking for a package takes longer than most steps of a sign-in, and few of them need it.
    wanted = "openid" in client.scope.split() or any("id_token" in route.flow for route in plan.routes)
    return wanted and can_verify_signatures()


def _not_waiting(plan: Plan, notify: Notify) -> Callable[[str], Unavailable] | None:
    """Return what makes the error for a link that was not opened; None: the user can open it."""
    if plan.simulated or plan.facts.waits.level != NO:
        return link_not_shown if notify is silent else None
    return partial(not_waiting, plan)


async def _confirmed(sign_in: SignIn, confirm: Confirm | None, resources: Resources, notify: Notify) -> bool:
    """Ask if another person may have approved, or may have opened the link first."""
    if confirm is None and resources.doubted:
        notify(Warned(resources.pages.words.LINK_OPENED_AFTERWARDS))
    if confirm is None or not (resources.doubted or sign_in.flow in APPROVED_BY_ANYBODY):
        return True
    resources.ask_elsewhere(sign_in.tokens.account)
    answer = await apart(confirm, sign_in)
    return bool(await answer if isawaitable(answer) else answer)


async def _named(sign_in: SignIn, store: Store, beside: Beside | None, resources: Resources) -> SignIn:
    """Return a sign-in under the name under which it is to be kept."""
    before = None if beside is None else await other_account(store, sign_in)
    if beside is None or before is None:
        return sign_in
    resources.ask_elsewhere(sign_in.tokens.account)
    return await beside(before, sign_in)


def _unwanted(sign_in: SignIn, words: Words) -> AttemptCancelled:
    account = sign_in.tokens.account or words.UNNAMED_ACCOUNT
    return AttemptCancelled(
        words.CANCELLED_ACCOUNT.format(account=account), hint=words.CANCELLED_ACCOUNT_ADVICE
    )
