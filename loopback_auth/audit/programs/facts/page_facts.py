"""What people see in the browser after a sign-in, and what the page gives away."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from loopback_auth.audit.programs.facts.evidence import Evidence, fact
from loopback_auth.audit.programs.facts.leftover_facts import codes_of, found_in, listed, tokens_of
from loopback_auth.audit.programs.links import is_here
from loopback_auth.audit.programs.observed import Visit
from loopback_auth.audit.programs.reading import external, page_text, quoted
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed
from loopback_auth.http_messages import HttpResponse

OWN_HOSTS = ("127.0.0.1", "::1", "localhost")


def elsewhere(evidence: Evidence) -> list[Visit]:
    """Return the steps of the browser to other machines."""
    visits = evidence.plain.visits
    return [one for one in visits if not is_here(one.request.url)]


def _page(judge: Callable[[HttpResponse], Judgement]) -> Callable[[Evidence], Judgement]:
    """Judge only where there is a page."""

    def judged(evidence: Evidence) -> Judgement:
        page = evidence.plain.page
        return judge(page) if page is not None else idle("There is no page of the program.")

    return judged


def _shown(evidence: Evidence) -> Judgement:
    plain = evidence.plain
    if not plain.visits:
        return idle("The browser was not sent to the program.")
    last = plain.visits[-1]
    if last in elsewhere(evidence):
        return passed(f"The browser was sent to a page at {urlsplit(last.request.url).hostname}.")
    if plain.page is None or not last.answer.status:
        return failed("The browser got no answer from the port.")
    if last.answer.status >= 400:
        return failed(f"The browser got {last.answer.status}.")
    text = page_text(plain.page)
    return passed(f"The page said {quoted(text)}.") if text else failed("The page was empty.")


def _external(evidence: Evidence) -> Judgement:
    page = evidence.plain.page
    sent = [urlsplit(one.request.url).hostname or "" for one in elsewhere(evidence)]
    if sent:
        secrets = codes_of(evidence.plain) | tokens_of(evidence.plain)
        told = [name for one in elsewhere(evidence) for name in found_in(one.request.url, secrets)]
        along = f", with {listed(told)}" if told else ""
        return failed(f"The browser is sent to {', '.join(dict.fromkeys(sent))}{along}.")
    if page is None:
        return idle("There is no page of the program.")
    hosts = external(page, OWN_HOSTS)
    if hosts:
        return failed(f"The page loads from or links to {', '.join(hosts[:3])}.")
    return passed("The page has nothing of other hosts.")


def _referrer(page: HttpResponse) -> Judgement:
    policy = page.header("referrer-policy")
    meta = b'name="referrer"' in page.body.lower()
    if policy or meta:
        return passed(f"Referrer-Policy is {policy or 'set in the page'}.")
    return failed("The page has no Referrer-Policy.")


def _cached(page: HttpResponse) -> Judgement:
    value = page.header("cache-control")
    if "no-store" in value.lower():
        return passed(f"Cache-Control is {value}.")
    return failed(f"Cache-Control is {value}." if value else "The page has no Cache-Control.")


FACTS = (
    fact(
        "page-shown",
        "low",
        "The page that the browser shows after the sign-in is checked.",
        "The browser shows a page after the sign-in",
        "The browser shows no page after the sign-in.",
        "GoogleCloudPlatform/google-cloud-visualstudio#76",
        "Answer the browser before the port is closed.",
        _shown,
    ),
    fact(
        "page-external",
        "low",
        "The page is searched for addresses on other machines.",
        "The page loads nothing from other machines and links to none",
        "The page has addresses on other machines in it.",
        "RFC 9700 §4.2.4",
        "Put all that the page needs into the page.",
        _external,
    ),
    fact(
        "page-referrer",
        "low",
        "The header Referrer-Policy of the page is checked.",
        "The page has a Referrer-Policy, since its address has the code in it",
        "The page has no Referrer-Policy.",
        "RFC 9700 §4.2.4",
        "Send Referrer-Policy: no-referrer.",
        _page(_referrer),
    ),
    fact(
        "page-cache",
        "low",
        "The header Cache-Control of the page is checked.",
        "The page is not kept in a cache",
        "The page may be kept in a cache.",
        "RFC 9111 §5.2.2.5",
        "Send Cache-Control: no-store.",
        _page(_cached),
    ),
)
