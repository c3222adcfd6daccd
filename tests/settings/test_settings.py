"""Where values come from, what wins, and what is refused."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from settings_samples import PATH, settings_of

from loopback_auth.errors import ConfigError
from loopback_auth.settings import (
    config_file,
    load_config,
    needs_secret,
    redirect_of,
    resolve,
    unknown_variables,
)
from loopback_auth.settings.checks import check_settings
from loopback_auth.settings.setting import SETTINGS, Setting

WORK = {"issuer": "https://login.example.com", "client_id": "from-table"}
BY_NAME = {setting.name: setting for setting in SETTINGS}


LAYERS = [
    ({}, {}, {}, {}, "identify", "preset discord"),
    ({}, {}, {}, {"scope": "top"}, "top", f"file {PATH}"),
    ({}, {}, {"scope": "table"}, {"scope": "top"}, "table", f"file {PATH} [providers.discord]"),
    (
        {},
        {"LOOPBACK_AUTH_SCOPE": "variable"},
        {"scope": "table"},
        {},
        "variable",
        "environment LOOPBACK_AUTH_SCOPE",
    ),
    ({"scope": "flag"}, {"LOOPBACK_AUTH_SCOPE": "variable"}, {}, {}, "flag", "flag --scope"),
    ({"scope": ""}, {"LOOPBACK_AUTH_SCOPE": "variable"}, {}, {}, "", "flag --scope"),
    ({"scope": None}, {"LOOPBACK_AUTH_SCOPE": ""}, {}, {}, "identify", "preset discord"),
]


@pytest.mark.parametrize(("flags", "environ", "table", "top", "value", "origin"), LAYERS)
def test_the_nearer_place_wins_and_is_named(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    table: Mapping[str, object],
    top: Mapping[str, object],
    value: str,
    origin: str,
) -> None:
    """A person who asks why a value is used has to learn where to change it."""
    config = {**top, "providers": {"discord": table}}
    settings = settings_of("discord", flags, environ, config)

    assert (settings.get("scope"), settings.origin("scope")) == (value, origin)


def test_an_unset_setting_has_its_default() -> None:
    """A default is an origin too."""
    settings = settings_of()

    assert (settings.get("timeout"), settings.origin("timeout")) == (300.0, "default")
    assert (settings.get("push"), settings.origin("push")) == (None, "default")


READABLE = [
    ("issuer", "https://a.example", "https://a.example"),
    ("client_auth", "basic", "client_secret_basic"),
    ("client_auth", "post", "client_secret_post"),
    ("client_auth", "none", "none"),
    ("client_id", "basic", "basic"),
    ("scope", "a  b", "a b"),
    ("scope", ["a", "b"], "a b"),
    ("port", "8400, 8401", (8400, 8401)),
    ("port", 8400, (8400,)),
    ("port", [8400, "0"], (8400, 0)),
    ("max_age", "0", 0),
    ("max_age", 3600, 3600),
    ("client_auth", "private_key_jwt", "private_key_jwt"),
    ("response_mode", "query.jwt", "query.jwt"),
    ("push", "YES", True),
    ("push", "off", False),
    ("push", False, False),
    ("timeout", "1", 1.0),
    ("timeout", 3600, 3600.0),
    ("resource", "https://a.example https://b.example", ("https://a.example", "https://b.example")),
    ("resource", ["https://a.example/?x=1,2"], ("https://a.example/?x=1,2",)),
    ("extra", ["a=1", "b=x=y z"], {"a": "1", "b": "x=y z"}),
    ("extra", "a=1 b=", {"a": "1", "b": ""}),
    ("extra", {"a": "1"}, {"a": "1"}),
    ("scope_separator", " ", " "),
    ("scope", ["a b", "c"], "a b c"),
    ("scope", "a,b", "a,b"),
    ("allowed_flows", "code,device", ("code", "device")),
    ("allowed_flows", ["code,device", "paste"], ("code", "device", "paste")),
    ("allowed_flows", "code, device", ("code", "device")),
    ("account_fields", ["email", "name,sub"], ("email", "name", "sub")),
    ("resource", "https://a.example,https://b.example", ("https://a.example", "https://b.example")),
]


@pytest.mark.parametrize(("name", "raw", "value"), READABLE)
def test_a_value_is_read_in_its_own_type(name: str, raw: object, value: object) -> None:
    """Text from a variable, a list from a repeated flag and TOML come to the same."""
    assert BY_NAME[name].read(raw, "here") == value


UNREADABLE = [
    ("client_id", 5, "must be a string"),
    ("client_auth", "secret", "'secret' is not a known value"),
    ("response_mode", "jws", "'jws' is not a known value"),
    ("max_age", "soon", "'soon' is not a whole number of seconds"),
    ("max_age", "-1", "'-1' is not a whole number of seconds"),
    ("max_age", "1.5", "'1.5' is not a whole number of seconds"),
    ("max_age", "\u0661", r"'\u0661' is not a whole number of seconds"),
    ("max_age", "1" * 5000, "is not a whole number of seconds"),
    ("max_age", -1, "a whole number of seconds"),
    ("max_age", True, "a whole number of seconds"),
    ("max_age", 10**10, "a whole number of seconds"),
    ("flow", "password", "'password' is not a known value"),
    ("scope_separator", "+", "'+' is not a known value"),
    ("scope", ["a", 7], "a list of strings"),
    ("allowed_flows", ",", "it is empty"),
    ("allowed_flows", [], "it is empty"),
    ("extra", 7, "the form name=value"),
    ("push", "maybe", "'maybe' is not one of true, 1, yes, on, false, 0, no, off"),
    ("push", 1, "1 is not one of true"),
    ("timeout", "0", "0 is not between 1 and 3600"),
    ("timeout", 3601, "3601 is not between 1 and 3600"),
    ("timeout", "nan", "nan is not between 1 and 3600"),
    ("timeout", "soon", "'soon' is not a number of seconds"),
    ("timeout", True, "must be a number of seconds"),
    ("port", "65536", "'65536' is not a port number from 0 to 65535"),
    ("port", "-1", "'-1' is not a port number"),
    ("port", "\u0661", r"'\u0661' is not a port number"),
    ("port", [True], "list of port numbers"),
    ("port", [], "must be a port number"),
    ("resource", 7, "a list of strings"),
    ("resource", ["https://a.example", 7], "every item"),
    ("extra", ["a"], "'a' does not have the form name=value"),
    ("extra", ["=a"], "'=a' does not have the form name=value"),
    ("extra", ["a=1", "a=2"], "a name is repeated"),
    ("extra", {"a": 1}, "every value"),
    ("login_hint", "a\udcff", "it has bytes that are not UTF-8"),
    ("prompt", "\udc80", "it has bytes that are not UTF-8"),
    ("audience", "\udfff", "it has bytes that are not UTF-8"),
    ("message", "\ud800", "it has bytes that are not UTF-8"),
    ("issuer", "https://\udcff.example", "it has bytes that are not UTF-8"),
    ("resource", ["https://a.example", "https://\udcff.example"], "it has bytes that are not UTF-8"),
    ("extra", ["a=\udcff"], "it has bytes that are not UTF-8"),
    ("extra", ["\udcff=a"], "it has bytes that are not UTF-8"),
]


@pytest.mark.parametrize(("name", "raw", "reason"), UNREADABLE)
def test_an_unreadable_value_is_refused_with_name_reason_and_place(
    name: str, raw: object, reason: str
) -> None:
    """The message alone has to be enough to correct it."""
    with pytest.raises(ConfigError) as caught:
        BY_NAME[name].read(raw, "environment X")

    assert f"The setting {name} " in caught.value.message
    assert reason in caught.value.message
    assert "(from environment X)" in caught.value.message
    assert caught.value.hint


MISSPELT = [
    ("flow", "cod", "Did you mean code?"),
    ("allowed_flows", "code,tickt", "Did you mean ticket?"),
    (
        "response_mode",
        "zzz",
        "Allowed values are: query, fragment, form_post, jwt, query.jwt, form_post.jwt.",
    ),
    ("client_auth", "non", "Did you mean none?"),
    ("ticket", "strpe", "Did you mean stripe?"),
]


@pytest.mark.parametrize(("name", "raw", "hint"), MISSPELT)
def test_a_misspelt_value_gets_a_suggestion(name: str, raw: str, hint: str) -> None:
    """Flags and keys are corrected, and their values are just as easily misspelt."""
    with pytest.raises(ConfigError) as caught:
        BY_NAME[name].read(raw, "here")

    assert hint in caught.value.hint


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_hint_is_made_of_sentences(setting: Setting) -> None:
    """The help of a flag is a line in a table, and no advice."""
    with pytest.raises(ConfigError) as caught:
        setting.read(object(), "here")

    assert caught.value.hint.endswith(".")
    assert setting.help not in caught.value.hint


def test_a_hidden_value_is_not_looked_at() -> None:
    """What a nearer place overrides may be wrong without harm."""
    settings = settings_of(flags={"timeout": "5"}, environ={"LOOPBACK_AUTH_TIMEOUT": "soon"})

    assert settings.seconds("timeout") == 5


def test_a_secret_shows_nowhere_and_has_no_flag() -> None:
    """Arguments are seen by every user of the machine, and displays by whoever looks."""
    settings = settings_of("github", environ={"LOOPBACK_AUTH_CLIENT_SECRET": "hunter2"})

    assert BY_NAME["client_secret"].shown(settings.get("client_secret")) == "set, hidden"
    assert settings.origin("client_secret") == "environment LOOPBACK_AUTH_CLIENT_SECRET"
    assert "hunter2" not in repr(settings)
    assert BY_NAME["client_secret"].flag == ""
    with pytest.raises(ConfigError) as caught:
        BY_NAME["client_secret"].read(["hunter2"], "here")
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_a_setting_is_shown_as_a_person_would_write_it() -> None:
    """The display is read by people who then edit a file."""
    flags = {"port": ["8400", "8401"], "extra": ["a=b"], "push": True, "timeout": 2.5}
    settings = settings_of(flags=flags)
    rows = {item.name: item.shown(settings.get(item.name)) for item in SETTINGS}

    assert (rows["port"], rows["extra"], rows["push"]) == ("8400 8401", "a=b", "true")
    assert (rows["timeout"], rows["scope_separator"], rows["client_id"]) == ("2.5", '" "', "not set")


NAMED = [
    ("", {}, {}, {}, "demo"),
    ("demo", {}, {}, {"provider": "github"}, "demo"),
    ("", {"timeout": "5"}, {}, {}, "demo"),
    ("", {"client_id": "a"}, {}, {}, "unnamed"),
    ("github", {}, {}, {}, "github"),
    ("", {}, {"LOOPBACK_AUTH_PROVIDER": "github"}, {"provider": "google"}, "github"),
    ("", {}, {}, {"provider": "google"}, "google"),
    ("https://login.example.com/", {}, {}, {}, "login.example.com"),
    ("https://login.example.com/tenant-a", {}, {}, {}, "login.example.com/tenant-a"),
    ("", {"issuer": "http://127.0.0.1:9000"}, {}, {}, "127.0.0.1:9000"),
    ("", {"authorization_endpoint": "https://a.example/x"}, {}, {}, "a.example"),
    ("", {"issuer": "https://b.example"}, {"LOOPBACK_AUTH_PROVIDER": "github"}, {}, "b.example"),
    ("", {}, {"LOOPBACK_AUTH_ISSUER": "https://b.example"}, {"provider": "github"}, "b.example"),
    ("", {}, {"LOOPBACK_AUTH_PROVIDER": "https://c.example"}, {}, "c.example"),
    ("", {}, {}, {"provider": "https://d.example"}, "d.example"),
    ("", {"resource_server": "https://e.example/mcp/"}, {}, {}, "e.example/mcp"),
    ("", {"resource_server": "https://e.example", "issuer": "https://f.example"}, {}, {}, "e.example"),
    ("", {}, {"LOOPBACK_AUTH_RESOURCE_SERVER": "https://e.example"}, {"provider": "github"}, "e.example"),
    ("https://e.example/mcp?a=b", {}, {}, {}, "e.example/mcp?a=b"),
]


@pytest.mark.parametrize(("provider", "flags", "environ", "config", "name"), NAMED)
def test_a_run_has_a_name(
    provider: str,
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    config: Mapping[str, object],
    name: str,
) -> None:
    """Tokens are kept under it, so that two servers must not share one."""
    settings = settings_of(provider, flags, environ, config)

    assert settings.name == name
    assert settings.is_demo is (name == "demo")


A, B = "https://a.example", "https://b.example"
ISSUERS = [
    (A, {}, {"LOOPBACK_AUTH_ISSUER": B}, A, "argument PROVIDER"),
    (A, {"issuer": B}, {}, B, "flag --issuer"),
    ("", {}, {"LOOPBACK_AUTH_PROVIDER": A}, A, "environment LOOPBACK_AUTH_PROVIDER"),
]


@pytest.mark.parametrize(("provider", "flags", "environ", "issuer", "origin"), ISSUERS)
def test_an_issuer_can_be_named_instead_of_a_provider(
    provider: str, flags: Mapping[str, object], environ: Mapping[str, str], issuer: str, origin: str
) -> None:
    """A server of one's own needs no file; what is typed beats what lies in the environment."""
    settings = settings_of(provider, flags, environ)

    assert (settings.get("issuer"), settings.origin("issuer")) == (issuer, origin)


