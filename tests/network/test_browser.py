"""Starting a browser: one argument, no shell, no secret passed on, and no belief that it worked."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from loopback_auth.environment import look_around
from loopback_auth.errors import ConfigError
from loopback_auth.network.browser import (
    Opening,
    child_environment,
    open_browser,
    with_url,
)
from loopback_auth.plan.openers import LINUX_OPENERS, WSL_OPENERS, has_failed, openers
from loopback_auth.protocol.urls import check_browser_url

URL = "https://as.example/authorize?a=1&b=$(calc);c='d'&e=*"
DESKTOP = {"DISPLAY": ":0"}
Fake = Callable[[str], str]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the fake browsers are scripts")


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Make a program that notes how it was started, and then does something more."""

    def make(more: str) -> str:
        program = tmp_path / f"browser{len(list(tmp_path.iterdir()))}"
        program.write_text(
            f"#!{sys.executable} -IS\n"
            + textwrap.dedent(f"""
            import json, os, sys, time
            seen = dict(argv=sys.argv[1:], env=dict(os.environ), session=os.getsid(0) == os.getpid())
            with open({str(tmp_path / "seen.tmp")!r}, "w") as file:
                json.dump(seen, file)
            os.rename({str(tmp_path / "seen.tmp")!r}, {str(tmp_path / "seen")!r})
            """)
            + more
        )
        program.chmod(0o700)
        return str(program)

    return make


def started(tmp_path: Path, browser: str, url: str = URL, **environ: str) -> dict[str, object]:
    """Open a page, wait for the program's end, and read what it noted."""
    opening = open_browser(url, {**os.environ, "BROWSER": browser, **environ})
    assert opening._process is not None
    opening._process.wait(60)
    seen: dict[str, object] = json.loads((tmp_path / "seen").read_text())
    return seen


def test_url_is_exactly_one_argument(fake: Fake, tmp_path: Path) -> None:
    """No shell reads it, whatever characters a server put into it (CVE-2025-6514)."""
    assert started(tmp_path, fake(""))["argv"] == [URL]


def test_placeholder_is_replaced_inside_its_word(fake: Fake, tmp_path: Path) -> None:
    """`BROWSER` may say where the URL goes, as in Python's own webbrowser."""
    browser = f"{fake('')} --new '--url=%s' last"

    assert started(tmp_path, browser)["argv"] == ["--new", f"--url={URL}", "last"]


def test_first_program_that_exists_is_taken(fake: Fake, tmp_path: Path) -> None:
    """`BROWSER` lists several, best first."""
    browser = f"/nonexistent/one:{fake('')} &"

    assert started(tmp_path, browser)["argv"] == [URL]


def test_our_settings_are_not_passed_on(fake: Fake, tmp_path: Path) -> None:
    """One of them may be the client secret; the browser's children would have it too."""
    seen = started(tmp_path, fake(""), LOOPBACK_AUTH_CLIENT_SECRET="canary", KEEP="this")

    environment = seen["env"]
    assert isinstance(environment, dict)
    assert environment["KEEP"] == "this"
    assert "canary" not in environment.values()


@pytest.mark.parametrize(
    ("environ", "frozen", "expected"),
    [
        ({"LD_LIBRARY_PATH": "/tmp/_MEI1"}, True, {}),  # noqa: S108 - nothing is written there
        ({"LD_LIBRARY_PATH": "/x:/y", "LD_LIBRARY_PATH_ORIG": "/y"}, True, {"LD_LIBRARY_PATH": "/y"}),
        ({"LD_LIBRARY_PATH": "/x:/y", "LD_LIBRARY_PATH_ORIG": "/y"}, False, {"LD_LIBRARY_PATH": "/y"}),
        ({"LD_LIBRARY_PATH": "/y"}, False, {"LD_LIBRARY_PATH": "/y"}),
        ({"LIBPATH": "/x", "LIBPATH_ORIG": ""}, True, {"LIBPATH": ""}),
    ],
)
def test_libraries_of_a_frozen_program_are_not_passed_on(
    environ: dict[str, str], frozen: bool, expected: dict[str, str]
) -> None:
    """PyInstaller puts its folder first, and the browser would load libraries from it."""
    assert child_environment(environ, frozen=frozen) == expected


def test_browser_in_a_folder_with_a_blank_is_taken(fake: Fake, tmp_path: Path) -> None:
    """As under WSL: the whole value is the path of a program, and nobody thinks of quotes."""
    folder = tmp_path / "Program Files"
    folder.mkdir()
    program = Path(fake("")).rename(folder / "firefox.exe")
    seen = look_around({"BROWSER": str(program)}, stdin=None, stderr=None)

    assert started(tmp_path, str(program))["argv"] == [URL]
    assert seen.openers == (str(program),)


@pytest.mark.parametrize(
    ("program", "status", "failed"),
    [
        ("explorer.exe", 1, False),
        ("/mnt/c/Windows/explorer.exe", 1, False),
        ("Explorer.EXE", 1, False),
        ("explorer.exe", 2, True),
        ("xdg-open", 1, True),
        ("xdg-open", 0, False),
    ],
)
def test_status_that_says_nothing(program: str, status: int, failed: bool) -> None:
    """explorer.exe ends with 1 although the page is open (microsoft/WSL#6565)."""
    assert has_failed(program, status) is failed


