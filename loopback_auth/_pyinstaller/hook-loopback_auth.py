"""What a frozen program needs besides what it imports: the pages, the commands, and the version."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata


def _runs_there(name: str) -> bool:
    # The first needs libraries that the program itself names, the other is this folder.
    return not name.startswith("loopback_auth.clients.") and name != "loopback_auth._pyinstaller"


datas = collect_data_files("loopback_auth") + copy_metadata("loopback_auth")
hiddenimports = collect_submodules("loopback_auth", filter=_runs_there)
