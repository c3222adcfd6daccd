"""The demo server's device grant: each rule kept, and broken by the device or by the person."""

from __future__ import annotations

import re

import pytest
from demo_conversation import (
    ISSUER,
    SECRET_CLIENT,
    Conversation,
    PlainSigner,
    basic,
    conversation,
    document,
    error,
    hidden,
    id_claims,
)

from loopback_auth import words

SECRET = SECRET_CLIENT.client_secret or ""


def approved(talk: Conversation, decision: str = "approve") -> str:
    """Get a device code, and have the person decide."""
    grant = talk.device()
    talk.visit(grant["verification_uri_complete"], "deny" if decision == "deny" else "approve")
    return str(grant["device_code"])


def test_device_gets_codes_and_an_address() -> None:
    """The members of RFC 8628 §3.2, with a code that can be read out and typed (§6.1)."""
    talk = conversation()
    grant = talk.device()

    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", grant["user_code"])
    assert grant["verification_uri"] == f"{ISSUER}/device"
    assert grant["verification_uri_complete"] == f"{ISSUER}/device?user_code={grant['user_code']}"
    assert (grant["expires_in"], grant["interval"]) == (600, 5)
    assert talk.device()["user_code"] != grant["user_code"]


def test_metadata_offers_the_grant() -> None:
    """A client that discovers must find it (RFC 8628 §4)."""
    published = conversation().server.metadata()

    assert published["device_authorization_endpoint"] == f"{ISSUER}/device_authorization"
    assert "urn:ietf:params:oauth:grant-type:device_code" in list(published["grant_types_supported"])  # type: ignore[call-overload]


def test_approval_gives_tokens_at_the_next_poll() -> None:
    """The whole conversation of RFC 8628 §1, figure 1."""
    talk = conversation()
    grant = talk.device()
    before = talk.poll(grant["device_code"])
    last = talk.visit(grant["verification_uri"], user_code=grant["user_code"])
    talk.wait(5)
    tokens = document(talk.poll(grant["device_code"]))

    assert error(before) == (400, "authorization_pending")
    assert words.DEMO_APPROVED.encode() in last.body
    assert tokens["scope"] == "profile email"
    assert document(talk.userinfo(tokens["access_token"]))["email"] == "demo@example.com"
    assert talk.refresh(tokens["refresh_token"]).status == 200


def test_complete_address_saves_the_typing() -> None:
    """RFC 8628 §3.3.1: the page holds the code already, and nothing else has to be entered."""
    talk = conversation()

    assert talk.poll(approved(talk)).status == 200


def test_code_in_the_address_is_not_submitted_by_itself() -> None:
    """Following a link must not be enough to get to the consent page (RFC 8628 §5.4)."""
    talk = conversation()
    grant = talk.device()
    page = talk.get(f"/device?user_code={grant['user_code']}")

    assert f'value="{grant["user_code"]}"' in page.body.decode()
    assert b"interaction" not in page.body


def test_consent_shows_code_and_client_to_compare() -> None:
    """A user whom an attacker sent the link can notice it only here (RFC 8628 §3.3.1, §5.4)."""
    talk = conversation()
    grant = talk.device()
    sign_in = talk.post("/device", {"user_code": grant["user_code"]})
    consent = talk.post("/sign-in", {"interaction": hidden(sign_in), "account": "demo-1"})

    assert grant["user_code"] in consent.body.decode()
    assert b"loopback-auth-demo" in consent.body
    assert words.DEMO_RETURNS not in consent.body.decode()


@pytest.mark.parametrize("spelling", ["lower", "spaces", "bare"])
def test_code_may_be_typed_as_people_type(spelling: str) -> None:
    """Case and separators do not matter (RFC 8628 §6.1)."""
    talk = conversation()
    grant = talk.device()
    code = grant["user_code"]
    typed = {"lower": code.lower(), "spaces": f" {code[:2]} {code[2:]} ", "bare": code.replace("-", "")}
    talk.visit(f"{ISSUER}/device", user_code=typed[spelling])

    assert talk.poll(grant["device_code"]).status == 200


def test_denial_ends_the_polling() -> None:
    """The device must learn that the user denied the request (RFC 8628 §3.5)."""
    talk = conversation()

    assert error(talk.poll(approved(talk, "deny"))) == (400, "access_denied")


def test_hasty_polls_are_slowed_down_for_good() -> None:
    """Each poll before its time adds five seconds for this code, and only for it (RFC 8628 §3.5)."""
    talk = conversation()
    one, other = talk.device()["device_code"], talk.device()["device_code"]
    heard = []
    for seconds in (0, 4, 9, 15, 14):
        talk.wait(seconds)
        heard.append(error(talk.poll(one))[1])

    assert heard == [
        "authorization_pending",
        "slow_down",
        "slow_down",
        "authorization_pending",
        "slow_down",
    ]
    assert error(talk.poll(other))[1] == "authorization_pending"


def test_interval_can_be_chosen() -> None:
    """A suite on the wire does not want to wait five seconds."""
    talk = conversation(device_interval=1)
    grant = talk.device()
    talk.poll(grant["device_code"])
    talk.wait(1)

    assert grant["interval"] == 1
    assert error(talk.poll(grant["device_code"]))[1] == "authorization_pending"


def test_codes_expire() -> None:
    """After ten minutes neither the device nor the person gets anywhere (RFC 8628 §3.5)."""
    talk = conversation()
    grant = talk.device()
    talk.wait(600)
    page = talk.visit(grant["verification_uri_complete"])

    assert error(talk.poll(grant["device_code"])) == (400, "expired_token")
    assert page.status == 400


