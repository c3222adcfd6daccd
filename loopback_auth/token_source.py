"""Access tokens for a program: the kept one, a renewed one, or one from a new sign-in.

    source = TokenSource(client, store=FileTokenStore(folder))
    await source.token()                                            # or source.token_sync(), in any thread

A fresh token is returned from memory, or read from the store with next to no imports; `token_cache` has the
rule for how long. All else is done by `token_acquisition`, which is imported at its first use.
"""

from __future__ import annotations

import time

from loopback_auth.flows.reuse import why_not_reusable
from loopback_auth.protocol.scope import union
from loopback_auth.records import replace
from loopback_auth.store import FileTokenStore
from loopback_auth.store.interface import TokenStore
from loopback_auth.token_cache import CachedToken, TokenCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Unpack

    from loopback_auth.flows.requirement import Requirement
    from loopback_auth.model import ClientConfig
    from loopback_auth.options import Options
    from loopback_auth.protocol.dpop_answers import Prover
    from loopback_auth.signin.stores import Store
    from loopback_auth.token_acquisition import Ask, TokenAcquisition
    from loopback_auth.token_proofs import Provers
    from loopback_auth.tokens import SignIn, Token


class TokenSource:
    """Returns a fresh access token; renews it, or asks the user to sign in, when that is needed.

    Any number of tasks, event loops and threads may use one source, and a process that was forked too: only
    one caller renews or asks, and all of them get the result. With a store that several processes share, such
    as `FileTokenStore`, that is so for all processes; what one of them has done, the others notice within a
    second.

    A kept sign-in is used only if it can still be read, and is for this client at this server, for the same
    resource and audience, and for at least the same scope; otherwise the user signs in again.

    Args:
        client: whose tokens; they are kept under its provider's name.
        interactive: ask the user when a token can be had in no other way; False: raise `SignInRequired`.
        leeway: seconds for which a token must still be valid; None: 60, or a tenth of its lifetime if that
            is less. It counts as None for tokens that live hardly longer or not at all. A token that has just
            been renewed is returned however short its lifetime is.
        options: those of `login`. Without `store`, tokens are kept in memory until the program ends.

    Raises:
        TypeError: there is no option of that name.
        ConfigError: an argument has the wrong type.
    """

    def __init__(
        self,
        client: ClientConfig,
        *,
        interactive: bool = True,
        leeway: float | None = None,
        **options: Unpack[Options],
    ) -> None:
        _check(client, interactive, leeway, options)
        store = options.pop("store", None)
        if store is None:
            from loopback_auth.store.memory import MemoryTokenStore  # Start-up.

            store = MemoryTokenStore()
        self._client = client
        self._interactive = interactive
        self._leeway = leeway
        self._shared = _Shared(client.provider.name, store, options)
        self._cached: CachedToken | None = None
        self._looks: dict[asyncio.AbstractEventLoop, asyncio.Task[str | None]] = {}

    @property
    def client(self) -> ClientConfig:
        """Whose tokens these are, and what it asks for."""
        return self._client

    @property
    def store(self) -> Store:
        """Where the tokens are kept."""
        return self._shared.store

    @property
    def interactive(self) -> bool:
        """Whether the user may be asked to sign in."""
        return self._interactive

    async def token(self, *, refused: str | None = None, challenge: str | None = None) -> str:
        """Return an access token that is valid for at least the leeway.

        Calls at the same time share one renewal or one sign-in and its result. It is cancelled when the last
        of those calls is. A token that is bound to a key is of use with a proof alone, which `headers` and
        the adapters in `loopback_auth.clients` make.

        Args:
            refused: an access token that a server did not accept (HTTP status 401). It is renewed, once for
                all callers: those that come later with the same one get the new one.
            challenge: the value of the server's `WWW-Authenticate` header (RFC 6750 §3). `invalid_token` acts
                as `refused`. With `insufficient_scope` the user is asked for the scope that is missing, and
                for all that was granted before; with `insufficient_user_authentication` (RFC 9470) to sign in
                again, as strongly and as recently as the server wants. A client for a resource also learns
                from it where the authorization server is found (RFC 9728 §5.1).

        Raises:
            SignInRequired: the user has to sign in, and must not be asked, or has just been asked for the
                same; its `scope`, `acr_values` and `max_age` say what a server asks for. It is a
                `StillRefused` if a server refuses tokens again and again although they are new.
            ConfigError: the flow that was used returns no access token.
            LoopbackAuthError: the renewal or the sign-in failed.
        """
        store = self._shared.store
        if refused is None and challenge is None:
            if (cached := self._cached_now()) is not None:
                return cached
            if isinstance(store, TokenStore) and (kept := await self._look_apart(store)) is not None:
                return kept
        changes = store.changes
        return self._token_of(await self.sign_in(refused=refused, challenge=challenge), changes)

    def token_sync(self, *, refused: str | None = None, challenge: str | None = None) -> str:
        """Return what `token` returns, from code without an event loop, or while one is running.

        Under a running loop this thread waits, and so does that loop. Ctrl-C cancels the call.
        """
        store = self._shared.store
        if refused is None and challenge is None:
            if (cached := self._cached_now()) is not None:
                return cached
            if isinstance(store, TokenStore) and (kept := self._look(store)) is not None:
                return kept
        changes = store.changes
        return self._token_of(self.sign_in_sync(refused=refused, challenge=challenge), changes)

    async def sign_in(
        self, *, refused: str | None = None, challenge: str | None = None, of: Token = "access_token"
    ) -> SignIn:
        """Return the sign-in that `token` takes its token from: account, expiry, ID token, granted scope.

        Arguments and errors are those of `token`, and there is one more.

        Args:
            refused: as of `token`; with `of="id_token"` it is the ID token that a server did not accept.
            challenge: as of `token`.
            of: which token is valid for at least the leeway: some services, such as Kubernetes, take the ID
                token, which has a lifetime of its own. If a renewal brings none, the user has to sign in.

        Raises:
            ConfigError: an ID token is wanted, and the client does not ask for one (scope `openid`), or the
                flow that was used brings none.
        """
        from loopback_auth.signin.callers import Awaiting  # Start-up.

        caller = Awaiting()
        return await self._shared.acquisition().sign_in(self._requirement(refused, challenge, of), caller)

    def sign_in_sync(
        self, *, refused: str | None = None, challenge: str | None = None, of: Token = "access_token"
    ) -> SignIn:
        """Return what `sign_in` returns, from code without an event loop, or while one is running.

        A kept one that is fresh is read with few imports, as a command needs it that runs all the time.
        """
        needed = self._requirement(refused, challenge, of)
        if refused is None and challenge is None and (kept := self._kept(of)) is not None:
            return kept
        from loopback_auth.signin.callers import Blocking, run_blocking  # Start-up.

        return run_blocking(self._shared.acquisition().sign_in(needed, Blocking()))

    async def headers(self, method: str = "", url: str = "") -> dict[str, str]:
        """Return the headers that an HTTP request needs.

        A token that is bound to a key (`ClientConfig.dpop`) needs a proof, which is for one request alone. A
        server that wants a nonce in it (RFC 9449 §9) refuses this proof; the adapters in
        `loopback_auth.clients` send another one then.

        Args:
            method: of the request, such as `GET`; not needed for a bearer token.
            url: of the request; not needed for a bearer token.

        Raises:
            ConfigError: the token is bound to a key, and method or URL is missing.
            LoopbackAuthError: as of `token`.

        Source: RFC 6750 §2.1; RFC 9449 §7.1.
        """
        prover = await self.prover(await self.token())
        # The user may have signed in anew, because the key of the last token was lost.
        return _headers(await self.token(), prover, method, url)

    def headers_sync(self, method: str = "", url: str = "") -> dict[str, str]:
        """Return what `headers` returns, from code without an event loop, or while one is running."""
        prover = self.prover_sync(self.token_sync())
        return _headers(self.token_sync(), prover, method, url)

    async def prover(self, token: str) -> Prover | None:
        """Return what makes the proofs for a token that this source has returned; None: it needs none.

        For what sends requests itself, as the adapters in `loopback_auth.clients` do.

        Args:
            token: that `token` has just returned.

        Raises:
            ConfigError: the key cannot be used, or the extra `oidc` is missing.
            LoopbackAuthError: as of `token`.

        Source: RFC 9449 §7.1.
        """
        if self._is_bearer(token):
            return None
        provers = self._shared.provers()
        return provers.of(token, None if provers.known(token) else await self.sign_in())

    def prover_sync(self, token: str) -> Prover | None:
        """Return what `prover` returns, from code without an event loop, or while one is running."""
        if self._is_bearer(token):
            return None
        provers = self._shared.provers()
        return provers.of(token, None if provers.known(token) else self.sign_in_sync())

    def with_scope(self, scope: str) -> TokenSource:
        """Return a source of tokens that have this scope too, over the same store.

        The user signs in again when it is needed for the first time. Both sources then use the same tokens.

        Args:
            scope: separated by spaces.

        Raises:
            ConfigError: it is not a string.
        """
        from loopback_auth.field_checks import check_text  # Whatever has made the client has imported it.

        check_text(scope, "scope")
        return self._derived(replace(self._client, scope=union(self._client.scope, scope)), self._interactive)

    def without_asking(self) -> TokenSource:
        """Return a source of the same tokens, over the same store, that never asks the user.

        It renews tokens, and raises `SignInRequired` where the user would have to sign in.
        """
        return self._derived(self._client, interactive=False)

    def _derived(self, client: ClientConfig, interactive: bool) -> TokenSource:
        source = TokenSource.__new__(TokenSource)
        source._client, source._interactive = client, interactive
        source._leeway, source._shared = self._leeway, self._shared
        source._cached, source._looks = None, {}
        return source

    async def logout(self) -> bool:
        """Revoke the tokens at the server, and delete them here in any case.

        Returns:
            Whether they were revoked; False if the server offers no revocation, or if this client is not
            signed in.

        Raises:
            LoopbackAuthError: the server did not revoke them; here they are deleted all the same.

        Source: RFC 7009 §2.
        """
        from loopback_auth.signin.callers import Awaiting  # Start-up.

        self._cached = None
        return await self._shared.acquisition().logout(self._client, Awaiting())

    def logout_sync(self) -> bool:
        """Do what `logout` does, from code without an event loop, or while one is running."""
        from loopback_auth.signin.callers import Blocking, run_blocking  # Start-up.

        self._cached = None
        return run_blocking(self._shared.acquisition().logout(self._client, Blocking()))

    def _token_of(self, sign_in: SignIn, changes: int) -> str:
        """Return the token of a sign-in; remember it, if the store has not changed since the count."""
        token, shared = _access_token(sign_in), self._shared
        self._cached = (
            None if shared.cache.has_unsaved else shared.cache.cached(sign_in, self._leeway, changes)
        )
        return token

    def _is_bearer(self, token: str) -> bool:
        """Return whether a token is known to be bound to no key; False in doubt."""
        cached = self._cached
        return cached is not None and cached.bearer and cached.token == token

    def _cached_now(self) -> str | None:
        """Return the token in memory, if neither it nor the look at the store is too old."""
        cached = self._cached
        if cached is None or cached.changes != self._shared.store.changes:
            return None
        if time.monotonic() < cached.look_at and cached.since <= time.time() < cached.until:
            return cached.token
        return None

    async def _look_apart(self, store: TokenStore) -> str | None:
        # Start-up.
        from loopback_auth.network.shared_call import shared_look
        from loopback_auth.network.threads import apart, check_asyncio

        check_asyncio()
        return await shared_look(self._looks, lambda: apart(self._look, store))

    def _look(self, store: TokenStore) -> str | None:
        """Return the token that the store has, if it is fresh; None in every doubtful case."""
        shared, before = self._shared, self._cached
        if shared.cache.has_unsaved:
            return None
        changes, cached = store.changes, None
        if before is not None:
            # The others need not wait for this look.
            self._cached = before.until_next_look()
        try:
            kept = store.glance(shared.name) if type(store) is FileTokenStore else store.load(shared.name)
            if kept is not None and kept.tokens.access_token and not why_not_reusable(kept, self._client):
                cached = shared.cache.cached(kept, self._leeway, changes)
        except Exception:
            # What is wrong is explained when the token in memory is no longer fresh.
            return self._cached_now()
        self._cached = cached
        return cached.token if cached is not None else None

    def _kept(self, of: Token) -> SignIn | None:
        """Return the sign-in that the store has, if its token is fresh; None in every doubtful case."""
        shared, store = self._shared, self._shared.store
        if shared.cache.has_unsaved or not isinstance(store, TokenStore):
            return None
        try:
            kept = store.load(shared.name)
            if kept is None or why_not_reusable(kept, self._client):
                return None
            if of == "id_token":
                fresh = kept.tokens.fresh(time.time(), self._leeway, of=of)
            else:
                cached = shared.cache.cached(kept, self._leeway, store.changes)
                fresh = cached is not None and bool(cached.token)
        except Exception:
            return None  # What is wrong is explained where it matters.
        return kept if fresh else None

    def _requirement(self, refused: str | None, challenge: str | None, of: Token) -> Requirement:
        # Start-up.
        from loopback_auth.errors import ConfigError
        from loopback_auth.field_checks import check_choice, check_text
        from loopback_auth.flows.requirement import Requirement

        for name, value in (("refused", refused), ("challenge", challenge)):
            if value is not None:
                check_text(value, name)
        check_choice(of, ("access_token", "id_token"), "of")
        if of == "id_token" and not {"openid", "id_token"} & {
            *self._client.scope.split(),
            *self._client.response_type.split(),
        }:
            raise ConfigError(
                "There is no ID token without the scope openid.",
                hint="Add openid to the scope of the client.",
                parameter="scope",
            )
        needed = Requirement(self._client, self._interactive, self._leeway, refused or "", of=of)
        if not challenge:
            return needed
        from loopback_auth.flows.requirement import challenged  # Start-up.

        latest = self._cached.token if self._cached is not None and of == "access_token" else ""
        return challenged(needed, challenge, latest=latest)


