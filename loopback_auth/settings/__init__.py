"""Find the value of every setting: flag, environment, configuration file, preset, or default.

The first of these sources that has a value wins, and the value keeps its origin, so that messages can name
it. Whether the values make a client is decided in `configure`; here only the redirect URI is worked out,
which is needed first.

There are two exceptions to the order. The addresses in a preset belong to one server: when another server is
named elsewhere, none of them are used, so that no token is sent to another server (RFC 6749 §10.3). For the
same reason, addresses and client at the top of the file are not used for a server that is named elsewhere.

This module is loaded before the browser is started, and imports next to nothing.
"""

from __future__ import annotations

import os

from loopback_auth.errors import ConfigError
from loopback_auth.folders import config_file as config_file  # One place to import it from.
from loopback_auth.narrow import is_object, is_tuple
from loopback_auth.settings.presets import (
    ADDRESSES,
    PLACES,
    every_preset,
    for_domain,
    left_out,
    of_vendor,
    preset,
    preset_name,
    preset_row,
)
from loopback_auth.settings.reading import login_as, loopback_parts, suggestion
from loopback_auth.settings.setting import PREFIX, SETTINGS, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEMO = "demo"
UNNAMED = "unnamed"
"""The name when there is a client ID, but nothing that names a server."""
DEFAULT = "default"
OTHER_VARIABLES = (
    "LOOPBACK_AUTH_CONFIG_DIR",
    "LOOPBACK_AUTH_DATA_DIR",
    "LOOPBACK_AUTH_PROVIDER",
    "LOOPBACK_AUTH_CLIENT_KEY_PASSWORD",
)
_NAMES = tuple(setting.name for setting in SETTINGS)
_CLIENT = ("client_id", "client_secret")


class Settings:
    """The values of all settings in one run, each with its origin.

    Args:
        name: of the provider, or else the host of the server.
        values: name to value, origin in words, and distance: 0 for a flag, greater for each later source.
        advice: what to register at the provider, and where that is documented; empty when unknown.
        notes: what of a preset is not used, and why, for people.
        provider: the name or address that was given; empty: none was.
        account: the name under which the sign-in of one of several accounts is kept; empty: that of the
            provider.
    """

    __slots__ = ("_account", "_provider", "_values", "advice", "name", "notes")

    def __init__(
        self,
        name: str,
        values: Mapping[str, tuple[object, str, int]],
        advice: str = "",
        notes: tuple[str, ...] = (),
        *,
        provider: str = "",
        account: str = "",
    ) -> None:
        self.name: str = name
        self.advice: str = advice
        self.notes: tuple[str, ...] = notes
        self._values = values
        self._provider = provider
        self._account = account

    @property
    def kept_as(self) -> str:
        """The name under which the sign-in is kept.

        Raises:
            ConfigError: the name of the provider has no letter and no digit.
        """
        return self._account or provider_name(self.name)

    @property
    def configured_as(self) -> str:
        """The name or address by which settings find the provider of an account; else empty."""
        if self.kept_as == provider_name(self.name):
            return ""
        address = self.text("resource_server") or self.text("issuer") or ""
        return self._provider or (self.name if self.is_demo else address)

    @property
    def shown_name(self) -> str:
        """The name as messages have it: without the query of an address, which may hold a secret."""
        return self.name.partition("?")[0]

    @property
    def is_demo(self) -> bool:
        """Whether no server is named, so that the built-in demonstration server is used."""
        return self.name == DEMO

    def get(self, name: str) -> object:
        """Return the value of a setting; None when it is not set and has no default."""
        return self._values[name][0]

    def text(self, name: str) -> str | None:
        """Return the value of a setting of the kind `text` or `scope`; None when it is not set."""
        value = self.get(name)
        return value if isinstance(value, str) else None

    def switch(self, name: str) -> bool | None:
        """Return the value of a setting of the kind `switch`; None when it is not set."""
        value = self.get(name)
        return value if isinstance(value, bool) else None

    def words(self, name: str) -> tuple[str, ...]:
        """Return the value of a setting of the kind `words`; empty when it is not set."""
        value = self.get(name)
        return tuple(map(str, value)) if is_tuple(value) else ()

    def pairs(self, name: str) -> Mapping[str, str]:
        """Return the value of a setting of the kind `pairs`; empty when it is not set."""
        value = self.get(name)
        return {key: str(text) for key, text in value.items()} if is_object(value) else {}

    def age(self, name: str) -> int | None:
        """Return the value of a setting of the kind `age`, in seconds; None when it is not set."""
        value = self.get(name)
        return value if isinstance(value, int) else None

    def seconds(self, name: str) -> float:
        """Return the value of a setting of the kind `seconds`; 0 when it is not set."""
        value = self.get(name)
        return value if isinstance(value, float) else 0.0

    def origin(self, name: str) -> str:
        """Return the origin of a value, for example `flag --client-id`, `preset github` or `default`."""
        return self._values[name][1]

    def distance(self, name: str) -> int:
        """Return the distance of a value's origin: 0 for a flag, greater for each later source."""
        return self._values[name][2]

    def completed(self, values: Mapping[str, object], origin: str) -> Settings:
        """Return the same settings with values for those that are not set."""
        unset = {name: (value, origin, 9) for name, value in values.items() if self.get(name) is None}
        return self._with({**self._values, **unset})

    def with_secret(self, client_secret: str) -> Settings:
        """Return the same settings with a client secret that the person has typed."""
        values = {**self._values, "client_secret": (client_secret, "terminal", 0)}
        return self._with(values)

    def for_account(self, kept_as: str) -> Settings:
        """Return the same settings for the sign-in of one of several accounts.

        Args:
            kept_as: the name under which it is kept.
        """
        return self._with(self._values, kept_as)

    def _with(self, values: Mapping[str, tuple[object, str, int]], account: str = "") -> Settings:
        return Settings(
            self.name,
            values,
            self.advice,
            self.notes,
            provider=self._provider,
            account=account or self._account,
        )

    def __repr__(self) -> str:
        return f"Settings(name={self.name!r})"


