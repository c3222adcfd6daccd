"""Checks of what the server grants, and of polling: tokens, scope, lifetime, intervals."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from loopback_auth.compare.judging.result_rows import duration
from loopback_auth.compare.judging.verdicts import (
    Check,
    Judgement,
    always,
    at_token_endpoint,
    by_polling,
    failed,
    idle,
    passed_at,
    unseen,
    with_code,
)
from loopback_auth.compare.model import Run
from loopback_auth.redact import server_text
from loopback_auth.trace.evidence import (
    POLLS,
    TOKENS,
    entries_with_tokens,
    entry_numbers,
    exchanges_named,
    first_exchange,
    labels_of_kind,
    traits_of,
)
from loopback_auth.trace.reading import labels_received, labels_sent, response_header, response_members
from loopback_auth.trace.records import Exchange

DAY = 86400.0
"""Seconds. RFC 6750 §5.3 advises an hour; a lifetime of more than a day fails the check."""
DEFAULT_INTERVAL = 5.0
SLOW_DOWN = 5.0
"""Seconds; RFC 8628 §3.2, §3.5."""
TOLERANCE = 0.1
"""Seconds: a timer may be a little early."""
NO_TOKENS = unseen("There are no tokens.")

Difference = Callable[[set[str], set[str]], set[str]]
"""How the granted scope differs from the requested one."""


def single_use(run: Run) -> Judgement:
    """Look for a code that was sent twice, and for the second response."""
    uses = tuple(exchanges_named(run.trace, "token request"))
    for number, again in enumerate(uses):
        repeated = set(labels_of_kind(labels_sent(again), ("code",)))
        earlier = [
            use for use in uses[:number] if use.status == 200 and repeated.intersection(labels_sent(use))
        ]
        if earlier and again.status == 200:
            return failed("The same code was exchanged for tokens twice.", entry_numbers(*earlier, again))
        if earlier:
            because = f"A second use of the code was refused ({again.status})."
            return passed_at(because, entry_numbers(*earlier, again))
    return unseen("No code was used twice.")


def refresh_token_issued(run: Run) -> Judgement:
    """Look for a refresh token."""
    if run.tokens is None:
        return NO_TOKENS
    if traits_of(run.flow).brings_tokens:
        return idle("This flow must not issue a refresh token (RFC 6749 §4.2.2).")
    if run.tokens.refresh_token:
        return passed_at("A refresh token was issued.", entries_with_tokens(run.trace))
    return failed("No refresh token was issued.", entries_with_tokens(run.trace))


def lifetime(run: Run) -> Judgement:
    """Compare the lifetime of the access token with a day."""
    if run.tokens is None:
        return NO_TOKENS
    seconds, steps = run.tokens.lifetime, entries_with_tokens(run.trace)
    if seconds is None:
        return failed("The server did not state the lifetime of the access token.", steps)
    if seconds > DAY:
        return failed(f"The access token is valid for {duration(run.tokens)}.", steps)
    return passed_at(f"The access token is valid for {duration(run.tokens)}.", steps)


def scope_not_widened(run: Run) -> Judgement:
    """Look for scope that was not requested."""
    return _scope(run, lambda wanted, given: given - wanted, "more")


def scope_not_reduced(run: Run) -> Judgement:
    """Look for scope that was requested and not granted."""
    return _scope(run, lambda wanted, given: wanted - given, "less")


def no_store(run: Run) -> Judgement:
    """Look for the header that keeps tokens out of caches."""
    answers = [
        each
        for each in exchanges_named(run.trace, "token request", "device token request", "refresh request")
        if labels_of_kind(labels_received(each), TOKENS)
    ]
    if not answers:
        return unseen("No response with tokens was seen.")
    careless = [each for each in answers if "no-store" not in response_header(each, "cache-control").lower()]
    if careless:
        return failed("A response with tokens may be stored by caches.", entry_numbers(*careless))
    return passed_at("Every response with tokens has Cache-Control: no-store.", entry_numbers(*answers))


def pace(run: Run) -> Judgement:
    """Compare the time between polling requests with the server's interval."""
    polls, least = tuple(exchanges_named(run.trace, *POLLS)), _interval(run)
    if least is None and all(_retry_after(each) == 0.0 for each in polls):
        return idle("The server stated no interval.")
    if len(polls) < 2:
        return unseen("There was only one polling request." if polls else "There was no polling request.")
    interval = least or 0.0
    for earlier, later in pairwise(polls):
        if dict(response_members(earlier)).get("error") == "slow_down":
            interval += SLOW_DOWN
        wanted, gap = max(interval, _retry_after(earlier)), later.at - earlier.at
        if gap < wanted - TOLERANCE:
            because = (
                f"A polling request came {gap:.1f} s after the one before; the server wants {wanted:g} s."
            )
            return failed(because, entry_numbers(earlier, later))
    return passed_at("Every polling request waited for the interval.", entry_numbers(*polls))


