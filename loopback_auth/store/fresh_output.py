"""A fresh kept token in the form of an output, for tools that ask for one many times a minute.

As `read_fresh_token`, this imports next to nothing; in doubt it returns None, and the command explains.
"""

from __future__ import annotations

from loopback_auth.outputs.credential import Credential, why_unusable
from loopback_auth.outputs.plain import plain
from loopback_auth.outputs.table import OUTPUTS
from loopback_auth.store import read_fresh
from loopback_auth.store.settings_match import read_match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from loopback_auth.store.settings_match import SettingsMatch


def read_fresh_output(
    tool: str,
    folder: str,
    now: float,
    name: str,
    *,
    host: str,
    settings: Sequence[object],
    environ: Mapping[str, str],
    question: Callable[[int], bytes],
) -> str | None:
    """Return the token that a tool wants, in its form; None in every doubtful case.

    Args:
        tool: name of an output; others are doubtful.
        folder: the data folder.
        now: Unix seconds.
        name: as for `read_fresh_token`; without one no token is for a host.
        host: that the user names; empty: none.
        settings: as for `read_fresh_token`.
        environ: in which some tools say what they want.
        question: returns what the tool has written to stdin, up to so many bytes; the command asks it again.
    """
    output = OUTPUTS.get(tool)
    if output is None or (host and "host" not in output.options):
        return None
    found = read_fresh(folder, now, name, of=output.of)
    if found is None or why_unusable(found[0], "Bearer", of=output.of):
        return None
    made = Credential(*found, output.of)
    # After the sign-in was read, as `read_match` wants it.
    match = read_match(folder, made.name, settings) if settings or output.for_a_host else None
    if settings and match is None:
        return None
    try:
        if not host and (text := plain(tool, made, environ)) is not None:
            return text
        if not output.for_a_host or match is None or not name:
            return None
        if read_fresh(folder, now, name, of=output.of) != found:
            return None  # Another sign-in was kept meanwhile, and the hosts may be those of its token.
        return _for_host(tool, made, match, host, environ, question)
    except Exception:
        # The command meets the same fault again, and explains it.
        return None


def _for_host(
    tool: str,
    made: Credential,
    match: SettingsMatch,
    host: str,
    environ: Mapping[str, str],
    question: Callable[[int], bytes],
) -> str | None:
    """Return a token in the form of an output for a host, if the settings give it to that host."""
    # Start-up: most outputs are for no host.
    from loopback_auth.outputs.for_host import asked_address, for_host, loses_port
    from loopback_auth.outputs.hosts import Candidate, url_authority

    asked = url_authority(asked_address(tool, host, environ, question))
    if asked not in match.hosts or loses_port(tool, asked):
        return None  # Both have to be said.
    candidate = Candidate(made.name, made.account, match.hosts, match.username)
    return for_host(tool, made, host=asked, username=candidate.user())
