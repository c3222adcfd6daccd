#!/usr/bin/env python3
"""Keep the README's picture, lists and tables current: `--write` makes them anew, `--check` fails if not.

The picture at the top is a real sign-in to the demonstration server, run under a pseudo-terminal, with ports,
keys, times and folders replaced by fixed ones. It is text, so that it shows wherever the README does.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import compared
import measured
import places
from code_lines import code_lines

from loopback_auth.cli import GROUPS
from loopback_auth.flow_table import FLOWS
from loopback_auth.outputs.table import OUTPUTS
from loopback_auth.plan.signals import PROBED
from loopback_auth.settings.presets import every_preset

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
REPORT = ROOT / "scripts" / "pictures" / "report.png"
SAME_PROGRAM = sorted((ROOT / "scripts" / "bench_floors" / "embedding").glob("with_*.py"))
TITLES = {"authlib": "Authlib", "google": "google-auth-oauthlib", "loopback_auth": "this package"}
"""Of the libraries whose name is not that of their program."""
WIDTH = 124
"""Characters of a line of the README."""
ADVICE = {
    "code": (
        "the browser can reach a port of this machine; the one to prefer",
        "the code stays in the history, useless without the code verifier; nothing stays with `form_post`",
    ),
    "token": (
        "the server offers nothing else to clients without a secret",
        "the browser's history, its extensions and whoever holds the port can have the token",
    ),
    "ticket": (
        "the browser cannot come back, and the vendor is Netlify, npm, Heroku, Stripe or Doppler",
        "whoever learns the ID can take the token; an attacker can send a link to their own ticket",
    ),
    "device": (
        "there is no browser on this machine",
        "nothing ties the person who approves to the program: that is how device code phishing works",
    ),
    "paste": (
        "the browser is elsewhere and no port can be forwarded",
        "users get used to copying URLs that contain codes, which phishing can exploit",
    ),
}
"""For each flow that is compared: when to use it, and what it costs."""
HELPERS = (
    (
        "git",
        "`git config --global --add credential.https://github.com.helper loopback-auth`",
        "a shell",
        "git 2.39, 2.55",
    ),
    (
        "docker, podman, skopeo",
        '`{"credHelpers": {"registry.example.com": "loopback-auth"}}`',
        "`~/.docker/config.json`",
        "docker 28.2, skopeo 1.9",
    ),
    (
        "pip, twine",
        "`pip install keyring loopback-auth`, then `--keyring-provider import`",
        "a shell",
        "pip 26.3, twine 7.0",
    ),
    (
        "uv",
        "`pipx inject keyring loopback-auth`, then `--keyring-provider subprocess`",
        "a shell",
        "uv 0.13, keyring 25.7",
    ),
)
"""Tools that ask a helper for a password: the line, where it is put, and what it was tried with."""
PERSON = """\
import asyncio, sys
from loopback_auth.demo.run_agent import run_agent
asyncio.run(run_agent(sys.argv[1]))
"""
FIXED = (
    (r"127\.0\.0\.1:\d+/[0-9a-f]{32}", "127.0.0.1:49152/5f1c3c0b9d6c4d0fa1d2f0a3a0f3c7be"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-11-23 15:00"),
    (r"kept in +\S+", "kept in    ~/.local/share/loopback_auth/sign-ins/demo.json"),
    # The line that is redrawn, the target of a link, and the help that comes when a browser is slow.
    (r"[^\r\n]*\r(?!\n)", ""),
    (r"\x1b\]8;;[^\x1b]*\x1b\\|\x1b\[\?2004[hl]|\x1b\[[\d;]*m", ""),
    (r"Keys: [^\n]*\n", ""),
    (r"No browser has come [^\n]*\n[^\n]*\n\r\n +ssh [^\n]*\n\r\n", ""),
)


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make everything anew")
    parser.add_argument("--check", action="store_true", help="fail if something is not current")
    options = parser.parse_args()
    current = readme()
    if options.write:
        README.write_text(current)
        compared.screenshot(REPORT)
    if options.check and README.read_text() != current:
        sys.stderr.write("Not current: README.md. Run scripts/fix.\n")
        return 1
    return 0


def readme() -> str:
    """Return the README with what the code says filled in between its marks."""
    text = README.read_text()
    for mark, content in (
        ("login", f"```console\n{transcript()}```"),
        ("providers", wrapped(", ".join(provider_names()))),
        ("commands", commands()),
        ("flows", flows()),
        ("tools", tools()),
        ("places", places.table()),
        ("compare", compared.table()),
        ("programs", measured.table()),
        ("lines", lines_of_code()),
    ):
        opened, closed = f"<!-- {mark} -->\n", f"\n<!-- /{mark} -->"
        before, rest = text.split(opened)
        text = f"{before}{opened}{content}{closed}{rest.split(closed.strip())[1]}"
    return text


def flows() -> str:
    """Return the table of flows, in Markdown."""
    lines = ["| flow | what happens | use it when | what it costs |", "| --- | --- | --- | --- |"]
    for flow in FLOWS:
        if flow.compared and not flow.variant_of:
            when, cost = ADVICE[flow.name]
            source = "no standard" if "://" in flow.source else flow.source
            lines.append(f"| `{flow.name}` ({source}) | {flow.summary} | {when} | {cost} |")
    return "\n".join(lines)


def commands() -> str:
    """Return the commands in a list, by what they are for."""
    return "\n".join(
        f"- {title}: {', '.join(f'`{name}`' for name in group)}" for title, group in GROUPS.items()
    )


def tools() -> str:
    """Return which line makes which tool use a token, in Markdown; a pipe in it would end its cell."""
    rows = [
        (f"`--as {row.name}`", f"`{row.line}`", row.where or "a shell", row.tried_with)
        for row in OUTPUTS.values()
    ]
    rows = [("tool", "line", "where", "tried with"), ("---",) * 4, *rows, *HELPERS]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def provider_names() -> list[str]:
    """Return the names of the presets, with a star where a redirect needs a client secret."""
    return [
        f"{name}\\*"
        if "secret" in str(row.get("client_auth", "")) and not row.get("secret_optional")
        else name
        for name, row in every_preset().items()
    ]


def lines_of_code() -> str:
    """Return how long the same program is on each library, as a table, with the shortest first."""
    counts = {path.stem.removeprefix("with_"): code_lines(path.read_text()) for path in SAME_PROGRAM}
    shortest = sorted(counts, key=lambda name: (counts[name], name))
    rows = (["", *(TITLES.get(name, name) for name in shortest)], ["---"] * (len(counts) + 1))
    last = ["lines of code", *(str(counts[name]) for name in shortest)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (*rows, last))


def wrapped(text: str) -> str:
    """Break a paragraph into lines."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False)


