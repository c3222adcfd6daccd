"""A fresh kept token in the form of an output, for tools that ask for one many times a minute.

As `read_fresh_token`, this imports next to nothing; in doubt it returns None, and the command explains.
"""

from __future__ import annotations

from loopback_auth.outputs.credential import Credential, why_unusable
from loopback_auth.outputs.plain import plain
from loopback_auth.outputs.table import OUTPUTS
from loopback_auth.store import read_fresh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def read_fresh_output(
    tool: str, folder: str, now: float, name: str, since: float, environ: Mapping[str, str]
) -> str | None:
    """Return the token that a tool wants, in its form; None in every doubtful case.

    Args:
        tool: name of an output; others are doubtful.
        folder: the data folder.
        now: Unix seconds.
        name: as for `read_fresh_token`.
        since: as for `read_fresh_token`.
        environ: in which some tools say what they want.
    """
    output = OUTPUTS.get(tool)
    found = read_fresh(folder, now, name, since, of=output.of) if output is not None else None
    if output is None or found is None or why_unusable(found[0], "Bearer", of=output.of):
        return None
    try:
        return plain(tool, Credential(*found, output.of), environ)
    except Exception:
        # The command meets the same fault again, and explains it.
        return None
