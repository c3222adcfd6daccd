"""`token --as` and the tools themselves: each starts our command, or reads its output."""

from __future__ import annotations

import importlib
import json
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
import trustme
from command_line import CommandLine, program

from foreign.tool_server import ToolServer, tool_server
from loopback_auth.model import ServerMetadata
from loopback_auth.store import FileTokenStore
from loopback_auth.tokens import IdToken, SignIn, TokenSet

pytestmark = [pytest.mark.foreign]

ACCESS, ID = "canary-access-token", "canary.id.token"
ROLE = "arn:aws:iam::123456789012:role/deploy"
OURS = f"{sys.executable} -m loopback_auth token work"


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment with one kept sign-in; this process has it too, for libraries that start commands."""
    now = time.time()
    id_token = IdToken({"exp": now + 600, "iat": now}, "verified", ID)
    tokens = TokenSet(ACCESS, "Bearer", now, now + 3600, id_token=id_token, account="alice@example.com")
    made = CommandLine(tmp_path).environment({})
    metadata = ServerMetadata("https://id.example")
    FileTokenStore(made["LOOPBACK_AUTH_DATA_DIR"]).save(SignIn("work", "x", "none", metadata, "", tokens))
    for name, value in made.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def server() -> Iterator[ToolServer]:
    """What tools talk to."""
    with tool_server() as served:
        yield served


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[ToolServer, Path]]:
    """The same by TLS, without which no token is sent, and a kubeconfig for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with tool_server(context) as served:
        plugin: dict[str, Any] = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": ["-m", "loopback_auth", "token", "work", "--as", "kubectl"],
            "interactiveMode": "IfAvailable",
        }
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "c",
                    "cluster": {"server": served.url, "certificate-authority": str(tmp_path / "ca.pem")},
                }
            ],
            "users": [{"name": "work", "user": {"exec": plugin}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "work"}}],
            "current-context": "c",
        }
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(kubeconfig))
        yield served, path


def output(environment: dict[str, str], *arguments: str) -> str:
    """Return what our command prints; it says nothing else."""
    done = subprocess.run(
        [*OURS.split(), *arguments], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("tool", "flags"), [("header", ("-H", "@-")), ("curl", ("-K", "-"))])
