"""The device authorization grant of the demo server.

Decides when a device may poll again, and what a poll is answered. The page for the person shows code and
client again, because another person may have begun the sign-in and sent the code (RFC 8628 §5.4).
"""

from __future__ import annotations

from urllib.parse import urlencode

from loopback_auth.demo import pages as demo_pages
from loopback_auth.demo.approvals import Approvals, Waiting
from loopback_auth.demo.authentication import Authentication
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.consent import Interactions
from loopback_auth.demo.grants import Grant
from loopback_auth.demo.requests import resources, scope_names
from loopback_auth.demo.setup import DEVICE_CODE, Setup
from loopback_auth.demo.wire import (
    Parameters,
    Refused,
    form_parameters,
    json_reply,
    query_of,
    read_parameters,
)
from loopback_auth.http_messages import HttpRequest, HttpResponse

KIND = "device"
LIFETIME = 600
SLOWER = 5.0
"""Seconds that every `slow_down` adds (RFC 8628 §3.5)."""
TOLERANCE = 0.25
"""Seconds of tolerance, because the travel times of two polls differ."""


class DeviceEndpoints:
    """The device authorization endpoint, the verification page, and the poll at the token endpoint."""

    def __init__(
        self,
        setup: Setup,
        approvals: Approvals,
        interactions: Interactions,
        authentication: Authentication,
    ) -> None:
        self._authentication = authentication
        self._setup = setup
        self._approvals = approvals
        self._interactions = interactions
        self._rhythm: dict[str, tuple[float, float]] = {}
        """The interval and the time of the last poll, by device code."""

    def device_authorization(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer a device authorization request.

        Source: RFC 8628 §3.1, §3.2.
        """
        if query_of(request.url):
            raise Refused("invalid_request", "Parameters belong into the body.")
        parameters = form_parameters(request).once()
        client = self._authentication.client(request, parameters, now)
        if not client.may_use(DEVICE_CODE):
            raise Refused("unauthorized_client", "The client is not registered for this grant_type.")
        waiting = Waiting(
            kind=KIND,
            client_id=client.client_id,
            scope=scope_names(parameters.get("scope"), self._setup),
            created_at=now,
            expires_at=now + LIFETIME,
            resource=resources(parameters.resource),
            user_code=self._approvals.user_code(),
        )
        device_code = self._approvals.open(waiting, LIFETIME)
        self._rhythm[device_code] = (self._enforced(), float("-inf"))
        return json_reply(self._members(device_code, waiting.user_code))

    def page(self, request: HttpRequest, now: float) -> HttpResponse:
        """Show the page to enter a code; one in the address is filled in, but not submitted.

        Source: RFC 8628 §3.3, §3.3.1.
        """
        parameters = read_parameters(query_of(request.url)).once()
        return demo_pages.enter_code(action="/device", code=parameters.get("user_code"))

    def entered(self, request: HttpRequest, now: float) -> HttpResponse:
        """Read the code from the page, and return the sign-in page."""
        form = self._interactions.own_form(request)
        return self._approvals.enter(KIND, "/device", form.get("user_code"), now)

    def poll(self, client: DemoClient, parameters: Parameters, now: float) -> Grant | HttpResponse:
        """Answer a token request with a device code: with the grant, or with a fault.

        Source: RFC 8628 §3.4, §3.5.
        """
        device_code = parameters.get("device_code")
        if not device_code:
            raise Refused("invalid_request", "The device_code is missing.")
        found = self._approvals.find(KIND, device_code)
        if found is None or found.client_id != client.client_id or found.state == "used":
            raise Refused("invalid_grant", "The device_code is unknown, used or of another client.")
        spoiled = self._approvals.troubles.instead(now)
        if spoiled is not None:
            return spoiled
        self._keep_pace(device_code, now)
        if now >= found.expires_at:
            raise Refused("expired_token", "The device_code has expired.")
        if found.state == "denied":
            raise Refused("access_denied", "The request was denied.")
        seen = self._approvals.seen(KIND, device_code, now)
        if seen is None or seen.grant is None or seen.state == "pending":
            raise Refused("authorization_pending", "It has not been approved yet.")
        self._approvals.use(device_code)
        return seen.grant

    def _enforced(self) -> float:
        """Return the interval that is enforced: never more than what a fault announces."""
        interval, announced = float(self._setup.device_interval), self._setup.faults.device_interval
        return interval if announced is None or isinstance(announced, str) else min(interval, announced)

    def _keep_pace(self, device_code: str, now: float) -> None:
        interval, last = self._rhythm[device_code]
        early = now - last < interval - TOLERANCE
        if early or self._approvals.troubles.slow_down():
            self._rhythm[device_code] = (interval + SLOWER, now)
            raise Refused("slow_down", "Ask less often: five seconds more from now on.")
        self._rhythm[device_code] = (interval, now)

    def _members(self, device_code: str, user_code: str) -> dict[str, object]:
        faults, page = self._setup.faults, f"{self._setup.issuer}/device"
        interval = self._setup.device_interval if faults.device_interval is None else faults.device_interval
        members: dict[str, object] = {
            "device_code": device_code,
            "user_code": user_code,
            "verification_url" if faults.verification_url else "verification_uri": page,
            "verification_uri_complete": f"{page}?{urlencode({'user_code': user_code})}",
            "expires_in": LIFETIME,
        }
        return members if faults.omit_device_interval else members | {"interval": interval}
