"""The text of a kept sign-in: one JSON object, format version 1.

Members are the fields of `SignIn` and of what is in it, by their names; a field that is None is left out, and
so are `quirks` and `network` where all their fields have the default. Members that this version does not
know are ignored, so that older and newer versions of the package can read each other's texts. Refuses to know
where the text is kept.
"""

from __future__ import annotations

import json

from loopback_auth.codec import from_members, read_object, to_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

FORMAT_VERSION = 1


def written(sign_in: object) -> str:
    """Write a sign-in as ASCII JSON, ending in a line break.

    Raises:
        ValueError: a claim of the ID token, or another member that the server chose, is not JSON.
    """
    try:
        members = {"version": FORMAT_VERSION, **to_members(sign_in, defaults=True)}
        return json.dumps(members, indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError):
        raise ValueError("a claim of the ID token or a member of extra is not JSON") from None


class WrittenByNewer(ValueError):
    """The text is of a later format version: it is not damaged, and the program that wrote it can read it."""


def read_as(kind: type[T], text: str | bytes) -> T:
    """Read a sign-in back.

    Args:
        kind: `SignIn`, which this module does not import, because it is read for that class.
        text: what `written` returned, or anything else.

    Raises:
        WrittenByNewer: a newer version of this package has written it.
        ValueError: it is not the text of a sign-in; the error names the member and quotes no value.
    """
    members = read_object(text)
    version = members.get("version")
    if type(version) is int and version > FORMAT_VERSION:
        raise WrittenByNewer(f"of a later format version than {FORMAT_VERSION}")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"not of format version {FORMAT_VERSION}")
    return from_members(kind, members, unknown_pass=True)
