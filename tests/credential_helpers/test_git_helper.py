"""What the helper of git answers for what is kept: the right token to the right host, or nothing."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable

import pytest
from helper_home import TABLE, Home
from renewing import TokenEndpoint

from loopback_auth.cli import run
from loopback_auth.commands._kept import in_use
from loopback_auth.credential_helpers import git
from loopback_auth.credential_helpers.token_lookup import TokenLookup
from loopback_auth.errors import SignInRequired, StoreError
from loopback_auth.model import ServerMetadata
from loopback_auth.outputs.hosts import Candidate
from loopback_auth.records import replace
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import SignIn

QUIT = ("quit=1\n", 0)
NO = ("", 0)


def asking(host: str, protocol: str = "https", **more: str) -> bytes:
    """Return a question as git writes it."""
    lines = {"protocol": protocol, "host": host, **more}
    return "".join(f"{name}={value}\n" for name, value in lines.items()).encode() + b"\n"


def get(host: str, protocol: str = "https", named: str = "", **more: str) -> tuple[str, int]:
    """Ask as git does."""
    return git.answer("get", asking(host, protocol, **more), named)


def password(answer: tuple[str, int]) -> str:
    """Return the password of an answer."""
    assert answer[1] == 0
    return dict(line.split("=", 1) for line in answer[0].splitlines()).get("password", "")


def test_the_token_of_the_host_is_given(home: Home) -> None:
    """By the host alone, and by name."""
    home.keep("work", "git.example", "git.example:8443")
    home.keep("other", "other.example")

    assert password(get("git.example")) == password(get("Git.Example:443", named="work")) == "canary-work"
    assert password(get("git.example:8443")) == "canary-work"
    assert password(get("other.example")) == "canary-other"
    assert get("git.example")[0].startswith("username=alice\n")


@pytest.mark.parametrize(
    "way", [git.answer_at_a_glance, lambda question, name: git.answer("get", question, name)]
)
def test_a_host_gets_no_token_of_a_sign_in_that_was_kept_meanwhile(
    home: Home, monkeypatch: pytest.MonkeyPatch, way: Callable[[bytes, str], tuple[str, int] | None]
) -> None:
    """Another process may sign in at another resource while this one chooses, renews or waits."""
    home.configure('[providers.work]\nclient_id = "client"\n')
    made = home.keep("work")
    home.store.save(replace(made, resource_server="https://one.example/mcp"))
    choose = TokenLookup.candidate_for

    def choose_slowly(lookup: TokenLookup, host: str, *, named: str = "", user: str = "") -> Candidate | None:
        chosen = choose(lookup, host, named=named, user=user)
        home.store.save(replace(made, resource_server="https://another.example/mcp"))
        home.compare("work")
        return chosen

    home.compare("work")
    before = way(asking("one.example"), "work")
    monkeypatch.setattr(TokenLookup, "candidate_for", choose_slowly)
    answers = [before, way(asking("one.example"), "work")]

    assert ["canary" in str(answer) for answer in answers] == [True, False]


def test_a_preset_names_hosts_for_the_tokens_of_its_server(home: Home) -> None:
    """Without a configuration file, and whatever the sign-in is called."""
    sign_in = home.keep("github-work")
    endpoint = "https://github.com/login/oauth/access_token"
    home.store.save(replace(sign_in, metadata=ServerMetadata(None, token_endpoint=endpoint)))

    assert password(get("github.com")) == password(get("gist.github.com")) == "canary-github-work"
    assert get("api.github.com") == NO


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "git.example.evil.example", "evil-git.example", "git.example:444", "*", "[", ""),
        *("alice@git.example", "git.example@evil.example", "git.example\rhost=evil", "\u202egit.example"),
    ],
)
@pytest.mark.parametrize("named", ["", "work"])
def test_another_host_gets_nothing(home: Home, host: str, named: str) -> None:
    """A submodule or a redirect may name any host, and git's settings may hold for all."""
    home.keep("work", "git.example")

    assert get(host, named=named) == NO