def test_a_table_of_the_file_is_a_provider() -> None:
    """People have servers of their own, and give them names."""
    settings = settings_of("work", config={"providers": {"work": WORK}, "client_id": "from-top"})

    assert (settings.name, settings.get("client_id")) == ("work", "from-table")
    assert settings.origin("issuer") == f"file {PATH} [providers.work]"


def test_a_table_can_extend_a_preset() -> None:
    """Two accounts at one provider need two names and one set of endpoints."""
    settings = settings_of("second", config={"providers": {"second": {"preset": "github", "client_id": "b"}}})

    assert (settings.name, settings.origin("token_endpoint")) == ("second", "preset github")


def test_a_table_named_like_a_preset_extends_it() -> None:
    """Giving one's client ID for GitHub must not lose its endpoints."""
    settings = settings_of("github", config={"providers": {"github": {"client_id": "b"}}})

    assert settings.origin("token_endpoint") == "preset github"


ELSEWHERE = [({}, None), ({"preset": "github"}, "client_secret_post")]


@pytest.mark.parametrize(("preset", "client_auth"), ELSEWHERE)
def test_a_table_that_lies_elsewhere_gets_no_address_of_the_preset(
    preset: Mapping[str, object], client_auth: str | None
) -> None:
    """The token of a company's own server is not shown to the public one; habits are copied when asked."""
    table = {**preset, "issuer": "https://git.example.com"}
    settings = settings_of("github", config={"providers": {"github": table}})

    assert settings.get("userinfo_endpoint") is None
    assert settings.get("token_endpoint") is None
    assert settings.get("client_auth") == client_auth


