"""What hands tokens on gives one token to one reader, and lets no secret out elsewhere.

Every command runs with a hook that writes down each program that it starts and each file that it renames or
removes while others may read it; with no umask, so that a file has the mode that we gave it; and with its own
home and folder for temporary files, which are searched at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import fake_keychain
import pytest
from command_line import PATIENCE, CommandLine, Ended, Running
from commands.forwarding_server import echo
from commands.people import RecordingServer, client_flags, visit
from helper_home import Home
from renewing import TokenEndpoint

from loopback_auth.demo.serve import demo_thread
from loopback_auth.outputs.table import OUTPUTS
from loopback_auth.records import replace
from loopback_auth.signin.dpop_keys import new_key
from loopback_auth.tokens import IdToken

if sys.platform == "win32":
    pytest.skip("files have no modes there, and programs other starts", allow_module_level=True)

HOST = "git.example"
ACCESS, REFRESH, ID_TOKEN, SECRET = "canary-work", "canary-refresh", "h.canary-id.s", "canary-of-client"
KEYRING = "loopback_auth.credential_helpers.keyring_backend.LoopbackAuthKeyring"
GIT = f"protocol=https\nhost={HOST}\n\n"
REFUSED = f"protocol=https\nhost={HOST}\nusername=alice\npassword={ACCESS}\n\n"
STORED = json.dumps({"ServerURL": HOST, "Username": "alice", "Secret": ACCESS})
STARTS = """
import os, sys

log = os.open(os.environ["STARTS"], os.O_WRONLY | os.O_APPEND)

def note(*what):
    os.write(log, (" ".join(map(repr, what)) + "\\n").encode())

def hook(event, args):
    if event in ("os.exec", "os.posix_spawn"):
        note("argv", args[0], args[1])
        note("environ", args[2])
    elif event == "subprocess.Popen":
        note("argv", args[0], args[1])
        note("environ", args[3])
    elif event in ("os.putenv", "os.system"):
        note("environ", *args)
    elif event in ("os.rename", "os.remove", "os.link"):
        try:
            mode = os.stat(args[0], follow_symlinks=False).st_mode
        except (OSError, TypeError):
            return
        if mode & 0o077 and not mode & 0o20000:
            note("open to others", oct(mode), args[0])

