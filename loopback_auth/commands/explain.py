"""Explain a flow, a link, an error code, a token or a recording.

A flow is explained step by step: the program runs it in memory, with the addresses of PROVIDER, and shows
each request, what each parameter is for, and who could take a secret. Nothing is sent, except by
`explain mcp URL`: it asks the resource at that URL and its server what they demand.

A link is an authorization request, a redirect with its response, or a page where a login is approved. The
explanation says what each parameter is for and who made it, then what is missing or wrong. A token (JWT) is
decoded here; its signature is not checked. An error code is explained with its usual causes and what to do.

The output has labels in place of codes and tokens. What is typed as an argument stays in the shell's history:
pass secrets on the standard input, as in the last example. Put links in quotes.

Examples:
  python -m loopback_auth explain
  python -m loopback_auth explain ticket netlify
  python -m loopback_auth explain ticket netlify -o ticket.html
  python -m loopback_auth explain code --issuer https://id.example --client-id ID
  python -m loopback_auth explain mcp https://mcp.example/mcp
  python -m loopback_auth explain 'https://id.example/authorize?response_type=code&client_id=ID'
  python -m loopback_auth explain invalid_grant google
  python -m loopback_auth explain AADSTS50011
  python -m loopback_auth explain --har recording.har
  python -m loopback_auth explain -
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from loopback_auth.cli import answer, print_json, print_table, settings_of, tell
from loopback_auth.cli.arguments import add_settings
from loopback_auth.compare.model import RESOURCE
from loopback_auth.compare.running.choices import choice, demo_client
from loopback_auth.compare.running.simulate import ISSUER
from loopback_auth.errors import ConfigError
from loopback_auth.explain.capture import capture
from loopback_auth.explain.har import LIMIT
from loopback_auth.explain.narration import recorded_story, rehearsed_story
from loopback_auth.explain.rehearsal import rehearse
from loopback_auth.explain.resource_story import resource_story
from loopback_auth.explain.story_text import members, text
from loopback_auth.explain.subject import LONGEST, recognised
from loopback_auth.explain.subject_story import subject_story, unknown_provider
from loopback_auth.explain.wording import Wording
from loopback_auth.flow_table import BY_NAME, FLOWS
from loopback_auth.protocol.json import object_or_none
from loopback_auth.settings import needs_secret
from loopback_auth.settings.configure import client_config
from loopback_auth.settings.presets import every_preset
from loopback_auth.trace.secret_finder import looks_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from loopback_auth.explain.narration import Story
    from loopback_auth.explain.subject import Subject
    from loopback_auth.model import ClientConfig


USAGE = "[WHAT [PROVIDER] | --har FILE] [options]"
SHOWN = ("issuer", "client_id", "scope", "response_mode", "resource_server", "ticket")
"""The settings that its help describes."""
WIDEST = 100
"""Characters of a line."""
PROMPT = "Paste the link, the token or the error, and press Enter: "
STAND_INS = {"client_id": "CLIENT_ID"}
SECRET = "made-up-client-secret"
"""The client secret in a rehearsal; the output shows its label."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    # The settings have flags of the same names; here they are positional.
    parser.add_argument(
        "name", nargs="?", metavar="WHAT", help="flow, error code, link, token or file; - is stdin"
    )
    parser.add_argument("provider", nargs="?", metavar="PROVIDER", help="whose addresses or errors to use")
    parser.add_argument("--har", metavar="FILE", help="explain a recording instead; - is stdin")
    parser.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="FILE",
        help="write it to a file instead: a page (.html) with one step at a time, .md, or a diagram (.mmd)",
    )
    add_settings(parser, SHOWN)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    options.output = _targets(options.output)
    if options.har is not None:
        if options.name:
            raise ConfigError("The recording shows which flow it is.", hint="Leave WHAT out with --har.")
        return _recording(_read(options.har), options)
    text = options.name or options.flow
    if not text:
        if options.output:
            raise ConfigError("There is nothing to write.", hint="Name what should be explained.")
        return _list(options)
    return _subject(recognised(text), options) if text != "-" else _piped(_read("-"), options)


def _subject(subject: Subject, options: argparse.Namespace, *, typed: bool = True) -> int:
    """Explain what was typed, or what a file has."""
    if subject.kind == "file":
        return _piped(_read(str(Path(subject.text).expanduser())), options)
    if subject.kind not in ("flow", "provider"):
        # Start-up: an argument is explained at once, a flow needs no clock.
        import time

        provider = options.provider or ""
        return _deliver([subject_story(subject, provider=provider, now=time.time(), typed=typed)], options)
    name, url = subject.text, options.resource_server or ""
    if (options.provider or "").startswith(("https://", "http://")):
        if name == RESOURCE:
            url = options.provider
        else:
            options.issuer = options.issuer or options.provider
        options.provider = None
    elif url and name != RESOURCE:
        raise ConfigError(
            f"--resource-server has no effect on {name}.",
            hint="Explain the flow that begins there: explain mcp URL",
        )
    return _deliver(
        [_resource_story(url, options) if name == RESOURCE and url else _story(name, options)], options
    )


def _piped(content: bytes, options: argparse.Namespace) -> int:
    """Explain what came from a file or the standard input: a recording, or one thing of the others."""
    document = content.lstrip()[:1] == b"{"
    if document and (len(content) > LONGEST or "log" in (object_or_none(content) or {"log": None})):
        return _recording(content, options)
    subject = recognised(content.decode("utf-8", "replace"))
    if subject.kind == "file":
        raise ConfigError("There is only the name of a file in it.", hint="Pass the file itself.")
    if subject.kind == "nothing":
        raise ConfigError("What should be explained is empty.", hint="Pass a link, a token or an error code.")
    return _subject(subject, options, typed=False)


