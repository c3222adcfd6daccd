"""The table of trials, in the order in which they are listed; the first is the one that nothing disturbs."""

from __future__ import annotations

from loopback_auth.audit.programs.scenarios.copies import COPIES, RELOAD, SILENCE
from loopback_auth.audit.programs.scenarios.foreign import FOREIGN
from loopback_auth.audit.programs.scenarios.forgeries import CORS, FORGERIES, REBINDING
from loopback_auth.audit.programs.scenarios.hostile import CLOSED_TAB, HOSTILE
from loopback_auth.audit.programs.scenarios.ordinary import PLAIN
from loopback_auth.audit.programs.scenarios.refusals import REFUSALS
from loopback_auth.audit.programs.scenarios.stray_requests import STRAY_REQUESTS
from loopback_auth.audit.programs.scenarios.untrue_responses import UNTRUE_RESPONSES
from loopback_auth.audit.programs.trial import Trial

TRIALS: tuple[Trial, ...] = (
    PLAIN,
    STRAY_REQUESTS.trial(),
    COPIES.trial(),
    RELOAD,
    SILENCE,
    FORGERIES.trial(),
    CORS,
    REBINDING,
    *FOREIGN,
    *UNTRUE_RESPONSES,
    *REFUSALS,
    HOSTILE,
    CLOSED_TAB,
)
