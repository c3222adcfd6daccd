#!/usr/bin/env python3
"""Keep the README's pictures and lists current: `--write` makes them anew, `--check` fails if they changed.

The terminal picture is a real sign-in to the demonstration server, run under a pseudo-terminal, with ports,
keys, times and folders replaced by fixed ones. The page is a real screenshot and is not compared.
"""

from __future__ import annotations

import argparse
import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import compared

from loopback_auth.plan.signals import PROBED

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "scripts" / "pictures"
PERSON = """\
import asyncio, sys
from loopback_auth.demo.serve import run_agent
asyncio.run(run_agent(sys.argv[1]))
"""
FIXED = (
    (r"127\.0\.0\.1:\d+/[0-9a-f]{32}", "127.0.0.1:49152/5f1c3c0b9d6c4d0fa1d2f0a3a0f3c7be"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-11-23 15:00"),
    (r"kept in +\S+", "kept in    ~/.local/share/loopback_auth/sign-ins/demo.json"),
    # The line that is redrawn, the target of a link, and the help that comes when a browser is slow.
    (r"[^\r\n]*\r(?!\n)", ""),
    (r"\x1b\]8;;[^\x1b]*\x1b\\|\x1b\[\?2004[hl]", ""),
    (r"Keys: [^\n]*\n", ""),
    (r"No browser has come [^\n]*\n[^\n]*\n\r\n +ssh [^\n]*\n\r\n", ""),
)


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="make everything anew")
    parser.add_argument("--check", action="store_true", help="fail if something is not current")
    options = parser.parse_args()
    stale = []
    for path, content in ((PICTURES / "login.svg", picture()), (ROOT / "README.md", readme())):
        if path.exists() and path.read_text() == content:
            continue
        stale.append(path.name)
        if options.write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
    if options.write:
        screenshot(PICTURES / "success.png")
        compared.screenshot(PICTURES / "report.png")
    if stale and options.check:
        sys.stderr.write(f"Not current: {', '.join(stale)}. Run scripts/fix.\n")
        return 1
    return 0


def readme() -> str:
    """Return the README with what the code says filled in between its marks."""
    import places

    from loopback_auth.settings.presets import every_preset

    text = (ROOT / "README.md").read_text()
    *others, last = every_preset()
    names = f"{', '.join(others)} and {last}"
    secret = [name for name, row in every_preset().items() if "secret" in str(row.get("client_auth", ""))]
    secrets = f"{', '.join(secret[:-1])} and {secret[-1]}"
    for mark, content in (
        ("providers", names),
        ("secrets", secrets),
        ("places", places.table()),
        ("compare", compared.table()),
    ):
        opened, closed = f"<!-- {mark} -->\n", f"\n<!-- /{mark} -->"
        before, rest = text.split(opened)
        text = f"{before}{opened}{content}{closed}{rest.split(closed)[1]}"
    return text


def picture() -> str:
    """Return the terminal picture of two commands."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=88, file=io.StringIO())
    for line in transcript().splitlines():
        console.print(Text.from_ansi(line, style="bold" if line.startswith("$") else ""), soft_wrap=True)
    return console.export_svg(title="python -m loopback_auth", unique_id="loopback-auth")


def transcript() -> str:
    """Run two commands for a person, in an empty home, and return what the terminal showed."""
    with tempfile.TemporaryDirectory() as home:
        browser = Path(home, "browser")
        browser.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{PERSON}' \"$1\"\n")
        browser.chmod(0o700)
        # With this Python on the path, messages name it as `python`.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"HOME": home, "PATH": path, "BROWSER": str(browser), "TERM": "xterm"}
        # On a desktop, whatever this machine is.
        environment |= {"DISPLAY": ":0", "LOOPBACK_AUTH_SIGNAL": " ".join(f"{path}=" for path in PROBED)}
        shown = ""
        for command in ("login", "status"):
            shown += f"$ python -m loopback_auth {command}\n{in_terminal(command, environment)}"
    for pattern, fixed in FIXED:
        shown = re.sub(pattern, fixed, shown)
    return shown.replace("\r\n", "\n").replace("(browser)", "(firefox)")


def in_terminal(command: str, environment: dict[str, str]) -> str:
    """Run one command under a pseudo-terminal."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "loopback_auth", command],
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


def screenshot(path: Path) -> None:
    """Take a picture of the page at the end of a sign-in."""
    from playwright.sync_api import sync_playwright

    from loopback_auth import pages

    page = pages.success(
        client="loopback-auth-demo",
        provider="demo",
        account="demo@example.com",
        scope="openid profile email",
        detail="",
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 900, "height": 640}, reduced_motion="reduce")
        tab.route("**/*", lambda route: route.fulfill(body=page.body, headers=dict(page.headers)))
        tab.goto("http://127.0.0.1/callback")
        tab.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
