"""The credential helper of git: what it does for each action.

git finds `git-credential-loopback-auth` on the PATH by the setting `credential.helper = loopback-auth`. What
is said and answered is in `outputs.git_credential`, which token in `token_lookup`.

Source: git, Documentation/gitcredentials.adoc ("CUSTOM HELPERS").
"""

from __future__ import annotations

from loopback_auth.credential_helpers.token_lookup import TokenLookup
from loopback_auth.outputs.git_credential import CAPABILITIES, QUIT, git_credential, read_request
from loopback_auth.outputs.hosts import authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.credential_helpers.token_lookup import Login
    from loopback_auth.outputs.git_credential import Request


def answer_at_a_glance(content: bytes, named: str) -> tuple[str, int] | None:
    """Return the answer to `get`, and the exit status, if a glance at the files gives it; None in doubt.

    Args:
        content: of stdin; untrusted.
        named: the sign-in that git's settings name; empty: whichever is for the host.

    Raises:
        Exception: any, in doubt.
    """
    request, lookup = read_request(content), TokenLookup()
    host = authority(request.protocol, request.host)
    one = lookup.candidate_for(host, named=named, user=request.username)
    if one is None:
        # A host that cannot be used may be worth an explanation.
        return ("", 0) if host else None
    token = lookup.token_at_a_glance(one)
    return (git_credential(token, username=one.user(), request=request), 0) if token is not None else None


def answer(action: str, content: bytes, named: str, login: Login | None = None) -> tuple[str, int]:
    """Do what git asks for; returns the answer and the exit status.

    Args:
        action: the last argument.
        content: of stdin; untrusted.
        named: the sign-in that git's settings name; empty: whichever is for the host.
        login: asks the person to sign in; None: they are not asked.
    """
    from loopback_auth.cli import tell_error
    from loopback_auth.errors import LoopbackAuthError

    try:
        if action == "capability":
            return CAPABILITIES, 0
        if action == "get":
            return _get(read_request(content), named, login), 0
        if action == "erase":
            _renew_refused(read_request(content), named)
    except LoopbackAuthError as exc:
        # Nothing on stdout: git asks the next helper, then the person.
        tell_error(exc)
    return "", 0


def _get(request: Request, named: str, login: Login | None) -> str:
    from loopback_auth.cli import tell_error
    from loopback_auth.errors import ConfigError, LoopbackAuthError

    host = authority(request.protocol, request.host)
    lookup = TokenLookup(login if host else None)
    by_tls = authority("https", request.host)
    if not host and lookup.kept_candidate_for(by_tls, named=named, user=request.username):
        raise ConfigError(
            f"The token for {request.host} is sent over https only, not over {request.protocol!a:.80}.",
            hint="Change the address of the remote.",
        )
    one = lookup.candidate_for(host, named=named, user=request.username)
    if one is None:
        return ""
    try:
        return git_credential(lookup.fresh_token(one), username=one.user(), request=request)
    except LoopbackAuthError as exc:
        # This host takes no password that the person could type, and what to do is said.
        tell_error(exc)
        return QUIT


def _renew_refused(request: Request, named: str) -> None:
    """Renew the token that a server has refused, so that the next question gets another one.

    The sign-in stays: the person made it, and only `logout` ends it. A secret that is not the kept token is
    another helper's, or was renewed since.
    """
    host = authority(request.protocol, request.host)
    if not request.secret or not host:
        return
    lookup = TokenLookup()
    for one in lookup.candidates_for(host, named or request.name):
        if lookup.is_kept_token(one, request.secret):
            lookup.fresh_token(one, force=True)
