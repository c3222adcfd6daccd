"""The report of `doctor`: everything that a plan was made from, safe to post in public, and read back.

    {"version": 1,
     "signals": [{"name", "value", "meaning"}],
     "surroundings": {"environ", "platform", "kernel", "files", "stdin", "stderr", "openers"},
     "asked": {"provider", "flow", "allowed", "wishes", "refused", "any_port", "authority"},
     "place": {"name", "title"}, "facts": {fact: {"level", "because"}},
     "routes": [{"flow", "starts", "why"}], "refused": {flow: why}, "advice", "recipe",
     "network": [{"name", "value"}], "server": [...]}

Only `surroundings` and `asked` are read back, and strictly: a stranger may have written the file, and its
values are shown in a terminal and in a command that people copy. Values that could identify a person or a
machine are removed first, so the rest of the report contains none either. Reading it gives the same plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TypeVar

from loopback_auth.codec import from_members, to_members
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.plan.model import LEVELS, Capabilities, Plan, Surroundings
from loopback_auth.plan.openers import PRINT_ONLY, program_name
from loopback_auth.plan.port_forwarding import forwarding_command
from loopback_auth.plan.routes import NO_TERMINAL_TO_CONFIRM, plan
from loopback_auth.plan.signals import CLOUD_SHELL_HOSTS, PROBED, READ, signals, truthy
from loopback_auth.records import dataclass, field

Words = TypeVar("Words", Mapping[str, str], Mapping[str, tuple[str, str]], tuple[str, ...])

VERSION = 1
FACTS = ("opens", "reaches", "person", "waits")
ANY_PORT = "PORT"
"""Stands for a port that is not known before the sign-in."""
SOMEBODY, SOMEWHERE = "you", "this-machine"

_WORD = re.compile(r"[A-Za-z0-9._:/+@-]{0,64}")
_SENTENCE = re.compile(r".{1,200}")
_AUTHORITY = re.compile(rf"(127\.0\.0\.1|\[::1\]|localhost):({ANY_PORT}|[0-9]{{1,5}})")
_X_FORWARDED = ("localhost:", "127.0.0.1:", "[::1]:")
_HELPER = "/helpers/browser"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything that a plan is made from.

    Args:
        surroundings: what was detected about the machine.
        capabilities: what the provider allows.
        overrides: fact to the level that the person has set, and where they set it.
        allowed: the flows that may be used.
        flow: the only one that is wanted; None: choose.
        provider: for people.
        authority: host and port of the redirect URI, or `ANY_PORT`.
    """

    surroundings: Surroundings
    capabilities: Capabilities
    overrides: Mapping[str, tuple[str, str]] = field(kw_only=True)
    allowed: tuple[str, ...] = field(kw_only=True)
    flow: str | None = field(kw_only=True)
    provider: str = field(kw_only=True)
    authority: str = field(kw_only=True)

    def plan(self) -> Plan:
        """Return the plan; if one flow is demanded, the reason why it would be refused stays in it."""
        chosen = plan(self.surroundings, self.capabilities, overrides=self.overrides, allowed=self.allowed)
        if self.flow is None:
            return chosen
        insisted = chosen.only(self.flow)
        insisted.refused = {flow: why for flow, why in chosen.refused.items() if flow == self.flow}
        return insisted

    def redacted(self) -> Circumstances:
        """Return the same without values that identify a person or a machine; the plan is the same."""
        seen = self.surroundings
        return Circumstances(
            Surroundings(
                {
                    name: _harmless(name, seen)
                    for name in READ
                    if seen.environ.get(name) or _empty(name, seen)
                },
                platform=seen.platform,
                kernel="microsoft" if "microsoft" in seen.kernel.lower() else "",
                files=tuple(path for path in seen.files if path in PROBED),
                stdin=seen.stdin,
                stderr=seen.stderr,
                openers=tuple(map(_program, seen.openers)),
            ),
            self.capabilities,
            overrides={fact: (level, _origin(origin)) for fact, (level, origin) in self.overrides.items()},
            allowed=self.allowed,
            flow=self.flow,
            provider=self.provider[:200],
            authority=self.authority,
        )


def described(
    circumstances: Circumstances,
    server: list[dict[str, str]],
    network: Sequence[dict[str, str]] = (),
    *,
    command: str = "",
) -> dict[str, object]:
    """Return the report: a plan, and all that it was made from, without values that identify anyone.

    Args:
        circumstances: unchanged; they are redacted here.
        server: what the authorization server answered, as JSON.
        network: how it is reached, as JSON and without names.
        command: with which a container can be started again, as in `forwarding_command`.
    """
    safe = circumstances.redacted()
    seen, chosen = safe.surroundings, safe.plan()
    return {
        "version": VERSION,
        "signals": [{"name": one.name, "value": one.value, "meaning": one.meaning} for one in signals(seen)],
        "surroundings": {each.name: getattr(seen, each.name) for each in fields(_Surroundings)},
        "asked": to_members(
            _Asked(
                safe.provider,
                safe.flow,
                safe.allowed,
                safe.overrides,
                safe.capabilities.refused,
                any_port=safe.capabilities.any_port,
                authority=safe.authority,
            )
        ),
        "place": {"name": chosen.place.name, "title": chosen.place.title},
        "facts": {name: _fact(chosen, name) for name in FACTS},
        "routes": [{"flow": one.flow, "starts": one.starts, "why": one.why} for one in chosen.routes],
        "refused": refused_flows(chosen),
        "advice": chosen.place.advice,
        "recipe": forwarding_command(
            chosen.place,
            seen.environ,
            [safe.authority],
            user=SOMEBODY,
            host=SOMEWHERE,
            command=command,
        ),
        "network": list(network),
        "server": server,
    }


