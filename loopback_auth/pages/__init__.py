"""The HTML pages that a sign-in of ours shows, each as a complete response.

Knows nothing of sockets, flows or the outcome of a sign-in: a page shows what its arguments say. Only the
page that waits links elsewhere. What all pages have in common, above all their defences, is in `frame`.
"""

from __future__ import annotations

from html import escape

from loopback_auth.events import Notify, silent
from loopback_auth.http_messages import HttpResponse
from loopback_auth.pages.accent import accent_style
from loopback_auth.pages.frame import (
    Look,
    data_url,
    escaped,
    file_text,
    fill,
    page,
    paragraph,
    safe_headers,
    sentence,
)
from loopback_auth.pages.renderer import CLEAN_ADDRESS, Renderer
from loopback_auth.program import Page, Program
from loopback_auth.records import replace
from loopback_auth.redact import server_text
from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.program import PageKind

__all__ = [
    "Pages",
    "check_complete",
    "safe_headers",
]

_SHOWN = (
    *("page.html", "style.css", "become.js", "relay.js", "waiting.js"),
    *("failure.html", "question.html", "relay.html", "success.html", "turned_away.html", "waiting.html"),
)


def check_complete() -> None:
    """Read what a sign-in may have to show: before a person is sent away, not once they have approved.

    Raises:
        ConfigError: a file is missing.
    """
    for name in _SHOWN:
        file_text(name)


