"""A report: everything that a plan was made of, fit to be posted in public, and read back to the same plan.

    {"version": 1,
     "signals": [{"name", "value", "meaning"}],
     "surroundings": {"environ", "platform", "kernel", "files", "stdin", "stderr", "openers"},
     "asked": {"provider", "flow", "allowed", "wishes", "refused", "any_port", "authority"},
     "place": {"name", "title"}, "facts": {fact: {"level", "because"}},
     "routes": [{"flow", "starts", "why"}], "refused": {flow: why}, "advice", "recipe",
     "network": [{"name", "value"}], "server": [...]}

Only `surroundings` and `asked` are read back, and strictly: whoever wrote the file is a stranger, and what it
says goes to a terminal and into a command line that people copy. What could name a person or a machine has
gone before anything is described, so the rest of the report is made of harmless things only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from loopback_auth.errors import ConfigError
from loopback_auth.plan.model import LEVELS, ROUTES, Capabilities, Plan, Surroundings
from loopback_auth.plan.openers import PRINT_ONLY, program_name
from loopback_auth.plan.port_forwarding import forwarding_command
from loopback_auth.plan.routes import plan
from loopback_auth.plan.signals import CLOUD_SHELL_HOSTS, PROBED, READ, signals, truthy

VERSION = 1
FACTS = ("opens", "reaches", "person", "waits")
ANY_PORT = "PORT"
"""What stands for a port that is not known before the sign-in."""
SOMEBODY, SOMEWHERE = "you", "this-machine"

_WORD = re.compile(r"[A-Za-z0-9._:/+@-]{0,64}")
_SENTENCE = re.compile(r".{1,200}")
_AUTHORITY = re.compile(rf"(127\.0\.0\.1|\[::1\]|localhost):({ANY_PORT}|[0-9]{{1,5}})")
_X_FORWARDED = ("localhost:", "127.0.0.1:", "[::1]:")
_HELPER = "/helpers/browser"


class Circumstances:
    """Everything that a plan is made of.

    Args:
        flow: the only one that is wanted; None: choose.
        provider: for people.
        authority: host and port of the redirect URI, or `ANY_PORT`.
    """

    __slots__ = ("allowed", "authority", "capabilities", "flow", "overrides", "provider", "surroundings")

    def __init__(
        self,
        surroundings: Surroundings,
        capabilities: Capabilities,
        *,
        overrides: Mapping[str, tuple[str, str]],
        allowed: tuple[str, ...],
        flow: str | None,
        provider: str,
        authority: str,
    ) -> None:
        self.surroundings = surroundings
        self.capabilities = capabilities
        self.overrides = overrides
        self.allowed = allowed
        self.flow = flow
        self.provider = provider
        self.authority = authority

    def plan(self) -> Plan:
        """Make the plan of a sign-in; where one flow is insisted on, what speaks against it stays in it."""
        chosen = plan(self.surroundings, self.capabilities, overrides=self.overrides, allowed=self.allowed)
        if self.flow is None:
            return chosen
        insisted = chosen.only(self.flow)
        insisted.refused = {flow: why for flow, why in chosen.refused.items() if flow == self.flow}
        return insisted

    def redacted(self) -> Circumstances:
        """Return the same without anything that names a person or a machine; the plan is the same."""
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
    circumstances: Circumstances, server: list[dict[str, str]], network: Sequence[dict[str, str]] = ()
) -> dict[str, object]:
    """Describe a plan, and all that it was made of, without anything that names a person or a machine.

    Args:
        circumstances: as they are; they are redacted here.
        server: what the authorization server answered, ready for JSON.
        network: how it is reached, ready for JSON and without names.
    """
    safe = circumstances.redacted()
    seen, chosen = safe.surroundings, safe.plan()
    return {
        "version": VERSION,
        "signals": [{"name": one.name, "value": one.value, "meaning": one.meaning} for one in signals(seen)],
        "surroundings": {name: getattr(seen, name) for name in _SURROUNDINGS},
        "asked": {
            "provider": safe.provider,
            "flow": safe.flow,
            "allowed": safe.allowed,
            "wishes": safe.overrides,
            "refused": safe.capabilities.refused,
            "any_port": safe.capabilities.any_port,
            "authority": safe.authority,
        },
        "place": {"name": chosen.place.name, "title": chosen.place.title},
        "facts": {name: _fact(chosen, name) for name in FACTS},
        "routes": [{"flow": one.flow, "starts": one.starts, "why": one.why} for one in chosen.routes],
        "refused": dict(chosen.refused),
        "advice": chosen.place.advice,
        "recipe": forwarding_command(
            chosen.place, seen.environ, [safe.authority], user=SOMEBODY, host=SOMEWHERE
        ),
        "network": list(network),
        "server": server,
    }


def circumstances_of(document: Mapping[str, object]) -> Circumstances:
    """Read a report back.

    Args:
        document: untrusted.

    Raises:
        ConfigError: it is no report, or has something in it that no report has.
    """
    if document.get("version") != VERSION:
        raise _refused("its version is not 1")
    seen = _object(document, "surroundings", _SURROUNDINGS)
    asked = _object(document, "asked", _ASKED)
    return Circumstances(
        Surroundings(
            _texts(seen, "environ", names=READ, form=_WORD),
            platform=_text(seen, "platform", _WORD),
            kernel=_text(seen, "kernel", _WORD),
            files=_list(seen, "files", PROBED),
            stdin=_bool(seen, "stdin"),
            stderr=_bool(seen, "stderr"),
            openers=_list(seen, "openers"),
        ),
        Capabilities(
            _texts(asked, "refused", names=ROUTES, form=_SENTENCE), any_port=_bool(asked, "any_port")
        ),
        overrides=_overrides(asked),
        allowed=_list(asked, "allowed", ROUTES),
        flow=None if asked["flow"] is None else _text(asked, "flow", _SENTENCE),
        provider=_text(asked, "provider", _SENTENCE),
        authority=_text(asked, "authority", _AUTHORITY),
    )


_SURROUNDINGS = ("environ", "platform", "kernel", "files", "stdin", "stderr", "openers")
_ASKED = ("provider", "flow", "allowed", "wishes", "refused", "any_port", "authority")


def _fact(chosen: Plan, name: str) -> dict[str, object]:
    fact = getattr(chosen.facts, name)
    return {"level": fact.level, "because": fact.because}


def _empty(name: str, seen: Surroundings) -> bool:
    # An empty BROWSER asks for no browser; every other empty variable is as good as none.
    return name == "BROWSER" and name in seen.environ


def _harmless(name: str, seen: Surroundings) -> str:
    """Return a value that leads to the same plan, and tells nothing else."""
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
    """Leave out where somebody's files are."""
    return "the configuration file" if origin.startswith("file ") else origin


