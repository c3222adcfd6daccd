"""The rows about where secrets are visible: address bar, history, process list, scripts.

Only what another program could use is looked for: tokens, what can be exchanged for them, and the user code.
State, nonce and the key of the start page are already used when anyone could read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from loopback_auth.compare.judging.cells import NOT_OBSERVED, Property, seen
from loopback_auth.compare.model import Cell, Run
from loopback_auth.trace.evidence import (
    GRANTS,
    TOKENS,
    browser_observed,
    browser_starts,
    entry_numbers,
    first_exchange,
    labels_brought,
    labels_in_address,
    labels_in_browser,
    labels_of_kind,
    labels_text,
    redeeming_labels,
    valuable_labels,
)
from loopback_auth.trace.reading import fragment_parameters, label_kind, labels_in
from loopback_auth.trace.records import Exchange, Trace

Look = Callable[[Exchange], tuple[str, ...]]


def address_bar(run: Run) -> Cell:
    """Say what the address bar showed."""
    return _found(run.trace, labels_in_address, valuable_labels(run.trace), "RFC 9700 §4.3", ("relay",))


def history(run: Run) -> Cell:
    """Say what the browser history keeps: the URLs of pages, not of redirects."""
    source = "RFC 9700 §4.3.1, §4.3.2"
    cell = _found(run.trace, kept_address, valuable_labels(run.trace), source, ("relay",))
    # Whether an address that could not be reached is kept is up to the browser.
    unreached = [
        each for each in run.trace.exchanges("browser") if not each.status and labels_in_address(each)
    ]
    lost = [
        label
        for each in unreached
        for label in labels_in_address(each)
        if label in valuable_labels(run.trace)
    ]
    unsure = cell.text in ("nothing", NOT_OBSERVED.text)
    return Cell(labels_text(lost), "not observed", source) if lost and unsure else cell


def process_list(run: Run) -> Cell:
    """Say what the process list showed while a browser was started."""
    source = "jupyter/notebook#4260"
    programs = browser_starts(run.trace)
    if not programs:
        told = entry_numbers(*run.trace.steps("open"), *run.trace.steps("invite"))
        return seen("no browser started", told, source)
    found = [label for step in programs for label in labels_in(step.value("argument"))]
    worth = [label for label in found if label in valuable_labels(run.trace)]
    text = (
        labels_text(worth)
        if worth
        else "start page key"
        if labels_of_kind(found, ("start_key",))
        else labels_text(found)
    )
    return seen(text, entry_numbers(*programs), source)


def page_scripts(run: Run) -> Cell:
    """Say what a script on a page of the program read."""
    relay = first_exchange(run.trace, "fragment relay")
    if relay is None:
        legs = entry_numbers(*run.trace.exchanges("browser"))
        return seen("nothing", legs) if browser_observed(run.trace) else NOT_OBSERVED
    found = labels_brought(run.trace, (*TOKENS, *GRANTS), ("relay",))[0]
    return seen(labels_text(found), (relay.number,), "RFC 6749 §4.2 (D-F)")


def access_token_in_url(run: Run) -> Cell:
    """Say whether an access token was part of a URL."""
    source = "RFC 6750 §5.3"
    exchanges = tuple(run.trace.exchanges())
    hits = [
        each for each in exchanges if labels_of_kind(labels_in(each.url, each.address), ("access_token",))
    ]
    if hits:
        spots = {_spot(each) for each in hits}
        return seen(f"yes, in the {' and the '.join(sorted(spots))}", entry_numbers(*hits), source)
    found, steps = labels_brought(run.trace, ("access_token",), ("relay",))
    if found:
        return seen("yes, in the fragment", steps, source)
    return seen("no", entry_numbers(*exchanges), source) if browser_observed(run.trace) else NOT_OBSERVED


def token_in_browser(run: Run) -> Cell:
    """Say which tokens code in the browser could read: scripts on the page, and extensions."""
    tokens = {secret.label for secret in run.trace.secrets if secret.kind in TOKENS}
    return _found(run.trace, labels_in_browser, tokens, "RFC 6749 §1.3.2", ("relay", "form_post"), TOKENS)


def key_in_browser(run: Run) -> Cell:
    """Say which codes and tickets code in the browser could read."""
    wanted = {label for label in valuable_labels(run.trace) if label_kind(label) not in TOKENS}
    return _found(run.trace, labels_in_browser, wanted, "RFC 9700 §4.3.1", ("relay", "form_post"), GRANTS)


def key_in_argv(run: Run) -> Cell:
    """Say whether the process list had something that can be exchanged for tokens."""
    programs = browser_starts(run.trace)
    if not programs:
        return process_list(run)
    redeeming = redeeming_labels(run.trace)
    found = [label for step in programs for label in labels_in(step.value("argument")) if label in redeeming]
    return seen(
        f"yes: {labels_text(found)}" if found else "no", entry_numbers(*programs), "jupyter/notebook#4260"
    )


def kept_address(exchange: Exchange) -> tuple[str, ...]:
    """Return the labels in the address of a page that was shown."""
    return labels_in_address(exchange) if 200 <= exchange.status < 300 or exchange.status >= 400 else ()


def _found(
    trace: Trace,
    look: Look,
    wanted: Iterable[str],
    source: str,
    ways: Iterable[str],
    kinds: Iterable[str] = (*TOKENS, *GRANTS),
) -> Cell:
    """Say which of the wanted labels the browser's exchanges had.

    Where the browser was not watched, a response that came in one of these ways shows some of it: `kinds` are
    the names of its parameters that matter.
    """
    legs = tuple(trace.exchanges("browser"))
    hits = [(each, [label for label in look(each) if label in wanted]) for each in legs]
    sure = [(each, found) for each, found in hits if found and each.observed]
    if sure:
        text = labels_text(label for _, found in sure for label in found)
        return seen(text, entry_numbers(*(each for each, _ in sure)), source)
    if browser_observed(trace):
        return seen("nothing", entry_numbers(*legs), source)
    names, steps = labels_brought(trace, kinds, ways)
    if names:
        return seen(labels_text(names), steps, source)
    maybe = [label for _, found in hits for label in found]
    return Cell(labels_text(maybe), "not observed", source) if maybe else NOT_OBSERVED


def _spot(exchange: Exchange) -> str:
    values = (value for _, value in fragment_parameters(exchange.address))
    return "fragment" if labels_of_kind(labels_in(*values), ("access_token",)) else "query"


GROUP = "Where secrets are visible"
PROPERTIES = (
    Property("address-bar", "In the address bar", GROUP, address_bar),
    Property("history", "In the browser history", GROUP, history),
    Property("process-list", "In the process list", GROUP, process_list),
    Property("page-scripts", "Read by a script on the program's page", GROUP, page_scripts),
    Property("access-token-in-url", "Access token in a URL", GROUP, access_token_in_url),
    Property("token-in-browser", "Tokens readable by code in the browser", GROUP, token_in_browser),
    Property("key-in-browser", "Codes and tickets readable there", GROUP, key_in_browser),
)
