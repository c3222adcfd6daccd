"""The table of settings, and how one value of each is read from text, from TOML or from a flag.

What a value means next to others is not decided here, nor whether a server would like it. A value that
cannot be read is refused by name and place; the value of a secret is never part of a message.

The module is loaded before the browser is started and imports next to nothing.
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "LOOPBACK_AUTH_"
_CLIENT_AUTH = ("none", "client_secret_basic", "client_secret_post")
_RESPONSE_MODES = ("query", "fragment", "form_post")
_FLOWS = ("code", "token", "id_token", "id_token token", "code id_token", "ticket", "device", "paste")
_CHOSEN = ("code", "ticket", "device", "paste")
_TICKETS = ("netlify", "npm", "heroku", "stripe", "doppler")
_BINDS = ("loopback", "0.0.0.0", "::")  # noqa: S104 - a choice, and never the default
_SHORT = {"basic": "client_secret_basic", "post": "client_secret_post"}
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_PATH_CHARACTERS = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:@/"
)


class Setting:
    """One setting; flag, variable and key of the file are its name, each in their spelling.

    Args:
        kind: `text`, `scope` (text, or a list in the file), `switch` (true or false), `seconds`, `ports`,
            `words` (several values), or `pairs` (several `name=value`).
        help: what it is for, as help shows it.
        secret: never a flag, and never shown.
        choices: the only texts allowed; empty: any.
    """

    __slots__ = ("choices", "default", "help", "kind", "name", "secret")

    def __init__(
        self,
        name: str,
        kind: str,
        help: str,
        *,
        secret: bool = False,
        choices: tuple[str, ...] = (),
        default: object = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = help
        self.secret = secret
        self.choices = choices
        self.default = default

    @property
    def flag(self) -> str:
        """The flag, for example `--client-id`; empty for a secret, which other users would see there."""
        return "" if self.secret else "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, for example `LOOPBACK_AUTH_CLIENT_ID`."""
        return PREFIX + self.name.upper()

    def read(self, raw: object, origin: str) -> object:
        """Return a value in its own type: text, bool, float, tuple of int or of text, or a mapping.

        Args:
            raw: text from a variable or a flag, a list from a repeated flag, or what TOML holds.
            origin: where it was found, for the message.

        Raises:
            ConfigError: it cannot be read.
        """
        try:
            value = _READERS[self.kind](raw)
            if self.choices and isinstance(value, str):
                value = _SHORT.get(value, value)
            for one in value if isinstance(value, tuple) else (value,):
                if self.choices and one not in self.choices:
                    raise ValueError(f"{ascii(one)[:80]} is none of {', '.join(map(repr, self.choices))}")
        except ValueError as exc:
            raise ConfigError(
                f"The setting {self.name} cannot be used: {exc} (from {origin})",
                hint=f"Correct it there; it is the {self.help}.",
            ) from exc
        return value

    def shown(self, value: object) -> str:
        """Return a value as people may see it."""
        if value is None or value in ((), {}):
            return "not set"
        if self.secret:
            return "set, hidden"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return f"{value:g}"
        if isinstance(value, dict):
            return " ".join(f"{key}={text}" for key, text in value.items())
        if isinstance(value, tuple):
            return " ".join(map(str, value))
        return str(value) if str(value).strip() else f'"{value}"'


SETTINGS = (
    Setting("issuer", "text", "issuer of the server, whose metadata is then read"),
    Setting("authorization_endpoint", "text", "URL where the browser is sent"),
    Setting("token_endpoint", "text", "URL where the code is exchanged for tokens"),
    Setting("pushed_authorization_request_endpoint", "text", "URL for pushed authorization requests"),
    Setting("device_authorization_endpoint", "text", "URL where a device code is asked for"),
    Setting("revocation_endpoint", "text", "URL where tokens are revoked"),
    Setting("userinfo_endpoint", "text", "URL that says whose account it is"),
    Setting("jwks_uri", "text", "URL of the keys that sign ID tokens"),
    Setting("client_id", "text", "client ID, as registered at the server"),
    Setting("client_secret", "text", "client secret, for a client that has one", secret=True),
    Setting("client_auth", "text", "way in which the client authenticates", choices=_CLIENT_AUTH),
    Setting("scope", "scope", "scopes to ask for, separated by spaces"),
    Setting("redirect_uri", "text", "redirect URI as registered; without a port any free one is used"),
    Setting("port", "ports", "port to listen on; several are tried in order, 0 is any free one"),
    Setting("response_mode", "text", "way in which the answer comes back", choices=_RESPONSE_MODES),
    Setting("flow", "text", "way to sign in; unset: whatever works here", choices=_FLOWS),
    Setting("allowed_flows", "words", "ways to choose from; repeatable", choices=_CHOSEN, default=_CHOSEN),
    Setting("ticket", "text", "vendor whose ticket contract is spoken", choices=_TICKETS),
    Setting("ticket_base", "text", "address of the vendor's API, in place of the usual one"),
    Setting("ticket_ui", "text", "address of the vendor's approval page, in place of the usual one"),
    Setting("message", "text", "words for the person on a ticket's approval page"),
    Setting("resource", "words", "URI of what the token is for; may be repeated"),
    Setting("audience", "text", "audience of the token, where the server knows the parameter"),
    Setting("prompt", "text", "prompt for the person: login, consent, select_account or none"),
    Setting("login_hint", "text", "account to sign in with"),
    Setting("extra", "pairs", "further name=value of the authorization request; may be repeated"),
    Setting("pkce", "switch", "use of a code challenge; off only where a server refuses it", default=True),
    Setting("push", "switch", "pushing of the authorization request; unset: when the server requires it"),
    Setting("timeout", "seconds", "time to wait for the person in seconds, 1 to 3600", default=300.0),
    Setting("browser", "switch", "start of the browser; off: the link is only shown", default=True),
    Setting("start_page", "switch", "use of a page of ours that leads on to the server", default=True),
    Setting("patience", "seconds", "time without a visit to our page until another way is opened beside"),
    Setting("reachable", "switch", "belief that the browser reaches a port of this machine; unset: look"),
    Setting("person", "switch", "belief that somebody at this terminal can be asked; unset: look"),
    Setting("wait", "switch", "waiting for a person; unset: not in build servers and under agents"),
    Setting("signal", "pairs", "NAME=VALUE seen in place of a variable, or of a file for a path; repeatable"),
    Setting("bind", "text", "address to listen on; not loopback only inside a container", choices=_BINDS),
    Setting("allowed_issuer", "text", "one other issuer that the server may call itself"),
    Setting("account_fields", "words", "members that name the account, best first; may be repeated"),
    Setting("scope_separator", "text", "character between scopes", choices=(" ", ","), default=" "),
)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("text is expected")
    return raw


