"""The command line in a process of its own, as a person in a terminal has it."""

from __future__ import annotations

import codecs
import json
import locale
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import NoReturn

import pytest
from surroundings import IN_CI

from loopback_auth.plan.signals import PROBED

LINK = re.compile(r"^  (http://\S+)$")

TYPED = f"{Path(sys.executable).name} -m loopback_auth"
"""The end of the command by which these tests start the command line, as its messages name it."""

# Seconds without a sign of life after which a command hangs; machines that test are busy.
PATIENCE = 60

ENCODING = locale.getencoding() if sys.platform == "win32" else "utf-8"
"""What a command writes in where it is not at a terminal."""


@dataclass
class Running:
    """A command under way.

    Args:
        process: its stderr is a pipe that only `line` reads from, past the buffers of Python; what is left in
            them is lost to `communicate`.
        stderr: what was read so far.
    """

    process: subprocess.Popen[str]
    stderr: str = ""
    _past: int = 0
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder(ENCODING))

    def line(self, containing: str) -> str:
        """Wait for a line on stderr that contains a text, and return it; those before it are passed over."""
        while True:
            while end := self.stderr.find("\n", self._past) + 1:
                line, self._past = self.stderr[self._past : end], end
                if containing in line:
                    return line
            if not self._read():
                raise AssertionError(f"the command ended without {containing!r}: {self.stderr}")

    def link(self) -> str:
        """Wait for the next link that the person is to open, and return it."""
        found = LINK.match(self.line("  http://"))
        assert found is not None
        return found[1]

    def give_up(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        """Wait for the end."""
        stdout, rest = self.process.communicate(timeout=PATIENCE)
        return Ended(self.process.returncode, stdout, self.stderr + rest)

    def _read(self) -> bool:
        assert self.process.stderr is not None
        pipe = self.process.stderr.fileno()
        # Windows waits for no pipe; the time limit of the test ends it there.
        if sys.platform != "win32" and not select.select([pipe], [], [], PATIENCE)[0]:
            raise AssertionError(f"the command has said nothing more: {self.stderr}")
        piece = os.read(pipe, 4096)
        self.stderr += self._decoder.decode(piece)
        return bool(piece)


@dataclass(frozen=True)
class Ended:
    """What a command left."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, object]:
        """The answer of `--json`."""
        document = json.loads(self.stdout)
        assert isinstance(document, dict)
        return document

    @property
    def complaint(self) -> str:
        """The error and the advice, which come last; there is no traceback and no second error."""
        assert "Traceback" not in self.stderr
        assert self.stderr.count("error: ") == self.stderr.count("  what to do: ") == 1
        return self.stderr[self.stderr.index("error: ") :]


@dataclass(frozen=True)
class CommandLine:
    """Runs commands in an environment without anything of the person who runs the tests."""

    home: Path

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """Return the environment: an empty home, nothing that opens a browser, and `more`."""
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        # pytest-cov measures processes by these.
        kept |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        home = str(self.home)
        # The tests may run in a container, and would be told so.
        anywhere = {"LOOPBACK_AUTH_SIGNAL": " ".join(f"{path}=" for path in PROBED)}
        own = {"HOME": home, "USERPROFILE": home, "LOOPBACK_AUTH_DATA_DIR": home + "/kept"}
        return kept | own | anywhere | more

    def ask(self, question: bytes, *arguments: str, **environment: str) -> Ended:
        """Run a command that reads what another program writes, with its stdout as that program reads it."""
        ended = subprocess.run(
            [sys.executable, "-m", "loopback_auth", *arguments],
            input=question,
            capture_output=True,
            timeout=PATIENCE,
            env=self.environment(environment),
        )
        return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode(ENCODING))

    @contextmanager
    def start(self, *arguments: str, **environment: str) -> Iterator[Running]:
        """Start a command, and end it with the block if it has not ended by itself."""
        process = subprocess.Popen(
            [sys.executable, "-m", "loopback_auth", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding=ENCODING,
            env=self.environment(environment),
        )
        with process:
            try:
                yield Running(process)
            finally:
                process.kill()

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Run a command to its end."""
        with self.start(*arguments, **environment) as running:
            return running.end()


def program(*names: str, purpose: str) -> str:
    """Find a program that these tests need, beside this Python or on PATH."""
    folders = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    for name in names:
        if found := which(name, path=folders):
            return found
    missing(f"there is no {names[0]} for {purpose}")


def missing(what: str) -> NoReturn:
    """Skip a test that cannot run on this machine; in CI, where everything is installed, fail it.

    Under Windows' Python (scripts/windows) nothing but a few libraries is installed.
    """
    if os.environ.get(IN_CI) and sys.platform != "win32":
        pytest.fail(f"{what}; run scripts/install --dev")
    pytest.skip(f"{what}; run scripts/install --dev")
