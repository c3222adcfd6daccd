"""Archives as Chromium and Firefox export them, made by hand; every secret in them is a canary.

Chromium (HARLog.ts): no fragment in addresses, `_resourceType`, and, unless told otherwise, neither cookies
nor Authorization. Firefox (har-builder.js): parameters besides the text of a form, members left out where
they are undefined, `redirectURL` as the header has it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

Members = dict[str, object]
Pairs = Sequence[tuple[str, str]]

CANARIES = {
    name: f"{name}-canary-0123456789abcdef"
    for name in (
        "state",
        "code",
        "verifier",
        "password",
        "cookie",
        "access",
        "refresh",
        "identity",
        "ticket",
        "device",
        "unknown",
        "title",
        "header",
        "path",
        "nonce",
        "user",
        "secret",
        "hint",
    )
}
ISSUER = "https://id.example"
CALLBACK = "https://app.example/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
AUTHORIZE = (
    f"{ISSUER}/authorize?response_type=code&client_id=a-client&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback"
    f"&state={CANARIES['state']}&code_challenge={CHALLENGE}&code_challenge_method=S256&scope=openid+email"
    f"&nonce={CANARIES['nonce']}&login_hint={CANARIES['hint']}"
)
ANSWERED = f"{CALLBACK}?code={CANARIES['code']}&state={CANARIES['state']}&iss=https%3A%2F%2Fid.example"
TOKENS = json.dumps(
    {
        "access_token": CANARIES["access"],
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": CANARIES["refresh"],
        "apiKey": CANARIES["unknown"],
    }
)


def named(pairs: Pairs) -> list[Members]:
    """Write names and values as archives have them."""
    return [{"name": name, "value": value} for name, value in pairs]


def chromium_entry(
    method: str,
    url: str,
    *,
    second: float = 0.0,
    status: int = 200,
    kind: str = "document",
    form: str = "",
    posted: Members | None = None,
    headers: Pairs = (),
    answer: Pairs = (),
    text: str = "",
) -> Members:
    """Write one request as Chromium does."""
    request: Members = {
        "method": method,
        "url": url.partition("#")[0],
        "httpVersion": "h2",
        "headers": named([(":authority", "x"), ("user-agent", "Mozilla/5.0"), *headers]),
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(form),
    }
    if form:
        request["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": form, "params": []}
    if posted is not None:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(posted)}
    return {
        "_initiator": {"type": "other"},
        "_priority": "VeryHigh",
        "_resourceType": kind,
        "cache": {},
        "connection": "443",
        "pageref": "page_1",
        "request": request,
        "response": {
            "status": status,
            "statusText": "",
            "httpVersion": "h2",
            "headers": named(answer),
            "cookies": [],
            "content": {"size": len(text), "mimeType": mime(text), "text": text},
            "redirectURL": dict(answer).get("location", ""),
            "headersSize": -1,
            "bodySize": -1,
            "_transferSize": 100,
            "_error": None,
            "_fetchedViaServiceWorker": False,
        },
        "serverIPAddress": "192.0.2.1",
        "startedDateTime": moment(second),
        "time": 12.5,
        "timings": {
            "blocked": -1,
            "dns": -1,
            "ssl": -1,
            "connect": -1,
            "send": 0,
            "wait": 12.5,
            "receive": 0,
        },
    }


def chromium(*entries: Members) -> bytes:
    """Write an archive as Chromium does."""
    page = {"startedDateTime": moment(0), "id": "page_1", "title": ISSUER, "pageTimings": {}}
    creator = {"name": "WebInspector", "version": "537.36"}
    return archive({"version": "1.2", "creator": creator, "pages": [page], "entries": list(entries)})


def firefox_entry(
    method: str,
    url: str,
    *,
    second: float = 0.0,
    status: int = 200,
    navigates: bool = True,
    form: Pairs = (),
    headers: Pairs = (),
    answer: Pairs = (),
    text: str = "",
) -> Members:
    """Write one request as Firefox does."""
    mode = "navigate" if navigates else "cors"
    fixed = [("User-Agent", "Mozilla/5.0"), ("Sec-Fetch-Mode", mode), ("Cookie", f"sid={CANARIES['cookie']}")]
    body = "&".join(f"{name}={value}" for name, value in form)
    request: Members = {
        "bodySize": len(body),
        "method": method,
        "url": url,
        "httpVersion": "HTTP/2",
        "headers": named([*fixed, *headers]),
        "cookies": named([("sid", CANARIES["cookie"])]),
        "queryString": [],
        "headersSize": 400,
    }
    if form:
        request["postData"] = {
            "mimeType": "application/x-www-form-urlencoded",
            "params": named(form),
            "text": body,
        }
    response: Members = {
        "status": status,
        "statusText": "OK",
        "httpVersion": "HTTP/2",
        "headers": named([("Set-Cookie", f"sid={CANARIES['cookie']}; HttpOnly"), *answer]),
        "cookies": [],
        "content": {"mimeType": mime(text), "size": len(text), "text": text},
        "redirectURL": dict(answer).get("Location", ""),
        "headersSize": 400,
        "bodySize": 500,
    }
    return {
        "startedDateTime": moment(second).replace("Z", "+01:00"),
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"blocked": 0, "dns": 0, "connect": 0, "ssl": 0, "send": 0, "wait": 20, "receive": 0},
        "time": 20,
        "_securityState": "secure",
        "serverIPAddress": "192.0.2.1",
        "connection": "443",
        "pageref": "page_1",
    }


def firefox(*entries: Members) -> bytes:
    """Write an archive as Firefox does."""
    page = {"id": "page_1", "pageTimings": {"onContentLoad": 1, "onLoad": 2}, "title": ISSUER}
    program = {"name": "Firefox", "version": "140.0"}
    log = {
        "version": "1.2",
        "creator": program,
        "browser": program,
        "pages": [page],
        "entries": list(entries),
    }
    return archive(log)


def program_entry(
    method: str, url: str, *, second: float = 0.0, status: int = 200, text: str = "", **more: str
) -> Members:
    """Write one request of a command line tool as a proxy does."""
    entry = chromium_entry(
        method, url, second=second, status=status, kind="", text=text, form=more.get("form", "")
    )
    headers = [
        ("User-Agent", "some-tool/1.0"),
        *([("Authorization", more["authorization"])] if "authorization" in more else []),
    ]
    request = entry["request"]
    assert isinstance(request, dict)
    request["headers"] = named(headers)
    return entry


def proxy(*entries: Members) -> bytes:
    """Write an archive as an intercepting proxy does."""
    creator = {"name": "a proxy", "version": "1"}
    return archive({"version": "1.2", "creator": creator, "pages": [], "entries": list(entries)})


def archive(log: Mapping[str, object]) -> bytes:
    """Write an archive."""
    return json.dumps({"log": log}).encode()


def mime(text: str) -> str:
    """Tell the type of a body."""
    return "application/json" if text.startswith("{") else "text/html"


def moment(second: float) -> str:
    """Write a moment as archives do."""
    return f"2026-11-23T10:00:{second:06.3f}Z"


def code_in_chromium() -> bytes:
    """A sign-in to a web application, with what else a browser asks for."""
    return chromium(
        chromium_entry("GET", "https://app.example/", second=0, text="<title>App</title>"),
        chromium_entry("GET", "https://app.example/app.js", second=0.1, kind="script"),
        chromium_entry(
            "GET",
            AUTHORIZE,
            second=1,
            status=302,
            answer=[("location", f"{ISSUER}/login?{AUTHORIZE.partition('?')[2]}")],
        ),
        chromium_entry(
            "GET",
            f"{ISSUER}/login?{AUTHORIZE.partition('?')[2]}",
            second=1.2,
            text=f"<title>{CANARIES['title']}</title>",
        ),
        chromium_entry("GET", "data:image/png;base64,AAAA", second=1.3, kind="image"),
        chromium_entry(
            "POST",
            f"{ISSUER}/login",
            second=9,
            status=302,
            form=f"user={CANARIES['user']}&password={CANARIES['password']}",
            answer=[("location", ANSWERED)],
        ),
        chromium_entry(
            "GET", ANSWERED, second=9.5, status=302, answer=[("location", "https://app.example/")]
        ),
    )


def token_in_firefox() -> bytes:
    """An implicit sign-in as a page has it, with a fragment that begins with a question mark."""
    asked = "https://app.netlify.com/authorize?client_id=a-client&response_type=token"
    asked += f"&redirect_uri=http%3A%2F%2Flocalhost%3A8888%2F&state={CANARIES['state']}"
    answered = f"http://localhost:8888/#?access_token={CANARIES['access']}&token_type=Bearer&state={CANARIES['state']}"
    return firefox(
        firefox_entry("GET", asked, second=1),
        firefox_entry(
            "POST",
            "https://api.netlify.com/oauth/authorize",
            second=5,
            navigates=False,
            headers=[("Authorization", f"Bearer {CANARIES['header']}")],
        ),
        firefox_entry(
            "GET", "https://app.netlify.com/done", second=5.5, status=302, answer=[("Location", answered)]
        ),
        firefox_entry("GET", "http://localhost:8888/", second=6),
        firefox_entry(
            "GET",
            "https://api.netlify.com/api/v1/user",
            second=7,
            navigates=False,
            headers=[("Authorization", f"Bearer {CANARIES['access']}")],
            text=json.dumps({"email": CANARIES["user"]}),
        ),
    )


def ticket_in_proxy() -> bytes:
    """What Netlify's own client says, as an intercepting proxy sees it."""
    tickets = "https://api.netlify.com/api/v1/oauth/tickets"
    ticket = f"{tickets}/{CANARIES['ticket']}"

    def shown(authorized: bool) -> str:
        return json.dumps({"id": CANARIES["ticket"], "client_id": "a-client", "authorized": authorized})

    exchanged = json.dumps(
        {"id": CANARIES["ticket"], "access_token": CANARIES["access"], "user_email": CANARIES["user"]}
    )
    return proxy(
        program_entry("POST", f"{tickets}?client_id=a-client", second=0, status=201, text=shown(False)),
        chromium_entry(
            "GET",
            f"https://app.netlify.com/authorize?response_type=ticket&ticket={CANARIES['ticket']}",
            second=1,
        ),
        chromium_entry("POST", f"{ticket}/authorize", second=3, kind="fetch"),
        program_entry("GET", ticket, second=2, text=shown(False)),
        program_entry("GET", ticket, second=4, text=shown(True)),
        program_entry("POST", f"{ticket}/exchange", second=5, status=201, text=exchanged),
        program_entry(
            "GET",
            "https://api.netlify.com/api/v1/user",
            second=6,
            authorization=f"Bearer {CANARIES['access']}",
        ),
    )


