"""What to run so that a browser on another machine can reach a port of this one, in each place's words."""

from __future__ import annotations

from loopback_auth.plan.signals import SSH

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
    """Return whether a URL leads to this machine and means another one everywhere else."""
    return authority_of(url).rpartition(":")[0] in ("127.0.0.1", "[::1]", "localhost")


def authority_of(url: str) -> str:
    """Return the host and port of a URL of ours."""
    return url.partition("://")[2].partition("/")[0]


def forwarding_command(
    place: Place,
    environ: Mapping[str, str],
    authorities: Sequence[str],
    *,
    user: str,
    host: str,
    command: str = "login",
    ours: bool = True,
) -> str:
    """Return one line that makes these ports reachable; empty where nothing helps or nothing is needed.

    Args:
        place: where this runs.
        environ: its environment.
        authorities: hosts and ports that the browser has to reach, all on this machine.
        user: whose account this is.
        host: what this machine calls itself.
        command: of ours, which a container can be started with again; empty: another program asks.
        ours: one of the ports is our own; of no other can we say where it listens.
    """
    ports = [one.rpartition(":")[2] for one in authorities]
    if not ports:
        return ""
    if place.name in _BY_VSCODE:
        return f"VS Code: View > Ports > Forward a Port: {', '.join(ports)}"
    if place.name == "container":
        return _published(environ, ports, command if ours else "") if command else ""
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
    """Return what stands before that line: where it is for."""
    if place.name == "container":
        return "Is your browser outside of the container? Then start the container like this:"
    what = "Do this" if place.name in _BY_VSCODE else "Run this there"
    return f"Is your browser on another machine? {what}, and it reaches the link:"


def _published(environ: Mapping[str, str], ports: list[str], command: str) -> str:
    """Publishing a port leads to no loopback address in the container, so two things have to be changed."""
    program = "podman" if environ.get("container") in ("podman", "oci") else "docker"
    if len(ports) > 1 or not command:
        # Only our own port can listen elsewhere; that of a server here has to be reached as it is.
        return f"{program} run --network host ..."
    return f"{program} run -p 127.0.0.1:{ports[0]}:{ports[0]} ... {command} --port {ports[0]} --bind 0.0.0.0"


def _this_machine(environ: Mapping[str, str], user: str, host: str) -> str:
    """Return what ssh on another machine needs to reach this one: the address that it came to, if it did."""
    connection = environ.get("SSH_CONNECTION", "").split()
    if len(connection) != 4:
        return f"{user}@{host}"
    _, _, host, port = connection
    return f"{user}@{host}" if port == "22" else f"-p {port} {user}@{host}"
