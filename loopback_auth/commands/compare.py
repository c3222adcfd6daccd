"""Run the flows side by side and show how they differ, judged from what happened.

Without options, each flow signs in to the built-in demonstration server on real sockets, with a simulated
browser and person. That takes some seconds and asks you nothing. --simulate does the same in memory, with
the same result each time. --without runs each flow a second time without one of its defences, and shows which
attacks succeed then. With --live each flow runs at PROVIDER in your own browser, with a consent each. A flow
that the provider refuses is skipped, with what the provider said. The tokens are revoked where the provider
offers that, and never kept.

Two or more PROVIDERs are compared as servers, without a sign-in: each is examined as by audit.

Examples:
  python -m loopback_auth compare
  python -m loopback_auth compare --flows code,ticket -o report.html
  python -m loopback_auth compare --simulate --json
  python -m loopback_auth compare --without pkce,state -o lesson.html
  python -m loopback_auth compare netlify --client-id ID --live -o report.html -o report.har
  python -m loopback_auth compare netlify --client-id ID --live --resume
  python -m loopback_auth compare github gitlab google -o servers.html

The ending of the file's name says what is written: .html, .json, .har, .md, .summary.md (short), .mmd,
.sarif, .svg (a badge), .txt or .xml (JUnit). Secrets are labels such as <code#1>: the same secret has the
same label everywhere.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack

from loopback_auth.cli import answer, settings_of, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.commands._audit_servers import compare_servers
from loopback_auth.commands._report_output import add_outputs, check_outputs, deliver
from loopback_auth.commands.demo import signing_server
from loopback_auth.compare.attacks import demo_attacks, simulated_attacks
from loopback_auth.compare.drawing.document import written
from loopback_auth.compare.drawing.schema import schema
from loopback_auth.compare.running.choices import choice, demo_client
from loopback_auth.compare.running.resumable import conditions_of, run_flows
from loopback_auth.compare.running.run import compare_demo, compare_simulated, comparison
from loopback_auth.compare.running.simulate import ISSUER
from loopback_auth.compare.running.unfinished import Unfinished
from loopback_auth.compare.twins.without import compare_without, twins
from loopback_auth.demo.serve import serve_demo
from loopback_auth.errors import ConfigError
from loopback_auth.flow_table import BY_NAME, COMPARED
from loopback_auth.folders import data_folder
from loopback_auth.settings import DEMO
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.setting import SETTINGS
from loopback_auth.signin.refresh import can_verify_signatures
from loopback_auth.terminal.run_progress import RunProgress
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loopback_auth.commands._report_output import Outputs
    from loopback_auth.compare.model import Comparison
    from loopback_auth.compare.running.run import Judged
    from loopback_auth.compare.running.unfinished import Unfinished
    from loopback_auth.settings import Settings


USAGE = "[PROVIDER …] [--flows LIST] [--simulate | --without LIST | --live] [-o FILE] [options]"
SHOWN = ("issuer", "client_id", "scope", "port", "redirect_uri", "browser", "timeout")
"""The settings that its help describes."""
DEVICE_INTERVAL = 5
"""Seconds between two polling requests: the default of RFC 8628 §3.2."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "providers",
        nargs="*",
        metavar="PROVIDER",
        help="where to sign in, with --live; two or more: the servers to compare",
    )
    parser.add_argument(
        "--flows",
        action="append",
        metavar="LIST",
        help="names of flows, with commas or spaces between them; may be repeated; default: all of them",
    )
    ground = parser.add_mutually_exclusive_group()
    ground.add_argument(
        "--simulate", action="store_true", help="run in memory, with the same result each time"
    )
    ground.add_argument("--live", action="store_true", help="use a real browser, and PROVIDER if it is given")
    parser.add_argument(
        "--without",
        nargs="?",
        const="",
        metavar="LIST",
        help="put twins beside the flows that go without these defences, in memory; such as pkce,state+pkce "
        "or all; see help defences",
    )
    parser.add_argument("--resume", action="store_true", help="with --live: go on where you stopped")
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON Schema of what --json writes; nothing is run"
    )
    add_outputs(parser)
    parser.add_argument(
        "--show-secrets", action="store_true", help="write codes and tokens as they are instead of labels"
    )
    add_settings(parser, SHOWN)


