"""What a server was asked, and what it answered: the only input of the checks.

A question has a name, such as `openid-configuration`, by which the checks find its answer. A question that
was not asked has a reason, which becomes the reason why a check has observed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loopback_auth.authorization_messages import AuthorizationRequest
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, ServerMetadata


@dataclass(frozen=True, slots=True)
class Answer:
    """One request, and what came back.

    Args:
        question: name of the question.
        request: that was sent.
        response: None where none came.
        trouble: why none came; empty where one did.
        number: of the request among all requests, from 1; 0 where it was not even made.
        authorization: the authorization request that it makes, if it makes one.
    """

    question: str
    request: HttpRequest
    response: HttpResponse | None
    trouble: str = ""
    number: int = 0
    authorization: AuthorizationRequest | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that is known of a server.

    Args:
        client: with which it was asked; without an ID where there is none.
        metadata: as a sign-in would use them.
        documents: the metadata documents that were found, by the names of their questions.
        answers: by the names of their questions.
        unasked: why a question was not asked, by its name.
        inapplicable: why a question has no meaning here, by its name.
        remark: what was examined in place of what was asked for, in a sentence; empty where that is the same.
    """

    client: ClientConfig
    metadata: ServerMetadata
    documents: Mapping[str, Mapping[str, object]] = field(repr=False)
    answers: Mapping[str, Answer] = field(repr=False)
    unasked: Mapping[str, str]
    inapplicable: Mapping[str, str]
    remark: str = ""

    @property
    def document(self) -> Mapping[str, object]:
        """The members of all metadata documents; where they differ, those of the first."""
        merged: dict[str, object] = {}
        for document in reversed(list(self.documents.values())):
            merged |= document
        return merged

    def response(self, question: str) -> HttpResponse | None:
        """Return the response to a question; None where there is none."""
        answer = self.answers.get(question)
        return None if answer is None else answer.response

    def answered(self, question: str) -> HttpResponse:
        """Return the response to a question that has one.

        Raises:
            KeyError: it has none.
        """
        if (response := self.response(question)) is None:
            raise KeyError(question)
        return response

    def silence(self, question: str) -> str:
        """Return why a question has no response."""
        answer = self.answers.get(question)
        if answer is not None and answer.trouble:
            return answer.trouble
        return self.unasked.get(question, "It was not asked.")