def one_poll_after_approval(run: Run) -> Judgement:
    """Count the polling requests until the approval showed."""
    approvals = tuple(run.trace.steps("approve"))
    if not approvals:
        return unseen("The moment of the approval was not seen.")
    later = [each for each in exchanges_named(run.trace, *POLLS) if each.number > approvals[-1].number]
    steps = entry_numbers(*approvals, *later)
    if not later:
        return unseen("There was no polling request after the approval.")
    if run.tokens is None:
        return unseen("No polling response showed the approval.")
    if len(later) > 1:
        return failed(f"The server showed the approval only after {len(later)} polling requests.", steps)
    return passed_at("The first polling response after the approval showed it.", steps)


def signature(run: Run) -> Judgement:
    """Look at whether the signature of the ID token was verified."""
    if run.tokens is None:
        return NO_TOKENS
    if not run.tokens.id_token:
        return idle("There is no ID token.")
    if run.tokens.id_token == "verified":
        return passed_at(
            "The signature was verified with a key of the server.", entries_with_tokens(run.trace)
        )
    return failed("The signature of the ID token was not verified.", entries_with_tokens(run.trace))


def _scope(run: Run, difference: Difference, word: str) -> Judgement:
    if run.tokens is None:
        return NO_TOKENS
    wanted, given = set(run.tokens.scope_asked.split()), set(run.tokens.scope_granted.split())
    if not wanted:
        return idle("No scope was requested.")
    if found := sorted(difference(wanted, given)):
        text = server_text(" ".join(found), 120)
        return failed(
            f"The server granted {word} scope than was requested: {text}.", entries_with_tokens(run.trace)
        )
    return passed_at(
        f"The server granted no {word} scope than was requested.", entries_with_tokens(run.trace)
    )


def _interval(run: Run) -> float | None:
    """Return the seconds between polls that the server named, or those of RFC 8628 for a device."""
    created = first_exchange(run.trace, traits_of(run.flow).begun_by)
    named_interval = dict(response_members(created)).get("interval", "") if created is not None else ""
    try:
        return float(named_interval)
    except ValueError:
        return DEFAULT_INTERVAL if run.flow == "device" else None


def _retry_after(exchange: Exchange) -> float:
    seconds = response_header(exchange, "retry-after")
    return float(seconds[:9]) if seconds.isascii() and seconds.isdigit() else 0.0


CHECKS = (
    Check(
        "code-single-use",
        "high",
        "A code can be exchanged only once",
        "RFC 6749 §4.1.2",
        "Tell the provider: an attacker who reads a code later can still use it.",
        single_use,
        with_code,
    ),
    Check(
        "refresh-token-issued",
        "info",
        "A refresh token was issued, so that the user rarely has to log in again",
        "RFC 6749 §1.5",
        "Request the scope offline_access, or the name that the provider has for it.",
        refresh_token_issued,
        always,
    ),
    Check(
        "lifetime-bounded",
        "medium",
        "The access token expires within a day",
        "RFC 6749 §5.1; RFC 6750 §5.3",
        "Log out when you are done: a stolen token works until it expires.",
        lifetime,
        always,
    ),
    Check(
        "scope-not-widened",
        "medium",
        "The server granted no more scope than was requested",
        "RFC 6749 §3.3",
        "Check what the provider grants this client by default.",
        scope_not_widened,
        always,
    ),
    Check(
        "scope-not-reduced",
        "info",
        "The server granted all of the requested scope",
        "RFC 6749 §3.3",
        "Request less scope, or expect refusals later.",
        scope_not_reduced,
        always,
    ),
    Check(
        "token-response-no-store",
        "low",
        "Responses with tokens must not be cached",
        "RFC 6749 §5.1",
        "Tell the provider to send Cache-Control: no-store.",
        no_store,
        at_token_endpoint,
    ),
    Check(
        "polling-interval",
        "medium",
        "Polling requests wait for the server's interval",
        "RFC 8628 §3.5",
        "Report this as a bug: the program polled too often.",
        pace,
        by_polling,
    ),
    Check(
        "approval-seen-at-once",
        "info",
        "The first polling response after the approval shows it",
        "RFC 8628 §3.5",
        "Expect a delay: the server shows approvals late.",
        one_poll_after_approval,
        by_polling,
    ),
    Check(
        "id-token-signature",
        "low",
        "The signature of the ID token was verified",
        "OpenID Connect Core 1.0 §3.1.3.7",
        "Install the extra: pip install 'loopback-auth[oidc]'.",
        signature,
        always,
    ),
)
