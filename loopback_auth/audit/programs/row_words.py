"""What stands in the cells: the words for one property of one program, from its answers and its sign-ins."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from loopback_auth.audit.programs.assembling import Audited
from loopback_auth.audit.programs.facts.leftover_facts import found_in, tokens_of, with_tokens
from loopback_auth.audit.programs.facts.page_facts import elsewhere
from loopback_auth.audit.programs.facts.request_facts import exchange
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.reading import most_bits, page_text
from loopback_auth.compare.model import Verdict

Words = Callable[[Audited], str]
"""The text of a cell; empty when it was not observed."""

SHORT = 30
"""Characters of a cell, where possible."""


def answer_words(question: str, *, passed: str, failed: str, unseen: str = "") -> Words:
    """Take one of some texts, by the verdict on a question.

    Args:
        question: its id.
        passed: the text when the program has passed.
        failed: the text when it has not.
        unseen: the text when that was not observed; empty: the cell says so.
    """
    texts: dict[Verdict, str] = {
        "pass": passed,
        "fail": failed,
        "not applicable": "does not apply",
        "not observed": unseen,
    }
    return lambda one: texts.get(one.answers[question].verdict, "")


def failure_words(page: str, status: str) -> Words:
    """Describe page and exit status of a sign-in that had to fail.

    Args:
        page: id of the question about the page.
        status: id of the question about the exit status.
    """
    pages: dict[Verdict, str] = {"pass": "page: no success", "fail": "page: success"}
    statuses: dict[Verdict, str] = {"pass": "exit not 0", "fail": "exit 0"}

    def words(one: Audited) -> str:
        ended = statuses.get(one.answers[status].verdict, "")
        return f"{pages.get(one.answers[page].verdict, 'no page')}, {ended}" if ended else ""

    return words


def plain_words(words: Callable[[ProgramResult], str]) -> Words:
    """Take words about the sign-in that nothing disturbed."""
    return lambda one: words(one.evidence.plain)


def shortened(text: str) -> str:
    """Cut a text that does not fit into a cell."""
    return f"{text[: SHORT - 3]}..." if len(text) > SHORT else text


def parameter(name: str, otherwise: str) -> Words:
    """Show a parameter of the authorization request, or the other text where it is absent."""
    return plain_words(lambda plain: shortened(plain.request.get(name, otherwise)) if plain.request else "")


def length(name: str) -> Words:
    """Show length and most chance of a parameter of the authorization request."""

    def words(plain: ProgramResult) -> str:
        if not plain.request:
            return ""
        value = plain.request.get(name, "")
        return f"{len(value)} characters, <= {most_bits(value):.0f} bits" if value else "none"

    return plain_words(words)


def flow(plain: ProgramResult) -> str:
    """Name the response type, or the flow."""
    if kind := plain.request.get("response_type", ""):
        return kind
    return "device" if any("device" in one.grant for one in plain.token_requests) else ""


def pkce(plain: ProgramResult) -> str:
    """Name the method of the code challenge."""
    if not plain.request:
        return ""
    return (
        plain.request.get("code_challenge_method", "plain") if plain.request.get("code_challenge") else "none"
    )


def verifier(one: Audited) -> str:
    """Show the length of the code verifier."""
    sent = exchange(one.evidence)
    value = "" if sent is None else sent.parameters.get("code_verifier", "")
    return f"{len(value)} characters" if value else ""


def redirect_uri(plain: ProgramResult) -> str:
    """Show the redirect URI without its port."""
    parts = urlsplit(plain.request.get("redirect_uri", ""))
    return (
        f"{parts.scheme}://{parts.netloc.rpartition(':')[0] or parts.netloc}{parts.path}"
        if parts.netloc
        else ""
    )


def authentication(one: Audited) -> str:
    """Say how the client authenticates itself."""
    sent = exchange(one.evidence)
    if sent is None:
        return ""
    if sent.header("authorization"):
        return "Basic"
    if "client_secret" in sent.parameters:
        return "a secret in the form"
    return "a signed assertion" if "client_assertion" in sent.parameters else "none"


def metadata(plain: ProgramResult) -> str:
    """Say whether the program reads the server's metadata."""
    if not plain.requests:
        return ""
    return "read" if any(one.path.startswith("/.well-known/") for one in plain.requests) else "not read"


def port(one: Audited) -> str:
    """Say whether the port is always the same."""
    uris = [run.request.get("redirect_uri", "") for run in one.evidence.all() if run.request]
    ports = {number for uri in uris if (number := urlsplit(uri).port) is not None}
    if len(uris) < 2 or not ports:
        return ""
    return f"always {ports.pop()}" if len(ports) == 1 else "another one each time"


def closed(plain: ProgramResult) -> str:
    """Say when the port was closed."""
    return "" if plain.port_open_after is None else f"after {plain.port_open_after:.1f} s"


def files(plain: ProgramResult) -> str:
    """Show how many files have tokens in them, and their modes."""
    modes = [f"{mode:04o}" for _, mode, _ in with_tokens(plain)]
    return f"{len(modes)}, mode {', '.join(dict.fromkeys(modes))}" if modes else "none seen"


def printed(plain: ProgramResult) -> str:
    """Name the tokens in the output."""
    return ", ".join(found_in(plain.seen.output, tokens_of(plain))) or "none"


def page(plain: ProgramResult) -> str:
    """Show the beginning of the page."""
    if plain.page is None:
        return "no page"
    return shortened(page_text(plain.page)) or "an empty page"


def address_bar(one: Audited) -> str:
    """Say what is left in the address bar."""
    plain = one.evidence.plain
    if plain.page is None:
        return ""
    if elsewhere(one.evidence):
        return "a page elsewhere"
    left = plain.visits[-1].address
    if "code=" not in left and "access_token=" not in left:
        return "no code"
    return "cleaned by the page" if b"replaceState" in plain.page.body else "the code"


def page_headers(plain: ProgramResult) -> str:
    """Name what the headers of the page forbid."""
    if plain.page is None:
        return ""
    told = {
        "no-store": "no-store" in plain.page.header("cache-control").lower(),
        "no-referrer": plain.page.header("referrer-policy") == "no-referrer",
        "CSP": bool(plain.page.header("content-security-policy")),
        "nosniff": plain.page.header("x-content-type-options").lower() == "nosniff",
    }
    return ", ".join(name for name, there in told.items() if there) or "none of four"


def server_header(plain: ProgramResult) -> str:
    """Show the header Server of the page."""
    return "" if plain.page is None else shortened(plain.page.header("server")) or "none"


def seconds(plain: ProgramResult) -> str:
    """Say how long the sign-in took."""
    return f"{plain.seconds:.1f} s"
