"""The properties of programs side by side, from what they ask to what people see."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from loopback_auth.audit.programs import row_words as words
from loopback_auth.audit.programs.assembling import Audited
from loopback_auth.audit.programs.row_words import Words, answer_words, failure_words, plain_words
from loopback_auth.compare.judging.cells import NOT_OBSERVED
from loopback_auth.compare.model import Basis, Cell, Row

_waits = partial(answer_words, passed="goes on waiting", failed="ends the sign-in")
_unharmed = partial(answer_words, passed="does no harm", failed="spoils the sign-in")
_unspent = partial(answer_words, passed="not used up", failed="used up")
_refuses = partial(answer_words, passed="refused", failed="accepted")
_lacks = partial(answer_words, passed="no", failed="yes")

ASKS: tuple[tuple[str, str, Words], ...] = (
    ("flow", "Response type, or flow", plain_words(words.flow)),
    ("pkce", "PKCE", plain_words(words.pkce)),
    ("verifier", "Code verifier", words.verifier),
    ("state", "State", words.length("state")),
    ("nonce", "Nonce", words.length("nonce")),
    ("scope", "Scope", words.parameter("scope", "none")),
    ("redirect-uri", "Redirect URI", plain_words(words.redirect_uri)),
    ("response-mode", "Response mode", words.parameter("response_mode", "the default")),
    ("client-authentication", "Client authentication", words.authentication),
    ("metadata", "The server's metadata", plain_words(words.metadata)),
)
LISTENS: tuple[tuple[str, str, Words], ...] = (
    (
        "reach",
        "Who reaches its port",
        answer_words("binds-loopback", passed="this machine alone", failed="other machines too"),
    ),
    ("port", "Port", words.port),
    ("closed", "Closes its port", plain_words(words.closed)),
)
TAKES: tuple[tuple[str, str, Words], ...] = (
    ("favicon", "A favicon request first", _waits("favicon")),
    ("preconnect", "An empty connection first", _waits("preconnect")),
    ("other-paths", "Requests for other paths", _waits("other-paths")),
    ("tls-hello", "A TLS connection attempt", _waits("tls-hello")),
    ("head", "HEAD of the response", _unspent("head-of-callback")),
    ("prefetch", "A prefetch of the response", _unspent("prefetch-of-callback")),
    ("reload", "The response twice", _unharmed("repeated-callback")),
    ("silent", "Connections that say nothing", _unharmed("silent-connections")),
)
ATTACKED: tuple[tuple[str, str, Words], ...] = (
    ("wrong-state", "A response with a wrong state", _waits("wrong-state")),
    ("missing-state", "A response without state", _waits("missing-state")),
    ("forged-error", "A forged error", _waits("forged-error")),
    ("login-csrf", "The attacker's code, their state", _refuses("login-csrf")),
    ("injected-code", "The attacker's code, right state", _refuses("injected-code")),
    (
        "stolen-code",
        "The code, read on the way",
        answer_words("stolen-code", passed="useless", failed="gives tokens"),
    ),
    ("other-host", "Another Host (DNS rebinding)", _refuses("other-host")),
    ("wrong-issuer", "A response of another issuer", _refuses("wrong-issuer")),
    ("missing-issuer", "A response without issuer", _refuses("missing-issuer")),
    ("strange-scheme", "An address that is not the web's", _refuses("strange-scheme")),
    ("metadata-issuer", "Metadata of another issuer", _refuses("metadata-issuer")),
    ("id-token-nonce", "An ID token with another nonce", _refuses("id-token-nonce")),
    ("id-token-audience", "An ID token for another client", _refuses("id-token-audience")),
    (
        "token-redirect",
        "A redirect of the token endpoint",
        answer_words("token-redirect", passed="not followed", failed="followed with the code"),
    ),
    (
        "markup",
        "HTML in an error",
        answer_words("markup", passed="not shown as HTML", failed="shown as HTML"),
    ),
)
LEAVES: tuple[tuple[str, str, Words], ...] = (
    ("files", "Files with tokens", plain_words(words.files)),
    ("printed", "Tokens in the output", plain_words(words.printed)),
    ("logged", "Code or verifier in the output", _lacks("code-in-output")),
    ("argv", "Secrets in command lines", _lacks("secrets-in-argv")),
    ("address-bar", "The address bar afterwards", words.address_bar),
    ("page-headers", "Headers of its page", plain_words(words.page_headers)),
    ("server-header", "Header Server of its page", plain_words(words.server_header)),
)
LOOKS: tuple[tuple[str, str, Words], ...] = (
    ("page", "The page after the sign-in", plain_words(words.page)),
    ("seconds", "Duration of the run", plain_words(words.seconds)),
)
TOLD: tuple[tuple[str, str, Words], ...] = (
    ("denied", "When the user denies", failure_words("denied-page", "denied-status")),
    ("refused", "When the code is refused", failure_words("failed-page", "failed-status")),
    (
        "hang",
        "When the token endpoint hangs",
        answer_words("token-hang", passed="given up in 45 s", failed="waits longer than 45 s"),
    ),
    (
        "gives-up",
        "When the tab is closed",
        answer_words("gives-up", passed="ends by itself", failed="", unseen="waits for 15 s at least"),
    ),
    ("ctrl-c", "Ctrl-C while it waits", answer_words("ctrl-c", passed="ends it", failed="does not end it")),
)
GROUPS: tuple[tuple[str, Basis, tuple[tuple[str, str, Words], ...]], ...] = (
    ("What it asks", "observed", ASKS),
    ("What its port does", "observed", LISTENS),
    ("What its port does", "tried", TAKES),
    ("What attackers get", "tried", ATTACKED),
    ("What it leaves behind", "observed", LEAVES),
    ("What people see", "observed", LOOKS),
    ("What people see", "tried", TOLD),
)


def rows(audited: Sequence[Audited]) -> tuple[Row, ...]:
    """Compare programs, in the order of their columns."""
    return tuple(
        Row(name, title, group, tuple(_cell(one, basis, tell) for one in audited))
        for group, basis, table in GROUPS
        for name, title, tell in table
    )


def _cell(one: Audited, basis: Basis, tell: Words) -> Cell:
    text = tell(one) if one.run.outcome == "signed in" else ""
    return Cell(text, basis) if text else NOT_OBSERVED
