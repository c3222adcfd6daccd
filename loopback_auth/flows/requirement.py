"""What one caller requires of a token, and whether a kept sign-in meets that.

Refuses to know where sign-ins are kept, and how one is renewed.

Source: RFC 6749 §3.3; RFC 6750 §3.1; RFC 9470 §3, §4.
"""

from __future__ import annotations

from loopback_auth.flows.reuse import (
    scope_unasked,
    why_bound_otherwise,
    why_foreign,
    why_not_reusable,
    widened,
)
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.challenge import challenges, demands_bound_tokens, token_challenge
from loopback_auth.protocol.scope import scope_missing
from loopback_auth.records import dataclass, replace
from loopback_auth.tokens import SignIn, Token

UNNAMED = "a scope without a name"
"""Why the user is asked where a resource wants more scope, and does not say which."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """How a server wants the user to be authenticated.

    Args:
        acr_values: the ways that it accepts, best first, separated by spaces; empty when it does not say.
        max_age: seconds for which an earlier authentication is good enough; None when it does not say.

    Source: RFC 9470 §3.
    """

    acr_values: str = ""
    max_age: int | None = None

    def __str__(self) -> str:
        age = "" if self.max_age is None else f"max_age={self.max_age}"
        return " ".join(filter(None, (self.acr_values and f"acr_values={self.acr_values}", age)))


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one call requires of a token.

    Args:
        client: whose tokens, with which scope.
        interactive: the user may be asked to sign in.
        leeway: seconds for which the token must still be valid; None: see `freshness`.
        refused: a token that a server did not accept; empty when there is none.
        challenge_scope: the scope that a server asks for, and that the token must have been granted.
        of: which token has to be usable.
        authentication: what a server asks for that refused the token; a renewed one would not do.
        unnamed_scope: the resource that the client is for asks for more scope, and leaves it to its metadata
            to name it.
        challenge: of the resource that the client is for (see `ClientConfig`); empty: none is known.
    """

    client: ClientConfig
    interactive: bool
    leeway: float | None = None
    refused: str = ""
    challenge_scope: str = ""
    of: Token = "access_token"
    authentication: Authentication | None = None
    unnamed_scope: bool = False
    challenge: str = ""

    def token(self, sign_in: SignIn) -> str:
        """Return the token that has to be usable; empty when a sign-in has none."""
        if self.of == "access_token":
            return sign_in.tokens.access_token
        return sign_in.id_token.raw if sign_in.id_token is not None else ""

    def refuses(self, sign_in: SignIn) -> bool:
        """Return whether a sign-in has the token that a server did not accept."""
        return bool(self.refused) and self.token(sign_in) == self.refused

    @property
    def reason(self) -> str | None:
        """What the user is asked for beside a sign-in, in a word; empty: another token; None: nothing."""
        if self.unnamed_scope:
            return UNNAMED
        if self.challenge_scope or self.authentication is None:
            return self.challenge_scope or ("" if self.refused else None)
        return f"authentication {self.authentication}"

    @property
    def steps_up(self) -> bool:
        """Whether a server wants what no renewal brings: more scope, or another authentication."""
        return bool(self.challenge_scope) or self._wants_another

    @property
    def _wants_another(self) -> bool:
        """Whether the tokens of the kept sign-in will not do, whatever their scope."""
        return self.authentication is not None or self.unnamed_scope

    def refusing(self, kept: SignIn | None) -> Requirement:
        """Return the requirement that says which token was refused.

        A caller may know the challenge alone; then it was the kept token, if another sign-in is wanted.
        """
        if not self._wants_another or self.refused or kept is None:
            return self
        return replace(self, refused=self.token(kept))

    def asking(self, kept: SignIn | None) -> ClientConfig:
        """Return the client that the user is asked to sign in for.

        Args:
            kept: the sign-in that is kept; nothing that was granted with it is lost.

        Source: RFC 6750 §3.1; RFC 9470 §4; MCP authorization specification 2025-11-25, "Scope Challenge
        Handling".
        """
        client, scope = self.client, self.challenge_scope
        if self.challenge:
            client = replace(client, challenge=self.challenge)
            found = token_challenge(self.challenge)
            scope = found.scope if found is not None else ""
        if self.authentication is not None:
            how = self.authentication
            client = replace(client, acr_values=how.acr_values or client.acr_values)
            client = replace(client, max_age=client.max_age if how.max_age is None else how.max_age)
        return widened(client, kept, scope)

    def lacks_scope(self, sign_in: SignIn) -> bool:
        """Return whether a server wants more scope than a sign-in has been granted."""
        if not self.challenge_scope:
            return False
        missing = scope_missing(requested=self.challenge_scope, tokens=sign_in.tokens, quirks=sign_in.quirks)
        # A server that refuses a token with this scope calls the scope by another name.
        return bool(missing) or self.refuses(sign_in)

    def still_lacks(self, sign_in: SignIn) -> bool:
        """Return whether a sign-in that was just got has not brought what a server asks for."""
        return self.lacks_scope(sign_in) or (self._wants_another and self.refuses(sign_in))

    def met(self, sign_in: SignIn) -> bool:
        """Return whether a sign-in that another call has got is what this one wants, too."""
        if why_not_reusable(sign_in, self.client):
            return False
        return bool(self.token(sign_in)) and not self.refuses(sign_in) and not self.lacks_scope(sign_in)


