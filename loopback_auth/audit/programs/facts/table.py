"""The table of facts."""

from __future__ import annotations

from loopback_auth.audit.programs.facts import leftover_facts, page_facts, request_facts
from loopback_auth.audit.programs.facts.evidence import Fact

FACTS: tuple[Fact, ...] = (*request_facts.FACTS, *leftover_facts.FACTS, *page_facts.FACTS)
