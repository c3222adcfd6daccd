"""Several people, or several accounts of one, at the same provider."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from command_line import CommandLine

from commands.people import (
    CONFIDENTIAL,
    RecordingServer,
    age,
    client_flags,
    keep,
    kept_in,
    sign_in,
    store,
    visit,
)
from loopback_auth.commands._second_account import free_name
from loopback_auth.commands.demo import CLIENT_ID
from loopback_auth.tokens import SignIn

TABLE = '[providers.{name}]\nissuer = "{issuer}"\nclient_id = "{client_id}"\n'


def configured(command_line: CommandLine, *lines: str, **tables: str) -> dict[str, str]:
    """Write a configuration file with a table for each provider; return the environment."""
    written = [TABLE.format(name=name, issuer=issuer, client_id=CLIENT_ID) for name, issuer in tables.items()]
    file = command_line.home / "config.toml"
    file.write_text("\n".join([*lines, *written]))
    file.chmod(0o600)
    return {"LOOPBACK_AUTH_CONFIG_DIR": str(command_line.home)}


def keep_account(command_line: CommandLine, provider: str, account: str) -> None:
    """Keep a made-up sign-in of one of several accounts."""
    made = keep(command_line, provider)
    store(command_line).delete(provider)
    store(command_line).save(replace(made, name=f"{provider}-{account}", configured_as=provider))


@pytest.mark.slow
def test_an_account_is_kept_beside_others_and_found_again(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """Its settings are those of its provider: secret, scope and network are found for a renewal."""
    environ = configured(
        command_line,
        f'[providers.corp]\nissuer = "{server.issuer}"\nclient_id = "{CONFIDENTIAL.client_id}"',
        f'client_secret = "{CONFIDENTIAL.client_secret}"\nclient_auth = "post"\n',
    )
    first = sign_in(command_line, "corp", decision="approve", **environ)
    second = sign_in(command_line, "corp", "--as", "work", "--json", decision="approve", **environ)
    age(command_line)
    renewed = command_line.run("token", "corp-work", **environ)
    names = store(command_line).names()

    assert (first.status, second.status) == (0, 0), first.stderr + second.stderr
    assert names == ("corp", "corp-work")
    assert (second.json["name"], second.json["provider"]) == ("corp-work", "corp")
    assert (renewed.status, len(renewed.stdout.split())) == (0, 1), renewed.stderr
    assert command_line.run("use", **environ).stdout == "corp-work\n"


@pytest.mark.slow
@pytest.mark.parametrize("wanted", ["corp", "http", ""])
def test_the_name_of_an_account_signs_in_to_it_again(
    command_line: CommandLine, server: RecordingServer, wanted: str
) -> None:
    """The client, too, is that of the first time, whether a table, an address or flags have named it."""
    environ = configured(command_line, corp=server.issuer)
    named = {"corp": ["corp"], "http": [server.issuer, "--client-id", CLIENT_ID]}
    first = sign_in(
        command_line,
        *named.get(wanted, client_flags(server.issuer)),
        "--as",
        "work",
        "--json",
        decision="approve",
        **environ,
    )
    name = str(first.json["name"])
    again = sign_in(command_line, name, "--json", decision="approve", **environ)

    assert name.endswith("-work")
    assert (again.status, again.json["name"], again.json["client_id"]) == (0, name, CLIENT_ID), again.stderr
    assert again.json["provider"] == first.json["provider"] == name.removesuffix("-work")
    assert store(command_line).names() == (name,)


@pytest.mark.slow
def test_a_sign_in_by_flags_can_be_repeated_by_its_name(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """It is what `status` shows, so it is what people type."""
    sign_in(command_line, *client_flags(server.issuer))
    (name,) = store(command_line).names()
    again = sign_in(command_line, name, "--json")

    assert (again.status, again.json["name"], again.json["client_id"]) == (0, name, CLIENT_ID), again.stderr


@pytest.mark.slow
def test_the_name_signs_in_again_where_its_key_is_lost(
    command_line: CommandLine, server: RecordingServer
) -> None:
    """To sign in again is what the error advises."""
    sign_in(command_line, *client_flags(server.issuer), "--dpop")
    (name,) = store(command_line).names()
    (key,) = (kept_in(command_line) / "keys").glob("*.json")
    key.unlink()

    assert sign_in(command_line, name, "--dpop").status == 0
    assert store(command_line).load(name) is not None


@pytest.mark.slow
def test_a_login_in_two_steps_carries_the_account(command_line: CommandLine, server: RecordingServer) -> None:
    """The command that finishes it has no flag for that."""
    environ = configured(command_line, corp=server.issuer)
    begun = command_line.run("start", "corp", "--as", "work", "--flow", "device", "--json", **environ)
    visit(str(begun.json["url"]))
    done = command_line.run("finish", "--yes", "--wait", "20", "--json", **environ)

    assert (begun.json["name"], begun.json["provider"]) == ("corp-work", "corp")
    assert (done.status, done.json["name"], done.json["provider"]) == (0, "corp-work", "corp")


@pytest.mark.parametrize("account", ["", "Work", "../x", "a b", "-x", "é", "x" * 101, "me@example.com"])
def test_an_odd_name_of_an_account_is_refused(command_line: CommandLine, account: str) -> None:
    """It becomes the name of a file, which people type."""
    environ = configured(command_line, corp="https://corp.example")
    ended = command_line.run("login", "corp", f"--as={account}", **environ)

    assert ended.status == 2
    assert "--as" in ended.complaint


def test_an_account_gets_no_name_of_a_provider(command_line: CommandLine) -> None:
    """Otherwise a name would mean two servers."""
    environ = configured(command_line, corp="https://corp.example", **{"corp-eu": "https://eu.example"})
    ended = command_line.run("login", "corp", "--as", "eu", **environ)

    assert ended.status == 2
    assert "corp-eu" in ended.complaint


def test_a_provider_that_takes_the_name_of_an_account_later_is_refused(command_line: CommandLine) -> None:
    """The kept account keeps the settings of its own provider."""
    keep_account(command_line, "corp", "eu")
    environ = configured(command_line, corp="https://corp.example", **{"corp-eu": "https://eu.example"})
    login = command_line.run("login", "corp-eu", **environ)
    file = command_line.home / "config.toml"
    file.write_text(file.read_text().replace(CLIENT_ID, "abc"))
    token = command_line.run("token", "corp-eu", "--json", **environ)

    assert login.status == 2
    assert "account at corp" in login.complaint
    assert token.json["access_token"] == "access-token-of-corp"


def test_two_providers_do_not_share_an_account(command_line: CommandLine) -> None:
    """a-b with the account c, and a with the account b-c, have one name."""
    keep_account(command_line, "a-b", "c")
    environ = configured(command_line, a="https://a.example", **{"a-b": "https://a-b.example"})
    ended = command_line.run("login", "a", "--as", "b-c", **environ)

    assert ended.status == 2
    assert "account at a-b" in ended.complaint


def test_the_settings_name_a_provider_and_the_choice_an_account(command_line: CommandLine) -> None:
    """`provider = "corp"` in the file, and `use` between two accounts there."""
    for account in ("home", "work"):
        keep_account(command_line, "corp", account)
    keep(command_line, "other")
    environ = {"LOOPBACK_AUTH_PROVIDER": "corp"}
    nothing_chosen = command_line.run("token", **environ)
    chosen = command_line.run("use", "corp-work", **environ)
    used = command_line.run("use", **environ).stdout
    elsewhere = command_line.run("use", "other", "--json", **environ)

    assert nothing_chosen.status == 9
    assert "corp-home, corp-work" in nothing_chosen.complaint
    assert (chosen.status, used) == (0, "corp-work\n")
    assert elsewhere.json["in_use"] is False
    assert "LOOPBACK_AUTH_PROVIDER names corp" in elsewhere.stderr


def test_the_only_account_of_the_provider_in_the_settings_is_meant(command_line: CommandLine) -> None:
    """There is nothing to choose from."""
    keep_account(command_line, "corp", "work")
    keep(command_line, "other")
    ended = command_line.run("token", "--json", LOOPBACK_AUTH_PROVIDER="corp")

    assert ended.json["access_token"] == "access-token-of-corp"


def test_status_shows_the_provider_of_each_account(command_line: CommandLine) -> None:
    """Only where it is not the name, so that the usual table stays narrow."""
    keep(command_line, "other")
    before = command_line.run("status").stdout.splitlines()[0].split()
    keep_account(command_line, "corp", "work")
    table = [line.split() for line in command_line.run("status").stdout.splitlines()]
    shown = json.loads(command_line.run("status", "--json").stdout)

    assert before == ["name", "account", "until", "scope"]
    assert table[0][:3] == ["name", "provider", "account"]
    assert table[1][:3] == ["corp-work", "corp", "me@example.com"]
    assert {each["name"]: each["provider"] for each in shown} == {"corp-work": "corp", "other": "other"}


def test_logout_of_all_accounts_at_one_provider_spares_the_others(command_line: CommandLine) -> None:
    """Whoever leaves a company does not leave all the others."""
    keep(command_line, "corp")
    made = store(command_line).load("corp")
    assert made is not None
    gone = replace(made, temporary=True)  # Nothing is to be revoked.
    store(command_line).save(gone)
    store(command_line).save(replace(gone, name="corp-work", configured_as="corp"))
    store(command_line).save(replace(gone, name="corporate"))
    ended = command_line.run("logout", "corp", "--all", "--json")

    assert ended.status == 0
    assert [each["name"] for each in json.loads(ended.stdout)] == ["corp", "corp-work"]
    assert store(command_line).names() == ("corporate",)


def test_an_account_that_is_not_kept_is_explained(command_line: CommandLine) -> None:
    """The name has the provider in it."""
    environ = configured(command_line, corp="https://corp.example")
    token = command_line.run("token", "corp-work", **environ)
    login = command_line.run("login", "corp-work", **environ)

    assert (token.status, login.status) == (9, 2)
    assert all("login corp --as work" in each.complaint for each in (token, login))


@pytest.mark.slow
def test_json_names_the_account_that_was_replaced(command_line: CommandLine, server: RecordingServer) -> None:
    """Without a terminal nobody can be asked, so the program that reads the answer is told."""
    flags = (*client_flags(server.issuer), "--scope", "profile email", "--json")
    first = sign_in(command_line, *flags)
    (file,) = kept_in(command_line).rglob("*.json")
    file.write_text(file.read_text().replace("demo@example.com", "first@example.com"))
    second = sign_in(command_line, *flags)
    third = sign_in(command_line, *flags)

    assert [each.json["replaced"] for each in (first, second, third)] == [None, "first@example.com", None]
    assert "Replaced first@example.com" in second.stderr


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("bob@example.com", "corp-bob"),
        ("Bob", "corp-bob"),
        ("Ödön Ü", "corp-d-n"),
        ("日本", "corp-2"),
        ("", "corp-2"),
        ("../..", "corp-2"),
        ("eu", "corp-2"),
    ],
)
def test_an_account_gives_its_sign_in_a_name(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, account: str, name: str
) -> None:
    """Whatever a server calls an account, the name is one that can be typed, and no provider has it."""
    environ = configured(command_line, **{"corp": "https://corp.example", "corp-eu": "https://eu.example"})
    monkeypatch.setenv("LOOPBACK_AUTH_CONFIG_DIR", environ["LOOPBACK_AUTH_CONFIG_DIR"])
    made = keep(command_line, "corp")
    new = replace(made, tokens=replace(made.tokens, account=account))

    assert free_name(new, store(command_line)) == name


def test_the_name_of_one_more_account_takes_nobodys_place(command_line: CommandLine) -> None:
    """Two people may be called bob; the same one gets the same name again."""
    made = keep(command_line, "corp")

    def kept(account: str, name: str) -> SignIn:
        sign_in = replace(made, name=name, configured_as="corp", tokens=replace(made.tokens, account=account))
        store(command_line).save(sign_in)
        return replace(sign_in, name="corp", configured_as="")

    first = kept("bob@one.example", "corp-bob")
    second = replace(made, tokens=replace(made.tokens, account="bob@two.example"))

    assert free_name(first, store(command_line)) == "corp-bob"
    assert free_name(second, store(command_line)) == "corp-bob-two.example"
