"""Which kept sign-in a command means, how it is described, and how its client's secret is found again."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from loopback_auth.commands._accounts import load_without_key, login_finds, provider_of
from loopback_auth.environment import is_terminal
from loopback_auth.errors import ConfigError, SignInRequired, StoreError
from loopback_auth.settings import DEMO
from loopback_auth.settings.kept import KeptSettings
from loopback_auth.store import FileTokenStore, sign_in_name

ALIKE = 0.75
"""How alike two names are, of 1, where one is taken for a misspelling of the other: not github and gitlab."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from loopback_auth.registration import Registration
    from loopback_auth.tokens import SignIn


def kept(
    store: FileTokenStore, name: str, load: Callable[[FileTokenStore, str], SignIn | None] | None = None
) -> SignIn:
    """Load the named sign-in, or the one that is meant when none is named.

    Args:
        store: where it is kept.
        name: of a provider or of a sign-in, or an issuer; empty: the one that is in use.
        load: reads it. None: completely, with its key.

    Raises:
        SignInRequired: there is none.
        ConfigError: there are several, and neither the person nor the settings say which.
        StoreError: it cannot be read.
    """
    names = store.names()
    url = name if "://" in name else ""
    wanted = name_meant(store, name)
    if not wanted and names:
        raise ConfigError(
            f"There are several sign-ins: {', '.join(names)}.",
            hint="Name one of them, or choose one: python -m loopback_auth use NAME",
        )
    sign_in = (load or FileTokenStore.load)(store, wanted) if wanted else None
    # The addresses of two resources may lead to one name, and each token is for one of them.
    if sign_in is not None and url and sign_in.resource_server:
        from loopback_auth.flows.reuse import canonical_resource  # Start-up.

        if canonical_resource(url) != canonical_resource(sign_in.resource_server):
            sign_in = None
    if sign_in is None:
        where = f" to {_shown(url) if url else wanted}" if wanted else ""
        others = f"; you are signed in to {', '.join(names)}" if names else ""
        hint = how_to_sign_in(url or wanted)
        if not hint.startswith("Did"):
            hint = f"{_near(wanted, names)}{hint}"
        raise SignInRequired(f"You are not signed in{where}{others}.", hint=hint)
    return sign_in


def _near(name: str, names: tuple[str, ...]) -> str:
    """Return a question that names the kept sign-in with nearly this name; empty where there is none."""
    import difflib  # Start-up.

    near = difflib.get_close_matches(name, names, n=1, cutoff=ALIKE)
    return f"Did you mean {near[0]}? " if near else ""


def name_meant(store: FileTokenStore, name: str) -> str:
    """Return under which name the sign-in is kept that is meant; empty when nothing says which.

    Args:
        store: where it is kept.
        name: as for `kept`.

    Raises:
        ConfigError: this cannot be a name, or the settings cannot be read.
        StoreError: the folder cannot be read or trusted.
    """
    name = name.partition("://")[2].rstrip("/") or name if name else in_use(store)
    return sign_in_name(name) if name else ""


def in_use(store: FileTokenStore) -> str:
    """Return the name of the sign-in that is meant when none is named; empty when nothing says which.

    It is that of the provider in the settings, or the one that was chosen or made last, or the only one; a
    demonstration whose server has ended is not counted beside others. Of several accounts at the provider in
    the settings it is the chosen one.

    Raises:
        ConfigError: the settings cannot be read.
        StoreError: the folder cannot be read or trusted.
    """
    if meant := KeptSettings(os.environ).meant():
        return _account_in_use(store, sign_in_name(meant))
    if chosen := store.chosen():
        return chosen
    names = store.names()
    if len(names) > 1:
        names = tuple(name for name in names if not _is_temporary(store, name))
    return names[0] if len(names) == 1 else ""


def accounts_of(store: FileTokenStore, provider: str) -> tuple[str, ...]:
    """Return the names of the sign-ins at a provider; one that cannot be read is left out.

    Args:
        store: where they are kept.
        provider: the name under which the only one would be kept.

    Raises:
        StoreError: the folder cannot be read or trusted.
    """
    return tuple(name for name in store.names() if _provider_of(store, name) == provider)


def _account_in_use(store: FileTokenStore, provider: str) -> str:
    """Return the name of the sign-in at a provider: the chosen one, the only one, or that of its name."""
    chosen = store.chosen()
    if chosen and _provider_of(store, chosen) == provider:
        return chosen
    accounts = accounts_of(store, provider)
    return accounts[0] if len(accounts) == 1 else provider


def _provider_of(store: FileTokenStore, name: str) -> str:
    try:
        sign_in = load_without_key(store, name)
    except StoreError:
        return ""
    return provider_of(sign_in) if sign_in is not None else ""


def _shown(url: str) -> str:
    from loopback_auth.protocol.urls import shown_url  # Start-up.

    return shown_url(url).removesuffix("?...")


