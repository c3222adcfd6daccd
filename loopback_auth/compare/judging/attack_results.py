"""What attacks have shown, in place of what could only be seen or known.

A cell about attackers says what stands against them; where one was tried, it says how that ended, and keeps
the evidence that it had. An attack that could not be tried, or does not concern a flow, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loopback_auth.compare.model import Attack, Cell, Run


@dataclass(frozen=True, slots=True)
class Trial:
    """By which attacks a property was tried, and what is said of it then.

    Args:
        attacks: ids; the first that was tried counts.
        held: said when the attack did not succeed; `{}` stands for what was seen before.
        won: said when it did.
    """

    attacks: tuple[str, ...]
    held: str
    won: str


TRIALS: Mapping[str, Trial] = {
    "port": Trial(("port-squatting",), "refused: {}", "accepted: {}"),
    "iss": Trial(("mix-up",), "noticed: {}", "not noticed"),
    "injection": Trial(("injected-code",), "refused: {}", "accepted"),
    "fixation": Trial(("fixation",), "refused: {}", "accepted"),
    "proof": Trial(("stolen-code", "stolen-token", "stolen-ticket"), "demanded: {}", "{}"),
    "replay": Trial(("replay",), "refused", "accepted"),
    "abort": Trial(("denial-of-service",), "nobody without the state", "whoever has the link"),
    "phishing": Trial(("phishing",), "attacker got nothing", "attacker got the tokens"),
}
"""By the id of the row."""


def tried(run: Run, row: str, cell: Cell) -> Cell:
    """Say of one property of a run how an attack on it ended; without one, what the cell says.

    Args:
        run: with its attacks.
        row: id of the row.
        cell: what is said without attacks.
    """
    trial = TRIALS.get(row)
    attack = _attack(run, trial) if trial is not None else None
    if trial is None or attack is None:
        return cell
    pattern = trial.held if attack.verdict == "pass" else trial.won
    if "{}" not in pattern:
        return Cell(pattern, "tried", attack.source)
    if cell.basis != "observed":
        verb = pattern.partition(":")[0]
        return cell if verb == "{}" else Cell(verb, "tried", attack.source)
    return Cell(pattern.format(cell.text), "tried", attack.source, cell.steps)


def _attack(run: Run, trial: Trial) -> Attack | None:
    ended = {one.id: one for one in run.attacks if one.verdict in ("pass", "fail")}
    return next((ended[name] for name in trial.attacks if name in ended), None)
