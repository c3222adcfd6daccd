"""What a demo server can be told to do wrong, so that a client can prove that it notices.

A fault is a value given to the constructor of `DemoServer`. Without one the server keeps every rule; with one
it breaks exactly the rule in this table and keeps the others.

    fault                    alters                                      a client must notice because of
    deny_all                 every consent becomes `access_denied`       RFC 6749 §4.1.2.1
    wrong_state              `state` of the authorization response       RFC 6749 §10.12
    wrong_iss, omit_iss      `iss` of the authorization response         RFC 9207 §2.4
    duplicate_parameter      that parameter is sent twice                RFC 6749 §3.1
    metadata_issuer          `issuer` of both metadata documents         RFC 8414 §3.3
    without_metadata         both metadata documents answer 404          RFC 8414 §3.2
    pkce_unannounced         `code_challenge_methods_supported` missing  RFC 9700 §2.1.1
    redirect_token_endpoint  307 to this URL, request not looked at      RFC 6749 §3.2
    token_status             status of every token response              RFC 6749 §5.1, §5.2
    token_html               body and type of every token response       RFC 6749 §5.1
    token_body               body of every token response                RFC 6749 §5.1
    expires_in               `expires_in` of the token response          RFC 6749 §5.1
    omit_members             these members of the token response         RFC 6749 §5.1
    narrow_scope             the scope granted: only these names         RFC 6749 §3.3
    wrong_nonce              `nonce` of the ID token                     OpenID Connect Core §3.1.3.7
    wrong_audience           `aud` of the ID token                       OpenID Connect Core §3.1.3.7
    bad_signature            signature of the ID token                   OpenID Connect Core §3.1.3.7
    wrong_subject            `sub` of the UserInfo response              OpenID Connect Core §5.3.2

Slowness is a fault of the transport: see `delay` of `serve_demo`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from loopback_auth.model import HttpResponse

HTML = b"<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>"


@dataclass(frozen=True, slots=True)
class Faults:
    """The rules to break; the default breaks none. The opening of the module has the table.

    Args:
        duplicate_parameter: name of an authorization response parameter, for example `code`.
        redirect_token_endpoint: where the token endpoint sends its callers; empty: nowhere.
        token_status: HTTP status; 0 leaves it alone. The request is processed all the same, as when a
            proxy spoils the answer on its way.
        token_body: bytes in place of the JSON document; None leaves it alone.
        expires_in: any JSON value in place of the number of seconds; None leaves it alone.
        narrow_scope: space separated names; None leaves the scope alone.
    """

    deny_all: bool = False
    wrong_state: bool = False
    wrong_iss: bool = False
    omit_iss: bool = False
    duplicate_parameter: str = ""
    metadata_issuer: str = ""
    without_metadata: bool = False
    pkce_unannounced: bool = False
    redirect_token_endpoint: str = ""
    token_status: int = 0
    token_html: bool = False
    token_body: bytes | None = field(default=None, repr=False)
    expires_in: int | float | str | None = None
    omit_members: tuple[str, ...] = ()
    narrow_scope: str | None = None
    wrong_nonce: bool = False
    wrong_audience: bool = False
    bad_signature: bool = False
    wrong_subject: bool = False


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
