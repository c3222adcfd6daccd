"""Record what the demo server has granted, with its codes and tokens.

A grant is the consent of one person to one client. Its code and all its tokens belong to it, so that revoking
the grant ends them together (RFC 6749 §4.1.2, RFC 9700 §4.14.2). Nothing is deleted while the server runs:
its memory grows with the sign-ins, which is acceptable only for tests and demonstrations.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from loopback_auth.demo.accounts import Account

CODE_LIFETIME = 60.0
REFRESH_LIFETIME = 14 * 86_400.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person allowed one client, and what the authorization request bound it to.

    Args:
        id: the same for all codes and tokens of the grant, so that they are revoked together.
        client_id: of the client.
        redirect_uri: of the authorization request; empty where the browser was not redirected.
        account: of the person who approved.
        scope: names that were granted.
        resource: where the access token may be used (RFC 8707 §2).
        code_challenge: its verifier is wanted with the code (RFC 7636 §4.6); empty: none is.
        nonce: for the ID token; empty: none was sent.
        auth_time: when the person signed in, in Unix seconds.
        dpop_jkt: thumbprint of the key that the code is bound to (RFC 9449 §10); empty: any, or none.
        acr: how the person was authenticated (OpenID Connect Core §2); empty: it is not stated.
    """

    id: str = field(repr=False)
    client_id: str
    redirect_uri: str
    account: Account
    scope: tuple[str, ...]
    resource: tuple[str, ...]
    code_challenge: str
    nonce: str = field(repr=False)
    auth_time: float
    dpop_jkt: str = ""
    acr: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A code, an access token or a refresh token: what it stands for, and until when.

    Args:
        grant: that it was issued for.
        scope: of the token; a refresh request may have asked for less than the grant has.
        expires_at: Unix seconds.
        resource: where an access token may be used (RFC 8707 §2); empty: anywhere.
        jkt: thumbprint of the key whose proofs it needs (RFC 9449 §5, §6); empty: it needs none.
    """

    grant: Grant
    scope: tuple[str, ...]
    expires_at: float
    resource: tuple[str, ...] = ()
    jkt: str = ""


class Ledger:
    """Keeps the grants of one server.

    Args:
        entropy: returns so many unguessable bytes.
    """

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self.entropy = entropy
        self.codes: dict[str, Issued] = {}
        self.access_tokens: dict[str, Issued] = {}
        self.refresh_tokens: dict[str, Issued] = {}
        self._spent: set[str] = set()
        self._revoked: set[str] = set()

    def unguessable(self) -> str:
        """Return 256 random bits in unpadded base64url."""
        return base64.urlsafe_b64encode(self.entropy(32)).rstrip(b"=").decode("ascii")

    def issue_code(self, grant: Grant, now: float) -> str:
        """Issue a code for a grant; it is valid for a minute, once (RFC 6749 §4.1.2)."""
        return self._issue(self.codes, Issued(grant, grant.scope, now + CODE_LIFETIME))

    def issue_access_token(
        self,
        grant: Grant,
        scope: tuple[str, ...],
        expires_at: float,
        resource: tuple[str, ...] = (),
        jkt: str = "",
    ) -> str:
        """Issue an access token for a grant, or for a part of its scope and its resources."""
        issued = Issued(grant, scope, expires_at, resource or grant.resource, jkt)
        return self._issue(self.access_tokens, issued)

    def issue_refresh_token(self, grant: Grant, now: float, jkt: str = "") -> str:
        """Issue the next refresh token of a grant; it always has the whole scope (RFC 6749 §6)."""
        expires_at = now + REFRESH_LIFETIME
        return self._issue(self.refresh_tokens, Issued(grant, grant.scope, expires_at, jkt=jkt))

    def _issue(self, book: dict[str, Issued], issued: Issued) -> str:
        value = self.unguessable()
        book[value] = issued
        return value

    def spend(self, value: str) -> bool:
        """Use a code or refresh token; False when it was used before, which revokes the grant."""
        if value in self._spent:
            self.revoke(self._found(value).grant)
            return False
        self._spent.add(value)
        return True

    def revoke(self, grant: Grant) -> None:
        """Revoke a grant with its code and all its tokens."""
        self._revoked.add(grant.id)

    def expire_access_tokens(self) -> None:
        """Let every access token that was issued so far expire; refresh tokens stay valid."""
        for token, issued in list(self.access_tokens.items()):
            self.access_tokens[token] = replace(issued, expires_at=0.0)

    def revoke_all(self) -> None:
        """Revoke every grant, with its codes and all its tokens."""
        self._revoked.update(issued.grant.id for issued in self._all())

    def revoke_client(self, client_id: str) -> None:
        """Revoke every grant to a client."""
        self._revoked.update(one.grant.id for one in self._all() if one.grant.client_id == client_id)

    def _all(self) -> list[Issued]:
        books = (self.codes, self.access_tokens, self.refresh_tokens)
        return [issued for book in books for issued in list(book.values())]

    def valid(self, issued: Issued | None, now: float) -> bool:
        """Return whether a code or token exists, has not expired and is not revoked, used or not."""
        return issued is not None and now < issued.expires_at and issued.grant.id not in self._revoked

    def active(self, token: str, now: float) -> bool:
        """Return whether an access or refresh token would be accepted now."""
        issued = self.access_tokens.get(token) or self.refresh_tokens.get(token)
        return token not in self._spent and self.valid(issued, now)

    def _found(self, value: str) -> Issued:
        return self.codes.get(value) or self.refresh_tokens[value]
