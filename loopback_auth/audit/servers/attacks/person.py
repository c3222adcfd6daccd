"""The simulated user: which form of a page they send, with what in it, and which button they press.

They log in where a page asks for a password, and approve everything else. A button that says no is never
pressed, and a form that leads away from the login (to log out, to cancel, to search) is never sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from loopback_auth.audit.servers.attacks.forms import BUTTONS, Field, Form, WebPage

_YES = re.compile(
    r"(?i)\b(allow|approve|authori[sz]e|accept|agree|grant|consent|continue|confirm|yes|ok|(log|sign) ?in)\b"
)
_NO = re.compile(
    r"(?i)\b(den(y|ied)|cancel|abort|refuse|reject|decline|disallow|don't|not|no|back|log ?out|sign ?out)\b"
)
_AWAY = re.compile(
    r"(?i)log-?_?out|sign-?_?out|cancel|abort|search|i18n|language|forgot|reset|sign-?_?up|/register"
)
_ACCOUNT = re.compile(r"(?i)user|login|account|mail|identifier|name|sub")
TYPED = ("text", "email", "tel", "url", "search", "number", "textarea")


@dataclass(frozen=True, slots=True)
class Person:
    """The simulated user who signs in.

    Args:
        account: name or email address, typed where a page asks for one, or chosen where it offers some.
        password: typed where a page asks for one; empty: the user has none.
        fields: by name, what else is typed.
        user_code: typed where a page asks for a code.
    """

    account: str = ""
    password: str = field(default="", repr=False)
    fields: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    user_code: str = field(default="", repr=False)


def chosen_form(page: WebPage) -> Form | None:
    """Return the form that is sent; None where there is none to be sent."""
    forms = [one for one in page.forms if not _AWAY.search(one.action)]
    for wanted in (_asks_password, _approves, _is_post, _is_filled):
        if found := next(filter(wanted, forms), None):
            return found
    return None


def filled(form: Form, person: Person) -> list[tuple[str, str]]:
    """Fill in a form, and press its button; return what is sent.

    Source: HTML §4.10.21.4 (constructing the entry list).
    """
    sent: list[tuple[str, str]] = []
    radios: dict[str, list[Field]] = {}
    for one in form.fields:
        if one.kind == "radio":
            radios.setdefault(one.name, []).append(one)
        elif one.kind not in (*BUTTONS, "reset", "file"):
            sent += [(one.name, value) for value in _value(one, form, person)]
    for name, several in radios.items():
        wanted = [one for one in several if person.account and one.value == person.account]
        first = next(iter([*wanted, *(one for one in several if one.chosen), *several]))
        sent.append((name, person.fields.get(name, first.value)))
    pressed = _pressed(form)
    sent += [(pressed.name, pressed.value)] if pressed is not None else []
    return [(name, value) for name, value in sent if name]


def _value(one: Field, form: Form, person: Person) -> list[str]:
    if one.name in person.fields:
        return [person.fields[one.name]]
    if one.kind == "checkbox":
        # Every box is ticked: each may stand for a scope that the user can grant.
        return [one.value or "on"]
    if one.kind == "password":
        return [person.password]
    if one.kind == "select":
        return one.options[:1]
    if one.kind in TYPED and person.user_code and "code" in one.name.lower():
        return [person.user_code]
    if one.kind in TYPED and not one.value:
        asked = _asks_password(form) or _ACCOUNT.search(one.name)
        return [person.account if asked else ""]
    return [one.value]


def _pressed(form: Form) -> Field | None:
    """Return the button that says yes, or the first that does not say no."""
    buttons = [one for one in form.of_kind(*BUTTONS) if not _says(_NO, one)]
    return next((one for one in buttons if _says(_YES, one)), buttons[0] if buttons else None)


def _says(words: re.Pattern[str], button: Field) -> bool:
    return any(words.search(text.replace("_", " ")) for text in (button.label, button.value, button.name))


def _asks_password(form: Form) -> bool:
    return bool(form.of_kind("password"))


def _approves(form: Form) -> bool:
    return any(_says(_YES, one) and not _says(_NO, one) for one in form.of_kind(*BUTTONS))


def _is_post(form: Form) -> bool:
    # A form whose only buttons say no would cancel.
    return form.method == "post" and (_pressed(form) is not None or not form.of_kind(*BUTTONS))


def _is_filled(form: Form) -> bool:
    return bool(form.fields) and _pressed(form) is not None
