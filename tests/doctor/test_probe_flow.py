"""Asking a server beforehand: which questions, in which order, and that trouble with one ends no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from urllib.parse import parse_qs, urlsplit

import pytest
from flow_world import ATTEMPT, CLIENT, ISSUER, PROVIDER, SECRET_CLIENT, at, world

from loopback_auth.authorization_messages import Attempt
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import Signer, rsa_signer
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.doctor.probe_flow import LIMIT, probe
from loopback_auth.doctor.redirect_probe import ProbeAnswer
from loopback_auth.effects import Send
from loopback_auth.errors import TransportError
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.model import ClientConfig, Provider, Redirect, ServerMetadata
from loopback_auth.settings.contracts import NETLIFY

DEVICE_CODE = "grant_type=urn:ietf:params:oauth:grant-type:device_code"
ENDPOINTS = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    device_authorization_endpoint=f"{ISSUER}/device_authorization",
)
GONE = TransportError("The request got no answer: the connection was cut")
QUESTIONS = [
    "metadata request",
    "pushed authorization request",
    "authorization request",
    *["token request"] * 3,
    "device authorization request",
]


@pytest.fixture(scope="module")
def signer() -> Signer:
    """Make the key of the server once: it takes a moment."""
    made = rsa_signer()
    assert made is not None
    return made


def attempts() -> Iterator[Attempt]:
    """Give out the same randomness again and again."""
    return repeat(ATTEMPT)


def answers(place: MemoryWorld, client: ClientConfig = CLIENT) -> dict[str, ProbeAnswer]:
    """Ask everything."""
    return {one.what: one for one in place.run(probe(client, attempts()))}


def verdicts(place: MemoryWorld, client: ClientConfig = CLIENT) -> dict[str, str]:
    """Ask everything; return what is known, without the lists of the metadata."""
    found = answers(place, client)
    return {name: one.verdict for name, one in found.items() if not name.endswith("_supported")}


def requests(place: MemoryWorld) -> list[HttpRequest]:
    """Return what was sent."""
    return [effect.request for effect in place.effects if isinstance(effect, Send)]


def dead(*, after: int) -> MemoryWorld:
    """Begin with a server that answers some requests and then no more."""
    left = [after]

    def disturb(_request: HttpRequest) -> HttpResponse | None:
        if not left[0]:
            raise GONE
        left[0] -= 1
        return None

    return world(disturb=disturb)


def test_demo_client_is_answered_in_every_way(signer: Signer) -> None:
    """With a registered client every question has a definite answer, and nobody had to approve anything."""
    place = world(signer=signer)

    assert verdicts(place) == {
        "metadata": "yes",
        "pushed_authorization_request": "yes",
        "redirect_uri": "yes",
        "response_type=code": "yes",
        "grant_type=authorization_code": "yes",
        "grant_type=refresh_token": "yes",
        DEVICE_CODE: "yes",
        "device_authorization": "yes",
        "response_mode=form_post": "yes",
        "response_type=token": "yes",
        "response_type=code id_token": "yes",
        "response_type=id_token": "yes",
        "response_type=id_token token": "yes",
        "ticket": "no",
    }
    assert list(place.steps()) == [*QUESTIONS, *["authorization request"] * 5]
    assert len(place.steps()) == LIMIT
    assert all(isinstance(effect, Send) for effect in place.effects)


def test_server_without_openid_shows_its_page() -> None:
    """It cannot be told to ask nobody, so its log-in page is all there is to see."""
    found = verdicts(world())

    assert (found["response_type=code"], found["redirect_uri"]) == ("likely", "yes")
    assert found["response_type=id_token"] == "no"


def test_redirect_uri_that_is_not_registered_is_told_and_no_more_is_asked_about_it(signer: Signer) -> None:
    """Every other visit would get the same page; grants and device codes have no redirect URI."""
    client = replace(CLIENT, provider=replace(PROVIDER, redirect=Redirect(path="/elsewhere")))
    place = world(signer=signer)
    found = answers(place, client)

    assert found["redirect_uri"].verdict == "no"
    assert "/elsewhere" in found["redirect_uri"].because
    assert found["response_type=code"].verdict == "unknown"
    assert found["grant_type=authorization_code"].verdict == "yes"
    assert list(place.steps()) == QUESTIONS


def test_page_after_another_response_type_says_nothing_about_the_redirect_uri() -> None:
    """Code went on with the same one; a server may show a page for whatever it does not support."""

    def disturb(request: HttpRequest) -> HttpResponse | None:
        if "/authorize?" not in request.url:
            return None
        plain_code = "response_type=code&" in request.url and "form_post" not in request.url
        kind = (("Content-Type", "text/html"),)
        return (
            HttpResponse(200, kind, b"<form>Log in</form>") if plain_code else HttpResponse(400, kind, b"No")
        )

    place = world(disturb=disturb)
    bare = replace(PROVIDER, metadata=replace(ENDPOINTS, issuer=None, response_modes_supported=None))
    found = verdicts(place, replace(CLIENT, provider=bare))

    assert (found["redirect_uri"], found["response_type=code"]) == ("likely", "likely")
    assert (found["response_mode=form_post"], found["response_type=token"]) == ("no", "no")


def test_unknown_client_is_told() -> None:
    """At the authorization endpoint by a page, elsewhere by invalid_client."""
    found = answers(world(), replace(CLIENT, client_id="nobody"))

    assert found["redirect_uri"].verdict == "no"
    assert "client ID" in found["redirect_uri"].because
    assert {found[name].verdict for name in ("grant_type=refresh_token", "device_authorization")} == {"no"}
    assert found["device_authorization"].of_client


def test_pushed_requests_are_used_where_they_are_required(signer: Signer) -> None:
    """Such a server refuses every other request, whatever it thinks of its content (RFC 9126 §5)."""
    place = world(signer=signer, require_push=True)
    found = verdicts(place)

    assert (found["redirect_uri"], found["response_type=code"]) == ("yes", "yes")
    assert found["response_mode=form_post"] == found["response_type=token"] == "likely"
    assert place.steps().count("authorization request") == 1
    visit = next(one for one in requests(place) if one.method == "GET" and "/authorize" in one.url)
    assert set(parse_qs(urlsplit(visit.url).query)) == {"client_id", "request_uri"}


def test_refused_push_is_the_end_where_pushing_is_required() -> None:
    """There is nothing to visit."""
    place = world(require_push=True)
    found = verdicts(place, replace(CLIENT, client_id="nobody"))

    assert (found["pushed_authorization_request"], found["response_type=code"]) == ("no", "unknown")
    assert "authorization request" not in place.steps()
    assert place.steps().count("pushed authorization request") == 1


def test_missing_secret_is_no_verdict_on_the_grants() -> None:
    """What is asked without authentication is answered all the same."""
    provider = replace(PROVIDER, client_auth="client_secret_basic")
    found = verdicts(world(), replace(CLIENT, provider=provider, client_id=SECRET_CLIENT.client_id))

    assert found["grant_type=authorization_code"] == found["device_authorization"] == "unknown"
    assert found["redirect_uri"] == "likely"


def test_client_with_its_secret_is_answered(signer: Signer) -> None:
    """The secret goes where a sign-in sends it, and not into the browser's address."""
    client = replace(CLIENT, client_id=SECRET_CLIENT.client_id, client_secret=SECRET_CLIENT.client_secret)
    place = world(signer=signer)
    found = verdicts(place, client)

    assert {verdict for name, verdict in found.items() if name != "ticket"} == {"yes"}
    assert not any(str(client.client_secret) in one.url for one in requests(place))


