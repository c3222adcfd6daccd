"""Admit access tokens where they are used: at the UserInfo endpoint and at the protected resources.

A token is accepted only at the resource that it was issued for (RFC 8707 §2), and a refusal says where the
metadata of the resource is (RFC 9728 §5.1) and which scope it needs (RFC 6750 §3). A token that is bound to a
key needs a proof of it with each request (RFC 9449 §7).
"""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.demo.grants import Issued, Ledger
from loopback_auth.demo.proofs import Proofs
from loopback_auth.demo.setup import DPOP_ALGORITHMS, Setup
from loopback_auth.demo.wire import Refused, credentials
from loopback_auth.http_messages import HttpRequest

UNAUTHENTICATED = "insufficient_user_authentication"
REALM = 'realm="demo"'


@dataclass(frozen=True, slots=True)
class Guard:
    """What an endpoint demands of an access token.

    Args:
        resources: URLs of which the token must be issued for one; empty: any will do.
        unbound: accept a token that was issued for no resource at all.
        scope: names that the token must have.
        metadata: URL of the protected resource metadata; empty: there are none.
        acr: how the person must have been authenticated (RFC 9470 §3); empty: in any way.
        max_age: seconds since then at most (the same); None: any number.
    """

    resources: tuple[str, ...] = ()
    unbound: bool = True
    scope: tuple[str, ...] = ()
    metadata: str = ""
    acr: str = ""
    max_age: int | None = None

    def challenge(self, error: str = "", scope: tuple[str, ...] = (), *, scheme: str = "Bearer") -> str:
        """Write the value of `WWW-Authenticate`.

        Source: RFC 6750 §3; RFC 9728 §5.1; RFC 9449 §7.1; RFC 9470 §3.
        """
        named = scope or self.scope
        parts = [
            f"{scheme} {REALM}",
            f'error="{error}"' if error else "",
            f'scope="{" ".join(named)}"' if named else "",
            f'acr_values="{self.acr}"' if error == UNAUTHENTICATED and self.acr else "",
            f'max_age="{self.max_age}"' if error == UNAUTHENTICATED and self.max_age is not None else "",
            f'algs="{" ".join(DPOP_ALGORITHMS)}"' if scheme == "DPoP" else "",
            f'resource_metadata="{self.metadata}"' if self.metadata else "",
        ]
        return ", ".join(filter(None, parts))

    def fits(self, issued: Issued) -> bool:
        """Return whether a token was issued for this endpoint (RFC 8707 §2)."""
        if not self.resources:
            return True
        return self.unbound if not issued.resource else not set(self.resources).isdisjoint(issued.resource)


class Access:
    """The check of access tokens, the same for every endpoint."""

    def __init__(self, setup: Setup, ledger: Ledger, proofs: Proofs) -> None:
        self._setup = setup
        self._ledger = ledger
        self._proofs = proofs

    def issued(self, request: HttpRequest, guard: Guard, now: float) -> Issued:
        """Return what the access token of a request stands for, or refuse with a challenge.

        Source: RFC 6750 §2.1, §3.1; RFC 8707 §2; RFC 9449 §7.
        """
        scheme, token = credentials(request)
        bound = scheme == "dpop" and self._proofs.on
        answer = "DPoP" if bound or self._setup.features.dpop == "required" else "Bearer"
        if not bound and scheme != "bearer":
            # RFC 6750 §3.1: without credentials the challenge names no error
            challenge = guard.challenge(scheme=answer)
            raise Refused("invalid_request", "An access token is needed.", status=401, challenge=challenge)
        if not token:
            challenge = guard.challenge("invalid_request", scheme=answer)
            raise Refused("invalid_request", "One access token is needed.", challenge=challenge)
        thumbprint = self._proven(request, token, guard, now) if bound else ""
        issued = self._ledger.access_tokens.get(token)
        if issued is None or not self._ledger.valid(issued, now):
            raise _invalid("The access token is unknown, expired or revoked.", guard, answer)
        # RFC 9449 §7.2: a bound token MUST NOT be accepted as a bearer token
        if issued.jkt != thumbprint:
            raise _invalid("The access token is bound to a key, and this does not prove it.", guard, "DPoP")
        if not bound and self._setup.features.dpop == "required":
            raise _invalid("The access token is not bound to a key.", guard, answer)
        faults = self._setup.faults
        if guard.resources and faults.refuse_tokens:
            raise _invalid("The access token is refused, whatever it is.", guard, answer)
        if not guard.fits(issued):
            raise _invalid("The access token was issued for another resource.", guard, answer)
        demand_scope(issued, guard, guard.scope, refused=bool(guard.resources) and faults.never_enough_scope)
        _demand_authentication(issued, guard, now)
        return issued

    def _proven(self, request: HttpRequest, token: str, guard: Guard, now: float) -> str:
        try:
            thumbprint = self._proofs.thumbprint(request, "resource", now, access_token=token)
        except Refused as refused:
            # RFC 9449 §7.1: at a resource the answer is a challenge
            challenge = guard.challenge(refused.error, scheme="DPoP")
            raise Refused(refused.error, refused.description, status=401, challenge=challenge) from None
        if thumbprint:
            return thumbprint
        challenge = guard.challenge("invalid_dpop_proof", scheme="DPoP")
        raise Refused("invalid_dpop_proof", "The proof is missing.", status=401, challenge=challenge)


def demand_scope(issued: Issued, guard: Guard, scope: tuple[str, ...], *, refused: bool = False) -> None:
    """Refuse a token that lacks a scope; the challenge names all that the request needs.

    Args:
        issued: the token.
        guard: of the endpoint.
        scope: names that the request needs.
        refused: for a fault: whatever the token has.

    Source: RFC 6750 §3.1.
    """
    if set(scope) <= set(issued.scope) and not refused:
        return
    description = "The access token has not the scope that is needed."
    challenge = guard.challenge("insufficient_scope", scope, scheme="DPoP" if issued.jkt else "Bearer")
    raise Refused("insufficient_scope", description, status=403, challenge=challenge)


def _demand_authentication(issued: Issued, guard: Guard, now: float) -> None:
    """Refuse a token whose person was authenticated too weakly, or too long ago.

    Source: RFC 9470 §3.
    """
    grant = issued.grant
    weak = guard.acr and grant.acr != guard.acr
    old = guard.max_age is not None and now - grant.auth_time > guard.max_age
    if weak or old:
        challenge = guard.challenge(UNAUTHENTICATED, scheme="DPoP" if issued.jkt else "Bearer")
        description = "The person must be authenticated again, or in another way."
        raise Refused(UNAUTHENTICATED, description, status=401, challenge=challenge)


def _invalid(description: str, guard: Guard, scheme: str) -> Refused:
    challenge = guard.challenge("invalid_token", scheme=scheme)
    return Refused("invalid_token", description, status=401, challenge=challenge)
