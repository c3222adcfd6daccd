"""Short sign-ins, written down as they are recorded, and ways to spoil them one at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from loopback_auth.compare.model import Run, Tokens
from loopback_auth.trace.reading import labels_in
from loopback_auth.trace.records import Exchange, Ground, Party, Secret, Step, Trace

AS = "https://as.example"
PORT = "http://127.0.0.1:49152"
START = f"{PORT}/<start_key#1>"
SENT_URI = "redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcallback"
PKCE = "code_challenge=abc&code_challenge_method=S256"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))

Entry = Step | Exchange

TOKENS = Tokens("Bearer", 3600.0, True, "", "profile email", "profile email", "ada@example.com")
ISSUED = {"access_token": "<access_token#1>", "refresh_token": "<refresh_token#1>", "token_type": "Bearer"}
ANSWER = "code=<code#1>&state=<state#1>&iss=https%3A%2F%2Fas.example"
IMPLICIT = "access_token=<access_token#1>&token_type=Bearer&state=<state#1>&iss=https%3A%2F%2Fas.example"
TICKETS = f"{AS}/api/v1/oauth/tickets"
APPROVAL = f"{AS}/authorize?response_type=ticket&ticket=<ticket#1>"
VERIFICATION = f"{AS}/device?user_code=<user_code#1>"
DEVICE_GRANT = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=<device_code#1>"


def step(name: str, at: float, values: Mapping[str, str] | None = None) -> Step:
    """Write a step; its number is given later."""
    return Step(0, at, name, f"This is {name}.", tuple((values or {}).items()))


def ours(
    name: str,
    url: str,
    at: float,
    *,
    body: str = "",
    answer: Mapping[str, object] | None = None,
    status: int = 200,
    method: Literal["GET", "POST"] = "POST",
) -> Exchange:
    """Write a request of the program's own to the server."""
    return Exchange(
        number=0,
        at=at,
        seconds=0.02,
        sender="client",
        receiver="server",
        step=name,
        method=method,
        url=url,
        request_headers=FORM if body else (),
        request_body=body,
        status=status,
        response_headers=JSON,
        response_body=json.dumps(answer) if answer is not None else "",
    )


def browsers(
    name: str, url: str, at: float, *, body: str = "", status: int = 200, address: str | None = None
) -> Exchange:
    """Write a request of the browser's, to the program where the address is the program's."""
    receiver: Party = "client" if url.startswith(PORT) else "server"
    return Exchange(
        number=0,
        at=at,
        seconds=0.02,
        sender="browser",
        receiver=receiver,
        step=name,
        method="POST" if body else "GET",
        url=url,
        request_headers=FORM if body else (),
        request_body=body,
        status=status,
        address=url if address is None else address,
    )


def trace(flow: str, entries: tuple[Entry, ...], ground: Ground = "simulate") -> Trace:
    """Number the entries, and list the secrets in them."""
    numbered = tuple(replace(entry, number=number) for number, entry in enumerate(entries, 1))
    found = labels_in(repr(numbered))
    secrets = tuple(Secret(label, label[1:].partition("#")[0], 32) for label in found)
    return Trace(flow, ground, "demo", numbered, secrets)


def authorization(parameters: str) -> str:
    """Write the address of an authorization request."""
    return f"{AS}/authorize?client_id=demo&{SENT_URI}&state=<state#1>&scope=profile%20email&{parameters}"


def metadata(at: float = 0.1) -> Exchange:
    """Write the request for metadata."""
    document = {"issuer": AS, "response_modes_supported": ["query", "fragment", "form_post"]}
    return ours(
        "metadata request", f"{AS}/.well-known/openid-configuration", at, answer=document, method="GET"
    )


def token_request(at: float = 2.3, status: int = 200) -> Exchange:
    """Write the token request of a code flow."""
    body = f"grant_type=authorization_code&code=<code#1>&{SENT_URI}&code_verifier=<code_verifier#1>"
    answer: Mapping[str, object] = ISSUED if status == 200 else {"error": "invalid_grant"}
    return ours("token request", f"{AS}/token", at, body=body, answer=answer, status=status)