def device_in_proxy() -> bytes:
    """A device grant: asked, polled twice, and the token shown to the UserInfo endpoint and then revoked."""
    metadata = json.dumps(
        {"issuer": ISSUER, "userinfo_endpoint": f"{ISSUER}/me", "response_modes_supported": ["query"]}
    )
    granted = {
        "device_code": CANARIES["device"],
        "user_code": "WDJB-MJHT",
        "verification_uri": f"{ISSUER}/activate",
        "interval": 5,
        "expires_in": 600,
    }
    grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
    poll = f"{grant}&device_code={CANARIES['device']}&client_id=a-client"
    secret = f"client_id=a-client&client_secret={CANARIES['secret']}"
    return proxy(
        program_entry("GET", f"{ISSUER}/.well-known/oauth-authorization-server", second=0, text=metadata),
        program_entry("POST", f"{ISSUER}/device", second=1, form=secret, text=json.dumps(granted)),
        program_entry(
            "POST",
            f"{ISSUER}/token",
            second=6,
            status=400,
            form=poll,
            text='{"error": "authorization_pending"}',
        ),
        chromium_entry("GET", f"{ISSUER}/activate", second=7),
        program_entry("POST", f"{ISSUER}/token", second=11, form=poll, text=TOKENS),
        program_entry(
            "GET",
            f"{ISSUER}/me",
            second=12,
            authorization=f"Bearer {CANARIES['access']}",
            text=json.dumps({"sub": CANARIES["user"]}),
        ),
        program_entry(
            "POST",
            f"{ISSUER}/revoke",
            second=13,
            form=f"token={CANARIES['refresh']}&token_type_hint=refresh_token",
        ),
    )
