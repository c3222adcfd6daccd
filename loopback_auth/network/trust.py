"""Which certificate authorities to trust: the system's and the person's; and the client certificate.

Where OpenSSL finds the system's authorities itself, its own context is used, which aiohttp has made already.
macOS and Windows keep them elsewhere, and some builds of Python look in the wrong place: there `truststore`
asks the system; it would read the files of OpenSSL again for every connection. `SSL_CERT_FILE` and
`SSL_CERT_DIR` are OpenSSL's own variables. Those of requests and curl are read besides, and only ever add
authorities.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from loopback_auth.errors import ConfigError
from loopback_auth.model import Network

PASSWORD = "LOOPBACK_AUTH_CLIENT_KEY_PASSWORD"
OPENSSL = ("SSL_CERT_FILE", "SSL_CERT_DIR")
OTHERS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
VARIABLES = (*OPENSSL, *OTHERS)


def tls_context(network: Network, environ: Mapping[str, str]) -> ssl.SSLContext | Literal[True]:
    """Return what to verify servers by; True is aiohttp's own context, which trusts the system.

    Args:
        network: further authorities, and the client's certificate.
        environ: the environment.

    Raises:
        ConfigError: a file that was named for this program cannot be used.
    """
    asking = asks_system()
    known = ssl.get_default_verify_paths().cafile
    variables = VARIABLES if asking else OTHERS
    further = [environ[name] for name in variables if environ.get(name) and environ[name] != known]
    if not (asking or further or network.ca_file or network.client_cert):
        return True
    context = _asking_system() if asking else ssl.create_default_context()
    for path in further:
        _add(context, path)  # A file that adds nothing is reported when that is why a server is not trusted.
    if network.ca_file and (wrong := _add(context, network.ca_file)):
        raise ConfigError(
            f"The file of authorities {network.ca_file} {wrong}",
            hint="Name a PEM file of certificates; if the kept sign-in has this one, sign in again.",
            parameter="ca_file",
        )
    if network.client_cert:
        _present(context, network, environ.get(PASSWORD, ""))
    return context


def complaints(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return, in sentences, which variables name authorities that are not there."""
    named = [(name, environ[name]) for name in VARIABLES if environ.get(name)]
    checked = [(name, path, trouble(path)) for name, path in named]
    return tuple(f"{name} names {ascii(path)[1:-1]}, which {why}." for name, path, why in checked if why)


def asks_system() -> bool:
    """Return whether the system has to be asked for its authorities, since OpenSSL does not find them."""
    paths = ssl.get_default_verify_paths()
    found = bool(paths.cafile) or bool(paths.capath and any(Path(paths.capath).glob("*.0")))
    return sys.platform in ("darwin", "win32") or not found


def trouble(path: str) -> str:
    """Return what is wrong with a file or folder of authorities, to follow its name; empty if nothing is."""
    if Path(path).is_dir():
        return "" if any(Path(path).glob("*.[0-9]")) else "has no certificate in it"
    return _add(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path)


def _asking_system() -> ssl.SSLContext:
    import truststore  # Start-up.

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _add(context: ssl.SSLContext, path: str) -> str:
    """Trust the authorities of a file or folder too; return what is wrong with it, or nothing."""
    try:
        if Path(path).is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return "has no certificate in it"
    except OSError as exc:
        return f"cannot be read: {os.strerror(exc.errno or 0)}"
    return ""


def _present(context: ssl.SSLContext, network: Network, password: str) -> None:
    """Have our own certificate ready for servers that ask for one."""
    asked: list[bool] = []

    def given() -> str:
        # Without this OpenSSL would ask on the terminal.
        asked.append(True)
        return password

    try:
        context.load_cert_chain(network.client_cert, network.client_key or None, given)
    except ssl.SSLError as exc:
        raise _unfit(network, exc, asked=bool(asked), password=bool(password)) from None
    except OSError as exc:
        raise ConfigError(
            f"The client certificate {network.client_cert} or its key cannot be read: "
            f"{os.strerror(exc.errno or 0)}",
            hint="Check the names of both files.",
            parameter="client_cert client_key",
        ) from None


def _unfit(network: Network, exc: ssl.SSLError, *, asked: bool, password: bool) -> ConfigError:
    if asked:
        wrong = "is another" if password else "is missing"
        return ConfigError(
            f"The key of the client certificate {network.client_cert} is encrypted; its password {wrong}.",
            hint="Give the password of the key, or a key that is not encrypted.",
            parameter="client_key_password client_key",
        )
    if exc.reason == "KEY_VALUES_MISMATCH":
        return ConfigError(
            f"The client certificate {network.client_cert} belongs to another key.",
            hint="Name the file of the key that it was made for.",
            parameter="client_key",
        )
    return ConfigError(
        f"The client certificate {network.client_cert} cannot be used: there is no key with it.",
        hint="Name a PEM file with both, or name the file of the key too.",
        parameter="client_cert client_key",
    )