def test_curl_sends_the_token_that_it_reads_from_stdin(
    environment: dict[str, str], server: ToolServer, tool: str, flags: tuple[str, str]
) -> None:
    """So that it is in no argument."""
    curl = program("curl", purpose="these outputs")
    done = subprocess.run(
        [curl, "--silent", "--show-error", *flags, f"{server.url}/api"],
        input=output(environment, "--as", tool),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "v1.32.0" in done.stdout
    assert server.authorizations == [f"Bearer {ACCESS}"]


def test_kubectl_starts_the_plugin_and_sends_the_id_token(
    environment: dict[str, str], cluster: tuple[ToolServer, Path]
) -> None:
    """In the version of the answer that it knows: that of Debian 12 is older than v1."""
    kubectl = program("kubectl", purpose="this plugin")
    served, kubeconfig = cluster
    about = subprocess.run(
        [kubectl, "version", "--client", "-o", "json"], capture_output=True, timeout=60, check=True
    )
    if int(json.loads(about.stdout)["clientVersion"]["minor"].rstrip("+")) < 22:
        kubeconfig.write_text(kubeconfig.read_text().replace(".k8s.io/v1", ".k8s.io/v1beta1"))
    done = subprocess.run(
        [kubectl, "--kubeconfig", str(kubeconfig), "get", "--raw", "/version"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert set(served.authorizations) == {f"Bearer {ID}"}


def test_the_python_client_of_kubernetes_does_so_too(
    environment: dict[str, str], cluster: tuple[ToolServer, Path]
) -> None:
    """It has its own reader of kubeconfig and plugins."""
    kubernetes = importlib.import_module("kubernetes")
    served, kubeconfig = cluster
    client = kubernetes.config.new_client_from_config(str(kubeconfig))
    version = kubernetes.client.VersionApi(client).get_code()

    assert version.git_version == "v1.32.0"
    assert served.authorizations == [f"Bearer {ID}"]


def aws_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ToolServer, *lines: str) -> Any:
    """Return a session of botocore with one profile."""
    session = importlib.import_module("botocore.session")
    config = tmp_path / "aws-config"
    config.write_text("\n".join(["[profile work]", "region = eu-central-1", *lines, ""]))
    for name, value in {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_ENDPOINT_URL_STS": server.url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return session.Session(profile="work")


@pytest.mark.usefixtures("environment")
def test_botocore_gets_keys_by_credential_process(
    server: ToolServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS's token service gives them for the ID token; the aws command line is on the same library."""
    line = f"credential_process = {OURS} --as aws --role-arn {ROLE}"
    found = aws_session(tmp_path, monkeypatch, server, line).get_credentials()
    keys = found.get_frozen_credentials()

    assert (keys.access_key, keys.secret_key, keys.token) == (
        "ASIAEXAMPLEEXAMPLE00",
        "secret/key",
        "session+token",
    )
    assert found._expiry_time.year == 2099
    assert server.forms == [
        {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "alice@example.com",
            "WebIdentityToken": ID,
        }
    ]


@pytest.mark.usefixtures("environment")
def test_botocore_shows_why_aws_refuses(
    server: ToolServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows what is on stderr, which has no token."""
    exceptions = importlib.import_module("botocore.exceptions")
    server.is_refusing = True
    session = aws_session(
        tmp_path, monkeypatch, server, f"credential_process = {OURS} --as aws --role-arn {ROLE}"
    )
    with pytest.raises(exceptions.CredentialRetrievalError) as caught:
        session.get_credentials()

    assert "InvalidIdentityToken" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_botocore_reads_an_id_token_from_a_file(
    environment: dict[str, str], server: ToolServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way without us at AWS: it asks the token service by itself."""
    token = tmp_path / "id-token"
    token.touch(mode=0o600)
    token.write_text(output(environment, "--id-token"))
    session = aws_session(
        tmp_path, monkeypatch, server, f"role_arn = {ROLE}", f"web_identity_token_file = {token}"
    )

    assert session.get_credentials().get_frozen_credentials().access_key == "ASIAEXAMPLEEXAMPLE00"
    assert server.forms[0]["WebIdentityToken"].strip() == ID


def google_credentials(server: ToolServer, monkeypatch: pytest.MonkeyPatch, *more: str) -> Any:
    """Return credentials of google-auth that start our command."""
    pluggable = importlib.import_module("google.auth.pluggable")
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"
    return pluggable.Credentials.from_info(
        {
            "type": "external_account",
            "audience": pool,
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "token_url": f"{server.url}/v1/token",
            "credential_source": {"executable": {"command": " ".join((OURS, "--as google", *more))}},
        }
    )


@pytest.mark.usefixtures("environment")
def test_google_auth_starts_the_command_and_exchanges_the_id_token(
    server: ToolServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Executable-sourced credentials (AIP-4117); the exchange is RFC 8693."""
    transport = importlib.import_module("google.auth.transport.requests")
    found = google_credentials(server, monkeypatch)
    found.refresh(transport.Request())

    assert found.token == "token-of-google"
    assert (server.forms[0]["subject_token"], server.forms[0]["subject_token_type"]) == (
        ID,
        "urn:ietf:params:oauth:token-type:id_token",
    )


def test_google_auth_shows_why_there_is_no_token(
    environment: dict[str, str], server: ToolServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It quotes stdout, into which it has put stderr."""
    transport = importlib.import_module("google.auth.transport.requests")
    exceptions = importlib.import_module("google.auth.exceptions")
    FileTokenStore(environment["LOOPBACK_AUTH_DATA_DIR"]).delete("work")
    with pytest.raises(exceptions.RefreshError) as caught:
        google_credentials(server, monkeypatch).refresh(transport.Request())

    assert "not signed in" in str(caught.value)
    assert server.forms == []


def test_python_dotenv_reads_the_variable(environment: dict[str, str], tmp_path: Path) -> None:
    """And docker reads the same line, because it has no quotes."""
    dotenv = importlib.import_module("dotenv")
    file = tmp_path / ".env"
    file.write_text(output(environment, "--as", "env", "--env-name", "API", "--shell", "dotenv"))

    assert dotenv.dotenv_values(file) == {"API": ACCESS}


def test_a_shell_sets_the_variable(environment: dict[str, str]) -> None:
    """`eval` of the output, as the help shows it."""
    script = f'eval "$({OURS} --as env --env-name API_TOKEN)"; printf %s "$API_TOKEN"'
    done = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )

    assert (done.stdout, done.stderr) == (ACCESS, "")


@pytest.fixture
def hosts(environment: dict[str, str], server: ToolServer) -> str:
    """Let the token belong to the server; return its host with the port."""
    return belonging(environment, server.url)


def belonging(environment: dict[str, str], url: str) -> str:
    """Let the token belong to a server; return its host with the port."""
    host = url.partition("://")[2]
    folder = Path(environment["HOME"]) / ".config" / "loopback_auth"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f'[providers.work]\nissuer = "https://id.example"\nclient_id = "x"\nhosts = ["{host}"]\n'
    )
    return host


def test_curl_reads_the_netrc_entry(environment: dict[str, str], server: ToolServer, hosts: str) -> None:
    """From no file that stays, as the topic shows it; the token is a password of Basic (RFC 7617)."""
    program("curl", purpose="this output")
    bash = program("bash", purpose="its <(...)")
    script = f"curl -sS --netrc-file <({OURS} --as netrc --host {hosts}) {server.url}/api"
    done = subprocess.run(
        [bash, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )

    assert "no ports" in done.stderr
    assert server.authorizations == [f"Basic {b64encode(f'alice@example.com:{ACCESS}'.encode()).decode()}"]


def test_dockers_library_reads_the_file(environment: dict[str, str], hosts: str, tmp_path: Path) -> None:
    """It finds name and password by the address of the registry."""
    auth = importlib.import_module("docker.auth")
    file = tmp_path / "config.json"
    file.write_text(output(environment, "--as", "docker", "--host", hosts))
    found = auth.load_config(str(file)).resolve_authconfig(hosts)

    assert (found["username"], found["password"]) == ("alice@example.com", ACCESS)


def test_docker_sends_what_it_reads_from_the_file(
    environment: dict[str, str], cluster: tuple[ToolServer, Path], tmp_path: Path
) -> None:
    """`docker manifest inspect` asks the registry by itself, without a daemon."""
    docker = which("docker")
    if docker is None:
        pytest.skip("there is no docker, which scripts/install does not install")
    registry, host = cluster[0], belonging(environment, cluster[0].url)
    registry.is_registry = True
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(output(environment, "--as", "docker", "--host", host))
    # The answer is not a manifest; that it was asked for with the token is what counts.
    subprocess.run(
        [docker, "--config", str(tmp_path / "docker"), "manifest", "inspect", "--insecure", f"{host}/a/b:c"],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert f"Basic {b64encode(f'alice@example.com:{ACCESS}'.encode()).decode()}" in registry.authorizations


def test_a_build_tool_gets_headers_by_the_script_of_the_topic(
    environment: dict[str, str], hosts: str, tmp_path: Path
) -> None:
    """As Bazel starts it: with the argument `get`, and a request on stdin."""
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\nexec {OURS} --as bazel\n")
    helper.chmod(0o700)
    ended = [
        subprocess.run(
            [str(helper), "get"],
            input=json.dumps({"uri": uri}),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for uri in (f"https://{hosts}/cache", "https://other.example/cache")
    ]

    assert json.loads(ended[0].stdout)["headers"] == {"Authorization": [f"Bearer {ACCESS}"]}
    assert [one.returncode == 0 for one in ended] == [True, False]
    assert ended[1].stdout == ""
