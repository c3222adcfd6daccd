"""How a browser on another machine can reach a port of this one: the words for `ssh -L`.

Loaded before the browser is started, so whatever costs is imported on use.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def authority_of(url: str) -> str:
    """Return the host and port of a URL of ours."""
    return url.partition("://")[2].partition("/")[0]


def ssh_command(authorities: Sequence[str], environ: Mapping[str, str]) -> str:
    """Write the command that forwards these ports, to be run on the machine with the browser."""
    forwards = " ".join(f"-L {one.rpartition(':')[2]}:{one}" for one in authorities)
    return f"ssh {forwards} {_this_machine(environ)}"


def _this_machine(environ: Mapping[str, str]) -> str:
    """Return what ssh on another machine needs to reach this one: the address that it came to, if it did."""
    import socket
    from getpass import getuser

    try:
        user = getuser()
    except (ImportError, KeyError, OSError):
        user = "you"
    connection = environ.get("SSH_CONNECTION", "").split()
    if len(connection) != 4:
        return f"{user}@{socket.gethostname()}"
    _, _, host, port = connection
    return f"{user}@{host}" if port == "22" else f"-p {port} {user}@{host}"
