"""What the pages and prompts of the command line say of it."""

from __future__ import annotations

from loopback_auth.invocation import invocation
from loopback_auth.program import Program

COMMAND_LINE = Program("loopback_auth", command=f"{invocation()} login", returns_to="the terminal")