def provider_name(configured_as: str) -> str:
    """Return the name under which a sign-in is kept that is the only one at its provider.

    Args:
        configured_as: the name of the provider, or an address, as in `Settings.configured_as`.

    Raises:
        ConfigError: it has no letter and no digit.
    """
    from loopback_auth.store import sign_in_name  # Start-up: the store is next.

    return sign_in_name(configured_as.partition("://")[2].rstrip("/") or configured_as)


def load_config(path: str) -> Mapping[str, object]:
    """Read the configuration file; a missing file is an empty one.

    Raises:
        ConfigError: the file cannot be read, is not TOML, is unsafe, or contains a secret that other users
            can read.
    """
    try:
        os.stat(path)  # noqa: PTH116 - pathlib costs more than the rest of this module
    except FileNotFoundError:
        return {}
    except OSError:
        pass  # Reading it fails in the same way, with a message.
    from loopback_auth.settings.config import read_config  # Start-up.

    return read_config(path)


def unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that begin like ours but are unknown, to warn of a misspelt name."""
    known = {*(setting.variable for setting in SETTINGS), *OTHER_VARIABLES}
    return tuple(sorted(name for name in environ if name.startswith(PREFIX) and name not in known))


def resolve(
    *,
    provider: str,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    config: Mapping[str, object],
    config_path: str,
) -> Settings:
    """Find the value of every setting, and its origin.

    A provider that is only a default, from LOOPBACK_AUTH_PROVIDER or the file, is not used when a source
    before it names a server.

    Args:
        provider: a table of the file, a preset, an issuer that starts with http, `demo`, or empty.
        flags: setting name to value, as argparse gives it; None counts as missing, other names are ignored.
        environ: the environment; an empty value counts as missing, because CI sets missing secrets to it.
        config: content of the configuration file, from `load_config`.
        config_path: where that file is, for the origins.

    Raises:
        ConfigError: an unknown provider, an unknown key in the file, or a value that cannot be read.
    """
    tables = _tables(config, config_path)
    given = {name: flags[name] for name in _NAMES if flags.get(name) is not None}
    variables = {item.name: environ[item.variable] for item in SETTINGS if environ.get(item.variable)}
    name, nearer = _named(provider, given, variables, environ, config)
    address = next((one for one in ADDRESSES if one in given and one != "ticket"), "")
    if name == DEMO and address:
        raise ConfigError(
            f"The built-in demonstration has its own address: --{address.replace('_', '-')} cannot be used",
            hint=f"Leave {DEMO} out to sign in at the address that you gave.",
        )
    table = tables.get(name, {})
    elsewhere = bool(name) or any(place in layer for layer in (given, variables) for place in PLACES)
    top = {key: value for key, value in config.items() if not (elsewhere and key in ADDRESSES + _CLIENT)}
    layers: list[tuple[str, Mapping[str, object]]] = [
        ("flag {flag}", given),
        ("environment {variable}", variables),
        (f"file {config_path} [providers.{name}]", table),
        (f"file {config_path}", top),
    ]
    named_by = ("argument PROVIDER", "environment LOOPBACK_AUTH_PROVIDER", f"file {config_path}")[nearer - 1]
    if name.startswith(("https://", "http://")):
        layers.insert(nearer, (named_by, _address(name, [layer for _, layer in layers[:nearer]])))
    elif name and name not in (DEMO, *tables) and not preset(name):
        raise _unknown_provider(name, named_by, tables)
    extended = preset_name(name, table)
    layers.insert(2, ("environment", of_vendor(extended, environ)))
    layers.append((f"preset {extended}", preset_row(extended, [layer for _, layer in layers])))
    layers[-1] = (layers[-1][0], for_domain(layers[-1][1], _domain(layers, extended)))
    values = {item.name: _value(item, layers) for item in SETTINGS}
    advice = "{note} ({source})".format_map(preset(extended)) if extended else ""
    return Settings(_name(name, values), values, advice, left_out(extended, values), provider=name)


def redirect_of(settings: Settings) -> tuple[str, tuple[int, ...], str]:
    """Return host, ports and path of the redirect URI; port 0 means any free port.

    `port` and a port in `redirect_uri` mean the same; the one from the earlier source counts. The path is
    kept byte for byte, even an empty one, which a browser requests as `/`.

    Raises:
        ConfigError: not a loopback redirect URI with http, or the two name different ports.

    Source: RFC 8252 §7.3, §8.3; RFC 6749 §3.1.2.
    """
    listed = settings.get("port")
    ports = tuple(port for port in listed if isinstance(port, int)) if is_tuple(listed) else ()
    uri = settings.text("redirect_uri")
    if uri is None:
        return "127.0.0.1", ports or (0,), "/callback"
    host, port, path = loopback_parts(uri)
    behind = settings.distance("port") - settings.distance("redirect_uri")
    if port == 0 or (ports and behind < 0):
        return host, ports or (0,), path
    if ports and behind == 0 and ports != (port,):
        others = ", ".join(map(str, ports))
        raise ConfigError(
            f"The redirect URI names port {port}, and {settings.origin('port')} names {others}",
            hint="Name the port once, in the redirect URI or as the port.",
            parameter="redirect_uri port",
        )
    return host, (port,), path


def needs_secret(settings: Settings) -> bool:
    """Return whether the client needs a secret that no setting has."""
    takes_one = settings.text("client_auth") in ("client_secret_basic", "client_secret_post")
    # Only the token request with a code sends the secret.
    sends_it = settings.text("flow") in (None, "code", "code id_token", "paste")
    needs_one = takes_one and not settings.switch("secret_optional")
    return needs_one and sends_it and not settings.text("client_secret")


def _tables(config: Mapping[str, object], path: str) -> Mapping[str, Mapping[str, object]]:
    if not config:
        return {}
    from loopback_auth.settings.config import provider_tables  # Start-up.

    return provider_tables(config, path)


def _unknown_provider(name: str, origin: str, tables: Mapping[str, object]) -> ConfigError:
    address = with_scheme(name)
    known = (*tables, *every_preset(), DEMO)
    arguments = login_as(name, known)
    hint = suggestion(name, known)
    if address or arguments:
        hint = f"Did you mean {address or f'login {arguments}'}?"
    else:
        hint += " You can also give an issuer, which starts with https://, or with http:// on this machine."
    message = f"Unknown provider: {ascii(name)[:80]} (from {origin})"
    return ConfigError(message, hint=hint, parameter="provider")


def with_scheme(name: str) -> str:
    """Return the issuer that a host without a scheme stands for; empty where a name is no host."""
    if not (set(name) & set(".:") or name.partition("/")[0] == "localhost"):
        return ""
    from loopback_auth.protocol.urls import check_issuer  # Start-up.

    for scheme in ("http", "https"):  # An issuer has http only on this machine.
        try:
            return check_issuer(f"{scheme}://{name}")
        except ConfigError:
            continue
    return ""


def _named(
    provider: str,
    given: Mapping[str, object],
    variables: Mapping[str, str],
    environ: Mapping[str, str],
    config: Mapping[str, object],
) -> tuple[str, int]:
    """Return the provider's name, and the number of sources before the one that names it."""
    if provider or any(place in given for place in PLACES):
        return provider, 1
    from_environment = environ.get("LOOPBACK_AUTH_PROVIDER", "")
    if from_environment or any(place in variables for place in PLACES):
        return from_environment, 2
    return str(config.get("provider", "")), 3


