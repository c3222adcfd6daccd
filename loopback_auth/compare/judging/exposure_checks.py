"""Checks of places where secrets must not be visible: URLs, history, process list."""

from __future__ import annotations

from loopback_auth.compare.judging.secret_rows import kept_address
from loopback_auth.compare.judging.verdicts import (
    Check,
    Judgement,
    always,
    by_polling,
    failed,
    idle,
    passed_at,
    unseen,
    with_code,
    with_user_code,
)
from loopback_auth.compare.model import Run
from loopback_auth.trace.evidence import (
    ACCESS_TOKENS,
    authorization_request,
    browser_observed,
    browser_starts,
    entry_numbers,
    labels_brought,
    labels_in_address,
    labels_in_browser,
    labels_of_kind,
    labels_text,
    redeeming_labels,
    redeeming_request,
)
from loopback_auth.trace.reading import (
    fragment_parameters,
    labels_in,
    labels_sent,
    response_members,
    without_query,
)
from loopback_auth.trace.records import Exchange

NO_PROGRAM = idle("No browser was started.")


def code_in_history(run: Run) -> Judgement:
    """Look for the code in the URL of a page."""
    legs = tuple(run.trace.exchanges("browser"))
    kept = [each for each in legs if each.observed and labels_of_kind(kept_address(each), ("code",))]
    if kept:
        found = labels_text(labels_of_kind(kept_address(kept[0]), ("code",)))
        return failed(f"The URL of a page contained {found}.", entry_numbers(*kept))
    if any(labels_of_kind(labels_in_address(each), ("code",)) for each in legs):
        return unseen(
            "The code was in a URL that could not be opened; whether the history keeps it was not seen."
        )
    return _clean(run, "No page had the code in its URL.")


def token_in_fragment(run: Run) -> Judgement:
    """Look for tokens in URL fragments."""
    legs = tuple(run.trace.exchanges("browser"))
    hits = [each for each in legs if labels_of_kind(_fragment_labels(each), ACCESS_TOKENS)]
    if hits:
        found = labels_text(labels_of_kind(_fragment_labels(hits[0]), ACCESS_TOKENS))
        return failed(f"A URL fragment contained {found}.", entry_numbers(*hits))
    names, steps = labels_brought(run.trace, ACCESS_TOKENS, ("relay",))
    if names:
        return failed(f"A script had to read {labels_text(names)} from the URL.", steps)
    return _clean(run, "No URL fragment contained a token.")


def token_in_url(run: Run) -> Judgement:
    """Look for tokens in the URL of any request."""
    exchanges = tuple(run.trace.exchanges())
    hits = [each for each in exchanges if labels_of_kind(labels_in(each.url), ACCESS_TOKENS)]
    if hits:
        found = labels_text(labels_of_kind(labels_in(hits[0].url), ACCESS_TOKENS))
        return failed(f"The URL of a request contained {found}.", entry_numbers(*hits))
    return _clean(run, "No request had a token in its URL.")


def handle_in_url(run: Run) -> Judgement:
    """Look for a ticket or device code in the URLs that the browser opens."""
    redeeming, request = redeeming_labels(run.trace), redeeming_request(run.trace)
    if not redeeming:
        return unseen("No ticket or device code was seen.")
    if request is not None and labels_of_kind(labels_sent(request), ("code_verifier",)):
        return passed_at("The exchange of what is in the link also needed a verifier.", (request.number,))
    invited = [
        step
        for name in ("invite", "browse", "open")
        for step in run.trace.steps(name)
        if redeeming.intersection(labels_in(*(value for _, value in step.values)))
    ]
    # Also requests that were not observed: the program knows the URL, since it opened the page.
    legs = tuple(run.trace.exchanges("browser"))
    hits = [each for each in legs if redeeming.intersection(labels_in(each.url, each.address))]
    if invited or hits:
        return failed(
            "The approval link contains all that is needed to get the tokens.", entry_numbers(*invited, *hits)
        )
    steps = entry_numbers(*run.trace.steps("invite"), *legs)
    return passed_at("The approval link is not enough to get the tokens.", steps)


def key_in_argv(run: Run) -> Judgement:
    """Look for codes and tickets in the arguments of the started browser."""
    programs = browser_starts(run.trace)
    if not programs:
        return NO_PROGRAM
    found = redeeming_labels(run.trace).intersection(_arguments(run))
    if found:
        return failed(f"The process list showed {labels_text(sorted(found))}.", entry_numbers(*programs))
    opening = labels_of_kind(_arguments(run), ("start_key",))
    but = ", only a key that opens the start page once" if opening else ""
    return passed_at(f"The process list showed nothing that gets the tokens{but}.", entry_numbers(*programs))


def request_in_argv(run: Run) -> Judgement:
    """Look for the authorization request in the arguments of the started browser."""
    programs, message = browser_starts(run.trace), authorization_request(run.trace)
    if not programs:
        return NO_PROGRAM
    full = [step for step in programs if _is_request(step.value("argument"), message.url if message else "")]
    if full or labels_of_kind(_arguments(run), ("state", "nonce", "request_uri")):
        return failed(
            "The process list showed the authorization request with its state.", entry_numbers(*programs)
        )
    return passed_at("The process list did not show the authorization request.", entry_numbers(*programs))


