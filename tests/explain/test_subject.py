"""What a text is: a flow, an error code, a link, a token, a document, a file, or nothing of these."""

from __future__ import annotations

import time

import pytest
from link_samples import CANARY, ID_TOKEN, jwt, part, request, response

from loopback_auth.explain.subject import LONGEST, SubjectKind, recognised

TOKEN = jwt(ID_TOKEN)
ENCRYPTED = f"{part({'alg': 'dir', 'enc': 'A256GCM'})}..iv.text.tag"

COMMAND = "curl https://as.example/token -d 'grant_type=x&code=1'"

KINDS: list[tuple[str, SubjectKind, str]] = [
    ("code", "flow", "code"),
    ("  code \n form_post ", "flow", "code form_post"),
    ("mcp", "flow", "resource"),
    ("netlify", "provider", "netlify"),
    ("invalid_grant", "error", "invalid_grant"),
    ("INVALID_GRANT", "error", "invalid_grant"),
    ("invalid_grant: Token has been expired or revoked.", "error", "invalid_grant"),
    ("error=access_denied", "error", "access_denied"),
    ("'use_dpop_nonce'", "error", "use_dpop_nonce"),
    ("AADSTS50011: The redirect URI does not match", "error", "AADSTS50011"),
    ("aadsts7000218", "error", "AADSTS7000218"),
    ('WWW-Authenticate: Bearer realm="x", error="invalid_token"', "error", "invalid_token"),
    ('DPoP error="use_dpop_nonce"', "error", "use_dpop_nonce"),
    (request(), "link", request()),
    (f"<{request()}>", "link", request()),
    (request().replace("&", "&\n  "), "link", request()),
    (f"\x1b[200~{request()}\x1b[201~", "link", request()),
    (
        "https%3A%2F%2Fas.example%2Fauthorize%3Fclient_id%3Dx",
        "link",
        "https://as.example/authorize?client_id=x",
    ),
    ("Location: https://a.example/?code=1", "link", "https://a.example/?code=1"),
    ("GET /callback?code=1&state=2 HTTP/1.1", "link", "/callback?code=1&state=2"),
    ("//as.example/authorize?client_id=x", "link", "https://as.example/authorize?client_id=x"),
    ("as.example/authorize?client_id=x", "link", "https://as.example/authorize?client_id=x"),
    ("as.example:8443/authorize?client_id=x", "link", "https://as.example:8443/authorize?client_id=x"),
    ("localhost:8400/callback?code=1", "link", "http://localhost:8400/callback?code=1"),
    ("127.0.0.1:8400", "link", "http://127.0.0.1:8400"),
    ("[::1]:8400/callback?code=1", "link", "http://[::1]:8400/callback?code=1"),
    ("/callback?code=1", "link", "/callback?code=1"),
    ("?code=1&state=2", "link", "?code=1&state=2"),
    ("#access_token=1", "link", "#access_token=1"),
    ("#?access_token=1", "link", "#?access_token=1"),
    ("code=1&state=2", "link", "?code=1&state=2"),
    ("com.example.app:/callback?code=1", "link", "com.example.app:/callback?code=1"),
    ("myapp://callback?code=1", "link", "myapp://callback?code=1"),
    ("myapp:callback?code=1", "link", "myapp:callback?code=1"),
    ("javascript:alert(1)", "link", "javascript:alert(1)"),
    ("data:text/html,x", "link", "data:text/html,x"),
    ("urn:ietf:wg:oauth:2.0:oob", "link", "urn:ietf:wg:oauth:2.0:oob"),
    ("x://callback", "link", "x://callback"),
    ("x:/links/one.txt", "file", "x:/links/one.txt"),
    ("https://xn--80ak6aa92e.example/", "link", "https://xn--80ak6aa92e.example/"),
    ("https://\u0430pple.example/?client_id=x", "link", "https://\u0430pple.example/?client_id=x"),
    ("http://[broken/?code=1", "link", "http://[broken/?code=1"),
    (TOKEN, "token", TOKEN),
    (f"Authorization: Bearer {TOKEN}", "token", TOKEN),
    (f"DPoP: {TOKEN}", "token", TOKEN),
    (TOKEN.replace(".", "\n  ."), "token", TOKEN),
    (TOKEN.partition(".")[0], "token", TOKEN.partition(".")[0]),
    (ENCRYPTED, "token", ENCRYPTED),
    (f"{TOKEN}~WyJzYWx0IiwgIm5hbWUiXQ~", "token", f"{TOKEN}~WyJzYWx0IiwgIm5hbWUiXQ~"),
    ('{"error": "invalid_grant"}', "document", '{"error": "invalid_grant"}'),
    (f"\u201c{request()}\u201d", "link", request()),
    (f"[open]({request()})", "link", request()),
    (f"Open this link: {request()}.", "link", request()),
    (f"curl -sv '{request()}' -o page.html", "link", request()),
    ("https%253A%252F%252Fas.example%252F%253Fclient_id%253Dx", "link", "https://as.example/?client_id=x"),
    (COMMAND, "unknown", COMMAND),
    (f"curl -H 'Authorization: Bearer {TOKEN}' https://api.example/me", "token", TOKEN),
    (f'"{TOKEN}",', "token", TOKEN),
    (f"[InternetShortcut]\r\nURL={request()}\r\nIDList=\r\n", "link", request()),
    ("error: invalid_grant", "error", "invalid_grant"),
    ('oauth2: "invalid_grant" "Bad Request"', "error", "invalid_grant"),
    ("Error 400: redirect_uri_mismatch", "error", "redirect_uri_mismatch"),
    ("(invalid_grant) Bad Request", "error", "invalid_grant"),
    ("Login failed: AADSTS50011: The redirect URI ...", "error", "AADSTS50011"),
    ("{'error': 'invalid_grant'}", "error", "invalid_grant"),
    ("{'no': 'error'}", "document", "{'no': 'error'}"),
    ("recording.har", "file", "recording.har"),
    ("./token", "file", "./token"),
    ("~/links/one", "file", "~/links/one"),
    ("C:\\links\\one.txt", "file", "C:\\links\\one.txt"),
    ("", "nothing", ""),
    (" \n\t", "nothing", ""),
    ("''", "nothing", ""),
    ("\x00\x01", "unknown", "\x00\x01"),
    ("tikcet", "unknown", "tikcet"),
    ("a.b.c", "unknown", "a.b.c"),
    ("mailto:somebody@as.example", "unknown", "mailto:somebody@as.example"),
    (CANARY, "unknown", CANARY),
    ("x" * (LONGEST + 1), "too long", ""),
]