@pytest.mark.parametrize("protocol", ["http", "ssh", "smtp", "imap", "cert", ""])
def test_another_protocol_gets_nothing(home: Home, protocol: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Over plain http everybody on the way could read it; the person is told why nothing was given."""
    home.keep("work", "git.example")

    assert get("git.example", protocol) == NO
    assert "https" in capsys.readouterr().err


def test_nothing_is_said_about_hosts_that_are_not_ours(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git asks its other helpers, and the person reads no noise at every fetch."""
    assert get("git.example") == NO
    home.keep("work", "git.example")
    assert get("other.example") == get("other.example", "http") == NO
    assert capsys.readouterr().err == ""


def test_a_host_of_a_provider_without_a_sign_in_is_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """The person has given this host to a provider, or a preset has: what is missing is a login."""
    assert get("github.com") == NO
    assert "login github\n" in capsys.readouterr().err
    home.configure(TABLE.format(name='"work.example"', issuer="https://id.example", hosts=["git.example"]))
    home.configure('[providers.corp]\npreset = "github"\nclient_id = "a"\n')
    for host, name in (("git.example", "work.example"), ("gist.github.com", "corp")):
        with pytest.raises(SignInRequired):
            git.answer_at_a_glance(asking(host), "")
        assert get(host) == NO
        assert f"login {name}\n" in capsys.readouterr().err
    home.configure('[providers.github]\nclient_id = "a"\nhosts = ["ghe.example"]\n')
    assert get("gitlab.com.example") == get("git.example:444") == get("git.example", "http") == NO
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("work", {}),
        ("work-two", {"configured_as": "work"}),
        ("github", {}),
        ("id.example", {}),
        ("mcp.example-mcp", {"resource_server": "https://mcp.example/mcp"}),
    ],
)
def test_the_command_that_is_told_gives_the_host_to_the_token(
    home: Home, capsys: pytest.CaptureFixture[str], name: str, changes: dict[str, str]
) -> None:
    """The hosts that were there stay, also those of a preset."""
    home.configure(TABLE.format(name="work", issuer="https://id.example", hosts=["git.example"]))
    sign_in = home.keep(name)
    if name == "github":
        endpoint = "https://github.com/login/oauth/access_token"
        sign_in = replace(sign_in, metadata=ServerMetadata(None, token_endpoint=endpoint))
    home.store.save(replace(sign_in, **changes))  # type: ignore[arg-type]
    before = home.hosts(name)

    assert get("new.example:8443", named=name) == NO
    told = capsys.readouterr().err
    assert str(home.folder / "config.toml") in told
    assert run(shlex.split(told.partition("python -m loopback_auth ")[2])) == 0
    assert password(get("new.example:8443", named=name)) == f"canary-{name}"
    assert home.hosts(name) == before | {"new.example:8443"}


def test_a_name_without_a_sign_in_is_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The person has named it in git's settings, and wonders."""
    assert get("github.com", named="github") == NO
    assert "login github" in capsys.readouterr().err


def test_a_due_token_is_renewed(home: Home, server: TokenEndpoint) -> None:
    """Under the lock of the store, and kept, as for every command."""
    home.keep("work", "git.example", issuer=server.issuer, expires_at=time.time() - 1)

    assert password(get("git.example")) == password(get("git.example")) == "access-1" == home.token("work")
    assert len(server.sent) == 1


