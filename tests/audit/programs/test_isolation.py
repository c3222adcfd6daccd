"""Programs are kept on this machine for ordinary users, too, or it is said that they are not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ORDINARY = """
import contextlib, ctypes, encodings.ascii, fcntl, os, resource, socket, struct
from loopback_auth.audit.programs.isolation import isolate
from loopback_auth.cli.core_dumps import forbid_core_dumps

if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
forbid_core_dumps()
done = isolate()
names = [name for _, name in socket.if_nameindex()]
print(done, names == ["lo"], os.getuid() != 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are of Linux")
def test_ordinary_user() -> None:
    """The command line forbids core dumps, after which the files of its process are those of root."""
    # Another user cannot write where coverage is measured.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    ended = subprocess.run(
        [sys.executable, "-c", ORDINARY], capture_output=True, text=True, check=False, env=environ
    )

    assert ended.stderr == ""
    assert ended.stdout.split() == ["True"] * 3 or ended.stdout.startswith("False")
