"""The credential helper of docker, podman and skopeo: what it does for each action.

They find `docker-credential-loopback-auth` on the PATH by `credsStore` or `credHelpers` in their settings.
What is said and answered is in `outputs.docker_credential`, which token in `token_lookup`.

Source: https://github.com/docker/docker-credential-helpers
"""

from __future__ import annotations

from loopback_auth.credential_helpers.token_lookup import TokenLookup
from loopback_auth.outputs import docker_credential as protocol
from loopback_auth.outputs.hosts import url_authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.credential_helpers.token_lookup import Login
    from loopback_auth.outputs.credential import Credential
    from loopback_auth.outputs.hosts import Candidate

PROGRAM = "docker-credential-loopback-auth"
_NONE = (f"{protocol.NOT_FOUND}\n", 1)
"""The answer, with the exit status, for a registry that has no sign-in."""


def answer_at_a_glance(content: bytes, named: str) -> tuple[str, int] | None:
    """Return the answer to `get`, and the exit status, if a glance at the files gives it; None in doubt.

    Args:
        content: of stdin; untrusted.
        named: the sign-in to use; empty: whichever is for the registry.

    Raises:
        Exception: any, in doubt.
    """
    server, lookup = protocol.read_server(content), TokenLookup()
    one = lookup.candidate_for(url_authority(server), named=named)
    if one is None:
        return _NONE
    token = lookup.token_at_a_glance(one)
    return _given(token, server, one) if token is not None else None


def answer(action: str, content: bytes, named: str, login: Login | None = None) -> tuple[str, int]:
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
    lookup = TokenLookup(login)
    one = lookup.candidate_for(url_authority(server), named=named)
    return _given(lookup.fresh_token(one), server, one) if one is not None else _NONE


def _given(token: Credential, server: str, one: Candidate) -> tuple[str, int]:
    return protocol.docker_credential(token, server=server, username=one.user()), 0


def _users() -> dict[str, str]:
    found, _ = TokenLookup().candidates()
    return {host.removesuffix(":443"): one.user() for one in found for host in one.hosts}


def _stored(server: str, _username: str, secret: str) -> tuple[str, int]:
    """Accept our own token, which is kept already, and refuse every other password."""
    lookup = TokenLookup()
    if any(lookup.is_kept_token(one, secret) for one in lookup.candidates_for(url_authority(server))):
        return "", 0
    return f"{PROGRAM} keeps sign-ins, and no passwords: use another helper for {server!a:.120}\n", 1


def _not_erased(server: str) -> None:
    """Say how a sign-in ends: it is the person's, and other tools use it too."""
    for one in TokenLookup().candidates_for(url_authority(server)):
        from loopback_auth.cli import tell

        end = f"python -m loopback_auth logout {one.name}"
        tell(f"You are still signed in to {one.name}; to end that: {end}")