def _address(url: str, before: list[Mapping[str, object]]) -> dict[str, object]:
    """Return the settings of a bare address: it is a resource or an issuer, which only asking there tells.

    What an earlier source says of either decides it, and an issuer has no query (RFC 8414 §2).
    """
    decided = any(place in layer for layer in before for place in PLACES)
    if "?" in url and not decided:
        return {"resource_server": url}
    return {"issuer": url} if decided else {"issuer": url, "resource_server": url}


def _domain(layers: list[tuple[str, Mapping[str, object]]], extended: str) -> str:
    """Return the domain for the addresses of a template; `{domain}` when it is not set.

    Raises:
        ConfigError: a flag sets it, and the provider is not a template.
    """
    (item,) = (item for item in SETTINGS if item.name == "domain")
    domain, origin, distance = _value(item, layers)
    if distance == len(layers):
        return "{domain}"
    # A domain from another source may be for other providers.
    if origin.startswith("flag ") and not any("{domain}" in str(value) for value in layers[-1][1].values()):
        raise ConfigError(
            f"A domain is given, but {extended or 'the server'} has none in its addresses (from {origin})",
            hint="Name a provider that has a domain, such as keycloak, or give --issuer instead.",
            parameter="domain",
        )
    return str(domain)


def _value(item: Setting, layers: list[tuple[str, Mapping[str, object]]]) -> tuple[object, str, int]:
    for distance, (place, layer) in enumerate(layers):
        if item.name in layer:
            origin = place.replace("{flag}", item.flag).replace("{variable}", item.variable)
            return item.read(layer[item.name], origin), origin, distance
    return item.default, DEFAULT, len(layers)


def _name(name: str, values: Mapping[str, tuple[object, str, int]]) -> str:
    if name and "://" not in name:
        return name
    for place in PLACES:
        url = values[place][0]
        if isinstance(url, str):
            # A URL without a scheme is refused later, with a message about the URL.
            rest = url.partition("://")[2] or url
            # Two issuers on one host, such as those of tenants, are two providers, and so are two resources.
            whole = place in ("issuer", "resource_server")
            return (rest if whole else rest.partition("/")[0]).rstrip("/")
    # Any address that is set counts, even if it is not enough to sign in.
    for address in ("ticket_base", *ADDRESSES):
        url = values[address][0]
        if isinstance(url, str) and "://" in url:
            return url.partition("://")[2].partition("/")[0]
    return str(values["ticket"][0] or (UNNAMED if values["client_id"][0] else DEMO))
