"""The helper with git itself: clone, fetch and push at a server that demands the token."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from command_line import PATIENCE, missing
from helper_home import Home
from renewing import TokenEndpoint

from foreign.token_site import Answer, Site, git_repositories, served

pytestmark = [pytest.mark.foreign, pytest.mark.slow]

HELPER = "git-credential-loopback-auth"


@dataclass
class Git:
    """A person's git, with nothing of the person who runs the tests.

    Args:
        folder: the home.
        home: with the kept sign-ins.
        environ: of every command.
    """

    folder: Path
    home: Home
    environ: dict[str, str]

    def run(
        self, *arguments: str | Path, at: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of git."""
        return subprocess.run(
            ["git", *arguments],
            cwd=at or self.folder,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def ok(self, *arguments: str | Path, at: Path | None = None) -> str:
        """Run a command that has to succeed."""
        done = self.run(*arguments, at=at)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def version(self) -> tuple[int, ...]:
        """That of git."""
        found = re.search(r"(\d+)\.(\d+)", self.ok("--version"))
        assert found is not None
        return tuple(map(int, found.groups()))

    def repository(self, name: str) -> None:
        """Make a repository with one commit, to be served."""
        bare, work = self.folder / "served" / name, self.folder / f"work-{name}"
        self.ok("init", "-q", "--bare", bare)
        self.ok("config", "http.receivepack", "true", at=bare)
        self.ok("init", "-q", work)
        self.ok("commit", "-q", "--allow-empty", "-m", "first", at=work)
        self.ok("push", "-q", bare, "HEAD:refs/heads/main", at=work)
        self.ok("symbolic-ref", "HEAD", "refs/heads/main", at=bare)


@pytest.fixture
def git(home: Home, tmp_path: Path) -> Git:
    """A git that asks the helper, and with it no other."""
    programs = Path(sys.executable).parent
    if not (programs / HELPER).exists():
        missing(f"there is no {HELPER}")
    environ = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **{
            f"GIT_{who}_{what}": "a@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
        **{name: value for name, value in os.environ.items() if name.endswith(("DATA_DIR", "CONFIG_DIR"))},
    }
    made = Git(tmp_path, home, environ)
    made.ok("config", "--global", "credential.helper", "loopback-auth")
    made.ok("config", "--global", "protocol.file.allow", "always")
    made.repository("a.git")
    return made


@pytest.fixture
def site(git: Git) -> Iterator[Site]:
    """A server with that repository, which takes the token of the sign-in `work`."""
    with served(git_repositories(git.folder / "served", git.environ), "canary-work") as site:
        yield site


def test_git_clones_fetches_and_pushes(git: Git, site: Site) -> None:
    """All that people do, with the token as the password, and no copy of it in any file of git."""
    git.home.keep("work", site.host)
    git.ok("clone", "-q", f"http://{site.host}/a.git", "clone")
    clone = git.folder / "clone"
    git.ok("commit", "-q", "--allow-empty", "-m", "second", at=clone)
    git.ok("push", "-q", at=clone)
    git.ok("fetch", "-q", at=clone)

    assert git.ok("log", "--format=%s", "main", at=git.folder / "served" / "a.git") == "second\nfirst\n"
    assert set(site.authorizations) == {"Basic alice:canary-work"}
    assert not any(b"canary" in path.read_bytes() for path in clone.rglob("*") if path.is_file())


def test_a_trace_of_git_does_not_have_the_token(git: Git, site: Site) -> None:
    """People post it when something does not work; it has the command lines of all that git runs."""
    git.home.keep("work", site.host)
    done = git.run("ls-remote", f"http://{site.host}/a.git", GIT_TRACE="1", GIT_TRACE_CURL="1")

    assert "git-credential-loopback-auth get" in done.stderr
    assert "canary" not in done.stderr
    assert done.returncode == 0


def test_a_due_token_is_renewed_on_the_way(git: Git, site: Site, server: TokenEndpoint) -> None:
    """Git knows nothing of it, and the server never sees the old token."""
    git.home.keep("work", site.host, issuer=server.issuer, expires_at=time.time() - 1)
    site.tokens = {"access-1"}
    git.ok("ls-remote", f"http://{site.host}/a.git")

    assert set(site.authorizations) == {"Basic alice:access-1"}


def test_a_refused_token_is_renewed_for_the_next_time(git: Git, site: Site, server: TokenEndpoint) -> None:
    """Git says no once, as it does not ask a helper twice; the sign-in is still there."""
    git.home.keep("work", site.host, issuer=server.issuer)
    site.tokens = {"access-1"}
    refused = git.run("ls-remote", f"http://{site.host}/a.git")
    git.ok("ls-remote", f"http://{site.host}/a.git")

    assert refused.returncode != 0
    assert site.authorizations == [
        "Basic alice:canary-work",
        *["Basic alice:access-1"] * (len(site.authorizations) - 1),
    ]
    assert git.home.token("work") == "access-1"


def test_a_sign_in_that_has_ended_is_told(git: Git, site: Site, server: TokenEndpoint) -> None:
    """Git asks nobody for a password that this server would not take."""
    server.status, server.document = 400, {"error": "invalid_grant"}
    git.home.keep("work", site.host, issuer=server.issuer, expires_at=time.time() - 1)
    done = git.run("ls-remote", f"http://{site.host}/a.git", GIT_TERMINAL_PROMPT="1")

    assert done.returncode != 0
    assert "login work" in done.stderr
    assert "told us to quit" in done.stderr
    assert site.authorizations == []


def test_another_host_is_sent_nothing(git: Git, site: Site) -> None:
    """Neither by an address, nor by a submodule that a stranger has put into a repository."""
    with served(git_repositories(git.folder / "served", git.environ), "canary-work") as other:
        git.home.keep("work", site.host)
        work = git.folder / "work-a.git"
        (work / ".gitmodules").write_text(
            f'[submodule "sub"]\n\tpath = sub\n\turl = http://{other.host}/a.git\n'
        )
        head = git.ok("rev-parse", "HEAD", at=work).strip()
        git.ok("update-index", "--add", "--cacheinfo", f"160000,{head},sub", at=work)
        git.ok("add", ".gitmodules", at=work)
        git.ok("commit", "-q", "-m", "a submodule", at=work)
        git.ok("push", "-q", git.folder / "served" / "a.git", "HEAD:main", at=work)
        direct = git.run("ls-remote", f"http://{other.host}/a.git")
        whole = git.run("clone", "--recurse-submodules", f"http://{site.host}/a.git", "clone")

        assert (direct.returncode != 0, whole.returncode != 0) == (True, True)
        assert set(site.authorizations) == {"Basic alice:canary-work"}
        assert other.authorizations == []


def test_a_redirect_to_another_host_is_sent_nothing(git: Git, site: Site) -> None:
    """Git follows the first redirect, and asks for the password of the host where it ends."""
    with served(git_repositories(git.folder / "served", git.environ), "canary-work") as other:
        git.home.keep("work", site.host)

        def lead_away(request: BaseHTTPRequestHandler, _body: bytes) -> Answer:
            return 302, {"Location": f"http://{other.host}{request.path}"}, b""

        site.serve = lead_away
        done = git.run("ls-remote", f"http://{site.host}/a.git")

        assert done.returncode != 0
        assert "Basic alice:canary-work" in site.authorizations
        assert other.authorizations == []


def test_a_sign_in_is_named_in_the_settings_of_git(git: Git, site: Site) -> None:
    """For one host, and after those that git had before were taken back."""
    git.home.keep("home", site.host, account="bob")
    git.home.keep("work", site.host)
    key = f"credential.http://{site.host}.helper"
    git.ok("config", "--global", "credential.helper", "store")
    git.ok("config", "--global", key, "")
    git.ok("config", "--global", "--add", key, "loopback-auth work")
    git.ok("ls-remote", f"http://{site.host}/a.git")

    assert set(site.authorizations) == {"Basic alice:canary-work"}
    assert not (git.folder / ".git-credentials").exists()


def test_the_user_name_in_the_address_chooses(git: Git, site: Site) -> None:
    """As the buttons of code hosts write it."""
    git.home.keep("home", site.host, account="bob")
    git.home.keep("work", site.host)
    git.ok("ls-remote", f"http://alice@{site.host}/a.git")

    # With a user name git tries it without a password first.
    assert set(site.authorizations) == {"Basic alice:", "Basic alice:canary-work"}


def test_a_command_serves_who_has_no_programs_on_the_path(git: Git, site: Site) -> None:
    """As of uvx and zipapps."""
    git.home.keep("work", site.host)
    git.ok("config", "--global", "credential.helper", f"!{sys.executable} -m loopback_auth credential git")
    git.ok("ls-remote", f"http://{site.host}/a.git")

    assert set(site.authorizations) == {"Basic alice:canary-work"}


def test_a_bearer_token_is_sent_to_a_server_that_takes_no_passwords(git: Git) -> None:
    """Git 2.46 and later can send it; before, the server is told a password, which it refuses."""
    with served(
        git_repositories(git.folder / "served", git.environ), "canary-work", schemes=("Bearer",)
    ) as site:
        git.home.keep("work", site.host)
        done = git.run("ls-remote", f"http://{site.host}/a.git")

        sends_bearer = git.version >= (2, 46)
        assert (done.returncode == 0) is sends_bearer
        assert set(site.authorizations) == ({"Bearer canary-work"} if sends_bearer else set())