def refused_flows(chosen: Plan) -> dict[str, str]:
    """Return the flows that cannot be used, each with its reason and the flag that removes it."""
    with_flag = {NO_TERMINAL_TO_CONFIRM: f"{NO_TERMINAL_TO_CONFIRM} --yes accepts any account."}
    return {flow: with_flag.get(why, why) for flow, why in chosen.refused.items()}


def circumstances_of(document: Mapping[str, object]) -> Circumstances:
    """Read a report back.

    Args:
        document: untrusted.

    Raises:
        ConfigError: the document is not a report, or contains a value that a report never has.
    """
    if document.get("version") != VERSION:
        raise _refused("its version is not 1")
    try:
        seen = from_members(_Surroundings, document.get("surroundings"), name="surroundings")
        asked = from_members(_Asked, document.get("asked"), name="asked")
    except ValueError as exc:
        raise _refused(str(exc)) from None
    overrides = _known("wishes", asked.wishes, FACTS)
    for fact, (level, origin) in overrides.items():
        _known(fact, (level,), LEVELS)
        _formed("origin", origin, _SENTENCE)
    return Circumstances(
        Surroundings(
            {
                name: _formed(name, value, _WORD)
                for name, value in _known("environ", seen.environ, READ).items()
            },
            platform=_formed("platform", seen.platform, _WORD),
            kernel=_formed("kernel", seen.kernel, _WORD),
            files=_known("files", seen.files, PROBED),
            stdin=seen.stdin,
            stderr=seen.stderr,
            openers=tuple(_formed("openers", name, _WORD) for name in seen.openers),
        ),
        Capabilities(
            {
                flow: _formed(flow, why, _SENTENCE)
                for flow, why in _known("refused", asked.refused, CHOOSABLE).items()
            },
            any_port=asked.any_port,
        ),
        overrides=overrides,
        allowed=_known("allowed", asked.allowed, CHOOSABLE),
        flow=None if asked.flow is None else _formed("flow", asked.flow, _SENTENCE),
        provider=_formed("provider", asked.provider, _SENTENCE),
        authority=_formed("authority", asked.authority, _AUTHORITY),
    )


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """The member `surroundings` of a report: what `plan.model.Surroundings` has."""

    environ: Mapping[str, str]
    platform: str
    kernel: str
    files: tuple[str, ...]
    stdin: bool
    stderr: bool
    openers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The member `asked` of a report: the rest of what a plan is made of."""

    provider: str
    flow: str | None
    allowed: tuple[str, ...]
    wishes: Mapping[str, tuple[str, str]]
    refused: Mapping[str, str]
    any_port: bool
    authority: str


def _fact(chosen: Plan, name: str) -> dict[str, object]:
    fact = getattr(chosen.facts, name)
    return {"level": fact.level, "because": fact.because}


def _empty(name: str, seen: Surroundings) -> bool:
    # An empty BROWSER means "no browser"; any other empty variable counts as not set.
    return name == "BROWSER" and name in seen.environ


def _harmless(name: str, seen: Surroundings) -> str:
    """Return a value that leads to the same plan and reveals nothing else."""
    value = seen.environ[name]
    if name == "BROWSER":
        return _harmless_browser(value, seen)
    if name == "DISPLAY" and value.startswith(_X_FORWARDED):
        return "localhost:10.0"
    start = CLOUD_SHELL_HOSTS.get(name)
    if start is not None and value.lower().startswith(start):
        return start
    if not truthy(value):
        return "0"
    shown = next(one.value for one in signals(seen) if one.name == name)
    return shown if _WORD.fullmatch(shown) else "set"


def _harmless_browser(value: str, seen: Surroundings) -> str:
    if program_name(value.strip().lower()) in PRINT_ONLY:
        return program_name(value.strip().lower())
    if _HELPER in value:
        return f"{_HELPER}.sh"
    if seen.openers:
        return _program(seen.openers[0])
    shown = next(one.value for one in signals(seen) if one.name == "BROWSER")
    return shown if _WORD.fullmatch(shown) else "set"


def _program(path: str) -> str:
    if _HELPER in path:
        return f"{_HELPER}.sh"
    name = program_name(path)
    return name if _WORD.fullmatch(name) else "set"


def _origin(origin: str) -> str:
    """Return an origin without the path of the file."""
    return "the configuration file" if origin.startswith("file ") else origin


def _refused(detail: str) -> ConfigError:
    return ConfigError(
        f"This is not a report of doctor: {detail}",
        hint="Make one on the machine with the problem: python -m loopback_auth doctor --json > FILE",
    )


def _known(name: str, words: Words, known: tuple[str, ...]) -> Words:
    if not set(words) <= set(known):
        raise _refused(f"{name} contains something that a report never has")
    return words


def _formed(name: str, value: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(value) or not value.isprintable():
        raise _refused(f"the value of {name} cannot be in a report")
    return value
