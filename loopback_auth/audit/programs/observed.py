"""What can be seen of a program from outside while it signs in, and when it has ended.

The program is of other people: nothing here comes from its code. What was not seen is None or empty, and a
judge then answers `not observed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loopback_auth.compare.judging.verdicts import Judgement
from loopback_auth.demo.request_log import LoggedRequest
from loopback_auth.demo.setup import PATHS
from loopback_auth.http_messages import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class Listener:
    """A TCP port on which the program or one of its children listens.

    Args:
        address: IP address that it is bound to, such as `127.0.0.1`, `0.0.0.0` or `::`.
        port: 1 to 65535.
    """

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that was made or changed during the run.

    Args:
        path: below the home folder that the program was given, with `/` between the names.
        mode: permission bits, such as 0o600.
        content: at most the first MiB.
    """

    path: str
    mode: int
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of the program at one moment; texts and argv are everything since its start.

    Args:
        listeners: the ports of the program and its children at this moment.
        running: whether it has not ended.
        status: its exit status; None while it runs, or when it had to be ended.
        stdout: what it has written there; with a terminal everything is here.
        stderr: what it has written there.
        argv: the command lines of all its processes, and of the browsers that it started, one text each.
        files: that were made or changed below its home folder; in a folder for temporary files too.
        links: every URL that it handed to a browser or printed, in order.
    """

    listeners: tuple[Listener, ...] = ()
    running: bool = False
    status: int | None = None
    stdout: str = field(default="", repr=False)
    stderr: str = field(default="", repr=False)
    argv: tuple[str, ...] = field(default=(), repr=False)
    files: tuple[WrittenFile, ...] = field(default=(), repr=False)
    links: tuple[str, ...] = field(default=(), repr=False)

    @property
    def output(self) -> str:
        """All that it has written, to stdout and then to stderr."""
        return f"{self.stdout}\n{self.stderr}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of the user's browser that was not for the authorization server.

    Args:
        request: to the program's port; or to an address elsewhere to which its page led, which is not sent.
        answer: status 0 when there was none.
        address: what the address bar showed, with the fragment.
    """

    request: HttpRequest = field(repr=False)
    answer: HttpResponse = field(repr=False)
    address: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ProgramResult:
    """How one sign-in of the program went, from its start to its end.

    Args:
        status: exit status; None when it had to be ended.
        succeeded: it ended well, and the server issued tokens to its request.
        account: email address of the account whose tokens it got; empty when it got none.
        link: the authorization request, as the browser opened it at the server; empty when none came.
        request: parameters of the authorization request, pushed or in the link.
        repeated: names of parameters that the authorization request had more than once.
        requests: of the program to the server, in order; not those of the browser and of the scenario.
        tokens: string members of the token response that the program got, such as `access_token`.
        visits: what the browser asked of others than the server, in order.
        listened_first: its port was open when the browser was started; None when that was not seen.
        seconds: from its start to its end, or to where it was ended.
        answered_after: seconds from the browser's last answer from its port to its end; None without either.
        port_open_after: seconds that its port stayed open after the sign-in had ended; None when not seen.
        left_behind: how many of its processes had to be ended after it.
        seen: at its end; the listeners are those that were left then.
    """

    status: int | None = None
    succeeded: bool = False
    account: str = ""
    link: str = field(default="", repr=False)
    request: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    repeated: tuple[str, ...] = ()
    requests: tuple[LoggedRequest, ...] = field(default=(), repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    visits: tuple[Visit, ...] = field(default=(), repr=False)
    listened_first: bool | None = None
    seconds: float = 0.0
    answered_after: float | None = None
    port_open_after: float | None = None
    left_behind: int = 0
    seen: Seen = field(default_factory=Seen, repr=False)

    @property
    def token_requests(self) -> tuple[LoggedRequest, ...]:
        """What it sent to the token endpoint."""
        return tuple(one for one in self.requests if one.path == PATHS["token_endpoint"])

    @property
    def page(self) -> HttpResponse | None:
        """The last page that the browser got from the program's port; None when it got none."""
        return next((one.answer for one in reversed(self.visits) if one.answer.status), None)


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One trial that was played on a program.

    Args:
        answers: by the id of the question.
        result: how the sign-in ended; None when it was not followed to its end.
        finished: the scenario came to its end. Otherwise the program had ended before a point that the
            scenario waited for, and there are no answers.
    """

    answers: Mapping[str, Judgement]
    result: ProgramResult | None = None
    finished: bool = True
