"""The table of outputs, and what is made of it."""

from __future__ import annotations

import pytest

from loopback_auth.commands.help import topic
from loopback_auth.outputs.plain import PLAIN
from loopback_auth.outputs.table import OUTPUTS, Output


@pytest.mark.parametrize("row", OUTPUTS.values(), ids=OUTPUTS)
def test_the_topic_says_where_to_put_each_output(row: Output) -> None:
    """A form that nobody knows where to put is of no use."""
    line = (
        f"token NAME --as {row.name}" if "args" not in row.line else f"args: [token, NAME, --as, {row.name}]"
    )

    assert line in topic("tools")
    assert f"  {row.name:<8} {row.tried_with}\n" in topic("tools")


def test_plain_outputs_are_outputs() -> None:
    """The quick way knows no others."""
    assert set(PLAIN) <= set(OUTPUTS)
