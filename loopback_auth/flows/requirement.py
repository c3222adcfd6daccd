"""What one caller requires of a token, and whether a kept sign-in meets that.

Refuses to know where sign-ins are kept, and how one is renewed.

Source: RFC 6749 §3.3; RFC 6750 §3.1.
"""

from __future__ import annotations

from loopback_auth.flows.reuse import scope_unasked, why_foreign
from loopback_auth.model import ClientConfig
from loopback_auth.protocol.scope import scope_missing
from loopback_auth.records import dataclass
from loopback_auth.tokens import SignIn, Token


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one call wants.

    Args:
        client: whose tokens, with which scope.
        interactive: the user may be asked to sign in.
        leeway: seconds for which the token must still be valid; None: see `freshness`.
        refused: a token that a server did not accept; empty when there is none.
        challenge_scope: the scope that a server asks for, and that the token must have been granted.
        of: which token has to be usable.
    """

    client: ClientConfig
    interactive: bool
    leeway: float | None = None
    refused: str = ""
    challenge_scope: str = ""
    of: Token = "access_token"

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
        """What the user is asked for beside a sign-in: a scope, or (empty) another token; None: nothing."""
        return self.challenge_scope or ("" if self.refused else None)

    def lacks_scope(self, sign_in: SignIn) -> bool:
        """Return whether a server wants more scope than a sign-in has been granted."""
        if not self.challenge_scope:
            return False
        missing = scope_missing(requested=self.challenge_scope, tokens=sign_in.tokens, quirks=sign_in.quirks)
        # A server that refuses a token with this scope calls the scope by another name.
        return bool(missing) or self.refuses(sign_in)

    def met(self, sign_in: SignIn) -> bool:
        """Return whether a sign-in that another call has got is what this one wants, too."""
        if why_foreign(sign_in, self.client) or scope_unasked(sign_in, self.client):
            return False
        return bool(self.token(sign_in)) and not self.refuses(sign_in) and not self.lacks_scope(sign_in)


@dataclass(frozen=True, slots=True)
class Found:
    """What a store has for a client.

    Args:
        kept: the sign-in; None when there is none.
        foreign: why it is not for the client, as a clause.
        unasked: the scopes that it lacks, separated by spaces.
        of: which token has to be usable.
    """

    kept: SignIn | None
    foreign: str = ""
    unasked: str = ""
    of: Token = "access_token"

    @classmethod
    def compared(cls, kept: SignIn | None, client: ClientConfig, of: Token = "access_token") -> Found:
        """Compare what is kept with what a client wants."""
        if kept is None:
            return cls(None)
        foreign = why_foreign(kept, client)
        return cls(kept, foreign, "" if foreign else " ".join(scope_unasked(kept, client)), of)

    @property
    def usable(self) -> SignIn | None:
        """The sign-in, if its tokens are what the client wants."""
        return None if self.why else self.kept

    @property
    def why(self) -> str:
        """Why the sign-in is not the wanted one, as a clause; empty when it is, or when there is none."""
        if self.kept is None or self.foreign:
            return self.foreign
        if self.unasked:
            return f"it was made without the scope {self.unasked}"
        if self.of == "id_token" or self.kept.tokens.access_token:
            return ""
        return "it has no access token"