class _Shared:
    """What all sources of one sign-in share: the store, the cache and what renews.

    Args:
        name: under which it is kept.
        store: where it is kept.
        options: of `login`, but for the store.
    """

    def __init__(self, name: str, store: Store, options: Options) -> None:
        self.name = name
        self.store = store
        self.cache = TokenCache()
        self.ask: Ask | None = None
        """Asks the user in place of `login`."""
        self._options = options
        self._acquisitions: dict[str, TokenAcquisition] = {}
        """At most one, by the sign-in's name: if several threads make one, `setdefault` keeps the first."""
        self._provers: dict[str, Provers] = {}

    def acquisition(self) -> TokenAcquisition:
        """Return what renews the tokens, or asks the user."""
        found = self._acquisitions.get(self.name)
        if found is None:
            from loopback_auth.token_acquisition import TokenAcquisition  # Start-up.

            made = TokenAcquisition(self.name, self.store, self._options, self.cache, self.ask)
            found = self._acquisitions.setdefault(self.name, made)
        return found

    def provers(self) -> Provers:
        """Return what makes the proofs of bound tokens."""
        found = self._provers.get(self.name)
        if found is None:
            from loopback_auth.token_proofs import Provers  # Start-up.

            found = self._provers.setdefault(self.name, Provers())
        return found