def test_another_issuer_takes_the_addresses_of_the_preset_away_and_leaves_its_habits() -> None:
    """One's own GitLab is a GitLab, but not GitLab.com."""
    settings = settings_of("github", {"issuer": "https://git.example.com"})

    assert settings.get("userinfo_endpoint") is None
    assert settings.get("client_auth") == "client_secret_post"


def test_a_resource_elsewhere_takes_the_addresses_of_the_preset_away() -> None:
    """The resource says which server signs in to it, and a server of the preset may be another."""
    settings = settings_of("github", {"resource_server": "https://mcp.example/mcp"})

    assert (settings.get("token_endpoint"), settings.name) == (None, "github")


def test_addresses_at_the_top_of_the_file_are_not_those_of_a_named_provider() -> None:
    """A default server must not take over the sign-in at another one."""
    config = {"issuer": "https://login.example.com", "client_id": "a"}

    assert settings_of("github", config=config).get("issuer") is None
    assert settings_of("github", config=config).origin("token_endpoint") == "preset github"
    assert settings_of(config=config).get("issuer") == "https://login.example.com"


UNKNOWN = [
    ("gihub", {}, "Unknown provider: 'gihub' (from argument PROVIDER)", "Did you mean github?"),
    ("", {"provider": "wrok", "providers": {"work": WORK}}, f"(from file {PATH})", "Did you mean work?"),
    ("zzzz", {}, "Unknown provider", "Known names: atlassian"),
    ("", {"client-id": "a"}, f"Unknown key 'client-id' in {PATH}", "Did you mean client_id?"),
    ("", {"providers": {"w": {"scopes": "a"}}}, f"'scopes' in {PATH} [providers.w]", "Did you mean scope?"),
    ("", {"providers": {"w": {"preset": "gogle"}}}, "unknown preset: 'gogle'", "Did you mean google?"),
    ("", {"providers": {"w": {"preset": 5}}}, "unknown preset: 5", "Known names"),
    ("", {"providers": {"demo": {}}}, "the built-in demonstration", "another name"),
    ("", {"providers": {"https://a.example": {}}}, "an address as its name", "issuer"),
    ("", {"providers": "work"}, "table of tables", "[providers.work]"),
    ("", {"providers": {"work": "x"}}, "table of tables", "[providers.work]"),
    ("", {"provider": 5}, "provider must be a string", "in quotes"),
    (
        "",
        {"provider": {"work": WORK}},
        "[provider.work]",
        "Did you mean [providers.work]?",
    ),
    (
        "zzzz",
        {"providers": {"github": {}}},
        "Unknown provider",
        "discord, doppler, dropbox, entra, github, gitlab",
    ),
]


