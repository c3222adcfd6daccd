"""The finished runs of a comparison that is not finished yet, between one process and the next.

One private file for each provider and client. Labels stand in place of secrets, as in every trace, so that
there is nothing in it to steal. Findings are not kept: they are made anew, by the program that shows them.
"""

# The rest of what is kept does without pathlib, too.
# ruff: noqa: PTH118

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence

from loopback_auth.codec import from_members, read_object, to_members
from loopback_auth.compare.judging.checks import findings
from loopback_auth.compare.model import Outcome, Run, Tokens
from loopback_auth.model import ClientConfig
from loopback_auth.records import dataclass, replace
from loopback_auth.store import sign_in_name
from loopback_auth.store.private_files import (
    SIZE_LIMIT,
    check_folder,
    discard,
    make_folder,
    move_over,
    read_private,
    store_error,
    write_private,
)
from loopback_auth.trace.records import Exchange, Secret, Step, Trace

FOLDER = "comparisons"


@dataclass(frozen=True, slots=True)
class _Kept:
    """A run as it is written; what has the same name is the same as in `Run` and `Trace`."""

    flow: str
    outcome: Outcome
    reason: str
    tokens: Tokens | None
    steps: tuple[Step, ...]
    exchanges: tuple[Exchange, ...]
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class _Runs:
    """All that is in the file."""

    runs: tuple[_Kept, ...]


class Unfinished:
    """Keeps the runs of one client at one provider.

    Args:
        folder: the data folder; made when something is first kept.
        client: only a comparison with the very same client can go on with them.
    """

    def __init__(self, folder: str, client: ClientConfig) -> None:
        provider = client.provider
        # The address of the demonstration server is another one each time.
        whole = json.dumps(to_members(replace(client, client_secret=None, private_key=None)))
        asked = provider.name if provider.temporary else whole
        digest = hashlib.blake2b(asked.encode(), digest_size=4).hexdigest()
        self._folder = os.path.join(os.path.abspath(folder), FOLDER)  # noqa: PTH100
        self._provider = provider.name
        self.path: str = os.path.join(self._folder, f"{sign_in_name(provider.name)}-{digest}.json")

    def load(self) -> tuple[Run, ...]:
        """Read the runs, and judge them anew; none when nothing is kept.

        Raises:
            StoreError: they cannot be read, trusted or understood.
        """
        content = read_private(self.path) if check_folder(self._folder) else None
        if content is None:
            return ()
        try:
            return tuple(map(self._run, from_members(_Runs, read_object(content), name="the file").runs))
        except ValueError as exc:
            hint = "Leave --resume out to run every flow again."
            raise store_error(f"{self.path} is damaged: {exc}", hint) from None

    def save(self, runs: Sequence[Run]) -> None:
        """Keep runs in place of what was kept.

        Raises:
            StoreError: they cannot be kept.
        """
        content = json.dumps(to_members(_Runs(tuple(map(_kept, runs))))).encode("ascii")
        if len(content) > SIZE_LIMIT:
            raise store_error(
                "The finished flows cannot be kept: together they are larger than 1 MiB",
                "Name fewer flows with --flows.",
            )
        make_folder(self._folder)
        new = write_private(self._folder, content)
        try:
            move_over(new, self.path)
        except BaseException:
            discard(new)
            raise

    def forget(self) -> None:
        """Remove what is kept, if there is anything."""
        discard(self.path)

    def _run(self, kept: _Kept) -> Run:
        both: tuple[Step | Exchange, ...] = (*kept.steps, *kept.exchanges)
        entries = sorted(both, key=lambda entry: entry.number)
        if [entry.number for entry in entries] != list(range(1, len(entries) + 1)):
            raise ValueError("the entries are not numbered in order")
        trace = Trace(kept.flow, "live", self._provider, tuple(entries), kept.secrets)
        run = Run(kept.flow, kept.outcome, trace, kept.reason, kept.tokens)
        return replace(run, findings=findings(run))


def _kept(run: Run) -> _Kept:
    steps = tuple(entry for entry in run.trace.entries if isinstance(entry, Step))
    exchanges = tuple(run.trace.exchanges())
    return _Kept(run.flow, run.outcome, run.reason, run.tokens, steps, exchanges, run.trace.secrets)
