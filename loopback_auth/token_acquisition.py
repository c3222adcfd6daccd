"""Get a sign-in with a usable token: the kept one, a renewed one, or a new one from the user.

All sources of one sign-in share a `TokenAcquisition`. In one process it renews or asks once for all threads
and event loops; between processes the locks of the store see to that. What the store has is read again before
each decision, and is never replaced by what is in memory, but for tokens that it has not taken so far.

A renewal needs nothing of a caller's loop, so it runs in a thread, and that loop may be closed meanwhile. The
user is asked in the loop of the caller, where `notify`, `open_browser` and `confirm` belong.

Source: RFC 9700 §4.14.2; RFC 6750 §3.1; RFC 9470 §4.
"""

from __future__ import annotations

import os
import time

from loopback_auth.api import login
from loopback_auth.errors import ConfigError, NotKept, SignInRequired, StoreError, TokenError, Unavailable
from loopback_auth.events import Event, Notify, Warned
from loopback_auth.flows.requirement import Found, Requirement
from loopback_auth.model import ClientConfig
from loopback_auth.network.shared_call import SharedCall, Work
from loopback_auth.signin.callers import Awaiting, Blocking, Telling
from loopback_auth.signin.confirming import check_not_within, marked
from loopback_auth.signin.notifier import Notifier
from loopback_auth.signin.process_state import REFUSED_FOR, ProcessState, wanted
from loopback_auth.signin.stores import OpenStore, Store
from loopback_auth.signin.unsaved_tokens import UnsavedTokens
from loopback_auth.token_cache import TokenCache
from loopback_auth.tokens import SignIn
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol, Unpack

    from loopback_auth.options import Options

    class Ask(Protocol):
        """A function that asks the user to sign in, as `login` does."""

        async def __call__(self, client: ClientConfig, **options: Unpack[Options]) -> SignIn:
            """Ask the user."""
            ...


