"""A real keychain: GNOME Keyring's Secret Service on a D-Bus of its own."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import secretstorage
from command_line import PATIENCE, program

PASSWORD = b"password of the keychain"

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
 <type>session</type>
 <listen>unix:tmpdir={folder}</listen>
 <auth>EXTERNAL</auth>
 <policy context="default">
  <allow send_destination="*" eavesdrop="true"/>
  <allow eavesdrop="true"/>
  <allow own="*"/>
 </policy>
</busconfig>
"""
"""A session bus, as D-Bus itself configures it."""

T = TypeVar("T")


@dataclass(frozen=True)
class SecretService:
    """The keychain of a test.

    Args:
        environment: with which a process uses it.
        daemon: its process.
    """

    environment: dict[str, str]
    daemon: subprocess.Popen[bytes]

    def lock(self) -> None:
        """Lock it, as a screen that is locked or a long pause does."""
        self._with_collection(lambda collection: collection.lock())

    def labels(self) -> list[str]:
        """Return what a person sees of its secrets."""
        return self._with_collection(lambda found: [item.get_label() for item in found.get_all_items()])

    def remove_all(self) -> None:
        """Remove all secrets."""

        def remove(collection: secretstorage.Collection) -> None:
            for item in collection.get_all_items():
                item.delete()

        self._with_collection(remove)

    def stop(self) -> None:
        """End it, as a crash does."""
        self.daemon.kill()
        self.daemon.wait()

    def _with_collection(self, act: Callable[[secretstorage.Collection], T]) -> T:
        before = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = self.environment["DBUS_SESSION_BUS_ADDRESS"]
        try:
            with closing(secretstorage.dbus_init()) as bus:
                return act(secretstorage.get_default_collection(bus))
        finally:
            del os.environ["DBUS_SESSION_BUS_ADDRESS"]
            if before is not None:
                os.environ["DBUS_SESSION_BUS_ADDRESS"] = before


@contextmanager
def secret_service(folder: Path) -> Iterator[SecretService]:
    """Run a keychain that is unlocked, with nothing in it, for the time of a test."""
    bus = program("dbus-daemon", purpose="a session bus")
    keyring = program("gnome-keyring-daemon", purpose="a Secret Service")
    folder.mkdir(mode=0o700)
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    # Without folders of services: a keychain that has ended is not started again.
    (folder / "bus.conf").write_text(BUS.format(folder=folder))
    command = [bus, f"--config-file={folder / 'bus.conf'}", "--nofork", "--print-address=1"]
    with running(command, environ) as dbus:
        assert dbus.stdout is not None
        assert select.select([dbus.stdout], [], [], PATIENCE)[0]
        environ["DBUS_SESSION_BUS_ADDRESS"] = dbus.stdout.readline().decode().strip()
        command = [keyring, "--foreground", "--unlock", "--components=secrets"]
        with running(command, environ) as daemon:
            assert daemon.stdin is not None
            daemon.stdin.write(PASSWORD)
            daemon.stdin.close()
            assert daemon.stdout is not None
            # It says where its sockets are once it is there.
            assert select.select([daemon.stdout], [], [], PATIENCE)[0]
            yield SecretService(environ, daemon)


@contextmanager
def running(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon until the block ends."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ
    ) as process:
        try:
            yield process
        finally:
            process.kill()