def test_a_renewed_token_that_cannot_be_kept_is_given(
    home: Home, server: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git has it at least this once, and the person knows that the disk is full."""
    home.keep("work", "git.example", issuer=server.issuer, expires_at=time.time() - 1)

    def full(_store: FileTokenStore, _sign_in: SignIn) -> None:
        raise StoreError("No space is left.")

    monkeypatch.setattr(FileTokenStore, "save", full)
    assert password(get("git.example")) == "access-1"
    assert "No space is left" in capsys.readouterr().err


def test_a_fresh_token_needs_no_lock(home: Home) -> None:
    """Another process that renews, or hangs, is not waited for."""
    home.keep("work", "git.example")
    with home.store.lock("work"):
        assert password(get("git.example")) == "canary-work"


def test_a_sign_in_that_has_ended_asks_nobody(
    home: Home, server: TokenEndpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git would ask for a password that the host does not take; what to do is on stderr."""
    server.status, server.document = 400, {"error": "invalid_grant"}
    home.keep("work", "git.example", issuer=server.issuer, expires_at=time.time() - 1)

    assert get("git.example") == get("git.example", named="work") == QUIT
    assert "login work" in capsys.readouterr().err
    assert home.token("work") == "canary-work"


def test_a_token_that_was_refused_is_renewed(home: Home, server: TokenEndpoint) -> None:
    """Git calls `erase` after a 401; the person did not ask for their sign-in to end."""
    home.keep("work", "git.example", issuer=server.issuer)
    git.answer("erase", asking("git.example", username="alice", password="canary-work"), "")

    assert password(get("git.example")) == "access-1"
    # The old one may be refused once more, by a second git that had it.
    git.answer("erase", asking("git.example", username="alice", password="canary-work"), "work")
    assert len(server.sent) == 1
    bearer = b"state[]=loopback-auth:work\nauthtype=Bearer\ncredential=access-1\n"
    git.answer("erase", bearer + asking("git.example"), "")
    assert home.token("work") == "access-2"


@pytest.mark.parametrize(
    "question",
    [
        asking("git.example", username="alice", password="of another helper"),
        asking("git.example", username="alice"),
        asking("evil.example", username="alice", password="canary-work"),
        asking("git.example", "http", username="alice", password="canary-work"),
        b"state[]=loopback-auth:other\n" + asking("git.example", password="canary-work"),
        b"garbage",
        b"",
    ],
)
def test_erase_touches_nothing_else(home: Home, server: TokenEndpoint, question: bytes) -> None:
    """Another helper's password, another host, no password: nothing of ours was refused."""
    home.keep("work", "git.example", issuer=server.issuer)

    assert git.answer("erase", question, "") == NO
    assert (server.sent, home.token("work")) == ([], "canary-work")


def test_a_refused_token_that_cannot_be_renewed_is_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub's tokens have no refresh token; the sign-in stays, and the person knows what to do."""
    home.keep("work", "git.example", refresh_token=None)
    git.answer("erase", asking("git.example", password="canary-work"), "")

    assert "login work" in capsys.readouterr().err
    assert home.token("work") == "canary-work"


@pytest.mark.parametrize("action", ["store", "approve", "new", "", "GET", "--help"])
def test_store_and_what_is_not_known_change_nothing(home: Home, action: str) -> None:
    """'If a helper receives any other operation, it should silently ignore the request.'."""
    home.keep("work", "git.example")
    before = sorted(home.folder.rglob("*"))

    assert git.answer(action, asking("new.example", username="a", password="canary"), "") == NO
    assert sorted(home.folder.rglob("*")) == before


def test_capability_says_what_is_understood(home: Home) -> None:
    """'The first line ... starts with the word version and a space.'."""
    assert git.answer("capability", b"", "") == ("version 0\ncapability authtype\ncapability state\n", 0)


def test_several_sign_ins_for_a_host(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The address of the remote decides, or a name in git's settings, or the one in use; else nothing."""
    home.keep("work", "git.example")
    home.keep("home", "git.example", account="bob")

    assert get("git.example") == get("git.example", username="carol") == NO
    assert "work" in capsys.readouterr().err
    assert password(get("git.example", username="bob")) == "canary-home"
    assert password(get("git.example", named="home")) == "canary-home"
    assert password(get("git.example", named="home", username="carol")) == "canary-home"
    home.store.choose("work")
    assert password(get("git.example")) == "canary-work"
    home.configure_first('provider = "home"\n')
    assert password(get("git.example")) == "canary-home"


def test_the_account_in_use_is_the_one_of_the_command_token(home: Home) -> None:
    """`provider = "work"` in the file, and `use` between two accounts there, or of another provider."""
    home.keep("work", "git.example")
    for name in ("work-two", "work-three"):
        home.store.save(replace(home.keep(name), configured_as="work"))
    home.keep("other", "other.example")
    for first in ("", 'provider = "work"\n'):
        home.configure_first(first)
        for chosen in ("work-two", "work-three", "work"):
            home.store.choose(chosen)
            assert password(get("git.example")) == f"canary-{chosen}" == f"canary-{in_use(home.store)}"

    # The settings name a sign-in that is not for this host, so the choice decides.
    home.configure(TABLE.format(name="other-two", issuer="https://id.example", hosts=["other.example"]))
    home.keep("other-two")
    home.store.choose("other-two")
    assert (in_use(home.store), password(get("other.example"))) == ("work", "canary-other-two")


def test_a_sign_in_may_be_named_by_its_address(home: Home) -> None:
    """As for the command token; the sign-in for an MCP server is for its host."""
    sign_in = home.keep("mcp.example-mcp")
    home.store.save(replace(sign_in, resource_server="https://mcp.example/mcp"))

    assert password(get("mcp.example", named="https://mcp.example/mcp")) == "canary-mcp.example-mcp"
    assert password(get("mcp.example")) == "canary-mcp.example-mcp"


def test_a_sign_in_of_another_client_than_the_settings_say_is_not_used(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of its name has another server by now; its hosts are not for the old server's token."""
    home.keep("work", "git.example", issuer="https://new.example")
    home.keep("work", issuer="https://old.example")

    assert get("git.example") == NO
    with pytest.raises(SignInRequired):
        git.answer_at_a_glance(asking("git.example"), "work")
    assert get("git.example", named="work") == NO
    assert "another server" in capsys.readouterr().err
    home.store.save(replace(home.keep("work", issuer="https://new.example"), client_id="another"))
    assert get("git.example") == QUIT
    assert "another client" in capsys.readouterr().err


def test_a_token_that_is_bound_to_a_key_is_not_given(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """RFC 9449 §7.1: git cannot make the proof."""
    sign_in = home.keep("work", "git.example", token_type="DPoP")
    home.store.save(replace(sign_in, dpop_key={"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "d": "c"}))

    assert get("git.example") == QUIT
    assert "DPoP" in capsys.readouterr().err


def test_a_damaged_sign_in_is_told_where_it_may_be_the_reason(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others are still found; the damaged file is neither used nor removed."""
    home.keep("work", "git.example")
    home.keep("broken")
    path = home.folder / "data" / "sign-ins" / "broken.json"
    path.write_text('{"version": 1, "tokens": {"access_token": "canary-broken"')

    assert password(get("git.example")) == "canary-work"
    assert get("other.example") == get("other.example", named="broken") == NO
    told = capsys.readouterr().err
    assert "damaged" in told
    assert "canary" not in told
    assert path.exists()


def test_a_configuration_file_that_cannot_be_read_is_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hosts and servers may be in it, so nothing is given."""
    home.keep("work", "git.example")
    home.configure("= nonsense\n")

    assert get("git.example") == NO
    assert "not valid TOML" in capsys.readouterr().err


def test_the_answer_at_a_glance_is_the_answer(home: Home) -> None:
    """The quick way may know less, but never something else."""
    home.keep("work", "git.example")
    question = asking("git.example")
    with pytest.raises(Exception, match="not for evil"):
        git.answer_at_a_glance(asking("evil.example"), "work")

    # Nothing has compared the sign-in with the settings yet.
    assert git.answer_at_a_glance(question, "") is None
    home.compare("work")
    whole = git.answer("get", question, "")
    assert git.answer_at_a_glance(question, "") == git.answer_at_a_glance(question, "work") == whole
    assert git.answer_at_a_glance(asking("evil.example"), "") == NO
    assert git.answer_at_a_glance(asking("git.example", "http"), "") is None
    home.keep("work", expires_at=time.time() - 1)
    assert git.answer_at_a_glance(question, "") is None
