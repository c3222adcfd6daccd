"""Two small hand-made runs, so that renderers can be tested without running anything."""

from __future__ import annotations

from loopback_auth.compare.model import Attack, Cell, Comparison, Finding, Row, Run, Tokens
from loopback_auth.trace.records import Exchange, Secret, Step, Trace

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
HTML = ("Content-Type", "text/html; charset=utf-8")
ASKED = (
    "https://as.example/authorize?response_type=code&client_id=demo&state=<state#1>&code_challenge=abc"
    "&code_challenge_method=S256&redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcallback"
)
BACK = "http://127.0.0.1:49152/callback?code=<code#1>&state=<state#1>&iss=https%3A%2F%2Fas.example"

CODE = Trace(
    flow="code",
    ground="simulate",
    provider="demo",
    entries=(
        Step(1, 0.0, "bind", "Own a redirect URI.", (("redirect_uri", "http://127.0.0.1:49152/callback"),)),
        Step(
            2,
            0.0,
            "open",
            "Open the start page in a browser.",
            (("argument", "http://127.0.0.1:49152/<start_key#1>"),),
        ),
        Exchange(
            3,
            0.1,
            0.01,
            "browser",
            "server",
            "authorization request",
            "GET",
            ASKED,
            status=200,
            response_headers=(HTML,),
            response_body="<title>Sign in & approve</title>",
            address=ASKED,
        ),
        Step(4, 2.0, "approve", "The person approves."),
        Exchange(
            5,
            2.1,
            0.01,
            "browser",
            "client",
            "authorization response",
            "GET",
            BACK,
            status=200,
            response_headers=(HTML,),
            address=BACK,
        ),
        Exchange(
            6,
            2.2,
            0.03,
            "client",
            "server",
            "token request",
            "POST",
            "https://as.example/token",
            request_headers=(FORM,),
            request_body="grant_type=authorization_code&code=<code#1>&code_verifier=<code_verifier#1>",
            status=200,
            response_headers=(JSON, ("Cache-Control", "no-store")),
            response_body='{"access_token":"<access_token#1>","token_type":"Bearer","expires_in":3600}',
        ),
        Step(7, 2.3, "done", "Tokens are here."),
    ),
    secrets=(
        Secret("<state#1>", "state", 32),
        Secret("<start_key#1>", "start_key", 32),
        Secret("<code#1>", "code", 40),
        Secret("<code_verifier#1>", "code_verifier", 43),
        Secret("<access_token#1>", "access_token", 60),
    ),
)
TICKET = Trace(
    flow="ticket",
    ground="simulate",
    provider="demo",
    entries=(
        Exchange(
            1,
            0.0,
            0.02,
            "client",
            "server",
            "ticket request",
            "POST",
            "https://as.example/api/v1/oauth/tickets?client_id=demo",
            status=201,
            response_headers=(JSON,),
            response_body='{"id":"<ticket#1>","authorized":false}',
        ),
        Step(2, 0.1, "invite", "Ask the person to approve.", (("url", "https://as.example/authorize?…"),)),
        Exchange(
            3,
            1.0,
            0.0,
            "browser",
            "server",
            "ticket approval page",
            "GET",
            "https://as.example/authorize?response_type=ticket&ticket=<ticket#1>",
            address="https://as.example/authorize?response_type=ticket&ticket=<ticket#1>",
            observed=False,
        ),
        Exchange(
            4,
            3.0,
            0.02,
            "client",
            "server",
            "ticket status request",
            "GET",
            "https://as.example/api/v1/oauth/tickets/<ticket#1>",
            status=200,
            response_headers=(JSON,),
            response_body='{"id":"<ticket#1>","authorized":true}',
        ),
        Step(5, 3.1, "failed", "The ticket was approved, but the server did not exchange it."),
    ),
    secrets=(Secret("<ticket#1>", "ticket", 24),),
)
COMPARISON = Comparison(
    ground="simulate",
    provider="demo",
    made_at=1_700_000_000.0,
    version="0.1.0",
    runs=(
        Run(
            "code",
            "signed in",
            CODE,
            tokens=Tokens("Bearer", 3600.0, True, "verified", "openid email", "openid", "ada@demo.example"),
            findings=(
                Finding(
                    "code-in-history",
                    "low",
                    "No code stays in the browser's history",
                    "fail",
                    "The callback address with <code#1> was shown as a page.",
                    "RFC 9700 §4.3.1",
                    (5,),
                    "Use response_mode=form_post where the server offers it.",
                ),
                Finding("pkce", "high", "PKCE with S256", "pass", "S256 was sent.", "RFC 7636 §4.2", (3, 6)),
            ),
            attacks=(
                Attack(
                    "stolen-code",
                    "A second process redeems the code.",
                    "pass",
                    "The server answered invalid_grant: the verifier was missing.",
                    "RFC 7636 §1",
                ),
            ),
        ),
        Run("ticket", "refused", TICKET, reason="The server did not exchange it <script>alert(1)</script>"),
    ),
    rows=(
        Row(
            "history",
            "Left in the browser's history",
            "Where secrets show",
            (Cell("<code#1>", "observed", "RFC 9700 §4.3.1", (5,)), Cell("<ticket#1>", "not observed")),
        ),
        Row(
            "standard",
            "Standard",
            "What it is",
            (
                Cell("RFC 6749 §4.1", "known", "RFC 6749 §4.1"),
                Cell("none, vendor API", "known", "https://github.com/netlify/open-api"),
            ),
        ),
    ),
)
