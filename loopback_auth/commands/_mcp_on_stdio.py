"""The MCP server on stdin and stdout that `proxy --stdio` is: its token may come after it has begun."""

from __future__ import annotations

import asyncio

from loopback_auth.cli import tell
from loopback_auth.clients.presentation import Presentation
from loopback_auth.commands import the_store
from loopback_auth.commands._request_headers import check_meant
from loopback_auth.commands._standard_streams import read_stdin, write_stdout
from loopback_auth.commands._token_source import KeptSource
from loopback_auth.commands._warnings_only import tell_seldom
from loopback_auth.errors import SignInRequired
from loopback_auth.model import Network
from loopback_auth.network.threads import apart
from loopback_auth.protocol.urls import check_endpoint
from loopback_auth.proxy.stdio import bridge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.tokens import Token


def serve_on_stdio(named: str, url: str, *, of: Token) -> int:
    """Serve until stdin ends; return the exit status.

    A client of MCP starts the command by itself and shows no stderr. Therefore a sign-in that is missing is
    said in the answer to each request, until the person has signed in.

    Args:
        named: which sign-in, as in `kept`.
        url: of the MCP server.
        of: which token is sent.

    Raises:
        ConfigError: the token must not be sent to this URL.
    """
    check_endpoint(url, name="--to")
    source = _LateSource(named, url, of)
    network = Network()
    try:
        network = source.kept().network
    except SignInRequired as exc:
        tell(f"{exc.message} {exc.hint}")
    try:
        asyncio.run(
            bridge(source, url, network=network, read=read_stdin, write=write_stdout, tell=tell_seldom())
        )
    except KeyboardInterrupt:
        tell("Stopped.")
    return 0


class _LateSource:
    """The tokens of a sign-in that may be made later.

    Args:
        named: which one.
        url: where the token is sent.
        of: which token.
    """

    def __init__(self, named: str, url: str, of: Token) -> None:
        self._named = named
        self._url = url
        self._of: Token = of
        self._kept: KeptSource | None = None

    def kept(self) -> KeptSource:
        """Return the source of the sign-in.

        Raises:
            SignInRequired: there is none so far.
            ConfigError: it is not for this URL.
        """
        if self._kept is None:
            found = KeptSource(the_store(), self._named, of=self._of)
            check_meant(found.first, self._url, name="--to")
            self._kept = found
        return self._kept

    async def presentation(self, *, refused: str | None = None, challenge: str | None = None) -> Presentation:
        """Return how one request presents the token, as `KeptSource.presentation`."""
        kept = self._kept
        if kept is None:
            kept = await apart(self.kept)
        return await kept.presentation(refused=refused, challenge=challenge)
