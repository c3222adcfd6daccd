"""What `token --as` writes: the outputs, with what they need from flags, environment, stdin and AWS."""

from __future__ import annotations

import os
from contextlib import contextmanager, redirect_stderr
from io import StringIO

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.credential import Credential, credential
from loopback_auth.outputs.env import SYNTAXES, env
from loopback_auth.outputs.plain import plain
from loopback_auth.outputs.table import OUTPUTS, Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from loopback_auth.http_messages import HttpRequest, HttpResponse
    from loopback_auth.tokens import SignIn, Token

AWS_SECONDS = 10.0
"""In which AWS has to answer: the tool that has started this command is waiting."""
_FLAGS = {name: f"--{name.replace('_', '-')}" for row in OUTPUTS.values() for name in row.options}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags that some outputs need."""
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
    group.add_argument("--role-arn", metavar="ARN", help="with aws; default: that of AWS_ROLE_ARN")
    group.add_argument("--region", metavar="REGION", help="with aws; default: that of AWS_REGION")


def wanted(options: argparse.Namespace) -> Output | None:
    """Return the output that a command asks for; None for the plain token.

    Raises:
        ConfigError: flags contradict each other.
    """
    output = OUTPUTS[options.output] if options.output else None
    for name, flag in _FLAGS.items():
        if getattr(options, name) is not None and (output is None or name not in output.options):
            of = " or ".join(f"--as {row.name}" for row in OUTPUTS.values() if name in row.options)
            raise ConfigError(f"{flag} is for {of}.", hint=f"Leave out {flag}.")
    if options.headers is not None and (output is not None or options.of == "id_token"):
        other = "--as" if output is not None else "--id-token"
        raise ConfigError(f"--headers and {other} are two different outputs.", hint="Leave out one of them.")
    if output is not None and options.json:
        raise ConfigError("--json and --as are two different outputs.", hint="Leave out one of them.")
    if output is not None and output.is_silent and options.login:
        raise ConfigError(
            "--login cannot show you a link here: the tool reads stderr as a part of the answer.",
            hint="Leave it out, and sign in before: python -m loopback_auth login",
        )
    return output


def of_token(options: argparse.Namespace, output: Output | None) -> Token:
    """Return which token a command gives."""
    of: Token = options.of or (output.of if output is not None else "access_token")
    return of


@contextmanager
def quietly(output: Output | None) -> Iterator[None]:
    """Write nothing to stderr for a tool that reads it as a part of the answer; an error ends this, too."""
    if output is None or not output.is_silent:
        yield
        return
    with redirect_stderr(StringIO()):
        yield


def written(output: Output, sign_in: SignIn, options: argparse.Namespace) -> str:
    """Return a fresh token in the form of an output.

    Raises:
        ConfigError: the output cannot have this token, or something that it needs is missing.
        LoopbackAuthError: AWS did not answer, or refused.
    """
    found = credential(sign_in, of=of_token(options, output))
    match output.name:
        case "env":
            return env(found, variable=options.env_name, syntax=options.shell or "sh")
        case "aws":
            return _aws(found, options)
        case name:
            return plain(name, found, os.environ) or ""


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
