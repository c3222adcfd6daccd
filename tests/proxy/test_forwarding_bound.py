"""The proxy with a token that is bound to a key, and in front of a server behind TLS."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path

import pytest
import trustme
from dpop_samples import KEY, digest, read_proof
from forward_world import answer, answering, client, proxied

from loopback_auth.clients.presentation import Presentation
from loopback_auth.model import Network
from loopback_auth.protocol.dpop import DpopKey
from loopback_auth.protocol.dpop_answers import Prover

OK = answer(body=b"fine")
NONCE = answer(
    "401 Unauthorized", 'WWW-Authenticate: DPoP error="use_dpop_nonce"', "DPoP-Nonce: of-the-server"
)


class Bound:
    """A source whose token is of no use without its key."""

    def __init__(self) -> None:
        self.prover = Prover(DpopKey(KEY))

    async def presentation(self, *, refused: str | None = None, challenge: str | None = None) -> Presentation:
        """Return the token with what proves its key."""
        assert refused is None
        return Presentation("canary-0", self.prover)


async def test_rfc9449_7_1_each_request_has_a_proof_for_its_own_address() -> None:
    """The address is that of the server, and not that of the proxy."""
    async with proxied(answering(OK), source=Bound(), path="/v1") as world, client() as session:
        async with session.post(f"{world.url}/a?b=c", data=b"x", headers={"DPoP": "theirs"}) as response:
            assert response.status == 200
        (head,) = world.heads
        (text,) = head.values("DPoP")
        claims = read_proof(text).claims

        assert head.values("Authorization") == ["DPoP canary-0"]
        assert (claims["htm"], claims["ath"]) == ("POST", digest("canary-0"))
        assert str(claims["htu"]).endswith(f"{head.values('Host')[0]}/v1/a")


async def test_rfc9449_9_a_nonce_that_the_server_asks_for_is_in_the_next_proof() -> None:
    """The token is not to blame, so it is not renewed."""
    async with proxied(answering(NONCE, OK), source=Bound()) as world, client() as session:
        async with session.get(f"{world.url}/a") as response:
            assert response.status == 200

        proofs = [read_proof(head.values("DPoP")[0]).claims for head in world.heads]
        assert [one.get("nonce") for one in proofs] == [None, "of-the-server"]


async def test_rfc9449_9_a_server_that_always_asks_is_not_asked_for_ever() -> None:
    """Its answer is for the client."""
    async with proxied(answering(NONCE), source=Bound()) as world, client() as session:
        async with session.get(f"{world.url}/a") as response:
            assert response.status == 401

        assert len(world.heads) == 2


BY_OPENSSL = pytest.mark.skipif(
    sys.platform == "win32",
    reason="there the system verifies certificates, which Wine does by rules of its own",
)


@pytest.mark.parametrize("trusted", [pytest.param(True, marks=BY_OPENSSL), False])
async def test_a_server_behind_tls_is_verified(tmp_path: Path, trusted: bool) -> None:
    """By the authorities of the sign-in's settings; without them the token is not sent."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    network = Network(ca_file=str(tmp_path / "ca.pem")) if trusted else Network()
    async with proxied(answering(OK), tls=context, network=network) as world, client() as session:
        response = await session.get(f"{world.url}/a")
        text = await response.text()

    assert (response.status, len(world.heads)) == ((200, 1) if trusted else (502, 0))
    assert "canary" not in text + "".join(world.told)
