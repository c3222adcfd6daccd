"""The settings about the network, checked before a browser is started: certificate files, private hosts."""

from __future__ import annotations

import os

from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.model import Network
    from loopback_auth.settings import Settings

FILES = ("ca_file", "client_cert", "client_key")


def check_network(settings: Settings) -> None:
    """Refuse unreadable files, a key without a certificate, and values that are not hosts.

    Raises:
        ConfigError: a value cannot be used.
    """
    for name in FILES:
        if path := _path(settings, name):
            _check_file(settings, name, path)
    if settings.text("client_key") and not settings.text("client_cert"):
        raise ConfigError(
            f"There is a key, but no certificate (from {settings.origin('client_key')}).",
            hint="Name the file of the client certificate with --client-cert.",
        )
    for host in settings.words("allow_private"):
        if not is_host(host):
            raise ConfigError(
                f"{ascii(host)[:80]} is not a host (from {settings.origin('allow_private')}).",
                hint="Write the host alone, such as token.corp.example.",
            )


def network_of(settings: Settings) -> Network:
    """Return how the server is reached; paths are absolute, because later processes may run elsewhere."""
    from loopback_auth.model import Network  # Start-up.

    return Network(
        ca_file=_path(settings, "ca_file"),
        client_cert=_path(settings, "client_cert"),
        client_key=_path(settings, "client_key"),
        allow_private=settings.words("allow_private"),
    )


def _path(settings: Settings, name: str) -> str:
    path = settings.text(name)
    return os.path.abspath(os.path.expanduser(path)) if path else ""  # noqa: PTH100, PTH111 - costs less


def _check_file(settings: Settings, name: str, path: str) -> None:
    try:
        with open(path, "rb"):  # noqa: PTH123 - pathlib costs more than the rest
            pass
    except OSError as exc:
        raise ConfigError(
            f"The file {path} cannot be read: {exc.strerror} (from {settings.origin(name)}).",
            hint="Correct the path, or the permissions of the file.",
        ) from exc
