"""The table of trials reads well, and every name in it stays unique: reports and gates refer to them."""

from __future__ import annotations

from collections import Counter

import pytest

from loopback_auth.audit.programs.trial import Question, Trial
from loopback_auth.audit.programs.trials import TRIALS

QUESTIONS = [question for trial in TRIALS for question in trial.questions]


def test_names_are_unique() -> None:
    """A finding is told apart by its id alone."""
    names = Counter(one.id for one in (*QUESTIONS,))
    trials = Counter(one.id for one in TRIALS)

    assert [name for name, times in (*names.items(), *trials.items()) if times > 1] == []


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.id)
def test_a_trial_is_explained_in_one_or_two_sentences(trial: Trial) -> None:
    """A list of trials is read before somebody runs them on a program of their own."""
    assert trial.title.endswith(".")
    assert trial.title.count(". ") <= 1
    assert trial.questions


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_can_become_a_finding(question: Question) -> None:
    """A finding has a statement, a clause, and advice for the author of the program."""
    assert question.title.endswith(".")
    assert question.statement
    assert not question.statement.endswith(".")
    assert question.fault.endswith(".")
    assert question.fault.rstrip(".") != question.statement
    assert question.source
    assert question.advice.endswith(".")
