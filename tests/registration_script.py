"""A server that answers from a list, for tests of what a program asks about its registration."""

from __future__ import annotations

import json
from typing import TypeVar

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.effects import Flow, FlowResult, Now, Send, Warn, resume_flow
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.records import replace
from loopback_auth.registration import Registration

T = TypeVar("T")

ISSUER = "https://server.example.com"
ENDPOINT = f"{ISSUER}/register"
METADATA = ServerMetadata(
    ISSUER,
    f"{ISSUER}/authorize",
    f"{ISSUER}/token",
    discovered=True,
    document={"registration_endpoint": ENDPOINT},
)
CLIENT = ClientConfig(
    Provider("server.example.com", METADATA), "", client_metadata=ClientMetadata(), scope="read"
)
URI = "http://127.0.0.1:49152/callback"
NEW_URI = "http://127.0.0.1:50000/callback"
KEPT = Registration(
    ISSUER,
    "id-1",
    (URI,),
    registration_client_uri=f"{ENDPOINT}/id-1",
    registration_access_token="reg-1",
    scope="read",
    client_id_issued_at=1.0,
)
UNMANAGED = replace(KEPT, registration_client_uri="", registration_access_token="")
HAD = {
    "client_id": "id-1",
    "redirect_uris": [URI],
    "client_name": "Tool",
    "token_endpoint_auth_method": "none",
    "scope": "read",
}


class Script:
    """A server that gives the answers of a list, or fails as it says."""

    def __init__(self, *answers: HttpResponse | LoopbackAuthError) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []
        self.warnings: list[str] = []

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its end."""
        answer: object = None
        while not isinstance(step := resume_flow(flow, answer), FlowResult):
            match step:
                case Send(request):
                    self.requests.append(request)
                    answer = self.answers.pop(0)
                case Now():
                    answer = Stamp(1.0, "unique")
                case Warn(text):
                    self.warnings.append(text)
                    answer = None
                case _:
                    raise AssertionError(step)
        return step.value

    async def run_async(self, flow: Flow[T], /) -> T:
        """Run a flow as a driver does."""
        return self.run(flow)

    @property
    def sent(self) -> list[tuple[str, dict[str, object]]]:
        """The methods of the requests, and the JSON in them."""
        return [(one.method, json.loads(one.body) if one.body else {}) for one in self.requests]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """The methods and paths of the requests."""
        return [(one.method, one.url.removeprefix(ISSUER)) for one in self.requests]
