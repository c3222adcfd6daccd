"""Checks of where secrets must not show: addresses, histories, process lists."""

from __future__ import annotations

from loopback_auth.compare.judging.secret_rows import kept_address
from loopback_auth.compare.judging.verdicts import (
    Check,
    Judgement,
    always,
    by_polling,
    failed,
    idle,
    passed,
    unseen,
    with_code,
    with_user_code,
)
from loopback_auth.compare.model import Run
from loopback_auth.trace.evidence import (
    ACCESS,
    asked,
    brought,
    in_address,
    in_browser,
    keys,
    numbers,
    of_kind,
    redemption,
    shown,
    started,
    watched,
)
from loopback_auth.trace.reading import answer, fragment, labels, place, sent
from loopback_auth.trace.records import Exchange

NO_PROGRAM = idle("No program was started.")


def code_in_history(run: Run) -> Judgement:
    """Look for the code in the address of a page."""
    legs = tuple(run.trace.exchanges("browser"))
    kept = [each for each in legs if each.observed and of_kind(kept_address(each), ("code",))]
    if kept:
        found = shown(of_kind(kept_address(kept[0]), ("code",)))
        return failed(f"The address of a page had {found} in it.", numbers(*kept))
    if any(of_kind(in_address(each), ("code",)) for each in legs):
        return unseen("The code was in an address that was not reached; whether it is kept was not seen.")
    return _clean(run, "No page had the code in its address.")


def token_in_fragment(run: Run) -> Judgement:
    """Look for tokens behind the number sign of an address."""
    legs = tuple(run.trace.exchanges("browser"))
    hits = [each for each in legs if of_kind(_fragment_labels(each), ACCESS)]
    if hits:
        found = shown(of_kind(_fragment_labels(hits[0]), ACCESS))
        return failed(f"The fragment of an address had {found} in it.", numbers(*hits))
    names, steps = brought(run.trace, ACCESS, ("relay",))
    if names:
        return failed(f"A script of ours had to read {shown(names)} off the address.", steps)
    return _clean(run, "No address had a token in its fragment.")


def token_in_url(run: Run) -> Judgement:
    """Look for tokens in the address of any request, ours included."""
    exchanges = tuple(run.trace.exchanges())
    hits = [each for each in exchanges if of_kind(labels(each.url), ACCESS)]
    if hits:
        found = shown(of_kind(labels(hits[0].url), ACCESS))
        return failed(f"The address of a request had {found} in it.", numbers(*hits))
    return _clean(run, "No request had a token in its address.")


def handle_in_url(run: Run) -> Judgement:
    """Look for what redeems the tokens in what the browser is sent to."""
    redeeming, request = keys(run.trace), redemption(run.trace)
    if not redeeming:
        return unseen("No ticket and no device code was seen.")
    if request is not None and of_kind(sent(request), ("code_verifier",)):
        return passed("What the link holds was redeemed together with a verifier.", (request.number,))
    invited = [
        step
        for name in ("invite", "browse", "open")
        for step in run.trace.steps(name)
        if redeeming.intersection(labels(*(value for _, value in step.values)))
    ]
    # Also the legs that were not seen: the address is the one that we handed out.
    legs = tuple(run.trace.exchanges("browser"))
    hits = [each for each in legs if redeeming.intersection(labels(each.url, each.address))]
    if invited or hits:
        return failed("The link to approve holds what redeems the tokens.", numbers(*invited, *hits))
    steps = numbers(*run.trace.steps("invite"), *legs)
    return passed("The link to approve does not redeem anything.", steps)


def key_in_argv(run: Run) -> Judgement:
    """Look for what redeems the tokens in what a program was started with."""
    programs = started(run.trace)
    if not programs:
        return NO_PROGRAM
    found = keys(run.trace).intersection(_arguments(run))
    if found:
        return failed(f"The process list had {shown(sorted(found))}.", numbers(*programs))
    opening = of_kind(_arguments(run), ("start_key",))
    but = ", but a key that opens our start page once" if opening else ""
    return passed(f"The process list had nothing that redeems the tokens{but}.", numbers(*programs))


def request_in_argv(run: Run) -> Judgement:
    """Look for the authorization request in what a program was started with."""
    programs, message = started(run.trace), asked(run.trace)
    if not programs:
        return NO_PROGRAM
    full = [step for step in programs if _is_request(step.value("argument"), message.url if message else "")]
    if full or of_kind(_arguments(run), ("state", "nonce", "request_uri")):
        return failed("The process list had the authorization request with its state.", numbers(*programs))
    return passed("The authorization request was not in the process list.", numbers(*programs))


