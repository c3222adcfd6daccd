"""What the program leaves behind: in its output, in command lines, in files, and on its port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from loopback_auth.audit.programs.facts.evidence import Evidence, fact
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.reading import holds
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen

TOKENS = {"access_token": "access token", "refresh_token": "refresh token", "id_token": "ID token"}
SHUT_WITHIN = 5.0
"""Seconds in which the port has to be closed after the sign-in."""


def tokens_of(result: ProgramResult) -> dict[str, str]:
    """Return the tokens that a sign-in brought, by the names for people."""
    return {shown: result.tokens[name] for name, shown in TOKENS.items() if result.tokens.get(name)}


def codes_of(result: ProgramResult) -> dict[str, str]:
    """Return code and verifier of a sign-in, by the names for people."""
    sent = {
        name: one.parameters[name]
        for one in result.token_requests
        for name in ("code", "code_verifier")
        if name in one.parameters
    }
    return {name.replace("_", " "): value for name, value in sent.items()}


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    """Return the names of the secrets that a text has in it."""
    return [name for name, value in secrets.items() if holds(text, value)]


def listed(names: Iterable[str]) -> str:
    """List the names of secrets in a sentence."""
    *first, last = (f"the {name}" for name in dict.fromkeys(names))
    return f"{', '.join(first)} and {last}" if first else last


def with_tokens(result: ProgramResult) -> Iterator[tuple[str, int, list[str]]]:
    """Return path, mode and names of the tokens of each file that has some."""
    for one in result.seen.files:
        if names := found_in(one.content.decode("utf-8", "replace"), tokens_of(result)):
            yield one.path, one.mode, names


def _codes_printed(evidence: Evidence) -> Judgement:
    for result in evidence.all():
        if names := found_in(result.seen.output, codes_of(result)):
            return failed(f"The output has {listed(names)} in it.")
    return _unless_none(evidence, "The output has neither code nor verifier in it.")


def _tokens_logged(evidence: Evidence) -> Judgement:
    for result in evidence.all():
        if names := found_in(result.seen.stderr, tokens_of(result)):
            return failed(f"stderr has {listed(names)} in it.")
    return _unless_none(evidence, "stderr has no token in it.")


def _in_argv(evidence: Evidence) -> Judgement:
    for result in evidence.all():
        secrets = codes_of(result) | tokens_of(result)
        if names := [name for line in result.seen.argv for name in found_in(line, secrets)]:
            return failed(f"A command line has {listed(names)} in it.")
    return _unless_none(evidence, "No command line has a code, verifier or token in it.")


def _modes(evidence: Evidence) -> Judgement:
    files = [found for result in evidence.all() for found in with_tokens(result)]
    if not files:
        return idle("No file was seen with a token in the clear.")
    for path, mode, names in files:
        if mode & 0o077:
            return failed(f"~/{path} has {listed(names)} in it, and mode {mode:04o}.")
    path, mode, _ = files[0]
    return passed(f"~/{path} has mode {mode:04o}.")


def _codes_kept(evidence: Evidence) -> Judgement:
    result = evidence.plain
    for one in result.seen.files:
        if names := found_in(one.content.decode("utf-8", "replace"), codes_of(result)):
            return failed(f"~/{one.path} has {listed(names)} in it.")
    return _unless_none(evidence, "No file has code or verifier in it.")


def _processes(evidence: Evidence) -> Judgement:
    left = max(one.left_behind for one in evidence.all())
    return failed(f"{left} of its processes had to be ended.") if left else passed("No process was left.")


def _port(evidence: Evidence) -> Judgement:
    plain = evidence.plain
    port = urlsplit(plain.request.get("redirect_uri", "")).port
    if port is None:
        return idle("The program listens at no port.")
    if plain.port_open_after is None:
        return unseen("It was not seen when the port was closed.")
    if plain.port_open_after <= SHUT_WITHIN and any(one.port == port for one in plain.seen.listeners):
        return unseen("The port was still open when the program was ended.")
    judge = passed if plain.port_open_after <= SHUT_WITHIN else failed
    return judge(f"The port was open for {plain.port_open_after:.1f} s after the sign-in.")


def _first(evidence: Evidence) -> Judgement:
    if urlsplit(evidence.plain.request.get("redirect_uri", "")).port is None:
        return idle("The program listens at no port.")
    seen = [one.listened_first for one in evidence.all() if one.listened_first is not None]
    if not seen:
        return unseen("It was not seen whether the port was open when the browser was started.")
    late = seen.count(False)
    if late:
        return failed(f"In {late} of {len(seen)} sign-ins the browser was started before the port was open.")
    return passed(f"In {len(seen)} sign-ins the port was open when the browser was started.")


def _unless_none(evidence: Evidence, because: str) -> Judgement:
    """Return that nothing was found, if there was something to find."""
    sought = codes_of(evidence.plain) | tokens_of(evidence.plain)
    return passed(because) if sought else unseen("There was no code and no token to look for.")


FACTS = (
    fact(
        "listens-first",
        "low",
        "The port is checked when the browser is started.",
        "The program listens before it starts the browser",
        "The browser is started before the port is open.",
        "RFC 8252 §7.3; synfinatic/aws-sso-cli#1441",
        "Bind the port, make the link from it, and only then start the browser.",
        _first,
    ),
    fact(
        "port-closed",
        "low",
        "The time until the port is closed after the sign-in is measured.",
        "The port is closed within 5 seconds after the sign-in",
        "The port stays open after the sign-in.",
        "RFC 8252 §8.3",
        "Close the port when the response has been answered.",
        _port,
    ),
    fact(
        "code-in-output",
        "low",
        "The output is searched for the code and the verifier.",
        "The output has neither the code nor the verifier in it",
        "The output has the code or the verifier in it.",
        "CWE-532; RFC 6749 §10.5",
        "Turn off the request log of the HTTP server, and do not print the response's URL.",
        _codes_printed,
    ),
    fact(
        "tokens-in-stderr",
        "medium",
        "What is written to stderr is searched for tokens.",
        "stderr has no token in it",
        "stderr has a token in it.",
        "CWE-532; RFC 6749 §10.3",
        "Print no token to stderr: it is what logs keep.",
        _tokens_logged,
    ),
    fact(
        "secrets-in-argv",
        "high",
        "The command lines of all its processes are searched for code, verifier and tokens.",
        "No command line has a code, verifier or token in it",
        "A command line has a secret in it.",
        "CWE-214",
        "Hand secrets to other processes by a pipe or a file of mode 0600.",
        _in_argv,
    ),
    fact(
        "file-modes",
        "medium",
        "The modes of files with tokens in them are checked.",
        "Files with tokens in them can be read by the user alone",
        "Other users can read a file with tokens in it.",
        "CVE-2025-27154; CWE-732; RFC 6749 §10.3",
        "Create the file with mode 0600 (O_CREAT with O_EXCL), not with a later chmod.",
        _modes,
    ),
    fact(
        "code-in-files",
        "low",
        "The files are searched for the code and the verifier.",
        "No file has the code or the verifier in it after the sign-in",
        "A file keeps the code or the verifier.",
        "CWE-312",
        "Keep code and verifier in memory, or delete the file.",
        _codes_kept,
    ),
    fact(
        "processes-left",
        "low",
        "The processes that still run after the program has ended are counted.",
        "No process is left after the sign-in",
        "Processes are left after the sign-in.",
        "RFC 8252 §8.3",
        "End what the program has started before it ends.",
        _processes,
    ),
)
