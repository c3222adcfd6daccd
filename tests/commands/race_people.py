"""Who takes part when several ways to sign in are open: a prompt server, browsers made of a line of shell."""

from __future__ import annotations

import re
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from demo_client import FOLLOW_LINK

from commands.people import RecordingServer, Screen, client_flags
from loopback_auth.demo.agent import browse
from loopback_auth.demo.serve import demo_thread
from loopback_auth.demo.server import DemoServer
from loopback_auth.words import Words

AT_LAST = ("--patience", "3600")
"""What happens meanwhile does not happen because patience is over."""
BOUNDED = ("--timeout", "40")
"""Nothing here takes so long; should it, the command itself ends the wait."""
VISITS = f"exec {sys.executable} -c '{FOLLOW_LINK}' \"$1\""
"""A browser with a person in front of it who approves."""
LOOKS = f"""exec {sys.executable} -c '
import sys, urllib.request
headers = {{"User-Agent": "Mozilla/5.0", "Accept": "text/html"}}
urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers=headers)).read()
' "$1\""""
"""A browser with a person in front of it who gets no further than to the server's page."""
FAILS = "exit 3"
"""What `xdg-open` does when it finds no browser."""

KEYS = "Keys: "
INVITED = "this yourself just now."
"""Shown below a link that is approved elsewhere."""
WHOSE = Words.CONFIRM_PROMPT
_LINK = re.compile(r"http://[\w.:/?&=%+~-]+")
_ESCAPES = re.compile(r"\x1b\]8;;[^\x1b]*\x1b\\|\x1b\[[0-9;?]*[a-z]")


class PromptServer(RecordingServer):
    """One that may be asked every second, so that an approval is seen soon."""

    def __init__(self, issuer: str) -> None:
        DemoServer.__init__(self, issuer, entropy=secrets.token_bytes, device_interval=1)
        self.requests = []

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that lead here."""
        return (*client_flags(self.issuer), *BOUNDED)

    def asked_for(self, path: str) -> bool:
        """Return whether anybody has come to an address that contains this."""
        return any(path in one.url for one in self.requests)


@contextmanager
def serving() -> Iterator[PromptServer]:
    """Serve such a server, whom nobody has asked anything yet."""
    with demo_thread(server_factory=PromptServer) as demo:
        yield cast("PromptServer", demo.server)


def browser(folder: Path, script: str) -> str:
    """Make a browser of a line of shell script, whose `$1` is the address; return its path."""
    program = folder / "browser"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return str(program)


def visible(screen: Screen) -> str:
    """Return what was shown, without escape sequences."""
    return _ESCAPES.sub("", screen.shown)


def shown_link(screen: Screen, below: str, *, containing: str = "") -> str:
    """Wait for the text that is shown below a link; return the link as a person sees it."""
    screen.wait_for(below)
    links: list[str] = _LINK.findall(visible(screen))
    return next(one for one in reversed(links) if containing in one)


def address_bar(server: RecordingServer, link: str) -> str:
    """Follow a link to the server in a browser that cannot reach us; return the address on which it ends."""
    way = browse(link)
    request = next(way)
    while request.url.startswith(server.issuer):
        request = way.send(server.handle(request, time.time()))
    return request.url