def start_page(run: Run) -> Judgement:
    """Compare what a program was started with to the addresses of our start page."""
    programs = started(run.trace)
    if not programs:
        return NO_PROGRAM
    pages = [each for each in run.trace.exchanges("browser", "client") if each.step == "start page"]
    ours = {place(each.url) for each in pages}
    steps = numbers(*programs, *pages)
    for step in programs:
        argument = step.value("argument")
        if place(argument) not in ours and not of_kind(labels(argument), ("start_key",)):
            return failed("The browser was sent to the provider at once.", steps)
    return passed("The browser began at a page of ours.", steps)


def refresh_token_in_browser(run: Run) -> Judgement:
    """Look for a refresh token in what the browser carried."""
    legs = tuple(run.trace.exchanges("browser"))
    hits = [each for each in legs if of_kind(in_browser(each), ("refresh_token",))]
    if hits:
        return failed("A refresh token came through the browser.", numbers(*hits))
    return _clean(run, "No refresh token came through the browser.")


def user_code_shown(run: Run) -> Judgement:
    """Look for the user code beside a link that has it already."""
    invitations = tuple(run.trace.steps("invite"))
    offered = [
        each
        for each in run.trace.exchanges("client", "server")
        if "verification_uri_complete" in dict(answer(each))
    ]
    if not offered:
        return idle("The server offers no link with the code in it.")
    if not invitations:
        return unseen("Nobody was invited to approve.")
    told = [
        step
        for step in invitations
        if of_kind(
            labels(step.words, *(value for name, value in step.values if "url" not in name)), ("user_code",)
        )
    ]
    steps = numbers(*offered, *invitations)
    if not told:
        return failed("A link with the user code in it was shown, but not the code to compare.", steps)
    return passed("The user code was shown beside the link that has it.", steps)


def _clean(run: Run, because: str) -> Judgement:
    """Say that nothing was found, where all was seen that there is to look through."""
    if not watched(run.trace):
        return unseen("What the browser did was not seen.")
    return passed(because, numbers(*run.trace.exchanges()))


def _fragment_labels(exchange: Exchange) -> tuple[str, ...]:
    return labels(*(value for _, value in fragment(exchange.address)))


def _arguments(run: Run) -> tuple[str, ...]:
    return labels(*(step.value("argument") for step in started(run.trace)))


def _is_request(argument: str, endpoint: str) -> bool:
    return "response_type=" in argument or bool(endpoint and place(argument) == endpoint)


CHECKS = (
    Check(
        "code-in-history",
        "low",
        "No code stays in the browser's history",
        "RFC 9700 §4.3.1",
        "Use response_mode=form_post where the server offers it.",
        code_in_history,
        with_code,
    ),
    Check(
        "token-in-fragment",
        "high",
        "No token comes in the fragment of an address",
        "RFC 9700 §2.1.2; RFC 8252 §8.2",
        "Use --flow code: scripts, extensions and the history read the fragment.",
        token_in_fragment,
        always,
    ),
    Check(
        "token-in-url",
        "high",
        "No token is part of a request's address",
        "RFC 6750 §2.3, §5.3",
        "Send tokens in the Authorization header.",
        token_in_url,
        always,
    ),
    Check(
        "ticket-id-in-url",
        "high",
        "The link to approve does not hold what redeems the tokens",
        "https://github.com/netlify/open-api; RFC 8628 §3.2",
        "Show the link to nobody, and prefer --flow code where a browser can come back.",
        handle_in_url,
        by_polling,
    ),
    Check(
        "redeemable-in-argv",
        "high",
        "The process list never holds what redeems the tokens",
        "jupyter/notebook#4260",
        "Let the browser begin at our start page: leave --no-start-page out.",
        key_in_argv,
        always,
    ),
    Check(
        "authorization-url-in-process-list",
        "low",
        "The process list never holds the authorization request",
        "jupyter/notebook#4260; RFC 6749 §10.12",
        "Let the browser begin at our start page: leave --no-start-page out.",
        request_in_argv,
        always,
    ),
    Check(
        "start-page-used",
        "info",
        "The browser began at a page of ours, and so showed that it can reach us",
        "aws/aws-cli#9098",
        "Leave --no-start-page out.",
        start_page,
        always,
    ),
    Check(
        "refresh-token-in-browser",
        "high",
        "No refresh token comes through the browser",
        "RFC 6749 §4.2.2, §10.4",
        "Revoke the token, and tell the provider.",
        refresh_token_in_browser,
        always,
    ),
    Check(
        "user-code-shown",
        "medium",
        "The user code is shown even where the link has it",
        "RFC 8628 §3.3.1",
        "Show the code: comparing it is what exposes a foreign link.",
        user_code_shown,
        with_user_code,
    ),
)
