"""The names and addresses that an explanation uses, for the provider or the demonstration server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loopback_auth.device_and_ticket import TicketContract
from loopback_auth.drawing.mermaid import PARTICIPANTS
from loopback_auth.explain.story_words import VENDOR, Sentence
from loopback_auth.model import Provider
from loopback_auth.trace.reading import without_query
from loopback_auth.trace.records import Exchange

FROM_RESPONSE = ", from the response}"
"""The end of the name that stands for an address which the server chose."""
PARTY_NAMES = {party: name.lower() for party, name in PARTICIPANTS.items()}
"""Names of the parties inside a sentence."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The names and addresses that an explanation uses.

    Args:
        provider: name of the server.
        translated: replaces the addresses of the demonstration server with those of the provider.
        contract: the vendor's ticket contract; None for other flows.
        rehearsed: the demonstration server answered instead of the provider, so only the response fields that
            the program uses are shown.
        declared: what the settings say about the provider, for this and other flows; None when unknown.
        asked: numbers of the trace entries that are real, in a rehearsal.
    """

    provider: str = "the server"
    translated: Callable[[str], str] = str
    contract: TicketContract | None = None
    rehearsed: bool = False
    declared: Provider | None = None
    asked: frozenset[int] = frozenset()

    def with_source(self, sentence: Sentence) -> Sentence:
        """Fill in the source of the vendor's contract where a sentence refers to it."""
        source = self.contract.source if self.contract is not None else ""
        return sentence[0], sentence[1].replace(VENDOR, source)

    def hides_answer(self, exchange: Exchange) -> bool:
        """Return whether the demonstration server answered where the provider would answer in its own way."""
        asked = exchange.sender == "browser" or exchange.step == "metadata request"
        return self.rehearsed and asked and exchange.number not in self.asked

    def direction(self, exchange: Exchange) -> str:
        """Return who sent a request to whom."""
        names = {**PARTY_NAMES, "server": self.provider.removeprefix("the ")}
        return f"{names[exchange.sender]} to {names[exchange.receiver]}"


def shown_link(url: str, wording: Wording) -> str:
    """Return a link with the provider's addresses; without the query where that would be long."""
    whole = wording.translated(url)
    bare = wording.translated(without_query(url))
    return bare if bare.endswith(FROM_RESPONSE) or "redirect_uri=" in whole else whole
