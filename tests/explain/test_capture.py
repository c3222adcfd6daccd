"""Recordings of other people's sign-ins: what is found in them, and that no secret comes out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import har_samples
import pytest
from har_samples import (
    ANSWERED,
    AUTHORIZE,
    CANARIES,
    ISSUER,
    TOKENS,
    chromium,
    chromium_entry,
    code_in_chromium,
    device_in_proxy,
    firefox,
    firefox_entry,
    program_entry,
    proxy,
    ticket_in_proxy,
    token_in_firefox,
)

from loopback_auth.compare.drawing.har import har
from loopback_auth.compare.model import Run
from loopback_auth.compare.running.choices import choice, demo_client
from loopback_auth.compare.running.run import assembled, compare_simulated
from loopback_auth.compare.running.simulate import ISSUER as SIMULATED
from loopback_auth.compare.running.simulate import simulate
from loopback_auth.errors import ConfigError
from loopback_auth.explain.capture import Capture, capture
from loopback_auth.explain.har import LIMIT
from loopback_auth.explain.narration import recorded_story
from loopback_auth.explain.reduction import HIDDEN
from loopback_auth.explain.story_templates import NOTES
from loopback_auth.explain.story_text import members, text
from loopback_auth.explain.story_words import STEPS
from loopback_auth.flow_table import COMPARED

SAMPLES: dict[str, Callable[[], bytes]] = {
    "chromium": code_in_chromium,
    "firefox": token_in_firefox,
    "ticket": ticket_in_proxy,
    "device": device_in_proxy,
}


def only(content: bytes) -> Run:
    """Return the one sign-in of a recording."""
    ((run, _),) = capture(content).runs
    return run


def steps(run: Run) -> list[str]:
    """Return what was found, with who asked whom."""
    return [f"{one.sender} > {one.receiver}: {one.step}" for one in run.trace.exchanges()]


def verdicts(run: Run) -> dict[str, str]:
    """Return what the checks say."""
    return {finding.id: finding.verdict for finding in run.findings}


def everything(found: Capture) -> str:
    """Return all that could ever be shown of a recording."""
    stories = [recorded_story(run, contract) for run, contract in found.runs]
    shown = "".join(text(story) + json.dumps(members(story)) for story in stories)
    return shown + repr(found)


def leaked(shown: str) -> list[str]:
    """Return the canaries that are in a text, in whatever spelling, by their names."""
    spellings: tuple[Callable[[str], str], ...] = (
        str,
        lambda secret: quote(secret, safe=""),
        lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    )
    return [name for name, secret in CANARIES.items() if any(spell(secret) in shown for spell in spellings)]


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_secret_comes_out(sample: str) -> None:
    """Codes, tokens, cookies, passwords, headers, titles, and secrets that no rule recognises."""
    content = SAMPLES[sample]()

    assert len(leaked(content.decode())) >= 3
    assert leaked(everything(capture(content))) == []


def test_browser_of_a_web_application() -> None:
    """A browser records its own requests; it does not see the code exchange."""
    found = capture(code_in_chromium())
    run = only(code_in_chromium())

    assert steps(run) == [
        "browser > server: authorization request",
        "browser > client: authorization response",
    ]
    assert (run.flow, run.trace.ground, run.trace.provider, found.others) == ("code", "file", ISSUER, 4)
    assert recorded_story(run, None).notes == (NOTES["no_token_request"],)
    assert verdicts(run)["state-returned"] == "pass"
    assert verdicts(run)["code-single-use"] == "not observed"
    assert verdicts(run)["redirect-loopback-literal"] == "not applicable"


def test_same_secret_has_the_same_label() -> None:
    """So that a reader can follow it from request to request."""
    request, response = only(code_in_chromium()).trace.exchanges()

    assert "state=<state#1>" in request.url
    assert "code=<code#1>&state=<state#1>" in response.address


def test_fragment_is_taken_from_where_the_browser_was_led() -> None:
    """Chromium writes no fragments into addresses, and Netlify begins them with a question mark."""
    run = only(token_in_firefox())
    _, response = run.trace.exchanges()

    assert run.flow == "token"
    assert response.address.startswith("http://localhost:8888/#access_token=<access_token#1>")
    assert verdicts(run)["token-in-fragment"] == "fail"
    assert run.tokens is not None


def test_ticket_of_a_program_and_a_browser() -> None:
    """A proxy sees both sides; the vendor's page notes the approval on the ticket itself."""
    run = only(ticket_in_proxy())

    assert steps(run) == [
        "client > server: ticket request",
        "browser > server: ticket approval page",
        "client > server: ticket status request",
        "browser > server: ticket approval",
        "client > server: ticket status request",
        "client > server: ticket exchange",
        "client > server: account request",
    ]
    assert verdicts(run)["ticket-id-in-url"] == "fail"


