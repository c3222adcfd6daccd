"""How a flow is resumed: with an answer, with an error, and to its end."""

from __future__ import annotations

import pytest

from loopback_auth.effects import Bind, Flow, FlowResult, Sleep, Tick, Warn, resume_flow
from loopback_auth.errors import TransportError
from loopback_auth.model import Redirect


def flow() -> Flow[str]:
    """Ask for an address and for time, and survive that there is none."""
    redirect_uri = yield from Bind(Redirect())
    try:
        tick = yield from Sleep(1.0)
    except TransportError as exc:
        yield from Warn(exc.message)
        raise
    return f"{redirect_uri} at {tick.now}"


def test_flow_gets_each_answer_where_it_asked() -> None:
    """An interpreter knows effects and answers, and nothing of what a flow does with them."""
    running = flow()

    assert resume_flow(running, None) == Bind(Redirect())
    assert resume_flow(running, "http://127.0.0.1:1/callback") == Sleep(1.0)
    assert resume_flow(running, Tick(2.0, 3.0)) == FlowResult("http://127.0.0.1:1/callback at 2.0")


def test_flow_may_handle_an_error_or_fail_with_it() -> None:
    """Polling goes on after a lost connection; other flows end."""
    running = flow()
    resume_flow(running, None)
    resume_flow(running, "http://127.0.0.1:1/callback")
    lost = TransportError("There was no answer.")

    assert resume_flow(running, lost) == Warn("There was no answer.")
    with pytest.raises(TransportError) as failed:
        resume_flow(running, None)
    assert failed.value is lost


def test_result_does_not_show_what_it_holds() -> None:
    """It is a sign-in with its tokens, and reprs end in logs."""
    assert "canary" not in repr(FlowResult("canary"))
