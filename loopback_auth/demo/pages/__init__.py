"""The HTML pages of the demonstration server: an invented account signs in, and decides.

Each page says that it is a demonstration, so that it is not taken for a real provider. Decides only how a
page looks: the server passes in what is shown, and the sentences are in `loopback_auth.words`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from loopback_auth import words
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages import Pages
from loopback_auth.pages.frame import escaped, fill, form_source, page, paragraph, sentence
from loopback_auth.program import Program
from loopback_auth.redact import server_text

# A parameter called "submit" would hide the form's own method, hence the detour over the prototype.
_SUBMIT = "HTMLFormElement.prototype.submit.call(document.forms[0])"

_DEMO = Program(words={"PAGE_FOOTER": words.DEMO_FOOTER, "PAGE_CLOSE": words.DEMO_CLOSE})


def sign_in(
    *,
    action: str,
    hidden: Sequence[tuple[str, str]],
    client_id: str,
    redirect_uri: str,
    accounts: Sequence[tuple[str, str]],
    again: bool = False,
) -> HttpResponse:
    """Ask which of the demonstration accounts signs in; posts `account` and `decision=continue`.

    Args:
        action: address of the form, on the same origin as the page.
        hidden: names and values that come back with the choice, byte for byte.
        client_id: who asks.
        redirect_uri: where the browser will go, already checked by the caller; empty: it stays.
        accounts: value and label of each account; the first is chosen beforehand.
        again: say that the person has to confirm who they are.

    Raises:
        ConfigError: `redirect_uri` is not an absolute http or https URL.
    """
    choices = "\n".join(
        f'<label class="choice"><input type="radio" name="account" value="{escape(value)}" required'
        f"{'' if position else ' checked'}><span>{escaped(label)}</span></label>"
        for position, (value, label) in enumerate(accounts)
    )
    body = fill(
        "sign_in.html",
        package=__name__,
        action=escape(action),
        hidden=_hidden(hidden),
        ribbon=sentence(words.DEMO_RIBBON),
        title=sentence(words.DEMO_SIGN_IN),
        lead=sentence(words.DEMO_SIGN_IN_LEAD, client=f"<strong>{escaped(client_id)}</strong>"),
        again=paragraph(words.DEMO_AGAIN if again else "", style="hint"),
        choose=sentence(words.DEMO_CHOOSE),
        practice=sentence(words.DEMO_PRACTICE),
        go_on=sentence(words.DEMO_CONTINUE),
        returns=_facts(*([(words.DEMO_RETURNS, redirect_uri)] if redirect_uri else [])),
        accounts=choices,
    )
    title = _marked(words.DEMO_SIGN_IN)
    form_action = _returning_to(redirect_uri)
    return page(200, title=title, body=body, form_action=form_action, footer=words.DEMO_FOOTER)


def consent(
    *,
    action: str,
    hidden: Sequence[tuple[str, str]],
    client_id: str,
    redirect_uri: str,
    account: str,
    scopes: Sequence[tuple[str, str]],
    client_name: str = "",
    resource: Sequence[str] = (),
    again: bool = False,
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
        client_name: what the client calls itself, which is not verified; empty: it said nothing.
        resource: where the access token is going to be used.
        again: say that the person has just confirmed who they are.
        code: to be compared with the one that the other device shows (RFC 8628 §3.3.1, §5.4).
        message: what the client says of its reason.

    Raises:
        ConfigError: `redirect_uri` is not an absolute http or https URL.
    """
    items = "\n".join(f"<li>{escaped(text)}<code>{escaped(name)}</code></li>" for name, text in scopes)
    body = fill(
        "consent.html",
        package=__name__,
        action=escape(action),
        hidden=_hidden(hidden),
        ribbon=sentence(words.DEMO_RIBBON),
        title=sentence(words.DEMO_CONSENT),
        lead=sentence(
            words.DEMO_CONSENT_LEAD,
            client=f"<strong>{escaped(client_name or client_id)}</strong>",
            account=f"<strong>{escaped(account)}</strong>",
        ),
        approve=sentence(words.DEMO_APPROVE),
        deny=sentence(words.DEMO_DENY),
        returns=_facts(
            *((words.DEMO_RESOURCE, one) for one in resource),
            *([(words.DEMO_CLIENT_ID, client_id)] if client_name else []),
            *([(words.DEMO_RETURNS, redirect_uri)] if redirect_uri else []),
        ),
        again=paragraph(words.DEMO_CONFIRMED if again else "", style="hint"),
        unverified=paragraph(words.DEMO_UNVERIFIED if client_name else "", style="hint"),
        message=_quoted(message),
        code=_comparison(code),
        scopes=f'<ul class="scopes">\n{items}\n</ul>' if items else "",
    )
    form_action = _returning_to(redirect_uri)
    title = _marked(words.DEMO_CONSENT)
    return page(200, title=title, body=body, form_action=form_action, footer=words.DEMO_FOOTER)


