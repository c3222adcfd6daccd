"""The table of environments in which the program can run; the first row whose trait is present is used.

A more specific environment comes first: Codespaces is a container too, and a terminal of VS Code over SSH is
an SSH session. The names of traits are those of `derived_signals`. In texts for people a place is called an
environment.
"""

from __future__ import annotations

from loopback_auth.plan.model import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.plan.derived_signals import Traits

_ELSEWHERE = "Approve in any browser, or paste the address on which your browser ends."
_FORWARD = "Forward the port from the machine with your browser, or approve elsewhere."

PLACES: tuple[tuple[str, Place], ...] = (
    (
        "ci",
        Place("ci", "a CI job", "There is usually no person to sign in: give the job a token of its own."),
    ),
    (
        "agent",
        Place(
            "agent",
            "a coding agent's shell",
            "Its output is seen only when it has ended: start the sign-in in one call, finish it in another.",
        ),
    ),
    ("cloud_shell", Place("cloud-shell", "a cloud shell", _ELSEWHERE)),
    (
        "codespaces",
        Place(
            "codespaces",
            "GitHub Codespaces",
            "Ports are forwarded to your machine by the desktop VS Code, not in a browser tab.",
        ),
    ),
    (
        "vscode_ssh",
        Place("vscode-ssh", "a terminal of VS Code over SSH", "VS Code forwards the port automatically."),
    ),
    ("dev_container", Place("dev-container", "a dev container", "VS Code forwards the port automatically.")),
    ("workspace", Place("cloud-workspace", "a workspace on a server", _ELSEWHERE)),
    (
        "ssh_desktop",
        Place("ssh-to-desktop", "an SSH session on a desktop machine", _FORWARD),
    ),
    (
        "ssh_x11",
        Place(
            "ssh-x11", "an SSH session with X forwarding", "A browser started here would be slow. " + _FORWARD
        ),
    ),
    ("ssh", Place("ssh", "an SSH session", _FORWARD)),
    ("wsl_service", Place("wsl-service", "a service in the Windows Subsystem for Linux", _ELSEWHERE)),
    (
        "wsl",
        Place(
            "wsl",
            "the Windows Subsystem for Linux",
            "If your browser cannot reach the port, a VPN or firewall of Windows may be in the way.",
        ),
    ),
    (
        "tunnel",
        Place(
            "vscode-tunnel",
            "a VS Code tunnel",
            "It forwards ports to an https address, which no redirect can use. " + _ELSEWHERE,
        ),
    ),
    ("pod", Place("pod", "a Kubernetes pod", _FORWARD)),
    ("container", Place("container", "a container", "Publish the port, or approve elsewhere.")),
    (
        "detached",
        Place("no-terminal", "a program without a terminal", "Run it in a terminal to get more help."),
    ),
    (
        "sudo",
        Place(
            "sudo",
            "a command run for another user",
            "The tokens would be kept for that user: sign in without sudo.",
        ),
    ),
    (
        "text_browser",
        Place("text-browser", "a machine with a text browser", "Open the link in a graphical browser."),
    ),
    (
        "multiplexer",
        Place("multiplexer", "a tmux or screen session", "Its variables may be older than your connection."),
    ),
    ("termux", Place("termux", "Termux on a phone")),
    ("sandbox_window", Place("sandboxed", "a Flatpak or Snap sandbox")),
    ("macos", Place("macos", "macOS")),
    ("desktop", Place("windows", "Windows")),
    ("display", Place("linux-desktop", "a desktop")),
    ("always", Place("console", "a console without a display", _ELSEWHERE)),
)
"""A trait, and the environment that it shows; the last row always fits."""


def place_of(traits: Traits) -> Place:
    """Return the environment in which the program runs.

    Args:
        traits: see `derived_signals`.
    """
    return next(place for trait, place in PLACES if traits[trait])
