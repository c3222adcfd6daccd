"""The requests of a flow as shell commands with curl, for flows without a redirect.

Decides how each request is written. No secret is in an argument of a command, where every process of the
machine could read it: the shell reads it into a variable, and curl gets it through a here-document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from loopback_auth.compare.model import Run
from loopback_auth.explain.value_flow import response_parameters
from loopback_auth.explain.wording import FROM_RESPONSE, Wording, shown_link
from loopback_auth.http_messages import FORM
from loopback_auth.trace.evidence import traits_of
from loopback_auth.trace.reading import LABEL, label_kind, labels_in, media_type
from loopback_auth.trace.records import Exchange, Step

SENT_HEADERS = frozenset({"accept", "authorization", "content-type"})
"""Headers that a server may require."""

_PLACEHOLDER = re.compile(r"\{([a-zA-Z_]+)(?:" + re.escape(FROM_RESPONSE.removesuffix("}")) + r")?\}")
"""The name that stands for an address which only the provider knows."""


def commands(run: Run, wording: Wording) -> tuple[str, ...]:
    """Write the requests of a rehearsed flow as shell commands, in order; none for flows with a redirect."""
    if not wording.rehearsed or not traits_of(run.flow).polled:
        return ()
    return tuple(_commands(run, wording))


def _commands(run: Run, wording: Wording) -> Iterator[str]:
    members: dict[str, str] = {}
    known: set[str] = set()
    last = ""
    for entry in run.trace.entries:
        command = _command(entry, wording)
        if command and command != last:
            last = command
            for name in dict.fromkeys((*map(label_kind, labels_in(command)), *_PLACEHOLDER.findall(command))):
                if name not in known:
                    known.add(name)
                    yield f"read -rs {name}  # paste {members.get(name, name)} from the response, press Enter"
            yield _PLACEHOLDER.sub(r"$\1", LABEL.sub(lambda label: f"${label_kind(label[0])}", command))
        if isinstance(entry, Exchange):
            members.update((label_kind(value), name) for name, value in response_parameters(entry))


def _command(entry: Step | Exchange, wording: Wording) -> str:
    """Write one command; labels and names in braces stand for values that are not known."""
    if isinstance(entry, Step):
        link = shown_link(entry.value("url"), wording)
        return f'# open this link in a browser\necho "{link}"' if entry.name == "invite" else ""
    if (entry.sender, entry.receiver) != ("client", "server") or entry.step == "key set request":
        return ""
    url = shown_link(entry.url, wording)
    options = list(_options(entry, wording))
    if entry.method == "GET" and not options and not labels_in(url) and not _PLACEHOLDER.search(url):
        return f"# {entry.step}\ncurl '{url}'"
    lines = (f'{name} = "{_quoted(value)}"' for name, value in (("url", url), *options))
    return "\n".join((f"# {entry.step}", "curl -K- <<END", *lines, "END"))


def _options(exchange: Exchange, wording: Wording) -> Iterator[tuple[str, str]]:
    for name, value in exchange.request_headers:
        scheme, _, credentials = value.partition(" ")
        if name.lower() == "authorization" and scheme == "Basic":
            yield "user", credentials
        elif name.lower() in SENT_HEADERS and value not in ("application/json", "*/*", FORM):
            yield "header", f"{name}: {wording.translated(value)}"
    if exchange.request_body and media_type(exchange.request_headers) != FORM:
        yield "header", "Content-Type: application/json"
    if exchange.method != "GET":
        yield "data", wording.translated(exchange.request_body)


def _quoted(value: str) -> str:
    """Escape for a quoted value of curl's configuration inside a here-document of the shell."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return re.sub(r"[\\$`]", lambda found: f"\\{found[0]}", escaped)
