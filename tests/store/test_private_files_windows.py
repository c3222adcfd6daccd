"""Private files on Windows: who may read them, and what holds a file in its place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("sharing modes and access lists of Windows", allow_module_level=True)

import ctypes

from loopback_auth.errors import StoreError
from loopback_auth.store import private_files
from loopback_auth.store.damaged import move_aside
from loopback_auth.store.private_files import make_folder, move_over, read_private, write_private

DACL_SECURITY_INFORMATION = 4
EVERYBODY = ("WD", "BU", "AU")
"""Everyone, the users of the machine, whoever has signed in: their short names in an access list (SDDL)."""


def access_list(path: Path) -> str:
    """Return the access list of a folder as text, in the security descriptor definition language."""
    advapi, descriptor, text = ctypes.WinDLL("advapi32"), ctypes.c_void_p(), ctypes.c_wchar_p()
    asked = (ctypes.c_wchar_p(str(path)), 1, DACL_SECURITY_INFORMATION, None, None, None, None)
    assert advapi.GetNamedSecurityInfoW(*asked, ctypes.byref(descriptor)) == 0
    advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
        descriptor, 1, DACL_SECURITY_INFORMATION, ctypes.byref(text), None
    )
    return text.value or ""


def test_a_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    """What is made in it takes its access list over, so that nobody else can read the tokens."""
    make_folder(str(tmp_path / "a" / "b"))

    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        assert not [who for who in EVERYBODY if f";{who})" in access_list(folder)]


class Reader:
    """Somebody who reads a file, and has read it after some pauses of ours."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, pauses: int) -> None:
        self._file = path.open("rb")
        self._pauses = pauses
        self.waited = 0
        monkeypatch.setattr(private_files.time, "sleep", self._pause)

    def _pause(self, _seconds: float) -> None:
        self.waited += 1
        if self.waited == self._pauses:
            self._file.close()

    def close(self) -> None:
        """Have read it at last."""
        self._file.close()


@pytest.mark.parametrize("pauses", [1, 3])
def test_a_file_that_is_being_read_is_replaced_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: int
) -> None:
    """Another process looks at the sign-in just when its rotated refresh token has to be saved."""
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    reader = Reader(path, monkeypatch, pauses)
    move_over(write_private(str(tmp_path), b"new"), str(path))

    assert read_private(str(path)) == b"new"
    assert reader.waited == pauses


def test_a_file_that_is_read_for_ever_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then that is said, within a few seconds, and the old content is whole."""
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    reader = Reader(path, monkeypatch, 1_000)
    with pytest.raises(StoreError) as caught:
        move_over(write_private(str(tmp_path), b"new"), str(path))
    reader.close()

    assert str(path) in caught.value.message
    assert "chmod" not in caught.value.hint
    assert path.read_bytes() == b"old"


def test_a_damaged_file_that_is_being_read_is_moved_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may hold the only refresh token there is."""
    path = tmp_path / "x.json"
    path.write_bytes(b"damaged")
    Reader(path, monkeypatch, 2)
    move_aside(str(path), 17.0)

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [
        ("x.json.corrupt-17", b"damaged")
    ]
