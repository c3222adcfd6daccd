#!/usr/bin/env python3
"""Keep examples of what people see current: `--write` makes them anew, `--check` fails if they changed.

So it does with what shells and `man` get (shell_files.py), and with the bill of materials (sbom.py). The
examples are in the folders `goldens` below tests: what `compare` writes, made of the simulation, which is the
same each time; the help of every command; and what a terminal shows of a sign-in. A test compares them as
well. Only what somebody would read is kept. Look at the difference before you commit it: it is what people
will see.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

from loopback_auth import events
from loopback_auth.cli import COMMANDS, command_of, overview
from loopback_auth.compare.attacks import simulated_attacks
from loopback_auth.compare.drawing.outputs import render
from loopback_auth.compare.drawing.table import table
from loopback_auth.compare.model import Attack, Run
from loopback_auth.compare.running.run import compare_simulated
from loopback_auth.model import ServerMetadata
from loopback_auth.terminal.messages import Messages
from loopback_auth.terminal.outcome import result_text
from loopback_auth.tokens import SignIn, TokenSet

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make everything anew")
    parser.add_argument("--check", action="store_true", help="fail if something is not current")
    options = parser.parse_args()
    # The tests of Windows read this module, and have none of what these need.
    import sbom
    import shell_files

    wanted = {**{f"tests/{name}": text for name, text in goldens()}, **dict(shell_files.files())}
    wanted[sbom.PATH] = sbom.sbom()
    names = {*wanted, *(f"tests/{name}" for name in kept())}
    there = {name: ROOT.joinpath(name).read_text("utf-8") for name in names if ROOT.joinpath(name).exists()}
    stale = sorted(name for name in names if wanted.get(name) != there.get(name))
    if options.write:
        for name in stale:
            path = ROOT / name
            if name in wanted:
                path.parent.mkdir(exist_ok=True)
                path.write_text(wanted[name], "utf-8")
            else:
                path.unlink()
    if stale and options.check and not options.write:
        sys.stderr.write(f"Not current: {', '.join(stale)}. Run scripts/fix, and look at what it changed.\n")
        return 1
    return 0


def kept() -> list[str]:
    """Return the names of the files that are there."""
    return sorted(path.relative_to(TESTS).as_posix() for path in TESTS.glob("*/goldens/*"))


def attacked(run: Run) -> tuple[Attack, ...]:
    """Try what others could do to a run."""
    return simulated_attacks(run.flow)


def goldens() -> Iterator[tuple[str, str]]:
    """Make each file: its name, below tests, and its text."""
    yield from compared()
    yield "commands/goldens/help.txt", helps()
    yield "terminal/goldens/sign-ins.txt", sign_ins()


def compared() -> Iterator[tuple[str, str]]:
    """Make what `compare` writes."""
    # The version is left out: nothing else should change with it.
    whole = replace(compare_simulated(attacks=attacked), version="")
    one = replace(compare_simulated(["code"], attacks=attacked), version="")
    yield "compare/goldens/all-80.txt", table(whole, width=80)
    yield "compare/goldens/all.md", render(whole, ".md")
    page = render(one, ".html")
    yield "compare/goldens/code.html", page[page.index("<body>") : page.index("<script>")]


def helps() -> str:
    """Make the help of every command, at 80 columns."""
    before = dict(os.environ)
    os.environ["COLUMNS"] = "80"
    try:
        parsers = [overview(), *(command_of(name)[1] for name in COMMANDS)]
        return "\n\n".join(parser.format_help() for parser in parsers)
    finally:
        os.environ.clear()
        os.environ.update(before)


def sign_ins() -> str:
    """Make what stderr shows of a few sign-ins, where it is no terminal."""
    start, redirect_uri = "http://127.0.0.1:49152/0123456789abcdef", "http://127.0.0.1:49152/callback"
    opened = events.LinkReady(start, "firefox")
    prompted = events.VerificationPrompted(
        "https://as.example/device?user_code=WDJB-MJHT",
        "WDJB-MJHT",
        "https://as.example/device",
        600.0,
        flow="device",
    )
    paste = events.PasteReady("https://as.example/authorize?response_type=code", redirect_uri)
    failed = events.OpenerFailed("firefox", 3)
    began = events.RouteBegan("device", "You can approve in any browser.")
    ended = events.RouteEnded("device", "The code has expired.")
    stories: dict[str, tuple[events.Event, ...]] = {
        "code": (opened, events.LinkOpened("127.0.0.1:49152"), events.CallbackReceived()),
        "code beside a device code that expires": (opened, failed, began, prompted, ended),
        "paste": (paste, events.PasteRefused("That is neither an address nor a code.")),
        "a resource": (
            opened,
            events.Preparing("resource", "https://mcp.example/mcp"),
            events.Preparing("server", "https://as.example"),
            events.Preparing("registration", "https://as.example"),
        ),
        "another process": (events.WaitingForOtherProcess(4711),),
    }
    return "\n\n".join(f"# {name}\n{told(story)}" for name, story in stories.items())


def told(story: tuple[events.Event, ...]) -> str:
    """Return what is said of events, and of the sign-in that came of them."""
    tokens = TokenSet("token", "Bearer", scope="openid email", account="ada@example.com", obtained_at=0.0)
    sign_in = SignIn("work", "client", "none", ServerMetadata(), "openid email", tokens)
    with redirect_stderr(io.StringIO()) as shown:
        messages = Messages("work", authority="127.0.0.1:49152", pasting=True)
        for event in story:
            messages.tell(event)
        messages.line.say(result_text(sign_in, "/home/ada/.local/share/loopback_auth/work.json"))
    return shown.getvalue()


if __name__ == "__main__":
    sys.exit(main())
