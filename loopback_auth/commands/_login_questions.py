"""The questions of a login that names no provider, or one without a client ID; only at a terminal."""

from __future__ import annotations

import os

from loopback_auth.cli import settings_of, tell
from loopback_auth.commands._asking import ask, ask_yes
from loopback_auth.commands._provider_questions import ask_table
from loopback_auth.errors import StoreError
from loopback_auth.plan.signals import AGENTS, CI, first
from loopback_auth.redact import server_text
from loopback_auth.settings import DEMO, config_file, load_config, with_scheme
from loopback_auth.settings.checks import needs_client_id
from loopback_auth.settings.config import provider_tables
from loopback_auth.settings.needs import NOTHING, known_needs
from loopback_auth.settings.presets import every_preset
from loopback_auth.settings.reading import suggestion
from loopback_auth.settings.writing import set_provider
from loopback_auth.signin.planning import surroundings_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loopback_auth.settings import Settings
    from loopback_auth.store import FileTokenStore

QUESTION = "Number, name, or an address with https:// (Enter: the demonstration):"


def ask_provider(options: argparse.Namespace, settings: Settings, store: FileTokenStore) -> None:
    """Ask where to sign in, where a person can be asked.

    Args:
        options: of the command line; `provider` becomes what was chosen.
        settings: as they are without an answer.
        store: where sign-ins are kept.

    Raises:
        AttemptCancelled: the person has ended the input.
        ConfigError: no answer could be used.
    """
    if options.simulate_person is not None or not _asks(settings):
        return
    own, kept = tuple(_tables()), _kept(store)
    presets = [name for name in every_preset() if name not in own]
    # In the order in which they are shown, so that the numbers are.
    known = tuple(sorted(presets, key=lambda name: known_needs(name) == NOTHING))
    names = (*own, *(name for name in kept if name not in (*own, *known, DEMO)), *known, DEMO)
    _show(names, own, kept, known)
    answer = ask(QUESTION, lambda given: _refused(given, names)) or DEMO
    options.provider = names[int(answer) - 1] if answer.isdigit() else answer


def ask_client(options: argparse.Namespace, settings: Settings) -> Settings:
    """Ask for the client of a provider that has none, and offer to write it into the configuration file.

    Args:
        options: of the command line, which get the answers, but no secret.
        settings: of the login.

    Returns:
        The settings with the answers, if anything was asked.

    Raises:
        AttemptCancelled: the person has ended the input.
        ConfigError: an answer cannot be used, or the file cannot be written.
    """
    name, tables = settings.name, _tables()
    if not needs_client_id(settings) or name not in (*tables, *every_preset()) or not _asks(settings):
        return settings
    path = config_file(os.environ)
    answers = ask_table(name, tables.get(name, {}))
    if ask_yes(f"Write this to {path}, so that you are not asked again?", default=True):
        set_provider(path, name, answers)
        tell(f"Written: {path} [providers.{name}]")
    secret = str(answers.pop("client_secret", ""))
    for key, value in answers.items():
        setattr(options, key, [value] if key == "scope" else value)
    options.provider = name
    completed = settings_of(options).for_account(settings.kept_as)
    return completed.with_secret(secret) if secret else completed


def _asks(settings: Settings) -> bool:
    """Return whether a person is at the terminal; build servers and agents have one, too."""
    seen = surroundings_of(settings)
    machine = first(seen.environ, CI) or first(seen.environ, AGENTS)
    return seen.stdin and seen.stderr and not machine and settings.switch("wait") is not False


def _tables() -> dict[str, dict[str, object]]:
    path = config_file(os.environ)
    config = load_config(path)
    return {name: dict(table) for name, table in provider_tables(config, path).items()} if config else {}


def _kept(store: FileTokenStore) -> dict[str, str]:
    """Return the account of each kept sign-in that can be read."""
    found: dict[str, str] = {}
    try:
        for name in store.names():
            sign_in = store.load(name)
            if sign_in is not None and not sign_in.temporary:
                found[name] = server_text(sign_in.tokens.account, 60)
    except StoreError:
        pass  # Said by the login, if it matters there.
    return found


def _show(names: Sequence[str], own: Sequence[str], kept: dict[str, str], known: Sequence[str]) -> None:
    number = {name: f"{names.index(name) + 1:>3} {name}" for name in names}
    tell("Where do you want to sign in?")
    for title, members in (
        ("In your configuration file", own),
        ("Kept sign-ins", tuple(name for name in kept if name in names and name not in (*own, *known))),
    ):
        if members:
            tell(f"{title}:")
        for name in members:
            account = f"  signed in as {kept[name]}" if kept.get(name) else ""
            tell(f"  {number[name]}{account}")
    width = max(len(number[name]) for name in known) + 2
    free = [name for name in known if known_needs(name) == NOTHING]
    for title, members in (
        ("Known providers, where you register a client", [name for name in known if name not in free]),
        ("Known providers, with nothing to register", free),
    ):
        cells = [f"{number[name]:<{width}}" for name in members]
        if cells:
            tell(f"{title}:")
        for start in range(0, len(cells), 4):
            tell(f"  {''.join(cells[start : start + 4])}".rstrip())
    tell(f"The built-in demonstration, which needs no account:\n  {number[DEMO]}")


def _refused(answer: str, names: Sequence[str]) -> str:
    if answer.isdigit():
        return "" if 0 < int(answer) <= len(names) else f"Give a number from 1 to {len(names)}."
    if not answer or answer in names or answer.startswith(("https://", "http://")):
        return ""
    address = with_scheme(answer)
    meant = f"Did you mean {address}?" if address else suggestion(answer, names)
    return f"There is no provider {ascii(answer)[:80]}. {meant}"