def test_device_grant_with_what_comes_before_and_after() -> None:
    """Metadata without any secret belong to it as well, and so does giving the tokens up."""
    run = only(device_in_proxy())

    assert [step.partition(": ")[2] for step in steps(run)] == [
        "metadata request",
        "device authorization request",
        "device token request",
        "device verification page",
        "device token request",
        "UserInfo request",
        "revocation request",
    ]
    assert (run.flow, run.outcome) == ("device", "signed in")
    assert run.tokens is not None
    assert (run.tokens.lifetime, run.tokens.refresh_token) == (3600.0, True)
    assert verdicts(run)["polling-interval"] == "pass"


def test_address_that_is_none_ends_nothing() -> None:
    """A recording has every address that the browser was asked to open."""
    odd = AUTHORIZE.replace("https://id.example", "http://[::1")

    assert only(chromium(chromium_entry("GET", odd))).trace.provider == "http://[::1"


def test_two_sign_ins_are_told_apart() -> None:
    """One sign-in contains the other when a provider signs in at another provider."""
    inner = AUTHORIZE.replace("id.example", "idp.example").replace(
        "app.example%2Fcallback", "id.example%2Fback"
    )
    for name in ("state", "nonce"):
        inner = inner.replace(CANARIES[name], f"another-{name}-0123456789")
    inner_back = "https://id.example/back?code=another-code-0123456789abc&state=another-state-0123456789"
    found = capture(
        chromium(
            chromium_entry("GET", AUTHORIZE, second=1, status=302, answer=[("location", inner)]),
            chromium_entry("GET", inner, second=2, status=302, answer=[("location", inner_back)]),
            chromium_entry("GET", inner_back, second=3, status=302, answer=[("location", ANSWERED)]),
            chromium_entry("GET", ANSWERED, second=4),
        )
    )

    assert [run.trace.provider for run, _ in found.runs] == [ISSUER, "https://idp.example"]
    assert [len(steps(run)) for run, _ in found.runs] == [2, 2]


def test_server_page_that_repeats_the_request_is_no_second_one() -> None:
    """Login pages often repeat all parameters."""
    assert steps(only(code_in_chromium())).count("browser > server: authorization request") == 1


def test_page_that_redeems_the_code_itself_is_seen() -> None:
    """Then the tokens are in a page, and the explanation says so."""
    proof = f"code={CANARIES['code']}&code_verifier={CANARIES['verifier']}"
    token = f"grant_type=authorization_code&{proof}&client_id=a-client"
    found = capture(
        chromium(
            chromium_entry("GET", AUTHORIZE, second=1),
            chromium_entry("GET", ANSWERED, second=2),
            chromium_entry("POST", f"{ISSUER}/token", second=3, kind="fetch", form=token, text=TOKENS),
        )
    )
    ((run, _),) = found.runs

    assert steps(run)[-1] == "browser > server: token request"
    assert recorded_story(run, None).scenes[-1].words == STEPS["token request browser"][0]
    assert leaked(everything(found)) == []


def test_pushed_request_belongs_to_what_it_is_referred_by() -> None:
    """The reference is a secret that both share."""
    reference = f"urn:ietf:params:oauth:request_uri:{CANARIES['unknown']}"
    pushed = AUTHORIZE.partition("?")[2]
    run = only(
        proxy(
            program_entry(
                "POST",
                f"{ISSUER}/par",
                status=201,
                form=pushed,
                text=json.dumps({"request_uri": reference, "expires_in": 60}),
            ),
            chromium_entry(
                "GET",
                f"{ISSUER}/authorize?client_id=a-client&request_uri={quote(reference, safe='')}",
                second=1,
            ),
            chromium_entry("GET", ANSWERED, second=2),
        )
    )

    assert [step.partition(": ")[2] for step in steps(run)] == [
        "pushed authorization request",
        "authorization request",
        "authorization response",
    ]
    assert verdicts(run)["state-returned"] == "pass"


def test_refusal_is_reported() -> None:
    """With the error code, which is not a secret."""
    refused = f"https://app.example/callback?error=access_denied&state={CANARIES['state']}"
    run = only(chromium(chromium_entry("GET", AUTHORIZE, second=1), chromium_entry("GET", refused, second=2)))

    assert (run.outcome, run.reason) == ("refused", "authorization response: access_denied")


def test_answer_by_form_post_is_recognised() -> None:
    """Its address has no parameters; only its body shows what it is."""
    form = f"code={CANARIES['code']}&state={CANARIES['state']}"
    run = only(
        firefox(
            firefox_entry("GET", f"{AUTHORIZE}&response_mode=form_post", second=1),
            firefox_entry(
                "POST",
                "https://app.example/callback",
                second=2,
                form=[tuple(one.split("=")) for one in form.split("&")],  # type: ignore[misc]
            ),
        )
    )

    assert run.flow == "code form_post"
    assert verdicts(run)["code-in-history"] == "pass"


def test_password_in_an_address_and_secrets_in_paths_are_left_out() -> None:
    """No specification has a name for them."""
    url = AUTHORIZE.replace("https://", f"https://me:{CANARIES['password']}@").replace(
        "/authorize", f"/tenants/{CANARIES['path']}/authorize"
    )
    found = capture(chromium(chromium_entry("GET", f"{url}&{CANARIES['unknown']}=1", second=1)))
    ((run, _),) = found.runs

    assert leaked(everything(found)) == []
    assert next(run.trace.exchanges()).url.startswith(f"https://id.example/tenants/{HIDDEN}/authorize?")


