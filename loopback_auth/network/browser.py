"""Open a page in the person's browser, without a shell and without believing that it worked.

An opener that was started has not opened a page yet: `xdg-open` ends with 3 when it finds no browser. So the
program watches for the end of the opener. Text browsers are never started: they would take over the terminal.
A program may have an opener of its own, which may be anything (`network.opener`).

The URL is visible in the process list; it is that of the start page, whose key works once. The module imports
nothing slow, because it runs before everything else.

Source: RFC 8252 §6; CVE-2017-18266 (xdg-open), CVE-2025-6514, CVE-2026-4519; Azure/azure-cli#21112 (lynx).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from loopback_auth.environment import quoted_browser
from loopback_auth.errors import RedirectUnavailable
from loopback_auth.flow_table import REDIRECTING
from loopback_auth.network.loopback import bind
from loopback_auth.plan.openers import has_failed, openers, print_only, program_name
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loopback_auth.network.loopback import BoundRedirect
    from loopback_auth.network.opener import OpenerCall
    from loopback_auth.plan.model import Plan

NEW_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Windows only."""
FROZEN: bool = getattr(sys, "frozen", False)


class Opening:
    """An attempt to open a page.

    Args:
        program: that was started; empty if none was.
        why_not: a clause that says why none was started.
        process: of the program, to learn its exit status; None: it is not known.
    """

    __slots__ = ("_process", "program", "why_not")

    def __init__(
        self, *, program: str = "", why_not: str = "", process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.program: str = program
        self.why_not: str = why_not
        self._process = process

    def watch(self, failed: Callable[[int], object]) -> None:
        """Call `failed` with the exit status, from another thread, if the opener fails.

        A browser that is its own opener runs on for hours, so the thread must not keep the program alive.
        """
        process = self._process
        if process is None:
            return

        def wait() -> None:
            status = process.wait()
            if has_failed(self.program, status):
                failed(status)

        threading.Thread(target=wait, name="browser opener", daemon=True).start()


def open_browser(url: str, environ: Mapping[str, str] | None = None) -> Opening:
    """Start the person's browser on a checked URL; the plan decides whether to.

    Args:
        url: already checked; one argument of the program, never part of a command line.
        environ: the environment, this process's own by default.
    """
    environ = os.environ if environ is None else environ
    if word := print_only(environ):
        return Opening(why_not=f"BROWSER is set to {word}")
    if sys.platform == "win32" and not environ.get("BROWSER"):
        return _start_file(url)
    for command in openers(quoted_browser(environ), sys.platform):
        argv = with_url(command, url)
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and the URL is one checked argument
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=child_environment(environ),
                # Ctrl-C in our terminal must not end the person's browser.
                start_new_session=True,
                creationflags=NEW_GROUP,
            )
        except OSError:
            continue
        return Opening(program=program_name(argv[0]), process=process)
    return Opening(why_not="no program that opens a browser was found")


def with_url(command: tuple[str, ...], url: str) -> list[str]:
    """Put the URL into a command as one argument: for `%s` if there is one, else at the end."""
    if any("%s" in part for part in command):
        return [part.replace("%s", url) for part in command]
    return [*command, url]


def child_environment(environ: Mapping[str, str], *, frozen: bool = FROZEN) -> dict[str, str]:
    """Return the environment for the browser: without our settings, which may hold a client secret.

    Where the program is frozen, the browser would also load the libraries that came with it.

    Args:
        environ: of this process.
        frozen: this is a program of PyInstaller, whose loader has put its own folder first.

    Source: PyInstaller, "LD_LIBRARY_PATH / LIBPATH considerations".
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("LOOPBACK_AUTH_")}
    for name in ("LD_LIBRARY_PATH", "LIBPATH"):
        original = kept.pop(f"{name}_ORIG", None)
        if original is not None:
            kept[name] = original
        elif frozen:
            kept.pop(name, None)
    return kept


def _start_file(url: str) -> Opening:
    try:
        os.startfile(url)  # type: ignore[attr-defined, unused-ignore]  # noqa: S606 - checked, no shell
    except OSError as exc:
        return Opening(why_not=f"Windows could not open it: {exc.strerror}")
    return Opening(program=Words.OPENER_DEFAULT)


def launch(
    plan: Plan,
    redirect: tuple[str, tuple[int, ...], str],
    *,
    address: str = "",
    start_page: bool = True,
    opener: Callable[[str], object] | None = None,
) -> BoundRedirect | None:
    """Bind the redirect URI, and send a browser to the start page if the plan has one.

    Args:
        plan: of the sign-in.
        redirect: host, ports and path of the redirect URI, as for `bind`.
        address: to listen on in place of the host; see `bind`.
        start_page: False: no browser is sent there, whatever the plan says.
        opener: the program's own opener; None: ours, if the plan says so.

    Returns:
        None where no port can be had, and a flow of the plan may work without one.

    Raises:
        RedirectUnavailable: no port can be had, and every flow of the plan needs one.
    """
    try:
        bound = bind(*redirect, address=address)
    except RedirectUnavailable:
        if all(route.flow in REDIRECTING for route in plan.routes):
            raise
        return None
    if plan.start_page and start_page:
        try:
            bound.opening = opener_of(plan, opener)(bound.start_url)
        except BaseException:
            bound.close()
            raise
    return bound


def opener_of(
    plan: Plan, own: Callable[[str], object] | None = None
) -> Callable[[str], Opening | OpenerCall]:
    """Return what begins to open a page: the program's own opener in a thread, or ours as the plan says."""
    if own is not None:
        from loopback_auth.network.opener import OpenerCall  # Few programs have one.

        return lambda url: OpenerCall(own, url)
    return open_browser if plan.opens else lambda _: Opening(why_not=plan.why_not)
