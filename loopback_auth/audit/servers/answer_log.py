"""Puts the questions to a server, and notes each answer under the name of its question."""

from __future__ import annotations

from loopback_auth.audit.servers.answers import Answer
from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.doctor.asking import Asking
from loopback_auth.effects import Flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse


class AnswerLog:
    """Notes what was asked, and what came back; an error is an answer too.

    Args:
        asking: sends the requests.
    """

    def __init__(self, asking: Asking) -> None:
        self.answers: dict[str, Answer] = {}
        self.unasked: dict[str, str] = {}
        self.inapplicable: dict[str, str] = {}
        self._asking = asking

    def ask(
        self,
        question: str,
        request: HttpRequest,
        *,
        step: str,
        authorization: AuthorizationRequest | None = None,
    ) -> Flow[HttpResponse | None]:
        """Ask, and return the response; None where there was none.

        Args:
            question: its name.
            request: to send.
            step: its name in the words of the specification.
            authorization: the authorization request that it makes, if it makes one.
        """
        before = self._asking.sent
        response: HttpResponse | None = None
        trouble = ""
        try:
            response = yield from self._asking.send(request, step=step)
        except LoopbackAuthError as exc:
            trouble = f"{exc.message.rstrip('.')}."
        number = self._asking.sent if self._asking.sent > before else 0
        self.answers[question] = Answer(question, request, response, trouble, number, authorization)
        return response

    def leave_out(self, reason: str, *questions: str) -> None:
        """Note why questions are not asked, although their answers would tell something."""
        self.unasked |= dict.fromkeys(questions, reason)

    def does_not_apply(self, reason: str, *questions: str) -> None:
        """Note why questions have no meaning at this server, or for this client."""
        self.inapplicable |= dict.fromkeys(questions, reason)
