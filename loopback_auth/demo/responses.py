"""Send the browser back to the client with an authorization response: in the clear, or in a signed JWT."""

from __future__ import annotations

from collections.abc import Sequence

from loopback_auth import pages
from loopback_auth.demo import pages as demo_pages
from loopback_auth.demo.id_tokens import damaged
from loopback_auth.demo.keys import Signer
from loopback_auth.demo.requests import ReturnAddress
from loopback_auth.demo.setup import Setup
from loopback_auth.demo.wire import with_fragment, with_query
from loopback_auth.http_messages import HttpResponse

LIFETIME = 600
"""Seconds that a signed response is valid (JARM §2.1 recommends ten minutes at most)."""


def response(
    setup: Setup, back: ReturnAddress, members: Sequence[tuple[str, str]], now: float
) -> HttpResponse:
    """Return what sends the browser to the client.

    Source: RFC 6749 §4.1.2; RFC 9207 §2; OAuth 2.0 Form Post Response Mode §2; OAuth 2.0 Multiple
    Response Type Encoding Practices §2.1, §5; RFC 9700 §4.12 for 303; JARM §2.3.
    """
    faults, issuer = setup.faults, setup.issuer
    parameters = list(members)
    if back.state:
        parameters.append(("state", "not-the-state-you-sent" if faults.wrong_state else back.state))
    if not faults.omit_iss:
        parameters.append(("iss", f"{issuer}/another" if faults.wrong_iss else issuer))
    if back.signed and setup.signer is not None:
        parameters = [("response", _signed(setup, setup.signer, back, dict(parameters), now))]
    parameters += [pair for pair in parameters if pair[0] == faults.duplicate_parameter]
    if back.response_mode == "form_post":
        return demo_pages.form_post(action=back.redirect_uri, parameters=parameters)
    if back.response_mode == "fragment":
        mark = "?" if faults.fragment_question_mark else ""
        location = with_fragment(back.redirect_uri, parameters, mark)
    else:
        location = with_query(back.redirect_uri, parameters)
    return HttpResponse(303, (("Location", location), *pages.safe_headers()))


def _signed(setup: Setup, signer: Signer, back: ReturnAddress, parameters: dict[str, str], now: float) -> str:
    """Return the parameters as a JWT.

    Source: JARM §2.1, §2.2.
    """
    faults = setup.faults
    claims = {
        "aud": "another-client" if faults.wrong_audience else back.client.client_id,
        "exp": int(now + faults.clock_skew) + LIFETIME,
        **parameters,
    }
    compact = signer.sign(claims)
    return damaged(compact) if faults.bad_signature else compact
