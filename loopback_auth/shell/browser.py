"""Open a page in the person's browser, without a shell and without believing that it worked.

A started opener is no opened page: `xdg-open` ends with 3 when it finds no browser. So the opener's end is
watched and told to whoever asks. Text browsers are never started: they would take over the terminal.

The URL given to the opener shows in the process list; it is our start page, whose key works once. Nothing
here is imported that costs, because this runs before everything else.

Source: RFC 8252 §6; CVE-2017-18266 (xdg-open), CVE-2025-6514, CVE-2026-4519; Azure/azure-cli#21112 (lynx).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXT_BROWSERS = frozenset({"elinks", "links", "links2", "lynx", "w3m", "www-browser"})
PRINT_ONLY = frozenset({"", "none", "echo", "true", "false"})
"""What people set BROWSER to when they want no browser (git-ecosystem/git-credential-manager#2317)."""

LINUX_OPENERS = (("xdg-open",), ("gio", "open"), ("x-www-browser",), ("firefox",), ("chromium",))
WSL_OPENERS = (("wslview",), ("rundll32.exe", "url.dll,FileProtocolHandler"))
NEW_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Windows only."""


class Opening:
    """An attempt to open a page: by which program, or why not at all."""

    __slots__ = ("_process", "program", "why_not")

    def __init__(
        self, *, program: str = "", why_not: str = "", process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.program = program
        self.why_not = why_not
        self._process = process

    def watch(self, failed: Callable[[int], object]) -> None:
        """Call `failed` with the exit status, from another thread, should the opener end with one but 0.

        A browser that is its own opener runs on for hours, so the thread must not keep the program alive.
        """
        process = self._process
        if process is None:
            return

        def wait() -> None:
            if status := process.wait():
                failed(status)

        threading.Thread(target=wait, name="browser opener", daemon=True).start()


def open_browser(url: str, environ: Mapping[str, str] | None = None) -> Opening:
    """Start the person's browser on a URL of ours, or say why not.

    Args:
        url: already checked; one argument of the program, never part of a command line.
        environ: the environment, this process's own by default.
    """
    environ = os.environ if environ is None else environ
    if why_not := reason_against(environ, sys.platform):
        return Opening(why_not=why_not)
    if sys.platform == "win32" and not environ.get("BROWSER"):
        return _start_file(url)
    for command in openers(environ, sys.platform):
        argv = with_url(command, url)
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and the URL is one checked argument
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=child_environment(environ),
                # Ctrl-C in our terminal must not end the person's browser.
                start_new_session=True,
                creationflags=NEW_GROUP,
            )
        except OSError:
            continue
        return Opening(program=_name(argv[0]), process=process)
    return Opening(why_not="no program that opens a browser was found")


def reason_against(environ: Mapping[str, str], platform: str) -> str:
    """Say why no browser that this person sees can be started here; empty when one may be."""
    browser = environ.get("BROWSER")
    if browser is not None and _name(browser.strip().lower()) in PRINT_ONLY:
        return f"BROWSER is set to {browser.strip() or 'nothing'}"
    if browser:
        return ""
    if any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")):
        return "this is an SSH session"
    if platform in ("darwin", "win32", "cygwin") or is_wsl(environ) or environ.get("TERMUX_VERSION"):
        return ""
    return "" if _has_display(environ) else "there is no display"


def openers(environ: Mapping[str, str], platform: str) -> tuple[tuple[str, ...], ...]:
    """List the commands to try, best first; `%s` in one of BROWSER's stands for the URL."""
    configured = environ.get("BROWSER", "")
    if configured:
        separator = ";" if platform == "win32" else ":"
        commands = (_command(part, platform) for part in configured.split(separator))
        return tuple(command for command in commands if command and not _is_text(command[0]))
    if platform == "darwin":
        return (("/usr/bin/open",),)
    if platform == "cygwin":
        return (("cygstart",),)
    if environ.get("TERMUX_VERSION"):
        return (("termux-open-url",),)
    if is_wsl(environ):
        # Without a display xdg-open would fall back to a text browser.
        return WSL_OPENERS + LINUX_OPENERS if _has_display(environ) else WSL_OPENERS
    return LINUX_OPENERS


def with_url(command: tuple[str, ...], url: str) -> list[str]:
    """Put the URL into a command as one argument: for `%s` if there is one, else at the end."""
    if any("%s" in part for part in command):
        return [part.replace("%s", url) for part in command]
    return [*command, url]


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the browser: without our settings, which may hold a client secret."""
    return {name: value for name, value in environ.items() if not name.startswith("LOOPBACK_AUTH_")}


def is_wsl(environ: Mapping[str, str]) -> bool:
    """Tell whether this is the Windows Subsystem for Linux, whose browser is the one of Windows."""
    return bool(environ.get("WSL_DISTRO_NAME") or environ.get("WSL_INTEROP"))


def _command(part: str, platform: str) -> tuple[str, ...]:
    """Split one of BROWSER's commands into words; no words where its quotes do not match."""
    import shlex

    try:
        # On Windows a backslash separates folders.
        words = shlex.split(part, posix=platform != "win32")
    except ValueError:
        return ()
    # A last `&` asks for the background (Python's webbrowser reads it so); that is where all are started.
    words = words[:-1] if words[-1:] == ["&"] else words
    return tuple(word.strip('"') for word in words) if platform == "win32" else tuple(words)


def _is_text(program: str) -> bool:
    return _name(program) in TEXT_BROWSERS


def _name(program: str) -> str:
    return program.replace("\\", "/").rpartition("/")[2]


def _has_display(environ: Mapping[str, str]) -> bool:
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _start_file(url: str) -> Opening:
    try:
        os.startfile(url)  # type: ignore[attr-defined, unused-ignore]  # noqa: S606 - checked, no shell
    except OSError as exc:
        return Opening(why_not=f"Windows could not open it: {exc.strerror}")
    return Opening(program="the default browser")
