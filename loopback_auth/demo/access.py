"""Admit access tokens where they are used: at the UserInfo endpoint and at the protected resources.

A token is accepted only at the resource that it was issued for (RFC 8707 §2), and a refusal says where the
metadata of the resource is (RFC 9728 §5.1) and which scope it needs (RFC 6750 §3).
"""

from __future__ import annotations

from dataclasses import dataclass

from loopback_auth.demo.grants import Issued, Ledger
from loopback_auth.demo.wire import Refused, bearer_token
from loopback_auth.http_messages import HttpRequest

REALM = 'realm="demo"'


@dataclass(frozen=True, slots=True)
class Guard:
    """What an endpoint demands of an access token.

    Args:
        resources: URLs of which the token must be issued for one; empty: any will do.
        unbound: accept a token that was issued for no resource at all.
        scope: names that the token must have.
        metadata: URL of the protected resource metadata; empty: there are none.
    """

    resources: tuple[str, ...] = ()
    unbound: bool = True
    scope: tuple[str, ...] = ()
    metadata: str = ""

    def challenge(self, error: str = "", scope: tuple[str, ...] = ()) -> str:
        """Write the value of `WWW-Authenticate`.

        Source: RFC 6750 §3; RFC 9728 §5.1.
        """
        named = scope or self.scope
        parts = [
            f"Bearer {REALM}",
            f'error="{error}"' if error else "",
            f'scope="{" ".join(named)}"' if named else "",
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

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def issued(self, request: HttpRequest, guard: Guard, now: float) -> Issued:
        """Return what the access token of a request stands for, or refuse with a challenge.

        Source: RFC 6750 §2.1, §3.1; RFC 8707 §2.
        """
        if not request.header("authorization").lower().startswith("bearer"):
            # RFC 6750 §3.1: without credentials the challenge names no error
            raise Refused(
                "invalid_request", "An access token is needed.", status=401, challenge=guard.challenge()
            )
        token = bearer_token(request)
        if not token:
            challenge = guard.challenge("invalid_request")
            raise Refused("invalid_request", "One access token is needed.", challenge=challenge)
        issued = self._ledger.access_tokens.get(token)
        if issued is None or not self._ledger.valid(issued, now):
            raise _invalid("The access token is unknown, expired or revoked.", guard)
        if not guard.fits(issued):
            raise _invalid("The access token was issued for another resource.", guard)
        demand_scope(issued, guard, guard.scope)
        return issued


def demand_scope(issued: Issued, guard: Guard, scope: tuple[str, ...]) -> None:
    """Refuse a token that lacks a scope; the challenge names all that the request needs.

    Source: RFC 6750 §3.1.
    """
    if set(scope) <= set(issued.scope):
        return
    description = "The access token has not the scope that is needed."
    challenge = guard.challenge("insufficient_scope", scope)
    raise Refused("insufficient_scope", description, status=403, challenge=challenge)


def _invalid(description: str, guard: Guard) -> Refused:
    return Refused("invalid_token", description, status=401, challenge=guard.challenge("invalid_token"))