def beginning(url: str, *, argument: str = START, program: str = "xdg-open") -> tuple[Entry, ...]:
    """Write a sign-in by redirect up to the approval."""
    return (
        step("bind", 0.0, {"redirect_uri": f"{PORT}/callback"}),
        step("open", 0.0, {"argument": argument, "program": program}),
        metadata(),
        browsers("start page", START, 0.1, status=302),
        step("browse", 0.2, {"url": url}),
        browsers("authorization request", url, 0.2),
        step("approve", 2.0),
        browsers("sign-in and consent", f"{AS}/consent", 2.0, body="decision=approve", status=303),
    )


CODE = Run(
    "code",
    "signed in",
    trace(
        "code",
        (
            *beginning(authorization(f"response_type=code&{PKCE}")),
            browsers("authorization response", f"{PORT}/callback?{ANSWER}", 2.1),
            step("receive", 2.2, {"via": "query", "parameters": "code state iss"}),
            token_request(),
            step("done", 2.5),
        ),
    ),
    tokens=TOKENS,
)
FORM_POST = Run(
    "code form_post",
    "signed in",
    trace(
        "code form_post",
        (
            *beginning(authorization(f"response_type=code&response_mode=form_post&{PKCE}")),
            browsers("authorization response", f"{PORT}/callback", 2.1, body=ANSWER),
            step("receive", 2.2, {"via": "form_post", "parameters": "code state iss"}),
            token_request(),
            step("done", 2.5),
        ),
    ),
    tokens=TOKENS,
)
TOKEN = Run(
    "token",
    "signed in",
    trace(
        "token",
        (
            *beginning(authorization("response_type=token")),
            browsers(
                "authorization response", f"{PORT}/callback", 2.1, address=f"{PORT}/callback#{IMPLICIT}"
            ),
            browsers("fragment relay", f"{PORT}/<relay_key#1>", 2.2, body=IMPLICIT, address=""),
            step("receive", 2.2, {"via": "relay", "parameters": "access_token token_type state iss"}),
            step("done", 2.3),
        ),
    ),
    tokens=replace(TOKENS, refresh_token=False),
)
OPENID = Run(
    "code id_token",
    "signed in",
    trace(
        "code id_token",
        (
            *beginning(
                authorization(f"response_type=code%20id_token&nonce=<nonce#1>&{PKCE}").replace(
                    "scope=profile", "scope=openid%20profile"
                )
            ),
            browsers(
                "authorization response",
                f"{PORT}/callback",
                2.1,
                address=f"{PORT}/callback#code=<code#1>&id_token=<id_token#1>&state=<state#1>",
            ),
            browsers(
                "fragment relay",
                f"{PORT}/<relay_key#1>",
                2.2,
                body="code=<code#1>&id_token=<id_token#1>&state=<state#1>",
                address="",
            ),
            step("receive", 2.2, {"via": "relay", "parameters": "code id_token state"}),
            token_request(),
            step("done", 2.5),
        ),
    ),
    tokens=replace(TOKENS, id_token="verified"),
)
TICKET = Run(
    "ticket",
    "signed in",
    trace(
        "ticket",
        (
            ours("ticket request", TICKETS, 0.0, answer={"id": "<ticket#1>", "authorized": False}),
            step("open", 0.1, {"argument": START, "program": "xdg-open"}),
            step("invite", 0.1, {"url": APPROVAL, "lifetime": "300"}),
            browsers("start page", START, 0.2),
            browsers("ticket approval page", APPROVAL, 0.3),
            ours("ticket status request", f"{TICKETS}/<ticket#1>", 1.1, method="GET"),
            step("approve", 2.0),
            browsers("sign-in and consent", f"{AS}/consent", 2.0, body="decision=approve"),
            ours("ticket status request", f"{TICKETS}/<ticket#1>", 2.2, method="GET"),
            ours(
                "ticket exchange",
                f"{TICKETS}/<ticket#1>/exchange",
                2.3,
                answer={"access_token": "<access_token#1>"},
                status=201,
            ),
            step("done", 2.4),
        ),
    ),
    tokens=replace(TOKENS, lifetime=None, refresh_token=False, scope_asked="", scope_granted=""),
)
DEVICE = Run(
    "device",
    "signed in",
    trace(
        "device",
        (
            metadata(0.0),
            ours(
                "device authorization request",
                f"{AS}/device_authorization",
                0.1,
                body="client_id=demo&scope=profile+email",
                answer={
                    "device_code": "<device_code#1>",
                    "user_code": "<user_code#1>",
                    "verification_uri": f"{AS}/device",
                    "verification_uri_complete": VERIFICATION,
                    "interval": 5,
                },
            ),
            step("open", 0.2, {"argument": START, "program": "xdg-open"}),
            step("invite", 0.2, {"url": VERIFICATION, "user_code": "<user_code#1>", "lifetime": "600"}),
            browsers("start page", START, 0.2),
            browsers("device verification page", VERIFICATION, 0.3),
            browsers("device verification page", f"{AS}/device", 0.4, body="user_code=<user_code#1>"),
            ours(
                "device token request",
                f"{AS}/token",
                5.2,
                body=DEVICE_GRANT,
                answer={"error": "authorization_pending"},
                status=400,
            ),
            step("approve", 7.0),
            browsers("sign-in and consent", f"{AS}/consent", 7.0, body="decision=approve"),
            ours("device token request", f"{AS}/token", 10.3, body=DEVICE_GRANT, answer=ISSUED),
            step("done", 10.4),
        ),
    ),
    tokens=TOKENS,
)
PASTE = Run(
    "paste",
    "signed in",
    trace(
        "paste",
        (
            *beginning(authorization(f"response_type=code&{PKCE}"), argument=f"{AS}/authorize", program=""),
            browsers("authorization response", f"{PORT}/callback?{ANSWER}", 2.1, status=0),
            step("paste", 4.0, {"via": "paste", "parameters": "code state iss"}),
            token_request(4.1),
            step("done", 4.2),
        ),
    ),
    tokens=TOKENS,
)
RUNS = (CODE, FORM_POST, TOKEN, OPENID, TICKET, DEVICE, PASTE)