def _headers(token: str, prover: Prover | None, method: str, url: str) -> dict[str, str]:
    if prover is None:
        return {"Authorization": f"Bearer {token}"}
    from loopback_auth.token_proofs import bound_headers  # Start-up.

    return bound_headers(token, prover, method, url)


def _check(client: object, interactive: object, leeway: object, options: Options) -> None:
    """Check the arguments; a plain call needs no import for that."""
    from loopback_auth.model import ClientConfig  # A program that has a client has imported it.

    plain = isinstance(client, ClientConfig) and interactive in (True, False) and leeway is None
    if plain and options.keys() <= {"store"} and isinstance(options.get("store"), FileTokenStore):
        return
    # Start-up.
    from loopback_auth.errors import ConfigError
    from loopback_auth.field_checks import check_seconds
    from loopback_auth.signin.option_checks import check_arguments

    check_arguments("TokenSource", client, options)
    if not isinstance(interactive, bool):
        raise ConfigError(
            f"interactive must be True or False, not a value of type {type(interactive).__name__}."
        )
    if leeway is not None:
        check_seconds(leeway, "leeway")


def _access_token(sign_in: SignIn) -> str:
    if not sign_in.tokens.access_token:
        from loopback_auth.errors import ConfigError  # Start-up.

        raise ConfigError(
            f"The sign-in to {sign_in.name} says who signed in, but it came without an access token.",
            hint="Choose another flow: code, for example.",
            parameter="flow",
        )
    return sign_in.tokens.access_token
