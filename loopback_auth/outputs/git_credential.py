"""What git says to a credential helper, and what a helper answers, as pure functions of text.

git runs the helper with an action as its last argument and writes lines `name=value` to it, until an empty
line or the end. The answer has the same form. An empty answer is the helper's "no": git asks the next helper,
then the person; `quit=1` ends that.

The host may be chosen by a stranger, and so may a path or a user name in a URL. What a line break or another
control character in a value would turn into a second value is therefore refused as a whole, and so is a
request that says twice where it is from (CVE-2020-5260, CVE-2020-11008, CVE-2024-52006).

A refresh token is neither accepted nor given: the store of the sign-in has it, and a second holder would use
it once more, which ends the sign-in at a server that rotates refresh tokens (RFC 9700 §4.14.2).

Source: git, Documentation/git-credential.adoc ("INPUT/OUTPUT FORMAT", "CAPABILITY INPUT/OUTPUT FORMAT") and
Documentation/gitcredentials.adoc ("CUSTOM HELPERS").
"""

from __future__ import annotations

from loopback_auth.errors import ConfigError
from loopback_auth.outputs.timestamps import LAST_SECOND
from loopback_auth.records import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from loopback_auth.outputs.credential import Credential

REQUEST_LIMIT = 1 << 20
"""Bytes of a request; git's own is a few hundred, and longer with the headers of a server in it."""
LINE_LIMIT = 65_535
"""Bytes of a line with its end ("A line ... may not exceed 65535 bytes")."""
CAPABILITIES = "version 0\ncapability authtype\ncapability state\n"
"""The answer to the action `capability`."""
QUIT = "quit=1\n"
"""The answer that ends git's search: no other helper is asked, nor is the person."""
STATE = "loopback-auth:"
"""Beginning of the values of `state[]` that are ours."""
_USED = ("protocol", "host", "username", "password", "credential")
_BEARER, _BASIC = "bearer", "basic"


@dataclass(frozen=True, slots=True)
class Request:
    """What git asks for, or tells about.

    Args:
        protocol: such as `https`; untrusted.
        host: with a port if the URL has one; untrusted.
        username: that git has already, from a URL or its settings; empty: none.
        password: of which git tells; empty in a question.
        credential: in place of a password, where an authentication scheme was named.
        capabilities: what this git understands: `authtype`, `state`.
        schemes: of authentication that the server has offered, in lower case; empty if git does not say.
        name: of the sign-in that we answered with before, from `state[]`; empty: not known.
    """

    protocol: str = ""
    host: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    credential: str = field(default="", repr=False)
    capabilities: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset()
    name: str = ""

    @property
    def secret(self) -> str:
        """The password or credential of which git tells; empty in a question."""
        return self.credential or self.password


def read_request(content: bytes) -> Request:
    """Read what git has written to the helper.

    Args:
        content: up to the end, or one byte more than `REQUEST_LIMIT`; untrusted.

    Raises:
        ConfigError: it is longer, a line of it is not `name=value`, a value has a control character or is not
            UTF-8, or the same thing is said twice. The error quotes no value.

    Source: git-credential(1), INPUT/OUTPUT FORMAT; CVE-2020-5260; CVE-2024-52006.
    """
    if len(content) > REQUEST_LIMIT:
        raise _unreadable(f"it is longer than {REQUEST_LIMIT} bytes")
    values: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    for line in content.split(b"\n"):
        if not line:
            break
        # What is not UTF-8 stays recognizable, as it is not printable.
        name, equals, value = line.decode("utf-8", "surrogateescape").partition("=")
        if len(line) >= LINE_LIMIT or not (equals and name):
            raise _unreadable("a line of it is not name=value, or is too long")
        if name.endswith("[]"):
            # An empty value takes back those before it.
            several[name] = [*several.get(name, []), value] if value else []
        elif name in _USED:
            if not value.isprintable():
                raise _unreadable(f"{name} has a control character")
            if values.get(name, value) != value:
                raise _unreadable(f"it says {name} twice")
            values[name] = value
    ours = [value.removeprefix(STATE) for value in several.get("state[]", ()) if value.startswith(STATE)]
    return Request(
        **values,
        capabilities=frozenset(several.get("capability[]", ())),
        schemes=frozenset(_schemes(several.get("wwwauth[]", ()))),
        name=ours[-1] if ours else "",
    )


def git_credential(credential: Credential, *, username: str, request: Request) -> str:
    """Return the answer to `get`: lines with a secret in them.

    The token goes as a password, which is what code hosts document and every git can send. It goes as a
    bearer token where the server offers that and no passwords (RFC 6750 §2.1), to a git that can send it
    (2.46 and later); then no other helper may keep it, because this one has it.

    Args:
        credential: the token.
        username: that goes with it; one line.
        request: what git asked.

    Source: git-credential(1): `authtype`, `credential`, `ephemeral`, `state[]`, `password_expiry_utc`.
    """
    lines: list[str] = []
    if "state" in request.capabilities:
        lines += ["capability[]=state", f"state[]={STATE}{credential.name}"]
    if "authtype" in request.capabilities and _BEARER in request.schemes and _BASIC not in request.schemes:
        # "A capability[] directive must precede any value depending on it".
        lines += ["capability[]=authtype", "authtype=Bearer", f"credential={credential.token}", "ephemeral=1"]
    else:
        lines += [f"username={username}", f"password={credential.token}"]
    if credential.expires_at is not None and credential.expires_at >= 1:
        lines.append(f"password_expiry_utc={int(min(credential.expires_at, LAST_SECOND))}")
    return "\n".join(lines) + "\n"


def _schemes(headers: Iterable[str]) -> Iterable[str]:
    """Yield the schemes that a server offers, in lower case; a header may name several.

    Source: RFC 9110 §11.6.1.
    """
    for header in headers:
        for part in header.split(","):
            word = part.strip().partition(" ")[0]
            if word and "=" not in word:
                yield word.lower()


def _unreadable(why: str) -> ConfigError:
    return ConfigError(f"The request for a credential cannot be read: {why}.")
