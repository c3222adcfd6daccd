"""The outputs that are for one host: which host a tool asks about, and what is written for it.

Whether the token belongs to that host is decided in `hosts`, and is for the caller to know.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loopback_auth.outputs.credential import Credential


def asked_address(name: str, host: str, environ: Mapping[str, str], question: Callable[[int], bytes]) -> str:
    """Return the host or URL that a tool asks about, unchecked; empty when it names none.

    Args:
        name: of the output.
        host: that the user names; empty: none.
        environ: the environment variables.
        question: returns what the tool has written to stdin, up to so many bytes.

    Raises:
        ConfigError: the tool has written something else than its question.
    """
    if name == "bazel":
        from loopback_auth.outputs.bazel import LONGEST_REQUEST, requested_uri  # Start-up.

        uri = requested_uri(question(LONGEST_REQUEST + 1))
        # By TLS, and without: gRPC is HTTP/2 at the same ports.
        return uri.replace("grpcs://", "https://", 1).replace("grpc://", "http://", 1)
    if name == "mcp" and not host:
        from loopback_auth.outputs.mcp import SERVER_VARIABLE  # Start-up.

        return environ.get(SERVER_VARIABLE, "")
    return host


def loses_port(name: str, host: str) -> bool:
    """Return whether an output has no place for the port of a host, so that programs ignore which it is.

    Args:
        name: of the output.
        host: as `host:port`.
    """
    return name == "netrc" and not host.endswith(":443")


def for_host(name: str, credential: Credential, *, host: str, username: str) -> str:
    """Return a token in the form of an output for a host.

    Only the output that is asked for is imported.

    Args:
        name: of the output.
        credential: what is written.
        host: as `host:port`, to which the token belongs.
        username: that goes with the token.

    Raises:
        ConfigError: the output cannot have this token, or this user name.
    """
    match name:
        case "netrc":
            from loopback_auth.outputs.netrc import netrc  # Start-up.

            return netrc(credential, host=host.rpartition(":")[0].strip("[]"), username=username)
        case "docker":
            from loopback_auth.outputs.docker import docker  # Start-up.

            return docker(credential, host=host.removesuffix(":443"), username=username)
        case "bazel":
            from loopback_auth.outputs.bazel import bazel  # Start-up.

            return bazel(credential)
        case _:
            from loopback_auth.outputs.mcp import mcp  # Start-up.

            return mcp(credential)
