"""Tells PyInstaller where the hook for this package is, by the entry point `pyinstaller40`.

Commands and public names are imported by name, and pages are read as files: PyInstaller misses that when it
only follows imports.

Source: PyInstaller, "Providing PyInstaller Hooks with your Package".
"""

from __future__ import annotations


def hook_dirs() -> list[str]:
    """Return the folder of the hook."""
    return list(__path__)
