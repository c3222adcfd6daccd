"""The network settings in use, for people who look for a mistake: proxies, authorities, certificates.

Each also has a form that can be posted in public, without names of hosts, folders and persons.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from loopback_auth.errors import ConfigError
from loopback_auth.model import Network
from loopback_auth.network import proxies, trust
from loopback_auth.network.proxy_address import parsed


class NetworkSetting(NamedTuple):
    """One network setting in use, as its user and as the public may see it.

    Args:
        name: of the variable or setting, or what it is about.
        value: for the person who has set it; without user names and passwords.
        harmless: the same for the public.
    """

    name: str
    value: str
    harmless: str


def network_report(
    network: Network, urls: Iterable[str], environ: Mapping[str, str]
) -> tuple[NetworkSetting, ...]:
    """Return the network settings in use.

    Args:
        network: the settings.
        urls: addresses of the server, as far as they are known.
        environ: the environment.
    """
    known = {urlsplit(url).netloc: url for url in urls}
    ways = [_way(host, url, environ) for host, url in known.items()]
    return (*ways, *_proxies(environ), *_authorities(environ), *_settings(network, environ))


def _way(host: str, url: str, environ: Mapping[str, str]) -> NetworkSetting:
    try:
        proxy = proxies.proxy_for(url, environ)
    except ConfigError as exc:
        return NetworkSetting("to the server", f"{host}: {exc.message} {exc.hint}", exc.message)
    named = proxies.named_by(environ)
    way = f"direct, past the proxy in {named}" if named else "direct"
    if proxy is not None:
        way = f"through the proxy in {proxy.named_by}"
    return NetworkSetting("to the server", f"{host}: {way}", way)


def _proxies(environ: Mapping[str, str]) -> list[NetworkSetting]:
    counts = proxies.named_by(environ)
    rows: list[NetworkSetting] = []
    for name in (one for one in proxies.PROXIES if environ.get(one, "").strip()):
        value, harmless = _proxy(name, environ[name])
        unused = "" if name == counts else f"; not used, since {counts} is set"
        rows.append(NetworkSetting(name, value + unused, harmless + unused))
    for name in (one for one in proxies.EXCEPTIONS if environ.get(one)):
        entries = environ[name].replace(",", " ").split()
        rows.append(NetworkSetting(name, ascii(environ[name])[1:-1], f"{len(entries)} entries"))
    unread = "not used, since everything goes by https"
    return rows + [
        NetworkSetting(name, unread, unread) for name in ("http_proxy", "HTTP_PROXY") if environ.get(name)
    ]


def _proxy(name: str, address: str) -> tuple[str, str]:
    try:
        proxy = parsed(name, address)
    except ConfigError as exc:
        return exc.message, exc.message
    user = ", with a user name" if proxy.user else ""
    return f"{proxy.url}{user}", f"a proxy that speaks {proxy.scheme}{user}"


def _authorities(environ: Mapping[str, str]) -> list[NetworkSetting]:
    told = "those of the system" if trust.asks_system() else "those that OpenSSL finds on this system"
    rows = [NetworkSetting("authorities", told, told)]
    for name in (one for one in trust.VARIABLES if environ.get(one)):
        trouble = trust.trouble(environ[name])
        value = ascii(environ[name])[1:-1]
        rows.append(
            NetworkSetting(name, f"{value}, which {trouble}" if trouble else value, trouble or "read")
        )
    return rows


def _settings(network: Network, environ: Mapping[str, str]) -> list[NetworkSetting]:
    files = {name: getattr(network, name) for name in ("ca_file", "client_cert", "client_key")}
    rows = [NetworkSetting(name, path, "set") for name, path in files.items() if path]
    if environ.get(trust.PASSWORD):
        rows.append(NetworkSetting(trust.PASSWORD, "set, hidden", "set, hidden"))
    if network.allow_private:
        hosts = network.allow_private
        rows.append(NetworkSetting("allow_private", " ".join(hosts), f"{len(hosts)} hosts"))
    try:
        trust.tls_context(network, environ)
    except ConfigError as exc:
        rows.append(NetworkSetting("trouble", f"{exc.message} {exc.hint}", "a file cannot be used"))
    return rows