@pytest.mark.parametrize(("provider", "config", "message", "hint"), UNKNOWN)
def test_an_unknown_word_is_refused_with_a_suggestion(
    provider: str, config: Mapping[str, object], message: str, hint: str
) -> None:
    """A misspelt key that did nothing would be searched for a long time."""
    with pytest.raises(ConfigError) as caught:
        settings_of(provider, config=config)

    assert message in caught.value.message
    assert hint in caught.value.hint


def test_variables_that_mean_nothing_are_found() -> None:
    """A misspelt variable is no error, other programs may own it, but worth a warning."""
    environ = {
        "LOOPBACK_AUTH_CLIENTID": "a",
        "LOOPBACK_AUTH_PROVIDER": "a",
        "LOOPBACK_AUTH_SCOPE": "",
        "HOME": "/",
    }

    assert unknown_variables(environ) == ("LOOPBACK_AUTH_CLIENTID",)


REDIRECTS = [
    ({}, ("127.0.0.1", (0,), "/callback")),
    ({"port": "8400,8401"}, ("127.0.0.1", (8400, 8401), "/callback")),
    ({"redirect_uri": "http://127.0.0.1/callback"}, ("127.0.0.1", (0,), "/callback")),
    ({"redirect_uri": "http://127.0.0.1:0/callback"}, ("127.0.0.1", (0,), "/callback")),
    ({"redirect_uri": "http://127.0.0.1:8400/cb"}, ("127.0.0.1", (8400,), "/cb")),
    ({"redirect_uri": "http://localhost:8400/"}, ("localhost", (8400,), "/")),
    ({"redirect_uri": "http://localhost:8400"}, ("localhost", (8400,), "")),
    ({"redirect_uri": "http://localhost"}, ("localhost", (0,), "")),
    ({"redirect_uri": "http://[::1]/cb"}, ("[::1]", (0,), "/cb")),
    ({"redirect_uri": "http://[::1]:8400/cb"}, ("[::1]", (8400,), "/cb")),
    ({"redirect_uri": "http://127.0.0.1/a%2Fb//c;d/"}, ("127.0.0.1", (0,), "/a%2Fb//c;d/")),
    ({"redirect_uri": "http://127.0.0.1/cb", "port": ["8400"]}, ("127.0.0.1", (8400,), "/cb")),
    ({"redirect_uri": "http://127.0.0.1:8400/cb", "port": ["8400"]}, ("127.0.0.1", (8400,), "/cb")),
]


