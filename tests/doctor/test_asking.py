"""What sends questions to a server: how many, how fast, and when it stops."""

from __future__ import annotations

import pytest
from flow_world import ISSUER, at, world

from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.doctor.asking import Asking
from loopback_auth.effects import Flow, Sleep
from loopback_auth.errors import TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse

REQUEST = HttpRequest("GET", f"{ISSUER}/jwks")
GONE = TransportError("The request got no answer: the connection was cut")


def asked(asking: Asking, place: MemoryWorld, times: int) -> list[int]:
    """Ask the same again and again, and return the statuses; 0 where there was no answer."""

    def flow() -> Flow[list[int]]:
        statuses = []
        for _ in range(times):
            try:
                statuses.append((yield from asking.send(REQUEST, step="key set request")).status)
            except TransportError:
                statuses.append(0)
        return statuses

    return place.run(flow())


def test_no_more_requests_are_made_than_were_announced() -> None:
    """Whoever starts it was told a number."""
    place, asking = world(), Asking(2)

    assert asked(asking, place, 3)[2] == 0
    assert (asking.sent, len(place.steps())) == (2, 2)


def test_requests_come_at_a_polite_pace() -> None:
    """A server that counts requests by the second should not notice."""
    place = world()
    asked(Asking(9, pause=0.5), place, 3)

    assert [one.seconds for one in place.effects if isinstance(one, Sleep)] == [0.5, 0.5]


def test_rfc6585_4_a_server_that_has_had_enough_is_asked_no_more() -> None:
    """429 is its answer to everything that is still to come."""
    place = world(disturb=at("/jwks", HttpResponse(429, (("Retry-After", "1"),))))

    assert asked(Asking(9), place, 3) == [429, 0, 0]
    assert len(place.steps()) == 1


def test_another_server_is_still_asked() -> None:
    """The endpoints of one server may be at several hosts, and one of them may be gone."""
    place, asking = world(disturb=at("/jwks", GONE, times=2)), Asking(9)
    asked(asking, place, 3)

    def elsewhere() -> Flow[HttpResponse]:
        return (
            yield from asking.send(HttpRequest("GET", "https://other.example/jwks"), step="key set request")
        )

    assert place.run(elsewhere()).status > 0
    with pytest.raises(TransportError, match="did not answer before"):
        place.run(asking.send(REQUEST, step="key set request"))
