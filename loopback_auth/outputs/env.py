"""A token as an environment variable, in the languages that set one.

A token is visible ASCII without blanks, and may have every character that a shell reads as its own, so it is
always between quotes where the language has quotes that nothing can end but a quote.

Source: POSIX.1-2024, Shell Command Language §2.2.2 (single quotes); fish, "Quotes"; PowerShell,
about_Quoting_Rules; GitHub, "Workflow commands", setting an environment variable.
"""

from __future__ import annotations

from loopback_auth.outputs.reserved_variables import effect_of
from loopback_auth.records import Literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential

Syntax = Literal["sh", "fish", "powershell", "dotenv", "github"]

SYNTAXES: tuple[Syntax, ...] = ("sh", "fish", "powershell", "dotenv", "github")
"""Languages: `sh` is for bash and zsh too, `dotenv` for files .env, `github` for that of `$GITHUB_ENV`."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~+/=:,@-")
"""Characters that mean themselves in every dialect of .env, without quotes."""


def env(credential: Credential, *, variable: str | None = None, syntax: Syntax = "sh") -> str:
    """Return a line that sets an environment variable to the token.

    Args:
        credential: whose token it is.
        variable: its name, of ASCII letters, digits and `_`, not a digit first; None: `ACCESS_TOKEN` or
            `ID_TOKEN`.
        syntax: the language of the line.

    Raises:
        ConfigError: that is not the name of a variable, or of one that is reserved; or a file .env cannot
            have the token.
    """
    variable = credential.of.upper() if variable is None else variable
    if not (variable.isascii() and variable.isidentifier()):
        raise _refusal(
            f"{ascii(variable)[:80]} is not the name of an environment variable.",
            "Write letters, digits and _, as in API_TOKEN.",
            "variable",
        )
    if effect := effect_of(variable):
        raise _refusal(
            f"The variable {variable} is not for tokens: it {effect}.",
            "Use the variable from which the program reads its token.",
            "variable",
        )
    token = credential.token
    match syntax:
        case "sh":
            return f"export {variable}='{_replaced(token)}'\n"
        case "fish":
            quoted = token.replace("\\", "\\\\").replace("'", "\\'")
            return f"set -gx {variable} '{quoted}'\n"
        case "powershell":
            doubled = token.replace("'", "''")
            return f"$env:{variable} = '{doubled}'\n"
        case "dotenv":
            return f"{variable}={_in_dotenv(token, credential.name)}\n"
        case "github":
            return f"{variable}={token}\n"


def _replaced(token: str) -> str:
    return token.replace("'", "'\\''")


def _in_dotenv(token: str, name: str) -> str:
    """Leave out quotes where nothing needs them, because `docker run --env-file` takes them literally."""
    if _PLAIN.issuperset(token):
        return token
    if set(token) & set("'\\\""):
        raise _refusal(
            f"The token of {name} has quotes or backslashes, which programs read differently in a file .env.",
            "Use another language, such as sh.",
            "syntax",
        )
    return f"'{token}'"


def _refusal(problem: str, hint: str, parameter: str) -> Exception:
    from loopback_auth.errors import ConfigError  # Start-up.

    return ConfigError(problem, hint=hint, parameter=parameter)