def challenged(needed: Requirement, challenge: str, *, latest: str) -> Requirement:
    """Return what a call wants after a server has refused its token.

    Args:
        needed: what it wanted before.
        challenge: value of the `WWW-Authenticate` header; untrusted.
        latest: the token that was returned last, which is the refused one unless the call names it.

    Source: RFC 6750 §3.1; RFC 9470 §3; RFC 9728 §5.1; RFC 9449 §7.1.
    """
    found = token_challenge(challenge)
    if found is None:
        return needed
    if needed.client.resource_server:
        needed = replace(needed, challenge=challenge)
        if needed.client.dpop is None and demands_bound_tokens(challenges(challenge)):
            # A resource may begin to demand them; a renewal keeps a bearer token what it is.
            needed = replace(needed, client=replace(needed.client, dpop=True))
    match found.error:
        case "insufficient_scope":
            if needed.challenge and not found.scope:
                return replace(needed, unnamed_scope=True, refused=needed.refused or latest)
            # Without the scope's name there is nothing that the user could be asked for.
            return replace(needed, challenge_scope=found.scope)
        case "insufficient_user_authentication":
            how = Authentication(found.acr_values, found.max_age)
            return replace(needed, authentication=how, refused=needed.refused or latest)
        case "invalid_token":
            return replace(needed, refused=needed.refused or latest)
        case _:
            return needed


@dataclass(frozen=True, slots=True)
class Found:
    """What a store has for a client.

    Args:
        kept: the sign-in; None when there is none.
        foreign: why it is not for the client, as a clause.
        unasked: the scopes that it lacks, separated by spaces.
        of: which token has to be usable.
        otherwise_bound: why it will not do, as a clause, because of a key or because there is none.
        lost: why it can never be read again, as a sentence; empty when it can.
    """

    kept: SignIn | None
    foreign: str = ""
    unasked: str = ""
    of: Token = "access_token"
    otherwise_bound: str = ""
    lost: str = ""

    @classmethod
    def compared(cls, kept: SignIn | None, client: ClientConfig, of: Token = "access_token") -> Found:
        """Compare what is kept with what a client wants."""
        if kept is None:
            return cls(None)
        foreign = why_foreign(kept, client)
        unasked = "" if foreign else " ".join(scope_unasked(kept, client))
        return cls(kept, foreign, unasked, of, why_bound_otherwise(kept, client))

    @property
    def usable(self) -> SignIn | None:
        """The sign-in, if its tokens are what the client wants."""
        return None if self.why else self.kept

    @property
    def why(self) -> str:
        """Why the sign-in is not the wanted one, as a clause; empty when it is, or when there is none."""
        if self.kept is None or self.foreign:
            return self.foreign
        if self.otherwise_bound:
            return self.otherwise_bound
        if self.unasked:
            return f"it was made without the scope {self.unasked}"
        if self.of == "id_token" or self.kept.tokens.access_token:
            return ""
        return "it has no access token"
