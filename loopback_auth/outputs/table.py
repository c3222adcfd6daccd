"""All outputs: what each is called, which token it takes, where its line is put, and what it was tried with.

One row each. The command `token`, its help, the topic `tools` and the table in the README are made of it.
"""

from __future__ import annotations

from loopback_auth.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.tokens import Token


@dataclass(frozen=True, slots=True)
class Output:
    """One form in which a token can be written.

    Args:
        name: of the output, as after `--as`.
        of: which token it takes if the user names none.
        text: what is written, in a few words.
        where: file or variable of the tool that the line is put into; empty: the line is a command.
        line: what to put there, with NAME for the name of the sign-in.
        tried_with: program and version with which the tests try it.
        options: names of the arguments that only some outputs have.
        for_a_host: the output is for one host, to which the token has to belong.
        is_silent: the tool reads stderr as a part of the answer.
    """

    name: str
    of: Token
    text: str
    where: str
    line: str
    tried_with: str
    options: tuple[str, ...] = ()
    for_a_host: bool = False
    is_silent: bool = False


OUTPUTS = {
    row.name: row
    for row in (
        Output(
            "header",
            "access_token",
            "the header Authorization, for curl -H @-",
            "",
            'loopback-auth token NAME --as header | curl -H @- "$URL"',
            "curl 7.88",
        ),
        Output(
            "env",
            "access_token",
            "a line that sets an environment variable",
            "",
            'eval "$(loopback-auth token NAME --as env --env-name API_TOKEN)"',
            "dash, bash, python-dotenv",
            options=("env_name", "shell"),
        ),
        Output(
            "curl",
            "access_token",
            "a configuration of curl, for curl -K -",
            "",
            'loopback-auth token NAME --as curl | curl -K - "$URL"',
            "curl 7.88",
        ),
        Output(
            "netrc",
            "access_token",
            "an entry of a netrc file, for one host",
            "",
            'curl --netrc-file <(loopback-auth token NAME --as netrc --host HOST) "$URL"',
            "curl 7.88, Python's netrc",
            options=("host", "username"),
            for_a_host=True,
        ),
        Output(
            "kubectl",
            "id_token",
            "an ExecCredential, for kubectl and all of client-go",
            "kubeconfig, users[].user.exec",
            "command: loopback-auth, args: [token, NAME, --as, kubectl]",
            "kubectl 1.20 and 1.32, kubernetes (Python) 37",
        ),
        Output(
            "aws",
            "id_token",
            "keys of an AWS role, for credential_process",
            "~/.aws/config, [profile NAME]",
            "credential_process = loopback-auth token NAME --as aws --role-arn ARN",
            "botocore 1.44",
            options=("role_arn", "region"),
        ),
        Output(
            "google",
            "id_token",
            "a token for Google's workload identity federation",
            "credential configuration, credential_source.executable.command",
            "loopback-auth token NAME --as google",
            "google-auth 2.63",
            is_silent=True,
        ),
        Output(
            "mcp",
            "access_token",
            "headers as JSON, for an MCP client",
            ".mcp.json of Claude Code, headersHelper",
            "loopback-auth token NAME --as mcp",
            "fastmcp 4.2, with these headers",
            options=("host",),
            for_a_host=True,
        ),
        Output(
            "docker",
            "access_token",
            "a config.json for one registry",
            "",
            'loopback-auth token NAME --as docker --host HOST > "$DOCKER_CONFIG/config.json"',
            "docker 28.2, docker (Python) 7.2",
            options=("host", "username"),
            for_a_host=True,
        ),
        Output(
            "bazel",
            "access_token",
            "the answer of a credential helper, to the URI on stdin",
            "a script; its path in .bazelrc, --credential_helper=HOST=PATH",
            "exec loopback-auth token NAME --as bazel",
            "the text of the specification",
            for_a_host=True,
        ),
    )
}
