"""A client that a program has registered by itself at an authorization server, as it is kept.

Source: RFC 7591 §3.2.1; RFC 7592 §3.
"""

from __future__ import annotations

from loopback_auth.field_checks import check_types
from loopback_auth.model import ClientAuth
from loopback_auth.records import dataclass, field


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

    def __post_init__(self) -> None:
        check_types(self)
