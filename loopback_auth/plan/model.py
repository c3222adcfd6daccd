"""The data types of a plan: surroundings, facts, capabilities, routes.

They are plain classes, because a plan is made before the browser is started, and importing `dataclasses`
would delay it. This module refuses to know how any value is found out.
"""

from __future__ import annotations

from loopback_auth.flow_table import BY_NAME, POLLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

YES, LIKELY, UNKNOWN, UNLIKELY, NO = "yes", "likely", "unknown", "unlikely", "no"
LEVELS = (YES, LIKELY, UNKNOWN, UNLIKELY, NO)

AT_ONCE, UNVISITED, ASKED = "at once", "unvisited", "asked"
"""When a route starts: at once, when the browser has not come or returned in time, or when requested."""

CONFIRMATION_NEEDED = (
    "Anyone with the {what} can approve a {flow} login, so the account must be confirmed, and there is no "
    "terminal to ask on."
)


def confirmation_needed(flow: str) -> str:
    """Return why a flow that anybody can approve needs a terminal."""
    return CONFIRMATION_NEEDED.format(what=BY_NAME[flow].approved_with, flow=flow)


class Surroundings:
    """What was detected about the machine.

    Args:
        environ: the environment variables, with the values that the settings override.
        platform: as `sys.platform`.
        kernel: release of the kernel, as `uname -r` shows it.
        files: those of the probed paths that exist.
        stdin: whether it is a terminal.
        stderr: whether it is a terminal.
        openers: programs on PATH that open a page.
    """

    __slots__ = ("environ", "files", "kernel", "openers", "platform", "stderr", "stdin")

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        platform: str,
        kernel: str = "",
        files: tuple[str, ...] = (),
        stdin: bool = False,
        stderr: bool = False,
        openers: tuple[str, ...] = (),
    ) -> None:
        self.environ: Mapping[str, str] = environ
        self.platform: str = platform
        self.kernel: str = kernel
        self.files: tuple[str, ...] = files
        self.stdin: bool = stdin
        self.stderr: bool = stderr
        self.openers: tuple[str, ...] = openers


class Fact:
    """How certain something is, and why.

    Args:
        level: one of `LEVELS`.
        because: the reason as a clause, then the signals behind it, in words for people.
    """

    __slots__ = ("because", "level")

    def __init__(self, level: str, *because: str) -> None:
        self.level: str = level
        self.because: tuple[str, ...] = because

    @property
    def reason(self) -> str:
        """The reason as one clause, with the signals in brackets."""
        first, *signals = self.because
        return f"{first} ({', '.join(signals)})" if signals else first

    def __repr__(self) -> str:
        return f"Fact({', '.join(map(repr, (self.level, *self.because)))})"


class Facts:
    """The four facts about this machine.

    Args:
        opens: a program can open a page that the person sees.
        reaches: the person's browser can reach a port of this machine.
        person: a person is at the terminal and can answer questions.
        waits: the program may wait for a person.
    """

    __slots__ = ("opens", "person", "reaches", "waits")

    def __init__(self, *, opens: Fact, reaches: Fact, person: Fact, waits: Fact) -> None:
        self.opens: Fact = opens
        self.reaches: Fact = reaches
        self.person: Fact = person
        self.waits: Fact = waits


class Place:
    """The kind of environment in which the program runs: one row of the table in `places`.

    Args:
        name: short and stable, for `--json` and tests.
        title: completes "This is ...", without a full stop.
        advice: how to sign in more easily there; empty when there is none.
    """

    __slots__ = ("advice", "name", "title")

    def __init__(self, name: str, title: str, advice: str = "") -> None:
        self.name: str = name
        self.title: str = title
        self.advice: str = advice


class Capabilities:
    """What the provider allows this client, according to the settings.

    Args:
        refused: flow to the reason why it is impossible; other flows can be tried.
        any_port: the redirect URI may have any port (RFC 8252 §7.3).
    """

    __slots__ = ("any_port", "refused")

    def __init__(self, refused: Mapping[str, str], *, any_port: bool = True) -> None:
        self.refused: Mapping[str, str] = refused
        self.any_port: bool = any_port


class Route:
    """One flow of a plan.

    Args:
        flow: its name.
        starts: when it starts: `AT_ONCE`, `UNVISITED` or `ASKED`.
        why: why it is possible, in a sentence for people.
    """

    __slots__ = ("flow", "starts", "why")

    def __init__(self, flow: str, starts: str, why: str) -> None:
        self.flow: str = flow
        self.starts: str = starts
        self.why: str = why

    def __repr__(self) -> str:
        return f"Route({self.flow!r}, {self.starts!r}, {self.why!r})"


class Plan:
    """The flows with which to sign in here, in order.

    Args:
        place: the kind of environment.
        facts: what is known about it.
        routes: the flows, best first; those that start at once are open together.
        refused: other flow to the reason why it is not used.
        opens: start a browser; otherwise links are only shown.
        why_not: why no browser is started; empty when one is.
        start_page: the browser may be able to reach our start page.
        patience: seconds without a visit to the start page, after which the `UNVISITED` routes start.
        second_look: seconds after a visit without a response, after which they start too.
        simulated: why a simulated person signs in; empty for a real one.
    """

    __slots__ = (
        "facts",
        "opens",
        "patience",
        "place",
        "refused",
        "routes",
        "second_look",
        "simulated",
        "start_page",
        "why_not",
    )

    def __init__(
        self,
        *,
        place: Place,
        facts: Facts,
        routes: tuple[Route, ...],
        refused: Mapping[str, str],
        opens: bool,
        why_not: str = "",
        start_page: bool = True,
        patience: float = 10.0,
        second_look: float = 40.0,
    ) -> None:
        self.place: Place = place
        self.facts: Facts = facts
        self.routes: tuple[Route, ...] = routes
        self.refused: Mapping[str, str] = refused
        self.opens: bool = opens
        self.why_not: str = why_not
        self.start_page: bool = start_page
        self.patience: float = patience
        self.second_look: float = second_look
        self.simulated: str = ""

    def route(self, flow: str) -> Route | None:
        """Return the route of a flow; None when there is none."""
        return next((one for one in self.routes if one.flow == flow), None)

    def only(self, flow: str) -> Plan:
        """Return a plan for one flow alone, even if it was refused, because the person wants this one."""
        return Plan(
            place=self.place,
            facts=self.facts,
            routes=(Route(flow, AT_ONCE, "It is the flow that was requested."),),
            refused={},
            opens=self.opens,
            why_not=self.why_not,
            start_page=flow != "paste" and (self.start_page or flow not in POLLED),
            patience=self.patience,
            second_look=self.second_look,
        )

    def starting(self, starts: str) -> tuple[Route, ...]:
        """Return the routes that start at a given moment."""
        return tuple(one for one in self.routes if one.starts == starts)

    def beside(self, *, visited: bool) -> tuple[Route, ...]:
        """Return the routes that start automatically when the browser has not returned in time.

        Args:
            visited: the browser has reached our start page. Then `paste` does not help: if the server does
                not redirect, there is no URL to paste.
        """
        return tuple(one for one in self.starting(UNVISITED) if not (visited and one.flow == "paste"))
