"""Runs the sample program on a real port: `sample_script.py ISSUER CLIENT_ID [WEAKNESS...]`."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from sample_program import LIMIT, WEAKNESSES, Reply, SampleProgram, Send

PATIENCE = 5.0
"""Seconds after which the token endpoint is given up."""
SILENCE = 5.0
"""Seconds after which a connection without a request is closed."""
LATE = 1.0
"""Seconds that a program which opens the browser first takes to listen."""
DEADLINE = 60.0
"""Seconds after which the program gives up."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect as the answer."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def sender(weak: frozenset[str]) -> Send:
    """Make what sends requests."""
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
    patience = 120.0 if "patient" in weak else PATIENCE

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        request = urllib.request.Request(url, body or None, dict(headers), method=method)
        try:
            with opener.open(request, timeout=patience) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as exc:
            return exc.code, {k.lower(): v for k, v in exc.headers.items()}, exc.read()

    return send


def read(connection: socket.socket, seconds: float | None) -> bytes:
    """Read the head of one request, or what comes in time."""
    data = b""
    with suppress(OSError):
        connection.settimeout(seconds)
        while b"\r\n\r\n" not in data and len(data) <= LIMIT and (piece := connection.recv(65536)):
            data += piece
    return data


class Running:
    """The program with its port.

    Args:
        program: that decides.
        port: bound, and listening.
    """

    def __init__(self, program: SampleProgram, port: socket.socket) -> None:
        self._program = program
        self._port = port
        self._lock = threading.Lock()
        self.done = threading.Event()

    def serve(self) -> None:
        """Answer one connection after the other, or all at once."""
        while not self.done.is_set():
            try:
                connection, _ = self._port.accept()
            except OSError:
                return
            if "one-at-a-time" in self._program.weak:
                self._answer(connection)
            else:
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            data = read(connection, None if "one-at-a-time" in self._program.weak else SILENCE)
            with self._lock:
                if self._program.status is None:
                    answer = self._program.received(data)
                    with suppress(OSError):
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
            if self._program.status is not None:
                self.done.set()


def bound(weak: frozenset[str]) -> socket.socket:
    """Bind a port of the system's choice."""
    port = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if "shared-port" in weak:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    port.bind(("" if "all-interfaces" in weak else "127.0.0.1", 0))
    return port


def open_browser(program: SampleProgram) -> None:
    """Start the browser."""
    if "shell" in program.weak:
        subprocess.run(f'xdg-open "{program.link}"', shell=True, check=False)  # noqa: S602 - what a weak program does
    else:
        webbrowser.open(program.link)


def write(program: SampleProgram) -> None:
    """Write the files."""
    for name, (mode, text) in program.files.items():
        path = Path.home() / name
        path.parent.mkdir(exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
            path.chmod(mode)
            file.write(text)


def tell(where: TextIO, lines: list[str]) -> None:
    """Write what there is to say, once."""
    where.writelines(f"{line}\n" for line in lines)
    where.flush()
    lines.clear()


def main() -> int:
    """Sign in once."""
    issuer, client_id, *names = sys.argv[1:]
    weak = frozenset(names)
    if weak - WEAKNESSES:
        return 2
    port = bound(weak)
    program = SampleProgram(
        issuer, port.getsockname()[1], sender(weak), secrets.token_bytes, weak, client_id=client_id
    )
    running = Running(program, port)
    if "deaf" in weak:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    program.begin()
    if program.status is None:
        tell(sys.stdout, program.out)
        if "late-port" in weak:
            open_browser(program)
            time.sleep(LATE)
        port.listen(16)
        if "late-port" not in weak:
            open_browser(program)
        threading.Thread(target=running.serve, daemon=True).start()
        try:
            if not running.done.wait(DEADLINE):
                program.end(1, "Error: nobody approved.")
        except KeyboardInterrupt:
            program.interrupted()
    port.close()
    if "leaves-child" in weak:
        subprocess.Popen(["sleep", "60"], start_new_session=True)
    if program.argv:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", *program.argv], check=True)
    write(program)
    tell(sys.stdout, program.out)
    tell(sys.stderr, program.err)
    return program.status or 0


if __name__ == "__main__":
    sys.exit(main())
