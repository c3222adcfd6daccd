"""How long tests wait for what has to happen."""

from __future__ import annotations

SOON = 60.0
"""Seconds after which a test fails instead of waiting on: far more than any busy machine needs.

What must not be waited for lasts longer than this, so that a test that waits for it fails.
"""
