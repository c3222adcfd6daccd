"""The errors of this package, one tree so that one `except` suffices.

    LoopbackAuthError              .hint  .exit_code
      ConfigError                  we were told something impossible                        2
      Unavailable                  this flow cannot run here: the only reason to fall back  3
        RedirectUnavailable        no port of ours can be the redirect URI
        BrowserUnavailable         no browser could be started
        EndpointMissing            the server does not offer what the flow needs
        NoFlowAvailable            none of the flows that were allowed can run here: .reasons
      OAuthError                   the authorization server said no                         4
        AuthorizationError         at the authorization endpoint (RFC 6749 §4.1.2.1)
        TokenError                 at the token endpoint (RFC 6749 §5.2)
        PushedAuthorizationError   at the PAR endpoint (RFC 9126 §2.3)
        RevocationError            at the revocation endpoint (RFC 7009 §2.2.1)
        DeviceError                during a device authorization (RFC 8628 §3.5)
        TicketError                a ticket was denied, has expired, or is not known
      ProtocolError                an answer broke a rule: .source .expected .received      5
        StateMismatch              RFC 6749 §10.12
        IssuerMismatch             RFC 9207 §2.4, RFC 8414 §3.3
        MalformedResponse          everything else
      TransportError               no answer: connect, TLS, time-out, a server in trouble   6
      AttemptExpired               nobody came back in time                                 7
      AttemptCancelled             the person or the program gave up                      130
      StoreError                   tokens could not be read or kept                         8
        NotKept                    new tokens that could not be kept: .sign_in
      SignInRequired               no usable token, and asking a person was not allowed     9
      StillPending                 begun, kept, and not approved yet: .retry_after         10

The class says who is at fault, the fields say what happened, the hint says what to do next.
This module is loaded before the browser is started, and imports nothing then.
"""

from __future__ import annotations


