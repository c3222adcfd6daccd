"""Check what a wheel and an sdist hold: `built.py WHEEL SDIST`, as scripts/build has made them."""

from __future__ import annotations

import email
import re
import sys
import tarfile
import zipfile
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from readme_renderer.markdown import render

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "loopback_auth"
NEVER = re.compile(r"__pycache__|\.py[co]$|node_modules|(^|/)\.(?!gitignore$|npmrc$)|\.egg-info|\.coverage")
"""Names of what no archive holds."""
SHARED = (
    "share/bash-completion/completions/loopback-auth",
    "share/fish/vendor_completions.d/loopback-auth.fish",
    "share/man/man1/loopback-auth.1",
    "share/zsh/site-functions/_loopback-auth",
)
ALSO = (
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "PKG-INFO",
    "scripts/check",
    "scripts/install",
    "tests/test_project.py",
)


def main() -> int:
    """Check both; print what is wrong."""
    wheel, sdist = map(Path, sys.argv[1:])
    wrong = [*wheel_faults(wheel), *sdist_faults(sdist)]
    sys.stderr.writelines(f"built: {one}\n" for one in wrong)
    return 1 if wrong else 0


def wheel_faults(path: Path) -> list[str]:
    """Return what is wrong with a wheel."""
    distribution = path.name.removesuffix("-py3-none-any.whl")
    info, data = f"{distribution}.dist-info", f"{distribution}.data/data"
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        metadata = email.message_from_bytes(archive.read(f"{info}/METADATA"))
        bill = archive.read(f"{info}/sboms/loopback-auth.cdx.json").decode()
        scripts = archive.read(f"{info}/entry_points.txt").decode()
    sources = {one.relative_to(ROOT).as_posix() for one in PACKAGE.rglob("*") if one.is_file()}
    wanted = {name for name in sources if not NEVER.search(name)}
    known = {
        "METADATA",
        "WHEEL",
        "RECORD",
        "entry_points.txt",
        "licenses/LICENSE",
        "sboms/loopback-auth.cdx.json",
    }
    wanted |= {f"{info}/{name}" for name in known} | {f"{data}/{name}" for name in SHARED}
    faults = [f"the wheel lacks {name}" for name in sorted(wanted - names)]
    faults += [f"the wheel holds {name}" for name in sorted(names - wanted)]
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill):
        faults.append(f"the bill of materials is not valid: {error}")
    if "loopback-auth = loopback_auth.__main__:main" not in scripts:
        faults.append("the wheel has no command")
    return faults + index_faults(str(metadata.get_payload()))


def index_faults(readme: str) -> list[str]:
    """Return which links and pictures of the README an index does not show."""
    page = render(readme) or ""
    found = re.findall(r'(?:href|src)="([^"]*)"', page)
    anchors = {f"#{one}" for one in re.findall(r'id="([^"]*)"', page)}
    return [
        f"an index does not show {one}"
        for one in found
        if not one.startswith(("https://", "http://127.0.0.1")) and one not in anchors
    ]


def sdist_faults(path: Path) -> list[str]:
    """Return what is wrong with an sdist."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    faults = [f"the sdist lacks {name}" for name in ALSO if name not in names]
    return faults + [f"the sdist holds {name}" for name in sorted(names) if NEVER.search(name)]


if __name__ == "__main__":
    sys.exit(main())
