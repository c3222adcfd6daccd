"""How the parameters of a link are shown: public values as they are, secrets as labels, the rest not at all.

A value is shown only if its parameter is one whose values are public. An address inside of a value is reduced
like the address of a recording, and a token inside of one is a label. So a secret in an unknown place does
not appear.

Source: RFC 9700 §4.3.2; RFC 6750 §5.3.
"""

from __future__ import annotations

import re

from loopback_auth.explain.links.link import Link, Parameter
from loopback_auth.explain.links.link_rules import KNOWN
from loopback_auth.explain.links.link_words import (
    LINK_PARAMETERS,
    MAKERS,
    SECRET_HERE,
    SHOWN,
    TICKET_PAGES,
    VENDOR_PARAMETERS,
    WORDS,
)
from loopback_auth.explain.links.reference_rules import PUSHED
from loopback_auth.explain.parameter_words import PARAMETERS
from loopback_auth.explain.reduction import reduced_url, shown_name, without_random, without_user
from loopback_auth.explain.story import LONGEST_VALUE, ExplainedValue
from loopback_auth.explain.story_words import VENDOR, Sentence
from loopback_auth.explain.tokens.token import read_token
from loopback_auth.explain.tokens.token_story import learn_secrets
from loopback_auth.redact import server_text
from loopback_auth.trace.secret_finder import looks_secret
from loopback_auth.trace.secret_labels import SecretLabels
from loopback_auth.trace.secret_names import is_secret

EMPTY = "(empty)"
UNKNOWN = ("no standard has it; the server ignores what it does not know", "RFC 6749 §3.1")
"""About a parameter of a request that is in no table."""

OF_TICKETS = frozenset({"t", "next"})
"""Parameters that carry the ticket on the pages of some vendors, and mean something else elsewhere."""

_TOKEN = re.compile(r"ey[A-Za-z0-9_=-]{8,}\.")


class LinkValues:
    """Shows the values of one link, so that the same secret has the same label everywhere.

    Args:
        link: whose secrets are learnt.
    """

    def __init__(self, link: Link) -> None:
        self.labels: SecretLabels = SecretLabels()
        self._approves = link.kind == "ticket approval page"
        for one in link.parameters:
            if one.value and is_hidden(one):
                self.labels.learn(self.kind(one), one.value)
                if one.value.startswith("ey"):
                    learn_secrets(read_token(one.value), self.labels)

    def value(self, parameter: Parameter, *, source: str, request: bool) -> ExplainedValue:
        """Explain one parameter.

        Args:
            parameter: of the link.
            source: where the vendor of a ticket describes it.
            request: the link is a request; some parameters mean something else in a response.
        """
        others = parameter.name in OF_TICKETS and not self._approves
        words, clause = ("", "") if others else _meaning(parameter, request=request)
        return ExplainedValue(
            name=parameter.name if parameter.name in KNOWN else shown_name(parameter.name),
            value=self._shown(parameter),
            meaning=words,
            source=clause.replace(VENDOR, source),
            where=parameter.where,
            maker=MAKERS.get(parameter.name, ""),
            secret=is_hidden(parameter),
        )

    def kind(self, parameter: Parameter) -> str:
        """Return the kind of a secret, as in its label."""
        return "ticket" if parameter.name in OF_TICKETS and self._approves else parameter.name

    def public(self, text: str, *, said: bool = False) -> str:
        """Return a public text without what in it is secret all the same.

        Args:
            text: untrusted.
            said: it is what a server said, in words of its own.
        """
        if "://" in text:
            text = " ".join(reduced_url(without_user(word)) for word in text.split())
        known = self.labels.text(server_text(text, LONGEST_VALUE))
        return without_random(known) if said else known

    def _shown(self, parameter: Parameter) -> str:
        if not parameter.value.strip():
            return EMPTY
        if is_hidden(parameter):
            return self.labels.learn(self.kind(parameter), parameter.value)
        if parameter.name in SHOWN and not (parameter.name in WORDS and looks_secret(parameter.value)):
            return self.public(parameter.value, said=parameter.name.startswith("error"))
        return f"({len(parameter.value)} characters, not shown)"


def is_hidden(parameter: Parameter) -> bool:
    """Return whether a parameter is secret: by its name, or because its value is a token."""
    name = parameter.name
    return is_secret(name) or name in SECRET_HERE or _TOKEN.match(parameter.value) is not None


def shown_address(link: Link) -> str:
    """Return the address of a link without its parameters, and without what in it may be secret."""
    path = link.path
    host = f"[{link.host}]" if ":" in link.host else link.host
    place = f"{link.host}{path}"
    if link.kind == "ticket approval page":
        known = next((found for page in TICKET_PAGES if (found := page.match(place)) is not None), None)
        if known is not None and known.end() < len(place):
            path = f"{known[0][len(link.host) :]}<ticket#1>"
    elif link.kind == "start page":
        path = "/<start_key#1>"
    if path and "<" not in path:
        path = reduced_url(f"x://x{path}").removeprefix("x://x")
    port = "" if link.port is None else f":{link.port}"
    begin = f"{link.scheme}:" if link.scheme else ""
    authority = f"//{'...@' * link.user}{host}{port}" if link.host else ""
    return server_text(f"{begin}{authority}{path}", LONGEST_VALUE) or "(no address)"


def _meaning(parameter: Parameter, *, request: bool) -> Sentence:
    """Return what a parameter is for: by its name and value, by its name, or of a provider."""
    name, value = parameter.name, parameter.value
    variants = [f"{name} {value}"]
    if name == "request_uri" and value.startswith(PUSHED):
        variants.append("request_uri pushed")
    if name == "scope" and not request:
        variants.append("scope granted")
    for variant in (*variants, name):
        for table in (LINK_PARAMETERS, PARAMETERS, VENDOR_PARAMETERS):
            if variant in table:
                return table[variant]
    return (
        ("no standard has it; the server ignores what it does not know", "RFC 6749 §3.1")
        if request
        else ("", "")
    )
