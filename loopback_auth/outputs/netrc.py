"""A token as an entry of the file netrc, which curl, git, pip, wget and many libraries read.

Programs send login and password by the method Basic, so this is for servers that take a token as a password.
The file has no place for a port, and none for an expiry.

Source: GNU Inetutils manual, "The .netrc file"; https://everything.curl.dev/usingcurl/netrc; RFC 7617 §2.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential

_READ_DIFFERENTLY = frozenset("\"'\\#")
"""Characters that some programs take for quotes, escapes or comments, and others for themselves."""


def netrc(credential: Credential, *, host: str, username: str) -> str:
    """Return the entry for one host, as one line.

    Args:
        credential: its token is the password.
        host: name or address without a port, in lower case; the caller knows that the token belongs there.
        username: what the server wants as the name; many ignore it.

    Raises:
        ConfigError: the file cannot have the name or the token, because programs would read it differently.

    Source: GNU Inetutils manual, "The .netrc file".
    """
    for text, what, parameter in ((username, "user name", "username"), (credential.token, "token", "")):
        if not is_plain_word(text):
            from loopback_auth.errors import ConfigError  # Start-up.

            raise ConfigError(
                f"The {what} has characters that programs read differently in a netrc file.",
                hint="Use another user name." if parameter else "Use another output, such as curl.",
                parameter=parameter,
            )
    return f"machine {host} login {username} password {credential.token}\n"


def is_plain_word(text: str) -> bool:
    """Return whether a text is one word of visible ASCII that needs neither quotes nor escapes."""
    return bool(text) and all("!" <= one <= "~" for one in text) and not _READ_DIFFERENTLY & set(text)