@pytest.mark.parametrize(("flags", "redirect"), REDIRECTS)
def test_a_redirect_uri_is_taken_apart(
    flags: Mapping[str, object], redirect: tuple[str, tuple[int, ...], str]
) -> None:
    """Servers compare it byte for byte, so that not even a slash may be added."""
    assert redirect_of(settings_of(flags=flags)) == redirect


def test_the_port_set_nearer_to_the_person_counts() -> None:
    """`--port` has to move a preset's redirect URI, and `--redirect-uri` to beat a port of the file."""
    moved = settings_of("netlify", {"port": ["9000"]})
    beaten = settings_of("netlify", {"redirect_uri": "http://127.0.0.1:9000/cb"}, config={"port": 8000})

    assert redirect_of(moved)[1] == (9000,)
    assert redirect_of(beaten)[1] == (9000,)


BAD_REDIRECTS = [
    ("https://127.0.0.1/cb", "must start with http://"),
    ("http://example.com/cb", "host must be"),
    ("http://127.0.0.2/cb", "host must be"),
    ("http://LOCALHOST/cb", "host must be"),
    ("http://127.0.0.1.example.com/cb", "host must be"),
    ("http://::1/cb", "host must be"),
    ("http:///cb", "host must be"),
    ("http://user@127.0.0.1/cb", "user name"),
    ("http://127.0.0.1/cb?a=b", "query or a fragment"),
    ("http://127.0.0.1/cb#a", "query or a fragment"),
    ("http://127.0.0.1?a=b", "query or a fragment"),
    ("http://127.0.0.1:/cb", "not a port number"),
    ("http://127.0.0.1:65536/cb", "not a port number"),
    ("http://127.0.0.1:8400x/cb", "not a port number"),
    ("http://127.0.0.1/a b", "percent-encoded"),
    ("http://127.0.0.1/a\\b", "percent-encoded"),
    ("http://127.0.0.1/\u00e4", "percent-encoded"),
    ("http://127.0.0.1/a/../b", "segments"),
    ("http://127.0.0.1/a/%2E/b", "segments"),
    ("127.0.0.1:8400/cb", "start with http://"),
    ("myapp://callback", "start with http://"),
    ("", "start with http://"),
]


