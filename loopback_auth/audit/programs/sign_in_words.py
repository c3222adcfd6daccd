"""Say in sentences how a program was run, and how its first sign-in ended."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from loopback_auth.audit.programs.links import authority_of, is_here, links_in, plain
from loopback_auth.audit.programs.observed import ProgramResult
from loopback_auth.audit.programs.program_setup import SHORTEST_SECRET, ProgramSetup
from loopback_auth.audit.programs.program_sign_in import ProgramSignIn
from loopback_auth.audit.programs.reading import page_text, quoted
from loopback_auth.audit.programs.recipe import Recipe
from loopback_auth.audit.programs.templates import uses
from loopback_auth.compare.model import FORM_POST, PAR
from loopback_auth.demo.setup import PATHS
from loopback_auth.protocol.json import object_or_none
from loopback_auth.redact import server_text

CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")
"""Files by which programs see that they run in a container."""
READ = 16 * 1024
"""Characters of the end of its output that are read."""
LAST_LINES, LONGEST_LINE = 3, 160
"""How many of the last lines are quoted, and how many characters of each."""
NEEDS_THE_SERVER = "Does it need {issuer} or {authorization_endpoint}? See help programs."
"""What a program that opens no link may lack."""
PLACES = ("issuer", "authority", "metadata_url", "openid_configuration", "resource", "mcp", *PATHS)
"""Placeholders that tell a program where the server is."""
MOST_NAMED = 3
"""How many hosts are named."""
FRONT_CHANNEL = ("token", "id_token", "id_token token", "code id_token")


def flow_of(result: ProgramResult) -> str:
    """Return the name of the flow that a program used."""
    asked = result.request
    if not asked:
        device = any(one.path == "/device_authorization" for one in result.requests)
        return "device" if device else "code"
    if asked.get("response_type", "") in FRONT_CHANNEL:
        return asked["response_type"]
    if asked.get("request_uri"):
        return PAR
    return FORM_POST if asked.get("response_mode") == "form_post" else "code"


def ending(result: ProgramResult, sign_in: ProgramSignIn, setup: ProgramSetup) -> str:
    """Say how the sign-in ended.

    Args:
        result: of the sign-in.
        sign_in: as it was watched.
        setup: of the program; other texts of the program than its output have to be redacted later.
    """
    if result.succeeded:
        who = f" as {result.account}" if result.account else ""
        return f"The program is signed in{who}."
    how = _how_it_ended(result)
    if result.tokens:
        return f"The program got its tokens, but {how}."
    elsewhere = _hosts(one.url for one in sign_in.opened if not is_here(one.url))
    if not sign_in.opened:
        said = last_lines(result.seen.output, setup)
        wrote = f" It last wrote: {said}." if said else ""
        lacks = "" if _knows_the_server(setup.recipe) else f" {NEEDS_THE_SERVER}"
        return f"The program opened no link: {how}.{wrote}{lacks}"
    if not result.requests and not result.link and elsewhere:
        return f"The program opened a link to {elsewhere}, not to the server that it was given: {how}."
    if (refusal := _refused_token(sign_in)) is not None:
        return f"The server refused the program's token request ({refusal}); {how}."
    page = sign_in.browsing.page
    if page is not None and page.status >= 400:
        return f"The server refused the program's authorization request: {quoted(page_text(page))}; {how}."
    if not result.link and not result.requests:
        return f"The program's link did not lead to the server: {how}."
    if any(one.answer.status for one in result.visits):
        return f"The program got the response, and did not ask for tokens: {how}."
    return f"The response did not reach the program: {how}."


def last_lines(output: str, setup: ProgramSetup) -> str:
    """Quote the last lines of what a program wrote, without secrets and control characters.

    Args:
        output: everything that it wrote.
        setup: of the program; its redactor learns the secrets of the links in the output.
    """
    text = plain(output[-READ:])
    if len(output) > READ:
        text = text.partition("\n")[2]  # Half of a secret would not be recognised.
    for link in links_in(text):
        setup.redactor.learn_url(link, guess=True)
    for typed in setup.recipe.input.splitlines():
        if len(typed) >= SHORTEST_SECRET:  # It may be a password, which a terminal has echoed.
            text = text.replace(typed, "(typed)")
    lines = filter(None, (server_text(line, LONGEST_LINE) for line in setup.redactor.text(text).splitlines()))
    last = " / ".join(list(lines)[-LAST_LINES:])
    return f'"{last}"' if last else ""


def _knows_the_server(recipe: Recipe) -> bool:
    """Return whether the program was told where the server is."""
    texts = (*recipe.command, *recipe.env.values(), *recipe.files.values(), recipe.driver, recipe.input)
    return any(uses(text, name) for text in texts for name in PLACES)


def notes(
    result: ProgramResult, sign_in: ProgramSignIn, *, terminal_tried: bool, stayed: bool
) -> tuple[str, ...]:
    """Say what was particular about the run.

    Args:
        result: of the first sign-in.
        sign_in: as it was watched.
        terminal_tried: it got a terminal, because it opened no link without one.
        stayed: it was ended when it had its tokens.
    """
    elsewhere = _hosts(one.url for one in sign_in.opened if not is_here(one.url))
    scheme = result.request.get("redirect_uri", "").partition(":")[0]
    said = {
        "It got a terminal, because it opened no link without one.": terminal_tried,
        f"Enter was pressed {sign_in.enters} times, because it seemed to wait for that.": sign_in.enters > 0,
        "It started no browser: the link that it printed was opened.": (
            bool(sign_in.opened) and not any(one.command for one in sign_in.opened)
        ),
        f"It opened {len(sign_in.opened)} links.": len(sign_in.opened) > 1,
        f"It opened a link to {elsewhere}: nothing was fetched from there.": bool(elsewhere),
        "It did not end by itself when it had its tokens, as a server does, and was ended.": (
            stayed and not sign_in.asked
        ),
        "It seemed to wait for an answer when it had its tokens, and was ended; see --input.": (
            stayed and sign_in.asked
        ),
        f"Its response goes to the scheme {scheme}:, which this browser cannot open.": (
            scheme not in ("", "http", "https")
        ),
        "Its page reads the fragment by a script, and this browser runs no scripts of programs.": (
            not result.tokens and any("#" in one.address for one in result.visits)
        ),
        f"{result.left_behind} of its processes had to be ended after it.": result.left_behind > 0,
        "It ran in a container, where some programs listen at all addresses.": (
            not _only_here(sign_in) and any(Path(one).exists() for one in CONTAINER_FILES)
        ),
    }
    return tuple(text for text, true in said.items() if true)


def _only_here(sign_in: ProgramSignIn) -> bool:
    """Return whether it listened at loopback addresses alone when its link was opened."""
    listeners = sign_in.opened[0].listeners if sign_in.opened else ()
    return all(ip_address(one.address.partition("%")[0]).is_loopback for one in listeners)


def _how_it_ended(result: ProgramResult) -> str:
    if result.status is None:
        return "it did not end by itself, and was ended"
    if result.status < 0:
        return f"signal {-result.status} ended it"
    return f"it ended with status {result.status}"


def _refused_token(sign_in: ProgramSignIn) -> str | None:
    """Return the error of the last token request; None when it was not refused, or is still waited for."""
    asked = [one for one in sign_in.served if one.record.path == "/token"]
    if not asked or asked[-1].answer.status < 400:
        return None
    error = (object_or_none(asked[-1].answer.body) or {}).get("error")
    return str(error) if error != "authorization_pending" else None


def _hosts(links: Iterable[str]) -> str:
    """Name the hosts of links."""
    hosts = list(dict.fromkeys(authority_of(one) or one.partition(":")[0] for one in links))
    more = f" and {len(hosts) - MOST_NAMED} more" if len(hosts) > MOST_NAMED else ""
    return ", ".join(ascii(one)[1:-1][:80] for one in hosts[:MOST_NAMED]) + more
