"""The command with which a browser on another machine can reach a port of this one, for each environment."""

from __future__ import annotations

from loopback_auth.plan.signals import SSH
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loopback_auth.plan.model import Place

_BY_SSH = (
    "ssh",
    "ssh-x11",
    "ssh-to-desktop",
    "console",
    "multiplexer",
    "sudo",
    "text-browser",
    "no-terminal",
)
_BY_VSCODE = ("vscode-ssh", "dev-container", "codespaces")


def is_here(url: str) -> bool:
    """Return whether the host of a URL is a loopback name, which means another machine elsewhere."""
    return authority_of(url).rpartition(":")[0] in ("127.0.0.1", "[::1]", "localhost")


def authority_of(url: str) -> str:
    """Return host and port of a URL."""
    return url.partition("://")[2].partition("/")[0]


def forwarding_command(
    place: Place,
    environ: Mapping[str, str],
    authorities: Sequence[str],
    *,
    user: str,
    host: str,
    command: str = "",
    ours: bool = True,
) -> str:
    """Return a command that makes these ports reachable; empty when none helps or none is needed.

    Args:
        place: the kind of environment.
        environ: its variables.
        authorities: hosts and ports that the browser must reach, all on this machine.
        user: name of the account.
        host: name of this machine.
        command: of this program, with which a container can be started again so that it listens on the port
            `{port}` for browsers outside; empty: it has none.
        ours: one of the ports belongs to this program; where the others listen is not known.
    """
    ports = [one.rpartition(":")[2] for one in authorities]
    if not ports:
        return ""
    if place.name in _BY_VSCODE:
        return f"VS Code: View > Ports > Forward a Port: {', '.join(ports)}"
    if place.name == "container":
        return _published(environ, ports, command if ours else "")
    if place.name == "pod":
        return f"kubectl port-forward pod/{host} {' '.join(f'{port}:{port}' for port in ports)}"
    if place.name == "cloud-workspace" and (workspace := environ.get("CODER_WORKSPACE_NAME")):
        return f"coder port-forward {workspace} {' '.join(f'--tcp {port}:{port}' for port in ports)}"
    if place.name in _BY_SSH or any(environ.get(name) for name in SSH):
        forwards = " ".join(
            f"-L {port}:{authority}" for port, authority in zip(ports, authorities, strict=True)
        )
        return f"ssh {forwards} {_this_machine(environ, user, host)}"
    return ""


def instruction(place: Place) -> str:
    """Return the sentence before the command, which says where to run it."""
    if place.name == "container":
        return Words.FORWARD_CONTAINER
    return Words.FORWARD_EDITOR if place.name in _BY_VSCODE else Words.FORWARD_COMMAND


def _published(environ: Mapping[str, str], ports: list[str], command: str) -> str:
    """Return the command that publishes a port; the program must listen on all addresses for that."""
    program = "podman" if environ.get("container") in ("podman", "oci") else "docker"
    if len(ports) > 1 or not command:
        # Only this program can listen on another address; a server in the container cannot.
        return f"{program} run --network host ..."
    return f"{program} run -p 127.0.0.1:{ports[0]}:{ports[0]} ... {command.format(port=ports[0])}"


def _this_machine(environ: Mapping[str, str], user: str, host: str) -> str:
    """Return user and host for ssh on another machine; the host is that of the SSH session, if any."""
    connection = environ.get("SSH_CONNECTION", "").split()
    if len(connection) != 4:
        return f"{user}@{host}"
    _, _, host, port = connection
    return f"{user}@{host}" if port == "22" else f"-p {port} {user}@{host}"