def test_own_archive_is_read_back() -> None:
    """Each flow by itself, under its own name, with all parties."""
    compared = compare_simulated()
    found = capture(har(compared).encode())
    runs = {run.flow: run for run, _ in found.runs}

    assert tuple(runs) == COMPARED
    assert found.others == 0
    for before in compared.runs:
        assert steps(runs[before.flow]) == steps(before)
    assert verdicts(runs["token"])["token-in-fragment"] == "fail"
    assert "<start_key#1>" in everything(found)


def test_own_archive_with_its_secrets_shows_none_of_them() -> None:
    """`--show-secrets` may have been given when it was written."""
    name = "code"
    recorder, end = simulate(choice(name, demo_client(SIMULATED)))
    raw = recorder.trace(secrets=True)
    secrets = {
        value
        for exchange in raw.exchanges()
        for value in exchange.request_body.split("&")
        if value.startswith(("code=", "code_verifier="))
    }
    whole = compare_simulated((name,))
    content = har(replace(whole, runs=(replace(assembled(name, recorder, end), trace=raw),))).encode()
    shown = everything(capture(content))

    assert len(secrets) == 2
    assert [one for one in secrets if one.partition("=")[2] not in content.decode()] == []
    assert [one for one in secrets if one.partition("=")[2] in shown] == []


def test_byte_order_mark_is_no_obstacle() -> None:
    """Some proxies write one."""
    assert only(b"\xef\xbb\xbf" + code_in_chromium()).flow == "code"


def test_recording_without_a_sign_in_has_none() -> None:
    """The number of other requests is reported."""
    found = capture(
        chromium(chromium_entry("GET", "https://app.example/"), chromium_entry("GET", "https://a.example/b"))
    )

    assert (found.runs, found.others) == ((), 2)


def broken(path: str, value: object) -> bytes:
    """Put something else in one place of a good archive."""
    whole = json.loads(code_in_chromium())
    place: Any = whole
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[last] = value
    return json.dumps(whole).encode()


BROKEN = [
    (b"", "it"),
    (b"\xff\xfe", "it"),
    (b"[" * 100_000, "it"),
    (b'{"log": NaN}', "it"),
    (b"[]", "the file"),
    (b"{}", "log"),
    (broken("log.version", "2.0"), "log.version"),
    (broken("log.entries", {}), "log.entries"),
    (broken("log.entries.0.request", None), "log.entries[0].request"),
    (broken("log.entries.2.request.url", 5), "log.entries[2].request.url"),
    (broken("log.entries.0.request.headers", {}), "log.entries[0].request.headers"),
    (broken("log.entries.0.request.headers", [{"value": "x"}]), "log.entries[0].request.headers[].name"),
    (broken("log.entries.0.response.status", "200"), "log.entries[0].response.status"),
    (broken("log.entries.0.response.status", 10**400), "log.entries[0].response.status"),
    (broken("log.entries.0.startedDateTime", "yesterday"), "log.entries[0].startedDateTime"),
    (broken("log.entries.0.time", 10**400), "log.entries[0].time"),
    (broken("log.entries.0.time", "12"), "log.entries[0].time"),
    (
        broken("log.entries.0.response.content", {"text": "%%", "encoding": "base64"}),
        "log.entries[0].response.content.text",
    ),
]


@pytest.mark.parametrize(("content", "member"), BROKEN)
def test_malformed_archive_is_refused_by_the_name_of_the_member(content: bytes, member: str) -> None:
    """The error quotes no value of the archive."""
    with pytest.raises(ConfigError) as caught:
        capture(content)

    assert f": {member} is " in caught.value.message
    assert leaked(caught.value.message) == []
    assert caught.value.hint


def test_archive_that_is_too_large_is_not_read() -> None:
    """50 MB hold hours of browsing."""
    with pytest.raises(ConfigError, match="50 MB"):
        capture(b" " * (LIMIT + 1))


def test_answer_in_base64_is_read() -> None:
    """Proxies write bodies this way."""
    entry = program_entry(
        "POST", f"{ISSUER}/token", form=f"grant_type=refresh_token&refresh_token={CANARIES['refresh']}"
    )
    response = entry["response"]
    assert isinstance(response, dict)
    response["content"] = {
        "mimeType": "application/json",
        "encoding": "base64",
        "text": base64.b64encode(TOKENS.encode()).decode(),
    }
    run = only(proxy(entry))

    assert '"access_token": "<access_token#1>"' in next(run.trace.exchanges()).response_body


def test_every_sample_is_used() -> None:
    """A sample that no test uses proves nothing."""
    made = {name for name in dir(har_samples) if name.endswith(("_in_chromium", "_in_firefox", "_in_proxy"))}

    assert made == {one.__name__ for one in SAMPLES.values()}
