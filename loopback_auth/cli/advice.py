"""What the command line adds to errors: which flag or variable sets a parameter, and which command helps.

The sentences of an error are neutral, because other programs show them too. `.parameter` and the class of the
error say what they are about; nothing is read from the sentences but whether they name the spelling already.

Only loaded when a command has failed.
"""

from __future__ import annotations

from loopback_auth.errors import (
    AttemptExpired,
    ConfigError,
    LoopbackAuthError,
    NoFlowAvailable,
    StoreError,
    TokenError,
)
from loopback_auth.folders import CONFIG_VARIABLE, DATA_VARIABLE
from loopback_auth.invocation import GENERAL
from loopback_auth.settings.setting import SETTINGS

PASSWORD = "LOOPBACK_AUTH_CLIENT_KEY_PASSWORD"
WITH_SETTINGS = ("login", "start", "configure", "settings", "compare", "audit", "explain", "doctor")
"""The commands that have a flag for every setting; for the others variables and the file set them."""
SOME_SETTINGS = {
    "client-metadata": frozenset(
        [
            *("allow_private", "ca_file", "client_cert", "client_key", "client_metadata_url", "client_name"),
            *("port", "private_key_file", "redirect_uri"),
        ]
    ),
    "finish": frozenset(["wait"]),
    "proxy": frozenset(["port", "timeout"]),
    "receive": frozenset(["browser", "port", "redirect_uri", "timeout", "wait"]),
}
"""The settings for which other commands have a flag."""
SETTING_OF = {
    "client_metadata": "client_metadata_url",
    "host": "redirect_uri",
    "keychain": "store",
    "path": "redirect_uri",
    "ports": "port",
    "private_key": "private_key_file",
    "redirect": "redirect_uri",
    "response_type": "flow",
}
"""The setting of an argument that has another name there."""
ELSEWHERE = {
    "client_key_password": (PASSWORD, PASSWORD),
    "config_dir": (CONFIG_VARIABLE, CONFIG_VARIABLE),
    "store": (DATA_VARIABLE, DATA_VARIABLE),
    "variable": ("", "--env-name"),
    "syntax": ("", "--shell"),
    "username": ("", "--username"),
    "role_arn": ("", "--role-arn"),
    "region": ("", "--region"),
}
"""Arguments without a setting: the flag of commands with settings, and the variable or flag of the others.

The last five are of outputs for tools.
"""
SPELLINGS = {
    item.name: (f"{item.flag}/--no-{item.flag[2:]}" if item.kind == "switch" else item.flag, item.variable)
    for item in SETTINGS
    if not item.quirk
} | {item.name: (f"{item.name} in the table of the provider",) * 2 for item in SETTINGS if item.quirk}
"""The flag and the variable of each setting."""


def advised(error: LoopbackAuthError, command: str = "") -> str:
    """Return the hint of an error with the flags, variables and commands that it is about.

    Args:
        error: what ended the command.
        command: the one that was run; empty: one without flags for the settings.
    """
    if GENERAL in error.hint:
        return error.hint  # The command that failed has said what to type.
    flags = _spelled(error, command)
    hint = f"{error.hint.removesuffix('.')} ({', '.join(flags)})." if flags and error.hint else error.hint
    further = _further(error, command)
    return f"{hint} {further}".strip()


def _spelled(error: LoopbackAuthError, command: str) -> list[str]:
    """Spell the parameters of an error, but none that the error names itself."""
    said = f"{error.message} {error.hint}"
    if "(from " in said:
        return []  # It says which flag, variable or file the value came from.
    spelled: dict[str, None] = {}
    for parameter in error.parameter.split():
        named = SETTING_OF.get(parameter, parameter)
        flag, variable = ELSEWHERE.get(parameter) or SPELLINGS.get(named, ("", ""))
        has_flag = command in WITH_SETTINGS or named in SOME_SETTINGS.get(command, ())
        one = flag or variable if has_flag else variable
        # A switch has two spellings, of which the first is the name.
        if one and one.partition("/")[0] not in said:
            spelled[one] = None
    return list(spelled)


def _further(error: LoopbackAuthError, command: str) -> str:
    """Return the sentence that names a command of ours; empty when none helps."""
    match error:
        case TokenError(error="invalid_request") if command == "login":
            return "Add the output of --verbose."
        case NoFlowAvailable():
            accepts = "--yes accepts any account. " if "confirm" in error.parameter.split() else ""
            return f"{accepts}See {GENERAL} doctor for what is known about this environment."
        case AttemptExpired() if "flow" in error.parameter.split():
            return f"See {GENERAL} doctor for what works here."
        case StoreError(parameter="keychain"):
            return f"See what is kept where: {GENERAL} store"
        case ConfigError(parameter="handle"):
            return f"Look for it with: {GENERAL} status"
        case _:
            return ""
