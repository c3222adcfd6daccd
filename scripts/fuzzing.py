"""Fuzz everything that reads what strangers send, guided by what the code does with it (Atheris, libFuzzer).

    scripts/fuzz [NAME...] [--seconds N] [--seed N]      NAME as in tests/fuzz_targets.py; none: all of them

The same seed tries nearly the same inputs. What breaks a reader is shown, with the input. Atheris is made for
Linux on x86_64 only; elsewhere nothing is fuzzed, and that is said.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "scripts" / "requirements-fuzz.txt"
INSIDE = "LOOPBACK_AUTH_FUZZ_CORPUS"
"""Set in the process that fuzzes, which libFuzzer ends by itself: where the inputs are."""


def main() -> int:
    """Fuzz what is named, or everything, and return the exit status."""
    parser = argparse.ArgumentParser(
        "scripts/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a target")
    parser.add_argument("--seconds", type=int, default=60, help="how long, all in all; by default 60")
    parser.add_argument("--seed", type=int, default=1, help="of the chance; by default 1")
    options = parser.parse_args()
    if why_not := _install():
        sys.stdout.write(f"fuzz: nothing is fuzzed: {why_not}\n")
        return 0
    if INSIDE in os.environ:
        _fuzz(options.names, options.seconds, options.seed, Path(os.environ[INSIDE]))
    with tempfile.TemporaryDirectory(prefix="loopback_auth-fuzz-") as folder:
        command, environment = [sys.executable, *sys.argv], {**os.environ, INSIDE: folder}
        done = subprocess.run(command, env=environment, capture_output=True, check=False)  # noqa: S603
    # libFuzzer says a lot, of use only where something broke.
    ran = re.search(rb"Done \d+ runs in \d+ second", done.stderr)
    if done.returncode or ran is None:
        sys.stderr.write((done.stdout + done.stderr).decode("utf-8", "backslashreplace"))
        return done.returncode or 1
    sys.stdout.write(f"fuzz: {ran[0].decode()}s, and nothing broke\n")
    return 0


def _install() -> str:
    """See to it that there is Atheris, and return why not."""
    if find_spec("atheris") is None:
        options = [
            "--quiet",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--requirement",
            str(REQUIREMENTS),
        ]
        subprocess.run([sys.executable, "-m", "pip", "install", *options], check=False)  # noqa: S603
    return "" if find_spec("atheris") else "Atheris could not be installed; it is made for Linux on x86_64."


def _fuzz(names: list[str], seconds: int, seed: int, folder: Path) -> None:
    """Fuzz until the time is over or something breaks; does not return."""
    import atheris

    sys.path.insert(0, str(ROOT / "tests"))
    with atheris.instrument_imports(include=["loopback_auth", "fuzz_targets"]):
        from fuzz_targets import survives, targets
    known = list(targets())
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"fuzz: unknown: {', '.join(unknown)}; known are: {', '.join(known)}")
    chosen = names or known
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, name in enumerate(chosen):
        for each, content in enumerate(targets()[name].seeds):
            # The first byte chooses the target, so that one process fuzzes all of them.
            corpus.joinpath(f"{number}-{each}").write_bytes(bytes([number]) + content)

    def one(data: bytes) -> None:
        name = chosen[data[0] % len(chosen)] if data else chosen[0]
        try:
            survives(name, data[1:])
        except Exception:
            sys.stderr.write(f"fuzz: {name} does not survive {data[1:]!r}\n")
            raise

    options = [f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=20", "-rss_limit_mb=2048"]
    options += ["-max_len=8192", "-print_pcs=0", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
