"""The errors of this package, one tree so that one `except` suffices.

    LoopbackAuthError              .hint  .parameter  .exit_code
      ConfigError                  a setting or an argument is wrong                        2
      Unavailable                  this flow cannot run here: the only reason to fall back  3
        RedirectUnavailable        no port can be used for the redirect URI
        BrowserUnavailable         no browser could be started
        EndpointMissing            the server does not offer what the flow needs
        NoFlowAvailable            none of the allowed flows can run here: .reasons
      OAuthError                   the authorization server said no                         4
        AuthorizationError         at the authorization endpoint (RFC 6749 §4.1.2.1)
        TokenError                 at the token endpoint (RFC 6749 §5.2)
        PushedAuthorizationError   at the PAR endpoint (RFC 9126 §2.3)
        RevocationError            at the revocation endpoint (RFC 7009 §2.2.1)
        RegistrationError          at the registration endpoint (RFC 7591 §3.2.2)
        DeviceError                during a device authorization (RFC 8628 §3.5)
        TicketError                a ticket was denied, has expired, or is unknown
      ProtocolError                an answer broke a rule: .source .expected .received      5
        StateMismatch              RFC 6749 §10.12
        IssuerMismatch             RFC 9207 §2.4, RFC 8414 §3.3
        ResourceMismatch           RFC 9728 §3.3
        MalformedResponse          everything else
      TransportError               no answer: connect, TLS, timeout, a failing server       6
      AttemptExpired               the user did not finish in time                          7
      AttemptCancelled             the user or the program cancelled                      130
      StoreError                   tokens could not be read or kept                         8
        NotKept                    new tokens could not be kept: .sign_in
      SignInRequired               no usable token, and no user may be asked: .scope        9
        StillRefused               a server refuses new tokens, too
      StillPending                 not approved yet: .retry_after                          10

The class says where the fault is, the fields say what happened, and the hint says what to do next. Both
sentences are neutral: they name no flag, variable or command, because many programs show them to their users.
A program that has such names makes them of `.parameter`, as the command line of this package does in
`cli.advice`.

This module is loaded before the browser is started, and imports nothing then.
"""

from __future__ import annotations


