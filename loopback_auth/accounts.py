"""Several users, or several accounts of one user, at one provider.

    accounts = Accounts(client, store=FileTokenStore(folder))
    await accounts.add()                                            # asks the user to sign in
    await accounts.source("alice@example.com").token()

Which account it is, is known only after the user has signed in, and only then is it decided under which name
the sign-in is kept. So a user who signs in with another account than was asked for replaces nothing.
"""

from __future__ import annotations

from contextlib import suppress

from loopback_auth.api import login
from loopback_auth.errors import SignInRequired, StoreError
from loopback_auth.field_checks import check_text
from loopback_auth.flows.reuse import why_foreign
from loopback_auth.model import ClientConfig
from loopback_auth.network.threads import run_sync
from loopback_auth.records import replace
from loopback_auth.redact import server_text
from loopback_auth.registration import Registrations
from loopback_auth.signin.stores import OpenStore, Store
from loopback_auth.store.account_name import account_name, may_be_account
from loopback_auth.store.async_interface import AsyncTokenStore
from loopback_auth.store.damaged import KeyUnreadable
from loopback_auth.store.interface import LOCK_TIMEOUT, TokenStore, raise_store_error
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import Unpack

    from loopback_auth.options import Options
    from loopback_auth.store.sign_in_lock import SignInLock


