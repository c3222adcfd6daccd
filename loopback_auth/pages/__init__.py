"""Every HTML page that this package shows, as a complete response.

Decides how a page looks, what may run in it and what its headers say. Knows nothing of sockets, flows or
the outcome of a sign-in: it is told, and it shows. A page loads nothing from anywhere, links nowhere, and
treats every argument as hostile text: cleaned for display, escaped for HTML, never part of a script.

The address of a page may hold an authorization code, so each response refuses caches, referrers, frames
and openers (RFC 6749 §3.1.2.5, RFC 9700 §4.2.4). There is never a Strict-Transport-Security header: it
would turn every later http page of this host into an error, for other programs too.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from loopback_auth.errors import ConfigError
from loopback_auth.model import HttpResponse
from loopback_auth.redact import server_text

_COMMON_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

# Takes `?code=…&state=…` out of the address bar, so that a glance, a bookmark or a reload does not repeat
# it. The browser's history on disk keeps the first address all the same: only form_post leaves none there.
_CLEAN_ADDRESS = 'history.replaceState(null, "", location.pathname)'

# A parameter called "submit" would hide the form's own method, hence the detour over the prototype.
_SUBMIT = "HTMLFormElement.prototype.submit.call(document.forms[0])"

_ORIGIN = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?(?=[/?#]|\Z)", re.IGNORECASE | re.ASCII
)

_OURS = "This page comes from loopback_auth, not from the provider."
_DEMO = "A demonstration inside loopback_auth. No real account is involved."


def safe_headers() -> tuple[tuple[str, str], ...]:
    """Give the security headers of an answer without a page: a redirect or an empty body.

    Source: RFC 6749 §3.1.2.5; RFC 9700 §4.2.4; RFC 9111 §5.2.2.5.
    """
    return (*_COMMON_HEADERS, ("Content-Security-Policy", _policy(form_action="'none'")))


def success(*, client: str, provider: str, account: str, scope: str, detail: str) -> HttpResponse:
    """Say that the sign-in is complete; to be shown only once tokens were received and checked.

    Args:
        client: who has the tokens now.
        provider: name of the authorization server.
        account: who signed in, as the server tells it.
        scope: as granted, space separated (RFC 6749 §3.3).
        detail: one more sentence, for example how long the token lasts.

    Empty arguments leave no trace on the page.
    """
    chips = " ".join(f'<code class="chip">{escape(name)}</code>' for name in server_text(scope).split())
    rows = (
        ("Account", _shown(account)),
        ("Provider", _shown(provider)),
        ("Client", _shown(client)),
        ("Scope", chips),
    )
    facts = "\n".join(f"<div><dt>{term}</dt><dd>{value}</dd></div>" for term, value in rows if value)
    body = _fill(
        "success.html",
        facts=f'<dl class="facts">\n{facts}\n</dl>' if facts else "",
        detail=_paragraph(detail, style="quiet"),
    )
    return _page(200, title="Signed in", body=body, script=_CLEAN_ADDRESS)


def failure(*, title: str, message: str, hint: str, status: int = 400) -> HttpResponse:
    """Say that the sign-in did not succeed, why, and what to do next.

    Args:
        title: a few words; a general title stands in for an empty one.
        message: what happened; may quote the server.
        hint: one imperative sentence.
        status: HTTP status of the response.
    """
    heading = _shown(title) or "Sign-in did not succeed"
    advice = _shown(hint)
    body = _fill(
        "failure.html",
        title=heading,
        message=_paragraph(message, style="lead"),
        hint=f'<p class="hint"><b>What to do</b>{advice}</p>' if advice else "",
    )
    return _page(status, title=heading, body=body, script=_CLEAN_ADDRESS, tone="bad")


def turned_away(*, status: int, reason: str) -> HttpResponse:
    """Answer a request that is not ours to serve, without repeating anything of it.

    Args:
        status: HTTP status, 400 to 599. A 405 needs an Allow header besides (RFC 9110 §15.5.6).
        reason: a fixed sentence of the caller.
    """
    body = _fill("turned_away.html", reason=_paragraph(reason, style="lead"), status=str(status))
    return _page(status, title="Request turned away", body=body)


def demo_sign_in(
    *,
    action: str,
    hidden: Sequence[tuple[str, str]],
    client_id: str,
    redirect_uri: str,
    accounts: Sequence[tuple[str, str]],
) -> HttpResponse:
    """Ask which of the demonstration accounts signs in; posts `account` and `decision=continue`.

    Args:
        action: address of the form, on the same origin as the page.
        hidden: names and values that come back with the choice, byte for byte.
        client_id: who asks.
        redirect_uri: where the browser will go, already checked by the caller; empty: it stays.
        accounts: value and label of each account; the first is chosen beforehand.

    Raises:
        ConfigError: `redirect_uri` is not an absolute http or https URL.
    """
    choices = "\n".join(
        f'<label class="choice"><input type="radio" name="account" value="{escape(value)}" required'
        f"{'' if position else ' checked'}><span>{_shown(label)}</span></label>"
        for position, (value, label) in enumerate(accounts)
    )
    body = _fill(
        "sign_in.html",
        action=escape(action),
        hidden=_hidden(hidden),
        client_id=_shown(client_id),
        returns=_returns(redirect_uri),
        accounts=choices,
    )
    form_action = _returning_to(redirect_uri)
    return _page(200, title="Sign in (demonstration)", body=body, form_action=form_action, footer=_DEMO)


def demo_consent(
    *,
    action: str,
    hidden: Sequence[tuple[str, str]],
    client_id: str,
    redirect_uri: str,
    account: str,
    scopes: Sequence[tuple[str, str]],
    code: str = "",
    message: str = "",
) -> HttpResponse:
    """Ask whether the client may have access; posts `decision=approve` or `decision=deny`.

    Args:
        action: address of the form, on the same origin as the page.
        hidden: names and values that come back with the decision, byte for byte.
        client_id: who asks.
        redirect_uri: where the browser will go, already checked by the caller; empty: it stays.
        account: who decides.
        scopes: name of each scope, and a plain sentence about it.
        code: to be compared with the one that the other device shows (RFC 8628 §3.3.1, §5.4).
        message: what the client says of its reason.

    Raises:
        ConfigError: `redirect_uri` is not an absolute http or https URL.
    """
    items = "\n".join(f"<li>{_shown(text)}<code>{_shown(name)}</code></li>" for name, text in scopes)
    body = _fill(
        "consent.html",
        action=escape(action),
        hidden=_hidden(hidden),
        client_id=_shown(client_id),
        returns=_returns(redirect_uri),
        account=_shown(account),
        message=_quoted(message),
        code=_comparison(code),
        scopes=f'<ul class="scopes">\n{items}\n</ul>' if items else "",
    )
    form_action = _returning_to(redirect_uri)
    return _page(200, title="Allow access? (demonstration)", body=body, form_action=form_action, footer=_DEMO)


def demo_enter_code(*, action: str, code: str = "", problem: str = "", status: int = 200) -> HttpResponse:
    """Ask for the code that another device shows; posts `user_code`.

    Args:
        action: address of the form, on the same origin as the page.
        code: entered beforehand.
        problem: why the last one was of no use.
        status: HTTP status of the response.

    Source: RFC 8628 §3.3.
    """
    body = _fill(
        "enter_code.html",
        action=escape(action),
        code=escape(server_text(code)),
        problem=_paragraph(problem, style="hint"),
    )
    title = "Enter the code (demonstration)"
    return _page(status, title=title, body=body, form_action="'self'", footer=_DEMO)


def demo_done(*, title: str, message: str) -> HttpResponse:
    """Say that nothing is left to do here: what follows happens where the sign-in was begun."""
    body = _fill("done.html", title=_shown(title), message=_paragraph(message, style="lead"))
    return _page(200, title=_shown(title), body=body, footer=_DEMO)


def form_post(*, action: str, parameters: Sequence[tuple[str, str]]) -> HttpResponse:
    """Deliver an authorization response in the body of a POST, by a form that submits itself.

    Args:
        action: the redirect URI, already checked by the caller.
        parameters: names and values of the response, sent byte for byte.

    Raises:
        ConfigError: `action` is not an absolute http or https URL.

    Source: OAuth 2.0 Form Post Response Mode §2.
    """
    body = _fill("form_post.html", action=escape(action), hidden=_hidden(parameters))
    form_action = _form_source(action)
    return _page(200, title="One moment", body=body, script=_SUBMIT, form_action=form_action, footer=_DEMO)


def relay(*, path: str, token: str) -> HttpResponse:
    """Hand the fragment of this page's own address to us by POST, which is the only way to read one.

    Args:
        path: where to, on our origin.
        token: proves that the POST comes from this very page.

    Source: RFC 6749 §4.2 (steps D to F); RFC 9700 §4.3.2.
    """
    attributes = f' data-relay="{escape(path)}" data-token="{escape(token)}"'
    return _page(
        200, title="One moment", body=_fill("relay.html"), script=_text("relay.js"), attributes=attributes
    )


def waiting(*, path: str, token: str, provider: str, url: str, user_code: str) -> HttpResponse:
    """Lead to the provider's approval page in another tab, and wait here for the outcome.

    Args:
        path: where this page asks, on our origin.
        token: proves that its requests come from this very page.
        provider: name of the authorization server.
        url: the approval page, already checked by the caller.
        user_code: to compare or to enter there; empty when there is none.

    Source: RFC 8628 §3.3, §3.3.1, §5.4.
    """
    shown = _shown(user_code)
    attributes = f' data-live="{escape(path)}" data-token="{escape(token)}"'
    body = _fill(
        "waiting.html",
        provider=_shown(provider),
        url=escape(url),
        code=f'<p class="user-code until-over">{shown}</p>' if shown else "",
    )
    title = f"Approve at {_shown(provider)}"
    return _page(200, title=title, body=body, script=_text("waiting.js"), attributes=attributes)


def _page(
    status: int,
    *,
    title: str,
    body: str,
    script: str = "",
    attributes: str = "",
    form_action: str = "'none'",
    footer: str = _OURS,
    tone: str = "plain",
) -> HttpResponse:
    """Put a body into the skeleton; `title` and `body` are HTML already, the rest is ours."""
    style = _text("style.css")
    html = _fill(
        "page.html",
        title=title,
        style=style,
        tone=tone,
        body=body,
        footer=footer,
        attributes=attributes,
        script=f"<script>{script}</script>" if script else "",
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        *_COMMON_HEADERS,
        (
            "Content-Security-Policy",
            # A page with attributes has an address of ours to talk to.
            _policy(form_action=form_action, style=style, script=script, connect=bool(attributes)),
        ),
    )
    return HttpResponse(status, headers, html.encode("utf-8", "replace"))


def _policy(*, form_action: str, style: str = "", script: str = "", connect: bool = False) -> str:
    """Spell a policy that allows exactly these two inline texts (CSP Level 3 §2.3.1, §6.7.3)."""
    directives = [
        "default-src 'none'",
        "base-uri 'none'",
        f"form-action {form_action}",
        "frame-ancestors 'none'",
    ]
    if style:
        directives.append(f"style-src {_hash_source(style)}")
    if script:
        directives.append(f"script-src {_hash_source(script)}")
    if connect:
        directives.append("connect-src 'self'")
    return "; ".join(directives)


def _returning_to(redirect_uri: str) -> str:
    # Chromium applies form-action to the redirects after a form too, and the answer to the demonstration's
    # form is a redirect to the client. With 'self' alone the browser would stop there, silently.
    return f"'self' {_form_source(redirect_uri)}" if redirect_uri else "'self'"


def _form_source(url: str) -> str:
    """Name the origin of a URL as a policy can, refusing whatever could smuggle in a directive."""
    origin = _ORIGIN.match(url)
    if origin is None:
        raise ConfigError(
            "A page cannot send its form there: not an absolute http or https URL",
            hint="Use a redirect URI such as http://127.0.0.1:8080/callback.",
        )
    scheme, host, port = origin.groups("")
    # A source cannot be an IPv6 address (CSP Level 3 §2.3.1), and browsers ignore one: the scheme has to do.
    return f"{scheme}:" if host.startswith("[") else f"{scheme}://{host}{port}"


def _returns(redirect_uri: str) -> str:
    if not redirect_uri:
        return ""
    row = f"<div><dt>Returns to</dt><dd><code>{_shown(redirect_uri)}</code></dd></div>"
    return f'<dl class="facts">\n{row}\n</dl>'


def _quoted(message: str) -> str:
    shown = _shown(message)
    return f'<p class="hint"><b>It says</b>{shown}</p>' if shown else ""


def _comparison(code: str) -> str:
    shown = _shown(code)
    if not shown:
        return ""
    return (
        f'<p class="hint"><b>Compare the code</b><code class="user-code">{shown}</code> must be what the'
        " other device or program shows you. Deny if it differs, or if you did not begin this yourself.</p>"
    )


def _shown(text: str) -> str:
    return escape(server_text(text))


def _paragraph(text: str, *, style: str) -> str:
    shown = _shown(text)
    return f'<p class="{style}">{shown}</p>' if shown else ""


def _hidden(fields: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields
    )


def _fill(name: str, **values: str) -> str:
    return _template(name).substitute(values)


@cache
def _template(name: str) -> Template:
    return Template(_text(name))


@cache
def _text(name: str) -> str:
    # Read as text: line ends become \n on every system, as the browser sees them before it hashes.
    return Path(__file__).with_name(name).read_text("utf-8")


@cache
def _hash_source(inline: str) -> str:
    digest = base64.b64encode(hashlib.sha256(inline.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