class TokenAcquisition:
    """Gets sign-ins with usable tokens for all sources of one kept sign-in.

    Args:
        name: under which it is kept.
        store: where it is kept.
        options: of `login`.
        cache: what is remembered between calls.
        ask: asks the user; None: `login`.
    """

    def __init__(
        self, name: str, store: Store, options: Options, cache: TokenCache, ask: Ask | None = None
    ) -> None:
        self._name = name
        self._store = store
        self._options: Options = {**options, "store": store}
        if (confirm := options.get("confirm")) is not None:
            self._options["confirm"] = marked(confirm, self)
        self._notify = options.get("notify") or _warned
        program = options.get("program")
        self._command = program.command if program is not None else ""
        self._cache = cache
        self._ask = ask or login
        self._states = {os.getpid(): ProcessState(name, None)}

    @property
    def _state(self) -> ProcessState:
        process = os.getpid()
        state = self._states.get(process)
        if state is None:
            parent = next(reversed(self._states.values()))
            state = self._states.setdefault(process, ProcessState(self._name, parent))
        return state

    async def sign_in(self, needed: Requirement, caller: Awaiting | Blocking) -> SignIn:
        """Return a sign-in whose token is usable.

        Raises:
            SignInRequired: the user has to sign in, and must not be asked.
            LoopbackAuthError: the renewal or the sign-in failed.
        """
        try:
            return await self._obtained(needed, caller)
        except Unavailable as exc:
            # Its subclasses are about this machine and the server; a user could help there.
            if type(exc) is not Unavailable or not needed.steps_up:
                raise
            raise wanted(self._name, needed, hint=exc.hint) from exc

    async def _obtained(self, needed: Requirement, caller: Awaiting | Blocking) -> SignIn:
        """Return a sign-in that meets the requirement.

        Each round waits for the call that is under way, or looks at the store, decides, and renews or asks.
        The next round begins when another caller was faster, or when what was obtained is not enough.
        """
        asks = False  # Whether a renewal has shown that only the user can help.
        while True:
            call = self._state.call
            if call is not None:
                found, helps = await self._joined(call, needed, caller)
                if found is not None and needed.met(found) and self._lasts(found, needed):
                    return found
                asks = asks or helps
                continue
            ended = self._state.ended
            look = await self._readable(needed, caller)
            needed = needed.refusing(look.usable)
            if self._state.call is not None or self._state.ended != ended:
                continue  # Another caller was faster, and what was seen may be old.
            kept = look.usable
            if kept is not None and self._accepts(kept, needed):
                return kept
            renews = kept is not None and not asks and self._may_help(kept, needed)
            if renews:
                self._state.check_renewable(kept, needed)
            else:
                self._state.check_askable(look, needed, self._command)
            call = self._state.begin(None if renews else needed.client, ended)
            if call is None:
                continue
            self._state.note(look, needed, renews=renews)
            try:
                if kept is not None and renews:
                    got = await caller.renew(call, self._renewal(kept, needed), self._notify, self._store)
                else:
                    got = await caller.ask(call, self._question(look, needed))
            except (SignInRequired, TokenError):
                # Whatever the server calls it, only the user can help.
                if not (renews and needed.interactive):
                    raise
                asks = True
            else:
                if got is None or needed.still_lacks(got):
                    continue
                if self._lasts(got, needed):
                    return got
                if not renews:
                    raise ConfigError(
                        f"The sign-in to {self._name} came without an ID token.",
                        hint="Choose another flow: code, for example.",
                        parameter="flow",
                    )
                self._state.without_id_token = got.tokens

    async def logout(self, client: ClientConfig, caller: Awaiting | Blocking) -> bool:
        """Revoke the tokens, and delete them here in any case; return whether they were revoked.

        Raises:
            ConfigError: the user is being asked by the event loop that this caller blocks.
            LoopbackAuthError: the server did not revoke them.
        """
        # Start-up.
        from loopback_auth.signin.logout import logout
        from loopback_auth.store.damaged import Damaged, KeyUnreadable

        state = self._state
        if state.call is not None:
            caller.check(state.call)
        meant: ClientConfig | SignIn = client
        try:
            look = await self._look(Requirement(client, interactive=False), caller)
        except KeyUnreadable as exc:
            look = Found.compared(exc.sign_in, client)
        except Damaged:
            look = None
        if look is not None:
            if look.kept is None or look.foreign:
                return False
            meant = look.kept
        self._note_unsaved(None)

        async def end() -> bool:
            return await logout(
                meant,
                store=self._store,
                client_secret=client.client_secret,
                private_key=client.private_key,
                notify=self._notify,
                network=client.provider.network,
            )

        try:
            return await caller.run(end)
        finally:
            state.looks.clear()
            state.signed_in = False

    async def _joined(
        self, call: SharedCall[SignIn], needed: Requirement, caller: Awaiting | Blocking
    ) -> tuple[SignIn | None, bool]:
        """Wait for what another call does; return its result, and whether now only the user can help."""
        caller.check(call)
        check_not_within(self)
        try:
            return await caller.wait(call), False
        except Exception as exc:
            if call.about is None and needed.interactive and isinstance(exc, SignInRequired | TokenError):
                return None, True
            if call.about in (None, needed.client):
                raise
            return None, False  # The user was asked for something else.

    async def _look(self, needed: Requirement, caller: Awaiting | Blocking) -> Found:
        state = self._state
        unsaved = state.unsaved
        if unsaved is None:
            kept = await caller.load(self._store, self._name, state.looks)
        else:
            kept, done = await caller.run(lambda: unsaved.save_again(self._store))
            if done and state.unsaved is unsaved:
                self._note_unsaved(None)
        look = Found.compared(kept, needed.client, needed.of)
        state.signed_in = state.signed_in or look.usable is not None
        return look

    async def _readable(self, needed: Requirement, caller: Awaiting | Blocking) -> Found:
        """Look, and take what can never be read again for nothing: the user can sign in anew, once.

        Raises:
            SignInRequired: the user must not be asked.
            StoreError: the store failed.
        """
        try:
            return await self._look(needed, caller)
        except StoreError as exc:
            from loopback_auth.store.damaged import is_lost  # Start-up.

            if not is_lost(exc) or exc.message == self._state.lost:
                raise
            if not needed.interactive:
                raise SignInRequired(exc.message, hint=exc.hint) from exc
            return Found(None, lost=exc.message)

    def _note_unsaved(self, unsaved: UnsavedTokens | None) -> None:
        self._state.unsaved = unsaved
        self._cache.has_unsaved = unsaved is not None

    def _accepts(self, kept: SignIn, needed: Requirement) -> bool:
        if needed.refuses(kept) or needed.lacks_scope(kept):
            return False
        if needed.of == "id_token":
            return self._lasts(kept, needed)
        return self._state.unsaved is not None or self._cache.cached(kept, needed.leeway, 0) is not None

    def _lasts(self, got: SignIn, needed: Requirement) -> bool:
        """Return whether a sign-in that was just got has the token; its access token is new in any case."""
        if needed.of == "access_token":
            return True
        unrenewable = got.tokens.refresh_token is None or self._state.unsaved is not None
        leeway = 0.0 if needed.leeway is None and unrenewable else needed.leeway
        return got.tokens.fresh(time.time(), leeway, of="id_token")

    def _may_help(self, kept: SignIn, needed: Requirement) -> bool:
        """Return whether a renewal may bring what is wanted."""
        if needed.of == "id_token" and kept.tokens == self._state.without_id_token:
            return False
        return not needed.still_lacks(kept)

    def _renewal(self, kept: SignIn, needed: Requirement) -> Telling[SignIn]:
        state, client = self._state, needed.client
        forced = needed.refuses(kept) or self._cache.over(kept)

        async def renewal(notify: Notify) -> SignIn:
            from loopback_auth.signin.refresh import renew  # Start-up: not before a browser.

            self._check_refresh_token(kept)
            try:
                renewed = await renew(
                    kept,
                    store=self._store,
                    client_secret=client.client_secret,
                    private_key=client.private_key,
                    notify=notify,
                    force=forced,
                    leeway=needed.leeway,
                    of=needed.of,
                    network=client.provider.network,
                )
            except NotKept as exc:
                unsaved = UnsavedTokens.of(kept, exc, notify)
                self._note_unsaved(unsaved)
                renewed = unsaved.newer
            except SignInRequired as exc:
                newer = await OpenStore(self._store).load(self._name) if needed.of == "id_token" else None
                if newer is None or newer.tokens == kept.tokens:
                    state.dead = kept.tokens, time.monotonic() + REFUSED_FOR, exc.message, exc.hint
                    raise
                renewed = newer  # Without a new ID token, but others wait for the access token.
            self._cache.got(renewed)
            return renewed

        return renewal

    def _check_refresh_token(self, kept: SignIn) -> None:
        """Refuse to send a refresh token that this process has used, or its parent process may use."""
        state = self._state
        if state.unsaved is not None:
            # The refresh token in the store was used, and the one that came for it is not there.
            raise StoreError(
                f"The tokens for {self._name} cannot be renewed: the last ones are not kept yet.",
                hint="Check the store.",
                parameter="store",
            )
        if state.dead is not None and state.dead[0] == kept.tokens and time.monotonic() < state.dead[1]:
            raise SignInRequired(state.dead[2], hint=state.dead[3])
        if state.forked and not self._store.excludes_processes:
            raise SignInRequired(
                f"The tokens for {self._name} belong to the parent process.",
                hint="Use a store that processes can share, such as FileTokenStore.",
                parameter="store",
            )

    def _question(self, look: Found, needed: Requirement) -> Work[SignIn]:
        state, kept = self._state, look.kept
        client = needed.asking(kept)

        async def question() -> SignIn:
            now_kept = None if look.lost else await OpenStore(self._store).load(self._name)
            if (
                now_kept != kept
                and now_kept is not None
                and needed.met(now_kept)
                and self._accepts(now_kept, needed)
            ):
                return now_kept  # Another call has asked the user since this one looked.
            async with Notifier(self._notify) as notifier:
                if look.foreign:
                    text = f"The sign-in {self._name} is not for this client, and is replaced"
                    notifier.tell(Warned(f"{text}: {look.foreign}."))
                if look.lost:
                    notifier.tell(Warned(f"{look.lost.rstrip('.')}. The user signs in anew."))
                try:
                    signed_in = await self._ask(client, **self._options)
                except NotKept as exc:
                    unsaved = UnsavedTokens.of(kept, exc, notifier.tell)
                    self._note_unsaved(unsaved)
                    signed_in = unsaved.newer
            self._cache.got(signed_in)
            state.forked = False
            state.signed_in = True
            state.lost = look.lost
            return signed_in

        return question


def _warned(event: Event) -> None:
    """Show warnings on stderr, and nothing else."""
    if isinstance(event, Warned):
        from loopback_auth.terminal.line import write  # Start-up.

        write(Words.WARNING.format(text=event.text) + "\n")