def _is_temporary(store: FileTokenStore, name: str) -> bool:
    try:
        sign_in = load_without_key(store, name)
    except StoreError:
        return False
    return sign_in is not None and sign_in.temporary


def how_to_sign_in(name: str, what: str = "Sign in", flags: str = "") -> str:
    """Return the hint for a name without a usable sign-in; empty: for any name.

    Args:
        name: of a sign-in or a provider, in the command only if there is a provider of that name; or the URL
            of a resource or an issuer.
        what: to do.
        flags: at the end of the command.
    """
    start = f"{what}: python -m loopback_auth login"
    if "://" in name:
        # An address may hold a secret, and is then not repeated.
        return f"{start} {name if _shown(name) == name else 'URL'} {flags}".rstrip()
    providers: tuple[str, ...] = ()
    if name and name != DEMO:
        with suppress(ConfigError):  # Said by the command that needs the settings.
            providers = KeptSettings(os.environ).providers()
    if not name or name == DEMO or name in providers:
        return " ".join(filter(None, (start, name, flags)))
    from loopback_auth.settings.reading import login_as, suggestion  # Start-up.

    if arguments := login_as(name, providers):
        return f"{start} {arguments} {flags}".rstrip()
    if "." in name:
        # An address has given the sign-in its name, which does not say the whole address.
        return f"{start} URL {flags}".rstrip()
    near = suggestion(name, providers)
    meant = f"{near} " if near.startswith("Did") else ""
    command = f"{start} PROVIDER {flags}".rstrip()
    return f"{meant}{command} (see: python -m loopback_auth providers)"


def how_to_sign_in_again(sign_in: SignIn, flags: str = "") -> str:
    """Return the hint for a kept sign-in that is of no use as it is.

    Args:
        sign_in: the kept one.
        flags: at the end of the command.
    """
    name = sign_in.resource_server or sign_in.name
    if not sign_in.resource_server and login_finds(sign_in):
        return f"Sign in again: python -m loopback_auth login {name} {flags}".rstrip()
    return how_to_sign_in(name, "Sign in again", flags)


def described(sign_in: SignIn) -> dict[str, object]:
    """Describe a sign-in without secrets, for JSON."""
    tokens = sign_in.tokens
    return {
        "name": sign_in.name,
        "provider": provider_of(sign_in),
        "resource_server": sign_in.resource_server.partition("?")[0] or None,
        "issuer": sign_in.metadata.issuer,
        "client_id": sign_in.client_id,
        "registered": sign_in.registered,
        "token_type": tokens.token_type,
        "account": tokens.account,
        "scope": tokens.scope,
        "obtained_at": tokens.obtained_at,
        "expires_at": tokens.expires_at,
        "fresh": tokens.fresh(time.time()),
        "refresh_token": tokens.refresh_token is not None,
        "id_token_signature": tokens.id_token.signature if tokens.id_token else None,
        "temporary": sign_in.temporary,
        "simulated_person": sign_in.simulated_person,
        "flow": sign_in.flow,
        "reason": sign_in.reason,
    }


def is_bound(sign_in: SignIn) -> bool:
    """Return whether the tokens are of no use without a key (RFC 9449 §5)."""
    return sign_in.tokens.token_type.lower() == "dpop"


def registration_at(issuer: str, client_id: str, store: FileTokenStore) -> Registration | None:
    """Return the registration of a client at an issuer; None for a client made by hand."""
    with suppress(StoreError):  # Said by what cannot do without it.
        found = store.read_registrations(issuer)
        return found.of(client_id) if found is not None else None
    return None


def private_key(sign_in: SignIn) -> str | None:
    """Find the private key of a client again that authenticates with one; None for others.

    Raises:
        ConfigError: the configuration file, or the file with the key, cannot be read.
    """
    if sign_in.client_auth != "private_key_jwt":
        return None
    return KeptSettings(os.environ).private_key(sign_in.client_id, sign_in.configured_as or sign_in.name)


def client_secret(sign_in: SignIn, *, ask: bool = True) -> str | None:
    """Find the secret of a confidential client again, or ask for it where there is a person.

    None for a client that has none, and for one that the program has registered: the store has its secret.

    Args:
        sign_in: of the client.
        ask: a person at the terminal may be asked.

    Raises:
        ConfigError: the configuration file cannot be read.
    """
    if sign_in.registered or sign_in.client_auth not in ("client_secret_basic", "client_secret_post"):
        return None
    provider = sign_in.configured_as or sign_in.name
    found = KeptSettings(os.environ).client_secret(sign_in.client_id, provider)
    if found is not None or not (ask and is_terminal(sys.stdin)):
        return found
    from loopback_auth.terminal.secret import ask_client_secret  # Start-up: scripts are not asked.

    return ask_client_secret(sign_in.name) or None
