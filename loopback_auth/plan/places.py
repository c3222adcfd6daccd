"""The table of environments in which the program can run; the first row whose trait is present is used.

A more specific environment comes first: Codespaces is a container too, and a terminal of VS Code over SSH is
an SSH session. The names of traits are those of `derived_signals`. In texts for people a place is called an
environment.
"""

from __future__ import annotations

from loopback_auth.plan.model import Place
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.plan.derived_signals import Traits

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
"""A trait, and the environment that it shows; the last row always fits."""


def place_of(traits: Traits) -> Place:
    """Return the environment in which the program runs.

    Args:
        traits: see `derived_signals`.
    """
    return next(place for trait, place in PLACES if traits[trait])