@pytest.mark.parametrize(("uri", "reason"), BAD_REDIRECTS)
def test_what_is_no_loopback_redirect_is_refused_with_the_reason(uri: str, reason: str) -> None:
    """We could not listen there, or the browser would never ask for that path (RFC 8252 §7.3)."""
    with pytest.raises(ConfigError) as caught:
        redirect_of(settings_of(flags={"redirect_uri": uri}))

    assert reason in caught.value.message
    assert "http://127.0.0.1/callback" in caught.value.hint


def test_two_different_ports_from_one_place_are_refused() -> None:
    """Nobody can tell which of them was meant."""
    flags = {"redirect_uri": "http://127.0.0.1:8400/cb", "port": ["8401"]}

    with pytest.raises(ConfigError, match=r"8400.*flag --port.*8401"):
        redirect_of(settings_of(flags=flags))


SECRETS = [
    ({}, {}, False),
    ({"client_auth": "none"}, {}, False),
    ({"client_auth": "basic"}, {}, True),
    ({"client_auth": "post"}, {"LOOPBACK_AUTH_CLIENT_SECRET": ""}, True),
    ({"client_auth": "post"}, {"LOOPBACK_AUTH_CLIENT_SECRET": "s"}, False),
]


@pytest.mark.parametrize(("flags", "environ", "needed"), SECRETS)
def test_a_missing_secret_is_noticed(
    flags: Mapping[str, object], environ: Mapping[str, str], needed: bool
) -> None:
    """The person is asked for it before the browser is started."""
    assert needs_secret(settings_of(flags=flags, environ=environ)) is needed


def test_a_typed_secret_completes_the_settings() -> None:
    """What a person typed in comes from the terminal, and changes nothing else."""
    before = settings_of("github")
    after = before.with_secret("hunter2")

    assert (needs_secret(before), needs_secret(after)) == (True, False)
    assert (after.get("client_secret"), after.origin("client_secret")) == ("hunter2", "terminal")
    assert (after.name, after.advice) == (before.name, before.advice)


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    """Most people have none."""
    assert load_config(str(tmp_path / "config.toml")) == {}


