"""Every noun of the package: frozen values without behaviour that needs the world.

Field names are the names on the wire (RFC 6749, RFC 8414) wherever there is one. Times end in `_at`
and are Unix seconds; durations are seconds. Secrets never show in a `repr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from loopback_auth.freshness import fresh
from loopback_auth.quirks import NO_QUIRKS, Quirks

if TYPE_CHECKING:
    from loopback_auth.device_and_ticket import TicketContract

ClientAuth = Literal["none", "client_secret_basic", "client_secret_post"]
ResponseMode = Literal["query", "fragment", "form_post"]
ResponseType = Literal["code", "token", "id_token", "id_token token", "code id_token"]

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request, going out (`url` absolute) or coming in (`url` as in the request line)."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, in order; the name is matched without case."""
        return tuple(value for key, value in self.headers if key.lower() == name)

    def header(self, name: str) -> str:
        """Return the first value of a header given in lower case, or the empty string."""
        return next(iter(self.values(name)), "")


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One HTTP response; `received_at` is how the clock enters the protocol."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    received_at: float = 0.0

    def header(self, name: str) -> str:
        """Return the first value of a header given in lower case, or the empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def form_request(
    url: str, parameters: list[tuple[str, str]], headers: tuple[tuple[str, str], ...] = ()
) -> HttpRequest:
    """Build a POST with a form body, asking for JSON (RFC 6749 §4.1.3, appendix B)."""
    fixed = (("Content-Type", FORM), ("Accept", "application/json"))
    return HttpRequest("POST", url, fixed + headers, urlencode(parameters).encode("ascii"))


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """What an authorization server says of itself, or what we were told about it.

    Names and meaning: RFC 8414 §2, OpenID Connect Discovery §3, RFC 9126 §5, RFC 9207 §3. `None` means
    "not said", which is not the same as an empty list.
    """

    issuer: str | None = None
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    jwks_uri: str | None = None
    response_modes_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False
    discovered: bool = False
    """Whether a metadata document was read, so that silence means something."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the browser may come back to, as registered at the server (RFC 8252 §7.3).

    Args:
        host: `127.0.0.1`, `[::1]` or `localhost`; `localhost` is served on both families.
        ports: tried in order; 0 means any free port.
        path: raw path of the redirect URI, compared byte for byte.
    """

    host: Literal["127.0.0.1", "[::1]", "localhost"] = "127.0.0.1"
    ports: tuple[int, ...] = (0,)
    path: str = "/callback"


@dataclass(frozen=True, slots=True)
class Network:
    """How a server is reached, beyond what the environment says of proxies and certificate authorities.

    Args:
        ca_file: PEM file of authorities that are trusted besides those of the system.
        client_cert: PEM file of the client's own certificate (RFC 8446 §4.4.2), and of its key if there.
        client_key: PEM file of that key, where it is a file of its own.
        allow_private: hosts that may lead into a private network although the server is a public one.
        public: the server is known to be a public one, from an earlier conversation (RFC 9728 §7.7).
    """

    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    allow_private: tuple[str, ...] = ()
    public: bool = False

    def updated(self, given: Network) -> Network:
        """Return what is given now laid over what was kept; what is known of the server stays known."""
        with_certificate = given if given.client_cert else self
        return Network(
            given.ca_file or self.ca_file,
            with_certificate.client_cert,
            with_certificate.client_key,
            tuple(dict.fromkeys((*self.allow_private, *given.allow_private))),
            self.public or given.public,
        )


@dataclass(frozen=True, slots=True)
class Provider:
    """A named authorization server and how it wants to be spoken to.

    `metadata` holds what is known beforehand; with an issuer and without both endpoints the rest is
    discovered (RFC 8414 §3, OpenID Connect Discovery §4).
    """

    name: str
    metadata: ServerMetadata
    redirect: Redirect = Redirect()
    client_auth: ClientAuth | None = None
    """None: `client_secret_basic` with a secret and `none` without, or what the metadata lists."""
    pkce: bool = True
    """False only where a code verifier is known to be refused; state is sent all the same."""
    scope_separator: str = " "
    allowed_issuer: str | None = None
    """The one other issuer that this provider's documents and ID tokens may name."""
    account_fields: tuple[str, ...] = ("email", "preferred_username", "username", "login", "name", "sub")
    """Members of the UserInfo answer that name the account, best first."""
    ticket: TicketContract | None = None
    """How to sign in by ticket there, if one can."""
    network: Network = Network()
    quirks: Quirks = NO_QUIRKS
    temporary: bool = False
    """The server lives only as long as the sign-in (the embedded demo)."""
    simulated_person: bool = False
    """Nobody is asked there: a simulated person approves (the embedded demo alone)."""

    @property
    def shown_name(self) -> str:
        """The name for people: of a provider that is named after its issuer's host, that very host."""
        host = (self.metadata.issuer or "").partition("://")[2].partition("/")[0]
        return host if host.lower().replace(":", "-") == self.name else self.name


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """The client as registered at one provider, and what it asks for.

    Args:
        client_secret: kept by the caller; a distributed one is no secret (RFC 8252 §8.5).
        scope: space separated (RFC 6749 §3.3); empty: the server's default.
        response_mode: None: `form_post` when the metadata lists it, otherwise `query`.
        push: None: push the request when the server requires it (RFC 9126 §5).
        resource: absolute URIs without fragment (RFC 8707 §2).
        extra: further authorization request parameters; they cannot replace ours.
    """

    provider: Provider
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scope: str = ""
    response_mode: ResponseMode | None = None
    response_type: ResponseType = "code"
    push: bool | None = None
    resource: tuple[str, ...] = ()
    audience: str | None = None
    prompt: str | None = None
    login_hint: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """All randomness of one sign-in: independent values, made at the door, used once."""

    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What was asked: the URL for the browser, and all that later steps compare with (RFC 9700 §4.4.2)."""

    url: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    redirect_uri: str
    response_type: ResponseType
    response_mode: ResponseMode
    state: str = field(repr=False)
    code_verifier: str | None = field(repr=False)
    nonce: str | None = field(repr=False)
    metadata: ServerMetadata
    mode_demanded: bool = False
    """Whether the response mode is the user's choice, and not one that the program made by itself."""


