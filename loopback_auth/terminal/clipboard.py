"""Copy a link to the clipboard of the person at this terminal.

A program of this machine can do it where the person sits at this machine; over SSH its clipboard is not
theirs, unless X is forwarded. Else the terminal can be asked by an escape sequence, which says nothing back:
some do it, some do not, and some that live in a web page cut it near 400 characters
(heytcass/home-assistant-addons#107), so a short link is the better one to copy. tmux hands the sequence on
when its buffer is loaded, and since 3.3 only on request lets it through.

The link goes by stdin, never by argument: every user can read the process list.

Source: XTerm Control Sequences, "Operating System Commands" (Ps = 52); tmux(1), load-buffer and
allow-passthrough.
"""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Callable, Mapping

from loopback_auth.network.browser import child_environment
from loopback_auth.plan.openers import is_termux, is_wsl, program_name
from loopback_auth.plan.signals import SSH
from loopback_auth.words import Words

COPY_SECONDS = 2.0
"""Seconds that a program gets; a display that is gone may keep it for ever."""

SURVIVES = 300
"""Characters that become 400 in base64."""

MAC = ("/usr/bin/pbcopy",)
WINDOWS = ("clip.exe",)
WAYLAND = ("wl-copy",)
X11 = (("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input"))
TERMUX = ("termux-clipboard-set",)
TMUX = ("tmux", "load-buffer", "-w", "-")


def copy(
    text: str,
    environ: Mapping[str, str],
    platform: str,
    write_escape: Callable[[str], object] | None,
    *,
    words: Words,
    name: str = "",
) -> str:
    """Copy a link; say how that was done, or why not. May take some seconds.

    Args:
        text: the link.
        environ: the environment, which says what there is.
        platform: as `sys.platform`.
        write_escape: writes to the terminal; None for one that takes no escape sequences.
        words: what is said of it.
        name: what the link is called; empty: the link.
    """
    name = name or words.LINK_NAME
    for command in programs(environ, platform):
        if _copied(command, text, environ):
            return words.COPIED.format(link=name, tool=program_name(command[0]))
    if environ.get("TMUX") and _copied(TMUX, text, environ):
        return words.COPIED_BY_TMUX.format(link=name, doubt=_doubt(text, words))
    if write_escape is None:
        return words.COPIED_NOT
    write_escape(escape(text, tmux=bool(environ.get("TMUX"))))
    return words.COPIED_BY_TERMINAL.format(link=name, doubt=_doubt(text, words))


def programs(environ: Mapping[str, str], platform: str) -> tuple[tuple[str, ...], ...]:
    """List the programs whose clipboard is that of the person here, best first."""
    display = environ.get("DISPLAY", "")
    if any(environ.get(name) for name in SSH):
        # A display with a host in it is one that SSH forwards.
        return () if display.startswith(":") or not display else X11
    if platform == "darwin":
        return (MAC,)
    if platform == "win32":
        # By its whole path: Windows would look into the current folder first.
        return ((f"{environ.get('SYSTEMROOT', 'C:/Windows')}/System32/{WINDOWS[0]}",),)
    found: list[tuple[str, ...]] = []
    if is_termux(environ):
        found.append(TERMUX)
    if is_wsl(environ):
        found.append(WINDOWS)
    if environ.get("WAYLAND_DISPLAY"):
        found.append(WAYLAND)
    return (*found, *X11) if display else tuple(found)


def escape(text: str, *, tmux: bool) -> str:
    """Write the sequence that asks a terminal to copy, wrapped for tmux to let it through."""
    sequence = f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07"
    return "\x1bPtmux;{}\x1b\\".format(sequence.replace("\x1b", "\x1b\x1b")) if tmux else sequence


def _copied(command: tuple[str, ...], text: str, environ: Mapping[str, str]) -> bool:
    """Hand a text to a program; it may stay behind to serve the clipboard, and must not hear our Ctrl-C."""
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell, and fixed words alone
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment(environ),
            start_new_session=True,
        )
    except OSError:
        return False
    with process:
        try:
            process.communicate(text.encode(), timeout=COPY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.returncode == 0


def _doubt(text: str, words: Words) -> str:
    return words.COPIED_DOUBT_LONG if len(text) > SURVIVES else words.COPIED_DOUBT