class LoopbackAuthError(Exception):
    """The root: every error that leaves this package is one of these.

    Args:
        message: `what happened: detail`, without secrets.
        hint: one imperative sentence that says what to do next; empty when there is nothing to do.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def hint(self) -> str:
        """What to do next; a traceback shows it, too."""
        return self._hint

    @hint.setter
    def hint(self, hint: str) -> None:
        before = self.__dict__.get("_hint", "")
        notes = [note for note in getattr(self, "__notes__", ()) if note != _note(before)]
        self._hint, self.__notes__ = hint, [*notes, _note(hint)] if hint else notes

    def __str__(self) -> str:
        return self.message


def _note(hint: str) -> str:
    return f"What to do: {hint}"


class ConfigError(LoopbackAuthError):
    """We were told something impossible: a flag, a variable, a file, an argument."""

    exit_code = 2


class Unavailable(LoopbackAuthError):
    """This flow cannot run here; another one may. The only error that may bring the next route."""

    exit_code = 3


class RedirectUnavailable(Unavailable):
    """No port on this machine can serve as the redirect URI (RFC 8252 §7.3)."""


class BrowserUnavailable(Unavailable):
    """No browser could be started, and nobody can be shown a link."""


class EndpointMissing(Unavailable):
    """The authorization server has no endpoint that this flow needs."""


class NoFlowAvailable(Unavailable):
    """No way to sign in is left.

    Args:
        reasons: flow to why it cannot be used, in sentences.
        hint: what to do; by default where to look.
    """

    def __init__(self, reasons: dict[str, str], *, hint: str = "") -> None:
        listed = "".join(f"\n  {flow}: {why}" for flow, why in reasons.items())
        super().__init__(
            f"No flow is left to sign in with:{listed}",
            hint=hint or "See python -m loopback_auth doctor for what is known about this environment.",
        )
        self.reasons = dict(reasons)


class OAuthError(LoopbackAuthError):
    """The authorization server said no.

    Args:
        error: the code as on the wire, for example `access_denied`; `HTTP status 400` and the like where the
            server named none.
        error_description: the server's sentence, cleaned and cut; empty when there was none.
        error_uri: a page of the server about the error, to print and never to open.
    """

    exit_code = 4
    step = "request"

    def __init__(self, error: str, error_description: str = "", error_uri: str = "") -> None:
        from loopback_auth.hints import hint_for  # Start-up.

        detail = f"{error} ({error_description})" if error_description else error
        super().__init__(f"The {self.step} was refused: {detail}", hint=hint_for(self.step, error))
        self.error = error
        self.error_description = error_description
        self.error_uri = error_uri


class AuthorizationError(OAuthError):
    """An authorization error response (RFC 6749 §4.1.2.1).

    Two of its codes stand for the HTTP statuses 500 and 503, which no redirect can have. Nobody has refused
    anything then, and the exit status is that of a server that is not well.
    """

    step = "authorization request"

    def __init__(self, error: str, error_description: str = "", error_uri: str = "") -> None:
        super().__init__(error, error_description, error_uri)
        if error in ("server_error", "temporarily_unavailable"):
            self.exit_code = TransportError.exit_code


class TokenError(OAuthError):
    """A token error response (RFC 6749 §5.2)."""

    step = "token request"


class PushedAuthorizationError(OAuthError):
    """The pushed authorization request was refused (RFC 9126 §2.3)."""

    step = "pushed authorization request"


class RevocationError(OAuthError):
    """The revocation request was refused (RFC 7009 §2.2.1)."""

    step = "revocation request"


class DeviceError(OAuthError):
    """A device authorization was denied, has expired, or was refused (RFC 8628 §3.5)."""

    step = "device authorization"


class TicketError(OAuthError):
    """A ticket was denied, has expired, or is not known; vendors do not tell these apart.

    Args:
        error: `denied_or_expired`, `not_created` (for this client), `creation_refused` (to whoever asks) or
            `exchange_refused`: codes of ours, since there are none.
        error_description: the server's words, cleaned and cut; empty when there were none.
    """

    step = "ticket"

    def __init__(self, error: str, error_description: str = "") -> None:
        super().__init__(error, error_description)
        detail = f" ({error_description})" if error_description else ""
        self.message = f"{TICKET_WORDS.get(error, error)}{detail}."
        self.args = (self.message,)


class ProtocolError(LoopbackAuthError):
    """An answer broke a rule.

    Args:
        message: what was wrong, in words.
        source: the clause that is broken, for example `RFC 9207 §2.4`.
        expected: what would have been right, when that is no secret.
        received: what came, when that is no secret.
    """

    exit_code = 5

    def __init__(
        self, message: str, *, source: str, expected: str = "", received: str = "", hint: str = ""
    ) -> None:
        super().__init__(f"{message} [{source}]", hint=hint)
        self.source = source
        self.expected = expected
        self.received = received


class StateMismatch(ProtocolError):
    """The answer belongs to another sign-in (RFC 6749 §10.12)."""


class IssuerMismatch(ProtocolError):
    """The answer or the metadata come from another issuer (RFC 9207 §2.4, RFC 8414 §3.3)."""


class MalformedResponse(ProtocolError):
    """The answer cannot be what the specification says it is."""


class TransportError(LoopbackAuthError):
    """There was no answer: name resolution, connect, TLS, time-out, or a server that is not well.

    Args:
        message: what happened.
        hint: what to do.
        retry_after: seconds after which the server wants to be asked again, where it said so.
    """

    exit_code = 6

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class AttemptExpired(LoopbackAuthError):
    """Nobody came back before the deadline."""

    exit_code = 7


class AttemptCancelled(LoopbackAuthError):
    """The person or the program gave up."""

    exit_code = 130


class StoreError(LoopbackAuthError):
    """Tokens could not be read, kept or deleted."""

    exit_code = 8


class NotKept(StoreError):
    """New tokens came and could not be kept; they are in this error and nowhere else.

    Args:
        name: of the sign-in.
        sign_in: a `model.SignIn` that holds them; used tokens may be all that is kept.
        cause: why they could not be kept.
    """

    def __init__(self, name: str, sign_in: object, cause: Exception) -> None:
        why, advice = type(cause).__name__, "Look at the store."
        if isinstance(cause, LoopbackAuthError):
            why, advice = cause.message, cause.hint
        super().__init__(
            f"The new tokens for {name} could not be kept: {why}",
            hint=f"{advice} Should the next renewal be refused, sign in again.",
        )
        self.sign_in = sign_in


class SignInRequired(LoopbackAuthError):
    """There is no usable token and asking a person was not allowed."""

    exit_code = 9


class StillPending(LoopbackAuthError):
    """A sign-in that was begun before is not approved yet; what is known of it is kept.

    Args:
        message: what is missing.
        handle: by which it is gone on with.
        expires_at: Unix seconds after which it is over.
        retry_after: seconds until there is something to ask for; None: the person has to bring an address.
    """

    exit_code = 10

    def __init__(
        self, message: str, *, handle: str, expires_at: float, retry_after: float | None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.handle = handle
        self.expires_at = expires_at
        self.retry_after = retry_after


TICKET_WORDS = {
    "denied_or_expired": "The ticket was denied, or it has expired",
    "not_created": "The server made no ticket",
    "creation_refused": "The server made no ticket",
    "exchange_refused": "The ticket was approved, but the server did not exchange it",
}

EXIT_STATUSES = {
    0: "done",
    1: "this program failed: please report it",
    2: "wrong use: a flag, a variable or a file",
    3: "not possible on this machine",
    4: "the server refused",
    5: "a response broke a rule",
    6: "no response from the server",
    7: "the time was over",
    8: "tokens could not be read or kept",
    9: "not signed in",
    10: "not approved yet",
    130: "cancelled",
}
"""What a command ends with, and what that means. Help and the README are made from it."""

DENIALS = ("access_denied", "authorization_declined")
"""What says that the person, or the server for them, said no: RFC 6749 §4.1.2.1, RFC 8628 §3.5; Microsoft."""
