"""The calls of a flow as commands that somebody can try: for flows that no browser has to come back from.

No secret is in an argument of a command, where every process of the machine could read it: it is read into
a variable of the shell, and goes to curl through a here-document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopback_auth.compare.model import Run
from loopback_auth.explain.story import FROM_RESPONSE, Manner, shown_link
from loopback_auth.explain.value_flow import came_back
from loopback_auth.model import FORM
from loopback_auth.trace.evidence import traits_of
from loopback_auth.trace.reading import LABEL, label_kind, labels_in, media_type
from loopback_auth.trace.records import Exchange, Step

SHOWN = frozenset({"accept", "authorization", "content-type"})
"""Headers that a server may insist on."""

_GIVEN = re.compile(r"\{([a-zA-Z_]+)(?:" + re.escape(FROM_RESPONSE.removesuffix("}")) + r")?\}")
"""An address that only the provider knows."""


def commands(run: Run, manner: Manner) -> tuple[str, ...]:
    """Write the calls of a rehearsed flow as commands of a shell, in order; none for other flows."""
    if not manner.rehearsed or not traits_of(run.flow).polled:
        return ()
    return tuple(_commands(run, manner))


def _commands(run: Run, manner: Manner) -> Iterator[str]:
    members: dict[str, str] = {}
    known: set[str] = set()
    last = ""
    for entry in run.trace.entries:
        command = _command(entry, manner)
        if command and command != last:
            last = command
            for name in dict.fromkeys((*map(label_kind, labels_in(command)), *_GIVEN.findall(command))):
                if name not in known:
                    known.add(name)
                    yield f"read -rs {name}  # paste {members.get(name, name)} from the response, press Enter"
            yield _GIVEN.sub(r"$\1", LABEL.sub(lambda label: f"${label_kind(label[0])}", command))
        if isinstance(entry, Exchange):
            members.update((label_kind(value), name) for name, value in came_back(entry))


def _command(entry: Step | Exchange, manner: Manner) -> str:
    """Write a command; labels and names in braces stand for what is not known."""
    if isinstance(entry, Step):
        link = shown_link(entry.value("url"), manner)
        return f'# open this link in a browser\necho "{link}"' if entry.name == "invite" else ""
    if (entry.sender, entry.receiver) != ("client", "server") or entry.step == "key set request":
        return ""
    url = shown_link(entry.url, manner)
    options = list(_options(entry, manner))
    if entry.method == "GET" and not options and not labels_in(url) and not _GIVEN.search(url):
        return f"# {entry.step}\ncurl '{url}'"
    lines = (f'{name} = "{_quoted(value)}"' for name, value in (("url", url), *options))
    return "\n".join((f"# {entry.step}", "curl -K- <<END", *lines, "END"))


def _options(exchange: Exchange, manner: Manner) -> Iterator[tuple[str, str]]:
    for name, value in exchange.request_headers:
        scheme, _, credentials = value.partition(" ")
        if name.lower() == "authorization" and scheme == "Basic":
            yield "user", credentials
        elif name.lower() in SHOWN and value not in ("application/json", "*/*", FORM):
            yield "header", f"{name}: {manner.translated(value)}"
    if exchange.request_body and media_type(exchange.request_headers) != FORM:
        yield "header", "Content-Type: application/json"
    if exchange.method != "GET":
        yield "data", manner.translated(exchange.request_body)


def _quoted(value: str) -> str:
    """Escape what curl, and what the shell in a here-document, would take for something else."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return re.sub(r"[\\$`]", lambda found: f"\\{found[0]}", escaped)