def enter_code(*, action: str, code: str = "", problem: str = "", status: int = 200) -> HttpResponse:
    """Ask for the code that another device shows; posts `user_code`.

    Args:
        action: address of the form, on the same origin as the page.
        code: entered beforehand.
        problem: why the last code was refused; empty: none was.
        status: HTTP status of the response.

    Source: RFC 8628 §3.3.
    """
    body = fill(
        "enter_code.html",
        package=__name__,
        action=escape(action),
        code=escape(server_text(code)),
        problem=paragraph(problem, style="hint"),
        ribbon=sentence(words.DEMO_RIBBON),
        title=sentence(words.DEMO_ENTER_CODE),
        lead=sentence(words.DEMO_ENTER_CODE_LEAD),
        label=sentence(words.DEMO_ENTER_CODE_LABEL),
        go_on=sentence(words.DEMO_CONTINUE),
    )
    title = _marked(words.DEMO_ENTER_CODE)
    return page(status, title=title, body=body, form_action="'self'", footer=words.DEMO_FOOTER)


def done(*, title: str, message: str) -> HttpResponse:
    """Show the decision; the rest happens in the program that started the sign-in."""
    body = fill(
        "done.html",
        package=__name__,
        ribbon=sentence(words.DEMO_RIBBON),
        title=escaped(title),
        message=paragraph(message, style="lead"),
        close=sentence(words.DEMO_CLOSE),
    )
    return page(200, title=escaped(title), body=body, footer=words.DEMO_FOOTER)


def refused(*, title: str, message: str, hint: str, status: int) -> HttpResponse:
    """Show why the demonstration server refuses to go on, and what to do; the browser stays here."""
    return Pages(_DEMO).failure(title=title, message=message, hint=hint, status=status)


def form_post(*, action: str, parameters: Sequence[tuple[str, str]]) -> HttpResponse:
    """Deliver an authorization response in the body of a POST, by a form that submits itself.

    Args:
        action: the redirect URI, already checked by the caller.
        parameters: names and values of the response, sent byte for byte.

    Raises:
        ConfigError: `action` is not an absolute http or https URL.

    Source: OAuth 2.0 Form Post Response Mode §2.
    """
    title = sentence(words.DEMO_FORM_POST)
    body = fill(
        "form_post.html",
        package=__name__,
        action=escape(action),
        hidden=_hidden(parameters),
        title=title,
        lead=sentence(words.DEMO_FORM_POST_LEAD),
        go_on=sentence(words.DEMO_CONTINUE),
    )
    form_action = form_source(action)
    return page(
        200, title=title, body=body, script=_SUBMIT, form_action=form_action, footer=words.DEMO_FOOTER
    )


def _marked(title: str) -> str:
    """Make the title of a tab, which cannot show the ribbon."""
    return sentence(words.DEMO_TAB, title=sentence(title))


def _returning_to(redirect_uri: str) -> str:
    # Chromium applies form-action to the redirects after a form too, and the answer to the demonstration's
    # form is a redirect to the client. With 'self' alone the browser would stop there, silently.
    return f"'self' {form_source(redirect_uri)}" if redirect_uri else "'self'"


def _facts(*facts: tuple[str, str]) -> str:
    """List what the person should compare: a label and a value each."""
    rows = "\n".join(
        f"<div><dt>{sentence(label)}</dt><dd><code>{escaped(value)}</code></dd></div>"
        for label, value in facts
    )
    return f'<dl class="facts">\n{rows}\n</dl>' if rows else ""


def _quoted(message: str) -> str:
    shown = escaped(message)
    return f'<p class="hint"><b>{sentence(words.DEMO_MESSAGE)}</b>{shown}</p>' if shown else ""


def _comparison(code: str) -> str:
    shown = escaped(code)
    if not shown:
        return ""
    return (
        f'<p class="hint"><b>{sentence(words.DEMO_COMPARE)}</b><code class="user-code">{shown}</code> '
        f"{sentence(words.DEMO_COMPARE_ADVICE)}</p>"
    )


def _hidden(fields: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields
    )
