"""Checks of the key set with which the signatures of the server are verified.

Source: RFC 7517 §4, §9.3; RFC 7518 §3.3, §6.2; OpenID Connect Discovery 1.0 §3; OpenID Connect Core §10.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.audit.servers.answers import Observed
from loopback_auth.audit.servers.endpoint_questions import KEYS
from loopback_auth.audit.servers.server_check import ServerCheck
from loopback_auth.compare.judging.verdicts import Judgement, failed, passed, unseen
from loopback_auth.narrow import is_list, is_object
from loopback_auth.protocol.json import object_or_none
from loopback_auth.protocol.jwk import CURVES, PRIVATE, SHORTEST, number_of_bits
from loopback_auth.redact import server_text

Key = Mapping[str, object]
MOST = 100
"""Keys of a set that are looked at."""


def _keys(observed: Observed) -> list[Key] | Judgement:
    """Return the keys, or the judgement where there are none."""
    response = observed.answered(KEYS)
    document = object_or_none(response.body)
    keys = document.get("keys") if document is not None else None
    if response.status != 200 or not is_list(keys):
        return unseen(f"No key set can be read: HTTP status {response.status}.")
    return [key for key in keys[:MOST] if is_object(key)]


def _readable(observed: Observed) -> Judgement:
    keys = _keys(observed)
    if isinstance(keys, Judgement):
        return failed(keys.because)
    if not keys:
        return failed("The key set has no key.")
    return passed(f"{len(keys)} key{'s' * (len(keys) != 1)}: {_shown(keys)}.")


def _private(observed: Observed) -> Judgement:
    keys = _keys(observed)
    if isinstance(keys, Judgement):
        return keys
    found = [_name(key) for key in keys if PRIVATE & key.keys() or key.get("kty") == "oct"]
    if found:
        return failed(f"These keys are published with what must stay secret: {_joined(found)}.")
    return passed("Only public members are published.")


def _strong(observed: Observed) -> Judgement:
    keys = _keys(observed)
    if isinstance(keys, Judgement):
        return keys
    weak = [f"{_name(key)} ({trouble})" for key in keys if (trouble := _trouble(key))]
    if weak:
        return failed(f"These keys are not strong enough, or not known: {_joined(weak)}.")
    return passed(f"All are of a known kind and size: {_shown(keys)}.")


def _trouble(key: Key) -> str:
    """Return why a key is no good; empty for one that is."""
    kind = str(key.get("kty"))
    if kind == "RSA":
        bits = _bits(key)
        return "" if bits >= SHORTEST else f"RSA with {bits} bits"
    if kind in CURVES:
        # secp256k1 is registered, and known to few clients (RFC 8812 §3.1).
        known = (*CURVES[kind], "secp256k1", "X25519", "X448")
        return "" if key.get("crv") in known else server_text(f"curve {key.get('crv')}", 40)
    return "" if kind == "AKP" else server_text(f"kty {kind}", 40)


def _bits(key: Key) -> int:
    modulus = key.get("n")
    try:
        return number_of_bits(modulus) if isinstance(modulus, str) else 0
    except ValueError:
        return 0


def _named(observed: Observed) -> Judgement:
    keys = _keys(observed)
    if isinstance(keys, Judgement):
        return keys
    names = [key.get("kid") for key in keys]
    if len(keys) > 1 and not all(isinstance(name, str) and name for name in names):
        return failed("There are several keys, and not each has a kid.")
    repeated = {str(name) for name in names if name is not None and names.count(name) > 1}
    if repeated:
        return failed(f"A kid is that of several keys: {_joined(sorted(repeated))}.")
    return passed("Each has a kid of its own." if len(keys) > 1 else "There is only one.")


def _shown(keys: list[Key]) -> str:
    return _joined([_kind(key) for key in keys])


def _kind(key: Key) -> str:
    return f"RSA {_bits(key)}" if key.get("kty") == "RSA" else str(key.get("crv") or key.get("kty"))


def _name(key: Key) -> str:
    return str(key.get("kid") or "without kid")


def _joined(words: list[str]) -> str:
    return server_text(", ".join(words), 200)


CHECKS = (
    ServerCheck(
        "keys",
        "medium",
        "The key set can be read",
        "Its key set cannot be read.",
        "RFC 7517 §5; OpenID Connect Discovery 1.0 §3",
        "Serve the key set as JSON at the jwks_uri.",
        (KEYS,),
        _readable,
    ),
    ServerCheck(
        "keys-private",
        "high",
        "The key set has public keys alone",
        "It publishes a private or secret key.",
        "RFC 7517 §9.3; OpenID Connect Discovery 1.0 §3",
        "Replace these keys at once: anyone who has read them can sign tokens. Publish only public members.",
        (KEYS,),
        _private,
    ),
    ServerCheck(
        "keys-strong",
        "medium",
        "The keys are strong enough",
        "It has a key that is weak, or of an unknown kind.",
        "RFC 7518 §3.3",
        "Use RSA keys of at least 2048 bits, or a curve such as P-256 or Ed25519.",
        (KEYS,),
        _strong,
    ),
    ServerCheck(
        "keys-named",
        "low",
        "The keys can be told apart by their kid",
        "Its keys cannot be told apart by kid.",
        "RFC 7517 §4.5; OpenID Connect Core 1.0 §10.1",
        "Give each key a kid of its own.",
        (KEYS,),
        _named,
    ),
)
