"""Checks of UserInfo, introspection, revocation, registration and the device grant.

Source: RFC 6750 §3; RFC 7662 §2.1; RFC 7009 §2.2; RFC 7591 §3.2.2, §5; RFC 8628 §3.2, §5.1, §6.1.
"""

from __future__ import annotations

import math

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.endpoint_questions import (
    DEVICE,
    FORBIDDEN_URI,
    INTROSPECTION,
    REGISTRATION,
    REVOCATION,
    USERINFO,
    USERINFO_QUERY,
)
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, idle, passed, unseen
from loopback_auth.http_messages import HttpResponse
from loopback_auth.narrow import is_list
from loopback_auth.protocol.json import number, object_or_none, text_member, text_or_digits
from loopback_auth.redact import server_text

LEAST_ENTROPY = 20.0
"""Bits of a user code that few tries cannot guess: six digits have less, eight have more."""
LEAST_CODE = 22
"""Characters of a device code: 128 bits in base64url."""
LONGEST_LIFETIME = 1800.0
"""Seconds; the example of RFC 8628 §3.2 lives that long."""


def _members(response: HttpResponse) -> dict[str, object]:
    return object_or_none(response.body) or {}


def _status(response: HttpResponse) -> str:
    error = server_text(text_member(_members(response), "error"), 80)
    return f"HTTP status {response.status}" + (f", {error}" if error else "")


def _userinfo(observed: Observed) -> Judgement:
    response = observed.answered(USERINFO)
    if response.status == 200 and _members(response).get("sub"):
        return failed("It names a user without a token.")
    if response.status == 401 and response.header("www-authenticate"):
        return passed(f"It answers 401 with {server_text(response.header('www-authenticate'), 80)}.")
    if response.status >= 500 or response.status == 429:
        return unseen(f"The answer says nothing either way: {_status(response)}.")
    return failed(f"It does not answer 401 with WWW-Authenticate: {_status(response)}.")


def _userinfo_query(observed: Observed) -> Judgement:
    without, given = observed.response(USERINFO), observed.answered(USERINFO_QUERY)
    if without is None:
        return unseen(observed.silence(USERINFO))
    was_read = "invalid_token" in given.header("www-authenticate") + text_member(_members(given), "error")
    anyway = "invalid_token" in without.header("www-authenticate") + text_member(_members(without), "error")
    if was_read and not anyway:
        return failed(f"The token in the URL was looked for: {_status(given)}.")
    if was_read:
        return unseen("The answer is the same without a token.")
    if given.status >= 500 or given.status == 429:
        return unseen(f"The answer says nothing either way: {_status(given)}.")
    return passed(f"The token in the URL was not read: {_status(given)}.")


def _introspection(observed: Observed) -> Judgement:
    response = observed.answered(INTROSPECTION)
    if response.status == 200 and "active" in _members(response):
        return failed("Anyone can ask whether a token is valid, and what it is for.")
    if 400 <= response.status < 500 and response.status not in (404, 429):
        return passed(f"A request without credentials is refused: {_status(response)}.")
    return unseen(f"The answer says nothing either way: {_status(response)}.")


def _revocation(observed: Observed) -> Judgement:
    response = observed.answered(REVOCATION)
    if not observed.client.client_id or observed.client.client_secret is not None:
        return unseen("Only the request of a known public client shows it: give --client-id.")
    if response.status == 200:
        return passed("It answers 200 also for a token that there is not.")
    if response.status in (401, 403, 429) or not 400 <= response.status < 500:
        return unseen(f"The answer says nothing either way: {_status(response)}.")
    return failed(f"A token that there is not is an error: {_status(response)}.")


def _registration(observed: Observed) -> Judgement:
    response = observed.answered(REGISTRATION)
    if 200 <= response.status < 300:
        members = _members(response)
        if not text_member(members, "client_id"):
            # RFC 7591 §3.2.1: that is what makes it a registration; a page of an app answers 200 as well.
            return unseen(f"The answer is not a registration: {_status(response)}, no client_id.")
        uris = members.get("redirect_uris")
        if is_list(uris) and FORBIDDEN_URI not in uris:
            return passed("A client was registered without the redirect URI that was asked for.")
        removed = observed.response(f"{REGISTRATION}: delete")
        gone = removed is not None and 200 <= removed.status < 300
        then = "It was deleted again." if gone else "It could not be deleted again; delete it by hand."
        return failed(f"A client with an http redirect URI and a fragment was registered. {then}")
    if response.status in (401, 403):
        return idle(f"Not everyone may register a client: {_status(response)}.")
    if 400 <= response.status < 500 and response.status not in (404, 405, 429):
        return passed(f"It is refused: {_status(response)}.")
    return unseen(f"The answer says nothing either way: {_status(response)}.")


def device_answer(observed: Observed) -> dict[str, object] | Judgement:
    """Return the members of the device authorization response, or the judgement where there is none."""
    response = observed.response(DEVICE)
    if response is None:
        return unseen(observed.silence(DEVICE))
    members = _members(response)
    if not 200 <= response.status < 300 or not text_or_digits(members.get("user_code")):
        return unseen(f"The server gives this client no code: {_status(response)}.")
    return members