sys.addaudithook(hook)
"""


@dataclass
class Watched:
    """A home whose commands are watched.

    Args:
        home: where sign-ins are kept.
        environ: of the commands.
        needles: the secrets.
    """

    home: Home
    environ: dict[str, str]
    needles: list[str] = field(default_factory=lambda: [ACCESS, REFRESH, ID_TOKEN, SECRET])

    def command(self, *arguments: str, **more: str) -> dict[str, object]:
        """Return how a command is started."""
        module = "loopback_auth"
        if arguments[0] == "keyring":
            module, arguments = "keyring", arguments[1:]
        return {
            "args": [sys.executable, "-m", module, *arguments],
            "env": self.environ | more,
            "umask": 0,
            "cwd": self.home.folder,
        }

    def ask(self, question: str, *arguments: str, **more: str) -> Ended:
        """Run a command to its end; nothing secret is in its words."""
        done = subprocess.run(  # type: ignore[call-overload]
            **self.command(*arguments, **more),
            input=question,
            text=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        assert self.in_text(done.stderr) == []
        return Ended(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def started(self, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command, and end it with the block."""
        with subprocess.Popen(  # type: ignore[call-overload]
            **self.command(*arguments, **more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.terminate()

    def in_text(self, text: str) -> list[str]:
        """Return the secrets that are in a text."""
        return [needle for needle in self.needles if needle in text]

    def starts(self, kind: str) -> str:
        """Return what was noted of one kind."""
        lines = Path(self.environ["STARTS"]).read_text().splitlines()
        return "\n".join(line for line in lines if line.startswith(repr(kind)))

    def assert_tight(self, *, environ: Sequence[str] = ()) -> None:
        """No program was started with a secret, and no file with one can be read by others.

        Args:
            environ: the secrets that a program was to have in a variable.
        """
        assert self.in_text(self.starts("argv")) == []
        # The person has given the secret of the client in a variable, which is inherited.
        assert [each for each in self.in_text(self.starts("environ")) if each != SECRET] == list(environ)
        assert self.starts("open to others") == ""
        for path in self.files():
            assert path.is_relative_to(self.home.folder / "data")
            assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700), path

    def files(self) -> list[Path]:
        """Return the files with a secret, of the home and of its folder for temporary ones."""
        there = [path for path in self.home.folder.rglob("*") if path.is_file()]
        return [path for path in there if self.in_text(path.read_text(errors="replace"))]


@pytest.fixture
def server() -> Iterator[TokenEndpoint]:
    """A server whose tokens are secrets, too."""
    with demo_thread(server_factory=TokenEndpoint) as demo:
        assert isinstance(demo.server, TokenEndpoint)
        yield demo.server


@pytest.fixture
def watched(home: Home, server: TokenEndpoint, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """A home with a sign-in that has every kind of token, and another one whose token is bound to a key."""
    id_token = IdToken({"exp": 4e9, "iat": 1.0, "sub": "1"}, "verified", ID_TOKEN)
    home.keep("work", HOST, issuer=server.issuer, refresh_token=REFRESH, id_token=id_token)
    bound = replace(home.keep("bound", token_type="DPoP"), dpop_key=new_key())
    home.store.save(bound)
    home.compare("work")
    hooks, temporary = tmp_path_factory.mktemp("hooks"), home.folder / "tmp"
    (hooks / "sitecustomize.py").write_text(STARTS)
    (hooks / "starts").touch()
    temporary.mkdir(mode=0o700)
    environ = CommandLine(home.folder).environment(
        {
            **fake_keychain.environment(hooks / "keychain"),
            "LOOPBACK_AUTH_DATA_DIR": str(home.folder / "data"),
            "LOOPBACK_AUTH_CONFIG_DIR": str(home.folder),
            "LOOPBACK_AUTH_CLIENT_SECRET": SECRET,
            "TMPDIR": str(temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            "STARTS": str(hooks / "starts"),
        }
    )
    environ["PYTHONPATH"] = os.pathsep.join((str(hooks), environ["PYTHONPATH"]))
    # Coverage is not measured there: its files are open to others, and its tracer cannot stand an audit hook.
    made = Watched(home, {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")})
    assert bound.dpop_key is not None
    made.needles += ["canary-bound", str(bound.dpop_key["d"])]
    return made


def test_the_hook_sees_what_is_started(watched: Watched) -> None:
    """Otherwise the other tests could not fail."""
    script = "import os, subprocess, sys; open('loose', 'w').close(); os.rename('loose', 'moved'); "
    script += f"subprocess.run(['true', '{ACCESS}'], env={{'A': '{REFRESH}'}})"
    subprocess.run([sys.executable, "-c", script], env=watched.environ, cwd=watched.home.folder, umask=0)

    assert watched.in_text(watched.starts("argv")) == [ACCESS]
    assert watched.in_text(watched.starts("environ")) == [REFRESH]
    assert "loose" in watched.starts("open to others")


@pytest.mark.parametrize("form", ["apart", "joined"])
@pytest.mark.parametrize("tool", OUTPUTS)
def test_an_output_has_one_token(watched: Watched, tool: str, form: str) -> None:
    """By the short way and by the other; AWS is not there, and gets nothing."""
    more = {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9/", "AWS_ROLE_ARN": "arn:aws:iam::1:role/a"}
    flags = ["--host", HOST] if "host" in OUTPUTS[tool].options else []
    which = ["--as", tool] if form == "apart" else [f"--as={tool}"]
    question = json.dumps({"uri": f"https://{HOST}/x"})
    ended = watched.ask(question, "token", "work", *flags, *which, **more)
    bound = watched.ask(question, "token", "bound", *flags, *which, **more)
    given = {"id_token": ID_TOKEN, "access_token": ACCESS}[OUTPUTS[tool].of]

    assert watched.in_text(ended.stdout) == ([] if tool in ("aws", "docker") else [given])
    assert (ended.status == 0) is (tool != "aws")
    assert (bound.status != 0, bound.stdout) == (True, "")
    watched.assert_tight()


@pytest.mark.parametrize(
    ("arguments", "question", "found"),
    [
        ("credential git get", GIT, [ACCESS]),
        ("credential git bound get", GIT, []),
        ("credential git erase", REFUSED, []),
        ("credential git store", REFUSED, []),
        ("credential docker get", HOST, [ACCESS]),
        ("credential docker store", STORED, []),
        ("credential docker store", STORED.replace(HOST, "evil.example"), []),
        ("credential docker erase", HOST, []),
        ("credential docker list", "", []),
        (f"keyring get https://{HOST}/simple/ alice", "", [ACCESS]),
        (f"keyring get http://{HOST}/simple/ alice", "", []),
        (f"keyring get {HOST} alice", "", []),
        ("status --json", "", []),
        ("store --json", "", []),
    ],
)
def test_a_helper_has_one_token(watched: Watched, arguments: str, question: str, found: list[str]) -> None:
    """And gives none where it only takes note of something, also of what it is told."""
    chosen = {"PYTHON_KEYRING_BACKEND": KEYRING} if arguments.startswith("keyring") else {}
    ended = watched.ask(question, *arguments.split(), **chosen)

    assert watched.in_text(ended.stdout) == found
    watched.assert_tight()


@pytest.mark.parametrize(
    "spoilt", [b"", b"{", b'{"version": 1, "tokens": {"access_token": "canary-work"}}', b"\xff"]
)
@pytest.mark.parametrize(
    "arguments", ["token work --as header", "token work --as=env", "credential git get", "run work -- true"]
)
def test_a_damaged_sign_in_is_not_quoted(watched: Watched, arguments: str, spoilt: bytes) -> None:
    """What is left of it may be the token."""
    path = Path(watched.home.store.path("work"))
    path.write_bytes(spoilt or path.read_bytes()[:-20])
    ended = watched.ask(GIT, *arguments.split())

    assert watched.in_text(ended.stdout) == []
    assert "Traceback" not in ended.stderr
    watched.assert_tight()


def test_run_gives_it_to_the_command_alone(watched: Watched) -> None:
    """In the variable that was named, or in a file that others cannot read and that is gone at the end."""
    watched.ask("", "run", "work", "--", "true", "{token_file}", "{header_file}")
    watched.ask("", "run", "work", "--token-file", "token", "--", "true")
    watched.ask("", "run", "work", "--", "no-such-command", "{token_file}")
    refused = watched.ask("", "run", "work", "--", "echo", "{token}")
    bound = watched.ask("", "run", "bound", "--", "true")
    watched.assert_tight()
    watched.ask("", "run", "work", "--env", "GH_TOKEN", "--", "true")

    assert refused.status != 0 != bound.status
    assert not (watched.home.folder / "token").is_symlink()
    assert sorted(each.name for each in (watched.home.folder / "data" / "running").iterdir()) == [".lock"]
    watched.assert_tight(environ=[ACCESS])


def test_a_proxy_shows_no_token(watched: Watched) -> None:
    """Neither to those who list processes, nor to the client, nor in its words."""
    with echo() as behind, watched.started("proxy", "work", "--to", behind.url) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        with build_opener(ProxyHandler({})).open(line.strip(), timeout=PATIENCE) as response:
            response.read()
        process.terminate()
        stdout, stderr = process.communicate(timeout=PATIENCE)

    assert watched.in_text(line + stdout + stderr) == []
    watched.assert_tight()


def test_moves_between_stores_show_nothing(watched: Watched) -> None:
    """There and back; encrypted, no secret is in any file."""
    there = watched.ask("", "store", "keychain")
    encrypted = watched.files()
    watched.assert_tight()
    token = watched.ask("", "token", "work", "--as", "header")
    back = watched.ask("", "store", "file")

    assert (there.status, token.status, back.status) == (0, 0, 0)
    assert encrypted == []
    assert watched.in_text(token.stdout) == [ACCESS]
    watched.assert_tight()


@pytest.mark.slow
def test_a_login_that_keeps_nothing_leaves_nothing(watched: Watched) -> None:
    """Its token is on stdout, and in no file, variable or argument."""
    with demo_thread(server_factory=RecordingServer) as demo:
        arguments = ("login", "--no-browser", "--no-store", *client_flags(demo.issuer))
        with watched.started(*arguments, LOOPBACK_AUTH_CLIENT_SECRET="") as process:
            running = Running(process)
            visit(running.link())
            ended = running.end()
    watched.needles = [ended.stdout.strip()]

    assert ended.status == 0, ended.stderr
    assert watched.needles[0]
    assert watched.in_text(ended.stderr) == []
    assert watched.files() == []
    watched.assert_tight()
