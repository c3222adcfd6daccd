"""Cells that an attack has decided.

A cell about attackers says which defence was seen; where the attack was tried, it says how that ended, and
keeps its evidence. An attack that could not be tried, or that does not apply to a flow, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loopback_auth.compare.model import Attack, Cell, Run


@dataclass(frozen=True, slots=True)
class Trial:
    """The attacks on one property, and what its cell says after them.

    Args:
        attacks: ids of the attacks; the first that was tried counts.
        held: the cell's text when the attack did not succeed; `{}` stands for the text before.
        won: the cell's text when it did.
    """

    attacks: tuple[str, ...]
    held: str
    won: str


TRIALS: Mapping[str, Trial] = {
    "port": Trial(("port-squatting",), "refused: {}", "accepted: {}"),
    "iss": Trial(("mix-up",), "detected: {}", "not detected"),
    "injection": Trial(("injected-code",), "refused: {}", "accepted"),
    "fixation": Trial(("fixation",), "refused: {}", "accepted"),
    "proof": Trial(("stolen-code", "stolen-token", "stolen-ticket"), "yes: {}", "no: {}"),
    "elsewhere": Trial(("used-elsewhere",), "refused: {}", "accepted: {}"),
    "passed-on": Trial(("passed-on",), "refused: {}", "accepted: {}"),
    "replay": Trial(("replay",), "no, refused", "yes, accepted"),
    "abort": Trial(("denial-of-service",), "only with the state", "anyone with the link"),
    "phishing": Trial(("phishing",), "attacker got nothing", "attacker got the tokens"),
}
"""The attacks that decide a cell, by the id of the row."""


def tried(run: Run, row: str, cell: Cell) -> Cell:
    """Return a cell as the attacks on its property decide it; unchanged where none was tried.

    Args:
        run: with its attacks.
        row: id of the row.
        cell: the cell without attacks.
    """
    trial = TRIALS.get(row)
    attack = _attack(run, trial) if trial is not None else None
    if trial is None or attack is None:
        return cell
    pattern = trial.held if attack.verdict == "pass" else trial.won
    if "{}" not in pattern:
        return Cell(pattern, "tried", attack.source)
    if cell.basis != "observed":
        return Cell(pattern.partition(":")[0], "tried", attack.source)
    return Cell(pattern.format(cell.text), "tried", attack.source, cell.steps)


def _attack(run: Run, trial: Trial) -> Attack | None:
    ended = {one.id: one for one in run.attacks if one.verdict in ("pass", "fail")}
    return next((ended[name] for name in trial.attacks if name in ended), None)
