"""`providers`: what is known about servers, and who says so."""

from __future__ import annotations

import json

from command_line import CommandLine

from loopback_auth.settings.providers import PRESETS


def test_each_is_listed_with_a_whole_link(command_line: CommandLine) -> None:
    """A link that is cut or broken to fit a column leads nowhere."""
    ended = command_line.run("providers", COLUMNS="40")

    assert ended.status == 0
    assert [name for name in PRESETS if f"\n{name} " not in "\n" + ended.stdout] == []
    assert [one["source"] for one in PRESETS.values() if f"{one['source']}\n" not in ended.stdout] == []


def test_one_is_shown_whole(command_line: CommandLine) -> None:
    """What to register stands in its note."""
    ended = command_line.run("providers", "netlify")

    assert ended.status == 0
    assert str(PRESETS["netlify"]["note"]) in ended.stdout
    assert "pkce " in ended.stdout
    assert json.loads(command_line.run("providers", "netlify", "--json").stdout)["netlify"]["pkce"] is False


def test_a_slip_is_corrected(command_line: CommandLine) -> None:
    """The names are ours, so that nobody can know them."""
    ended = command_line.run("providers", "nelify")

    assert ended.status == 2
    assert "Did you mean netlify?" in ended.complaint