class LoopbackAuthError(Exception):
    """The root: every error that this package raises is one of these.

    Args:
        message: `what happened: detail`, without secrets.
        hint: a sentence that says what to do next; empty when there is nothing to do.
        parameter: names of the arguments that the error is about, separated by spaces, as in `ClientConfig`,
            `Provider`, `ServerMetadata`, `Redirect`, `Network` or `Options`: `client_id client_auth`; the
            first one is the likeliest. Empty when no argument can change anything.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", parameter: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.parameter = parameter

    @property
    def hint(self) -> str:
        """What to do next; a traceback shows it too."""
        return self._hint

    @hint.setter
    def hint(self, hint: str) -> None:
        before = self.__dict__.get("_hint", "")
        notes = [note for note in getattr(self, "__notes__", ()) if note != _note(before)]
        self._hint = hint
        self.__notes__: list[str] = [*notes, _note(hint)] if hint else notes

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        # Exception would call the class with the message alone, and a pool of processes breaks on that.
        return _rebuilt, (type(self), self.args), self.__dict__


def _rebuilt(cls: type[LoopbackAuthError], args: tuple[object, ...]) -> LoopbackAuthError:
    error: LoopbackAuthError = cls.__new__(cls)
    error.args = args
    return error


def _note(hint: str) -> str:
    return f"What to do: {hint}"


class ConfigError(LoopbackAuthError):
    """An argument or a setting is wrong."""

    exit_code = 2


class Unavailable(LoopbackAuthError):
    """This flow cannot run here, but another one may. Only this error leads to the next flow."""

    exit_code = 3


class RedirectUnavailable(Unavailable):
    """No port on this machine can be used for the redirect URI (RFC 8252 §7.3)."""


class BrowserUnavailable(Unavailable):
    """No browser could be started, and there is no way to show a link to a user."""


class EndpointMissing(Unavailable):
    """The authorization server has no endpoint that this flow needs."""


class NoFlowAvailable(Unavailable):
    """None of the allowed flows can be used.

    Args:
        reasons: flow to the reason why it cannot be used, in sentences.
        hint: what to do; by default to remove one of the reasons.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.
    """

    def __init__(self, reasons: dict[str, str], *, hint: str = "", parameter: str = "") -> None:
        listed = "".join(f"\n  {flow}: {why}" for flow, why in reasons.items())
        super().__init__(
            f"No flow is left to sign in with:{listed}",
            hint=hint or "Remove one of these reasons.",
            parameter=parameter,
        )
        self.reasons: dict[str, str] = dict(reasons)


class OAuthError(LoopbackAuthError):
    """The authorization server refused a request.

    Args:
        error: the code as on the wire, such as `access_denied`; `HTTP status 400` and the like if the server
            sent no code.
        error_description: the server's sentence, cleaned and cut; empty when there was none.
        error_uri: a page of the server about the error, to print and never to open.
    """

    exit_code = 4
    step = "request"

    def __init__(self, error: str, error_description: str = "", error_uri: str = "") -> None:
        from loopback_auth.hints import hint_for  # Start-up.

        detail = f"{error} ({error_description})" if error_description else error
        hint, parameter = hint_for(self.step, error)
        super().__init__(f"The {self.step} was refused: {detail}", hint=hint, parameter=parameter)
        self.error = error
        self.error_description = error_description
        self.error_uri = error_uri


class AuthorizationError(OAuthError):
    """An authorization error response (RFC 6749 §4.1.2.1).

    Two of its codes stand for the HTTP statuses 500 and 503, which a redirect cannot have. They are failures
    and not refusals, so they have the exit status of `TransportError`.
    """

    step = "authorization request"

    def __init__(self, error: str, error_description: str = "", error_uri: str = "") -> None:
        super().__init__(error, error_description, error_uri)
        if error in ("server_error", "temporarily_unavailable"):
            self.exit_code: int = TransportError.exit_code


class TokenError(OAuthError):
    """A token error response (RFC 6749 §5.2)."""

    step = "token request"


class PushedAuthorizationError(OAuthError):
    """The pushed authorization request was refused (RFC 9126 §2.3)."""

    step = "pushed authorization request"


class RevocationError(OAuthError):
    """The revocation request was refused (RFC 7009 §2.2.1)."""

    step = "revocation request"


class RegistrationError(OAuthError):
    """The server did not register the program, or did not change its registration (RFC 7591 §3.2.2)."""

    step = "registration request"


class DeviceError(OAuthError):
    """A device authorization was denied, has expired, or was refused (RFC 8628 §3.5)."""

    step = "device authorization"


class TicketError(OAuthError):
    """A ticket was denied, has expired, or is unknown; vendors use one status for these.

    Args:
        error: `denied_or_expired`, `not_created` (for this client), `creation_refused` (for every client) or
            `exchange_refused`; these codes are ours, because tickets have none.
        error_description: the server's sentence, cleaned and cut; empty when there was none.
    """

    step = "ticket"

    def __init__(self, error: str, error_description: str = "") -> None:
        super().__init__(error, error_description)
        detail = f" ({error_description})" if error_description else ""
        self.message: str = f"{TICKET_WORDS.get(error, error)}{detail}."
        self.args: tuple[str, ...] = (self.message,)


class ProtocolError(LoopbackAuthError):
    """An answer broke a rule.

    Args:
        message: what was wrong.
        source: the clause that was broken, for example `RFC 9207 §2.4`.
        expected: what would have been right; empty if that is secret.
        received: what came; empty if that is secret.
        hint: what to do next.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.
    """

    exit_code = 5

    def __init__(
        self,
        message: str,
        *,
        source: str,
        expected: str = "",
        received: str = "",
        hint: str = "",
        parameter: str = "",
    ) -> None:
        super().__init__(f"{message} [{source}]", hint=hint, parameter=parameter)
        self.source = source
        self.expected = expected
        self.received = received


class StateMismatch(ProtocolError):
    """The response belongs to another sign-in (RFC 6749 §10.12)."""


class IssuerMismatch(ProtocolError):
    """The response or the metadata come from another issuer (RFC 9207 §2.4, RFC 8414 §3.3)."""


class ResourceMismatch(ProtocolError):
    """The metadata are about another resource than the one that was asked (RFC 9728 §3.3)."""


class MalformedResponse(ProtocolError):
    """The answer does not have the form that the specification demands."""


class TransportError(LoopbackAuthError):
    """There was no answer: name resolution, connect, TLS, timeout, or a failing server.

    Args:
        message: what happened.
        hint: what to do.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.
        retry_after: seconds after which the server accepts requests again; None when it did not say.
    """

    exit_code = 6

    def __init__(
        self, message: str, *, hint: str = "", parameter: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, parameter=parameter)
        self.retry_after = retry_after


class AttemptExpired(LoopbackAuthError):
    """The user did not finish in time."""

    exit_code = 7


class AttemptCancelled(LoopbackAuthError):
    """The user or the program cancelled the sign-in."""

    exit_code = 130


class StoreError(LoopbackAuthError):
    """Tokens could not be read, kept or deleted."""

    exit_code = 8


class NotKept(StoreError):
    """New tokens could not be kept; only this error has them.

    Args:
        name: of the sign-in.
        sign_in: a `tokens.SignIn` with the new tokens; the kept ones may be invalid.
        cause: why the tokens could not be kept.
    """

    def __init__(self, name: str, sign_in: object, cause: Exception) -> None:
        why, advice, parameter = type(cause).__name__, "Check the store.", "store"
        if isinstance(cause, LoopbackAuthError):
            why, advice, parameter = cause.message, cause.hint, cause.parameter
        super().__init__(
            f"The new tokens for {name} could not be kept: {why}",
            hint=f"{advice} If the next renewal is refused, sign in again.",
            parameter=parameter,
        )
        self.sign_in = sign_in


class SignInRequired(LoopbackAuthError):
    """There is no usable token, and no user may be asked to sign in.

    Args:
        message: why there is none.
        hint: what to do next.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.
        scope: that a resource server asked for, and the kept sign-in does not have (RFC 6750 §3.1), separated
            by spaces; empty when it is not about scopes.
        acr_values: how a resource server asked the user to be authenticated (RFC 9470 §3), separated by
            spaces; empty when it did not say.
        max_age: seconds since the user was authenticated that it accepts; None when it did not say.
    """

    exit_code = 9

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        parameter: str = "",
        scope: str = "",
        acr_values: str = "",
        max_age: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, parameter=parameter)
        self.scope = scope
        self.acr_values = acr_values
        self.max_age = max_age


class StillRefused(SignInRequired):
    """A server refuses tokens again and again although they are new, so that another one would not help.

    The adapters for HTTP clients return the answer of that server in its place.
    """


class StillPending(LoopbackAuthError):
    """A pending sign-in is not approved yet; it can be finished later.

    Args:
        message: what is missing.
        handle: names the pending sign-in.
        expires_at: Unix seconds at which it expires.
        retry_after: seconds until the next poll; None: the user has to paste a URL.
        hint: what to do next.
        parameter: the arguments that it is about, as in `LoopbackAuthError`.
    """

    exit_code = 10

    def __init__(
        self,
        message: str,
        *,
        handle: str,
        expires_at: float,
        retry_after: float | None,
        hint: str = "",
        parameter: str = "",
    ) -> None:
        super().__init__(message, hint=hint, parameter=parameter)
        self.handle = handle
        self.expires_at = expires_at
        self.retry_after = retry_after


TICKET_WORDS = {
    "denied_or_expired": "The ticket was denied, or it has expired",
    "not_created": "The server did not create a ticket",
    "creation_refused": "The server did not create a ticket",
    "exchange_refused": "The ticket was approved, but the server did not exchange it",
}

EXIT_STATUSES = {
    0: "done",
    1: "this program failed: please report it",
    2: "wrong use: an argument, a variable or a file",
    3: "not possible on this machine",
    4: "the server refused",
    5: "a response broke a rule",
    6: "no response from the server",
    7: "the time was over",
    8: "tokens could not be read or kept",
    9: "not signed in",
    10: "not approved yet",
    11: "a finding as severe as the limit, or more",
    126: "the command of run cannot be started",
    127: "the command of run was not found",
    130: "cancelled",
}
"""The exit statuses of commands and their meanings. Help and the README are generated from them."""

DENIALS = ("access_denied", "authorization_declined")
"""Error codes that mean that the user refused: RFC 6749 §4.1.2.1, RFC 8628 §3.5; Microsoft."""