class Accounts:
    """The accounts that are signed in at one provider, over any store.

    For the user to choose another account than the browser is signed in with, many providers need
    `prompt="select_account"` in the client (OpenID Connect Core §3.1.2.1).

    Args:
        client: the client that all accounts use.
        interactive: as in `TokenSource`.
        leeway: as in `TokenSource`, in seconds.
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
        store = options.get("store")
        self._store: Store = MemoryTokenStore() if store is None else store
        self._options: Options = {**options, "store": self._store}
        # Made once here so that wrong arguments are refused now.
        TokenSource(client, interactive=interactive, leeway=leeway, **self._options)
        self._client = client
        self._interactive = interactive
        self._leeway = leeway
        self._sources: dict[str, TokenSource] = {}

    async def add(self) -> SignIn:
        """Ask the user to sign in, and keep that sign-in beside those of other accounts.

        If the account is there already, its tokens are replaced, and nothing else.

        Returns:
            The sign-in; its `account` is the one to ask `source` for.

        Raises:
            NotKept: the server does not say whose account it is, or the store did not take the tokens; the
                error has them.
            LoopbackAuthError: as from `login`.
        """
        return await _login(self._client, self._client.provider.name, self._options)

    def add_sync(self) -> SignIn:
        """Do what `add` does, from code without an event loop, or while one is running."""
        return run_sync(self.add)

    def list(self) -> tuple[SignIn, ...]:
        """Return the sign-ins of all accounts, in alphabetical order of the accounts.

        It blocks while the store is read. A store of your own needs the method `names` for that. A damaged
        sign-in is left out.

        Raises:
            StoreError: the store failed.
        """
        store = self._store
        try:
            # A forgotten return is a failure of the store, too.
            names = tuple(store.names() if isinstance(store, TokenStore) else run_sync(store.names))
        except Exception as exc:
            raise_store_error(exc)
        found: list[SignIn] = []
        for name in names:
            with suppress(StoreError):
                kept = self._load(name) if may_be_account(name, self._client.provider.name) else None
                if (
                    kept is not None
                    and name == self._name(kept.account)
                    and not why_foreign(kept, self._client)
                ):
                    found.append(kept)
        return tuple(sorted(found, key=lambda each: each.account))

    def source(self, account: str) -> TokenSource:
        """Return the source of tokens of one account; the same one each time. It blocks for one look.

        When the user has to sign in again, and does so with another account, that account is added, and
        `SignInRequired` is raised.

        Args:
            account: as in `SignIn.account`.

        Raises:
            SignInRequired: this account is not signed in; the error lists those that are.
            StoreError: the store failed.
        """
        name = self._name(account)
        try:
            kept = self._load(name)
        except KeyUnreadable as exc:
            kept = exc.sign_in  # It is there, to be renewed or to be removed.
        if kept is None or why_foreign(kept, self._client):
            there = ", ".join(each.account for each in self.list())
            raise SignInRequired(
                f"{server_text(account, 80)} is not signed in to {self._client.provider.shown_name}"
                + (f"; these accounts are: {there}." if there else ", and no other account is."),
                hint="Add the account, or choose another one." if there else "Add the account.",
            )
        return self._sources.get(name) or self._sources.setdefault(name, self._made(account, name))

    async def remove(self, account: str) -> bool:
        """Revoke the tokens of one account, and delete them here in any case.

        Returns:
            Whether they were revoked; False if the server offers no revocation.

        Raises:
            SignInRequired: this account is not signed in; the error lists those that are.
            LoopbackAuthError: the server did not revoke the tokens; here they are deleted all the same.
        """
        return await self.source(account).logout()

    def remove_sync(self, account: str) -> bool:
        """Do what `remove` does, from code without an event loop, or while one is running."""
        return run_sync(lambda: self.remove(account))

    def _made(self, account: str, name: str) -> TokenSource:
        client = self._client
        own = replace(
            client,
            provider=replace(client.provider, name=name, title=client.provider.shown_name),
            login_hint=client.login_hint or account,
        )
        return _AccountSource(
            own,
            account,
            client.provider.name,
            interactive=self._interactive,
            leeway=self._leeway,
            **self._options,
        )

    def _name(self, account: str) -> str:
        check_text(account, "account")
        return account_name(self._client.provider.name, account)

    def _load(self, name: str) -> SignIn | None:
        store = self._store
        if isinstance(store, TokenStore):
            return store.load(name)
        return run_sync(lambda: OpenStore(store).load(name))


class _AccountSource(TokenSource):
    """The source of one account, which keeps what another account brings under the name of that one."""

    def __init__(
        self,
        client: ClientConfig,
        account: str,
        provider: str,
        *,
        interactive: bool,
        leeway: float | None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(client, interactive=interactive, leeway=leeway, **options)

        async def ask(client: ClientConfig, **options: Unpack[Options]) -> SignIn:
            signed_in = await _login(client, provider, options)
            if signed_in.account != account:
                raise SignInRequired(
                    f"The user signed in as {signed_in.account} and not as {account}. Both are kept.",
                    hint=f"Sign out of {signed_in.account} in the browser, and sign in as {account}.",
                )
            return signed_in

        self._shared.ask = ask


async def _login(client: ClientConfig, provider: str, options: Options) -> SignIn:
    """Sign in, and keep the result under the name of its account.

    Args:
        client: asks; what is kept under its provider's name is used if another process has just got it.
        provider: with which the names of all accounts begin.
        options: of `login`, with a store.
    """
    by_account = _ByAccount(options.get("store") or MemoryTokenStore(), client.provider.name, provider)
    passed: Options = {**options, "store": by_account}
    signed_in = await login(client, **passed)
    return by_account.kept or signed_in


class _ByAccount(AsyncTokenStore):
    """A store in which the account decides under which name a new sign-in is kept.

    Args:
        store: has the sign-ins of all accounts.
        name: of the sign-in that is wanted.
        provider: with which the names of all accounts begin.
    """

    def __init__(self, store: Store, name: str, provider: str) -> None:
        self._opened = OpenStore(store)
        self._name = name
        self._provider = provider
        self._keeps = False
        self.excludes_processes = store.excludes_processes
        self.kept: SignIn | None = None

    async def read(self, name: str) -> SignIn | None:
        """Return what is kept for this account; once a new sign-in is being kept, only that one."""
        if self._keeps:
            return replace(self.kept, name=name) if self.kept is not None else None
        return None if name == self._provider else await self._opened.load(name)

    async def write(self, name: str, sign_in: SignIn | None) -> None:
        """Keep a sign-in under the name of its account."""
        if sign_in is None:
            return
        if not sign_in.account:
            raise StoreError(
                "the server does not say whose account it is.",
                hint="Request a scope that names the account, such as openid or email.",
                parameter="scope",
            )
        renamed = replace(sign_in, name=account_name(self._provider, sign_in.account))
        if renamed.name == name:
            await self._keep(renamed)
        else:
            async with self._opened.locked(renamed.name):
                await self._keep(renamed)

    def lock(
        self, name: str, timeout: float = LOCK_TIMEOUT
    ) -> AbstractAsyncContextManager[None] | AbstractContextManager[None]:
        """Return the lock of the store; it is taken for the wanted name when a new sign-in is being kept."""
        self._keeps = self._keeps or name == self._name
        return self._opened.store.lock(name, timeout)

    def sign_in_lock(self, name: str) -> SignInLock:
        """Return that of the store."""
        return self._opened.sign_in_lock(name)

    async def check_writable(self) -> None:
        """Check the store."""
        await self._opened.check_writable()

    async def read_registrations(self, issuer: str) -> Registrations | None:
        """Return those of the store: all accounts are signed in to by one client."""
        return await self._opened.registrations(issuer)

    async def write_registrations(self, issuer: str, registrations: Registrations | None) -> None:
        """Keep them in the store."""
        await self._opened.keep_registrations(issuer, registrations)

    async def registered_ports(self, issuer: str) -> tuple[int, ...]:
        """Return those of the store."""
        return await self._opened.registered_ports(issuer)

    async def _keep(self, sign_in: SignIn) -> None:
        before: SignIn | None = None
        try:
            before = await self._opened.load(sign_in.name)
        except KeyUnreadable as exc:
            before = exc.sign_in
        except StoreError:
            pass  # Saving says what is wrong; what is damaged is renamed.
        if (
            before is not None
            and _identity(before) != _identity(sign_in)
            and None not in (_identity(before), _identity(sign_in))
        ):
            raise StoreError(
                f"another user whose account is called {sign_in.account} too is signed in.",
                hint="Remove that account first.",
            )
        await self._opened.save(sign_in)
        self.kept = sign_in


def _identity(sign_in: SignIn) -> tuple[object, object] | None:
    """Return what identifies a user at all servers (OpenID Connect Core §5.7); None without an ID token."""
    id_token = sign_in.tokens.id_token
    return None if id_token is None else (id_token.claims.get("iss"), id_token.claims.get("sub"))
