"""The signals of the environment: which variables and files are looked at, and what each of them means.

A signal alone decides nothing, because most of them can be wrong: a display that tmux remembers, `CI=false`,
an image that sets DEBIAN_FRONTEND for every user. What follows from them is decided in `facts`. Signals can
be posted in public: a value that could identify a person or a machine is shown as "set".
"""

from __future__ import annotations

from loopback_auth.plan.openers import is_text_browser, named_commands, print_only, program_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from loopback_auth.plan.model import Surroundings

SSH = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
DISPLAYS = ("WAYLAND_DISPLAY", "DISPLAY")
VSCODE = ("VSCODE_IPC_HOOK_CLI",)
DEV_CONTAINERS = ("REMOTE_CONTAINERS", "VSCODE_REMOTE_CONTAINERS_SESSION")
CODESPACES = ("CODESPACES", "CODESPACE_NAME", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN")
WORKSPACES = (
    "GITPOD_WORKSPACE_ID",
    "CODER_WORKSPACE_NAME",
    "CODER",
    "VSCODE_PROXY_URI",
    "RS_SERVER_URL",
    "POSIT_PRODUCT",
    "JUPYTERHUB_API_URL",
    "JUPYTERHUB_USER",
)
CLOUD_SHELLS = ("CLOUD_SHELL", "EDITOR_IN_CLOUD_SHELL", "MONOSPACE_ENV", "ACC_CLOUD")
CLOUD_SHELL_HOSTS = {"AWS_EXECUTION_ENV": "cloudshell", "AZUREPS_HOST_ENVIRONMENT": "cloud-shell"}
"""Variables that other environments have too, and how their values begin in a cloud shell, in lower case."""
WSL = ("WSL_INTEROP", "WSL_DISTRO_NAME")
POD = "KUBERNETES_SERVICE_HOST"
CONTAINER = "container"
CI = (
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "TF_BUILD",
    "BUILDKITE",
    "CIRCLECI",
    "JENKINS_URL",
    "TEAMCITY_VERSION",
    "BUILD_ID",
)
AGENTS = (
    "LOOPBACK_AUTH_AGENT",
    "AI_AGENT",
    "CLAUDECODE",
    "CURSOR_AGENT",
    "CURSOR_TRACE_ID",
    "GEMINI_CLI",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "OPENCODE",
    "COPILOT_MODEL",
    "COPILOT_ALLOW_ALL",
    "REPL_ID",
)
SUDO = ("SUDO_USER", "DOAS_USER")
MULTIPLEXERS = ("TMUX", "STY")
SANDBOXES = ("FLATPAK_ID", "SNAP")
TERMUX = ("TERMUX_VERSION",)

_VARIABLES: tuple[tuple[str, bool, tuple[str, ...]], ...] = (
    # what it says; whether its value may be shown; names
    ("which browser to open pages with", True, ("BROWSER",)),
    ("windows can be shown", True, DISPLAYS),
    ("an SSH session", False, SSH),
    ("a terminal of VS Code on another machine", False, VSCODE),
    ("the program that this terminal belongs to", True, ("TERM_PROGRAM",)),
    ("a dev container", True, DEV_CONTAINERS[:1]),
    ("a dev container", False, DEV_CONTAINERS[1:]),
    ("GitHub Codespaces", True, CODESPACES[:1]),
    ("GitHub Codespaces", False, CODESPACES[1:]),
    ("a workspace in a browser or a cloud", False, WORKSPACES),
    ("a cloud shell", True, CLOUD_SHELLS),
    ("a cloud shell, if it says so", True, tuple(CLOUD_SHELL_HOSTS)),
    ("the Windows Subsystem for Linux", False, WSL),
    ("a Kubernetes pod", False, (POD,)),
    ("a container", True, (CONTAINER,)),
    ("a CI job", True, CI[:6]),
    ("a CI job", False, CI[6:]),
    ("a coding agent", False, AGENTS),
    ("run for another user", False, SUDO),
    ("tmux or screen: other variables may be older than your connection", False, MULTIPLEXERS),
    ("a Flatpak or Snap sandbox", False, SANDBOXES),
    ("Termux", True, TERMUX),
    ("the kind of Windows session", True, ("SESSIONNAME",)),
    ("nothing: many container images set it", True, ("DEBIAN_FRONTEND",)),
    ("nothing: Mir no longer exists", False, ("MIR_SOCKET",)),
)
READ: tuple[str, ...] = tuple(name for _, _, names in _VARIABLES for name in names)
"""The variables that are looked at."""

FILES = {
    "/.dockerenv": "a Docker container",
    "/run/.containerenv": "a Podman container",
    "/var/run/secrets/kubernetes.io": "a Kubernetes pod",
    "/.flatpak-info": "a Flatpak sandbox",
    "/run/WSL": "the Windows Subsystem for Linux",
}
PROBED: tuple[str, ...] = tuple(FILES)
"""The files and folders that are looked for."""

_HARMLESS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:")


class Signal:
    """A signal that is present.

    Args:
        name: the variable, the file, or what else was looked at.
        value: in a form that can be posted in public.
        meaning: what it says about the environment.
    """

    __slots__ = ("meaning", "name", "value")

    def __init__(self, name: str, value: str, meaning: str) -> None:
        self.name: str = name
        self.value: str = value
        self.meaning: str = meaning

    def __repr__(self) -> str:
        return f"Signal({self.name!r}, {self.value!r}, {self.meaning!r})"


def signals(surroundings: Surroundings) -> tuple[Signal, ...]:
    """Return the signals that are present; those about terminals always are."""
    environ = surroundings.environ
    found = [
        Signal(name, _shown(name, surroundings, public=public), _meaning(name, environ[name], meaning))
        for meaning, public, names in _VARIABLES
        for name in names
        if environ.get(name) or (name == "BROWSER" and name in environ)
    ]
    found += [Signal(path, "exists", FILES[path]) for path in surroundings.files if path in FILES]
    if "microsoft" in surroundings.kernel.lower():
        found.append(Signal("kernel", "Microsoft's", "the Windows Subsystem for Linux"))
    for name, terminal in (("stdin", surroundings.stdin), ("stderr", surroundings.stderr)):
        found.append(Signal(name, "a terminal" if terminal else "no terminal", _STREAMS[name]))
    opener = program_name(surroundings.openers[0]) if surroundings.openers else "none found"
    found.append(Signal("opener", opener, "the program that opens pages"))
    return tuple(found)


def truthy(value: str | None) -> bool:
    """Return whether a variable means yes: it is set, and not to a word that means no."""
    return (value or "").strip().lower() not in ("", "0", "false", "no", "off")


def first(environ: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the name of the first of these variables that means yes; empty when none does."""
    return next((name for name in names if truthy(environ.get(name))), "")


def overridden(
    environ: Mapping[str, str], files: Iterable[str], overrides: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return variables and files with those that the settings override.

    Args:
        environ: the environment variables.
        files: those in `PROBED` that exist.
        overrides: name to value; a path names a file, and an empty value removes it.
    """
    variables = {name: value for name, value in environ.items() if name not in overrides}
    variables |= {name: value for name, value in overrides.items() if value and not name.startswith("/")}
    there = {**dict.fromkeys(files, "there"), **overrides}
    return variables, tuple(path for path in PROBED if there.get(path))


_STREAMS = {"stdin": "whether you can be asked", "stderr": "whether you can read the output"}


def _meaning(name: str, value: str, meaning: str) -> str:
    if name in CI + AGENTS + CODESPACES + CLOUD_SHELLS + DEV_CONTAINERS and not truthy(value):
        return f"not {meaning}"
    return meaning


def _shown(name: str, surroundings: Surroundings, *, public: bool) -> str:
    value = surroundings.environ[name]
    if name == "BROWSER":
        return _browser(surroundings)
    if name == "DISPLAY" and value.partition(":")[0] not in ("", "localhost", "127.0.0.1"):
        return "set"
    return value if public and len(value) <= 32 and _HARMLESS.issuperset(value) else "set"


def _browser(surroundings: Surroundings) -> str:
    """Return the name of the program in BROWSER; empty if it may be the name of a folder instead."""
    environ = surroundings.environ
    if word := print_only(environ):
        return word
    programs = [command[0] for command in named_commands(environ, surroundings.platform)]
    known = (one for one in programs if one in surroundings.openers or is_text_browser(one))
    return next(map(program_name, known), "set")