def test_without_a_client_only_the_metadata_are_read() -> None:
    """They are there for everybody."""
    place = world()
    found = answers(place, replace(CLIENT, client_id=""))

    assert set(place.steps()) == {"metadata request"}
    assert found["grant_types_supported"].verdict == "yes"
    assert "redirect_uri" not in found


def test_known_ticket_contract_is_said_and_no_ticket_made() -> None:
    """A ticket would wait for somebody to approve it."""
    client = ClientConfig(Provider("netlify", ServerMetadata(), ticket=NETLIFY), "x")
    place = world()
    found = answers(place, client)

    assert found["ticket"].verdict == "yes"
    assert NETLIFY.source in found["ticket"].because
    assert found["response_type=code"].verdict == found["device_authorization"].verdict == "no"
    assert place.steps() == ()


def test_server_without_metadata_is_asked_by_its_configured_endpoints() -> None:
    """Most presets are like that."""
    client = replace(CLIENT, provider=Provider("example", ENDPOINTS))
    found = verdicts(world(Faults(without_metadata=True)), client)

    assert found["metadata"] == "no"
    assert found["grant_type=refresh_token"] == found["device_authorization"] == "yes"
    assert found["response_type=code"] == "likely"


def test_server_that_does_not_answer_has_said_no_to_nothing() -> None:
    """It may be down for a moment; "no" would send somebody to change what is right."""
    found = verdicts(dead(after=0), CLIENT)

    assert found["metadata"] == found["response_type=code"] == found["device_authorization"] == "unknown"


