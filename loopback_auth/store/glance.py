"""Look at a kept sign-in without building it: what decides whether its token can be used, and no more.

A program that asks for a token many times a minute, each time in a new process, imports next to nothing for
that. Nothing is checked here but what could make a wrong token look right; in every doubtful case there is no
answer, and the complete reading in `sign_in_format` finds out what is wrong.
"""

from __future__ import annotations

import json

from loopback_auth.narrow import is_object

LARGEST = 1e15
"""Bound of a time in Unix seconds, so that infinity and nonsense are refused."""

_EMPTY: dict[str, object] = {
    "requested_scope": "",
    "scope": "",
    "resource": (),
    "resource_server": "",
    "quirks": {},
    "scope_aliases": (),
    "scope_prefixes": (),
    "revoke_url": "",
    "flow": "",
}
"""What members are when they are left out; all others are None."""


class Members:
    """An object of JSON whose members can be read as attributes, as those of the record it was written from.

    Args:
        members: the object.
    """

    __slots__ = ("_members",)

    def __init__(self, members: dict[str, object]) -> None:
        self._members = members

    def __getattr__(self, name: str) -> object:
        value = self._members.get(name, _EMPTY.get(name))
        return Members(value) if is_object(value) else value


def glance(content: bytes, name: str) -> Members | None:
    """Return what is kept in a file, to be compared with what a client wants; None in doubt.

    Args:
        content: of the file.
        name: that the sign-in must have.
    """
    if not content.isascii():
        return None
    members = json.loads(content)
    tokens = members["tokens"]
    token, obtained_at, expires_at = tokens["access_token"], tokens["obtained_at"], tokens.get("expires_at")
    if type(members["version"]) is not int or members["version"] != 1 or members["name"] != name:
        return None
    if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
        return None
    times = (obtained_at,) if expires_at is None else (obtained_at, expires_at)
    if not all(type(each) in (int, float) and -LARGEST < each < LARGEST for each in times):
        return None
    return Members(members)
