"""What `doctor` shows to people: where it runs, how to sign in there, and what a server has answered."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from loopback_auth.cli import answer
from loopback_auth.doctor.redirect_probe import ProbeAnswer
from loopback_auth.doctor.report import ANY_PORT, FACTS, Circumstances, refused_flows
from loopback_auth.flow_table import NO_REDIRECT
from loopback_auth.network.report import NetworkSetting
from loopback_auth.plan.model import ASKED, AT_ONCE, UNVISITED, Plan
from loopback_auth.plan.port_forwarding import forwarding_command
from loopback_auth.plan.signals import signals
from loopback_auth.settings import DEMO
from loopback_auth.settings.overrides import LOGIN_IN_CONTAINER
from loopback_auth.terminal.tables import filled, table
from loopback_auth.words import Words

WIDEST = 100
QUESTIONS = (
    "a page can be opened",
    "your browser reaches this machine",
    "you can be asked",
    "the program waits for you",
)
"""The facts, in the order of `FACTS`."""
DECIDES: Mapping[str, tuple[str, ...]] = {
    "device_authorization": ("device",),
    "redirect_uri": ("code", "paste"),
    "response_type=code": ("code", "paste"),
}
"""Which answers of the server decide about which routes."""


def show(
    circumstances: Circumstances,
    chosen: Plan,
    answers: tuple[ProbeAnswer, ...],
    *,
    owner: tuple[str, str],
    advice: str,
    network: Sequence[NetworkSetting],
) -> None:
    """Write the diagnosis.

    Args:
        circumstances: what the plan was made from.
        chosen: the plan.
        answers: of the server; empty: none was asked.
        owner: user and host, for the command that forwards the port.
        advice: what to register at the provider; empty: it is not known.
        network: how the server is reached.
    """
    _show_place(circumstances, chosen)
    _show_routes(circumstances, chosen, answers)
    _show_port(circumstances, chosen, *owner)
    if network:
        _show("How the server is reached:", [(one.name, one.value) for one in network])
    _show_answers(answers, advice)


def _show_place(circumstances: Circumstances, chosen: Plan) -> None:
    answer(Words.ENVIRONMENT.format(place=chosen.place.title) + "\n")
    if chosen.place.advice:
        answer(f"{filled(chosen.place.advice, _columns())}\n")
    facts = [(question, getattr(chosen.facts, name)) for name, question in zip(FACTS, QUESTIONS, strict=True)]
    _show("What follows:", [(question, fact.level, "; ".join(fact.because)) for question, fact in facts])
    seen = signals(circumstances.surroundings)
    _show("What was seen:", [(one.name, one.value, one.meaning) for one in seen])


def _show_routes(circumstances: Circumstances, chosen: Plan, answers: tuple[ProbeAnswer, ...]) -> None:
    name = circumstances.provider
    # The demonstration begins with the redirect alone; without a server the question is about a real one.
    where = "a server with every flow" if name == DEMO else name
    begins = {
        AT_ONCE: "at once",
        UNVISITED: f"after {chosen.patience:.0f} s",
        ASKED: "if you ask",
    }
    no = {flow for one in answers if one.verdict == "no" for flow in DECIDES.get(one.what, ())}
    rows = [
        (one.flow, begins[one.starts], f"{one.why} But the server says no." if one.flow in no else one.why)
        for one in chosen.routes
    ]
    browser = f"No browser is started: {chosen.why_not}." if chosen.why_not else "The browser is started."
    if rows:
        _show(f"How to sign in to {where}, in order:", rows)
        answer(table([(browser,)], _columns()))
    else:
        _show(f"No flow can sign you in to {where} here.", [])
    if chosen.refused:
        title = "Why it cannot be used:" if circumstances.flow else "Flows that cannot be used:"
        _show(title, list(refused_flows(chosen).items()))


def _show_port(circumstances: Circumstances, chosen: Plan, user: str, host: str) -> None:
    if all(one.flow in NO_REDIRECT for one in chosen.routes):
        return
    authority = circumstances.authority
    fixed = not authority.endswith(f":{ANY_PORT}")
    line = forwarding_command(
        chosen.place,
        circumstances.surroundings.environ,
        [authority],
        user=user,
        host=host,
        command=LOGIN_IN_CONTAINER,
    )
    port = f"{ANY_PORT} is the one that the sign-in shows."
    if fixed:
        port = f"The port is {authority}."
    elif f"--port {ANY_PORT}" in line:
        port = f"{ANY_PORT} is any that is free, such as 8400."
    if line:
        _show("To reach the port from a browser on another machine:", [])
        answer(f"  {line}\n  {port}\n")  # Never broken: it is there to be copied.
    elif fixed:
        _show(port, [])


def _show_answers(answers: tuple[ProbeAnswer, ...], advice: str) -> None:
    if not answers:
        return
    rows = [
        (one.verdict, one.what.replace("urn:ietf:params:oauth:grant-type:", ""), one.because)
        for one in answers
    ]
    _show("What the server answers to this client:", rows)
    if todo := _advice(answers):
        _show("What to do:", [(f"{todo} {advice}".strip(),)])


def _advice(answers: tuple[ProbeAnswer, ...]) -> str:
    """Return what to do first: an unknown client has no redirect URI either."""
    if any(one.of_client and one.verdict == "no" for one in answers):
        return (
            "Correct --client-id, or the client secret and --client-auth if the client has one: the server "
            "objects to the client itself, so its answers tell nothing about the rest."
        )
    if any(one.what == "redirect_uri" and one.verdict == "no" for one in answers):
        return (
            "Register that redirect URI at the server, or give the registered one with --redirect-uri; or "
            "correct --client-id, if the server does not know that either."
        )
    return ""


def _show(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Write a title and an indented table."""
    answer(f"\n{title}\n{table(rows, _columns())}")


def _columns() -> int:
    try:
        return min(os.get_terminal_size(sys.stdout.fileno()).columns or WIDEST, WIDEST)
    except (OSError, ValueError):  # It is not a terminal.
        return WIDEST
