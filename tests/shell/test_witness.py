"""What may be told of a sign-in: every secret under the name that it has elsewhere, too."""

from __future__ import annotations

from loopback_auth.model import HttpRequest, HttpResponse
from loopback_auth.shell.witness import Witness


def test_vendors_own_names_are_told_as_tickets() -> None:
    """A reader follows the id of a ticket from `--verbose` to `compare` and `explain` by its label."""
    witness = Witness()
    created = HttpResponse(201, (("Content-Type", "application/json"),), b'{"id": "0123456789abcdef"}')
    witness.response(created, ("id", "data.access_token"))
    polled = HttpRequest("GET", "https://id.example/tickets/0123456789abcdef")
    told = witness.exchange(polled, created, step="ticket status request", seconds=0.1)

    assert told.url == "https://id.example/tickets/<ticket#1>"
    assert told.response == '{"id": "<ticket#1>"}'


def test_usual_names_stay() -> None:
    """A token is called what the specifications call it, wherever the vendor puts it."""
    witness = Witness()
    answer = HttpResponse(
        200, (("Content-Type", "application/json"),), b'{"data": {"access_token": "0123456789abcdef"}}'
    )
    witness.response(answer, ("data.access_token",))
    told = witness.exchange(HttpRequest("GET", "https://id.example/"), answer, step="poll", seconds=0.1)

    assert told.response == '{"data": {"access_token": "<access_token#1>"}}'