def changed(run: Run, name: str, old: str, new: str) -> Run:
    """Replace text in every entry of a name; there has to be some."""
    entries = tuple(_changed(one, old, new) if _name(one) == name else one for one in run.trace.entries)
    assert entries != run.trace.entries, f"{old!r} is not in {name!r}"
    return replace(run, trace=trace(run.flow, entries, run.trace.ground))


def without(run: Run, *names: str) -> Run:
    """Leave out the entries of some names; there have to be some."""
    entries = tuple(one for one in run.trace.entries if _name(one) not in names)
    assert len(entries) < len(run.trace.entries), names
    return replace(run, trace=trace(run.flow, entries, run.trace.ground))


def extended(run: Run, *entries: Entry, before: str = "done") -> Run:
    """Put more entries before the first of a name."""
    at = next(place for place, one in enumerate(run.trace.entries) if _name(one) == before)
    longer = (*run.trace.entries[:at], *entries, *run.trace.entries[at:])
    return replace(run, trace=trace(run.flow, longer, run.trace.ground))


def live(run: Run) -> Run:
    """Leave what would be seen of a run at a real provider: little of the browser, nothing of the person."""
    entries = tuple(
        replace(
            one,
            observed=one.receiver == "client",
            status=one.status if one.receiver == "client" else 0,
            address="" if one.step == "fragment relay" else one.url,
            request_body="",
            request_headers=(),
        )
        if isinstance(one, Exchange) and one.sender == "browser"
        else one
        for one in run.trace.entries
        if _name(one) not in ("approve", "sign-in and consent")
    )
    return replace(run, trace=trace(run.flow, entries, "live"))


def _name(entry: Entry) -> str:
    return entry.name if isinstance(entry, Step) else entry.step


def _changed(entry: Entry, old: str, new: str) -> Entry:
    if isinstance(entry, Step):
        values = tuple((name, value.replace(old, new)) for name, value in entry.values)
        return replace(entry, values=tuple(pair for pair in values if pair[1]))
    return replace(
        entry,
        url=entry.url.replace(old, new),
        address=entry.address.replace(old, new),
        request_body=entry.request_body.replace(old, new),
        response_body=entry.response_body.replace(old, new),
        response_headers=tuple((name, value.replace(old, new)) for name, value in entry.response_headers),
    )
