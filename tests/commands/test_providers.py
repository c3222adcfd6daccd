"""`providers`: what is known about servers, and who says so."""

from __future__ import annotations

import json

from command_line import CommandLine

from loopback_auth.settings.presets import every_preset

PRESETS = every_preset()


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


OWN = """\
[providers.work]
preset = "github"
client_id = "mine"
client_secret = "hunter2"
[providers.github]
client_id = "other"
token_headers = {X-Key = "hunter2"}
[providers.inhouse]
issuer = "https://id.example"
"""


def test_ones_own_providers_are_listed_and_shown(command_line: CommandLine) -> None:
    """They are providers like all others, and what is asked for by name has to be found by it."""
    config = command_line.home / ".config" / "loopback_auth" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(OWN)
    config.chmod(0o600)
    listed = command_line.run("providers").stdout
    work = json.loads(command_line.run("providers", "work", "--json").stdout)["work"]
    github = command_line.run("providers", "github").stdout
    inhouse = command_line.run("providers", "inhouse")
    slip = command_line.run("providers", "wrok")

    assert [line.split()[0] for line in listed.splitlines() if line[0] != " "][:3] == [
        "work",
        "github",
        "inhouse",
    ]
    assert listed.count("\ngithub ") == 1
    assert (work["client_id"], work["token_endpoint"]) == ("mine", PRESETS["github"]["token_endpoint"])
    assert "other" in github
    assert (inhouse.status, "https://id.example" in inhouse.stdout) == (0, True)
    assert "Did you mean work?" in slip.complaint
    assert "hunter2" not in listed + json.dumps(work) + github
