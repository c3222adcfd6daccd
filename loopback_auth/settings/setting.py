"""The table of settings: the name, the purpose and the allowed values of each.

Whether the values fit together is decided in `configure`, and whether the server accepts them is not known
here. The error for an unreadable value names the setting and the origin; it never contains the value of a
secret.

This module is loaded before the browser is started, and imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import CHOOSABLE, NAMES
from loopback_auth.narrow import is_object, is_tuple
from loopback_auth.settings.reading import READERS, check_writable, suggestion

PREFIX = "LOOPBACK_AUTH_"
_CLIENT_AUTH = (
    "none",
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
)
_RESPONSE_MODES = ("query", "fragment", "form_post", "jwt", "query.jwt", "form_post.jwt")
_TICKETS = ("netlify", "npm", "heroku", "stripe", "doppler")
STORES = ("file", "keychain")
_BINDS = ("loopback", "0.0.0.0", "::")  # noqa: S104 - a choice, and never the default
_SHORT = {"basic": "client_secret_basic", "post": "client_secret_post"}


class Setting:
    """One setting; its flag, its variable and its key in the file are spellings of its name.

    Args:
        name: with underscores, as in the configuration file.
        kind: `text`, `scope` (text, or a list in the file), `switch` (true or false), `seconds`, `age` (whole
            seconds, perhaps 0), `ports`, `words` (several values), or `pairs` (several `name=value`).
        help: what it is for, as `--help` shows it.
        default: the value when it is not set.
        secret: it is never a flag, and never shown.
        quirk: it belongs to a provider, so it is neither a flag nor a variable, but only a key in the table
            of a provider; most are fields of `Quirks`.
        choices: the allowed values; empty: any.
    """

    __slots__ = ("choices", "default", "help", "kind", "name", "quirk", "secret")

    def __init__(
        self,
        name: str,
        kind: str,
        help: str,
        *,
        secret: bool = False,
        quirk: bool = False,
        choices: tuple[str, ...] = (),
        default: object = None,
    ) -> None:
        self.name: str = name
        self.kind: str = kind
        self.help: str = help
        self.secret: bool = secret
        self.quirk: bool = quirk
        self.choices: tuple[str, ...] = choices
        self.default: object = default

    @property
    def flag(self) -> str:
        """The flag, for example `--client-id`; empty for a secret, because other users can see arguments."""
        return "" if self.secret or self.quirk else "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, for example `LOOPBACK_AUTH_CLIENT_ID`; empty for a quirk."""
        return "" if self.quirk else PREFIX + self.name.upper()

    def read(self, raw: object, origin: str) -> object:
        """Return a value with its own type: str, bool, float, a tuple of int or str, or a mapping.

        Args:
            raw: a string from a variable or a flag, a list from a repeated flag, or a value of TOML.
            origin: where the value is from, for the message.

        Raises:
            ConfigError: the value cannot be read.
        """
        try:
            value = READERS[self.kind](raw)
            check_writable(value)
            if self.choices and isinstance(value, str):
                value = _SHORT.get(value, value)
        except ValueError as exc:
            raise self._refused(str(exc), origin, self._how_to_write()) from exc
        if self.choices and value == ():
            raise self._refused("it is empty", origin, self._choices(""))
        for one in value if is_tuple(value) else (value,):
            if self.choices and one not in self.choices:
                raise self._refused(f"{ascii(one)[:80]} is not a known value", origin, self._choices(one))
        return value

    def _refused(self, reason: str, origin: str, hint: str) -> ConfigError:
        return ConfigError(
            f"The setting {self.name} cannot be used: {reason} (from {origin})",
            hint=hint,
            parameter=self.name,
        )

    def _how_to_write(self) -> str:
        again = f" Repeat {self.flag} for several." if self.flag else ""
        return {
            "text": "Write one string, in quotes in the configuration file.",
            "scope": f"Write the scopes with spaces between them.{again}",
            "switch": "Write true or false.",
            "seconds": "Write a number of seconds from 1 to 3600.",
            "age": "Write a whole number of seconds, 0 or more.",
            "ports": f"Write port numbers from 0 to 65535, with commas or spaces between them.{again}",
            "words": f"Write words, with commas or spaces between them.{again}",
            "pairs": f"Write name=value.{again}",
        }[self.kind]

    def _choices(self, wrong: object) -> str:
        again = " You can give several, with commas between them." if self.kind == "words" else ""
        meant = suggestion(str(wrong), self.choices)
        allowed = ", ".join(choice if choice.strip(" ,") else repr(choice) for choice in self.choices)
        return f"{meant if meant.startswith('Did') else ''} Allowed values are: {allowed}.{again}".strip()

    def shown(self, value: object) -> str:
        """Return a value in the form in which it may be shown."""
        if value is None or value in ((), {}):
            return "not set"
        if self.secret:
            return "set, hidden"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return f"{value:g}"
        if is_object(value):
            return " ".join(f"{key}={text}" for key, text in value.items())
        if is_tuple(value):
            return " ".join(map(str, value))
        return str(value) if str(value).strip() else f'"{value}"'