def _scope(raw: object) -> str:
    return " ".join(_words(raw))


def _switch(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.lower() if isinstance(raw, str) else ""
    if word not in _TRUE + _FALSE:
        raise ValueError(f"{ascii(raw)[:80]} is none of {', '.join(_TRUE + _FALSE)}")
    return word in _TRUE


def _seconds(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError("a number of seconds is expected")
    try:
        seconds = float(raw)
    except ValueError:
        raise ValueError(f"{ascii(raw)[:80]} is no number of seconds") from None
    if not 1 <= seconds <= 3600:
        raise ValueError(f"{raw} seconds are not between 1 and 3600")
    return seconds


def _ports(raw: object) -> tuple[int, ...]:
    items = raw if isinstance(raw, (list, tuple)) else [raw]
    texts = [text for item in items for text in _port_texts(item)]
    if not texts:
        raise ValueError("a port number is expected")
    return tuple(map(port_number, texts))


def _port_texts(item: object) -> list[str]:
    if isinstance(item, int) and not isinstance(item, bool):
        return [str(item)]
    if not isinstance(item, str):
        raise ValueError("port numbers are expected")
    return item.replace(",", " ").split()


def port_number(text: str) -> int:
    """Read a port number of at most five digits.

    Raises:
        ValueError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise ValueError(f"{ascii(text)[:80]} is no port number from 0 to 65535")
    return int(text)


def _words(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        return tuple(raw.split())
    if not isinstance(raw, (list, tuple)):
        raise ValueError("text or a list of texts is expected")
    words = tuple(item for item in raw if isinstance(item, str) and item)
    if len(words) != len(raw):
        raise ValueError("every item of the list has to be text")
    return words


def _pairs(raw: object) -> Mapping[str, str]:
    pairs = list(raw.items()) if isinstance(raw, dict) else [_pair(word) for word in _words(raw)]
    if not all(isinstance(value, str) for _, value in pairs):
        raise ValueError("every value has to be text")
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a parameter is given twice")
    return dict(pairs)


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise ValueError(f"{ascii(word)[:80]} is not of the form name=value")
    return name, value


_READERS: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "scope": _scope,
    "switch": _switch,
    "seconds": _seconds,
    "ports": _ports,
    "words": _words,
    "pairs": _pairs,
}


def loopback_parts(uri: str) -> tuple[str, int, str]:
    """Take a redirect URI apart into host, port (0: any) and path; the path is kept byte for byte.

    Raises:
        ConfigError: this is no loopback redirect over http, or has something that none may have.

    Source: RFC 8252 §7.3, §8.3; RFC 6749 §3.1.2; RFC 3986 §3.3, §6.2.2.3.
    """
    scheme, separator, rest = uri.partition("://")
    if scheme == "https":
        raise _no_redirect(uri, "a loopback redirect is plain http, the answer never leaves this machine")
    if scheme != "http" or not separator:
        raise _no_redirect(uri, "it has to start with http://")
    if "?" in rest or "#" in rest:
        raise _no_redirect(uri, "it has neither query nor fragment")
    authority, slash, tail = rest.partition("/")
    if "@" in authority:
        raise _no_redirect(uri, "it has no user information")
    host, port = _host_and_port(authority, uri)
    path = slash + tail
    if not _PATH_CHARACTERS.issuperset(path):
        raise _no_redirect(uri, "its path has characters that have to be percent-encoded")
    if any(part.lower().replace("%2e", ".") in (".", "..") for part in path.split("/")):
        raise _no_redirect(uri, "browsers take the dots out of its path")
    return host, port, path


def _host_and_port(authority: str, uri: str) -> tuple[str, int]:
    host, colon, port = authority, "", ""
    if not authority.endswith("]"):
        host, colon, port = authority.rpartition(":") if ":" in authority else (authority, "", "")
    if host not in ("127.0.0.1", "[::1]", "localhost"):
        raise _no_redirect(uri, "its host has to be 127.0.0.1, [::1] or localhost")
    if not colon:
        return host, 0
    try:
        return host, port_number(port)
    except ValueError as exc:
        raise _no_redirect(uri, str(exc)) from exc


def _no_redirect(uri: str, reason: str) -> ConfigError:
    return ConfigError(
        f"The redirect URI cannot be used: {reason}: {uri[:120]!a}",
        hint="Give one such as http://127.0.0.1/callback for any port, or http://localhost:8400/callback.",
    )
