"""The form in which a sign-in is kept: one JSON object, format version 1.

Members are the fields of `SignIn` and of what is in it, by their names; a field that is None is left out, and
so are `quirks` and `network` where all their fields have the default. Members that this version does not
know are ignored, so that older and newer versions of the package can read each other's files. Refuses to know
where the text is kept.
"""

from __future__ import annotations

import json

from loopback_auth.codec import from_members, read_object, to_members
from loopback_auth.model import SignIn

FORMAT_VERSION = 1


def to_json(sign_in: SignIn) -> bytes:
    """Write a sign-in as ASCII JSON, ending in a line break.

    Raises:
        ValueError: a claim of the ID token cannot be written as JSON.
    """
    try:
        members = {"version": FORMAT_VERSION, **to_members(sign_in, defaults=True)}
        return json.dumps(members, indent=1, allow_nan=False).encode("ascii") + b"\n"
    except (TypeError, ValueError, RecursionError):
        raise ValueError("a claim of the ID token is not JSON") from None


def from_json(content: bytes, name: str) -> SignIn:
    """Read a sign-in back.

    Args:
        content: what `to_json` wrote, or any other bytes.
        name: the name that the sign-in must have.

    Raises:
        ValueError: the content is not a sign-in of that name; the text names the member and quotes no value.
    """
    members = read_object(content)
    version = members.get("version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"not of format version {FORMAT_VERSION}")
    sign_in = from_members(SignIn, members, unknown_pass=True)
    if sign_in.name != name:
        raise ValueError("written for another name")
    return sign_in