SETTINGS = (
    Setting("issuer", "text", "issuer of the server, whose metadata is then read"),
    Setting("resource_server", "text", "URL of an API or MCP server, which says where to sign in to it"),
    Setting("authorization_endpoint", "text", "URL where the browser is sent"),
    Setting("token_endpoint", "text", "URL where the code is exchanged for tokens"),
    Setting("pushed_authorization_request_endpoint", "text", "URL for pushed authorization requests"),
    Setting("device_authorization_endpoint", "text", "URL of device authorization requests"),
    Setting("revocation_endpoint", "text", "URL where tokens are revoked"),
    Setting("userinfo_endpoint", "text", "URL of UserInfo requests, which name the account"),
    Setting("jwks_uri", "text", "URL of the keys that sign ID tokens"),
    Setting("domain", "text", "domain of your own server there, such as id.example.com/realms/x"),
    Setting("client_id", "text", "client ID, as registered at the server"),
    Setting("client_secret", "text", "client secret, for a client that has one", secret=True),
    Setting(
        "client_auth", "text", "how the client authenticates at the token endpoint", choices=_CLIENT_AUTH
    ),
    Setting("private_key_file", "text", "PEM or JWK file of the client's private key, readable by you alone"),
    Setting("client_metadata_url", "text", "https URL of the client's metadata document, as its client ID"),
    Setting("client_name", "text", "name of the client, where it registers itself"),
    Setting("scope", "scope", "scopes to ask for, separated by spaces"),
    Setting("redirect_uri", "text", "redirect URI as registered; without a port any free one is used"),
    Setting("port", "ports", "port to listen on; several are tried in order, 0 is any free one"),
    Setting("response_mode", "text", "how the response comes back", choices=_RESPONSE_MODES),
    Setting("flow", "text", "the only flow to use; default: whichever works", choices=NAMES),
    Setting(
        "allowed_flows",
        "words",
        "flows to choose from; may be repeated",
        choices=CHOOSABLE,
        default=CHOOSABLE,
    ),
    Setting("ticket", "text", "vendor whose kind of tickets the server has", choices=_TICKETS),
    Setting("ticket_base", "text", "address of the vendor's API, in place of the usual one"),
    Setting("ticket_ui", "text", "address of the vendor's approval page, in place of the usual one"),
    Setting("message", "text", "text for the person on a ticket's approval page"),
    Setting("resource", "words", "URI of what the token is for; may be repeated"),
    Setting("audience", "text", "audience of the token, where the server knows the parameter"),
    Setting("prompt", "text", "prompt for the person: login, consent, select_account or none"),
    Setting("login_hint", "text", "account to sign in with"),
    Setting("acr_values", "text", "how to authenticate, best first, as the server calls it"),
    Setting("max_age", "age", "seconds since the person last authenticated, at most"),
    Setting("extra", "pairs", "further name=value of the authorization request; may be repeated"),
    Setting(
        "pkce", "switch", "send a code challenge (PKCE); off only where a server refuses it", default=True
    ),
    Setting("push", "switch", "push the authorization request; default: when the server requires it"),
    Setting(
        "signed_request", "switch", "sign the authorization request; default: when the server requires it"
    ),
    Setting("dpop", "switch", "bind the tokens to a key (DPoP); default: when the server requires it"),
    Setting(
        "store",
        "text",
        "keep sign-ins in files for you alone, or encrypted by a key in the system's keychain",
        choices=STORES,
        default=STORES[0],
    ),
    Setting("timeout", "seconds", "time to wait for you in seconds, 1 to 3600", default=300.0),
    Setting("browser", "switch", "start the browser; off: only show the link", default=True),
    Setting(
        "start_page", "switch", "start at a page of this program, which leads to the server", default=True
    ),
    Setting("patience", "seconds", "seconds without a visit to that page until another flow opens"),
    Setting("second_look", "seconds", "seconds after a visit without a response until another flow opens"),
    Setting(
        "reachable", "switch", "assume that the browser can (or cannot) reach this machine; default: detect"
    ),
    Setting("person", "switch", "assume that a person is (or is not) at this terminal; default: detect"),
    Setting("wait", "switch", "wait for a person to approve; default: yes, except in CI and agents"),
    Setting("signal", "pairs", "pretend that a variable or a file has this value; may be repeated"),
    Setting("bind", "text", "address to listen on; other than loopback only in a container", choices=_BINDS),
    Setting("allowed_issuer", "text", "another issuer by which the server may call itself"),
    Setting("account_fields", "words", "members that name the account, best first; may be repeated"),
    Setting("scope_separator", "text", "character between scopes", choices=(" ", ","), default=" "),
    Setting("ca_file", "text", "PEM file of certificate authorities to trust besides the system's"),
    Setting("client_cert", "text", "PEM file of the client certificate, if the server wants one"),
    Setting("client_key", "text", "PEM file of its key, if that is another file"),
    Setting("allow_private", "words", "host in your network to which a public server may lead"),
    Setting("secret_optional", "switch", "the server knows clients without a client secret", quirk=True),
    Setting("access_token_path", "text", "member with the access token, such as user.token", quirk=True),
    Setting("token_body", "text", "form of the token request's body", choices=("form", "json"), quirk=True),
    Setting("token_parameters", "pairs", "further parameters of token requests", secret=True, quirk=True),
    Setting("token_headers", "pairs", "further headers of token requests", secret=True, quirk=True),
    Setting("token_types", "words", "token types used as Bearer; none: no type is sent", quirk=True),
    Setting("nonce", "switch", "nonce in the ID token; off only where a server leaves it out", quirk=True),
    Setting("dead_refresh_errors", "words", "error codes of a refresh token that has ended", quirk=True),
    Setting("scope_parameter", "text", "name of the scope parameter", quirk=True),
    Setting("device_scope_parameter", "text", "its name for device codes, where it differs", quirk=True),
    Setting("scope_aliases", "pairs", "scopes by other names: asked for = granted", quirk=True),
    Setting("scope_prefixes", "words", "beginnings that do not count in scopes", quirk=True),
    Setting("approval_hosts", "words", "other hosts where a device code or ticket is approved", quirk=True),
    Setting("hosts", "words", "hosts whose tools may be given the token, such as git.example", quirk=True),
    Setting("token_username", "text", "user name beside the token; default: the account", quirk=True),
    Setting("revoke_method", "text", "method of revocation", choices=("POST", "DELETE"), quirk=True),
    Setting("revoke_url", "text", "URL that ends the token in the Authorization header", quirk=True),
    Setting("userinfo_method", "text", "method of UserInfo", choices=("GET", "POST"), quirk=True),
)