class Pages:
    """The pages of one sign-in, as the program that asks for it has them.

    Args:
        program: who speaks on them; None: a program without a name.
        tell: called, once, with the reason why a page of the program's own is not shown.
        terminal: the user may have begun at one, and can return there.
    """

    def __init__(
        self, program: Program | None = None, tell: Notify = silent, *, terminal: bool = True
    ) -> None:
        self._program = program = program or Program()
        self.words: Words = program.resolved_words(terminal=terminal)
        self._look = Look(
            language=program.language,
            name=program.name,
            icon=data_url(program.logo) if program.logo else "",
            style=accent_style(program.accent) if program.accent else "",
            any_style=program.page is not None,
        )
        self._renderer = Renderer(program.page, self.words, tell)

    @property
    def again(self) -> str:
        """How the user can sign in once more: by the command of the program, if it has one."""
        return self.words.FAILURE_COMMAND if self._program.command else self.words.FAILURE_AGAIN

    def success(self, *, client: str, provider: str, account: str, scope: str, detail: str) -> HttpResponse:
        """Say that the sign-in is complete; to be shown only once tokens were received and checked.

        Args:
            client: who has the tokens now.
            provider: name of the authorization server.
            account: who signed in, according to the server.
            scope: as granted, space separated (RFC 6749 §3.3).
            detail: one more sentence, for example how long the token lasts.

        Empty arguments leave no trace on the page.
        """
        title, close = sentence(self.words.SUCCESS_TITLE), sentence(self.words.PAGE_CLOSE)
        own = Page(
            "success",
            title=title,
            message=close,
            detail=escaped(detail),
            close=close,
            account=escaped(account),
            provider=escaped(provider),
            scope=escaped(scope),
        )
        if rendered := self._renderer.rendered(own, 200):
            return rendered
        chips = " ".join(f'<code class="chip">{escape(name)}</code>' for name in server_text(scope).split())
        rows = (
            (self.words.SUCCESS_ACCOUNT, escaped(account)),
            (self.words.SUCCESS_PROVIDER, escaped(provider)),
            (self.words.SUCCESS_CLIENT, escaped(client)),
            (self.words.SUCCESS_SCOPE, chips),
        )
        facts = "\n".join(
            f"<div><dt>{sentence(term)}</dt><dd>{value}</dd></div>" for term, value in rows if value
        )
        body = fill(
            "success.html",
            title=title,
            close=close,
            facts=f'<dl class="facts">\n{facts}\n</dl>' if facts else "",
            detail=paragraph(detail, style="quiet"),
        )
        return self._page(200, title=title, body=body, script=CLEAN_ADDRESS)

    def failure(
        self,
        *,
        title: str = "",
        message: str,
        hint: str,
        detail: str = "",
        status: int = 400,
        kind: PageKind = "failure",
    ) -> HttpResponse:
        """Say that the sign-in did not succeed, why, and what to do next.

        Args:
            title: a few words; empty: the usual ones.
            message: what happened; may quote the server.
            hint: one imperative sentence.
            detail: the same in the words of the protocol, for readers who want to know.
            status: HTTP status of the response.
            kind: `failure`, or `cancelled` for one that nothing is wrong with.
        """
        heading = escaped(title) or sentence(self.words.FAILURE_TITLE)
        advice, close = escaped(hint), sentence(self.words.PAGE_CLOSE)
        own = Page(
            kind, title=heading, message=escaped(message), hint=advice, detail=escaped(detail), close=close
        )
        if rendered := self._renderer.rendered(own, status):
            return rendered
        body = fill(
            "failure.html",
            title=heading,
            message=paragraph(message, style="lead"),
            hint=f'<p class="hint"><b>{sentence(self.words.PAGE_ADVICE)}</b>{advice}</p>' if advice else "",
            detail=self._folded(detail),
            close=close,
        )
        return self._page(status, title=heading, body=body, script=CLEAN_ADDRESS, tone="bad")

    def continued(self) -> HttpResponse:
        """Say that the sign-in goes on in another tab, so its outcome is not known yet; the status is 202."""
        words = self.words
        return self._interim(words.CONTINUED_TITLE, words.CONTINUED_LEAD, words.CONTINUED_CLOSE)

    def received(self) -> HttpResponse:
        """Say that the answer has arrived, and no more, since its outcome is not known; the status is 202."""
        words = self.words
        return self._interim(words.RECEIVED_TITLE, words.RECEIVED_LEAD, words.PAGE_CLOSE)

    def _interim(self, title: str, lead: str, close: str) -> HttpResponse:
        body = fill(
            "turned_away.html",
            title=sentence(title),
            reason=paragraph(lead, style="lead"),
            advice=sentence(close),
        )
        return self._page(202, title=sentence(title), body=body, script=CLEAN_ADDRESS)

    def over(self, status: int) -> HttpResponse:
        """Say that a sign-in is over, and how, to a visitor who may not be the person who signed in.

        Args:
            status: of its last page.
        """
        if status == 200:
            return self.success(client="", provider="", account="", scope="", detail="")
        return self.failure(message=self.words.FAILURE_ELSEWHERE, hint="", status=status)

    def turned_away(self, *, status: int, reason: str, allow: str = "") -> HttpResponse:
        """Answer a request that is not ours to serve, without repeating anything of it.

        Args:
            status: HTTP status, 400 to 599.
            reason: a sentence, in English; one of ours is shown in the language of the page.
            allow: the methods that can be used, which a 405 has to list (RFC 9110 §15.5.6).
        """
        title = sentence(self.words.TURNED_AWAY_TITLE)
        body = fill(
            "turned_away.html",
            title=title,
            reason=paragraph(self.words.of(reason), style="lead"),
            advice=sentence(self.words.TURNED_AWAY_ADVICE),
        )
        answer = self._page(status, title=title, body=body)
        return replace(answer, headers=(*answer.headers, ("Allow", allow))) if allow else answer

    def relay(self, *, path: str, token: str) -> HttpResponse:
        """Hand the fragment of this page's own address to us by POST, which is the only way to read one.

        Args:
            path: where to, on our origin.
            token: proves that the POST comes from this very page.

        Source: RFC 6749 §4.2 (steps D to F); RFC 9700 §4.3.2.
        """
        attributes = _attributes(
            ("relay", path),
            ("token", token),
            ("empty-title", self.words.RELAY_EMPTY_TITLE),
            ("empty", self.words.RELAY_EMPTY),
            ("ended-title", self.words.RELAY_ENDED_TITLE),
            ("ended", self.words.RELAY_ENDED),
        )
        title = sentence(self.words.RELAY_TITLE)
        body = fill(
            "relay.html",
            title=title,
            lead=sentence(self.words.RELAY_LEAD),
            no_script=self._without_script(self.words.RELAY_NO_SCRIPT),
        )
        return self._page(200, title=title, body=body, script=_script("relay.js"), attributes=attributes)

    def waiting(self, *, path: str, token: str, provider: str, url: str, user_code: str) -> HttpResponse:
        """Lead to the provider's approval page in another tab, and wait here for the outcome.

        Args:
            path: where this page asks, on our origin.
            token: proves that its requests come from this very page.
            provider: name of the authorization server.
            url: the approval page, already checked by the caller.
            user_code: to compare or to enter there; empty when there is none.

        Source: RFC 8628 §3.3, §3.3.1, §5.4.
        """
        shown = escaped(user_code)
        attributes = self._live(path, token, asks="/next")
        title = sentence(self.words.WAITING_TITLE, provider=escaped(provider))
        code = f'<b>{sentence(self.words.WAITING_CODE)}</b><code class="user-code">{shown}</code>'
        body = fill(
            "waiting.html",
            title=title,
            lead=sentence(self.words.WAITING_LEAD),
            url=escape(url),
            code=f'<p class="hint until-over">{code}</p>' if shown else "",
            button=sentence(self.words.WAITING_BUTTON, provider=escaped(provider)),
            warning=sentence(self.words.WAITING_WARNING),
            no_script=self._without_script(self.words.PAGE_NO_SCRIPT),
        )
        return self._page(200, title=title, body=body, script=_script("waiting.js"), attributes=attributes)

    def question(self, *, path: str, token: str, account: str) -> HttpResponse:
        """Say that the program asks whose account it is, and wait here for the outcome.

        Args:
            path: where this page asks, on our origin.
            token: proves that its requests come from this very page.
            account: who has approved, according to the server.

        Source: RFC 6749 §10.16; RFC 8628 §5.4.
        """
        attributes = self._live(path, token, asks="/last")
        title = sentence(
            self.words.QUESTION_TITLE, account=escaped(account) or sentence(self.words.UNNAMED_ACCOUNT)
        )
        body = fill(
            "question.html",
            title=title,
            lead=sentence(self.words.QUESTION_LEAD),
            no_script=self._without_script(self.words.PAGE_NO_SCRIPT),
        )
        return self._page(200, title=title, body=body, script=_script("waiting.js"), attributes=attributes)

    def _folded(self, detail: str) -> str:
        shown = paragraph(detail, style="quiet")
        language = ' lang="en"' if self.words.foreign else ""
        summary = f"<summary>{sentence(self.words.FAILURE_DETAIL)}</summary>"
        return f"<details>{summary}<div{language}>{shown}</div></details>" if shown else ""

    def _live(self, path: str, token: str, *, asks: str) -> str:
        return _attributes(
            ("live", path),
            ("token", token),
            ("asks", asks),
            ("ended-title", self.words.WAITING_ENDED_TITLE),
            ("ended", self.words.WAITING_ENDED),
        )

    def _without_script(self, text: str) -> str:
        advice = f"<b>{sentence(self.words.PAGE_ADVICE)}</b>{sentence(text)}"
        return f'<noscript><p class="hint">{advice}</p></noscript>'

    def _page(
        self,
        status: int,
        *,
        title: str,
        body: str,
        script: str = "",
        attributes: str = "",
        tone: str = "plain",
    ) -> HttpResponse:
        return page(
            status,
            title=title,
            body=body,
            script=script,
            attributes=attributes,
            footer=sentence(self.words.PAGE_FOOTER),
            tone=tone,
            look=self._look,
        )


def _attributes(*data: tuple[str, str]) -> str:
    return "".join(f' data-{name}="{escape(value)}"' for name, value in data)


def _script(name: str) -> str:
    return file_text("become.js") + file_text(name)
