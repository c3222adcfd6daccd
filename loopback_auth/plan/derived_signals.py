"""Derive traits of the environment from its signals; each trait has the signal that shows it.

The tables in `places` and `facts` use the names of traits. A trait that is not present is the empty string,
so that a row of a table needs only a name.
"""

from __future__ import annotations

from loopback_auth.plan import signals as seen
from loopback_auth.plan.openers import (
    WSL_OPENERS,
    named_commands,
    openers,
    print_only,
    program_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.plan.model import Surroundings

    Traits = Mapping[str, str]

_NO_DISPLAY_NEEDED = {"darwin": "macOS", "win32": "Windows", "cygwin": "Windows"}
_FORWARDED = ("localhost:", "127.0.0.1:", "[::1]:")
"""The beginning of DISPLAY with X forwarding."""
_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")
_OF_WINDOWS = frozenset(command[0] for command in WSL_OPENERS)


def derived_signals(surroundings: Surroundings) -> Traits:
    """Return every trait, with the signal that shows it."""
    traits = _single(surroundings) | _kind(surroundings) | _browser(surroundings)
    return traits | _combined(traits)


def _single(surroundings: Surroundings) -> dict[str, str]:
    """Return the traits that a single signal, or one of a group, shows."""
    environ = surroundings.environ
    desktop = _NO_DISPLAY_NEEDED.get(surroundings.platform, "")
    shell = (name for name, start in seen.CLOUD_SHELL_HOSTS.items() if _begins(environ, name, start))
    return {
        "agent": "" if surroundings.stdin else seen.first(environ, seen.AGENTS),
        "ci": seen.first(environ, seen.CI),
        # The person may have set it, and some CI jobs have a terminal.
        "ci_terminal": seen.first(environ, seen.CI) if surroundings.stdin else "",
        "cloud_shell": seen.first(environ, seen.CLOUD_SHELLS) or next(shell, ""),
        "codespaces": seen.first(environ, seen.CODESPACES),
        "desktop": desktop,
        "detached": "" if surroundings.stdin or surroundings.stderr else "no terminal",
        "dev_container": seen.first(environ, seen.DEV_CONTAINERS),
        "display": next((name for name in seen.DISPLAYS if environ.get(name)), ""),
        "macos": "macOS" if surroundings.platform == "darwin" else "",
        "multiplexer": seen.first(environ, seen.MULTIPLEXERS),
        "opener": surroundings.openers[0] if surroundings.openers else "",
        "service": "SESSIONNAME" if desktop and _begins(environ, "SESSIONNAME", "services") else "",
        "ssh": seen.first(environ, seen.SSH),
        "ssh_tty": seen.first(environ, ("SSH_TTY",)),
        "sudo": seen.first(environ, seen.SUDO),
        "termux": seen.first(environ, seen.TERMUX),
        "vscode": seen.first(environ, seen.VSCODE),
        "workspace": seen.first(environ, seen.WORKSPACES),
        "x_forwarded": "DISPLAY" if environ.get("DISPLAY", "").startswith(_FORWARDED) else "",
    }


def _browser(surroundings: Surroundings) -> dict[str, str]:
    """Return the traits that BROWSER shows: at most one of these, besides `helper_named`."""
    environ = surroundings.environ
    names = ("print_only", "text_browser", "lost_browser", "helper", "named")
    traits: dict[str, str] = dict.fromkeys(names, "")
    traits["helper_named"] = "BROWSER" if "/helpers/browser" in environ.get("BROWSER", "") else ""
    if word := print_only(environ):
        traits["print_only"] = word
    elif environ.get("BROWSER"):
        found = openers(environ, surroundings.platform)
        named = named_commands(environ, surroundings.platform)
        if named and not found:
            traits["text_browser"] = program_name(named[0][0])
        elif not found or not surroundings.openers:
            traits["lost_browser"] = "BROWSER"
        elif traits["helper_named"]:
            traits["helper"] = "BROWSER"
        else:
            traits["named"] = program_name(surroundings.openers[0])
    return traits


def _kind(surroundings: Surroundings) -> dict[str, str]:
    """Return the kind of machine: WSL does not count inside a container, nor a container inside a Flatpak."""
    environ, files = surroundings.environ, surroundings.files
    pod = seen.first(environ, (seen.POD,)) or _probed(files, "/var/run/secrets/kubernetes.io")
    marks = (
        pod,
        seen.first(environ, (seen.CONTAINER,)),
        *(_probed(files, path) for path in _CONTAINER_FILES),
    )
    flatpak = seen.first(environ, ("FLATPAK_ID",)) or _probed(files, "/.flatpak-info")
    container = "" if flatpak else next(filter(None, marks), "")
    kernel = "kernel" if "microsoft" in surroundings.kernel.lower() else ""
    wsl = next((name for name in seen.WSL if environ.get(name)), "") or _probed(files, "/run/WSL") or kernel
    interop = environ.get("WSL_INTEROP") or surroundings.stdin or surroundings.stderr
    return {
        "container": container,
        "pod": pod if container else "",
        "sandbox": flatpak or seen.first(environ, ("SNAP",)),
        "wsl": "" if container else wsl,
        "wsl_service": "" if container or interop else wsl,
    }


def _combined(t: Traits) -> dict[str, str]:
    """Return the traits that follow from several others; the value is that of the last one."""
    window = t["display"] and t["opener"]
    vscode = t["vscode"] or t["helper_named"]
    elsewhere = ("ssh", "dev_container", "wsl", "codespaces", "workspace", "cloud_shell")
    windows_program = program_name(t["opener"]) in _OF_WINDOWS or window
    return {
        "always": "always",
        "ci_named": t["ci"] and t["named"],
        "container_named": t["container"] and t["named"],
        "container_window": window and t["container"],
        "named_over_ssh": t["ssh"] and t["named"],
        "no_opener": "" if t["opener"] else t["display"] or t["termux"],
        "sandbox_window": window and t["sandbox"],
        "ssh_desktop": t["desktop"] and t["ssh"],
        "ssh_x11": t["x_forwarded"] and t["ssh"],
        "tunnel": "" if any(t[name] for name in elsewhere) else vscode,
        "vscode_ssh": t["ssh"] and vscode,
        "vscode_ssh_tty": t["ssh_tty"] and vscode,
        "workspace_alone": "" if t["ssh"] else t["workspace"],
        "wsl_lost": "" if windows_program else t["wsl"],
    }


def _begins(environ: Mapping[str, str], name: str, start: str) -> bool:
    return environ.get(name, "").lower().startswith(start)


def _probed(files: tuple[str, ...], path: str) -> str:
    return path if path in files else ""