def test_metadata_of_another_issuer_are_not_believed() -> None:
    """Its endpoints are not asked: a sign-in would not go there either (RFC 8414 §3.3)."""
    place = world(Faults(metadata_issuer="https://evil.example"))
    found = answers(place)

    assert found["metadata"].verdict == "no"
    assert found["metadata"].source == "RFC 8414 §3.3"
    assert set(place.steps()) == {"metadata request"}


@pytest.mark.parametrize(
    ("path", "lost"),
    [
        ("/par", "pushed_authorization_request"),
        ("/token", "grant_type=authorization_code"),
        ("/device_authorization", "device_authorization"),
    ],
)
def test_trouble_with_one_question_is_its_answer_and_ends_no_other(
    path: str, lost: str, signer: Signer
) -> None:
    """One endpoint may be on another host, or behind another gateway."""
    place = world(signer=signer, disturb=at(path, GONE))
    found = answers(place)

    assert found[lost].verdict == "unknown"
    assert "cut" in found[lost].because
    assert {one.verdict for name, one in found.items() if name not in (lost, "ticket")} == {"yes"}


@pytest.mark.parametrize("after", range(5))
def test_host_that_does_not_answer_is_left_alone(after: int) -> None:
    """A dozen time-outs would be six minutes."""
    place = dead(after=after)
    found = answers(place, replace(CLIENT, provider=Provider("example", ENDPOINTS)))

    assert len(place.steps()) <= after + 2
    assert found["response_type=id_token token"].verdict == "unknown" or after > 0
    assert "did not answer before" in found["device_authorization"].because


def test_there_are_never_more_questions_than_promised() -> None:
    """The metadata may be looked for at three places."""
    provider = Provider("example", replace(ENDPOINTS, issuer=f"{ISSUER}/tenant"))
    place = world()
    found = answers(place, replace(CLIENT, provider=provider))

    assert place.steps().count("metadata request") == 3
    assert len(place.steps()) == LIMIT
    assert found["response_type=id_token token"].verdict == "unknown"
    assert "enough questions" in found["response_type=id_token token"].because


def test_only_made_up_values_are_sent(signer: Signer) -> None:
    """A question costs nobody anything: no code, no token and no name of anybody."""
    place = world(signer=signer)
    answers(place, replace(CLIENT, login_hint="ada@example.org"))
    sent = " ".join(one.url + one.body.decode() for one in requests(place))

    assert "ada" not in sent.replace("metadata", "")
    assert sent.count("made-up-by-loopback-auth-doctor") == 3


def test_answers_hold_no_secret(signer: Signer) -> None:
    """They are printed, and posted."""
    said = repr(answers(world(signer=signer)))

    assert ATTEMPT.state not in said
    assert ATTEMPT.code_verifier not in said
    assert ATTEMPT.nonce not in said