def test_approval_after_the_end_comes_to_nothing() -> None:
    """A page that was open for too long must not approve what is over."""
    talk = conversation()
    grant = talk.device()
    sign_in = talk.post("/device", {"user_code": grant["user_code"]})
    talk.wait(599)
    consent = talk.post("/sign-in", {"interaction": hidden(sign_in), "account": "demo-1"})
    talk.wait(1)
    last = talk.post("/consent", {"interaction": hidden(consent), "decision": "approve"})

    assert last.status == 400
    assert error(talk.poll(grant["device_code"])) == (400, "expired_token")


def test_device_code_is_good_once() -> None:
    """A device code that was redeemed buys nothing more (RFC 8628 §3.5, RFC 6749 §5.2)."""
    talk = conversation()
    device_code = approved(talk)
    first = talk.poll(device_code)
    talk.wait(60)

    assert first.status == 200
    assert error(talk.poll(device_code)) == (400, "invalid_grant")


def test_code_is_decided_once() -> None:
    """A second person with the same code must not turn a denial into an approval."""
    talk = conversation()
    grant = talk.device()
    talk.visit(grant["verification_uri_complete"], "deny")
    second = talk.visit(grant["verification_uri_complete"])

    assert second.status == 400
    assert error(talk.poll(grant["device_code"])) == (400, "access_denied")


def test_second_open_page_decides_nothing() -> None:
    """The first decision counts; the other page says that it has expired."""
    talk = conversation()
    grant = talk.device()
    consents = []
    for _ in range(2):
        sign_in = talk.post("/device", {"user_code": grant["user_code"]})
        consents.append(talk.post("/sign-in", {"interaction": hidden(sign_in), "account": "demo-1"}))
    first, second = (
        talk.post("/consent", {"interaction": hidden(page), "decision": decision}).status
        for page, decision in zip(consents, ("approve", "deny"), strict=True)
    )

    assert (first, second) == (200, 400)
    assert talk.poll(grant["device_code"]).status == 200


def test_parameters_belong_into_the_body() -> None:
    """Client credentials must not be in an address (RFC 6749 §2.3.1)."""
    form = {"client_id": "loopback-auth-demo"}

    assert error(conversation().post("/device_authorization?x=1", form)) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"device_code": None}, "invalid_request"),
        ({"device_code": "unknown"}, "invalid_grant"),
        ({"client_id": "stranger"}, "invalid_client"),
    ],
)
def test_bad_polls_are_refused(changes: dict[str, str | None], code: str) -> None:
    """A code is worth nothing to whom it was not given."""
    talk = conversation()

    assert error(talk.poll(approved(talk), **changes)) == (400, code)


def test_code_of_another_client_is_refused() -> None:
    """A device code is bound to its client (RFC 8628 §3.4)."""
    talk = conversation()
    response = talk.poll(approved(talk), basic("with secret", SECRET), client_id=None)

    assert error(response) == (400, "invalid_grant")


def test_confidential_device_has_to_prove_itself() -> None:
    """Clients authenticate as at the token endpoint (RFC 8628 §3.1)."""
    talk = conversation()
    refused = talk.post("/device_authorization", {"client_id": "with secret"})
    response = talk.post("/device_authorization", {}, basic("with secret", SECRET))

    assert error(refused) == (400, "invalid_client")
    assert response.status == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"scope": "everything"}, "invalid_scope"), ({"resource": "/relative"}, "invalid_target")],
)
def test_bad_device_requests_are_refused(changes: dict[str, str], code: str) -> None:
    """What cannot be granted is refused before the user is asked (RFC 6749 §5.2)."""
    form = {"client_id": "loopback-auth-demo"} | changes

    assert error(conversation().post("/device_authorization", form)) == (400, code)


def test_guessing_is_limited() -> None:
    """Ten wrong codes, and even the right one has to wait a minute (RFC 8628 §5.1)."""
    talk = conversation()
    grant = talk.device()
    wrong = [talk.post("/device", {"user_code": "BBBB-BBBB"}).status for _ in range(11)]
    right = talk.post("/device", {"user_code": grant["user_code"]})
    talk.wait(60)

    assert wrong == [400] * 10 + [429]
    assert right.status == 429
    assert talk.post("/device", {"user_code": grant["user_code"]}).status == 200


def test_wrong_code_can_be_entered_again() -> None:
    """People mistype; the agent does not, and stops at the page that asks again."""
    page = conversation().visit(f"{ISSUER}/device", user_code="BBBB-BBBB")

    assert (page.status, words.DEMO_WRONG_CODE.encode() in page.body) == (400, True)


def test_code_from_another_site_is_refused() -> None:
    """A page elsewhere must not be able to submit a code (RFC 6749 §10.12)."""
    talk = conversation()
    form = {"user_code": talk.device()["user_code"]}

    assert talk.post("/device", form, ("Sec-Fetch-Site", "cross-site")).status == 403


def test_id_token_of_a_device_has_no_nonce() -> None:
    """There was no authorization request that could have had one (OpenID Connect Core §2)."""
    talk = conversation(signer=PlainSigner())
    grant = talk.device(scope="openid email")
    talk.visit(grant["verification_uri_complete"])
    said = id_claims(document(talk.poll(grant["device_code"]))["id_token"])

    assert "nonce" not in said
    assert (said["aud"], said["email"]) == ("loopback-auth-demo", "demo@example.com")
    assert "at_hash" in said
