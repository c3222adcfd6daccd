"""The choice between the flows: wishes, what a provider allows, and what holds whatever the machine shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_samples import (
    DESKTOP,
    DEVICE,
    DOCKER,
    EVERYTHING,
    PROPERTY,
    REDIRECT_ONLY,
    SSH,
    VSCODE,
    WSL,
    X11,
    machine,
    provider,
    story,
)

from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.plan.model import (
    ASKED,
    AT_ONCE,
    LEVELS,
    LIKELY,
    NO,
    UNKNOWN,
    UNLIKELY,
    UNVISITED,
    YES,
    Capabilities,
    Plan,
    Surroundings,
)
from loopback_auth.plan.routes import DECLARED, NO_TERMINAL_TO_CONFIRM, NOT_ALLOWED, capabilities, plan
from loopback_auth.plan.signals import PROBED, READ

BROWSERS = ("firefox", "none", "", "lynx", "'broken", "a:b %s", *(VSCODE["BROWSER"],))
VALUES = ("1", "true", "false", "0", ":0", "localhost:10.0", "CloudShell", "a b c d", "Services")
MACHINES = st.builds(
    Surroundings,
    st.builds(
        lambda environ, browser: environ | browser,
        st.dictionaries(st.sampled_from(READ), st.sampled_from(VALUES), max_size=6),
        st.just({}) | st.fixed_dictionaries({"BROWSER": st.sampled_from(BROWSERS)}),
    ),
    platform=st.sampled_from(("linux", "darwin", "win32", "cygwin", "freebsd14")),
    kernel=st.sampled_from(("", "6.1.0", "5.15.0-microsoft-standard-WSL2")),
    files=st.lists(st.sampled_from(PROBED), unique=True).map(tuple),
    stdin=st.booleans(),
    stderr=st.booleans(),
    openers=st.sampled_from(((), ("xdg-open",), ("wslview",), ("firefox",))),
)
SWITCH = st.booleans()
PROVIDERS = st.builds(
    capabilities,
    st.frozensets(st.sampled_from(DECLARED)),
    client_secret_missing=SWITCH,
    any_port=SWITCH,
)
WISHES = st.dictionaries(
    st.sampled_from(("opens", "reaches", "person", "waits")),
    st.tuples(
        st.sampled_from(LEVELS), st.sampled_from(("flag --x", "environment X", "file /x", "we say so"))
    ),
)
ALLOWED = st.sets(st.sampled_from(CHOOSABLE)) | st.just(CHOOSABLE)


@pytest.mark.slow
@PROPERTY
@given(MACHINES, PROVIDERS, WISHES, ALLOWED, SWITCH)
def test_every_flow_is_a_route_or_refused(
    seen: Surroundings,
    can: Capabilities,
    overrides: dict[str, tuple[str, str]],
    allowed: set[str],
    unconfirmed: bool,
) -> None:
    """Whoever asks why a flow was not tried gets an answer, and no sentence is half a sentence."""
    chosen = plan(seen, can, overrides=overrides, allowed=allowed, unconfirmed=unconfirmed)
    flows = [route.flow for route in chosen.routes]
    sentences = [*chosen.refused.values(), *(route.why for route in chosen.routes)]

    assert sorted([*flows, *chosen.refused]) == sorted(CHOOSABLE)
    assert set(flows) <= set(allowed)
    assert not set(flows) & set(can.refused)
    assert all(text[0].isupper() and text.endswith(".") and not text.endswith("..") for text in sentences)
    assert all(route.starts in (AT_ONCE, UNVISITED, ASKED) for route in chosen.routes)


@pytest.mark.slow
@PROPERTY
@given(MACHINES, PROVIDERS, WISHES, ALLOWED, SWITCH)
def test_something_begins_at_once_where_anything_can(
    seen: Surroundings,
    can: Capabilities,
    overrides: dict[str, tuple[str, str]],
    allowed: set[str],
    unconfirmed: bool,
) -> None:
    """A plan whose routes all wait for something would wait for ever."""
    chosen = plan(seen, can, overrides=overrides, allowed=allowed, unconfirmed=unconfirmed)

    assert bool(chosen.routes) == bool(chosen.starting(AT_ONCE))


@pytest.mark.slow
@PROPERTY
@given(MACHINES, WISHES)
def test_only_a_no_takes_the_redirect_away(seen: Surroundings, overrides: dict[str, tuple[str, str]]) -> None:
    """Signals lie: whatever is only unlikely stays in the race."""
    chosen = plan(seen, EVERYTHING, overrides=overrides)

    assert (chosen.route("code") is None) == (chosen.facts.reaches.level == NO)
    assert ("paste" in chosen.refused) == (chosen.facts.person.level not in (YES, LIKELY))
    assert all(("device" in chosen.refused, "ticket" in chosen.refused)) == (chosen.facts.person.level == NO)


@PROPERTY
@given(MACHINES, WISHES)
def test_a_browser_is_started_or_there_is_a_reason(
    seen: Surroundings, overrides: dict[str, tuple[str, str]]
) -> None:
    """A person who expects a browser is told why there is none."""
    chosen = plan(seen, EVERYTHING, overrides=overrides)

    assert chosen.opens == (not chosen.why_not)
    assert chosen.place.name


def test_wishes_stand_above_everything() -> None:
    """People unset variables of SSH just to get a browser (chainloop-dev/chainloop#3086)."""
    overrides = {"opens": (YES, "flag --browser"), "reaches": (YES, "environment LOOPBACK_AUTH_REACHABLE")}
    chosen = plan(machine(SSH), EVERYTHING, overrides=overrides)

    assert (chosen.opens, chosen.why_not) == (True, "")
    assert chosen.facts.opens.because == ("flag --browser",)
    assert story(chosen) == "code (ticket) [device] [paste]"
    assert "LOOPBACK_AUTH_REACHABLE says so" in chosen.routes[0].why


WORDS = {
    "flag": ("flag --no-browser", "--no-browser was given"),
    "environment": ("environment LOOPBACK_AUTH_BROWSER", "LOOPBACK_AUTH_BROWSER says so"),
    "file": ("file /home/alice/.config/x.toml [providers.a]", "the configuration file says so"),
    "preset": ("preset github", "the preset says so"),
    "program": ("the program opens no pages", "the program opens no pages"),
}


@pytest.mark.parametrize(("origin", "clause"), WORDS.values(), ids=WORDS)
def test_why_no_browser_is_wanted(origin: str, clause: str) -> None:
    """It is said as a clause, and names no folder of the person, since it may end in a public report."""
    chosen = plan(machine(DESKTOP), EVERYTHING, overrides={"opens": (NO, origin)})

    assert (chosen.opens, chosen.why_not) == (False, clause)


@pytest.mark.parametrize("browser", ["none", "echo", "", "w3m", "/usr/bin/lynx"])
def test_no_wish_starts_what_is_no_browser(browser: str) -> None:
    """A text browser would take over the terminal that shows the link, and `echo` would show nothing."""
    chosen = plan(
        machine(DESKTOP, {"BROWSER": browser}), EVERYTHING, overrides={"opens": (YES, "flag --browser")}
    )

    assert chosen.opens is False
    assert chosen.why_not.startswith("BROWSER")


def test_unknown_opener_is_tried_if_there_is_one() -> None:
    """Trying costs nothing, since a failing opener is noticed."""
    overrides = {"opens": (UNKNOWN, "the program cannot say")}

    assert plan(machine(), EVERYTHING, overrides=overrides).opens is True
    assert plan(machine(opener=""), EVERYTHING, overrides=overrides).why_not == "the program cannot say"


def test_unreachable_leaves_no_start_page() -> None:
    """A link to our own page would lead nowhere."""
    chosen = plan(machine(DESKTOP), EVERYTHING, overrides={"reaches": (NO, "flag --no-reachable")})

    assert chosen.start_page is False
    assert story(chosen) == "ticket [device] [paste]"
    assert chosen.refused["code"] == (
        "Your browser cannot come back to this machine: --no-reachable was given."
    )


PATIENCE = {
    "a browser is started": (machine(DESKTOP), 10),
    "the browser of Windows is": (machine(WSL, opener="wslview"), 20),
    "a person has to open the link": (machine(SSH), 20),
    "the same over X forwarding": (machine(SSH, X11), 20),
}


@pytest.mark.parametrize(("seen", "seconds"), PATIENCE.values(), ids=PATIENCE)
def test_patience(seen: Surroundings, seconds: float) -> None:
    """People are slower than programs, and so is Windows."""
    assert plan(seen, EVERYTHING, overrides={}).patience == seconds


def test_nobody_confirms_what_nobody_sees() -> None:
    """A stranger could approve a link of ours with their account, unless somebody looks at the name."""
    nobody = machine(DESKTOP, stdin=False)
    careful, careless = (
        plan(nobody, DEVICE, overrides={}),
        plan(nobody, DEVICE, overrides={}, unconfirmed=True),
    )

    assert story(careful) == "code"
    assert careful.refused["device"] == NO_TERMINAL_TO_CONFIRM
    assert story(careless) == "code (device)"
    assert careless.refused["paste"] == "There is no terminal to paste an address into."


LIMITS = {
    # what is declared: near a browser, far from one, unreachable
    "redirect only": (
        REDIRECT_ONLY,
        "code (paste)",
        "code paste",
        "paste",
    ),
    "an issuer may publish a device endpoint": (
        provider(endpoints=(), ticket=False),
        "code (device) [paste]",
        "device code [paste]",
        "device [paste]",
    ),
    "tickets only": (provider(issuer=False, endpoints=()), "ticket", "ticket", "ticket"),
    "device grant only": (
        provider(issuer=False, endpoints=("token", "device"), ticket=False),
        "device",
        "device",
        "device",
    ),
    "secret missing": (provider(client_secret_missing=True), *["ticket [device]"] * 3),
    "no token endpoint": (
        provider(issuer=False, endpoints=("authorization", "device"), ticket=False),
        *[""] * 3,
    ),
    "nothing declared": (provider(issuer=False, endpoints=(), ticket=False), *[""] * 3),
}


@pytest.mark.parametrize(("can", "near", "far", "away"), LIMITS.values(), ids=LIMITS)
def test_provider_limits(can: Capabilities, near: str, far: str, away: str) -> None:
    """The impossible is dropped before a person is asked for anything (METR/hawk#892: no device grant)."""
    unreachable = {"reaches": (NO, "flag --no-reachable")}

    assert story(plan(machine(DESKTOP), can, overrides={})) == near
    assert story(plan(machine(SSH), can, overrides={})) == far
    assert story(plan(machine(SSH), can, overrides=unreachable)) == away


def test_paste_waits_where_the_browser_may_come() -> None:
    """A question in the terminal would disturb a person whose browser is just starting."""
    chosen = plan(machine(SSH, X11), REDIRECT_ONLY, overrides={})

    assert (chosen.facts.reaches.level, story(chosen)) == (UNKNOWN, "code (paste)")


ALLOWED_ONLY = {
    "code": "code",
    "ticket": "ticket",
    "device": "device",
    "paste": "paste",
    "code paste": "code (paste)",
    "device paste": "device [paste]",
    "device code": "code (device)",
}


@pytest.mark.parametrize(("allowed", "routes"), ALLOWED_ONLY.items(), ids=ALLOWED_ONLY)
def test_only_what_is_allowed_is_tried(allowed: str, routes: str) -> None:
    """Some forbid the device grant (git-ecosystem/git-credential-manager#2368); what is left must begin."""
    chosen = plan(machine(DESKTOP), EVERYTHING, overrides={}, allowed=allowed.split())

    assert story(chosen) == routes
    assert set(chosen.refused.values()) <= {NOT_ALLOWED}


def test_every_refusal_names_the_first_reason() -> None:
    """What cannot be with this provider is said before what cannot be on this machine."""
    chosen = plan(
        machine(stdin=False, stderr=False), REDIRECT_ONLY, overrides={"reaches": (NO, "flag --no-reachable")}
    )

    assert chosen.refused == {
        "code": "Your browser cannot come back to this machine: --no-reachable was given.",
        "ticket": "No ticket contract is known for this provider.",
        "device": "Neither a device authorization endpoint nor an issuer is known.",
        "paste": "There is no terminal to paste an address into.",
    }


def test_reasons_in_full() -> None:
    """These sentences are what a person reads; they have to be right as sentences."""
    near, far = (
        plan(machine(DESKTOP), EVERYTHING, overrides={}),
        plan(machine(SSH), REDIRECT_ONLY, overrides={}),
    )

    assert [route.why for route in near.routes] == [
        "Your browser can come back to this machine: there is a display.",
        "You can approve in any browser, if no browser opens the link within 10 seconds, "
        "or none comes back from the server within 40.",
        "This flow begins if the ticket fails.",
        "You can paste the address on which your browser ends, if you ask for it.",
    ]
    assert [route.why for route in far.routes] == [
        "Your browser can come back only if it can reach a port of this machine: this is an SSH session.",
        "You can paste the address on which your browser ends: that works from any machine.",
    ]


def test_doubt_is_told() -> None:
    """Whoever reads the facts sees which variable was believed, and why not wholly."""
    chosen = plan(machine({"TMUX": "x"}, DESKTOP), EVERYTHING, overrides={})

    assert chosen.facts.reaches.because == (
        "there is a display",
        "DISPLAY is set",
        "TMUX is set, so that may be out of date",
    )
    assert plan(machine(files=DOCKER), EVERYTHING, overrides={}).facts.opens.because == (
        "this is a container",
        "/.dockerenv exists",
    )


def test_plan_of_one_flow() -> None:
    """A person who names a flow gets it, with the machine's facts and nothing else."""
    chosen: Plan = plan(machine(SSH), EVERYTHING, overrides={}).only("code")

    assert story(chosen) == "code"
    assert chosen.facts.reaches.level == UNLIKELY
