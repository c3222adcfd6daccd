"""What a frozen program needs besides what it imports: the pages, the commands, and the version."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules, copy_metadata


def _runs_there(name: str) -> bool:
    # The first two bring libraries along, unless the program itself imports them; the last is this folder.
    apart = ("loopback_auth.clients", "loopback_auth.testing", "loopback_auth._pyinstaller")
    return not name.startswith(apart)


# Another Python that compiles the package meanwhile writes files there that last for a moment.
datas = collect_data_files("loopback_auth", excludes=["**/__pycache__"]) + copy_metadata("loopback_auth")
hiddenimports = collect_submodules("loopback_auth", filter=_runs_there)
