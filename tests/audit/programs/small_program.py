"""A sign-in program of its own, in a hundred lines, that a test can make behave as programs do.

small_program.py AUTHORIZATION_ENDPOINT TOKEN_ENDPOINT CLIENT_ID [--switch …]
"""

from __future__ import annotations

import argparse
import base64
import getpass
import hashlib
import http.server
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import webbrowser
from pathlib import Path


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes whatever comes to the callback."""

    def do_GET(self) -> None:
        """Take a response from the query."""
        self._take(urllib.parse.urlsplit(self.path).query)

    def do_POST(self) -> None:
        """Take a response from a form."""
        self._take(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _take(self, text: str) -> None:
        parameters = dict(urllib.parse.parse_qsl(text))
        if "code" in parameters:
            RECEIVED.update(parameters)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE * PAGES)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Receiver6(http.server.HTTPServer):
    """The same over IPv6."""

    address_family = socket.AF_INET6


RECEIVED: dict[str, str] = {}
PAGE, PAGES = b"<p>You may close this tab.</p>", 1


def send(url: str, form: dict[str, str]) -> dict[str, str]:
    """Send a form, and read the answer, whatever its status is."""
    try:
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode()) as answer:
            members = json.load(answer)
    except urllib.error.HTTPError as exc:
        members = json.load(exc)
    return {name: str(value) for name, value in members.items()}


def hide() -> None:
    """Leave a process in a session of its own, without parent, environment and open files."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 64)
        os.execve("/bin/sleep", ["sleep", "61.61"], {})  # noqa: S606 - a shell would not hide it
    os._exit(0)


def by_device(endpoint: str, token: str, client_id: str) -> int:
    """Sign in with a device code, which the user has to type."""
    begun = send(endpoint, {"client_id": client_id})
    print(f"Open {begun['verification_uri']} and enter {begun['user_code']}", flush=True)
    while True:
        time.sleep(1.1)  # The server wants a second.
        members = send(
            token,
            {
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "device_code": begun["device_code"],
                "client_id": client_id,
            },
        )
        if members.get("error") not in ("authorization_pending", "slow_down"):
            print("signed in" if "access_token" in members else members.get("error"))
            return 0 if "access_token" in members else 1


def main() -> int:
    """Sign in, and print who it was."""
    parser = argparse.ArgumentParser()
    parser.add_argument("authorize")
    parser.add_argument("token")
    parser.add_argument("client_id")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--opener", default="webbrowser")
    parser.add_argument("--elsewhere", default="")
    parser.add_argument("--response-mode", default="")
    parser.add_argument("--ask", action="store_true")
    parser.add_argument("--password", action="store_true")
    parser.add_argument("--terminal", action="store_true")
    parser.add_argument("--stay", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--child", action="store_true")
    parser.add_argument("--daemon", action="store_true")
    parser.add_argument("--hidden", action="store_true")
    parser.add_argument("--odd-starts", action="store_true")
    parser.add_argument("--links", type=int, default=0)
    parser.add_argument("--flood", type=int, default=0)
    parser.add_argument("--binary", action="store_true")
    parser.add_argument("--write", default="")
    parser.add_argument("--environment", action="store_true")
    parser.add_argument("--device", default="")
    parser.add_argument("--response-type", default="code")
    parser.add_argument("--redirect-uri", default="")
    parser.add_argument("--protect", action="store_true")
    parser.add_argument("--page", default="<p>You may close this tab.</p>")
    parser.add_argument("--pages", type=int, default=1)
    options = parser.parse_args()
    global PAGE, PAGES
    PAGE, PAGES = options.page.encode(), options.pages
    if options.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.terminal and not sys.stdin.isatty():
        print("This program needs a terminal.", file=sys.stderr)
        return 3
    if options.daemon and os.fork():
        return 0
    if options.daemon:
        os.setsid()
    if options.child:
        subprocess.Popen(
            [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"],
            start_new_session=True,
        )
    if options.hidden:
        hide()
    if options.odd_starts:
        starts = Path(os.environ["BROWSER"]).parents[1] / "starts"
        (starts / "folder.started").mkdir()
        (starts / "link.started").symlink_to("nothing")
        os.mkfifo(starts / "pipe.started")
    if options.ask:
        input("Press Enter to open the browser: ")
    if options.password:
        getpass.getpass("Password: ")
    if options.environment:
        print(json.dumps(dict(os.environ)))
    for number in range(options.links):
        print(f"http://127.0.0.1:1/{number}", flush=True)
    for _ in range(options.flood):
        print("x" * 1_000_000)
    if options.binary:
        sys.stdout.buffer.write(bytes(range(256)) * 8)
    if options.protect:
        folder = Path("locked/inner")
        folder.mkdir(parents=True)
        Path("locked/inner/file").write_text("text")
        folder.chmod(0)
        Path("locked").chmod(0o500)
    if options.device:
        return by_device(options.device, options.token, options.client_id)
    kind = Receiver6 if options.host == "::1" else http.server.HTTPServer
    server = kind((options.host, options.port), Receiver)
    host = {"::1": "[::1]", "0.0.0.0": "localhost"}.get(options.host, options.host)
    redirect_uri = options.redirect_uri or f"http://{host}:{server.server_port}/callback"
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    parameters = {
        "response_type": options.response_type,
        "client_id": options.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": "profile email",
        "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode()[:43],
    }
    if options.response_mode:
        parameters["response_mode"] = options.response_mode
    link = f"{options.elsewhere or options.authorize}?{urllib.parse.urlencode(parameters)}"
    if options.opener == "webbrowser":
        webbrowser.open(link)
    elif options.opener == "print":
        print(f"Open this address: \x1b[1m{link}\x1b[0m.", flush=True)
    elif options.opener == "twice":
        webbrowser.open(link)
        webbrowser.open(f"{link}&again=1")
    elif options.opener != "none":
        subprocess.run([options.opener, link], check=True)
    while RECEIVED.get("state") != state:
        server.handle_request()
    form = {
        "grant_type": "authorization_code",
        "code": RECEIVED["code"],
        "redirect_uri": redirect_uri,
        "client_id": options.client_id,
        "code_verifier": verifier,
    }
    with urllib.request.urlopen(options.token, urllib.parse.urlencode(form).encode()) as answer:
        tokens = json.load(answer)
    print("signed in", flush=True)
    if options.write:
        path = Path(options.write).expanduser()
        path.write_text(json.dumps(tokens))
        path.chmod(0o644)
    if options.stay:
        time.sleep(600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
