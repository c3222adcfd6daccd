"""Show help about a command or about a topic; without either, list both.

Examples:
  python -m loopback_auth help
  python -m loopback_auth help login
  python -m loopback_auth help agents
"""

from __future__ import annotations

import difflib
from importlib.resources import files

from loopback_auth.cli import COMMANDS, TOPICS, answer, command_of, overview, print_json
from loopback_auth.cli.arguments import filled, help_width
from loopback_auth.errors import EXIT_STATUSES, ConfigError
from loopback_auth.flow_table import BY_NAME
from loopback_auth.invocation import as_typed
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.reading import suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

USAGE = "[COMMAND | TOPIC] [--json]"
STATUSES = "{exit statuses}"
"""Stands in a topic for the table of exit statuses."""
DEFENCES = "{defences}"
"""Stands in a topic for the table of defences."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("subject", nargs="?", metavar="COMMAND|TOPIC", help="what to explain")


def run(options: argparse.Namespace) -> int:
    """Show help."""
    if options.json:
        print_json(_document(options.subject))
    else:
        answer(_text(options.subject))
    return 0


def _document(subject: str | None) -> dict[str, object]:
    if subject:
        return {"subject": subject, "text": _text(subject)}
    return {"commands": COMMANDS, "topics": TOPICS, "exit_statuses": EXIT_STATUSES}


def _text(subject: str | None) -> str:
    if not subject:
        return overview().format_help()
    if subject in COMMANDS:
        return command_of(subject)[1].format_help()
    if subject in TOPICS:
        return filled(topic(subject), help_width()) + "\n"

    raise ConfigError(f"There is no command or topic {ascii(subject)[:80]}.", hint=_elsewhere(subject))


def _elsewhere(subject: str) -> str:
    """Return a hint: which command explains a flow or a provider, or which name is near."""
    explained = {
        **{name: f"python -m loopback_auth providers {name}" for name in every_preset()},
        **{name: f"python -m loopback_auth explain {name}" for name in BY_NAME},
    }
    names = [*COMMANDS, *TOPICS]
    near = difflib.get_close_matches(subject, [*names, *explained], n=1)
    if near and near[0] in explained and near[0] not in names:
        return f"See {explained[near[0]]}."
    return suggestion(subject, names)


def topic(name: str) -> str:
    """Return the text of a topic, with the command that was typed in its examples.

    Args:
        name: one of `TOPICS`.
    """
    text = files("loopback_auth").joinpath("topics", f"{name}.txt").read_text(encoding="utf-8")
    statuses = "\n".join(f"  {status:>3}  {words}" for status, words in EXIT_STATUSES.items())
    text = text.replace(STATUSES, statuses)
    return as_typed(text.replace(DEFENCES, _defences()) if DEFENCES in text else text)


def _defences() -> str:
    """List the defences of `compare --without`, with their attacks on the flow that shows each best."""
    from loopback_auth.compare.twins import defences  # Start-up.

    lines: list[str] = []
    for one in defences.DEFENCES:
        lines += [f"  {one.name}: {one.left_out}", f"    {one.source}"]
        attacks: dict[str, list[str]] = {}
        for stop in defences.stops_on(one.shown_on):
            if one.name in stop.defences:
                others = defences.in_order(stop.defences - {one.name})
                also = f"without {' and '.join(others)} as well: " if others else ""
                attacks.setdefault(also, []).append(stop.attack)
        lines += [f"    {also}{', '.join(names)}" for also, names in attacks.items()]
    return "\n".join(lines)
