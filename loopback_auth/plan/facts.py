"""Decide four facts about this machine, each with its level and its reasons, and what kind of machine it is.

Two of the facts have a table, in which the first row whose trait is present decides. What the person has set
takes precedence. Three things make a fact less certain: variables in tmux and screen can be older than the
connection, a coding agent may run in a sandbox, and without a terminal no person may be at the machine.
"""

from __future__ import annotations

from loopback_auth.plan.model import LIKELY, NO, UNKNOWN, UNLIKELY, YES, Fact, Facts, Place
from loopback_auth.plan.signals import AGENTS, CI, PROBED, READ, first
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.plan.derived_signals import Traits
    from loopback_auth.plan.model import Surroundings

    Rule = tuple[str, str, str, bool]

FIRM, STALE = False, True
"""Whether tmux and screen may have an outdated value of the trait."""

OPENS: tuple[Rule, ...] = (
    # trait, level, why; whether it may be stale
    ("print_only", NO, "BROWSER is set to {it}", FIRM),
    ("text_browser", NO, "BROWSER names a text browser, {it}", FIRM),
    ("lost_browser", NO, "the program that BROWSER names was not found", FIRM),
    ("helper", YES, "VS Code opens pages where you sit", STALE),
    ("named_over_ssh", LIKELY, "BROWSER names {it}", STALE),
    ("named", YES, "BROWSER names {it}", FIRM),
    ("ci_terminal", UNLIKELY, "this may be a CI job", FIRM),
    ("ci", NO, "this is a CI job", FIRM),
    ("cloud_shell", NO, "this is a cloud shell", FIRM),
    ("ssh_x11", UNLIKELY, "this is an SSH session", STALE),
    ("ssh", NO, "this is an SSH session", STALE),
    ("container_window", LIKELY, "this container has a display", STALE),
    ("container", NO, "this is a container", FIRM),
    ("sudo", NO, "sudo runs this for another user", FIRM),
    ("wsl_service", NO, "this is a service of WSL", FIRM),
    ("wsl_lost", NO, "no program that opens a browser was found", FIRM),
    ("wsl", YES, "Windows opens pages for WSL", FIRM),
    ("service", NO, "this is a Windows service", FIRM),
    ("desktop", YES, "this is {it}", STALE),
    ("no_opener", NO, "no program that opens a browser was found", FIRM),
    ("termux", YES, "Android opens pages for Termux", FIRM),
    ("sandbox_window", LIKELY, "the desktop opens pages for the sandbox", STALE),
    ("display", YES, "there is a display", STALE),
    ("always", NO, "there is no display", STALE),
)
"""The rules for whether a program can open a page that the person sees."""

REACHES: tuple[Rule, ...] = (
    ("ci_named", LIKELY, "BROWSER names {it}, which runs here", FIRM),
    ("ci_terminal", UNLIKELY, "this may be a CI job", FIRM),
    ("ci", NO, "this is a CI job", FIRM),
    ("cloud_shell", NO, "this is a cloud shell", FIRM),
    ("codespaces", UNLIKELY, "Codespaces forwards ports only to the desktop VS Code", FIRM),
    # A terminal of VS Code has no SSH_TTY; one of tmux or of plain SSH does.
    ("vscode_ssh_tty", LIKELY, "VS Code forwards ports over SSH", STALE),
    ("vscode_ssh", YES, "VS Code forwards ports over SSH", STALE),
    ("dev_container", YES, "VS Code forwards ports of a dev container", FIRM),
    ("workspace_alone", NO, "ports of this workspace are served under another address", FIRM),
    # microsoft/vscode-remote-release#9195, #11755
    ("tunnel", NO, "VS Code forwards ports of a tunnel to an https address", STALE),
    ("named_over_ssh", UNKNOWN, "BROWSER may name a browser on another machine", STALE),
    ("ssh_x11", UNKNOWN, "a browser shown over X forwarding runs here", STALE),
    ("ssh", UNLIKELY, "this is an SSH session", STALE),
    ("container_window", LIKELY, "this container has a display", STALE),
    ("container_named", UNKNOWN, "BROWSER may name a browser outside this container", FIRM),
    ("pod", UNLIKELY, "ports of a pod have to be forwarded", FIRM),
    ("container", UNLIKELY, "ports of a container have to be published", FIRM),
    ("wsl", LIKELY, "Windows usually forwards ports of WSL", FIRM),
    ("sudo", UNKNOWN, "sudo hides whether you came from another machine", FIRM),
    ("desktop", YES, "this is {it}", STALE),
    ("termux", YES, "the browser is on this phone", FIRM),
    ("display", YES, "there is a display", STALE),
    ("text_browser", UNKNOWN, "the only browser known here is a text browser", FIRM),
    ("named", LIKELY, "BROWSER names {it}, which runs here", FIRM),
    ("multiplexer", UNKNOWN, "tmux and screen hide whether you came from another machine", FIRM),
    ("agent", UNKNOWN, "a coding agent may run on any machine", FIRM),
    ("detached", UNKNOWN, "without a terminal, the browser may be anywhere", FIRM),
    ("always", UNLIKELY, "there is no display", FIRM),
)
"""The rules for whether the person's browser can reach a port of this machine."""


