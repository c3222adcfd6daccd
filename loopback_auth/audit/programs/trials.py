"""The table of trials, in the order in which they are listed; the first is the one that nothing disturbs."""

from __future__ import annotations

from loopback_auth.audit.programs.stories.copies import COPIES, RELOAD, SILENCE
from loopback_auth.audit.programs.stories.foreign import FOREIGN
from loopback_auth.audit.programs.stories.forgeries import CORS, FORGERIES, REBINDING
from loopback_auth.audit.programs.stories.hostile import CLOSED_TAB, HOSTILE
from loopback_auth.audit.programs.stories.ordinary import PLAIN
from loopback_auth.audit.programs.stories.refusals import REFUSALS
from loopback_auth.audit.programs.stories.stray_requests import STRAY_REQUESTS
from loopback_auth.audit.programs.stories.untrue_responses import UNTRUE_RESPONSES
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
