"""What a sign-in brings: the tokens, and the record that is kept of them.

A `repr` never shows a secret. Times end in `_at` and are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.field_checks import check_types
from loopback_auth.freshness import fresh
from loopback_auth.model import ClientAuth, Network, ServerMetadata
from loopback_auth.quirks import NO_QUIRKS, Quirks
from loopback_auth.records import EMPTY, Literal, dataclass, field

DPOP = "DPoP"
"""The type of a token that is bound to a key, and the scheme with which it is sent (RFC 9449 §5, §7.1)."""

SignatureStatus = Literal["verified", "not verified"]


@dataclass(frozen=True, slots=True)
class IdToken:
    """An ID token whose claims were checked (OpenID Connect Core §2).

    Args:
        claims: its members.
        signature: whether the signature was checked too; over TLS it need not be (§3.1.3.7).
        raw: as received.
    """

    claims: Mapping[str, object] = field(repr=False)
    signature: SignatureStatus
    raw: str = field(repr=False)

    def __post_init__(self) -> None:
        check_types(self)

    @property
    def expires_at(self) -> float | None:
        """When it expires, in Unix seconds (`exp`); None where that claim is not a number."""
        expires_at = self.claims.get("exp")
        if not isinstance(expires_at, int | float):
            return None
        try:
            return float(expires_at)
        except OverflowError:
            return float("inf")


Token = Literal["access_token", "id_token"]
"""Which token: some services take the ID token, such as clusters and clouds."""


@dataclass(frozen=True, slots=True)
class TokenSet:
    """The tokens from a sign-in or a refresh. A pickle contains them; a `repr` does not.

    Args:
        access_token: one line of visible ASCII; empty when the response type has none.
        token_type: how the access token is used: `Bearer` (RFC 6750), or `DPoP` if it is bound to a key
            (RFC 9449).
        obtained_at: Unix seconds.
        expires_at: Unix seconds; None when the server did not say.
        refresh_token: gets new access tokens; None when the server issued none.
        scope: as granted, separated by spaces; the requested one when the server did not say (RFC 6749 §5.1).
        id_token: None unless OpenID Connect was used.
        account: who signed in, for people to read; empty when the server did not say.
        extra: the other members of the token response, unchecked, such as `instance_url`; a renewal adds and
            replaces members. Some are secret. An ID token that was not asked for is here, as `id_token`.
    """

    access_token: str = field(repr=False)
    token_type: str
    obtained_at: float
    expires_at: float | None = None
    refresh_token: str | None = field(default=None, repr=False)
    scope: str = ""
    id_token: IdToken | None = None
    account: str = ""
    extra: Mapping[str, object] = field(default=EMPTY, repr=False)

    def __post_init__(self) -> None:
        check_types(self)

    def fresh(
        self,
        now: float,
        leeway: float | None = None,
        *,
        of: Token = "access_token",
    ) -> bool:
        """Return whether a token will still be valid in `leeway` seconds (see `freshness.fresh`).

        Args:
            now: Unix seconds.
            leeway: seconds; None: 60, or a tenth of the lifetime if that is less.
            of: which token. The ID token has a lifetime of its own, and a renewal need not bring a new one;
                without one it is not fresh.

        Source: OpenID Connect Core 1.0 §2 (`exp`, `iat`), §12.2.
        """
        if of == "access_token":
            return fresh(obtained_at=self.obtained_at, expires_at=self.expires_at, now=now, leeway=leeway)
        expires_at = self.id_token.expires_at if self.id_token is not None else None
        if self.id_token is None or expires_at is None:
            return False
        issued_at = self.id_token.claims.get("iat")
        # The server's clock may be ahead.
        obtained_at = min(self.obtained_at, issued_at if isinstance(issued_at, int | float) else expires_at)
        return fresh(obtained_at=obtained_at, expires_at=expires_at, now=now, leeway=leeway)

    def alive(self, now: float) -> bool:
        """Return whether the access token has not expired yet, however soon it will."""
        return self.fresh(now, leeway=0.0)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A kept sign-in: enough to use, renew and revoke its tokens without any other setting.

    `to_json` and a pickle contain the tokens: keep them where no other user can read them.

    Args:
        name: under which it is kept: the provider's name, or the issuer's host.
        client_id: that the tokens belong to.
        client_auth: how the client authenticates; the secret itself is not kept.
        metadata: of the server.
        requested_scope: separated by spaces; `tokens` has the granted one.
        tokens: the latest.
        temporary: the server ended together with the sign-in (the built-in demonstration).
        simulated_person: a simulated person signed in, at the built-in demonstration.
        revoke_method: of the vendor's own revocation request, from `quirks` or from the ticket contract;
            empty: the server revokes as in RFC 7009.
        revoke_url: its address; the token goes into the Authorization header.
        flow: that brought the tokens, of all that were open.
        reason: why that flow was open, in a sentence for people.
        network: how the server is reached.
        quirks: the provider's, because a renewal reads no other setting.
        resource: what the tokens were requested for (RFC 8707 §2); a renewal names it again.
        audience: the same, where the server has its own parameter for it.
        resource_server: URL of the protected resource at which the server was found (RFC 9728); empty: the
            server was known.
        dpop_key: private key, as a JWK, that the tokens are bound to (RFC 9449); empty: they are not.
        registered: the program has registered the client by itself (RFC 7591), so that the secret of the
            client, if it has one, is in the store.
        configured_as: the name or address by which settings find the provider, where `name` is that of one of
            several accounts; empty: `name`.
    """

    name: str
    client_id: str
    client_auth: ClientAuth
    metadata: ServerMetadata
    requested_scope: str
    tokens: TokenSet
    temporary: bool = False
    simulated_person: bool = False
    revoke_method: str = ""
    revoke_url: str = ""
    flow: str = ""
    reason: str = ""
    network: Network = Network()
    quirks: Quirks = NO_QUIRKS
    resource: tuple[str, ...] = ()
    audience: str | None = None
    resource_server: str = ""
    dpop_key: Mapping[str, str] = field(default=EMPTY, repr=False)
    registered: bool = False
    configured_as: str = ""

    def __post_init__(self) -> None:
        check_types(self)

    def __repr__(self) -> str:
        names = ("name", "client_id", "account", "scope", "expires_at", "flow")
        return f"SignIn({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    @property
    def account(self) -> str:
        """Who signed in, for people to read; empty when the server did not say."""
        return self.tokens.account

    @property
    def expires_at(self) -> float | None:
        """When the access token expires, in Unix seconds; None when the server did not say."""
        return self.tokens.expires_at

    @property
    def scope(self) -> str:
        """The granted scope, separated by spaces (RFC 6749 §5.1)."""
        return self.tokens.scope

    @property
    def id_token(self) -> IdToken | None:
        """The checked ID token; None unless OpenID Connect was used."""
        return self.tokens.id_token

    def to_json(self) -> str:
        """Write the sign-in, with its tokens, as one JSON object in ASCII.

        Later versions of the package can read it, and earlier ones too, as `from_json` ignores what it does
        not know.

        Raises:
            StoreError: a claim of the ID token, or a member of `extra`, cannot be written as JSON.
        """
        # Start-up.
        from loopback_auth.errors import StoreError
        from loopback_auth.sign_in_format import written

        try:
            return written(self)
        except ValueError as exc:
            raise StoreError(f"The sign-in {self.name} cannot be written: {exc}.") from None

    @staticmethod
    def from_json(text: str | bytes) -> SignIn:
        """Read a sign-in from the text that `to_json` returned.

        Raises:
            StoreError: it is not such a text. The error quotes nothing of it.
        """
        # Start-up.
        from loopback_auth.errors import StoreError
        from loopback_auth.sign_in_format import read_as

        try:
            return read_as(SignIn, text)
        except ValueError as exc:
            raise StoreError(f"This is not the text of a sign-in: {exc}.", hint="Sign in again.") from None