def entropy(user_code: str) -> float:
    """Estimate the bits of a user code by its length, and by the kinds of characters in it.

    Source: RFC 8628 §5.1, §6.1 (consonants alone, or digits alone).
    """
    signs = [one for one in user_code if one.isalnum()]
    letters, digits = any(map(str.isalpha, signs)), any(map(str.isdigit, signs))
    vowels = any(one in "AEIOUaeiou" for one in signs)
    alphabet = (26 if vowels else 20) * letters + 10 * digits
    if any(map(str.isupper, signs)) and any(map(str.islower, signs)):
        alphabet += 26
    return len(signs) * math.log2(alphabet) if alphabet else 0.0


def _user_code(observed: Observed) -> Judgement:
    members = device_answer(observed)
    if isinstance(members, Judgement):
        return members
    bits = entropy(text_or_digits(members.get("user_code")))
    told = f"One of {bits:.0f} bits was given"
    return passed(f"{told}.") if bits >= LEAST_ENTROPY else failed(f"{told}; it can be guessed.")


def _device_code(observed: Observed) -> Judgement:
    members = device_answer(observed)
    if isinstance(members, Judgement):
        return members
    length = len(text_or_digits(members.get("device_code")))
    told = f"One of {length} characters was given"
    return passed(f"{told}.") if length >= LEAST_CODE else failed(f"{told}.")


def _device_lifetime(observed: Observed) -> Judgement:
    members = device_answer(observed)
    if isinstance(members, Judgement):
        return members
    lifetime, interval = number(members.get("expires_in")), number(members.get("interval", 5))
    if lifetime is None or lifetime <= 0:
        return failed("The member expires_in is not a number of seconds.")
    if interval is None or interval < 1:
        return failed("The member interval is not a number of seconds from 1.")
    if lifetime > LONGEST_LIFETIME:
        return failed(f"The codes live {lifetime:.0f} s, which gives phishing more time than needed.")
    return passed(f"The codes live {lifetime:.0f} s, and the program asks every {interval:.0f} s.")


def _verification(observed: Observed) -> Judgement:
    members = device_answer(observed)
    if isinstance(members, Judgement):
        return members
    uri = text_member(members, "verification_uri")
    if not uri:
        return failed("The member verification_uri is missing.")
    return passed(f"It is {server_text(uri, 80)}.")


CHECKS = (
    ServerCheck(
        "userinfo",
        "low",
        "UserInfo asks for a token by WWW-Authenticate",
        "Its UserInfo endpoint does not ask for a token as the RFC demands.",
        "RFC 6750 §3; OpenID Connect Core 1.0 §5.3.3",
        "Answer a request without a token with 401 and WWW-Authenticate: Bearer.",
        (USERINFO,),
        _userinfo,
    ),
    ServerCheck(
        "userinfo-query",
        "low",
        "UserInfo accepts no token in its URL",
        "Its UserInfo endpoint accepts a token in its URL.",
        "RFC 9700 §4.3.2; RFC 6750 §2.3, §5.3",
        "Accept the access token only in the header Authorization.",
        (USERINFO_QUERY, USERINFO),
        _userinfo_query,
    ),
    ServerCheck(
        "introspection",
        "medium",
        "Introspection requires authentication",
        "Anyone can ask it about tokens.",
        "RFC 7662 §2.1, §4",
        "Let only your resource servers ask about tokens.",
        (INTROSPECTION,),
        _introspection,
    ),
    ServerCheck(
        "revocation",
        "low",
        "Revoking an unknown token is not an error",
        "It answers the revocation of an unknown token with an error.",
        "RFC 7009 §2.2",
        "Answer 200 to the revocation of a token that is not valid.",
        (REVOCATION,),
        _revocation,
    ),
    ServerCheck(
        "registration",
        "medium",
        "A client cannot be registered with a redirect URI that is not safe",
        "It registers a redirect URI that is not safe.",
        "RFC 7591 §5; RFC 6749 §3.1.2; RFC 8252 §8.4",
        "Refuse redirect URIs with http at another host than this machine, or with a fragment.",
        (REGISTRATION,),
        _registration,
    ),
    ServerCheck(
        "user-code",
        "medium",
        "A user code is hard to guess",
        "Its user codes can be guessed.",
        "RFC 8628 §5.1, §6.1",
        "Use at least eight consonants or nine digits, and allow few tries.",
        (DEVICE,),
        _user_code,
    ),
    ServerCheck(
        "device-code",
        "medium",
        "A device code cannot be guessed",
        "Its device codes are short.",
        "RFC 8628 §5.2",
        "Use at least 128 random bits.",
        (DEVICE,),
        _device_code,
    ),
    ServerCheck(
        "device-lifetime",
        "low",
        "Device codes are announced with a sensible lifetime and interval",
        "Its device codes have no sensible lifetime or interval.",
        "RFC 8628 §3.2, §5.4",
        "Send expires_in of at most 1800 and interval of at least 1, both as numbers.",
        (DEVICE,),
        _device_lifetime,
    ),
    ServerCheck(
        "verification-uri",
        "low",
        "The device authorization response has a verification_uri",
        "Its device authorization response has no verification_uri.",
        "RFC 8628 §3.2",
        "Send the address as verification_uri.",
        (DEVICE,),
        _verification,
    ),
)
