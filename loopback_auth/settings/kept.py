"""Compare the settings with a kept sign-in: which one is meant, whether it matches, and its client secret.

Only values from the environment and the configuration file are compared: the sign-in may have been made with
flags, and the scope of a preset need not be the requested one.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_tuple
from loopback_auth.settings import UNNAMED, config_file, load_config, provider_name, resolve
from loopback_auth.settings.presets import ADDRESSES, PLACES, preset_of_server
from loopback_auth.settings.setting import PREFIX, SETTINGS, STORES
from loopback_auth.store import sign_in_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from loopback_auth.model import Network, ServerMetadata
    from loopback_auth.settings import Settings
    from loopback_auth.tokens import SignIn

_NAMING = (
    "LOOPBACK_AUTH_PROVIDER",
    *(f"{PREFIX}{name.upper()}" for name in (*PLACES, *ADDRESSES, "client_id")),
)
"""Variables that name a server, or a client at one; the first that is set counts."""


class KeptSettings:
    """The environment and the configuration file, for commands that use a kept sign-in.

    `path` is that of the file, whether or not it exists.

    Args:
        environ: the environment variables.

    Raises:
        ConfigError: the configuration file cannot be read.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.path: str = config_file(environ)
        self._config = load_config(self.path)

    def providers(self) -> tuple[str, ...]:
        """Return the providers that can be named: those of the configuration file, and the presets.

        Raises:
            ConfigError: a table in the configuration file cannot be used.
        """
        from loopback_auth.settings.presets import every_preset  # Start-up.

        return (*self.tables(), *every_preset())

    def tables(self) -> tuple[str, ...]:
        """Return the providers that have a table in the configuration file.

        Raises:
            ConfigError: a table cannot be used.
        """
        from loopback_auth.settings.config import provider_tables  # Start-up.

        return tuple(provider_tables(self._config, self.path)) if self._config else ()

    def store(self) -> str:
        """Return where sign-ins are kept by default: `file` or `keychain`.

        Raises:
            ConfigError: the setting has another value.
        """
        for item in SETTINGS:
            if item.name == "store":
                if raw := self._environ.get(item.variable):
                    return str(item.read(raw, f"environment {item.variable}"))
                if item.name in self._config:
                    return str(item.read(self._config[item.name], f"file {self.path}"))
        return STORES[0]

    def meant(self) -> str:
        """Return the provider to use when none is named; empty when no setting names one."""
        try:
            settings = self._resolved("")
        except ConfigError:
            # The provider may not be known any more, while a sign-in of its name is still kept.
            named = self._environ.get("LOOPBACK_AUTH_PROVIDER") or self._config.get("provider")
            return named if isinstance(named, str) else ""
        return "" if settings.is_demo or settings.name == UNNAMED else settings.name

    def naming(self) -> str:
        """Return what names the provider that `meant` returns, for people."""
        named = self.naming_variable()
        return f"the variable {named}" if named else f"the configuration file {self.path}"

    def naming_variable(self) -> str:
        """Return the variable that names a server, or a client at one; empty when none does."""
        return next((name for name in _NAMING if self._environ.get(name)), "")

    def why_not_reusable(self, sign_in: SignIn, named: str) -> str:
        """Return why a kept sign-in does not match the settings, as a clause; empty when it does.

        Args:
            sign_in: the kept one.
            named: the provider as the person named it; may be empty.
        """
        from loopback_auth.flows.reuse import why_not_reusable  # Start-up.
        from loopback_auth.model import ClientConfig, Provider, ServerMetadata

        settings = self._of(sign_in, named) or (None if named else self._of_all())
        if settings is None:
            return ""
        names = ("client_id", "scope", "audience", "allowed_issuer", "resource_server")
        text = {name: _set(settings, name) for name in names}
        metadata = ServerMetadata(
            _set(settings, "issuer"),
            authorization_endpoint=_set(settings, "authorization_endpoint"),
            token_endpoint=_set(settings, "token_endpoint"),
        )
        resource = settings.words("resource") if _is_set(settings, "resource") else sign_in.resource
        client = ClientConfig(
            Provider(sign_in.name, metadata, allowed_issuer=text["allowed_issuer"]),
            text["client_id"] or sign_in.client_id,
            scope=text["scope"] or "",
            resource=resource,
            audience=text["audience"] or sign_in.audience,
            resource_server=text["resource_server"] or sign_in.resource_server,
            dpop=settings.switch("dpop") if _is_set(settings, "dpop") else None,
        )
        return why_not_reusable(sign_in, client)

    def client_secret(self, client_id: str, *names: str) -> str | None:
        """Return the secret of a client from the settings, because it is never kept with a sign-in.

        Args:
            client_id: of the client.
            names: possible names of its provider, likeliest first; the settings for all providers come last.
        """
        settings = self._of_client("client_secret", client_id, *names)
        return settings.text("client_secret") if settings is not None else None

    def private_key(self, client_id: str, *names: str) -> str | None:
        """Return the private key of a client from the file that the settings name, likewise.

        Raises:
            ConfigError: the file cannot be read, or other users can read it.
        """
        from loopback_auth.settings.private_key import private_key_of  # Few clients have one.

        settings = self._of_client("private_key_file", client_id, *names)
        return private_key_of(settings) if settings is not None else None

    def network(self, sign_in: SignIn) -> Network:
        """Return how the server is reached according to the settings.

        Raises:
            ConfigError: a file that the settings name cannot be read.
        """
        from loopback_auth.model import Network  # Start-up.
        from loopback_auth.settings.network import check_network, network_of

        settings = self._of(sign_in, "")
        if settings is None:
            try:
                settings = self._resolved("")
            except ConfigError:
                return Network()
        check_network(settings)
        return network_of(settings)

    def for_tools(self, sign_in: SignIn) -> tuple[tuple[str, ...], str]:
        """Return the hosts whose tools may be given the token of a sign-in, and the user name beside it.

        A table names them for the sign-ins of its name that were made at its server; a preset for the tokens
        of its server, whatever the sign-in is called. So no server's token goes to the hosts of another.

        Args:
            sign_in: the kept one.

        Returns:
            Hosts as they are written, unchecked, and a user name; empty where nothing says them.

        Raises:
            ConfigError: the configuration file cannot be used.
        """
        if self._config:
            self.providers()  # A misspelt key would not be seen otherwise.
        known = sign_in.metadata
        row = preset_of_server(known.issuer, known.token_endpoint)
        hosts, user = row.get("hosts", ()), row.get("token_username", "")
        settings = self._of(sign_in, "") if self._config else None
        if settings is not None and _is_of_server(settings, known):
            hosts = settings.get("hosts") if _is_set(settings, "hosts") else hosts
            user = settings.text("token_username") or user
        return tuple(map(str, hosts)) if is_tuple(hosts) else (), str(user)

    def providers_for(self, host: str) -> tuple[str, ...]:
        """Return the providers whose tokens are for a host; presets only where no table names it.

        Args:
            host: as `host:port`.

        Raises:
            ConfigError: a table in the configuration file cannot be used.
        """
        from loopback_auth.settings.presets import every_preset  # Start-up.

        tables = self.tables()
        rows = every_preset()
        return tuple(name for name in tables if self._is_for(host, name)) or tuple(
            name for name in rows if name not in tables and _names(rows[name].get("hosts"), host)
        )

    def _is_for(self, host: str, table: str) -> bool:
        settings = self._resolved(table)
        known = preset_of_server(settings.text("issuer"), settings.text("token_endpoint"))
        return _names(settings.get("hosts") or known.get("hosts"), host)

    def _of_client(self, setting: str, client_id: str, *names: str) -> Settings | None:
        """Return the settings that have a secret of a client; None when none have it."""
        for provider in dict.fromkeys((*names, "")):
            try:
                settings = self._resolved(provider)
            except ConfigError:
                continue  # The sign-in was by issuer, so there is no provider of that name.
            # The secret of another client must not be sent to this server.
            if settings.text(setting) and settings.text("client_id") in (None, client_id):
                return settings
        return None

    def _of(self, sign_in: SignIn, named: str) -> Settings | None:
        """Return the settings that have the name of a sign-in, or that of its provider; None when none have.

        One of several accounts has those of its provider, also where a provider has got its name since.
        """
        configured_as = sign_in.configured_as
        wanted = provider_name(configured_as) if configured_as else sign_in.name
        for provider in dict.fromkeys((configured_as or named, wanted, "")):
            try:
                settings = self._resolved(provider)
            except ConfigError:
                continue
            if not settings.is_demo and sign_in_name(settings.name) == wanted:
                return settings.for_account(sign_in.name)
        return None

    def _of_all(self) -> Settings | None:
        """Return the settings for every provider if none is named; sign-ins by flags must match them too."""
        try:
            settings = self._resolved("")
        except ConfigError:
            return None
        return settings if settings.is_demo or settings.name == UNNAMED else None

    def _resolved(self, provider: str) -> Settings:
        return resolve(
            provider=provider,
            flags={},
            environ=self._environ,
            config=self._config,
            config_path=self.path,
        )


def _set(settings: Settings, name: str) -> str | None:
    return settings.text(name) or None if _is_set(settings, name) else None


def _is_of_server(settings: Settings, known: ServerMetadata) -> bool:
    """Return whether the settings name no other server than the one that has issued a token."""
    issuer, endpoint = settings.text("issuer"), settings.text("token_endpoint")
    if issuer and known.issuer and known.issuer not in (issuer, settings.text("allowed_issuer")):
        # The address of a resource may stand for that of its server.
        return issuer == settings.text("resource_server")
    return not (endpoint and known.token_endpoint) or endpoint == known.token_endpoint


def _names(hosts: object, host: str) -> bool:
    """Return whether a host, as `host:port`, is one of those in a setting."""
    from loopback_auth.outputs.hosts import authorities  # Most commands are not about a host.

    return is_tuple(hosts) and any(host in authorities(str(one)) for one in hosts)


def _is_set(settings: Settings, name: str) -> bool:
    # The addresses of a template contain the domain, which the person has set.
    places = (name, "domain") if name in ("issuer", "authorization_endpoint", "token_endpoint") else (name,)
    return any(settings.origin(place).startswith(("environment ", "file ")) for place in places)
