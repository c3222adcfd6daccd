"""The outputs for shells and for programs that read a header."""

from __future__ import annotations

import io
import json
import shlex
import subprocess

import pytest
from command_line import program

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.credential import Credential
from loopback_auth.outputs.curl import curl
from loopback_auth.outputs.env import SYNTAXES, Syntax, env
from loopback_auth.outputs.google import ID_TOKEN, JWT, google
from loopback_auth.outputs.header import header
from loopback_auth.outputs.mcp import mcp
from loopback_auth.records import replace
from outputs.credentials import ACCESS

VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
"""All that a token may have: each character that some shell reads as its own is among them."""

NASTY = replace(ACCESS, token=VISIBLE)


def test_rfc6750_2_1_a_header_has_the_scheme_and_the_token() -> None:
    """`curl -H @-` takes one header from each line."""
    assert header(ACCESS) == "Authorization: Bearer access\n"


def test_curl_reads_quotes_and_backslashes_of_a_token_as_they_are() -> None:
    """Between double quotes they would end the value, or be eaten."""
    assert curl(replace(ACCESS, token='a"b\\c')) == 'header = "Authorization: Bearer a\\"b\\\\c"\n'


def test_mcp_clients_read_headers_as_strings() -> None:
    """Claude Code refuses a value that is something else."""
    assert json.loads(mcp(ACCESS)) == {"Authorization": "Bearer access"}


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "zsh"])
def test_a_shell_reads_the_token_as_it_is(shell: str) -> None:
    """`eval` would run what is in it, if a character of the token could end the quotes."""
    path = program(shell, purpose="these outputs")
    script = f'{env(NASTY, variable="THE_TOKEN")}printf %s "$THE_TOKEN"; env | grep -c "^THE_TOKEN="'
    done = subprocess.run([path, "-c", script], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == f"{VISIBLE}1\n"


def test_fish_reads_the_token_as_it_is() -> None:
    """Between its single quotes a backslash escapes a quote and itself."""
    line = env(NASTY, variable="THE_TOKEN", syntax="fish")
    quoted = line.removeprefix("set -gx THE_TOKEN '").removesuffix("'\n")

    assert quoted.replace("\\\\", "\0").replace("\\'", "'").replace("\0", "\\") == VISIBLE


def test_fish_itself_reads_the_token_as_it_is() -> None:
    """Its documentation does not say what becomes of the other characters."""
    script = f"{env(NASTY, variable='THE_TOKEN', syntax='fish')}printf %s $THE_TOKEN"
    fish = program("fish", purpose="these outputs")
    done = subprocess.run([fish, "-c", script], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == VISIBLE


def test_powershell_reads_the_token_as_it_is() -> None:
    """Between single quotes it expands nothing, and a doubled quote is one (about_Quoting_Rules)."""
    line = env(replace(ACCESS, token="a'$(b)`c"), variable="THE_TOKEN", syntax="powershell")

    assert line == "$env:THE_TOKEN = 'a''$(b)`c'\n"


def test_a_usual_token_is_in_a_dotenv_file_without_quotes() -> None:
    """`docker run --env-file` would take the quotes for a part of it."""
    assert env(replace(ACCESS, token="ya29.a0-_~+/=="), syntax="dotenv") == "ACCESS_TOKEN=ya29.a0-_~+/==\n"
    assert env(replace(ACCESS, token="a#b$c"), syntax="dotenv") == "ACCESS_TOKEN='a#b$c'\n"


@pytest.mark.parametrize("token", ["a'b", 'a"b', "a\\b"])
def test_a_token_that_dotenv_files_cannot_have_is_refused(token: str) -> None:
    """Their dialects disagree about escapes."""
    with pytest.raises(ConfigError) as caught:
        env(replace(ACCESS, token=token), syntax="dotenv")

    assert caught.value.parameter == "syntax"
    assert token not in str(caught.value)


def test_a_workflow_gets_a_line_for_its_file() -> None:
    """GitHub reads what comes after the first `=` up to the end of the line, without quotes."""
    assert env(NASTY, variable="API", syntax="github") == f"API={VISIBLE}\n"


def test_the_name_says_which_token_it_is() -> None:
    """Unless the user names the variable."""
    assert env(replace(ACCESS, of="id_token")) == "export ID_TOKEN='access'\n"


@pytest.mark.parametrize("shell", SYNTAXES)
@pytest.mark.parametrize(
    "name", ["A B", "A=B", "A;reboot", "1A", "A\nB", "$A", "a-b", "Ä", "A'", '"', "A\x00", "`id`", "A\u200b"]
)
def test_a_name_that_a_shell_would_run_is_refused(shell: Syntax, name: str) -> None:
    """It is before the quotes."""
    with pytest.raises(ConfigError) as caught:
        env(ACCESS, variable=name, syntax=shell)

    assert caught.value.parameter == "variable"


@pytest.mark.parametrize("name", ["PATH", "Path", "LD_PRELOAD", "PYTHONSTARTUP", "LOOPBACK_AUTH_ISSUER"])
@pytest.mark.parametrize("shell", SYNTAXES)
def test_a_variable_that_finds_programs_is_no_place_for_a_token(name: str, shell: Syntax) -> None:
    """After `eval` of `export PATH=...` the shell would find no program any more."""
    with pytest.raises(ConfigError) as caught:
        env(ACCESS, variable=name, syntax=shell)

    assert caught.value.parameter == "variable"


@pytest.mark.parametrize(
    ("of", "asked", "given"),
    [
        ("id_token", "", ID_TOKEN),
        ("access_token", "", JWT),
        ("id_token", JWT, JWT),
        ("access_token", ID_TOKEN, ID_TOKEN),
    ],
)
def test_google_gets_the_type_that_its_configuration_names(of: str, asked: str, given: str) -> None:
    """Google's service refuses another one."""
    made = Credential(
        "h.p.s", 1_700_000_000.9, "google", "", "id_token" if of == "id_token" else "access_token"
    )

    assert json.loads(google(made, token_type=asked)) == {
        "version": 1,
        "success": True,
        "token_type": given,
        "id_token": "h.p.s",
        "expiration_time": 1_700_000_000,
    }


@pytest.mark.parametrize("far", [1e300, float("inf")])
def test_google_reads_a_far_expiry_as_a_number(far: float) -> None:
    """JSON has no infinity."""
    assert json.loads(google(replace(ACCESS, expires_at=far)))["expiration_time"] == 253_402_300_799


def test_google_asks_for_something_else() -> None:
    """SAML is not what we have, and a revocation must not be answered with a token."""
    for asked in ("urn:ietf:params:oauth:token-type:saml2", "x\ny"):
        with pytest.raises(ConfigError):
            google(ACCESS, token_type=asked)
    with pytest.raises(ConfigError):
        google(ACCESS, revokes=True)


def test_lines_of_shells_are_one_command_each() -> None:
    """What is given to `eval` has nothing after it."""
    for shell in SYNTAXES:
        line = env(ACCESS, syntax=shell)
        assert line.endswith("\n")
        assert line.count("\n") == 1
    assert shlex.split(io.StringIO(env(NASTY)).read()) == ["export", f"ACCESS_TOKEN={VISIBLE}"]