@dataclass(frozen=True, slots=True)
class Callback:
    """What arrived for the redirect URI: its state was ours, everything else is untrusted.

    Args:
        via: by query, by form POST, by a page of ours that read the fragment, or pasted by the person.
        received_at: Unix seconds; when the lifetime of a token in it begins.
    """

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    via: Literal["query", "form_post", "relay", "paste"]
    received_at: float = 0.0


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """A checked answer: the only thing that a code token request is made from.

    Args:
        code: empty unless the response type has one.
        parameters: the others of a token response, where the response type has them.
        warnings: what the server should not have sent, and what was done about it.
    """

    code: str = field(repr=False)
    request: AuthorizationRequest
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    received_at: float = 0.0
    warnings: tuple[str, ...] = ()


SignatureStatus = Literal["verified", "not verified"]


@dataclass(frozen=True, slots=True)
class IdToken:
    """The checked claims of an ID token, and whether its signature was checked too."""

    claims: Mapping[str, object] = field(repr=False)
    signature: SignatureStatus
    raw: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a sign-in or a refresh gave.

    Args:
        expires_at: Unix seconds; None when the server did not say.
        scope: as granted, space separated; the requested one when the server did not say (RFC 6749 §5.1).
        account: who signed in, for people to read; empty when the server did not tell.
    """

    access_token: str = field(repr=False)
    token_type: str
    obtained_at: float
    expires_at: float | None = None
    refresh_token: str | None = field(default=None, repr=False)
    scope: str = ""
    id_token: IdToken | None = None
    account: str = ""

    def fresh(self, now: float, leeway: float | None = None) -> bool:
        """Return whether the access token will still be good in `leeway` seconds (see `freshness.fresh`)."""
        return fresh(obtained_at=self.obtained_at, expires_at=self.expires_at, now=now, leeway=leeway)

    def alive(self, now: float) -> bool:
        """Return whether the access token has not reached its end, however near that is."""
        return self.fresh(now, leeway=0.0)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One kept sign-in: enough to use, renew and revoke its tokens without any other setting."""

    name: str
    client_id: str
    client_auth: ClientAuth
    metadata: ServerMetadata
    requested_scope: str
    tokens: TokenSet
    temporary: bool = False
    """The server is gone: it lived only as long as the sign-in (the embedded demo)."""
    simulated_person: bool = False
    """Nobody has signed in: a simulated person did, at the embedded demo."""
    revoke_method: str = ""
    revoke_url: str = ""
    """A vendor's own way to give up a token, which goes into the Authorization header; empty: RFC 7009."""
    flow: str = ""
    """The flow that brought it, among all that were open."""
    reason: str = ""
    """Why that flow was open, in a sentence for people."""
    network: Network = Network()
    quirks: Quirks = NO_QUIRKS
    """The provider's, for renewals know no other setting."""
    resource: tuple[str, ...] = ()
    """What the tokens were asked for (RFC 8707 §2); renewals name it again."""
    audience: str | None = None
    """The same, where the server has its own parameter for it."""