def _refused(detail: str) -> ConfigError:
    return ConfigError(
        f"This is no report of doctor: {detail}",
        hint="Make one where the trouble is: python -m loopback_auth doctor --json > FILE",
    )


def _object(document: Mapping[str, object], name: str, members: tuple[str, ...]) -> Mapping[str, object]:
    value = document.get(name)
    if not isinstance(value, dict) or sorted(value) != sorted(members):
        raise _refused(f"{name} does not have the members {', '.join(members)}")
    return value


def _text(members: Mapping[str, object], name: str, form: re.Pattern[str]) -> str:
    value = members[name]
    if not isinstance(value, str) or not form.fullmatch(value) or not value.isprintable():
        raise _refused(f"{name} is no text that can stand there")
    return value


def _bool(members: Mapping[str, object], name: str) -> bool:
    value = members[name]
    if not isinstance(value, bool):
        raise _refused(f"{name} is neither true nor false")
    return value


def _list(members: Mapping[str, object], name: str, known: tuple[str, ...] = ()) -> tuple[str, ...]:
    value = members[name]
    words = tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
    if not isinstance(value, list) or len(words) != len(value):
        raise _refused(f"{name} is no list of texts")
    if not all(one in known if known else _WORD.fullmatch(one) for one in words):
        raise _refused(f"{name} has something in it that can not stand there")
    return words


def _texts(
    members: Mapping[str, object], name: str, *, names: tuple[str, ...], form: re.Pattern[str]
) -> dict[str, str]:
    value = members[name]
    if not isinstance(value, dict) or not set(value) <= set(names):
        raise _refused(f"{name} has other members than a report has")
    return {key: _text(value, key, form) for key in value}


def _overrides(asked: Mapping[str, object]) -> dict[str, tuple[str, str]]:
    value = asked["wishes"]
    if not isinstance(value, dict) or not set(value) <= set(FACTS):
        raise _refused("wishes has other members than a report has")
    overrides = {}
    for fact, wish in value.items():
        if not isinstance(wish, list) or len(wish) != 2 or wish[0] not in LEVELS:
            raise _refused(f"the wish about {fact} is no level and its origin")
        overrides[fact] = (str(wish[0]), _text({"origin": wish[1]}, "origin", _SENTENCE))
    return overrides
