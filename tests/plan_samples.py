"""Machines as they show themselves, and providers as they are declared."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import settings

from loopback_auth.plan.model import AT_ONCE, UNVISITED, Capabilities, Plan, Surroundings
from loopback_auth.plan.routes import capabilities

PROPERTY = settings(max_examples=150)
"""The same examples in each run, so that a failure can be repeated."""

SSH = {"SSH_CONNECTION": "198.51.100.7 52000 203.0.113.9 22", "SSH_TTY": "/dev/pts/3"}
DESKTOP = {"DISPLAY": ":0"}
X11 = {"DISPLAY": "localhost:10.0"}
HELPER = "/home/alice/.vscode-server/cli/servers/Stable-1/server/bin/helpers/browser.sh"
VSCODE = {
    "BROWSER": HELPER,
    "VSCODE_IPC_HOOK_CLI": "/run/user/1000/vscode-ipc-1.sock",
    "TERM_PROGRAM": "vscode",
}
WSL = {"WSL_DISTRO_NAME": "Debian", "WSL_INTEROP": "/run/WSL/11_interop"}
WSL_KERNEL = "5.15.167.4-microsoft-standard-WSL2"
CODESPACES = {"CODESPACES": "true", "CODESPACE_NAME": "fluffy-potato"}
TMUX = {"TMUX": "/tmp/tmux-1000/default,4026,0"}  # noqa: S108 - nothing is written there
DOCKER = ("/.dockerenv",)


def machine(
    *variables: dict[str, str],
    platform: str = "linux",
    kernel: str = "6.1.0-18-amd64",
    files: tuple[str, ...] = (),
    stdin: bool = True,
    stderr: bool = True,
    opener: str = "xdg-open",
) -> Surroundings:
    """Make up a machine: by default Linux, with a terminal, with `xdg-open`, and without any variable."""
    environ = {name: value for some in variables for name, value in some.items()}
    return Surroundings(
        environ,
        platform=platform,
        kernel=kernel,
        files=files,
        stdin=stdin,
        stderr=stderr,
        openers=(opener,) if opener else (),
    )


def provider(
    *,
    issuer: bool = True,
    endpoints: Collection[str] = ("authorization", "token", "device"),
    ticket: bool = True,
    client_secret_missing: bool = False,
) -> Capabilities:
    """Declare a provider that can do everything, except for what is said."""
    known = {f"{name}_endpoint" for name in ("authorization", "token") if name in endpoints}
    known |= {"device_authorization_endpoint"} if "device" in endpoints else set()
    known |= {"issuer"} if issuer else set()
    known |= {"ticket"} if ticket else set()
    return capabilities(known, client_secret_missing=client_secret_missing)


EVERYTHING = provider()
DEVICE = provider(ticket=False)
REDIRECT_ONLY = provider(issuer=False, endpoints=("authorization", "token"), ticket=False)


def story(plan: Plan) -> str:
    """Tell the routes in one line: at once, (when nobody came), [when asked]."""
    forms = {AT_ONCE: "{}", UNVISITED: "({})"}
    return " ".join(forms.get(route.starts, "[{}]").format(route.flow) for route in plan.routes)