def run(options: argparse.Namespace) -> int:
    """Compare the chosen flows, and write the result."""
    if options.schema:
        answer(written(schema(), indent=2) + "\n")
        return 0
    _check_providers(options)
    if len(options.providers) > 1:
        return compare_servers(options)
    options.provider = next(iter(options.providers), None)
    _check(options)
    names = _names(options)
    outputs = check_outputs(options, columns=names)
    if options.show_secrets:
        text = "--show-secrets writes codes and tokens as they are. Anyone who reads them can use them."
        tell(Words.WARNING.format(text=text))
    if options.live:
        return _live(options, names, outputs)
    if options.without is not None:
        return deliver(_without(options, names), outputs, private=options.show_secrets)
    compare = _simulated if options.simulate else _demonstrated
    comparison = compare(names, secrets=options.show_secrets)
    return deliver(comparison, outputs, private=options.show_secrets)


def _check(options: argparse.Namespace) -> None:
    """Refuse options that do not fit together."""
    if options.live and options.without is not None:
        raise ConfigError(
            "A twin without a defence runs only in memory, so --without has no effect with --live.",
            hint="Leave one of the two out.",
        )
    if options.live:
        return
    if options.resume:
        raise ConfigError("--resume needs --live.", hint="Add --live, or leave --resume out.")

    flags = [one.flag for one in SETTINGS if one.name != "flow" and vars(options).get(one.name) is not None]
    if options.provider not in (None, DEMO) or flags:
        what = flags[0] if flags else ascii(options.provider)[:80]
        raise ConfigError(
            f"Without --live nothing is sent to a provider, so {what} has no effect.",
            hint="Add --live to sign in with your own browser, once for each flow.",
        )


def _check_providers(options: argparse.Namespace) -> None:
    """Refuse the names of flows where those of providers belong."""
    flows = [name for name in options.providers if name in BY_NAME]
    if flows:
        raise ConfigError(
            f"{flows[0]!r} is a flow, not a provider.",
            hint=f"Name flows behind --flows, as in compare --flows {','.join(flows)}",
        )


def _names(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the names of the chosen flows.

    Raises:
        ConfigError: a flow is unknown, or none was named.
    """
    listed = options.flows if options.flows is not None else options.flow and [options.flow]
    if listed is None:
        return COMPARED
    parts = [" ".join(part.split()) for text in listed for part in text.split(",")]
    # A blank is a part of some names, and separates others.
    names = tuple(
        dict.fromkeys(name for part in parts for name in ([part] if part in BY_NAME else part.split()))
    )
    for name in names or ("",):
        choice(name, demo_client(ISSUER))
    return names


def _simulated(names: Sequence[str], *, secrets: bool) -> Comparison:
    return compare_simulated(names, attacks=lambda run: simulated_attacks(run.flow), secrets=secrets)


def _without(options: argparse.Namespace, names: Sequence[str]) -> Comparison:
    """Compare flows with their twins."""
    named = options.flows is not None or options.flow
    columns = twins(options.without, names if named else ())
    tell("Everything runs in memory: the program itself cannot leave a defence out.")
    return compare_without(columns, secrets=options.show_secrets)


def _demonstrated(names: Sequence[str], *, secrets: bool) -> Comparison:
    count = f"{len(names)} flow{'s' * (len(names) != 1)}"
    tell(f"Comparing {count} with the built-in demo server; you do not have to do anything.")
    with RunProgress(names) as progress:
        return asyncio.run(
            compare_demo(
                names,
                tell=progress.tell,
                attacks=demo_attacks,
                device_interval=DEVICE_INTERVAL,
                secrets=secrets,
            )
        )


def _live(options: argparse.Namespace, names: Sequence[str], outputs: Outputs) -> int:
    """Compare at a real provider, or at the demonstration with a real browser."""
    settings, made_at = settings_of(options), time.time()
    judged, unfinished = asyncio.run(_with_client(settings, names, resume=options.resume))
    whole = comparison("live", judged, made_at=made_at, provider=settings.name, secrets=options.show_secrets)
    status = deliver(whole, outputs, private=options.show_secrets)
    if any(run.outcome == "failed" for run, _ in judged):
        tell("Some flows failed. The finished flows are kept; --resume runs only the failed ones again.")
    else:
        unfinished.forget()
    return status


async def _with_client(
    settings: Settings, names: Sequence[str], *, resume: bool
) -> tuple[list[Judged], Unfinished]:
    async with AsyncExitStack() as stack:
        if settings.is_demo:
            demo = await stack.enter_async_context(serve_demo(server_factory=signing_server))
            client = demo_client(demo.issuer, openid=can_verify_signatures())
        else:
            client = client_config(settings)
        conditions, unfinished = conditions_of(settings, client), Unfinished(data_folder(os.environ), client)
        return await run_flows(names, conditions, unfinished, resume=resume, tell=tell), unfinished
