"""A client, and the authorization server where it is registered: frozen values, checked when they are made.

Fields have the names that are used on the wire (RFC 6749, RFC 8414) wherever there is one; durations are
seconds. A `repr` never shows a secret. What a sign-in brings is in `tokens`, what it carries on its way in
`authorization_messages`, device grants and tickets in `device_and_ticket`. This module refuses to know how
any value is obtained.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.field_checks import (
    OWN_HEADERS,
    OWN_PARAMETERS,
    check_pairs,
    check_private_key,
    check_scope,
    check_types,
    check_utf8,
    check_visible,
    refuse,
)
from loopback_auth.narrow import is_host, is_name, path_trouble
from loopback_auth.quirks import NO_QUIRKS, Quirks
from loopback_auth.records import EMPTY, Literal, dataclass, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict, Unpack

    class ClientFields(TypedDict, total=False):
        """The fields of `ClientConfig` that have a default."""

        client_secret: str | None
        scope: str
        response_mode: ResponseMode | None
        response_type: ResponseType
        push: bool | None
        resource: tuple[str, ...]
        audience: str | None
        prompt: str | None
        login_hint: str | None
        extra: Mapping[str, str]
        token_parameters: Mapping[str, str]
        token_headers: Mapping[str, str]
        resource_server: str
        challenge: str
        client_metadata: ClientMetadata | None
        dpop: bool | None
        private_key: str | None
        signed_request: bool | None
        acr_values: str
        max_age: int | None


ClientAuth = Literal[
    "none",
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]
ResponseMode = Literal["query", "fragment", "form_post", "jwt", "query.jwt", "form_post.jwt"]
ResponseType = Literal["code", "token", "id_token", "id_token token", "code id_token"]


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """What is known about an authorization server, from its metadata document or from the settings.

    None means "not stated", which differs from an empty list.

    Args:
        issuer: the server's identity, compared byte for byte.
        authorization_endpoint: where the browser is sent.
        token_endpoint: where a code or a refresh token is exchanged.
        pushed_authorization_request_endpoint: where parameters are pushed to (RFC 9126 §5).
        device_authorization_endpoint: where a device code is requested (RFC 8628 §4).
        revocation_endpoint: where tokens are revoked (RFC 7009).
        userinfo_endpoint: says whose account it is (OpenID Connect Core §5.3).
        jwks_uri: where the keys are that sign ID tokens.
        response_modes_supported: how an authorization response can travel.
        code_challenge_methods_supported: of PKCE.
        token_endpoint_auth_methods_supported: how the client may authenticate.
        id_token_signing_alg_values_supported: algorithms that sign ID tokens.
        token_endpoint_auth_signing_alg_values_supported: algorithms by which a client may sign its
            authentication (RFC 7523 §2.2).
        request_object_signing_alg_values_supported: algorithms by which it may sign its authorization request
            (RFC 9101 §10.5).
        authorization_signing_alg_values_supported: algorithms that sign authorization responses (JARM §4).
        authorization_response_iss_parameter_supported: every response has `iss` (RFC 9207 §3).
        require_pushed_authorization_requests: the request must be pushed (RFC 9126 §5).
        require_signed_request_object: the request must be signed (RFC 9101 §10.5).
        mtls_endpoint_aliases: URLs of endpoints for clients that show a certificate, by the names of the
            endpoints (RFC 8705 §5).
        discovered: a metadata document was read, so that what is missing is not supported.
        document: all members of that document, unchecked, such as `scopes_supported`; empty when none was
            read. It is not kept with a sign-in, and counts in no comparison.

    Source: RFC 8414 §2; OpenID Connect Discovery §3.
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
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] | None = None
    request_object_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    require_pushed_authorization_requests: bool = False
    require_signed_request_object: bool = False
    mtls_endpoint_aliases: Mapping[str, str] = EMPTY
    discovered: bool = False
    document: Mapping[str, object] = field(default=EMPTY, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_types(self)

    def with_endpoints(self, urls: Mapping[str, str | None]) -> ServerMetadata:
        """Return the same with these URLs, by the names of their endpoints, as in `flow_table.ENDPOINTS`."""
        changes: dict[str, Any] = {**urls}
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Redirect:
    """The redirect URI as it is registered at the server (RFC 8252 §7.3).

    Args:
        host: `127.0.0.1`, `[::1]` or `localhost`; for `localhost` the receiver listens on IPv4 and IPv6.
        ports: tried in order; 0 means any free port.
        path: raw path of the redirect URI, compared byte for byte.
    """

    host: Literal["127.0.0.1", "[::1]", "localhost"] = "127.0.0.1"
    ports: tuple[int, ...] = (0,)
    path: str = "/callback"

    def __post_init__(self) -> None:
        check_types(self)
        if not self.ports or not all(0 <= port <= 65535 for port in self.ports):
            refuse(
                "ports must name ports from 0 to 65535.",
                "Write (0,) for any free port, or (8400,) for that one.",
                "ports",
            )
        trouble = path_trouble(self.path) if self.path[:1] in ("", "/") else "it must begin with /"
        if trouble:
            refuse(
                f"The path of the redirect URI cannot be used: {trouble}.",
                'Write it as it is registered, such as "/callback".',
                "path",
            )


@dataclass(frozen=True, slots=True)
class Network:
    """How a server is reached, in addition to the proxies and certificate authorities of the environment.

    Args:
        ca_file: PEM file of certificate authorities that are trusted in addition to those of the system.
        client_cert: PEM file with the client's certificate (RFC 8446 §4.4.2), and perhaps its key.
        client_key: PEM file with that key, where it is a separate file.
        allow_private: hosts that may have an address in a private network although the server is public.
        public: an earlier connection has shown that the server has a public address (RFC 9728 §7.7).
    """

    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    allow_private: tuple[str, ...] = ()
    public: bool = False

    def __post_init__(self) -> None:
        check_types(self)
        if self.client_key and not self.client_cert:
            refuse("There is a client_key, but no client_cert.", "Name the certificate too.", "client_cert")
        for host in self.allow_private:
            if not is_host(host):
                refuse(
                    f"allow_private has what is not a host: {ascii(host)[:80]}.",
                    "Write the host alone, such as token.corp.example.",
                    "allow_private",
                )

    def updated(self, given: Network) -> Network:
        """Return these values with those that are given now on top; `public` stays true once it is."""
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
    """A named authorization server, and how to talk to it.

    Args:
        name: short; sign-ins are kept under it.
        metadata: what is known before the server is asked. With an issuer but without authorization and token
            endpoint, the rest is discovered (RFC 8414 §3, OpenID Connect Discovery §4).
        redirect: the registered redirect URI.
        client_auth: how the client authenticates. None: `client_secret_basic` with a secret,
            `private_key_jwt` with a private key and `none` without either, or a method that the metadata
            lists. A certificate is shown for `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705
            §2) alone, see `Network.client_cert`.
        pkce: False only where the server is known to refuse a code verifier; state is sent in any case.
        scope_separator: stands between scopes in requests.
        allowed_issuer: one other issuer that this provider's metadata and ID tokens may name.
        account_fields: members of the UserInfo response that name the account, best first.
        ticket: how to sign in by ticket there; None: not possible.
        network: how the server is reached.
        quirks: where the provider differs from the RFCs.
        temporary: the server ends together with the sign-in, as the built-in demonstration does.
        simulated_person: a simulated person approves there, as in the built-in demonstration.
        title: what people call it, such as `Acme Cloud`; empty: as in `shown_name`.
        configured_as: the name or address by which settings find the provider, where `name` is that of one of
            several accounts; empty: `name`.
    """

    name: str
    metadata: ServerMetadata
    redirect: Redirect = Redirect()
    client_auth: ClientAuth | None = None
    pkce: bool = True
    scope_separator: str = " "
    allowed_issuer: str | None = None
    account_fields: tuple[str, ...] = field(
        default=("email", "preferred_username", "username", "login", "name", "sub"), repr=False
    )
    ticket: TicketContract | None = field(default=None, repr=False)
    network: Network = Network()
    quirks: Quirks = field(default=NO_QUIRKS, repr=False)
    temporary: bool = False
    simulated_person: bool = False
    title: str = ""
    configured_as: str = ""

    def __post_init__(self) -> None:
        check_types(self)
        if not is_name(self.name):
            refuse(
                f"{ascii(self.name)[:120]} cannot be the name of a provider, for sign-ins are kept under it.",
                "Use 1 to 100 of a-z, 0-9, dot, underscore and hyphen, and begin with a letter or digit. "
                "What people read is the title.",
                "name",
            )
        if not self.title.isprintable():
            refuse("title has a character that cannot be shown.", "Write one line of text.", "title")

    @staticmethod
    def known(name: str, *, domain: str = "") -> Provider:
        """Return a provider that this package knows, such as `github`, `google`, `netlify` or `keycloak`.

        What its client asks for by default, such as a scope, is in `ClientConfig.known`.

        Args:
            name: as `python -m loopback_auth providers` lists them.
            domain: of your own server, for those that have one: `id.example.com/realms/x` for `keycloak`.

        Raises:
            ConfigError: the name is unknown, or the domain is missing.
        """
        from loopback_auth.settings.known import known_provider  # A door: see there.

        return known_provider(name, domain=domain)

    @property
    def shown_name(self) -> str:
        """The name to show: the title; else the issuer's host if it is named after that; else the name."""
        if self.title:
            return self.title
        host = (self.metadata.issuer or "").partition("://")[2].partition("/")[0]
        return host if host.lower().replace(":", "-") == self.name else self.name


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """The client as registered at one provider, and what it asks for.

    Args:
        provider: where the client is registered.
        client_id: its ID there (RFC 6749 §2.2). Empty with `client_metadata`: the program gets one when the
            sign-in begins.
        client_secret: never kept by this package. A secret that is shipped with a program is not secret
            (RFC 8252 §8.5).
        scope: separated by spaces (RFC 6749 §3.3); empty: the server's default.
        response_mode: how the response travels. None: `form_post` when the metadata lists it, otherwise the
            default of the response type.
        response_type: what the authorization response contains.
        push: push the request to the server first (RFC 9126). None: when the server requires it.
        resource: what the tokens are for: absolute URIs without fragment (RFC 8707 §2).
        audience: the same, for servers that have this parameter instead.
        prompt: whether the server has to ask the user (OpenID Connect Core §3.1.2.1).
        login_hint: which account is expected (OpenID Connect Core §3.1.2.1).
        extra: further parameters of the authorization request; they cannot replace ours.
        token_parameters: further parameters of every request for tokens, with a code, a device code or a
            refresh token, such as `authorization_details`; they cannot replace ours.
        token_headers: further headers of these requests, such as `Origin`. Both are kept with the sign-in,
            among its `quirks`, because every renewal sends them.
        resource_server: URL of a protected resource. The authorization server, the scope and more are found
            there when the sign-in begins (RFC 9728). Empty: the provider says where its server is.
        challenge: value of the `WWW-Authenticate` header with which that resource refused a request
            (RFC 9728 §5.1); empty: the resource is asked without a token first.
        client_metadata: what the program says of itself to get a client ID (RFC 7591 §2). None: it has one.
        dpop: bind the tokens to a key, so that they are of no use without it (RFC 9449). None: where the
            resource demands it.
        private_key: of the client, as PEM or as a JWK in JSON: authenticates the client (RFC 7523 §2.2) and
            signs its requests (RFC 9101). Never kept by this package.
        signed_request: sign the authorization request (RFC 9101). None: when the server requires it.
        acr_values: how the user has to be authenticated, best first, separated by spaces (OpenID Connect
            Core §3.1.2.1; RFC 9470 §4).
        max_age: seconds for which an earlier authentication of the user is good enough; None: no limit.
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
    extra: Mapping[str, str] = EMPTY
    token_parameters: Mapping[str, str] = field(default=EMPTY, repr=False)
    token_headers: Mapping[str, str] = field(default=EMPTY, repr=False)
    resource_server: str = ""
    challenge: str = field(default="", repr=False)
    client_metadata: ClientMetadata | None = None
    dpop: bool | None = None
    private_key: str | None = field(default=None, repr=False)
    signed_request: bool | None = None
    acr_values: str = ""
    max_age: int | None = None

    def __post_init__(self) -> None:
        check_types(self)
        check_visible(self.client_id, "client_id")
        check_visible(self.acr_values, "acr_values")
        if self.max_age is not None and self.max_age < 0:
            refuse("max_age is negative.", "Give a number of seconds, or leave it out.", "max_age")
        if self.private_key is not None:
            check_private_key(self.private_key, "private_key")
        if self.client_secret is not None:
            if not self.client_secret:
                refuse("client_secret is empty.", "Leave it out for a public client.", "client_secret")
            check_visible(self.client_secret, "client_secret")
        check_scope(self.scope)
        check_utf8(self, ("resource", "audience", "prompt", "login_hint", "extra"))
        check_pairs(self.token_parameters, OWN_PARAMETERS, "token_parameters")
        check_pairs(self.token_headers, OWN_HEADERS, "token_headers")
        for name, given in (("resource", bool(self.resource)), ("audience", bool(self.audience))):
            if given and name in self.token_parameters:
                refuse(f"{name} is among the token_parameters too.", "Give it once.", "token_parameters")

    @staticmethod
    def at(
        issuer: str,
        *,
        client_id: str = "",
        title: str = "",
        redirect: Redirect = Redirect(),  # noqa: B008 - it cannot change
        **fields: Unpack[ClientFields],
    ) -> ClientConfig:
        """Return a client at an issuer, whose metadata says the rest.

            ClientConfig.at("https://id.example", client_id="my-tool", scope="openid")

        Args:
            issuer: identity of the server, which begins with https://, or with http:// on this machine; its
                host, and its path if it has one, become the provider's name.
            client_id: the client's ID there; empty only with `client_metadata`.
            title: what people call the server; empty: its host.
            redirect: the registered redirect URI.
            fields: further fields of `ClientConfig`.

        Raises:
            ConfigError: a value cannot be used.

        Source: RFC 8414 §2; OpenID Connect Discovery §3.
        """
        from loopback_auth.issuer_client import client_at  # A door: see there.

        if not client_id and fields.get("client_metadata") is None:
            refuse(
                "client_id is empty.",
                "Give the ID that the server has for your client, or client_metadata to register one.",
                "client_id",
            )
        return replace(client_at(issuer, client_id, title=title, redirect=redirect), **fields)

    @staticmethod
    def for_resource(
        url: str,
        *,
        client_id: str = "",
        title: str = "",
        redirect: Redirect = Redirect(),  # noqa: B008 - it cannot change
        **fields: Unpack[ClientFields],
    ) -> ClientConfig:
        """Return a client for a protected resource, such as an MCP server, of which only the URL is known.

            ClientConfig.for_resource("https://mcp.example/mcp")

        Nothing is requested yet: the authorization server is found, and the program gets a client ID there,
        when a sign-in begins.

        Args:
            url: of the resource; it begins with https://, or with http:// on this machine.
            client_id: of your client at its authorization server; empty: the program gets one.
            title: what people call the resource; empty: its host.
            redirect: the registered redirect URI, or the one to register.
            fields: further fields of `ClientConfig`.

        Raises:
            ConfigError: a value cannot be used.

        Source: RFC 9728 §3, §5.
        """
        from loopback_auth.issuer_client import client_for  # A door: see there.

        client = client_for(url, client_id, title=title, redirect=redirect)
        if not client_id:
            fields.setdefault("client_metadata", ClientMetadata())
        return replace(client, **fields)

    @staticmethod
    def known(
        name: str, *, client_id: str = "", domain: str = "", **fields: Unpack[ClientFields]
    ) -> ClientConfig:
        """Return a client at a provider that this package knows, with the scope that it usually needs.

            ClientConfig.known("github", client_id="Iv1.x", scope="repo")

        Args:
            name: of the provider, as in `Provider.known`.
            client_id: of your client there; a few providers that sign in by ticket know none.
            domain: as in `Provider.known`.
            fields: further fields of `ClientConfig`; `extra` is added to that of the provider.

        Raises:
            ConfigError: a value is missing, or cannot be used.
        """
        from loopback_auth.settings.known import known_client  # A door: see there.

        secret = fields.pop("client_secret", None)
        client = known_client(name, client_id=client_id, client_secret=secret, domain=domain)
        given = replace(client, **fields)
        return replace(given, extra={**client.extra, **given.extra})