def test_the_file_is_read(tmp_path: Path) -> None:
    """What stands in it arrives in the types of TOML."""
    path = tmp_path / "config.toml"
    path.write_text('provider = "work"\n[providers.work]\nport = [8400]\n', encoding="utf-8")

    assert load_config(str(path)) == {"provider": "work", "providers": {"work": {"port": [8400]}}}


BAD_FILES = [
    (b'a = "b"\nclient_id = abc\n', "is not valid TOML:", "line 2"),
    (b'a = "b"\n# \xff\n', "is not valid TOML: it is not UTF-8", "line 2"),
    (b"a = " + b"[" * 5000, "is not valid TOML: its brackets are nested too deeply", ""),
    (b"a = " + b"{a = " * 5000, "is not valid TOML: its brackets are nested too deeply", ""),
    (b"a = " + b"9" * 5000, "is not valid TOML:", ""),
    (b"a = 2026-99-99\n", "is not valid TOML:", ""),
    (b"#" * (2 << 20), "is longer than", ""),
]


@pytest.mark.parametrize(("content", "message", "line"), BAD_FILES)
def test_a_faulty_file_is_refused_by_line(tmp_path: Path, content: bytes, message: str, line: str) -> None:
    """A person has to find the place in the editor."""
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    assert message in caught.value.message
    assert line in caught.value.message