def _recording(content: bytes, options: argparse.Namespace) -> int:
    """Explain the sign-ins in a recording."""
    found = capture(content)
    stories = [recorded_story(run, contract) for run, contract in found.runs]
    if not stories:
        raise ConfigError(
            f"There is no sign-in in this recording, only {found.others} other requests.",
            hint="Open the developer tools, turn Preserve log on, then sign in and save the recording again.",
        )
    return _deliver(stories, options, others=found.others)


def _deliver(stories: Sequence[Story], options: argparse.Namespace, *, others: int | None = None) -> int:
    """Print the explanation.

    Args:
        stories: one, or those of a recording.
        options: of the command.
        others: requests of a recording that belong to no sign-in; None: there was no recording.
    """
    told = [members(story) for story in stories]
    if options.json:
        print_json(told[0] if others is None else {"sign_ins": told, "others": others})
        return 0
    if options.output:
        _write(stories, options.output)
        return 0
    width = _width()
    answer("\n\n".join(text(story, width=width) for story in stories))
    if others is not None:
        answer(f"\nOther requests in the recording, not shown: {others}.\n")
    return 0


def _targets(paths: Sequence[str]) -> list[str]:
    """Check where the explanation is to be written, before anything is run."""
    if not paths:
        return []
    from loopback_auth.explain.page import check_story_target  # Start-up: templates are for files alone.

    return [check_story_target(path) for path in paths]


def _write(stories: Sequence[Story], paths: Sequence[str]) -> None:
    from loopback_auth.explain.page import write_story  # Start-up, as above.

    for path in paths:
        write_story(stories, path)
        tell(f"Written: {path}")


def _resource_story(url: str, options: argparse.Namespace) -> Story:
    """Ask a resource and its authorization server what they demand, and explain what would follow."""
    # Start-up: explaining what is not asked for needs no network.
    import asyncio
    import time

    from loopback_auth.flows.resource import ResourceAccess, find_resource
    from loopback_auth.signin.driver import Driver
    from loopback_auth.signin.resources import Resources
    from loopback_auth.trace.recorder import Recorder

    options.resource_server = url
    client = client_config(settings_of(options))
    recorder = Recorder(RESOURCE, ground="live", provider=client.provider.shown_name, clock=time.monotonic)

    async def asked() -> ResourceAccess:
        async with Resources(network=client.provider.network, observer=recorder) as resources:
            return await Driver(resources).run(find_resource(client))

    access = asyncio.run(asked())
    return resource_story(client, access, recorder.trace())


def _list(options: argparse.Namespace) -> int:
    if options.json:
        print_json([{"flow": flow.name, "summary": flow.summary, "source": flow.source} for flow in FLOWS])
        return 0
    print_table([(flow.name, flow.summary) for flow in FLOWS])
    tell("One of them, step by step: python -m loopback_auth explain ticket netlify")
    tell("An error code, a link or a token: python -m loopback_auth help explaining")
    return 0


def _story(name: str, options: argparse.Namespace) -> Story:
    client = _client(name, options)
    rehearsal = rehearse(name, client)
    # A vendor that only has tickets is not a provider with a name.
    provider = rehearsal.provider if options.provider or not options.ticket else options.ticket
    wording = Wording(
        provider,
        rehearsal.translated,
        rehearsal.contract,
        rehearsed=client is not None,
        declared=client.provider if client is not None else None,
    )
    return rehearsed_story(rehearsal.run, wording)


def _client(name: str, options: argparse.Namespace) -> ClientConfig | None:
    """Return the client that the settings describe; None for the one of the demonstration server.

    Missing values are made up: nothing is sent.
    """
    if name in every_preset():
        flow = options.provider if options.provider in BY_NAME else "code"
        raise ConfigError(
            f"{name} is a provider, not a flow.", hint=f"Name the flow first, as in explain {flow} {name}."
        )
    options.flow = choice(name, demo_client(ISSUER)).flow
    if options.ticket:
        options.client_id = options.client_id or STAND_INS["client_id"]
    try:
        settings = settings_of(options)
    except ConfigError:
        if looks_secret(options.provider or ""):  # A code or a token in the place of a name.
            raise unknown_provider(options.provider) from None
        raise
    if settings.is_demo or not (options.provider or _places(options)):
        return None
    settings = settings.completed(STAND_INS, "made up")
    if needs_secret(settings):
        settings = settings.with_secret(SECRET)
    return client_config(settings)


def _places(options: argparse.Namespace) -> bool:
    """Return whether flags say where to sign in."""
    return any(
        vars(options).get(name) for name in ("issuer", "authorization_endpoint", "token_endpoint", "ticket")
    )


def _read(path: str) -> bytes:
    try:
        if path == "-" and sys.stdin.isatty():
            return _asked()
        if path == "-":
            return sys.stdin.buffer.read(LIMIT + 1)
        with Path(path).open("rb") as file:
            return file.read(LIMIT + 1)
    except OSError as exc:
        raise ConfigError(
            f"The file {path[:200]!a} cannot be read: {exc.strerror}",
            hint="Pass a file with a link, a token, or a recording that a browser saved as HAR.",
        ) from exc


def _asked() -> bytes:
    """Ask at the terminal, where the answer is not shown and may be longer than a line of a terminal."""
    # Start-up: only a person at a terminal needs them.
    import asyncio

    from loopback_auth.terminal.paste import read_line

    return asyncio.run(read_line(PROMPT)).encode("utf-8", "replace")


def _width() -> int:
    """Return the width of the terminal; behind a pipe to a pager it is that of stderr."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            return min(os.get_terminal_size(stream.fileno()).columns or WIDEST, WIDEST)
    return WIDEST
