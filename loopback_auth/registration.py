"""Clients that a program has registered by itself at an authorization server, as they are kept.

Source: RFC 7591 §3.2.1; RFC 7592 §3.
"""

from __future__ import annotations

from loopback_auth.field_checks import check_types, refuse
from loopback_auth.model import ClientAuth
from loopback_auth.records import dataclass, field, replace

MOST = 16
"""Clients that are kept for one issuer; the one that was not used for the longest time gives way."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered client; it is of use at its issuer alone.

    Args:
        issuer: of the server where the client is registered.
        client_id: that the server has given.
        redirect_uris: as registered.
        client_auth: how the client authenticates.
        client_secret: that the server has given; None: none.
        client_secret_expires_at: Unix seconds; None: never.
        client_id_issued_at: Unix seconds; None: the server did not say.
        registration_client_uri: where the registration can be read, changed and deleted; empty: nowhere.
        registration_access_token: for that address.
        scope: that the registration asked for or has, separated by spaces; empty: it says nothing of scopes.
        key_thumbprint: of the client's own key, which is registered with it (RFC 7638); empty: it has none.
    """

    issuer: str
    client_id: str
    redirect_uris: tuple[str, ...]
    client_auth: ClientAuth = "none"
    client_secret: str | None = field(default=None, repr=False)
    client_secret_expires_at: float | None = None
    client_id_issued_at: float | None = None
    registration_client_uri: str = field(default="", repr=False)
    registration_access_token: str = field(default="", repr=False)
    scope: str = ""
    key_thumbprint: str = ""

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True, slots=True)
class Registrations:
    """The clients that are registered at one issuer, the one that was used last first.

    There is more than one where two sign-ins were under way at once on two ports, or where a later client has
    taken the place of one whose sign-ins still need its secret. `to_json` and a pickle contain the secrets:
    keep them where no other user can read them.

    Args:
        clients: one or more, all of one issuer.
    """

    clients: tuple[Registration, ...]

    def __post_init__(self) -> None:
        check_types(self)
        if len({one.issuer for one in self.clients}) != 1:
            refuse("clients must be registrations at one issuer.", "Keep those of each apart.", "clients")

    @property
    def issuer(self) -> str:
        """Identity of the server where all of them are registered."""
        return self.clients[0].issuer

    @property
    def redirect_uris(self) -> tuple[str, ...]:
        """All that are registered, in order."""
        return tuple(uri for one in self.clients for uri in one.redirect_uris)

    def of(self, client_id: str) -> Registration | None:
        """Return the registration of a client; None when there is none."""
        return next((one for one in self.clients if one.client_id == client_id), None)

    def used(self, registration: Registration) -> Registrations:
        """Return the same with one that has just been used; it replaces an earlier one of its client."""
        others = (one for one in self.clients if one.client_id != registration.client_id)
        return replace(self, clients=(registration, *others)[:MOST])

    def without(self, client_id: str) -> Registrations | None:
        """Return the same without a client; None when none is left."""
        left = tuple(one for one in self.clients if one.client_id != client_id)
        return replace(self, clients=left) if left else None

    def to_json(self) -> str:
        """Write the registrations, with their secrets, as one JSON object in ASCII."""
        from loopback_auth.sign_in_format import written  # Start-up.

        return written(self)

    @staticmethod
    def from_json(text: str | bytes) -> Registrations:
        """Read registrations from the text that `to_json` returned.

        Raises:
            StoreError: it is not such a text. The error quotes nothing of it.
        """
        # Start-up.
        from loopback_auth.errors import StoreError
        from loopback_auth.sign_in_format import read_as

        try:
            return read_as(Registrations, text)
        except ValueError as exc:
            raise StoreError(
                f"This is not the text of registrations: {exc}.", hint="Sign in again."
            ) from None
