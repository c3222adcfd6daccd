"""Which kept sign-in is for the host that a tool asks about, and its token: what all helpers share.

A token goes to the hosts that the settings name for it, and to no other. That holds too where the person has
named the sign-in in the tool's own settings, which may be for every host there is.

A tool asks many times a minute, each time in a new process. So there are two ways to a token:

- `token_at_a_glance` looks at the files alone. It has an answer if the token is fresh, and nothing has
  changed since the sign-in was compared with the settings.
- `fresh_token` does everything else: it compares, renews, asks the person, and says what is wrong.
"""

from __future__ import annotations

import os
import time

from loopback_auth.commands import the_store
from loopback_auth.folders import data_folder
from loopback_auth.outputs.credential import credential
from loopback_auth.outputs.hosts import Candidate, belongs_to, sign_in_for
from loopback_auth.settings import provider_name
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.store.settings_match import read_match, settings_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.errors import StoreError
    from loopback_auth.network.loopback import BoundRedirect
    from loopback_auth.outputs.credential import Credential
    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import SignIn


class Login:
    """Asks the person to sign in, for a tool whose settings say so; the last page stays up at the end."""

    def __init__(self) -> None:
        self._since = time.time()
        self._bounds: list[BoundRedirect] = []

    def __enter__(self) -> Login:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bounds:
            from loopback_auth.commands.login import serve_after_exit

            serve_after_exit(self._bounds)

    def __call__(self, name: str) -> None:
        """Do what the command `login` does.

        Args:
            name: of a provider or a sign-in.

        Raises:
            LoopbackAuthError: the person has not signed in.
        """
        from loopback_auth.commands._fresh import signed_in

        signed_in(name, self._bounds, since=self._since)