def transcript() -> str:
    """Sign in for a person, in an empty home, and return what the terminal showed."""
    with tempfile.TemporaryDirectory() as home:
        browser = Path(home, "browser")
        browser.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{PERSON}' \"$1\"\n")
        browser.chmod(0o700)
        # With the console script on the path, messages name it as it is typed here.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"HOME": home, "PATH": path, "BROWSER": str(browser), "TERM": "xterm"}
        # On a desktop, whatever this machine is.
        environment |= {"DISPLAY": ":0", "LOOPBACK_AUTH_SIGNAL": " ".join(f"{path}=" for path in PROBED)}
        shown = f"$ loopback-auth login demo\n{in_terminal(('login', 'demo'), environment)}"
    for pattern, fixed in FIXED:
        shown = re.sub(pattern, fixed, shown)
    return shown.replace("\r\n", "\n").replace("(browser)", "(firefox)")


def in_terminal(command: tuple[str, ...], environment: dict[str, str]) -> str:
    """Run one command under a pseudo-terminal."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [Path(sys.executable).with_name("loopback-auth"), *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "COLUMNS": "88"},
            start_new_session=True,
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        if process.wait() != 0:
            raise SystemExit(shown.decode())
    finally:
        os.close(ours)
    return shown.decode()


if __name__ == "__main__":
    sys.exit(main())
