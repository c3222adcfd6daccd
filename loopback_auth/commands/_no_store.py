"""What `login --no-store` does with the tokens: it prints them, and keeps nothing of them.

A client that the program registers by itself is kept all the same: it is not a token, the server would keep
it in any case, and the next login uses it again. Giving it up would end the token that was just printed,
because a server should invalidate what it issued to a client that is deleted (RFC 7592 §2.3).
"""

from __future__ import annotations

from loopback_auth.cli import answer, print_json
from loopback_auth.commands._accounts import provider_of
from loopback_auth.commands._kept import is_bound
from loopback_auth.errors import ConfigError
from loopback_auth.store.memory import MemoryTokenStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.registration import Registrations
    from loopback_auth.settings import Settings
    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import SignIn

_HINT = "Leave --no-store out."


class NoStore(MemoryTokenStore):
    """Keeps no sign-in, and registrations where they are kept otherwise.

    Args:
        store: has the registrations.
    """

    def __init__(self, store: FileTokenStore) -> None:
        super().__init__()
        self._store = store

    def read_registrations(self, issuer: str) -> Registrations | None:
        """Return those of the store."""
        return self._store.read_registrations(issuer)

    def write_registrations(self, issuer: str, registrations: Registrations | None) -> None:
        """Keep them in the store."""
        self._store.write_registrations(issuer, registrations)

    def registered_ports(self, issuer: str) -> tuple[int, ...]:
        """Return those of the store."""
        return self._store.registered_ports(issuer)


def check_not_bound(settings: Settings) -> None:
    """Refuse tokens that are bound to a key: without a store the key is lost.

    Raises:
        ConfigError: the settings ask for them.
    """
    if settings.switch("dpop"):
        raise ConfigError(
            "Tokens that are bound to a key (DPoP) are of no use without it, and --no-store keeps no key.",
            hint=_HINT,
            parameter="dpop",
        )


def print_tokens(sign_in: SignIn, *, as_json: bool) -> None:
    """Print the access token; as JSON, all that is known of the tokens.

    Raises:
        ConfigError: there is no access token, or it is bound to a key that is lost.
    """
    tokens = sign_in.tokens
    if is_bound(sign_in):
        raise ConfigError(
            f"The server has bound the token for {sign_in.name} to a key (DPoP), which --no-store loses.",
            hint=_HINT,
        )
    if as_json:
        print_json(
            {
                "name": sign_in.name,
                "provider": provider_of(sign_in),
                "account": tokens.account,
                "access_token": tokens.access_token or None,
                "token_type": tokens.token_type,
                "expires_at": tokens.expires_at,
                "scope": tokens.scope,
                "refresh_token": tokens.refresh_token,
                "id_token": tokens.id_token.raw if tokens.id_token is not None else None,
            }
        )
    elif tokens.access_token:
        answer(tokens.access_token + "\n")
    else:
        raise ConfigError(
            f"The sign-in to {sign_in.name} says who you are, but it came without an access token.",
            hint="Add --json, which prints the ID token too, or choose another --flow.",
        )