def facts_of(surroundings: Surroundings, traits: Traits, overrides: Mapping[str, tuple[str, str]]) -> Facts:
    """Return the four facts.

    Args:
        surroundings: what was detected.
        traits: what follows from it; see `derived_signals`.
        overrides: name of a fact to the level that the person has set, and its origin, such as
            `flag --no-browser`.
    """
    wished = {name: Fact(level, origin) for name, (level, origin) in overrides.items()}
    return Facts(
        opens=wished.get("opens") or _answer(OPENS, traits),
        reaches=wished.get("reaches") or _answer(REACHES, traits),
        person=wished.get("person") or _person(surroundings),
        waits=wished.get("waits") or _waits(surroundings),
    )


def _answer(rules: tuple[Rule, ...], traits: Traits) -> Fact:
    trait, level, why, stale = next(rule for rule in rules if traits[rule[0]])
    because = [why.format(it=traits[trait]), *_evidence(traits[trait])]
    if stale and traits["multiplexer"]:
        level = {YES: LIKELY, NO: UNLIKELY}.get(level, level)
        because.append(f"{traits['multiplexer']} is set, so that may be out of date")
    for name, doubt in (("agent", "a coding agent runs this"), ("detached", "there is no terminal")):
        if traits[name] and level == YES:
            level = LIKELY
            because.append(doubt)
    return Fact(level, *because)


def _evidence(shown_by: str) -> tuple[str, ...]:
    if shown_by in READ:
        return (f"{shown_by} is set",)
    return (f"{shown_by} exists",) if shown_by in PROBED else ()


def _person(surroundings: Surroundings) -> Fact:
    return Fact(YES, "stdin is a terminal") if surroundings.stdin else Fact(NO, "stdin is not a terminal")


def _waits(surroundings: Surroundings) -> Fact:
    if surroundings.stdin:
        return Fact(YES, "stdin is a terminal")
    if name := first(surroundings.environ, CI):
        return Fact(NO, "this is a CI job", f"{name} is set")
    if name := first(surroundings.environ, AGENTS):
        return Fact(NO, "a coding agent sees output only when it has ended", f"{name} is set")
    if surroundings.stderr:
        return Fact(YES, "stderr is a terminal")
    return Fact(UNLIKELY, "there is no terminal")


PLACES: tuple[tuple[str, Place], ...] = (
    ("ci", Place("ci", Words.PLACE_CI, Words.ADVICE_CI)),
    ("agent", Place("agent", Words.PLACE_AGENT, Words.ADVICE_AGENT)),
    ("cloud_shell", Place("cloud-shell", Words.PLACE_CLOUD_SHELL, Words.ADVICE_ELSEWHERE)),
    ("codespaces", Place("codespaces", Words.PLACE_CODESPACES, Words.ADVICE_CODESPACES)),
    ("vscode_ssh", Place("vscode-ssh", Words.PLACE_VSCODE_SSH, Words.ADVICE_VSCODE_SSH)),
    ("dev_container", Place("dev-container", Words.PLACE_DEV_CONTAINER, Words.ADVICE_VSCODE_SSH)),
    ("workspace", Place("cloud-workspace", Words.PLACE_CLOUD_WORKSPACE, Words.ADVICE_ELSEWHERE)),
    ("ssh_desktop", Place("ssh-to-desktop", Words.PLACE_SSH_TO_DESKTOP, Words.ADVICE_FORWARD)),
    ("ssh_x11", Place("ssh-x11", Words.PLACE_SSH_X11, Words.ADVICE_SSH_X11)),
    ("ssh", Place("ssh", Words.PLACE_SSH, Words.ADVICE_FORWARD)),
    ("wsl_service", Place("wsl-service", Words.PLACE_WSL_SERVICE, Words.ADVICE_ELSEWHERE)),
    ("wsl", Place("wsl", Words.PLACE_WSL, Words.ADVICE_WSL)),
    ("tunnel", Place("vscode-tunnel", Words.PLACE_VSCODE_TUNNEL, Words.ADVICE_VSCODE_TUNNEL)),
    ("pod", Place("pod", Words.PLACE_POD, Words.ADVICE_FORWARD)),
    ("container", Place("container", Words.PLACE_CONTAINER, Words.ADVICE_CONTAINER)),
    ("detached", Place("no-terminal", Words.PLACE_NO_TERMINAL, Words.ADVICE_NO_TERMINAL)),
    ("sudo", Place("sudo", Words.PLACE_SUDO, Words.ADVICE_SUDO)),
    ("text_browser", Place("text-browser", Words.PLACE_TEXT_BROWSER, Words.ADVICE_TEXT_BROWSER)),
    ("multiplexer", Place("multiplexer", Words.PLACE_MULTIPLEXER, Words.ADVICE_MULTIPLEXER)),
    ("termux", Place("termux", Words.PLACE_TERMUX)),
    ("sandbox_window", Place("sandboxed", Words.PLACE_SANDBOXED)),
    ("macos", Place("macos", Words.PLACE_MACOS)),
    ("desktop", Place("windows", Words.PLACE_WINDOWS)),
    ("display", Place("linux-desktop", Words.PLACE_LINUX_DESKTOP)),
    ("always", Place("console", Words.PLACE_CONSOLE, Words.ADVICE_ELSEWHERE)),
)
"""A trait, and the environment that it shows; the first row whose trait is present is used.

A more specific environment comes first: Codespaces is a container too, and a terminal of VS Code over SSH is
an SSH session. In texts for people a place is called an environment.
"""


def place_of(traits: Traits) -> Place:
    """Return the environment in which the program runs.

    Args:
        traits: see `derived_signals`.
    """
    return next(place for trait, place in PLACES if traits[trait])
