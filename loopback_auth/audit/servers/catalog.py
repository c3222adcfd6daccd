"""Every check of a server, in the order of a report."""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.audit.servers import (
    authorization_checks,
    encryption_checks,
    endpoint_checks,
    key_checks,
    metadata_checks,
    page_checks,
    redirect_uri_checks,
    token_checks,
)
from loopback_auth.audit.servers.server_check import ServerCheck

CHECKS: tuple[ServerCheck, ...] = (
    *metadata_checks.CHECKS,
    *encryption_checks.CHECKS,
    *authorization_checks.CHECKS,
    *redirect_uri_checks.CHECKS,
    *page_checks.CHECKS,
    *token_checks.CHECKS,
    *endpoint_checks.CHECKS,
    *key_checks.CHECKS,
)

FAULTS: Mapping[str, str] = {one.id: one.fault for one in CHECKS}
"""The sentence about a server that fails a check, by the id of the check."""
