"""Checks of encryption and of the clock, on both of which every other rule depends.

Source: RFC 6749 §3.1, §3.2; RFC 8414 §2, §6.1; RFC 9325 §3.2; RFC 9110 §6.6.1.
"""

from __future__ import annotations

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.examination import DOCUMENTS
from loopback_auth.audit.servers.page_questions import UNENCRYPTED
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.protocol.json import object_or_none
from loopback_auth.protocol.polling import clock_offset
from loopback_auth.protocol.urls import is_loopback_url
from loopback_auth.redact import server_text

MOST_SKEW = 60.0
"""Seconds by which a clock may differ: what clients usually allow."""


def _encrypted(observed: Observed) -> Judgement:
    urls = {
        name: url
        for name, url in observed.document.items()
        if isinstance(url, str) and (name.endswith("_endpoint") or name == "jwks_uri")
    }
    if not urls:
        return unseen("The metadata name no endpoint.")
    plain = [name for name, url in urls.items() if not url.startswith("https://") and not _is_here(url)]
    if plain:
        return failed(f"These are not https: {server_text(', '.join(sorted(plain)), 200)}.")
    if all(map(_is_here, urls.values())):
        return idle("The server is on this machine, where nothing is sent over a network.")
    return passed(f"All {len(urls)} addresses are https.")


def _is_here(url: str) -> bool:
    try:
        return is_loopback_url(url)
    except ValueError:
        return False


def _by_http(observed: Observed) -> Judgement:
    if UNENCRYPTED in observed.inapplicable:
        return idle(observed.inapplicable[UNENCRYPTED])
    if UNENCRYPTED not in observed.answers or not observed.answers[UNENCRYPTED].number:
        return unseen(observed.silence(UNENCRYPTED))
    response = observed.response(UNENCRYPTED)
    if response is None:
        return passed("Nothing answers there.")
    document = object_or_none(response.body)
    if response.status == 200 and document is not None and "issuer" in document:
        return failed("The metadata are served without encryption, so anyone on the way can change them.")
    return passed(f"The metadata are not served there: HTTP status {response.status}.")


def _hsts(observed: Observed) -> Judgement:
    for answer in (observed.answers[name] for name in DOCUMENTS if name in observed.answers):
        if _is_here(answer.request.url):
            return idle("The server is on this machine.")
        if answer.response is None or answer.response.status >= 400:
            continue
        value = answer.response.header("strict-transport-security")
        return passed(f"It is sent: {server_text(value, 80)}.") if value else failed("It is not sent.")
    return unseen("No metadata document came.")


def _clock(observed: Observed) -> Judgement:
    for answer in observed.answers.values():
        if answer.response is None or not answer.response.header("date"):
            continue
        skew = clock_offset(answer.response)
        if skew is None:
            return failed("The Date of its answers is not a date.")
        if abs(skew) > MOST_SKEW:
            return failed(
                f"It is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}, if the clock here is right."
            )
        return passed(f"It differs by {abs(skew):.0f} s.")
    return unseen("No answer has a Date.")


CHECKS = (
    ServerCheck(
        "endpoints-encrypted",
        "high",
        "Every endpoint is at an https address",
        "It names an endpoint that is not encrypted.",
        "RFC 6749 §3.1.2.1, §3.2; RFC 8414 §2",
        "Name https addresses in the metadata.",
        DOCUMENTS,
        _encrypted,
        any_of=True,
    ),
    ServerCheck(
        "unencrypted",
        "medium",
        "The metadata are not served without encryption",
        "It serves its metadata without encryption.",
        "RFC 8414 §3, §6.1",
        "Redirect requests by http to https, or do not answer them.",
        (),
        _by_http,
    ),
    ServerCheck(
        "hsts",
        "low",
        "Browsers are told to use https alone",
        "It does not tell browsers to use https alone.",
        "RFC 9325 §3.2; RFC 6797 §7.1",
        "Send Strict-Transport-Security.",
        DOCUMENTS,
        _hsts,
        any_of=True,
    ),
    ServerCheck(
        "clock",
        "low",
        "The clock of the server is right",
        "Its clock is wrong.",
        "RFC 9110 §6.6.1; OpenID Connect Core 1.0 §3.1.3.7",
        "Synchronise the clock of the server: clients refuse ID tokens from the future.",
        (),
        _clock,
    ),
)
