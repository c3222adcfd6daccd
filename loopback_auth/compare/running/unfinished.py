"""The finished runs of a comparison that is not finished yet, between one process and the next.

One private file for each provider and client, with the comparison's own document in it: labels in place of
secrets, as in every trace, so that there is nothing in it to steal. What is read has to be of the form
that was written; findings are not read but made anew, so that they are those of the program that tells them.
"""

# The rest of what is kept does without pathlib, too.
# ruff: noqa: PTH118

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from loopback_auth.compare.drawing.document import FORMAT, FORMAT_VERSION, document, written
from loopback_auth.compare.judging.checks import findings
from loopback_auth.compare.nouns import Comparison, Run
from loopback_auth.model import ClientConfig
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
from loopback_auth.store.strict import built
from loopback_auth.trace import Exchange, Secret, Step

FOLDER = "comparisons"
AGAIN = "Leave --resume out: then every flow is run anew."


class Unfinished:
    """Keeps the runs of one client at one provider.

    Args:
        folder: the data folder; made when something is first kept.
        client: who asks; a comparison goes on with the very same one only.
    """

    def __init__(self, folder: str, client: ClientConfig) -> None:
        provider = client.provider
        # The address of the demonstration is another one each time. Secrets are in no `repr`.
        asked = provider.name if provider.temporary else repr(client)
        digest = hashlib.blake2b(asked.encode(), digest_size=4).hexdigest()
        self._folder = os.path.join(os.path.abspath(folder), FOLDER)  # noqa: PTH100
        self._provider = provider.name
        self.path = os.path.join(self._folder, f"{sign_in_name(provider.name)}-{digest}.json")

    def load(self) -> tuple[Run, ...]:
        """Read the runs; none when nothing is kept.

        Raises:
            StoreError: they cannot be read, trusted or understood.
        """
        content = read_private(self.path) if check_folder(self._folder) else None
        if content is None:
            return ()
        try:
            return runs_of(json.loads(content), provider=self._provider)
        except (ValueError, RecursionError) as exc:
            raise store_error(f"{self.path} is damaged: {exc}", AGAIN) from None

    def save(self, runs: Sequence[Run]) -> None:
        """Keep runs in place of what was kept.

        Raises:
            StoreError: they cannot be kept.
        """
        whole = Comparison("live", self._provider, time.time(), "", tuple(runs), rows=())
        content = written(document(whole)).encode("ascii")
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


def runs_of(value: object, *, provider: str) -> tuple[Run, ...]:
    """Read the runs in the document of a comparison on live ground, and judge them anew.

    Args:
        value: what JSON carried; untrusted.
        provider: whose they have to be.

    Raises:
        ValueError: it is something else; the text quotes no value.
    """
    whole = _mapping(value, "the document")
    for name, wanted in (("format", FORMAT), ("format_version", FORMAT_VERSION), ("ground", "live")):
        if whole.get(name) != wanted:
            raise ValueError(f"its {name} is another one")
    if whole.get("provider") != provider:
        raise ValueError("it is about another provider")
    return tuple(_run(_mapping(one, "a run"), provider) for one in _list(whole.get("runs"), "runs"))


def _run(members: Mapping[str, object], provider: str) -> Run:
    entries = tuple(_entry(_mapping(one, "an entry")) for one in _list(members.get("entries"), "entries"))
    if [entry.number for entry in entries] != list(range(1, len(entries) + 1)):
        raise ValueError("the entries are not numbered in order")
    secrets = tuple(built(Secret, one) for one in _list(members.get("secrets"), "secrets"))
    trace = {"flow": members.get("flow"), "ground": "live", "provider": provider, "entries": []}
    plain = {name: members.get(name) for name in ("flow", "outcome", "reason", "tokens")}
    run = built(Run, {**plain, "trace": trace})
    run = replace(run, trace=replace(run.trace, entries=entries, secrets=secrets))
    return replace(run, findings=findings(run))


def _entry(members: Mapping[str, object]) -> Step | Exchange:
    rest = {name: value for name, value in members.items() if name != "kind"}
    if members.get("kind") == "step":
        return built(Step, {**rest, "values": _pairs(rest.get("values"))})
    headers = {name: _pairs(rest.get(name)) for name in ("request_headers", "response_headers")}
    return built(Exchange, {**rest, **headers})


def _pairs(value: object) -> list[list[object]]:
    named = [_mapping(one, "a named value") for one in _list(value, "named values")]
    return [[one.get("name"), one.get("value")] for one in named]


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no object")
    return value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{what} are no list")
    return value
