"""The README's table of places: what a sign-in does where, as the plan itself says it."""

from __future__ import annotations

from loopback_auth.plan.model import AT_ONCE, UNVISITED, Plan, Surroundings
from loopback_auth.plan.port_forwarding import forwarding_command
from loopback_auth.plan.routes import DECLARED, capabilities, plan

SSH = {"SSH_CONNECTION": "192.0.2.7 50000 there 22", "SSH_TTY": "/dev/pts/0"}
PLACES: tuple[tuple[dict[str, str], str, tuple[str, ...], bool], ...] = (
    ({}, "darwin", (), True),
    ({}, "win32", (), True),
    ({"DISPLAY": ":0"}, "linux", (), True),
    ({"WSL_DISTRO_NAME": "Debian", "WSL_INTEROP": "/run/WSL/1"}, "linux", (), True),
    (
        {
            "VSCODE_IPC_HOOK_CLI": "x",
            "BROWSER": "/x/helpers/browser.sh",
            "TERM_PROGRAM": "vscode",
            "SSH_CONNECTION": "x",
        },
        "linux",
        (),
        True,
    ),
    (
        {
            "REMOTE_CONTAINERS": "true",
            "TERM_PROGRAM": "vscode",
            "BROWSER": "/x/helpers/browser.sh",
            "VSCODE_IPC_HOOK_CLI": "x",
        },
        "linux",
        ("/.dockerenv",),
        True,
    ),
    ({**SSH, "DISPLAY": "localhost:10.0"}, "linux", (), True),
    ({"TMUX": "x"}, "linux", (), True),
    (SSH, "linux", (), True),
    ({}, "linux", (), True),
    ({"CODESPACES": "true"}, "linux", ("/.dockerenv",), True),
    ({}, "linux", ("/.dockerenv",), True),
    ({"KUBERNETES_SERVICE_HOST": "192.0.2.3"}, "linux", ("/.dockerenv",), True),
    ({"CLOUD_SHELL": "true"}, "linux", (), True),
    ({"CLAUDECODE": "1"}, "linux", (), False),
    ({"CI": "true"}, "linux", (), False),
)
"""What each place shows: variables, platform, files, and whether there is a terminal."""

OPENER = {"linux": "xdg-open", "darwin": "/usr/bin/open", "win32": ""}
WORDS = {"code": "redirect", "device": "device code or ticket", "paste": "pasted address", "ticket": "ticket"}


def table() -> str:
    """Return the table in Markdown, one row for all places where the same happens."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for place in PLACES:
        title, what = _place(*place)
        rows.setdefault(what, []).append(title)
    lines = ["| You are on | open at once | when no browser comes | a browser elsewhere reaches you by |"]
    lines.append("| --- | --- | --- | --- |")
    lines += [f"| {', '.join(titles)} | {' | '.join(what)} |" for what, titles in rows.items()]
    return "\n".join(lines)


def _place(
    environ: dict[str, str], platform: str, files: tuple[str, ...], terminal: bool
) -> tuple[str, tuple[str, str, str]]:
    opener = "wslview" if "WSL_DISTRO_NAME" in environ else OPENER[platform]
    seen = Surroundings(
        environ,
        platform=platform,
        files=files,
        stdin=terminal,
        stderr=terminal,
        openers=(opener,) if opener else (),
    )
    able = capabilities({*DECLARED} - {"ticket"})
    chosen = plan(seen, able, overrides={})
    how = forwarding_command(chosen.place, environ, ("127.0.0.1:43210",), user="you", host="there")
    reach = f"`{how}`" if how and chosen.route("code") else ""
    return chosen.place.title, (_at_once(chosen), _flows(chosen, UNVISITED), reach)


def _at_once(chosen: Plan) -> str:
    if chosen.facts.waits.level == "no":
        return "nothing: exit status 3, and `start` is named"
    browser = "browser opens; " if chosen.opens else "link is shown; "
    return browser + _flows(chosen, AT_ONCE)


def _flows(chosen: Plan, starts: str) -> str:
    return ", ".join(WORDS[route.flow] for route in chosen.starting(starts))
