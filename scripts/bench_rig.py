"""The rig of `scripts/bench`: running programs, following their browser, and the servers they sign in at.

Everything runs in an environment of its own, from cached bytecode and below a temporary folder, so that no
setting or token of this machine's owner is found or touched. Decides how a comparison is made; what is
compared is in `bench_measures`.
"""

from __future__ import annotations

import os
import random
import re
import select
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ROOT / "scripts" / "bench_floors"
PYTHON = ROOT / ".venv" / "bin" / "python"
POST = "POST "
PATIENCE = 60.0
"""Seconds until a measurement that does not end is given up."""

Sample = Mapping[str, float]
"""Metric to value: milliseconds, unless its name says otherwise."""


class Failed(Exception):
    """A program did not do what is measured."""


@dataclass(frozen=True)
class Row:
    """One line of the table: ours against a floor, or against a bound of its own when there is none."""

    name: str
    metric: str
    contender: str
    value: float
    floor: str = ""
    floor_value: float | None = None
    ratio: float | None = None
    target: float | None = None
    met: bool | None = None


@dataclass
class Bench:
    """What every measurement needs: a folder, an environment, two authorization servers, a browser."""

    folder: Path
    rounds: int
    servers: Mapping[str, int]
    tls: ssl.SSLContext
    rows: list[Row] = field(default_factory=list)

    def endpoints(self, scheme: str) -> list[str]:
        """Return authorization and token endpoint."""
        base = f"{scheme}://127.0.0.1:{self.servers[scheme]}"
        return [f"{base}/authorize", f"{base}/token"]

    def environ(self, browser: str = "browser") -> dict[str, str]:
        """Return a small environment in which nothing of this machine's owner is found or kept."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            # Everybody runs from cached bytecode, as installed programs do.
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
            "BROWSER": str(FLOORS / browser),
            "BENCH_FIFO": str(self.folder / "fifo"),
            "SSL_CERT_FILE": str(self.folder / "authorities.pem"),
            "LOOPBACK_AUTH_DATA_DIR": str(self.folder / "data"),
            "LOOPBACK_AUTH_CONFIG_DIR": str(self.folder / "config"),
            # What other libraries want to be told: whom requests trusts, and that http is meant.
            "REQUESTS_CA_BUNDLE": str(self.folder / "authorities.pem"),
            "OAUTHLIB_INSECURE_TRANSPORT": "1",
            "AUTHLIB_INSECURE_TRANSPORT": "1",
        }

    def by_turns(
        self, contenders: Mapping[str, Callable[[], Sample]], rounds: int = 0
    ) -> Mapping[str, list[Sample]]:
        """Run all contenders in each round, in changing order; a first round warms up and is forgotten."""
        samples: dict[str, list[Sample]] = {name: [] for name in contenders}
        for number in range((rounds or self.rounds) + 1):
            for name in random.sample(list(contenders), len(contenders)):
                sample = contenders[name]()
                if number:
                    samples[name].append(sample)
        return samples

    def compare(
        self,
        name: str,
        samples: Mapping[str, list[Sample]],
        metrics: Mapping[str, float | None],
        floors: tuple[str, ...],
    ) -> None:
        """Add a row for each contender, metric and floor; `metrics` maps to the target ratio."""
        for contender in samples:
            if contender in floors:
                continue
            for metric, target in metrics.items():
                for floor in floors:
                    pairs = [
                        (one[metric], other[metric])
                        for one, other in zip(samples[contender], samples[floor], strict=True)
                        if metric in one and metric in other
                    ]
                    if not pairs:
                        continue
                    ratio = median(ours / theirs for ours, theirs in pairs)
                    goal = target if floor == floors[0] else None
                    self.rows.append(
                        Row(
                            name,
                            metric,
                            contender,
                            median(ours for ours, _ in pairs),
                            floor,
                            median(theirs for _, theirs in pairs),
                            ratio,
                            goal,
                            None if goal is None else ratio <= goal,
                        )
                    )

    def bound(self, name: str, metric: str, contender: str, value: float, target: float | None) -> None:
        """Add a row that has a bound instead of a floor."""
        met = None if target is None else value <= target
        self.rows.append(Row(name, metric, contender, value, target=target, met=met))


# --- Running things -------------------------------------------------------------------------------------


def python(*arguments: str) -> list[str]:
    """Return the command line of a Python program; a floor is given by its file name."""
    first, *others = arguments
    return [str(PYTHON), str(FLOORS / first) if first.endswith(".py") else first, *others]


def ours(*arguments: str) -> list[str]:
    """Return the command line of one of our commands."""
    return [str(PYTHON), "-m", "loopback_auth", *arguments]


def run(argv: list[str], environ: Mapping[str, str], question: Path | None = None) -> tuple[Sample, str]:
    """Run a program to its end; return what it cost and what it wrote.

    Args:
        argv: the program, and its arguments.
        environ: its variables.
        question: what is on its stdin; None: nothing.
    """
    with (question or Path(os.devnull)).open() as stdin:
        begun = time.perf_counter()
        return ended(start(argv, environ, stdin), begun)


def start(
    argv: list[str], environ: Mapping[str, str], stdin: int | IO[str] = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start a program whose output is collected."""
    return subprocess.Popen(  # noqa: S603
        argv,
        env=environ,
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], begun: float) -> tuple[Sample, str]:
    """Wait for the end of a program; return what it cost and what it wrote."""
    with process:
        written = process.stdout.read() if process.stdout else ""
        errors = process.stderr.read() if process.stderr else ""
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{process.args!r} ended with {process.returncode}:\n{errors}")
    return {"CPU": (used.ru_utime + used.ru_stime) * 1000, "wall": wall * 1000}, written