def test_browser_leads_a_session_of_its_own(fake: Fake, tmp_path: Path) -> None:
    """Ctrl-C in our terminal must not end the person's browser."""
    assert started(tmp_path, fake(""))["session"] is True


def test_failing_opener_is_noticed(fake: Fake) -> None:
    """`xdg-open` ends with 3 when it has found no browser."""
    told: queue.Queue[int] = queue.Queue()
    opening = open_browser(URL, {**os.environ, "BROWSER": fake("sys.exit(3)")})
    opening.watch(told.put)

    assert told.get(timeout=60) == 3
    assert opening.program.startswith("browser")


def test_success_is_not_told(fake: Fake) -> None:
    """Status 0 says that a program was started, not that anybody sees a page."""
    told: list[int] = []
    opening = open_browser(URL, {**os.environ, "BROWSER": fake("")})
    assert opening._process is not None
    opening._process.wait(60)
    opening.watch(told.append)
    Opening(why_not="nothing").watch(told.append)

    assert told == []


def test_browser_that_stays_does_not_keep_us(fake: Fake, tmp_path: Path) -> None:
    """A browser may be its own opener and run for hours; the interpreter must end without it."""
    script = textwrap.dedent("""
        import sys
        from loopback_auth.network.browser import open_browser
        opening = open_browser("https://as.example/")
        opening.watch(print)
        print(opening._process.pid)
    """)
    environ = {**os.environ, "BROWSER": fake("time.sleep(60)")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, timeout=60, check=True
    )
    os.kill(int(done.stdout), signal.SIGKILL)

    assert done.stderr == ""


@pytest.mark.parametrize("browser", ["none", "echo", "true", "/bin/true", "/usr/bin/false", "", " ", "NONE"])
def test_no_browser_means_the_link_is_printed(browser: str) -> None:
    """This is how people say that they want to open the link themselves."""
    opening = open_browser(URL, {**DESKTOP, "BROWSER": browser})

    assert opening._process is None
    assert "BROWSER is set to" in opening.why_not


@pytest.mark.parametrize("browser", ["lynx", "/usr/bin/w3m -N", "links %s", "www-browser:elinks"])
def test_text_browser_is_never_started(browser: str) -> None:
    """It would take over the terminal that shows the link (Azure/azure-cli#21112)."""
    opening = open_browser(URL, {**DESKTOP, "BROWSER": browser})

    assert opening._process is None
    assert opening.why_not


def test_unbalanced_quotes_are_no_crash() -> None:
    """A slip in a start-up file must not end the sign-in with a traceback."""
    assert open_browser(URL, {**DESKTOP, "BROWSER": "'firefox"}).why_not


COMMANDS = {
    "Linux": (DESKTOP, "linux", LINUX_OPENERS),
    "WSL": ({"WSL_INTEROP": "/run/WSL/1"}, "linux", WSL_OPENERS),
    "WSL with a display": ({"WSL_INTEROP": "/run/WSL/1", **DESKTOP}, "linux", WSL_OPENERS + LINUX_OPENERS),
    "Mac": ({}, "darwin", (("/usr/bin/open",),)),
    "Termux": ({"TERMUX_VERSION": "0.118"}, "linux", (("termux-open-url",),)),
    "Cygwin": ({}, "cygwin", (("cygstart",),)),
    "named": (
        {"BROWSER": "firefox -P 'my profile':chromium"},
        "linux",
        (("firefox", "-P", "my profile"), ("chromium",)),
    ),
    "named on Windows": (
        {"BROWSER": r'"C:\Program Files\Firefox\firefox.exe" -new-tab;chrome.exe'},
        "win32",
        ((r"C:\Program Files\Firefox\firefox.exe", "-new-tab"), ("chrome.exe",)),
    ),
    "a text browser on Windows": ({"BROWSER": r"C:\bin\lynx"}, "win32", ()),
}


@pytest.mark.parametrize(("environ", "platform", "commands"), COMMANDS.values(), ids=COMMANDS)
def test_which_programs_are_tried(
    environ: dict[str, str], platform: str, commands: tuple[tuple[str, ...], ...]
) -> None:
    """Each system has its own way to open a page; what the person named goes first."""
    assert openers(environ, platform) == commands


def test_pure_parts_do_as_they_say() -> None:
    """The URL goes to the end unless a place is marked; our own variables go nowhere."""
    assert with_url(("open", "-g"), "u") == ["open", "-g", "u"]
    assert with_url(("x", "a%sb", "%s"), "u") == ["x", "aub", "u"]
    assert child_environment({"LOOPBACK_AUTH_TOKEN": "x", "PATH": "y"}) == {"PATH": "y"}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "vscode://x",
        "ms-msdt:/id",
        "-a",
        "--help",
        r"\\host\share",
        "https://x/ y",
        'https://x/"',
        "https://x/`calc`",
        "https://x/\r\nHost: y",
        "https://x/|calc",
        "https://user@x/",
        "http://as.example/",
        "",
        "https://x/" + "a" * 9000,
    ],
)
def test_what_is_no_web_page_is_refused(url: str) -> None:
    """Such a URL came from a server; an opener would start whatever is registered for it."""
    with pytest.raises(ConfigError):
        check_browser_url(url)
