"""Whether a server wants a client certificate: asked again on a connection on which nothing is sent.

In TLS 1.3 a server refuses a client without a certificate after the handshake, when the request is on its way
already (RFC 8446 §4.4.2.4). A server that then closes the connection without reading that request resets it,
and its alert is lost with everything else that was not read yet.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

WANTS_ONE = ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "PEER_DID_NOT_RETURN_A_CERTIFICATE")
"""OpenSSL's names for the alert of RFC 8446 §6.2, and for the reason behind it."""

ALERT_SECONDS = 2.0
"""Seconds that a server gets to send an alert, which comes at once if at all."""


async def is_wanted(host: str, port: int, *, address: str, context: ssl.SSLContext) -> bool:
    """Return whether a server ends a silent connection for want of a client certificate.

    Args:
        host: whose certificate the server has to have.
        port: where it listens.
        address: of the host.
        context: without a client certificate.
    """
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(ALERT_SECONDS):
            reader, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
            try:
                await reader.read(1)
            except ssl.SSLError as exc:
                return exc.reason in WANTS_ONE
            finally:
                writer.transport.abort()
    return False
