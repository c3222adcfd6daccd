"""Another user of this machine, played by a shell: only root can become somebody else."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys

import pytest
from patience import SOON
from raw_http import Answer, parse

NOBODY = 65534
CAN_BE_ANOTHER = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("bash") is not None
needs_another_user = pytest.mark.skipif(not CAN_BE_ANOTHER, reason="only root on Linux can be somebody else")

ASK = 'exec 3<>"/dev/tcp/$0/$1" && printf "%s" "$2" >&3 && {} 2>/dev/null'


async def asked_by_another(port: int, data: bytes, *, host: str = "127.0.0.1", waits: bool = True) -> Answer:
    """Send a request as another user, and read the answer; or hang up at once."""
    program = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        ASK.format("cat <&3" if waits else "exec 3>&-"),
        host,
        str(port),
        data.decode("latin-1"),
        stdout=asyncio.subprocess.PIPE,
        user=NOBODY,
        cwd="/",
    )
    async with asyncio.timeout(SOON):
        out, _ = await program.communicate()
    return parse(out)