class TokenLookup:
    """Finds the sign-in for one question of a tool among those that are kept, and its token.

    Args:
        login: asks the person to sign in where only that helps; None: they are not asked.

    Raises:
        ConfigError: the configuration file cannot be read.
        StoreError: the folder with the sign-ins cannot be trusted.
    """

    def __init__(self, login: Login | None = None) -> None:
        self._login = login
        self._store: FileTokenStore = the_store()
        self._settings = KeptSettings(os.environ)

    def candidates(self, named: str = "") -> tuple[list[Candidate], list[StoreError]]:
        """Return what is kept, and what is wrong with the sign-ins that cannot be read.

        Args:
            named: one sign-in; empty: all.

        Raises:
            ConfigError: this cannot be a name, or a table in the configuration file cannot be used.
        """
        from loopback_auth.errors import StoreError

        found: list[Candidate] = []
        troubles: list[StoreError] = []
        for name in [provider_name(named)] if named else self._store.names():
            try:
                sign_in = self._glance(name) or self._store.load(name)
            except StoreError as exc:
                troubles.append(exc)
                continue
            if sign_in is not None:  # It was there when the folder was listed.
                hosts, user = self._settings.for_tools(sign_in)
                account = sign_in.tokens.account or ""
                found.append(Candidate(name, account, belongs_to(sign_in, hosts), user))
        return found, troubles

    def candidates_for(self, host: str, named: str = "") -> list[Candidate]:
        """Return the sign-ins whose tokens may be sent to a host; those that cannot be read are left out.

        Args:
            host: `host:port`, from `authority`.
            named: one sign-in; empty: all.

        Raises:
            ConfigError: as of `candidates`.
        """
        return [one for one in self.candidates(named)[0] if host in one.hosts]

    def candidate_for(self, host: str, *, named: str = "", user: str = "") -> Candidate | None:
        """Return the sign-in whose token may be sent to a host; None if nothing says that there is one.

        Args:
            host: `host:port`, from `authority`; empty: none that a token may be sent to.
            named: the sign-in that the tool's settings name; empty: whichever is for that host.
            user: the user name that the tool asks for; empty: any.

        Raises:
            SignInRequired: the named one is not there, it is not clear which one is meant, or the host is
                that of a provider at which the person is not signed in.
            ConfigError: the named one has a token that is not for this host.
            StoreError: there is none for this host, but one that cannot be read.
        """
        one = self.kept_candidate_for(host, named=named, user=user)
        if one is None and host and (providers := self._settings.providers_for(host)):
            from loopback_auth.commands._kept import how_to_sign_in
            from loopback_auth.errors import SignInRequired

            raise SignInRequired(
                f"You are not signed in to {' or '.join(providers)}, for {_shown(host)}.",
                hint=how_to_sign_in(providers[0]),
            )
        return one

    def kept_candidate_for(self, host: str, *, named: str = "", user: str = "") -> Candidate | None:
        """Return the same, but also None where the person could sign in for that host.

        Args:
            host: as of `candidate_for`.
            named: as of `candidate_for`.
            user: as of `candidate_for`.

        Raises:
            LoopbackAuthError: as of `candidate_for`.
        """
        found, troubles = self.candidates(named)
        if named and not found and not troubles and self._login is not None:
            self._login(named)
            found, troubles = self.candidates(named)
        several = [one.name for one in found if host in one.hosts]
        chosen = self._chosen_of(several) if len(several) > 1 else ""
        one = sign_in_for(host, found, user="" if named else user, chosen=chosen)
        if one is None and troubles:
            raise troubles[0]
        if one is None and named:
            raise self._why_not(host, provider_name(named), found)
        return one

    def token_at_a_glance(self, one: Candidate) -> Credential | None:
        """Return the token of a sign-in if it is fresh, and the sign-in is known to match the settings.

        None says nothing: then `fresh_token` has the answer. The caller knows that no variable says which
        sign-in is meant.

        Args:
            one: the sign-in.
        """
        from loopback_auth.freshness import fresh

        sign_in = self._glance(one.name)
        if sign_in is None or not one.hosts <= self._hosts_of(sign_in):
            return None
        tokens = sign_in.tokens
        if not fresh(obtained_at=tokens.obtained_at, expires_at=tokens.expires_at, now=time.time()):
            return None
        settings = settings_state(os.environ)
        # Without a configuration file there is nothing that a sign-in could fail to match.
        if settings and read_match(data_folder(os.environ), one.name, settings) is None:
            return None
        return credential(sign_in)

    def fresh_token(self, one: Candidate, *, force: bool = False, ask: bool = True) -> Credential:
        """Return the token of a sign-in, which is renewed if that is needed.

        Args:
            one: the sign-in.
            force: renew a fresh token too.
            ask: ask at a terminal for a client secret that is not set.

        Raises:
            LoopbackAuthError: there is no token that can be used.
        """
        from loopback_auth.cli import tell_error
        from loopback_auth.commands._fresh import fresh_sign_in
        from loopback_auth.errors import NotKept, SignInRequired, TokenError
        from loopback_auth.tokens import SignIn

        try:
            try:
                sign_in = fresh_sign_in(self._store, one.name, force=force, ask=ask)
            except (SignInRequired, TokenError):
                # Whatever the server calls it, only the person can help.
                if self._login is None:
                    raise
                self._login(one.name)
                sign_in = fresh_sign_in(self._store, one.name, ask=ask)
        except NotKept as exc:
            if not isinstance(exc.sign_in, SignIn):
                raise
            # The tool has the token at least this once.
            tell_error(exc)
            sign_in = exc.sign_in
        if not one.hosts <= self._hosts_of(sign_in):
            # The person may have signed in meanwhile, and elsewhere.
            raise SignInRequired(
                f"The sign-in {one.name} was replaced meanwhile, and its token is for other hosts.",
                hint="Run the command once more.",
            )
        return credential(sign_in)

    def is_kept_token(self, one: Candidate, secret: str) -> bool:
        """Return whether a secret is the token that is kept for a sign-in now.

        Args:
            one: the sign-in.
            secret: that a tool has; untrusted.
        """
        from hmac import compare_digest

        sign_in = self._store.load(one.name)
        token = sign_in.tokens.access_token if sign_in is not None else ""
        return bool(token) and compare_digest(token.encode(), secret.encode())

    def _hosts_of(self, sign_in: SignIn) -> frozenset[str]:
        return belongs_to(sign_in, self._settings.for_tools(sign_in)[0])

    def _chosen_of(self, names: list[str]) -> str:
        """Return which of several sign-ins is meant: the one in use, or else the chosen one."""
        from loopback_auth.commands._kept import in_use  # Most hosts have one sign-in.

        meant = in_use(self._store)
        return meant if meant in names else self._store.chosen()

    def _glance(self, name: str) -> SignIn | None:
        """Return what a glance at a kept sign-in shows; None in doubt, and when there is none."""
        try:
            return self._store.glance(name)
        except Exception:
            return None  # Reading it completely meets the same trouble, and explains it.

    def _why_not(self, host: str, name: str, found: list[Candidate]) -> Exception:
        """Return what to tell the person whose tool names a sign-in that is not for a host."""
        from loopback_auth.commands._kept import how_to_sign_in
        from loopback_auth.errors import ConfigError, SignInRequired

        sign_in = self._store.load(name) if found else None
        if sign_in is None:
            return SignInRequired(f"You are not signed in to {name}.", hint=how_to_sign_in(name))
        if why := self._settings.why_not_reusable(sign_in, name):
            return SignInRequired(
                f"The sign-in to {name} is not the one that the settings ask for: {why}.",
                hint=how_to_sign_in(name, "Sign in again"),
            )
        return ConfigError(
            f"The token of {name} is not for {_shown(host) or 'this address'}.",
            hint=self._how_to_add(host, sign_in) if host else "",
        )

    def _how_to_add(self, host: str, sign_in: SignIn) -> str:
        """Return the hint that gives a host to a token: which table, and the command that writes it."""
        from shlex import quote

        table = provider_name(sign_in.configured_as or sign_in.name)
        if sign_in.temporary:
            return "It is a token of the demonstration, which other tools cannot use."
        hosts, _ = self._settings.for_tools(sign_in)
        words = ["configure", table, "--hosts", ",".join((*hosts, _shown(host)))]
        if table not in self._settings.tables():
            server, issuer = sign_in.resource_server, sign_in.metadata.issuer
            if server or (issuer and table not in self._settings.providers()):
                words += ["--resource-server", server] if server else ["--issuer", issuer or ""]
            words += [] if sign_in.registered else ["--client-id", sign_in.client_id]
        heading = f'providers."{table}"' if "." in table else f"providers.{table}"
        return (
            f'If it is, add "{_shown(host)}" to hosts of [{heading}] in {self._settings.path}: '
            f"python -m loopback_auth {' '.join(map(quote, words))}"
        )


def _shown(host: str) -> str:
    return host.removesuffix(":443")
