"""Asking a resource beforehand: what was sent, what it meant, and where it ends."""

from __future__ import annotations

import pytest
from resource_world import NOTHING, Answer, ResourceWorld, challenged, document, server_metadata

from loopback_auth.client_metadata import ClientMetadata
from loopback_auth.doctor.redirect_probe import ProbeAnswer
from loopback_auth.doctor.resource_probe import REQUEST, RESOURCE, SERVER, probe_resource
from loopback_auth.doctor.server_offers import offers
from loopback_auth.errors import TransportError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.model import ClientConfig
from loopback_auth.records import replace

URL = "https://mcp.example/mcp"
PLACE = "https://mcp.example/.well-known/oauth-protected-resource/mcp"
AS = "https://as.example"
AT_AS = f"{AS}/.well-known/oauth-authorization-server"
ABOUT = document({"resource": URL, "authorization_servers": [AS]})
CHALLENGE = challenged(f'Bearer resource_metadata="{PLACE}", scope="read"')
PAGE = HttpResponse(200, (("Content-Type", "text/html"),), b"<!doctype html>")
WHOLE: dict[str, Answer] = {URL: CHALLENGE, PLACE: ABOUT, AT_AS: server_metadata(AS)}


def probed(
    answers: dict[str, Answer], client: ClientConfig | None = None
) -> tuple[dict[str, ProbeAnswer], ClientConfig | None]:
    """Ask, and return the answers by what they are about."""
    given = client or ClientConfig.for_resource(URL)
    found, known = ResourceWorld(answers).run(probe_resource(given))
    return {one.what: one for one in found}, known


def test_each_step_says_what_was_sent_and_what_came() -> None:
    """Whoever repeats the requests by hand has to see the same."""
    found, known = probed(WHOLE)

    assert [found[name].verdict for name in (REQUEST, RESOURCE, SERVER)] == ["yes"] * 3
    assert f"GET {URL} -> 401" in found[REQUEST].because
    assert "read" in found[REQUEST].because
    assert f"GET {PLACE} -> 200" in found[RESOURCE].because
    assert AS in found[RESOURCE].because
    assert f"GET {AT_AS} -> 200" in found[SERVER].because
    assert known is not None
    assert (known.provider.metadata.issuer, known.resource, known.scope) == (AS, (URL,), "read")


TROUBLE = [
    pytest.param({URL: PAGE}, RESOURCE, "no", id="a page"),
    pytest.param({URL: NOTHING}, RESOURCE, "no", id="nothing"),
    pytest.param({URL: TransportError("It got no answer")}, RESOURCE, "unknown", id="no answer"),
    pytest.param(
        {URL: CHALLENGE, PLACE: document({"resource": AS, "authorization_servers": [AS]})},
        RESOURCE,
        "no",
        id="another resource",
    ),
    pytest.param({URL: CHALLENGE, PLACE: ABOUT}, SERVER, "no", id="a server without metadata"),
    pytest.param(
        {**WHOLE, AT_AS: server_metadata(AS, registration_endpoint=None)}, SERVER, "no", id="no registration"
    ),
    pytest.param(
        {**WHOLE, AT_AS: server_metadata(AS, code_challenge_methods_supported=[])}, SERVER, "no", id="no PKCE"
    ),
]


@pytest.mark.parametrize(("answers", "what", "verdict"), TROUBLE)
def test_the_first_trouble_is_the_last_answer(answers: dict[str, Answer], what: str, verdict: str) -> None:
    """A sign-in would end there, too; nothing that comes after it is guessed."""
    found, known = probed(answers)

    assert known is None
    assert list(found)[-1] == what
    assert found[what].verdict == verdict
    assert " -> " in found[what].because


@pytest.mark.parametrize(
    ("answers", "what", "verdict"),
    [
        ({**WHOLE, URL: challenged()}, REQUEST, "likely"),
        ({**WHOLE, URL: PAGE}, REQUEST, "unknown"),
        ({URL: challenged("Bearer")}, RESOURCE, "no"),
    ],
)
def test_what_the_operator_should_correct_does_not_end_it(
    answers: dict[str, Answer], what: str, verdict: str
) -> None:
    """A sign-in would work all the same."""
    found, known = probed(answers)

    assert found[what].verdict == verdict
    assert known is not None


def test_servers_that_are_passed_over_are_named_with_the_reason() -> None:
    """The person may have an account at one of them alone."""
    others = document({"resource": URL, "authorization_servers": ["http://10.0.0.1", AS]})
    answers, known = ResourceWorld({**WHOLE, PLACE: others}).run(
        probe_resource(ClientConfig.for_resource(URL))
    )
    servers = [(one.verdict, one.because) for one in answers if one.what == SERVER]

    assert [verdict for verdict, _ in servers] == ["no", "yes"]
    assert "http://10.0.0.1" in servers[0][1]
    assert known is not None


def test_an_issuer_is_said_to_be_one() -> None:
    """People mistake the two, and then look for the wrong metadata."""
    client = replace(ClientConfig.at(AS, client_metadata=ClientMetadata()), resource_server=AS)
    found, known = probed({AT_AS: server_metadata(AS)}, client)

    assert found["address"].verdict == "yes"
    assert known is not None
    assert known.resource_server == ""


def test_a_demand_for_bound_tokens_is_told() -> None:
    """Then the extra `oidc` is needed (RFC 9728 §2)."""
    about = document(
        {"resource": URL, "authorization_servers": [AS], "dpop_bound_access_tokens_required": True}
    )

    assert probed({**WHOLE, PLACE: about})[0]["DPoP demanded"].verdict == "yes"


OFFERED: list[tuple[str, dict[str, object]]] = [
    ("registration", {"registration_endpoint": "https://as.example/register"}),
    ("client ID metadata document", {"client_id_metadata_document_supported": True}),
    ("DPoP", {"dpop_signing_alg_values_supported": ["RS256", "ES256"]}),
    ("signed request (JAR)", {"request_parameter_supported": True}),
    ("signed request (JAR)", {"require_signed_request_object": True}),
    ("signed response (JARM)", {"response_modes_supported": ["query", "query.jwt"]}),
]


@pytest.mark.parametrize(("what", "members"), OFFERED)
def test_what_a_server_lists_is_offered(what: str, members: dict[str, object]) -> None:
    """Each is a flag that the person can then give."""
    offered = [one.what for one in offers(members) if one.verdict == "yes"]

    assert offered == [what]


@pytest.mark.parametrize("value", [None, 7, "true", [], [7], {"a": 1}, "ES256", "\x1b[2J"])
def test_odd_metadata_offer_nothing(value: object) -> None:
    """A server may write anything; what is no list of words is none."""
    names = [name for _, members in OFFERED for name in members if name != "registration_endpoint"]

    assert {one.verdict for one in offers(dict.fromkeys(names, value))} == {"no"}