def start_page(run: Run) -> Judgement:
    """Compare the arguments of the started browser with the URLs of the start page."""
    programs = browser_starts(run.trace)
    if not programs:
        return NO_PROGRAM
    pages = [each for each in run.trace.exchanges("browser", "client") if each.step == "start page"]
    ours = {without_query(each.url) for each in pages}
    steps = entry_numbers(*programs, *pages)
    for step in programs:
        argument = step.value("argument")
        if without_query(argument) not in ours and not labels_of_kind(labels_in(argument), ("start_key",)):
            return failed("The browser was sent directly to the provider.", steps)
    return passed_at("The browser began at the program's start page.", steps)


def refresh_token_in_browser(run: Run) -> Judgement:
    """Look for a refresh token in the browser's requests and responses."""
    legs = tuple(run.trace.exchanges("browser"))
    hits = [each for each in legs if labels_of_kind(labels_in_browser(each), ("refresh_token",))]
    if hits:
        return failed("A refresh token passed through the browser.", entry_numbers(*hits))
    return _clean(run, "No refresh token passed through the browser.")


def user_code_shown(run: Run) -> Judgement:
    """Look for the user code beside a link that contains it."""
    invitations = tuple(run.trace.steps("invite"))
    offered = [
        each
        for each in run.trace.exchanges("client", "server")
        if "verification_uri_complete" in dict(response_members(each))
    ]
    if not offered:
        return idle("The server offers no link that contains the user code.")
    if not invitations:
        return unseen("The link was not shown to the user.")
    told = [
        step
        for step in invitations
        if labels_of_kind(
            labels_in(step.words, *(value for name, value in step.values if "url" not in name)),
            ("user_code",),
        )
    ]
    steps = entry_numbers(*offered, *invitations)
    if not told:
        return failed("A link that contains the user code was shown, but not the code to compare.", steps)
    return passed_at("The user code was shown beside the link that contains it.", steps)


def _clean(run: Run, because: str) -> Judgement:
    """Pass if every request that could show the secret was seen."""
    if not browser_observed(run.trace):
        return unseen("The browser was not watched.")
    return passed_at(because, entry_numbers(*run.trace.exchanges()))


def _fragment_labels(exchange: Exchange) -> tuple[str, ...]:
    return labels_in(*(value for _, value in fragment_parameters(exchange.address)))


def _arguments(run: Run) -> tuple[str, ...]:
    return labels_in(*(step.value("argument") for step in browser_starts(run.trace)))


def _is_request(argument: str, endpoint: str) -> bool:
    return "response_type=" in argument or bool(endpoint and without_query(argument) == endpoint)


CHECKS = (
    Check(
        "code-in-history",
        "low",
        "The code is not in the browser history",
        "RFC 9700 §4.3.1",
        "Use response_mode=form_post where the server offers it.",
        code_in_history,
        with_code,
    ),
    Check(
        "token-in-fragment",
        "high",
        "No token is in a URL fragment",
        "RFC 9700 §2.1.2; RFC 8252 §8.2",
        "Use --flow code: scripts and extensions can read the fragment, and the history keeps it.",
        token_in_fragment,
        always,
    ),
    Check(
        "token-in-url",
        "high",
        "No token is in the URL of a request",
        "RFC 6750 §2.3, §5.3",
        "Send tokens in the Authorization header.",
        token_in_url,
        always,
    ),
    Check(
        "ticket-id-in-url",
        "high",
        "The approval link is not enough to get the tokens",
        "https://github.com/netlify/open-api; RFC 8628 §3.2",
        "Keep the link secret, and use --flow code where the browser can be redirected to this machine.",
        handle_in_url,
        by_polling,
    ),
    Check(
        "redeemable-in-argv",
        "high",
        "The process list never shows what gets the tokens",
        "jupyter/notebook#4260",
        "Leave --no-start-page out: the browser then begins at the program's start page.",
        key_in_argv,
        always,
    ),
    Check(
        "authorization-url-in-process-list",
        "low",
        "The process list never shows the authorization request",
        "jupyter/notebook#4260; RFC 6749 §10.12",
        "Leave --no-start-page out: the browser then begins at the program's start page.",
        request_in_argv,
        always,
    ),
    Check(
        "start-page-used",
        "info",
        "The browser began at the program's start page, which shows that it can reach this machine",
        "aws/aws-cli#9098",
        "Leave --no-start-page out.",
        start_page,
        always,
    ),
    Check(
        "refresh-token-in-browser",
        "high",
        "No refresh token passes through the browser",
        "RFC 6749 §4.2.2, §10.4",
        "Revoke the token, and tell the provider.",
        refresh_token_in_browser,
        always,
    ),
    Check(
        "user-code-shown",
        "medium",
        "The user code is shown even where the link contains it",
        "RFC 8628 §3.3.1",
        "Show the code: a user who compares it notices a link that an attacker sent.",
        user_code_shown,
        with_user_code,
    ),
)