@pytest.mark.skipif(sys.platform == "win32", reason="such paths are missing files there")
def test_an_unreadable_file_is_no_empty_one(tmp_path: Path) -> None:
    """Going on without it would sign in somewhere else."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        load_config(str(tmp_path / "file" / "config.toml"))


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are kept otherwise there")
@pytest.mark.parametrize("content", ['client_secret = "s"\n', '[providers.work]\nclient_secret = "s"\n'])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, content: str) -> None:
    """Every user of the machine could be this client."""
    path = tmp_path / "config.toml"
    path.write_text(content, encoding="utf-8")
    path.chmod(0o640)

    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    assert caught.value.hint == f"Run: chmod 600 {path}"
    path.chmod(0o600)
    assert load_config(str(path))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes there")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe may never answer."""
    path = tmp_path / "config.toml"
    os.mkfifo(path)

    with pytest.raises(ConfigError, match="cannot be read: Is not a file"):
        load_config(str(path))


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are kept otherwise there")
@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646, 0o602])
@pytest.mark.parametrize("what", ["file", "folder", "target of a link", "folder of the target"])
def test_configuration_that_others_can_write_to_is_refused(tmp_path: Path, mode: int, what: str) -> None:
    """Whoever writes to it says where code and client secret are sent (CVE-2022-24765)."""
    folder, elsewhere = tmp_path / "here and there", tmp_path / "elsewhere"
    folder.mkdir(mode=0o755)
    elsewhere.mkdir(mode=0o755)
    path, target = folder / "config.toml", elsewhere / "target"
    linked = "target" in what
    (target if linked else path).write_text('issuer = "https://as.example"\n')
    if linked:
        path.symlink_to(target)
    assert load_config(str(path)) == {"issuer": "https://as.example"}
    bad = {"file": path, "folder": folder, "target of a link": target}.get(what, elsewhere)
    bad.chmod(mode | 0o111 if bad.is_dir() else mode)

    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    named = path if bad == target else bad  # chmod follows a link.
    assert caught.value.hint.endswith(f"chmod go-w {shlex.quote(str(named))}")
    if bad.is_dir():
        bad.chmod(mode | 0o1111)  # As /tmp is: others can add to it, and replace nothing.
        assert load_config(str(path))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_configuration_of_another_user_is_refused(tmp_path: Path, what: str) -> None:
    """Also where its mode is private: the other one wrote it."""
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    path = folder / "config.toml"
    path.write_text('issuer = "https://as.example"\n')
    os.chown({"file": path, "folder": folder}[what], 12345, -1)

    with pytest.raises(ConfigError, match="belongs to another user") as caught:
        load_config(str(path))
    assert "chown 0 " in caught.value.hint


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("where", ["of the file", "of the folder", "behind a link of ours"])
@pytest.mark.parametrize("relative", [False, True])
def test_configuration_is_not_found_by_a_link_of_another_user(
    tmp_path: Path, where: str, *, relative: bool
) -> None:
    """They choose which of our files is obeyed, such as one in a repository that we have cloned from them."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir(mode=0o755)
    theirs.mkdir(mode=0o755)
    (ours / "real.toml").write_text('issuer = "https://as.example"\n')
    folder = where == "of the folder"
    link = (theirs if where != "of the file" else ours) / "link"
    target = ours if folder else ours / "real.toml"
    link.symlink_to(Path("..") / target.relative_to(tmp_path) if relative else target)
    path = link / "real.toml" if folder else link
    if where == "behind a link of ours":
        path = ours / "config.toml"
        path.symlink_to(link)
    assert load_config(str(path)) == {"issuer": "https://as.example"}
    os.chown(link, 12345, -1, follow_symlinks=False)

    with pytest.raises(ConfigError, match="belongs to another user") as caught:
        load_config(str(path))
    assert caught.value.hint.endswith(f"chown -h 0 {link}")


def test_the_file_lies_in_the_folder_for_settings(tmp_path: Path) -> None:
    """One variable moves everything that is configured."""
    assert config_file({"LOOPBACK_AUTH_CONFIG_DIR": str(tmp_path)}) == str(tmp_path / "config.toml")


def test_flag_and_variable_follow_from_the_name() -> None:
    """Knowing one spelling is knowing all three."""
    setting = Setting("login_hint", "text", "account")

    assert (setting.flag, setting.variable) == ("--login-hint", "LOOPBACK_AUTH_LOGIN_HINT")


IMPORTS = """
import __future__, os, sys
before = set(sys.modules)
from loopback_auth.settings import load_config, redirect_of, resolve
config = load_config("/nowhere/config.toml")
flags = {"scope": "a", "port": ["8400"]}
settings = resolve(provider=sys.argv[1], flags=flags, environ={"HOME": "/"}, config=config, config_path="")
redirect_of(settings)
print(*sorted(set(sys.modules) - before))
"""


@pytest.mark.parametrize("provider", ["", "github", "https://login.example.com"])
def test_settings_are_resolved_before_anything_is_imported(provider: str) -> None:
    """The browser is started right after; every module that is loaded first makes the person wait.

    Only `os` is there anyway, and what it needs.
    """
    command = [sys.executable, "-S", "-c", IMPORTS, provider]
    folder = str(Path(__file__).parents[2])
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder).stdout.split()

    assert set(loaded) == {
        "loopback_auth",
        "loopback_auth.errors",
        "loopback_auth.flow_table",
        "loopback_auth.narrow",
        "loopback_auth.folders",
        "loopback_auth.settings.presets",
        "loopback_auth.settings.reading",
        "loopback_auth.settings.setting",
        "loopback_auth.settings",
        "loopback_auth.words",
        *(["loopback_auth.settings.providers"] if provider == "github" else []),
    }


def test_the_vendors_own_variables_are_honoured_for_its_preset() -> None:
    """Whoever has pointed the vendor's tool elsewhere means us too, and nobody else's provider."""
    environ = {"NETLIFY_API_URL": "https://api.example/v1", "NETLIFY_WEB_UI": "https://app.example"}
    netlify = resolve(provider="netlify", flags={}, environ=environ, config={}, config_path="c")
    github = resolve(provider="github", flags={}, environ=environ, config={}, config_path="c")

    assert netlify.text("ticket_base") == "https://api.example/v1"
    assert netlify.text("ticket_ui") == "https://app.example"
    assert github.text("ticket_base") is None


def test_issuer_without_a_scheme_is_refused_as_an_address() -> None:
    """Who leaves https:// out hears of the address, and not of a name that nobody has given."""
    with pytest.raises(ConfigError, match=r"issuer was refused.*login\.example\.com"):
        check_settings(settings_of(flags={"issuer": "login.example.com", "client_id": "c"}))
