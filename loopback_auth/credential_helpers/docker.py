"""The credential helper of docker, podman and skopeo: what it does for each action.

They find `docker-credential-loopback-auth` on the PATH by `credsStore` or `credHelpers` in their settings.
What is said and answered is in `outputs.docker_credential`, which token in `finding`.

Source: https://github.com/docker/docker-credential-helpers
"""

from __future__ import annotations

from loopback_auth.credential_helpers.finding import Tokens
from loopback_auth.outputs import docker_credential as protocol
from loopback_auth.outputs.hosts import url_authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.credential_helpers.finding import Login

PROGRAM = "docker-credential-loopback-auth"


def at_once(content: bytes, named: str) -> tuple[str, int] | None:
    """Return the answer to `get`, and the exit status, if nothing has to be renewed or explained; else None.

    Raises:
        Exception: any, in doubt.
    """
    server, tokens = protocol.read_server(content), Tokens()
    host = url_authority(server)
    one = tokens.meant(host, named=named)
    if one is None:
        return (f"{protocol.NOT_FOUND}\n", 1) if tokens.none_for(host) is None else None
    token = tokens.at_once(one)
    if token is None:
        return None
    return protocol.docker_credential(token, server=server, username=one.user()), 0


def answered(action: str, content: bytes, named: str, login: Login | None = None) -> tuple[str, int]:
    """Do what the client asks for; returns the answer and the exit status.

    Args:
        action: the argument.
        content: of stdin; untrusted.
        named: the sign-in to use; empty: whichever is for the registry.
        login: asks the person to sign in; None: they are not asked.
    """
    from loopback_auth.cli import tell_error
    from loopback_auth.errors import LoopbackAuthError

    try:
        match action:
            case "get":
                return _get(protocol.read_server(content), named, login)
            case "list":
                return protocol.docker_list(_users()), 0
            case "store":
                return _stored(*protocol.read_stored(content))
            case "erase":
                _not_erased(protocol.read_server(content))
                return "", 0
            case "version":
                from loopback_auth import __version__

                return f"{PROGRAM} (loopback_auth) {__version__}\n", 0
            case _:
                return f"{PROGRAM}: unknown action: {action!a:.80}\n", 1
    except ValueError as exc:
        return f"{exc}\n", 1
    except LoopbackAuthError as exc:
        tell_error(exc)
        return f"{protocol.NOT_FOUND}\n" if action == "get" else f"{exc.message}\n", 1


def _get(server: str, named: str, login: Login | None) -> tuple[str, int]:
    tokens, host = Tokens(login), url_authority(server)
    one = tokens.meant(host, named=named)
    if one is None:
        if missing := tokens.none_for(host):
            raise missing
        return f"{protocol.NOT_FOUND}\n", 1
    return protocol.docker_credential(tokens.token(one), server=server, username=one.user()), 0


def _users() -> dict[str, str]:
    tokens = Tokens()
    found, _ = tokens.candidates()
    return {host.removesuffix(":443"): one.user() for one in found for host in one.hosts}


def _stored(server: str, _username: str, secret: str) -> tuple[str, int]:
    """Accept our own token, which is kept already, and refuse every other password."""
    tokens, host = Tokens(), url_authority(server)
    found, _ = tokens.candidates()
    if any(host in one.hosts and tokens.holds(one, secret) for one in found):
        return "", 0
    return f"{PROGRAM} keeps sign-ins, and no passwords: use another helper for {server!a:.120}\n", 1


def _not_erased(server: str) -> None:
    """Say how a sign-in ends: it is the person's, and other tools use it too."""
    tokens, host = Tokens(), url_authority(server)
    found, _ = tokens.candidates()
    for one in found:
        if host in one.hosts:
            from loopback_auth.cli import tell

            end = f"python -m loopback_auth logout {one.name}"
            tell(f"You are still signed in to {one.name}; to end that: {end}")
