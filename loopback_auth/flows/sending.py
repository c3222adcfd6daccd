"""Send a request of a flow; where tokens are bound to a key, with a proof, and again where that helps.

Without a key a request is sent once, as it is. With one, every try has a proof of its own; whether there is
another try is decided in `protocol.dpop_answers`. What a client signs to authenticate is new at every try as
well.

Source: RFC 9449 §5, §8, §10.1; RFC 7523 §2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.effects import Flow, Now, Send, Warn
from loopback_auth.errors import ConfigError, LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.model import ClientConfig, ServerMetadata
from loopback_auth.protocol.client_auth import client_authentication
from loopback_auth.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.protocol.dpop_answers import Prover

Build = Callable[[Stamp], HttpRequest]
"""Makes a request that has to be another one at each try, such as one with a signed assertion in it."""


def proving(client: ClientConfig, metadata: ServerMetadata, key: Mapping[str, str]) -> Flow[Prover | None]:
    """Return what makes the proofs of a sign-in; None when its tokens are not bound to a key.

    Args:
        client: that signs in.
        metadata: of the server.
        key: made for this sign-in alone; empty: none.

    Raises:
        ConfigError: the server does not accept our algorithm, joserfc is missing, or there is no key.

    Source: RFC 9449 §5.1, §10 (a unique key for each authorization request).
    """
    if client.dpop is False or not (key or client.dpop):
        return None
    if not key:
        raise ConfigError("The tokens are to be bound to a key, and this attempt has none.", parameter="dpop")
    from loopback_auth.protocol.dpop import check_offered  # Start-up.

    if doubt := check_offered(metadata):
        yield from Warn(doubt)
    return prover_of(key)


def prover_of(key: Mapping[str, str]) -> Prover | None:
    """Return what makes the proofs of a kept sign-in, which need a key; None without one.

    Raises:
        StoreError: the key cannot be used.
        ConfigError: joserfc is missing.
    """
    if not key:
        return None
    # Start-up.
    from loopback_auth.protocol.dpop import DpopKey
    from loopback_auth.protocol.dpop_answers import Prover

    try:
        return Prover(DpopKey(key))
    except LoopbackAuthError:
        del key  # As in `DpopKey`.
        raise


def authenticated(
    client: ClientConfig, metadata: ServerMetadata, request: HttpRequest
) -> HttpRequest | Build:
    """Return a request in which the client proves who it is, as `send` takes it.

    A client that signs an assertion signs another one at each try, because a server takes each once.

    Args:
        client: that authenticates.
        metadata: of the server.
        request: that `protocol.client_auth` has built.

    Source: RFC 7523 §2.2, §3 (7).
    """
    if client_authentication(client, metadata) != "private_key_jwt":
        return request
    from loopback_auth.protocol.client_assertion import asserted  # Few clients have a key.

    return lambda stamp: asserted(request, client, metadata, stamp)


def signed_request(
    client: ClientConfig, metadata: ServerMetadata, request: AuthorizationRequest
) -> Flow[AuthorizationRequest]:
    """Return the authorization request, signed where the client wants that or the server requires it.

    Args:
        client: that signs.
        metadata: of the server.
        request: that the browser, or a pushed request, is to carry.

    Raises:
        ConfigError: it has to be signed, and that is switched off, or the key is missing or does not fit.

    Source: RFC 9101 §5, §10.5.
    """
    if not (client.signed_request or metadata.require_signed_request_object):
        return request
    # Few servers want it.
    from loopback_auth.protocol.request_object import check_signed_request, signed_authorization_request

    check_signed_request(client, metadata)
    return signed_authorization_request(client, request, (yield from Now()))


def send(
    request: HttpRequest | Build,
    step: str,
    prover: Prover | None = None,
    *,
    access_token: str = "",
    secrets: tuple[str, ...] = (),
) -> Flow[HttpResponse]:
    """Send a request; with a key as many times as `Proofs.again` says.

    An assertion of the client that was refused is sent again, once, by the server's clock, if it is another.

    Args:
        request: what to send, or what makes it anew for each try.
        step: its name for people, as in `Send`.
        prover: makes the proofs; None: the request has none.
        access_token: that the request carries; empty: none.
        secrets: as in `Send`.

    Source: RFC 9449 §4.2, §8, §9.
    """
    proofs = None
    if prover is not None:
        from loopback_auth.protocol.dpop_answers import Proofs  # Start-up.

        proofs = Proofs(prover, access_token)
    ahead = 0.0
    while True:
        made = request if isinstance(request, HttpRequest) else request(_later((yield from Now()), ahead))
        if proofs is not None:
            # A server may remember the identifiers of assertions and proofs together: no two are the same.
            header = ("DPoP", proofs.next(made.method, made.url, (yield from Now())))
            made = replace(made, headers=(*made.headers, header))
        answer = yield from Send(made, step, secrets)
        if proofs is not None and proofs.again(made.url, answer):
            continue
        if isinstance(request, HttpRequest) or ahead or not (ahead := _clock_ahead(answer)):
            return answer


def _later(stamp: Stamp, seconds: float) -> Stamp:
    return replace(stamp, wall=stamp.wall + seconds)


def _clock_ahead(answer: HttpResponse) -> float:
    from loopback_auth.protocol.client_assertion import clock_ahead  # Few clients have a key.

    return clock_ahead(answer)
