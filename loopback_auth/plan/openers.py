"""Decide which programs can open a page: those in BROWSER, and those of each system.

`network.browser` starts them, and `environment` looks for them on PATH. Text browsers are never used, because
they would take over the terminal (Azure/azure-cli#21112).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT_BROWSERS = frozenset({"elinks", "links", "links2", "lynx", "w3m", "www-browser"})
PRINT_ONLY = frozenset({"", "none", "echo", "true", "false"})
"""Values of BROWSER that mean "no browser" (git-ecosystem/git-credential-manager#2317)."""

LINUX_OPENERS = (("xdg-open",), ("gio", "open"), ("x-www-browser",), ("firefox",), ("chromium",))
WSL_OPENERS = (("wslview",), ("rundll32.exe", "url.dll,FileProtocolHandler"))


def openers(environ: Mapping[str, str], platform: str) -> tuple[tuple[str, ...], ...]:
    """Return the commands to try, best first; `%s` in a command from BROWSER stands for the URL."""
    if environ.get("BROWSER"):
        commands = named_commands(environ, platform)
        return tuple(command for command in commands if not is_text_browser(command[0]))
    if platform == "darwin":
        return (("/usr/bin/open",),)
    if platform == "cygwin":
        return (("cygstart",),)
    if is_termux(environ):
        return (("termux-open-url",),)
    if is_wsl(environ):
        # Without a display xdg-open would fall back to a text browser.
        return WSL_OPENERS + LINUX_OPENERS if has_display(environ) else WSL_OPENERS
    return LINUX_OPENERS


def named_commands(environ: Mapping[str, str], platform: str) -> tuple[tuple[str, ...], ...]:
    """Return the commands in BROWSER; none if its quotes do not match."""
    separator = ";" if platform == "win32" else ":"
    commands = (_command(part, platform) for part in environ.get("BROWSER", "").split(separator))
    return tuple(command for command in commands if command)


def has_failed(program: str, status: int) -> bool:
    """Return whether the exit status of an opener means that it has opened nothing.

    explorer.exe always ends with 1 (microsoft/WSL#6565).
    """
    return status != 0 and not (program_name(program).lower() in ("explorer.exe", "explorer") and status == 1)


def print_only(environ: Mapping[str, str]) -> str:
    """Return the value of BROWSER if it means "no browser"; otherwise empty."""
    if "BROWSER" not in environ:
        return ""
    word = program_name(environ["BROWSER"].strip())
    return (word or "nothing") if word.lower() in PRINT_ONLY else ""


def is_text_browser(program: str) -> bool:
    """Return whether a program is a text browser, which would take over the terminal."""
    return program_name(program) in TEXT_BROWSERS


def program_name(program: str) -> str:
    """Return a program's name without its folder."""
    return program.replace("\\", "/").rpartition("/")[2]


def has_display(environ: Mapping[str, str]) -> bool:
    """Return whether there is a display."""
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def is_wsl(environ: Mapping[str, str]) -> bool:
    """Return whether this is the Windows Subsystem for Linux, where pages open in a browser of Windows."""
    return bool(environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"))


def is_termux(environ: Mapping[str, str]) -> bool:
    """Return whether this is Termux, whose pages open in Android's browser."""
    return bool(environ.get("TERMUX_VERSION"))


def _words(part: str, platform: str) -> list[str]:
    # Quotes are rare there, and importing shlex would delay the start of the browser.
    if not any(special in part for special in "\"'\\#"):
        return part.split()
    import shlex  # Start-up.

    # On Windows a backslash separates folders.
    return shlex.split(part, posix=platform != "win32")


def _command(part: str, platform: str) -> tuple[str, ...]:
    """Split a command in BROWSER into words; none if its quotes do not match."""
    try:
        words = _words(part, platform)
    except ValueError:
        return ()
    # As in Python's webbrowser, a final `&` means the background, in which all commands are started anyway.
    words = words[:-1] if words[-1:] == ["&"] else words
    return tuple(word.strip('"') for word in words) if platform == "win32" else tuple(words)