class Fifo:
    """Where the stand-ins for a browser write."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            os.mkfifo(path)
        # Open for both, or the end of one writer would look like the end of the file.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def line(self, process: subprocess.Popen[str]) -> str:
        """Wait for the line that a process's browser writes."""
        text, until = b"", time.monotonic() + PATIENCE
        while not text.endswith(b"\n"):
            if select.select([self._descriptor], [], [], 1.0)[0]:
                text += os.read(self._descriptor, 4096)
            elif process.poll() is not None or time.monotonic() > until:
                process.kill()
                raise Failed(f"{process.args!r} started no browser:\n{process.communicate()[1]}")
        return text.decode().strip()

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


# --- The browser ----------------------------------------------------------------------------------------


def connect(url: str, tls: ssl.SSLContext) -> socket.socket:
    """Connect to where a URL points."""
    parts = urlsplit(url)
    plain = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=PATIENCE)
    return tls.wrap_socket(plain, server_hostname=parts.hostname) if parts.scheme == "https" else plain


def request(target: str, host: str) -> bytes:
    """Write the head of a GET."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()


def post(target: str, host: str, form: str) -> bytes:
    """Write a POST of a form."""
    head = f"POST {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {len(form)}\r\n"
    return f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}".encode()


def get(url: str, tls: ssl.SSLContext) -> tuple[str, int]:
    """Fetch a page; return where it leads to, and when its first byte came (monotonic, ns).

    A page leads on by a redirect, or by a form that sends itself, which is returned as a URL after `POST`;
    such a URL is sent as a form.
    """
    posted = url.startswith(POST)
    parts = urlsplit(url.removeprefix(POST))
    path = parts.path or "/"
    target = f"{path}{'?' if parts.query else ''}{parts.query}"
    with connect(url.removeprefix(POST), tls) as connection:
        connection.sendall(post(path, parts.netloc, parts.query) if posted else request(target, parts.netloc))
        answer = connection.recv(65536)
        answered = time.monotonic_ns()
        while (b"\r\n\r\n" not in answer or b"<form" in answer) and (more := connection.recv(65536)):
            answer += more
    page = answer.decode("latin-1")
    if form := re.search('<form method="post" action="([^"]+)">(.*)</form>', page):
        fields = re.findall('<input name="([^"]+)" value="([^"]*)">', form[2])
        return f"{POST}{form[1]}?{urlencode(fields)}", answered
    status, _, head = page.partition("\r\n\r\n")[0].partition("\r\n")
    if " 200 " not in f"{status} " and " 30" not in status:
        raise Failed(f"The browser got {status!r} from {parts.netloc}{parts.path}")
    headers = [line.split(": ", 1) for line in head.split("\r\n")]
    return next((value for name, value in headers if name.lower() == "location"), ""), answered


def callback_url(url: str, tls: ssl.SSLContext) -> str:
    """Follow redirects up to, and without, the callback."""
    while "code=" not in url:
        url, _ = get(url, tls)
    return url


def launched(bench: Bench, argv: list[str]) -> Sample:
    """Run a program until it has started its browser."""
    fifo = Fifo(bench.folder / "fifo")
    begun = time.perf_counter()
    process = start(argv, bench.environ("launched"))
    cpu = int(fifo.line(process))
    wall = time.perf_counter() - begun
    process.kill()
    process.communicate()
    fifo.close()
    return {"CPU": cpu / 1e6, "wall": wall * 1000}


def sign_in(bench: Bench, argv: list[str], thought: float = 0.0) -> Sample:
    """Run one whole sign-in; the person thinks for `thought` seconds before the callback."""
    fifo = Fifo(bench.folder / "fifo")
    begun = time.perf_counter()
    process = start(argv, bench.environ())
    back = callback_url(fifo.line(process), bench.tls)
    time.sleep(thought)
    sent = time.monotonic_ns()
    _, answered = get(back, bench.tls)
    cost, written = ended(process, begun)
    fifo.close()
    sample = {**cost, "callback to page": (answered - sent) / 1e6}
    words = written.split()
    # The command line prints no moment; its page comes when the tokens have been kept.
    if len(words) == 2 and words[0] == "bench-token":
        sample["callback to token"] = (int(words[1]) - sent) / 1e6
    return sample


# --- The stage ------------------------------------------------------------------------------------------


@contextmanager
def stage(rounds: int) -> Iterator[Bench]:
    """Set up the folder, the certificate and the authorization servers, and take all of it down again."""
    with tempfile.TemporaryDirectory(prefix="loopback_auth-bench-") as name:
        folder = Path(name)
        certify(folder)
        servers = {"http": serve(), "https": serve(str(folder / "server.pem"))}
        try:
            ports = {scheme: int(one.stdout.readline()) for scheme, one in servers.items() if one.stdout}
            tls = ssl.create_default_context(cafile=str(folder / "server.pem"))
            yield Bench(folder, rounds, ports, tls)
        finally:
            for one in servers.values():
                one.kill()
                one.communicate()


def serve(*arguments: str) -> subprocess.Popen[str]:
    """Start an authorization server."""
    argv = python("authorization_server.py", *arguments)
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)  # noqa: S603


def certify(folder: Path) -> None:
    """Make a certificate for 127.0.0.1, and a list of authorities as long as the system's with it."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + public)
    system = ssl.get_default_verify_paths().cafile
    others = Path(system).read_bytes() if system else b""
    (folder / "authorities.pem").write_bytes(others + public)
