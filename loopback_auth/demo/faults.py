"""The faults of a demo server, with which tests check that a client notices them.

A fault is a value given to the constructor of `DemoServer`. Without one the server keeps every rule; with one
it breaks exactly the rule in this table and keeps the others.

    fault                      alters                                      a client must notice because of
    deny_all                   every consent becomes a denial              RFC 6749 §4.1.2.1
    wrong_state                `state` of the authorization response       RFC 6749 §10.12
    wrong_iss                  `iss` of the authorization response         RFC 9207 §2.4
    omit_iss                   the same, missing                           RFC 9207 §2.4
    duplicate_parameter        that parameter is sent twice                RFC 6749 §3.1
    fragment_question_mark     a fragment starts with `?`                  (Netlify sends it so: to be read)
    refresh_token_in_fragment  a refresh token in the front channel        RFC 6749 §4.2.2
    metadata_issuer            `issuer` of both metadata documents         RFC 8414 §3.3
    authorization_endpoint     the same of both documents: any text        RFC 8414 §2, CVE-2025-6514
    without_metadata           both metadata documents answer 404          RFC 8414 §3.2
    pkce_unannounced           `code_challenge_methods_supported` missing  RFC 9700 §2.1.1
    ignore_acr                 `acr_values`: the person is asked as ever   RFC 9470 §5 (it must end)
    nonce_changes              each DPoP nonce, before it can be used      RFC 9449 §8 (it must end)
    redirect_token_endpoint    307 to this URL, request not looked at      RFC 6749 §3.2
    wrong_token_type           DPoP tokens are called bearer tokens        RFC 9449 §5
    token_status               status of every token response              RFC 6749 §5.1, §5.2
    token_html                 body and type of every token response       RFC 6749 §5.1
    token_body                 body of every token response                RFC 6749 §5.1
    token_wrong_type           every access token in JSON is a number      RFC 6749 §5.1, appendix A.12
    expires_in                 `expires_in` of the token response          RFC 6749 §5.1
    omit_members               these members of the token response         RFC 6749 §5.1
    narrow_scope               the scope granted: only these names         RFC 6749 §3.3
    wrong_nonce                `nonce` of the ID token                     OpenID Connect Core §3.1.3.7
    wrong_audience             `aud` of ID tokens, JARM                    OpenID Connect Core §3.1.3.7
    bad_signature              signature of those two                      OpenID Connect Core §3.1.3.7
    clock_skew                 `iat`, `exp`, `auth_time`, `created_at`     OpenID Connect Core §3.1.3.7
    wrong_subject              `sub` of the UserInfo response              OpenID Connect Core §5.3.2

Faults of registration and of protected resources. A challenge is the value of `WWW-Authenticate`.

    fault                      alters                                      a client must notice because of
    registration_html          every answer to a registration: a web page  RFC 7591 §3.2.1
    registration_redirect_uri  `redirect_uris` of a registration           RFC 7591 §3.2.1 (check the values)
    registration_secret        a secret nobody asked for, which expires    RFC 7591 §3.2.1
    exact_redirect_uris        ports of loopback redirect URIs count       RFC 8252 §7.3 (some servers do so)
    other_resource             `resource` of the resource metadata         RFC 9728 §3.3
    without_resource_metadata  no resource metadata, nor a word of them    RFC 9728 §3 (older servers)
    authorization_servers      the same of the resource metadata           RFC 9728 §2
    other_servers              so many more of them, and none is there     RFC 9728 §7.6 (it must end)
    metadata_loop              server metadata lead to each other          RFC 8414 §3.2
    challenge                  every challenge of a resource               RFC 9110 §11.6.1
    refuse_tokens              every token: invalid, and so is the next    RFC 6750 §3.1 (it must end)
    never_enough_scope         every token: its scope is insufficient      RFC 6750 §3.1 (it must end)
    clock_ahead                the clock of the server, `Date` included    RFC 9449 §11.1

Faults of the device grant and of tickets. A poll is a token request with a device code, or one for a ticket.

    fault                      alters                                      a client must notice because of
    device_interval            `interval` of the device grant              RFC 8628 §3.2
    omit_device_interval       the same, missing                           RFC 8628 §3.2 (then 5 seconds)
    verification_url           name of `verification_uri`                  (Google's spelling: to be read)
    expires_early              device codes and tickets die sooner         RFC 8628 §3.5
    server_errors              the first polls answer 503                  RFC 9110 §15.6.4
    rate_limited               the next polls answer 429                   RFC 6585 §4
    rate_limit_header          where a 429 says how long to wait, if       RFC 9110 §10.2.3
    html_answers               the next polls answer 200 with a web page   (a log-in page of the network)
    slow_down_storm            the next polls of device codes: slow_down   RFC 8628 §3.5
    approve_after              an approval shows after that many polls     RFC 8628 §3.5
    wrong_type                 value of `authorized` and `redeemed`        only `true` is an approval
    bad_ticket_id              the id of a new ticket                      RFC 3986 §3.3 (must not lead away)
    poll_elsewhere             origin of the addresses to poll             the ticket is a secret
    ticket_status              status of every request for a new ticket    the vendor does not do this
    exchange_refused           every ticket exchange answers 403           a token is not to be expected

Faults that no client can notice; `compare` shows how attackers use them.

    fault                      lets pass                                   what forbids it
    ignore_verifier            every code verifier, and none               RFC 7636 §4.6
    pkce_optional              requests without a code challenge           RFC 9700 §2.1.1, §4.8.2
    plain_challenges           `code_challenge_method=plain`               RFC 9700 §2.1.1
    loose_redirect_uris        hosts that begin like a registered one      RFC 9700 §2.1
    unbound_tokens             at /mcp, tokens that are for no resource    RFC 8707 §2, RFC 9700 §2.3
    reusable                   codes and tickets that were used before     RFC 6749 §4.1.2, RFC 8628 §3.5
    unlimited_user_codes       any number of wrong user codes              RFC 8628 §5.1
    lenient                    no PKCE, no `redirect_uri`, any scope       RFC 9700 §2.1.1, RFC 6749 §4.1.3

The four kinds of faulty polls come in the order of the table, and are counted over all polls of one server.
Slow, missing and incomplete answers are faults of the transport: see `serve_demo`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from loopback_auth.http_messages import HttpResponse

HTML = b"<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>"
NUMBER = 8_675_309
"""What `token_wrong_type` puts in place of an access token."""


@dataclass(frozen=True, slots=True)
class Faults:
    """The rules to break; the default breaks none. The opening of the module has the table with the clauses.

    Args:
        deny_all: treat every consent as a denial.
        wrong_state: send another `state`.
        wrong_iss: send another `iss`.
        omit_iss: send no `iss`.
        duplicate_parameter: name of an authorization response parameter to send twice, for example `code`.
        fragment_question_mark: begin a fragment with `?`.
        refresh_token_in_fragment: send a refresh token through the browser.
        metadata_issuer: `issuer` in both metadata documents; empty: the right one.
        authorization_endpoint: in both metadata documents; empty: the right one.
        without_metadata: answer 404 instead of metadata.
        pkce_unannounced: leave `code_challenge_methods_supported` out.
        ignore_acr: authenticate the person as always, whatever `acr_values` asks for.
        nonce_changes: never accept a nonce that was given out, and give out another.
        redirect_token_endpoint: URL to which the token endpoint redirects; empty: it does not.
        wrong_token_type: say `Bearer` of tokens that are bound to a key.
        token_status: HTTP status of token responses; 0: the right one. The request is processed all the same,
            as when a proxy changes the answer.
        token_html: send a web page in place of the JSON document.
        token_body: bytes in place of the JSON document; None: the document.
        token_wrong_type: send a number as access token.
        expires_in: any JSON value in place of the number of seconds; None: the number.
        omit_members: names of members to leave out of token responses.
        narrow_scope: the only scopes that are granted, separated by spaces; None: the requested ones.
        wrong_nonce: send another `nonce` in ID tokens.
        wrong_audience: send another `aud` in ID tokens.
        bad_signature: damage the signature of ID tokens.
        clock_skew: seconds by which the times in answers are ahead; the server itself uses the right time.
        wrong_subject: send another `sub` in UserInfo responses.
        registration_html: answer a registration with a web page.
        registration_redirect_uri: say that this redirect URI was registered; empty: the right one.
        registration_secret: seconds after which a secret expires, which every registered client gets and has
            to use, whatever it asked for; None: as it asked.
        exact_redirect_uris: compare redirect URIs as a whole, with the port of a loopback one.
        other_resource: `resource` in the metadata of protected resources; empty: the right one.
        without_resource_metadata: answer 404 instead of resource metadata, and name none in challenges.
        authorization_servers: in the metadata of protected resources; None: this one.
        other_servers: how many servers that are not there come before those.
        metadata_loop: let both metadata documents of the server redirect to each other.
        challenge: `WWW-Authenticate` of every refusal of a protected resource; empty: the right one.
        refuse_tokens: call every access token invalid at the protected resources.
        never_enough_scope: call the scope of every access token insufficient there.
        clock_ahead: seconds by which the clock of the whole server is ahead, and `Date` says so.
        device_interval: any JSON value in place of the number of seconds; None: the number. The server
            enforces no more than it announces.
        omit_device_interval: announce no interval.
        verification_url: use Google's spelling of `verification_uri`.
        expires_early: seconds after which device codes and tickets expire, whatever was announced; None: as
            announced.
        server_errors: how many polls get 503.
        rate_limited: how many polls get 429.
        rate_limit_header: in which header a 429 says how long to wait: one second.
        html_answers: how many polls get a web page.
        slow_down_storm: how many polls of device codes get `slow_down`.
        approve_after: how many polls still see an approval as pending.
        wrong_type: any JSON value for the status of a ticket, before and after the approval; None: the right
            one.
        bad_ticket_id: id of new tickets, for example `../../user`; empty: a good one.
        poll_elsewhere: origin of the URLs to poll, such as `https://evil.example`; empty: the server's own.
        ticket_status: HTTP status of every request for a new ticket; 0: the right one.
        exchange_refused: refuse every exchange of a ticket.
        ignore_verifier: accept every code verifier, and none.
        pkce_optional: issue a code also without a challenge; it needs no verifier, and any will do.
        plain_challenges: accept the code verifier itself as the challenge.
        loose_redirect_uris: compare a redirect URI only up to the end of the registered host name, so that
            the name may go on, as in `http://127.0.0.1.attacker.example/callback`.
        unbound_tokens: accept at the MCP server tokens that were issued for no resource.
        reusable: accept codes and tickets that were used before.
        unlimited_user_codes: accept any number of wrong user codes.
        lenient: accept authorization requests without a code challenge, or with one that is not S256, for
            which no verifier is demanded, fitting verifiers of any length and any characters, token requests
            without a redirect URI, and every name of a scope.
    """

    deny_all: bool = False
    wrong_state: bool = False
    wrong_iss: bool = False
    omit_iss: bool = False
    duplicate_parameter: str = ""
    fragment_question_mark: bool = False
    refresh_token_in_fragment: bool = False
    metadata_issuer: str = ""
    authorization_endpoint: str = ""
    without_metadata: bool = False
    pkce_unannounced: bool = False
    ignore_acr: bool = False
    nonce_changes: bool = False
    redirect_token_endpoint: str = ""
    wrong_token_type: bool = False
    token_status: int = 0
    token_html: bool = False
    token_body: bytes | None = field(default=None, repr=False)
    token_wrong_type: bool = False
    expires_in: int | float | str | None = None
    omit_members: tuple[str, ...] = ()
    narrow_scope: str | None = None
    wrong_nonce: bool = False
    wrong_audience: bool = False
    bad_signature: bool = False
    clock_skew: float = 0.0
    wrong_subject: bool = False
    registration_html: bool = False
    registration_redirect_uri: str = ""
    registration_secret: float | None = None
    exact_redirect_uris: bool = False
    other_resource: str = ""
    without_resource_metadata: bool = False
    authorization_servers: tuple[str, ...] | None = None
    other_servers: int = 0
    metadata_loop: bool = False
    challenge: str = ""
    refuse_tokens: bool = False
    never_enough_scope: bool = False
    clock_ahead: float = 0.0
    device_interval: int | float | str | None = None
    omit_device_interval: bool = False
    verification_url: bool = False
    expires_early: float | None = None
    server_errors: int = 0
    rate_limited: int = 0
    rate_limit_header: Literal["Retry-After", "X-RateLimit-Reset", ""] = "Retry-After"
    html_answers: int = 0
    slow_down_storm: int = 0
    approve_after: int = 0
    wrong_type: int | float | str | None = None
    bad_ticket_id: str = ""
    poll_elsewhere: str = ""
    ticket_status: int = 0
    exchange_refused: bool = False
    ignore_verifier: bool = False
    pkce_optional: bool = False
    plain_challenges: bool = False
    loose_redirect_uris: bool = False
    unbound_tokens: bool = False
    reusable: bool = False
    unlimited_user_codes: bool = False
    lenient: bool = False


class PollTroubles:
    """Counts the polls of one server, and spoils as many as the faults say."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._left = {
            "error": faults.server_errors,
            "limit": faults.rate_limited,
            "html": faults.html_answers,
            "slow": faults.slow_down_storm,
            "late": faults.approve_after,
        }

    def instead(self, now: float) -> HttpResponse | None:
        """Return what a poll gets in place of its answer; None: the answer."""
        if self._take("error"):
            return HttpResponse(503, (("Content-Type", "text/plain"),), b"Try again.")
        if self._take("limit"):
            name = self._faults.rate_limit_header
            wait = {"Retry-After": "1", "X-RateLimit-Reset": str(int(now) + 1)}.get(name, "")
            headers = (("Content-Type", "application/json"), *([(name, wait)] if wait else []))
            return HttpResponse(429, headers, b'{"code": 429, "message": "Too many requests"}')
        if self._take("html"):
            return HttpResponse(200, (("Content-Type", "text/html; charset=utf-8"),), HTML)
        return None

    def slow_down(self) -> bool:
        """Return whether a poll of a device code gets `slow_down` for no reason."""
        return self._take("slow")

    def late(self) -> bool:
        """Return whether a poll still does not see an approval that was given."""
        return self._take("late")

    def _take(self, kind: str) -> bool:
        left = self._left[kind]
        if left:
            self._left[kind] = left - 1
        return left > 0


def shown_token(token: str, faults: Faults) -> str | int:
    """Return what stands for an access token in a JSON answer."""
    return NUMBER if faults.token_wrong_type else token


def web_page(status: int) -> HttpResponse:
    """Return a page in place of a document, as a proxy does."""
    return HttpResponse(status, (("Content-Type", "text/html; charset=utf-8"),), HTML)


def spoiled(response: HttpResponse, faults: Faults) -> HttpResponse:
    """Alter a finished token response as the faults say."""
    headers, body = response.headers, response.body
    if faults.token_html:
        kept = (pair for pair in headers if pair[0] != "Content-Type")
        headers = (("Content-Type", "text/html; charset=utf-8"), *kept)
        body = HTML
    if faults.token_body is not None:
        body = faults.token_body
    return HttpResponse(faults.token_status or response.status, headers, body)