@pytest.mark.parametrize(("text", "kind", "kept"), KINDS)
def test_text_is_recognised(text: str, kind: SubjectKind, kept: str) -> None:
    """However it was copied."""
    subject = recognised(text)

    assert (subject.kind, subject.text) == (kind, kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("?code=1&state=\udcc3\udcbc", "?code=1&state=\u00fc"),
        ("?code=1&state=\udcff", "?code=1&state=\ufffd"),
        ("?code=1&state=\ud800", "?code=1&state=?"),
    ],
)
def test_bytes_that_the_locale_cannot_read_are_restored(text: str, kept: str) -> None:
    """In the locale C, what was typed in UTF-8 comes as surrogates; it ended in an internal error."""
    assert recognised(text).text == kept


def test_words_behind_an_error_are_kept() -> None:
    """They say more than the code."""
    said = ("invalid_grant: too old", 'Bearer error="invalid_token", error_description="too old"')

    assert [recognised(text).detail for text in said] == ["too old", "too old"]


def test_subject_does_not_show_its_text() -> None:
    """A traceback must not have the token that somebody wanted explained."""
    assert CANARY not in repr(recognised(response()))


LONG = [
    "a" * LONGEST,
    "eyJ" + "A" * (LONGEST - 3),
    "." * LONGEST,
    "a." * (LONGEST // 2),
    "?" * LONGEST,
    "https://x/?" + "code=1&" * (LONGEST // 8),
    "a:" * (LONGEST // 2),
    "x" + " \n" * (LONGEST // 2 - 1) + "x",
    "x" + " " * (LONGEST - 3) + "\ny",
    'Bearer a="' * (LONGEST // 10),
    "%3A%2F%2F" * (LONGEST // 9),
    "GET " + " " * (LONGEST - 5) + "x",
    "{" * LONGEST,
    '"' * LONGEST,
    "<" * (LONGEST // 2) + ">" * (LONGEST // 2),
    "http://x?" * (LONGEST // 16 // 9),
    "ey" * (LONGEST // 32),
    "a_" * (LONGEST // 32),
]


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:6].strip())
def test_long_text_does_not_take_long(text: str) -> None:
    """The time grows with the length, and not with its square."""
    began = time.process_time()
    recognised(text)

    assert time.process_time() - began < 2
