"""A link on the clipboard of the person, by whatever this machine and this terminal have for it."""

from __future__ import annotations

import json
import sys
import textwrap
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest

from loopback_auth.terminal import clipboard
from loopback_auth.terminal.clipboard import copy, escape, programs
from loopback_auth.words import Words

LINK = "http://127.0.0.1:49152/0123456789abcdef"
X11 = (("xclip", "-selection", "clipboard"), ("xsel", "--clipboard", "--input"))
TMUX = ("tmux", "load-buffer", "-w", "-")

Fake = Callable[..., None]

posix = pytest.mark.skipif(sys.platform == "win32", reason="the fake programs are scripts")

WORDS = Words()


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Make a clipboard program that notes what it was started with and given."""

    def make(name: str, more: str = "") -> None:
        program = tmp_path / name
        program.write_text(
            f"#!{sys.executable} -IS\n"
            + textwrap.dedent(f"""
            import json, os, signal, sys
            seen = dict(argv=sys.argv[1:], stdin=sys.stdin.read(), env=sorted(os.environ))
            with open({str(tmp_path / "seen")!r}, "a") as file:
                file.write(json.dumps(seen) + chr(10))
            """)
            + more
        )
        program.chmod(0o700)

    return make


def seen(folder: Path) -> list[dict[str, object]]:
    """Return what the programs noted."""
    note = folder / "seen"
    return [json.loads(line) for line in note.read_text().splitlines()] if note.exists() else []


def copied(folder: Path, *, text: str = LINK, escapes: bool = True, **environ: str) -> tuple[str, list[str]]:
    """Copy with the programs of a folder; return what is said, and what the terminal was sent."""
    sent: list[str] = []
    said = copy(
        text, {"PATH": str(folder), **environ}, "linux", sent.append if escapes else None, words=Words()
    )
    return said, sent


PLACES = {
    "Mac": ({}, "darwin", (("/usr/bin/pbcopy",),)),
    "Windows": ({"SYSTEMROOT": "C:/WINDOWS"}, "win32", (("C:/WINDOWS/System32/clip.exe",),)),
    "WSL": ({"WSL_DISTRO_NAME": "Debian"}, "linux", (("clip.exe",),)),
    "Wayland": ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", (("wl-copy",),)),
    "Wayland with X": ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", (("wl-copy",), *X11)),
    "X": ({"DISPLAY": ":0"}, "linux", X11),
    "Termux": ({"TERMUX_VERSION": "0.118"}, "linux", (("termux-clipboard-set",),)),
    "console": ({}, "linux", ()),
    "ssh": ({"SSH_CONNECTION": "a b c d"}, "linux", ()),
    "ssh to a Mac": ({"SSH_TTY": "/dev/ttys1"}, "darwin", ()),
    "ssh to a desktop": ({"SSH_CONNECTION": "a b c d", "DISPLAY": ":0"}, "linux", ()),
    "ssh with X": ({"SSH_CONNECTION": "a b c d", "DISPLAY": "localhost:10.0"}, "linux", X11),
}


@pytest.mark.parametrize(("environ", "platform", "commands"), PLACES.values(), ids=PLACES)
def test_the_clipboard_is_that_of_the_person(
    environ: dict[str, str], platform: str, commands: tuple[tuple[str, ...], ...]
) -> None:
    """Over SSH, that of this machine belongs to somebody else, or to nobody."""
    assert programs(environ, platform) == commands


@posix
def test_the_link_goes_by_stdin(fake: Fake, tmp_path: Path) -> None:
    """The process list is everybody's, and our settings may hold a client secret."""
    fake("wl-copy")
    said, sent = copied(tmp_path, WAYLAND_DISPLAY="wayland-0", LOOPBACK_AUTH_CLIENT_SECRET="canary")
    [noted] = seen(tmp_path)

    assert (said, sent) == (Words.COPIED.format(link=Words.LINK_NAME, tool="wl-copy"), [])
    assert (noted["argv"], noted["stdin"]) == ([], LINK)
    assert "LOOPBACK_AUTH_CLIENT_SECRET" not in str(noted["env"])


@posix
def test_a_program_that_fails_leaves_it_to_the_next(fake: Fake, tmp_path: Path) -> None:
    """A display may be gone that the environment still names."""
    fake("xclip", "sys.exit(1)")
    fake("xsel")
    said, _ = copied(tmp_path, DISPLAY=":0")

    assert said == Words.COPIED.format(link=Words.LINK_NAME, tool="xsel")
    assert [one["argv"] for one in seen(tmp_path)] == [
        ["-selection", "clipboard"],
        ["--clipboard", "--input"],
    ]


@posix
def test_a_program_that_hangs_is_not_waited_for(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would for ever, should the other machine of a forwarded display be asleep."""
    monkeypatch.setattr(clipboard, "COPY_SECONDS", 0.0)
    fake("xclip", "signal.pause()")
    said, sent = copied(tmp_path, DISPLAY=":0")

    assert said == Words.COPIED_BY_TERMINAL.format(link=Words.LINK_NAME, doubt=Words.COPIED_DOUBT)
    assert len(sent) == 1


def test_the_terminal_is_asked_where_there_is_no_program(tmp_path: Path) -> None:
    """Over SSH it is the only one whose clipboard is the person's."""
    said, sent = copied(tmp_path, SSH_CONNECTION="a b c d")

    assert said == Words.COPIED_BY_TERMINAL.format(link=Words.LINK_NAME, doubt=Words.COPIED_DOUBT)
    assert sent == [escape(LINK, tmux=False)]
    assert sent[0].startswith("\x1b]52;c;")
    assert b64decode(sent[0][7:-1]).decode() == LINK


def test_what_some_terminals_cut_is_told(tmp_path: Path) -> None:
    """Those in a web page stop near 400 characters (heytcass/home-assistant-addons#107)."""
    assert Words.COPIED_DOUBT_LONG in copied(tmp_path, text="x" * 301)[0]
    assert "cut" not in copied(tmp_path, text="x" * 300)[0]
    assert len(escape("x" * 300, tmux=False)) <= 400 + len("\x1b]52;c;\x07")


@posix
def test_tmux_hands_it_on(fake: Fake, tmp_path: Path) -> None:
    """It lets no sequence through unless it is told to."""
    fake("tmux")
    said, sent = copied(tmp_path, TMUX="/tmp/tmux-0/default,1,0")  # noqa: S108 - never opened
    [noted] = seen(tmp_path)

    assert (said, sent) == (
        Words.COPIED_BY_TMUX.format(link=Words.LINK_NAME, doubt=Words.COPIED_DOUBT),
        [],
    )
    assert (noted["argv"], noted["stdin"]) == (["load-buffer", "-w", "-"], LINK)


@posix
def test_an_old_tmux_is_asked_to_let_it_through(fake: Fake, tmp_path: Path) -> None:
    """Before 3.2 it does not know the option."""
    fake("tmux", "sys.exit(1)")
    _, sent = copied(tmp_path, TMUX="/tmp/tmux-0/default,1,0")  # noqa: S108 - never opened

    assert sent == [f"\x1bPtmux;\x1b{escape(LINK, tmux=False)}\x1b\\"]


def test_where_nothing_helps_it_is_said(tmp_path: Path) -> None:
    """Then there is still the mouse."""
    said, _ = copied(tmp_path, escapes=False)

    assert said == Words.COPIED_NOT
