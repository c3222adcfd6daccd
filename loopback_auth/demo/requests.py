"""Check an authorization request at the demo server; pure functions without pages or state.

There are two steps. The first checks the client and its redirect URI; until it has passed, nothing may be
sent to the client, because the URI may not be registered (RFC 6749 §3.1.2.4). The second checks the other
parameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from loopback_auth.demo.accounts import DEFAULT_SCOPE
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.setup import ACR_VALUES, PROMPTS, RESPONSE_TYPES, Setup
from loopback_auth.demo.wire import Parameters, Refused

ResponseMode = Literal["query", "fragment", "form_post"]

# RFC 6749 §3.1.1: the order of the names does not matter
NEEDS_SIGNER = {frozenset(names.split()): signed for names, signed in RESPONSE_TYPES.items()}
FRONT_CHANNEL = frozenset({"token", "id_token"})
MODES: dict[str, ResponseMode] = {"query": "query", "fragment": "fragment", "form_post": "form_post"}
CODE_CHALLENGE = THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
"""Both are a SHA-256 in base64url."""


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where and how the client wants its answer, checked against its registration.

    Args:
        client: that asks.
        redirect_uri: where the browser is sent.
        response_mode: how the parameters travel: in the query, in the fragment, or as a form.
        signed: whether they travel in a signed JWT (JARM).
        state: sent back unchanged (RFC 6749 §4.1.2); empty: none was sent.
    """

    client: DemoClient
    redirect_uri: str
    response_mode: ResponseMode
    signed: bool
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that passed every check.

    Args:
        back: where the answer goes.
        response_type: names that the parameter consists of (RFC 6749 §3.1.1).
        scope: names, all of them known to the server.
        resource: where the access token is going to be used (RFC 8707 §2).
        code_challenge: made with S256; empty: none was sent.
        nonce: for the ID token; empty: none was sent.
        login_hint: the account that the client expects; empty: none was named.
        prompt: names that the parameter consists of (OpenID Connect Core §3.1.2.1).
        dpop_jkt: thumbprint of the key that the code is bound to (RFC 9449 §10); empty: it is bound to none.
        acr: how the person is authenticated (OpenID Connect Core §2).
        again: the client wants the person to be authenticated now, by `acr_values`, `max_age` or `prompt`.
    """

    back: ReturnAddress
    response_type: frozenset[str]
    scope: tuple[str, ...]
    resource: tuple[str, ...]
    code_challenge: str
    nonce: str = field(repr=False)
    login_hint: str
    prompt: tuple[str, ...]
    dpop_jkt: str
    acr: str
    again: bool


def return_address(parameters: Parameters, setup: Setup) -> ReturnAddress:
    """Check client and redirect URI; a refusal here must not be redirected.

    Source: RFC 6749 §3.1.2.3, §3.1.2.4, §4.1.2.1; RFC 9700 §2.1.
    """
    if parameters.repeated & {"client_id", "redirect_uri"}:
        raise Refused("invalid_request", "The client_id or the redirect_uri is sent more than once.")
    client = setup.clients.get(parameters.get("client_id"))
    if client is None:
        raise Refused("invalid_request", "The client_id is missing or unknown.")
    redirect_uri = parameters.get("redirect_uri")
    faults = setup.faults
    loosely = faults.loose_redirect_uris and client.resembles(redirect_uri)
    if not loosely and not client.allows(redirect_uri, exactly=faults.exact_redirect_uris):
        raise Refused("invalid_request", "The redirect_uri is missing, or not registered for this client.")
    # A repeated state or mode cannot be honoured, whichever value came first
    state = "" if "state" in parameters.repeated else parameters.get("state")
    mode, signed = _response_mode(parameters, setup)
    return ReturnAddress(client, redirect_uri, mode, signed, state)


def check_request(parameters: Parameters, back: ReturnAddress, setup: Setup) -> Asked:
    """Check the other parameters; a refusal here goes to the client.

    Source: RFC 6749 §4.1.1, §4.1.2.1, §4.2.1; RFC 7636 §4.3, §4.4.1; RFC 8707 §2; OpenID Connect Core
    §3.1.2.1, §3.2.2.1; OAuth 2.0 Multiple Response Type Encoding Practices §3.
    """
    parameters.once()
    if parameters.get("request"):
        raise Refused("request_not_supported", "Request objects are not supported.")
    if not parameters.get("response_type"):
        raise Refused("invalid_request", "The response_type is missing.")
    types = frozenset(parameters.get("response_type").split())
    needs_signer = NEEDS_SIGNER.get(types)
    unbound = "token" in types and setup.features.dpop == "required"
    if needs_signer is None or (needs_signer and setup.signer is None) or unbound:
        raise Refused("unsupported_response_type", "The response_type is not supported.")
    if "code" in types and not back.client.may_use("authorization_code"):
        raise Refused("unauthorized_client", "The client is not registered for the authorization code grant.")
    if FRONT_CHANNEL & types and not back.client.may_use("implicit"):
        raise Refused("unauthorized_client", "The client is not registered for the implicit grant.")
    modes = {"jwt", f"{back.response_mode}.jwt"} if back.signed else {"", back.response_mode}
    if parameters.get("response_mode") not in modes:
        raise Refused("invalid_request", "The response_mode is not supported.")
    # RFC 6749 appendix A.5: state is visible ASCII and blanks
    if not back.state.isascii():
        raise Refused("invalid_request", "The state holds characters outside ASCII.")
    scope = scope_names(parameters.get("scope"), setup)
    if "id_token" in types and not ("openid" in scope and parameters.get("nonce")):
        raise Refused("invalid_request", "An ID token needs the scope openid and a nonce.")
    return Asked(
        back,
        response_type=types,
        scope=scope,
        resource=resources(parameters.resource),
        code_challenge=_code_challenge(parameters, setup.faults) if "code" in types else "",
        nonce=parameters.get("nonce"),
        login_hint=parameters.get("login_hint"),
        prompt=_prompt(parameters.get("prompt")),
        acr=_acr(parameters.get("acr_values")),
        again=_again(parameters),
        dpop_jkt=_thumbprint(parameters.get("dpop_jkt"), setup),
    )


def _response_mode(parameters: Parameters, setup: Setup) -> tuple[ResponseMode, bool]:
    """Return the response mode, and whether it is signed: the requested one, but never the query for tokens.

    Source: OAuth 2.0 Multiple Response Type Encoding Practices §2.1, §3; JARM §2.3.
    """
    in_front = not FRONT_CHANNEL.isdisjoint(parameters.get("response_type").split())
    default: ResponseMode = "fragment" if in_front else "query"
    asked = "" if "response_mode" in parameters.repeated else parameters.get("response_mode")
    signed = setup.features.signed_responses and (asked == "jwt" or asked.endswith(".jwt"))
    plain = asked.removesuffix("jwt").removesuffix(".") if signed else asked
    return default if in_front and plain == "query" else MODES.get(plain, default), signed


def _code_challenge(parameters: Parameters, faults: Faults) -> str:
    """Read the code challenge; empty where a fault lets it be missing."""
    optional = faults.pkce_optional and not parameters.get("code_challenge")
    if optional or (faults.lenient and parameters.get("code_challenge_method") != "S256"):
        return ""
    return required_code_challenge(parameters, plain=faults.plain_challenges)


def required_code_challenge(parameters: Parameters, *, plain: bool = False) -> str:
    """Read the code challenge that must be there.

    Args:
        parameters: of the request.
        plain: for a fault: the challenge may be the verifier itself.

    Source: RFC 7636 §4.3, §4.4.1.
    """
    challenge = parameters.get("code_challenge")
    if not challenge:
        raise Refused("invalid_request", "The code challenge is required.")
    # RFC 7636 §4.3: without a method it would be plain
    if parameters.get("code_challenge_method") not in ("S256", *(["plain"] if plain else [])):
        raise Refused("invalid_request", "The transform algorithm is not supported: use S256.")
    if not CODE_CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "The code_challenge is malformed.")
    return challenge


def scope_names(text: str, setup: Setup) -> tuple[str, ...]:
    """Read a scope, or take the default one.

    Source: RFC 6749 §3.3.
    """
    names = tuple(dict.fromkeys(text.split())) or DEFAULT_SCOPE
    if not setup.faults.lenient and not all(name in setup.scopes for name in names):
        raise Refused("invalid_scope", "A scope is not known here.")
    return names


def resources(values: tuple[str, ...]) -> tuple[str, ...]:
    """Check resource indicators.

    Source: RFC 8707 §2.
    """
    for value in values:
        try:
            parts = urlsplit(value)
        except ValueError:
            raise Refused("invalid_target", "A resource is not a URI.") from None
        if not parts.scheme or "#" in value:
            raise Refused("invalid_target", "A resource must be an absolute URI without fragment.")
    return values


def _acr(text: str) -> str:
    """Choose how the person is authenticated: the first of the values that is known here.

    Source: OpenID Connect Core §3.1.2.1; RFC 9470 §5.
    """
    asked = text.split()
    if not asked:
        return ACR_VALUES[0]
    known = [value for value in asked if value in ACR_VALUES]
    if not known:
        raise Refused("unmet_authentication_requirements", "None of the acr_values can be reached here.")
    return known[0]


def _again(parameters: Parameters) -> bool:
    """Return whether the client wants the person to be authenticated now.

    Source: OpenID Connect Core §3.1.2.1; RFC 9470 §4.
    """
    max_age = parameters.get("max_age")
    if max_age and not (max_age.isascii() and max_age.isdigit() and len(max_age) < 12):
        raise Refused("invalid_request", "The max_age is not a number of seconds.")
    return bool(max_age or parameters.get("acr_values")) or "login" in parameters.get("prompt").split()


def _thumbprint(text: str, setup: Setup) -> str:
    """Read the thumbprint of a key.

    Source: RFC 9449 §10; RFC 6749 §3.1: a parameter that is not known is ignored.
    """
    if setup.features.dpop == "off":
        return ""
    if text and not THUMBPRINT.fullmatch(text):
        raise Refused("invalid_request", "The dpop_jkt is not a thumbprint.")
    return text


def _prompt(text: str) -> tuple[str, ...]:
    values = tuple(text.split())
    if not all(value in PROMPTS for value in values):
        raise Refused("invalid_request", "The prompt is not supported.")
    if "none" in values and len(values) > 1:
        raise Refused("invalid_request", "The prompt none goes with no other.")
    return values
