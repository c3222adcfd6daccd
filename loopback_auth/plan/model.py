"""What a plan is made of: surroundings, facts, capabilities, routes.

Plain classes, because a plan is made before the browser is started, and importing `dataclasses` would keep it
waiting. Knows nothing of how any of it is found out.
"""

from __future__ import annotations

from loopback_auth.flow_table import BY_NAME, POLLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

YES, LIKELY, UNKNOWN, UNLIKELY, NO = "yes", "likely", "unknown", "unlikely", "no"
LEVELS = (YES, LIKELY, UNKNOWN, UNLIKELY, NO)

AT_ONCE, UNVISITED, ASKED = "at once", "unvisited", "asked"
"""When a route begins: at once, when no browser has come to our page or come back in time, or when asked."""

NOBODY_TO_CONFIRM = (
    "Anyone with the {what} can approve a {flow} login, so the account must be confirmed, and there is no "
    "terminal to ask on."
)


def nobody_to_confirm(flow: str) -> str:
    """Say why a flow that anybody can approve is not for a program without a terminal."""
    return NOBODY_TO_CONFIRM.format(what=BY_NAME[flow].approved_with, flow=flow)


class Surroundings:
    """What the machine shows, as it was looked at.

    Args:
        environ: the environment, with whatever the person has overridden.
        platform: as `sys.platform`.
        kernel: release of the kernel, as `uname -r` shows it.
        files: those of the probed paths that exist.
        stdin: whether it is a terminal.
        stderr: whether it is a terminal.
        openers: programs that open a page and were found on PATH.
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
        self.environ = environ
        self.platform = platform
        self.kernel = kernel
        self.files = files
        self.stdin = stdin
        self.stderr = stderr
        self.openers = openers


class Fact:
    """One answer: how sure it is, and the signals or the wish behind it, in words for people."""

    __slots__ = ("because", "level")

    def __init__(self, level: str, *because: str) -> None:
        self.level = level
        self.because = because

    @property
    def reason(self) -> str:
        """What is behind it as one clause, the signals in brackets."""
        first, *signals = self.because
        return f"{first} ({', '.join(signals)})" if signals else first

    def __repr__(self) -> str:
        return f"Fact({', '.join(map(repr, (self.level, *self.because)))})"


class Facts:
    """The answers about this machine.

    Args:
        opens: can something open a page that the person sees?
        reaches: can that person's browser reach a port of ours?
        person: is a person at our terminal, who can be asked?
        waits: may we wait for somebody?
    """

    __slots__ = ("opens", "person", "reaches", "waits")

    def __init__(self, *, opens: Fact, reaches: Fact, person: Fact, waits: Fact) -> None:
        self.opens = opens
        self.reaches = reaches
        self.person = person
        self.waits = waits


class Place:
    """Where this runs, as one row of the table of places.

    Args:
        name: short and stable, for `--json` and tests.
        title: completes "This is ...", without a full stop.
        advice: what to do to sign in here more easily; empty when nothing special.
    """

    __slots__ = ("advice", "name", "title")

    def __init__(self, name: str, title: str, advice: str = "") -> None:
        self.name = name
        self.title = title
        self.advice = advice


class Capabilities:
    """What a provider allows this client, as far as it is declared.

    Args:
        refused: flow to why it cannot be; a flow that is missing here can be tried.
        any_port: the redirect URI may have any port (RFC 8252 §7.3).
    """

    __slots__ = ("any_port", "refused")

    def __init__(self, refused: Mapping[str, str], *, any_port: bool = True) -> None:
        self.refused = refused
        self.any_port = any_port


class Route:
    """One way to sign in: which flow, when it begins, and why then."""

    __slots__ = ("flow", "starts", "why")

    def __init__(self, flow: str, starts: str, why: str) -> None:
        self.flow = flow
        self.starts = starts
        self.why = why

    def __repr__(self) -> str:
        return f"Route({self.flow!r}, {self.starts!r}, {self.why!r})"


class Plan:
    """The ordered ways to sign in here with this provider.

    Args:
        place: where this runs.
        facts: what is known about it.
        routes: best first; those that begin at once are open together.
        refused: flow to why it is no route.
        opens: start a browser; otherwise links are only shown.
        why_not: why no browser is started; empty when one is.
        start_page: the browser that will be used may be able to come to a page of ours.
        patience: seconds without a visit to our page after which the routes that wait for that begin.
        second_look: seconds after such a visit without anything having come back, after which they do, too.
        simulated: why a simulated person signs in; empty: a real one does.
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
        self.place = place
        self.facts = facts
        self.routes = routes
        self.refused = refused
        self.opens = opens
        self.why_not = why_not
        self.start_page = start_page
        self.patience = patience
        self.second_look = second_look
        self.simulated = ""

    def route(self, flow: str) -> Route | None:
        """Return the route by a flow, if there is one."""
        return next((one for one in self.routes if one.flow == flow), None)

    def only(self, flow: str) -> Plan:
        """Return a plan for one flow and no other, whatever speaks against it: somebody wants just that."""
        return Plan(
            place=self.place,
            facts=self.facts,
            routes=(Route(flow, AT_ONCE, "It is the one that was asked for."),),
            refused={},
            opens=self.opens,
            why_not=self.why_not,
            start_page=flow != "paste" and (self.start_page or flow not in POLLED),
            patience=self.patience,
            second_look=self.second_look,
        )

    def starting(self, starts: str) -> tuple[Route, ...]:
        """Return the routes that begin on one occasion."""
        return tuple(one for one in self.routes if one.starts == starts)

    def beside(self, *, visited: bool) -> tuple[Route, ...]:
        """Return the routes that begin by themselves once the browser is not to be relied on any longer.

        Args:
            visited: it has come to our page, so that it is not out of reach. Then nothing is gained by an
                address to paste: where the server does not redirect there is none.
        """
        return tuple(one for one in self.starting(UNVISITED) if not (visited and one.flow == "paste"))
