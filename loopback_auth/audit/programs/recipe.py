"""A recipe: how a program is installed, configured for the demonstration server, and started.

Recipes are TOML files. What a person types after `audit --` becomes a recipe too, with the command alone.
This module reads no file and starts nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from loopback_auth.audit.programs.templates import inner_path
from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_list, is_object

Runtime = Literal["python", "node", "system"]
"""Where the program's packages are: with a Python, in a folder `node_modules`, or on PATH."""
INSTALLERS = ("pip", "npm", "apt", "go")
CLIENT_ID, SCOPE = "loopback-auth-demo", "openid profile email"
"""What `{client_id}` and `{scope}` stand for, where nothing else was said."""
TYPED = "typed"
"""Name of the recipe that is made of a command which was typed, with its flags."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
LARGEST = 256 * 1024
"""Characters of a recipe."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One program, and how it signs in to the demonstration server; texts may have placeholders.

    Args:
        name: by which it is chosen; lower case letters, digits, dot, dash, underscore.
        command: the program and its arguments.
        title: heading of its column; empty: the name.
        homepage: URL where the program is described.
        version: name of the package whose version is the program's; or the command that prints it, if it has
            blanks; empty: it is not known.
        install: names of packages by installer: pip, npm, apt or go.
        runtime: where its packages are.
        driver: text of a script that uses the program's library; `{driver}` is its path.
        env: variables, by name.
        files: texts of files by path: below the working folder, or below the home folder after `~/`.
        client_id: that the server knows.
        secret: the client has a secret.
        scope: what `{scope}` stands for.
        tls: the server speaks https.
        tty: the program wants a terminal.
        port: the port that it always listens on; 0: another each time.
        input: typed into the program, line by line.
        success: pattern in its output that means success; empty: exit status 0 does.
        again: it does not end by itself, and is ended when it has its tokens.
        here: it runs in the folder in which the command line was started.
        aliases: other paths of the server, each with the path that it stands for.
        answers: JSON texts that the server answers with, by path.
        token_members: members that the server adds to its token responses; their texts may name others of the
            response, such as `{id_token}`.
        claims: claims that the server adds to its ID tokens.
        notes: what a reader should know, in sentences.
    """

    name: str
    command: tuple[str, ...]
    title: str = ""
    homepage: str = ""
    version: str = ""
    install: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    runtime: Runtime = "system"
    driver: str = field(default="", repr=False)
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    files: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    client_id: str = CLIENT_ID
    secret: bool = False
    scope: str = SCOPE
    tls: bool = False
    tty: bool = False
    port: int = 0
    input: str = field(default="", repr=False)
    success: str = ""
    again: bool = False
    here: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    token_members: Mapping[str, object] = field(default_factory=dict[str, object])
    claims: Mapping[str, object] = field(default_factory=dict[str, object])
    notes: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """What its column is called."""
        return self.title or self.name


KEYS = tuple(one.name for one in fields(Recipe) if one.name != "name")
"""What a recipe's file may say; its name is that of the file."""


def read_recipe(name: str, text: str) -> Recipe:
    """Read a recipe.

    Args:
        name: of the recipe: that of its file, without `.toml`.
        text: of the file.

    Raises:
        ConfigError: it is not one; the message names the recipe and the key.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"A recipe cannot be called {ascii(name)[:80]}.",
            hint="Use lower case letters, digits, dots, dashes and underscores, 64 at most.",
        )
    reading = _Reading(name)
    if len(text) > LARGEST:
        raise reading.wrong("", f"has more than {LARGEST} characters")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise reading.wrong(
            "", "is not valid TOML" + (f": {exc}"[:120] if str(exc).isascii() else "")
        ) from None
    for key in document:
        if key not in KEYS:
            raise reading.wrong(ascii(key)[:60], f"is unknown; allowed are {', '.join(KEYS)}")
    return reading.recipe(document)


class _Reading:
    def __init__(self, name: str) -> None:
        self._name = name

    def wrong(self, key: str, what: str) -> ConfigError:
        place = f"{key} {what}" if key else what
        return ConfigError(f"The recipe {self._name} cannot be used: {place}.", hint="Correct the recipe.")

    def recipe(self, document: Mapping[str, object]) -> Recipe:
        def text(key: str, default: str = "") -> str:
            return self._text(key, document.get(key, default))

        recipe = Recipe(
            self._name,
            self._command("command", document.get("command")),
            title=text("title"),
            homepage=text("homepage"),
            version=text("version"),
            install={
                installer: self._texts(f"install.{installer}", names)
                for installer, names in self._table("install", document.get("install", {})).items()
            },
            runtime=self._runtime(document.get("runtime", "system")),
            driver=text("driver"),
            env=self._text_table("env", document),
            files=self._text_table("files", document),
            client_id=text("client_id", CLIENT_ID),
            secret=self._flag("secret", document),
            scope=text("scope", SCOPE),
            tls=self._flag("tls", document),
            tty=self._flag("tty", document),
            port=self._port(document.get("port", 0)),
            input=text("input"),
            success=self._pattern(text("success")),
            again=self._flag("again", document),
            here=self._flag("here", document),
            aliases=self._text_table("aliases", document),
            answers=self._text_table("answers", document),
            token_members=self._table("token_members", document.get("token_members", {})),
            claims=self._table("claims", document.get("claims", {})),
            notes=self._texts("notes", document.get("notes", [])),
        )
        self._check(recipe)
        return recipe

    def _check(self, recipe: Recipe) -> None:
        for installer in recipe.install:
            if installer not in INSTALLERS:
                raise self.wrong(
                    f"install.{ascii(installer)[:60]}", f"must be one of {', '.join(INSTALLERS)}"
                )
        for name in recipe.env:
            if not name or "=" in name:
                raise self.wrong("env", "has a name that no variable can have")
        for path in recipe.files:
            inner_path(path)
        for path in (*recipe.aliases, *recipe.aliases.values(), *recipe.answers):
            if not path.startswith("/") or set(path) & set("?#"):
                raise self.wrong("aliases", "and answers must have paths that begin with / and have no query")
        if not recipe.client_id:
            raise self.wrong("client_id", "is empty")

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise self.wrong(key, "must be a string")
        return value

    def _texts(self, key: str, value: object) -> tuple[str, ...]:
        if not is_list(value):
            raise self.wrong(key, "must be a list of strings")
        return tuple(self._text(key, one) for one in value)

    def _command(self, key: str, value: object) -> tuple[str, ...]:
        words = self._texts(key, value)
        if not words or not words[0]:
            raise self.wrong(key, "must name a program and its arguments")
        return words

    def _table(self, key: str, value: object) -> Mapping[str, object]:
        if not is_object(value):
            raise self.wrong(key, "must be a table")
        return value

    def _text_table(self, key: str, document: Mapping[str, object]) -> Mapping[str, str]:
        table = self._table(key, document.get(key, {}))
        return {name: self._text(f"{key}.{ascii(name)[:60]}", value) for name, value in table.items()}

    def _flag(self, key: str, document: Mapping[str, object]) -> bool:
        value = document.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def _port(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 65536:
            raise self.wrong("port", "must be a port number")
        return value

    def _runtime(self, value: object) -> Runtime:
        for one in get_args(Runtime):
            if value == one:
                runtime: Runtime = one
                return runtime
        raise self.wrong("runtime", f"must be one of {', '.join(get_args(Runtime))}")

    def _pattern(self, text: str) -> str:
        if not is_pattern(text):
            raise self.wrong("success", "must be a regular expression")
        return text


def is_pattern(text: str) -> bool:
    """Return whether a text is a regular expression."""
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return True
