"""A real Redis for tests: on a free port, without persistence, ended by its process ID."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from patience import SOON
from surroundings import IN_CI

KEY = "canary-key-7f3a-0123456789abcdef-0123456789"
PROGRAM = shutil.which("redis-server") or ""

needs_redis = pytest.mark.skipif(
    not PROGRAM and not os.environ.get(IN_CI),
    reason="there is no redis-server; scripts/install --dev brings it",
)


class RedisServer:
    """A server that runs.

    Args:
        folder: its working folder.
        password: that it wants; empty: none.
        certificate: PEM file with certificate and key, for TLS; None: without.
    """

    def __init__(self, folder: Path, password: str = "", certificate: Path | None = None) -> None:
        self._folder = folder
        self._password = password
        self._certificate = certificate
        self.port = 0
        while not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            try:
                self.start()
            except ConnectionError:
                self.port = 0

    @property
    def url(self) -> str:
        """Its URL, with the password."""
        scheme = "rediss" if self._certificate else "redis"
        return f"{scheme}://{f':{self._password}@' if self._password else ''}127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ConnectionError: it has ended, as it does when another program has taken the port.
        """
        options = ["--port", str(self.port)]
        if self._certificate:
            options = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            for file in ("cert", "key", "ca-cert"):
                options += [f"--tls-{file}-file", str(self._certificate)]
        options += ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        options += ["--requirepass", self._password] if self._password else []
        self._process = subprocess.Popen(
            [PROGRAM, *options], cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + SOON
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise ConnectionError("redis-server has ended")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise TimeoutError("redis-server does not answer")

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait(SOON)

    def stand_still(self) -> None:
        """Let it accept connections and answer nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        os.kill(self._process.pid, signal.SIGCONT)
