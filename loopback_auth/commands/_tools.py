"""What `token --as` writes: the outputs, with what they need from flags, environment, stdin and AWS."""

from __future__ import annotations

import os
from contextlib import contextmanager, redirect_stderr
from io import StringIO

from loopback_auth.cli import tell
from loopback_auth.commands._kept import kept
from loopback_auth.commands._stdin import question
from loopback_auth.errors import ConfigError, SignInRequired
from loopback_auth.outputs.credential import Credential, credential
from loopback_auth.outputs.env import SYNTAXES, env
from loopback_auth.outputs.for_host import asked_address, for_host, loses_port
from loopback_auth.outputs.hosts import url_authority
from loopback_auth.outputs.mcp import SERVER_VARIABLE
from loopback_auth.outputs.plain import plain
from loopback_auth.outputs.table import OUTPUTS, Output
from loopback_auth.redact import server_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Generator

    from loopback_auth.http_messages import HttpRequest, HttpResponse
    from loopback_auth.outputs.hosts import Candidate
    from loopback_auth.store import FileTokenStore
    from loopback_auth.tokens import SignIn, Token

AWS_SECONDS = 10.0
"""Seconds in which AWS has to answer: the tool that has started this command is waiting."""
_FLAGS = {name: f"--{name.replace('_', '-')}" for row in OUTPUTS.values() for name in row.options}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of outputs."""
    group = parser.add_argument_group(
        "outputs for tools",
        "\n".join(f"  {row.name:<8} {row.text}" for row in OUTPUTS.values())
        + "\n\nWhere to put which line: python -m loopback_auth help tools",
    )
    group.add_argument("--as", dest="output", choices=OUTPUTS, metavar="TOOL", help="one of these")
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--id-token",
        dest="of",
        action="store_const",
        const="id_token",
        help="the ID token, also without --as",
    )
    which.add_argument(
        "--access-token",
        dest="of",
        action="store_const",
        const="access_token",
        help="the access token, where a tool gets the ID token by default",
    )
    group.add_argument("--env-name", metavar="NAME", help="with env; default: ACCESS_TOKEN or ID_TOKEN")
    group.add_argument("--shell", choices=SYNTAXES, metavar="|".join(SYNTAXES), help="with env; default: sh")
    group.add_argument("--host", metavar="HOST", help="with netrc, docker, mcp: the server for the token")
    group.add_argument("--username", metavar="NAME", help="with netrc, docker; default: the provider's")
    group.add_argument("--role-arn", metavar="ARN", help="with aws; default: that of AWS_ROLE_ARN")
    group.add_argument("--region", metavar="REGION", help="with aws; default: that of AWS_REGION")


class ToolOutput:
    """The output that a command asks for.

    Args:
        options: of the command line, with `output`.

    Raises:
        ConfigError: the host cannot be read, or it is one that no token may be sent to.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._output = OUTPUTS[options.output]
        self.of: Token = options.of or self._output.of
        """Which token it takes."""
        self._host = self._read_host() if self._output.for_a_host else ""

    def name(self, store: FileTokenStore) -> str:
        """Return the name of the sign-in that it is about.

        Raises:
            SignInRequired: there is none for this host.
            ConfigError: the one that is named has a token that is not for this host.
        """
        named = self._options.provider or ""
        return self._meant(kept(store, named).name if named else "").name if self._host else named

    @contextmanager
    def quietly(self) -> Generator[None]:
        """Write nothing to stderr for a tool that reads it as a part of the answer, until an error."""
        if not self._output.is_silent:
            yield
            return
        with redirect_stderr(StringIO()):
            yield

    def written(self, sign_in: SignIn) -> str:
        """Return a fresh token in its form.

        Raises:
            ConfigError: it cannot have this token, or something that it needs is missing.
            LoopbackAuthError: AWS did not answer, or refused.
        """
        found = credential(sign_in, of=self.of)
        options = self._options
        match self._output.name:
            case "env":
                return env(found, variable=options.env_name, syntax=options.shell or "sh")
            case "aws":
                return _aws(found, options)
            case name if not self._host:
                return plain(name, found, {**os.environ, SERVER_VARIABLE: ""}) or ""
            case name:
                # Once more: the person may have signed in meanwhile, perhaps elsewhere.
                user = options.username or self._meant(sign_in.name).user()
                if loses_port(name, self._host):
                    address = self._host.rpartition(":")[0]
                    tell(
                        f"A netrc file has no ports: programs may send this token to each port of {address}."
                    )
                return for_host(name, found, host=self._host, username=user)

    def _read_host(self) -> str:
        """Return the host as `host:port`; empty where an MCP client does not name its server."""
        name = self._output.name
        given = asked_address(name, self._options.host or "", os.environ, question)
        if not given and name == "mcp":
            return ""
        if not given:
            raise ConfigError(f"--as {name} is for one server, and none is named.", hint="Add --host.")
        host = url_authority(given)
        if not host:
            raise ConfigError(
                f"No token may be sent to {server_text(given, 80)!a}.",
                hint="Name a host, or a URL with https.",
            )
        return host

    def _meant(self, named: str) -> Candidate:
        from loopback_auth.credential_helpers.token_lookup import TokenLookup  # For a host alone.

        found = TokenLookup().candidate_for(self._host, named=named)
        if found is None:
            raise SignInRequired(
                f"You have no sign-in whose token is for {self._host.removesuffix(':443')}.",
                hint="Sign in there; which hosts a token is for: python -m loopback_auth help helpers",
            )
        return found


def tool_output(options: argparse.Namespace) -> ToolOutput | None:
    """Return the output that a command asks for; None without `--as`.

    Raises:
        ConfigError: flags contradict each other, or the host cannot be used.
    """
    output: Output | None = OUTPUTS[options.output] if options.output else None
    for name, flag in _FLAGS.items():
        if getattr(options, name) is not None and (output is None or name not in output.options):
            of = " or ".join(f"--as {row.name}" for row in OUTPUTS.values() if name in row.options)
            raise ConfigError(f"{flag} is for {of}.", hint=f"Leave out {flag}.")
    if options.headers is not None and (output is not None or options.of == "id_token"):
        other = "--as" if output is not None else "--id-token"
        raise ConfigError(f"--headers and {other} are two different outputs.", hint="Leave out one of them.")
    if output is None:
        return None
    if options.json:
        raise ConfigError("--json and --as are two different outputs.", hint="Leave out one of them.")
    if output.is_silent and options.login:
        raise ConfigError(
            "--login cannot show you a link here: the tool reads stderr as a part of the answer.",
            hint="Leave it out, and sign in before: python -m loopback_auth login",
        )
    return ToolOutput(options)


def _aws(found: Credential, options: argparse.Namespace) -> str:
    # For AWS alone.
    import asyncio

    from loopback_auth.outputs.aws import assume_role_request, aws, sts_endpoint
    from loopback_auth.protocol.urls import check_endpoint

    role_arn = options.role_arn or os.environ.get("AWS_ROLE_ARN", "")
    region = options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_STS") or sts_endpoint(role_arn, region)
    request = assume_role_request(
        found, role_arn=role_arn, endpoint=check_endpoint(endpoint, name="AWS_ENDPOINT_URL_STS")
    )
    return aws(asyncio.run(_sent(request)))


async def _sent(request: HttpRequest) -> HttpResponse:
    # For AWS alone.
    from loopback_auth.model import Network
    from loopback_auth.network.transport import Transport

    network = Network(ca_file=os.environ.get("AWS_CA_BUNDLE", ""))
    async with Transport(network, total_seconds=AWS_SECONDS) as transport:
        return await transport.send(request, step="request to AWS STS")
