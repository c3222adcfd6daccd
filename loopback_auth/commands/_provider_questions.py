"""The questions about a provider, whose answers become its table in the configuration file.

A value that is there already is shown, and stays when the answer is empty.
"""

from __future__ import annotations

from loopback_auth.cli import tell
from loopback_auth.commands._asking import ask
from loopback_auth.errors import ConfigError
from loopback_auth.narrow import is_visible
from loopback_auth.protocol.urls import check_endpoint, check_issuer
from loopback_auth.settings import Settings, redirect_of, resolve
from loopback_auth.settings.checks import needs_client_id
from loopback_auth.settings.needs import needs_of
from loopback_auth.settings.presets import preset, preset_name, preset_title
from loopback_auth.terminal.secret import ask_client_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ISSUER = "Address of the server (its issuer), such as https://id.example"


def ask_table(name: str, table: Mapping[str, object]) -> dict[str, object]:
    """Ask for what a provider needs, and return it as keys of its table.

    Args:
        name: of the provider: one that is known, or a name for one's own.
        table: what the configuration file has for it so far.

    Raises:
        AttemptCancelled: the person has ended the input.
        ConfigError: an answer cannot be used.
    """
    extended = preset_name(name, table)
    answers: dict[str, object] = {}
    if extended:
        _tell_needs(_resolved(name, table), extended)
        if "{domain}" in str(preset(extended)):
            _ask_into(answers, table, "domain", "Domain of your server, without https://", _domain_refused)
    else:
        _ask_into(answers, table, "issuer", ISSUER, _issuer_refused)
    settings = _resolved(name, {**table, **answers})
    if not extended:
        _tell_needs(settings, extended)
    if needs_client_id(settings):
        _ask_into(answers, table, "client_id", "Client ID", _client_id_refused)
    elif not extended:
        none = "" if "client_id" in table else " (Enter: the program registers itself)"
        _ask_into(answers, table, "client_id", f"Client ID{none}", _visible_refused)
    settings = _resolved(name, {**table, **answers})
    if "client_id" in {**table, **answers} and settings.text("client_auth") != "none":
        note = " (Enter: the one that is there)" if "client_secret" in table else " (Enter: none)"
        if secret := ask_client_secret(name, note):
            answers["client_secret"] = secret
    default = settings.text("scope")
    _ask_into(answers, table, "scope", "Scopes, with spaces between them", lambda _: "", default or "none")
    return answers


def _tell_needs(settings: Settings, extended: str) -> None:
    if extended:
        tell(f"{preset_title(extended)}: {needs_of(settings)}. {settings.advice}")
        return
    host, ports, path = redirect_of(settings)
    port = f":{ports[0]}" if ports[0] else ""
    tell(
        f"Register a client for native applications with the redirect URI http://{host}{port}{path}, unless "
        "the program registers itself."
    )


def _ask_into(
    answers: dict[str, object],
    table: Mapping[str, object],
    key: str,
    question: str,
    refuse: Callable[[str], str],
    default: str = "",
) -> None:
    """Ask for the value of a key; what was there, or the default, counts where the answer is empty."""
    there = str(table.get(key, "")) or default
    answer = ask(
        f"{question} [{there}]:" if there else f"{question}:",
        lambda given: "" if there and not given else refuse(given),
    )
    if answer:
        answers[key] = answer


def _resolved(name: str, table: Mapping[str, object]) -> Settings:
    return resolve(
        provider=name, flags={}, environ={}, config={"providers": {name: table}}, config_path="answers"
    )


def _issuer_refused(answer: str) -> str:
    try:
        check_issuer(answer)
    except ConfigError as exc:
        return f"{exc.message} {exc.hint}"
    return ""


def _domain_refused(answer: str) -> str:
    try:
        check_endpoint(f"https://{answer.removeprefix('https://')}", name="domain")
    except ConfigError as exc:
        return f"{exc.message} {exc.hint}"
    return ""


def _client_id_refused(answer: str) -> str:
    return (
        "" if answer and is_visible(answer) else "Give the ID that the server has shown at the registration."
    )


def _visible_refused(answer: str) -> str:
    return "" if is_visible(answer) else "Copy it again, without any other characters."
