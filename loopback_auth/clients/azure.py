"""Tokens for Azure's libraries: `credential=TokenCredential(source)`, or `AsyncTokenCredential(source)`."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from loopback_auth.clients.bearer import checked
from loopback_auth.errors import ConfigError
from loopback_auth.field_checks import check_text
from loopback_auth.token_source import TokenSource
from loopback_auth.tokens import SignIn

try:
    from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
except ImportError as _exc:
    raise ImportError(
        "loopback_auth.clients.azure needs azure-core: pip install azure-core",
        name="azure.core",
    ) from _exc

UNKNOWN_LIFETIME = 600
"""Seconds after which azure-core asks again for a token whose lifetime the server did not say."""


class _Credential:
    """What the two credentials share.

    Args:
        source: of the tokens.
    """

    def __init__(self, source: TokenSource) -> None:
        self._sources: dict[tuple[str, ...], TokenSource] = {(): checked(source)}
        self._given: dict[tuple[str, ...], AccessTokenInfo] = {}
        """The last token and its end, by scopes."""
        self._refused: dict[tuple[str, ...], tuple[str, str | None]] = {}
        """The last claims that were asked for, and the token that lacked them, by scopes."""
        self._busy = threading.Lock()

    def _source(self, scopes: tuple[str, ...]) -> TokenSource:
        """Return the source whose tokens have these scopes, too."""
        for scope in scopes:
            check_text(scope, "scopes")
        with self._busy:
            if scopes not in self._sources:
                self._sources[scopes] = self._sources[()].with_scope(" ".join(scopes))
            return self._sources[scopes]

    def _lacking(self, scopes: tuple[str, ...], claims: str | None) -> str | None:
        """Return the token that lacks some claims; it is the same one for all threads that ask."""
        with self._busy:
            if claims and self._refused.get(scopes, ("", None))[0] != claims:
                given = self._given.get(scopes)
                self._refused[scopes] = claims, None if given is None else given.token
            return self._refused[scopes][1] if claims else None

    def _again(self, scopes: tuple[str, ...], token: str) -> AccessTokenInfo | None:
        """Return what was returned the last time, if it is this token and its end has not come."""
        given = self._given.get(scopes)
        same = given is not None and given.token == token and given.expires_on > time.time()
        return given if same else None

    def _info(self, scopes: tuple[str, ...], sign_in: SignIn) -> AccessTokenInfo:
        if sign_in.dpop_key:
            raise ConfigError(
                "The access token is bound to a key, and clients of Azure can send bearer tokens only.",
                hint="Switch DPoP off for this client.",
                parameter="dpop",
            )
        ends = sign_in.tokens.expires_at
        until = int(time.time() + UNKNOWN_LIFETIME if ends is None else ends)
        self._given[scopes] = AccessTokenInfo(sign_in.tokens.access_token, until)
        return self._given[scopes]


class TokenCredential(_Credential):
    """A credential whose tokens come from a source, for the synchronous clients of Azure.

        from loopback_auth.clients.azure import TokenCredential

        credential = TokenCredential(source)
        credential.get_token("email")  # AccessToken(token, expires_on)

    Every client of Azure takes it as `credential=`.

    The scopes that a client asks for are added to those of the source, so that the user may be asked to sign
    in once for each new set. After a challenge for claims the token is renewed, once for all threads; the
    claims are not sent to the server. azure-core does not send a request again after any other 401.

    Args:
        source: of the tokens.
    """

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: object,
    ) -> AccessToken:
        """Return a fresh token and its end, in Unix seconds.

        Args:
            scopes: that the token must have, besides those of the source.
            claims: of a challenge that the last token has led to; None: there was none.
            tenant_id: not used; the client of the source is of one tenant.
            enable_cae: not used; the client of the source decides.
            options: not used.

        Raises:
            ConfigError: the token is bound to a key (RFC 9449), and azure-core sends bearer tokens only.
            LoopbackAuthError: as of `TokenSource.token`.
        """
        info = self.get_token_info(*scopes, options={"claims": claims} if claims else {})
        return AccessToken(info.token, info.expires_on)

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return a fresh token and its end; arguments and errors are those of `get_token`."""
        source, refused = self._source(scopes), self._lacking(scopes, (options or {}).get("claims"))
        if refused is None and (again := self._again(scopes, source.token_sync())):
            return again
        return self._info(scopes, source.sign_in_sync(refused=refused))

    def close(self) -> None:
        """Do nothing; the source can be used further."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()


class AsyncTokenCredential(_Credential):
    """The same for the clients in Azure's `aio` packages; see `TokenCredential`.

    Args:
        source: of the tokens.
    """

    async def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **options: object,
    ) -> AccessToken:
        """Return a fresh token and its end; arguments and errors are those of `TokenCredential.get_token`."""
        info = await self.get_token_info(*scopes, options={"claims": claims} if claims else {})
        return AccessToken(info.token, info.expires_on)

    async def get_token_info(
        self, *scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Return a fresh token and its end; arguments and errors are those of `TokenCredential.get_token`."""
        source, refused = self._source(scopes), self._lacking(scopes, (options or {}).get("claims"))
        if refused is None and (again := self._again(scopes, await source.token())):
            return again
        return self._info(scopes, await source.sign_in(refused=refused))

    async def close(self) -> None:
        """Do nothing; the source can be used further."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()
