"""No secret of any sign-in, however it ends and however it is spelt, in anything that leaves the recorder."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from canaries import COOKIE, SPELLINGS, Tap, leaks

from loopback_auth.compare.drawing.outputs import render
from loopback_auth.compare.judging.changes import against
from loopback_auth.compare.model import Run
from loopback_auth.compare.running.choices import Choice, choice, demo_client
from loopback_auth.compare.running.demo import run_on_demo
from loopback_auth.compare.running.earlier import read_earlier
from loopback_auth.compare.running.run import assembled, comparison
from loopback_auth.compare.running.simulate import ISSUER, simulate, simulated_world
from loopback_auth.demo.clients import DemoClient
from loopback_auth.demo.faults import Faults
from loopback_auth.demo.keys import rsa_signer
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tickets import BASES, demo_contract
from loopback_auth.errors import LoopbackAuthError
from loopback_auth.flow_table import COMPARED
from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.tokens import SignIn
from loopback_auth.trace.evidence import exchanges_named
from loopback_auth.trace.recorder import Recorder

SIGNER = rsa_signer()
SECRET = "client secret/canary+4h8Zk2Qm~:%"
NESTED = "nested-canary-5TgB7yHn8UjM"
BROKEN = "broken-canary-2WsX4eDc6RfV"
CLIENT = DemoClient("demo-with-secret", SECRET, redirect_uris=("http://127.0.0.1/callback",))
EVERY_FLOW = (*COMPARED, "id_token token", "code id_token")

FAULTS = {
    "none": Faults(),
    "deny_all": Faults(deny_all=True),
    "wrong_state": Faults(wrong_state=True),
    "wrong_iss": Faults(wrong_iss=True),
    "omit_iss": Faults(omit_iss=True),
    "duplicate_parameter": Faults(duplicate_parameter="code"),
    "fragment_question_mark": Faults(fragment_question_mark=True),
    "refresh_token_in_fragment": Faults(refresh_token_in_fragment=True),
    "authorization_endpoint": Faults(authorization_endpoint="file:///etc/passwd"),
    "metadata_issuer": Faults(metadata_issuer="https://evil.example"),
    "without_metadata": Faults(without_metadata=True),
    "metadata_loop": Faults(metadata_loop=True),
    "pkce_unannounced": Faults(pkce_unannounced=True),
    "redirect_token_endpoint": Faults(redirect_token_endpoint=f"https://evil.example/?code={BROKEN}"),
    "token_status": Faults(token_status=500),
    "token_html": Faults(token_html=True),
    "token_body": Faults(token_body=b'{"access_token":"%b"' % BROKEN.encode()),
    "token_wrong_type": Faults(token_wrong_type=True),
    "expires_in": Faults(expires_in="soon"),
    "omit_members": Faults(omit_members=("access_token",)),
    "narrow_scope": Faults(narrow_scope="profile"),
    "wrong_nonce": Faults(wrong_nonce=True),
    "wrong_audience": Faults(wrong_audience=True),
    "bad_signature": Faults(bad_signature=True),
    "clock_skew": Faults(clock_skew=86_400.0),
    "wrong_subject": Faults(wrong_subject=True),
    "clock_ahead": Faults(clock_ahead=86_400.0),
    "ignore_acr": Faults(ignore_acr=True),
    "nonce_changes": Faults(nonce_changes=True),
    "wrong_token_type": Faults(wrong_token_type=True),
    "registration_html": Faults(registration_html=True),
    "registration_redirect_uri": Faults(registration_redirect_uri="https://evil.example/"),
    "registration_secret": Faults(registration_secret=86_400.0),
    "exact_redirect_uris": Faults(exact_redirect_uris=True),
    "other_resource": Faults(other_resource="https://evil.example/"),
    "without_resource_metadata": Faults(without_resource_metadata=True),
    "authorization_servers": Faults(authorization_servers=("https://evil.example",)),
    "other_servers": Faults(other_servers=2),
    "challenge": Faults(challenge='Bearer realm="'),
    "refuse_tokens": Faults(refuse_tokens=True),
    "never_enough_scope": Faults(never_enough_scope=True),
    "device_interval": Faults(device_interval=1),
    "omit_device_interval": Faults(omit_device_interval=True),
    "verification_url": Faults(verification_url=True),
    "expires_early": Faults(expires_early=1.0),
    "server_errors": Faults(server_errors=2),
    "rate_limited": Faults(rate_limited=2),
    "rate_limit_header": Faults(rate_limited=2, rate_limit_header="X-RateLimit-Reset"),
    "html_answers": Faults(html_answers=2),
    "slow_down_storm": Faults(slow_down_storm=2),
    "approve_after": Faults(approve_after=2),
    "wrong_type": Faults(wrong_type="true"),
    "bad_ticket_id": Faults(bad_ticket_id="../../user"),
    "poll_elsewhere": Faults(poll_elsewhere="https://evil.example"),
    "ticket_status": Faults(ticket_status=404),
    "exchange_refused": Faults(exchange_refused=True),
    "ignore_verifier": Faults(ignore_verifier=True),
    "pkce_optional": Faults(pkce_optional=True),
    "plain_challenges": Faults(plain_challenges=True),
    "loose_redirect_uris": Faults(loose_redirect_uris=True),
    "unbound_tokens": Faults(unbound_tokens=True),
    "reusable": Faults(reusable=True),
    "unlimited_user_codes": Faults(unlimited_user_codes=True),
    "lenient": Faults(lenient=True),
}


def chosen(name: str) -> Choice:
    """Ask for an ID token, with a client secret, and carry an address with a secret along."""
    extra = {"return_to": f"https://app.example/back?code={NESTED}#access_token={NESTED}-too"}
    client = replace(demo_client(ISSUER, openid=True), extra=extra)
    # A confidential client is nobody's device.
    if name not in ("device", "ticket"):
        client = replace(client, client_id=CLIENT.client_id, client_secret=SECRET)
    return choice(name, client)


def run(name: str, tap: Tap, faults: Faults, *, vendor: str = "netlify") -> tuple[Run, Recorder]:
    """Run a flow in memory against a tapped server."""
    one, world = chosen(name), simulated_world(name)
    if vendor != "netlify":
        ticket = demo_contract(vendor, ISSUER)
        one = replace(one, client=replace(one.client, provider=replace(one.client.provider, ticket=ticket)))
    server = DemoServer(ISSUER, entropy=tap.entropy, signer=SIGNER, clients=(CLIENT,), faults=faults)
    world.server = tap.on(server)
    keys = world.keys
    tap.canaries |= {keys.start.strip("/"), keys.relay.strip("/"), keys.token} - {""}
    tap.canaries |= {SECRET, NESTED, f"{NESTED}-too", BROKEN}
    recorder, end = simulate(one, world, verify_signature=True)
    return judged(name, recorder, end, tap), recorder


def judged(name: str, recorder: Recorder, end: SignIn | LoopbackAuthError, tap: Tap) -> Run:
    """Make a run, and forget the client ID: a server draws it as it draws secrets, and it is none."""
    whole = assembled(name, recorder, end)
    for each in exchanges_named(whole.trace, "registration request"):
        if each.status == 201 and each.response_body.startswith("{"):
            tap.canaries.discard(json.loads(each.response_body)["client_id"])
    return whole


def told(run: Run, recorder: Recorder) -> str:
    """Write down all that leaves the recorder."""
    return "\n".join([repr(run), json.dumps(asdict(run), ensure_ascii=False), repr(recorder)])


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", EVERY_FLOW)
def test_no_secret_leaves_the_recorder(name: str, fault: str) -> None:
    """Refusals and broken answers take other ways through the code than what goes well."""
    tap = Tap(f"{name} {fault}")
    here, recorder = run(name, tap, FAULTS[fault])

    assert leaks(tap.canaries, told(here, recorder)) == []
    assert "8675309" not in told(here, recorder)


@pytest.mark.parametrize("decision", ["approve", "deny"])
@pytest.mark.parametrize("vendor", BASES)
def test_no_secret_of_any_vendor_leaves_the_recorder(vendor: str, decision: str) -> None:
    """Each gives its secrets other names, some of them whole addresses."""
    tap = Tap(f"{vendor} {decision}")
    here, recorder = run("ticket", tap, Faults(deny_all=decision == "deny"), vendor=vendor)

    assert here.outcome == ("signed in" if decision == "approve" else "refused")
    assert leaks(tap.canaries, told(here, recorder)) == []


def test_every_fault_is_among_these() -> None:
    """A new one would otherwise be tried by nobody."""
    assert {field.name for field in fields(Faults)} == set(FAULTS) - {"none"}


@pytest.mark.parametrize("name", EVERY_FLOW)
def test_canaries_are_on_the_wire(name: str) -> None:
    """Secrets that were never sent would prove nothing."""
    tap = Tap(name)
    here, _ = run(name, tap, Faults())
    labels = {secret.kind for secret in here.trace.secrets}
    sent = {canary for canary in tap.canaries if canary in tap.wire}

    assert here.outcome == "signed in"
    assert len(sent) >= 4
    assert COOKIE in tap.canaries
    assert labels & {"access_token"}
    assert leaks(sent, tap.wire)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_leak_is_found_in_every_spelling(spelling: str) -> None:
    """The search itself has to work."""
    text = f"before{SPELLINGS[spelling](SECRET)}after"

    assert (spelling, len(SECRET)) in leaks({SECRET}, text)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", COMPARED)
def test_secret_that_a_refusal_echoes_is_labelled(name: str, spelling: str) -> None:
    """Servers quote what they were sent, and errors are told to people."""
    tap = Tap(f"{name} echo")
    one, world = chosen(name), simulated_world(name)
    world.server = tap.on(DemoServer(ISSUER, entropy=tap.entropy, signer=SIGNER, clients=(CLIENT,)))

    def echo(request: HttpRequest) -> HttpResponse | None:
        sent = dict(parse_qsl(request.body.decode()))
        secret = sent.get("code") or sent.get("device_code") or request.url.partition("/tickets/")[2][:43]
        if not secret:
            return None
        tap.canaries.add(secret)
        words = f"no such thing: {SPELLINGS[spelling](secret)}"
        body = json.dumps({"error": "invalid_grant", "error_description": words, "message": words})
        return HttpResponse(400, (("Content-Type", "application/json"),), body.encode())

    world.disturb = echo
    recorder, end = simulate(one, world, verify_signature=True)
    here = judged(name, recorder, end, tap)

    assert here.outcome == ("signed in" if name == "token" else "refused")
    assert leaks(tap.canaries, told(here, recorder)) == []


@pytest.fixture(scope="module")
def on_sockets() -> list[tuple[Run, Recorder, Tap]]:
    """Run every flow on real sockets, in peace and with what ends it late, against tapped servers."""

    async def against(fault: str) -> list[tuple[Run, Recorder, Tap]]:
        tap = Tap(f"sockets {fault}")

        def tapped(issuer: str) -> DemoServer:
            faults = FAULTS[fault]
            server = DemoServer(issuer, entropy=tap.entropy, signer=SIGNER, faults=faults, device_interval=1)
            return tap.on(server)

        ended = await run_on_demo(EVERY_FLOW, tapped, openid=True, thinking=0.0, flow_seconds=60.0)
        return [(judged(name, recorder, end, tap), recorder, tap) for name, recorder, end in ended]

    async def main() -> list[tuple[Run, Recorder, Tap]]:
        faults = ("none", "deny_all", "token_status", "exchange_refused")
        return [one for found in await asyncio.gather(*map(against, faults)) for one in found]

    return asyncio.run(main())


@pytest.mark.slow
def test_no_secret_leaves_the_recorder_on_sockets(on_sockets: list[tuple[Run, Recorder, Tap]]) -> None:
    """The driver sees more than the simulation does, and real headers come along."""
    outcomes = {run.outcome for run, _, _ in on_sockets}

    assert {"signed in", "refused", "failed"} <= outcomes
    for here, recorder, tap in on_sockets:
        assert leaks(tap.canaries, told(here, recorder)) == [], here.flow
        assert not re.search(r"/[0-9a-f]{32}", told(here, recorder)), here.flow


@pytest.mark.parametrize("name", EVERY_FLOW)
def test_no_secret_is_in_files_for_other_programs(name: str, tmp_path: Path) -> None:
    """Secrets that are shown stand in the traces alone, which files for CI and code hosts do not have."""
    tap, path = Tap(f"{name} files"), tmp_path / "earlier.json"
    here, recorder = run(name, tap, Faults(token_status=500))
    whole = comparison("simulate", [(here, recorder)], made_at=1.0, secrets=True)
    path.write_text(render(whole, ".json"))
    whole = against(
        replace(whole, runs=(replace(whole.runs[0], outcome="signed in"),)), read_earlier(str(path))
    )
    written = {
        form: render(whole, form) for form in (".sarif", ".summary.md", ".xml", ".txt", ".md", ".json")
    }

    assert leaks(tap.canaries, written[".json"])
    assert {form for form, text in written.items() if leaks(tap.canaries, text)} <= {".json", ".md"}
    assert repr(whole.changes).count("outcome") == (1 if here.outcome != "signed in" else 0)


def test_percent_encoded_client_secret_is_known_by_its_header() -> None:
    """Basic credentials are form-encoded first, and the base64 hides both."""
    tap = Tap("basic")
    here, _ = run("code", tap, Faults())
    [token_request] = [one for one in here.trace.exchanges() if one.step == "token request"]

    assert ("Authorization", "Basic demo-with-secret:<client_secret#1>") in token_request.request_headers
    assert quote(SECRET) not in repr(here.trace)
