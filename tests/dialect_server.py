"""A demo server that speaks a provider's dialect: strict inside, translated at its door.

Requests are put into the words of the RFCs before the endpoints see them, and answers into the provider's
afterwards, so that every check of the demo server holds for every dialect. What a provider would refuse, such
as a form where it reads JSON, is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from dialects import Dialect

from loopback_auth.demo.keys import Signer
from loopback_auth.demo.server import DemoServer
from loopback_auth.demo.tokens import s256
from loopback_auth.demo.wire import (
    Refused,
    bearer_token,
    error_reply,
    form_parameters,
    json_members,
    json_reply,
    query_of,
    text_reply,
)
from loopback_auth.http_messages import FORM, HttpRequest, HttpResponse

REVOKE = "/vendor/revoke"
"""Where a token that comes in the header is given up."""

VERIFIER = "v" * 43
"""What stands for the verifier at a server that knows none."""


class DialectSigner:
    """Signs as another, but under the name that the dialect has for the server."""

    def __init__(self, signer: Signer, dialect: Dialect) -> None:
        self._signer = signer
        self._dialect = dialect

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return the claims as a signed JWT, with the dialect's issuer where it has one."""
        issuer = self._dialect.token_issuer
        return self._signer.sign({**claims, "iss": issuer} if issuer else claims)

    def jwks(self) -> Mapping[str, object]:
        """Return the public keys."""
        return self._signer.jwks()


class DialectServer(DemoServer):
    """One issuer with a provider's language. The arguments are those of `DemoServer`; then set `dialect`."""

    dialect = Dialect()

    def handle(self, request: HttpRequest, now: float) -> HttpResponse:
        """Answer one request; never raises."""
        path = (request.url.removeprefix(self.issuer) or "/").partition("?")[0]
        try:
            match path:
                case "/authorize" if request.method == "GET":
                    return super().handle(self._authorization(request), now)
                case "/device_authorization":
                    return super().handle(self._device_authorization(request), now)
                case "/token":
                    return self._token_answer(request, now)
                case "/userinfo":
                    return self._userinfo(request, now)
                case "/revoke" if self.dialect.revocation == "bearer":
                    return text_reply(404, "There is nothing here.")
                case "/vendor/revoke" if self.dialect.revocation == "bearer":
                    return self._given_up(request, now)
                case _:
                    return super().handle(request, now)
        except Refused as refused:
            return self._refusal(refused.status, refused.error, refused.description, error_reply(refused))

    def _authorization(self, request: HttpRequest) -> HttpRequest:
        dialect, target = self.dialect, request.url.partition("?")[0]
        sent = parse_qsl(query_of(request.url), keep_blank_values=True)
        asked = [(name, value) for name, value in sent if name not in ("scope", dialect.scope_parameter)]
        scope = " ".join(value for name, value in sent if name == dialect.scope_parameter)
        if scope:
            asked.append(("scope", " ".join(scope.split(dialect.scope_separator))))
        if not dialect.nonce:
            asked = [pair for pair in asked if pair[0] != "nonce"]
        if not dialect.pkce:
            asked = [pair for pair in asked if not pair[0].startswith("code_challenge")]
            asked += [("code_challenge", s256(VERIFIER)), ("code_challenge_method", "S256")]
        return replace(request, url=f"{target}?{urlencode(asked)}")

    def _device_authorization(self, request: HttpRequest) -> HttpRequest:
        members = dict(form_parameters(request).once().values)
        scope = members.pop(self.dialect.device_scope, "")
        members.pop("scope", None)
        asked = {**members, "scope": " ".join(scope.split(self.dialect.scope_separator))}
        return replace(request, body=urlencode(asked).encode("ascii"))

    def _token_answer(self, request: HttpRequest, now: float) -> HttpResponse:
        members = self._token_members(request)
        if not self.dialect.pkce:
            if "code_verifier" in members:
                raise Refused("invalid_grant", "There was no code challenge.")
            if "code" in members:
                members["code_verifier"] = VERIFIER
        headers = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
        body = urlencode(members).encode("ascii")
        plain = replace(request, headers=(*headers, ("Content-Type", FORM)), body=body)
        answer = super().handle(plain, now)
        document = json.loads(answer.body)
        if answer.status != 200:
            error, words = str(document.get("error")), str(document.get("error_description"))
            status = answer.status
            if members.get("grant_type") == "refresh_token" and error == "invalid_grant":
                status, error = self.dialect.dead_refresh
            return self._refusal(status, error, words, answer)
        return self._in_form(request, replace(answer, body=json.dumps(self._told(document)).encode()))

    def _token_members(self, request: HttpRequest) -> dict[str, str]:
        if self.dialect.token_body == "form":
            return dict(form_parameters(request).once().values)
        if request.header("content-type").partition(";")[0] != "application/json":
            raise Refused("invalid_request", "The body must be JSON.")
        return {name: str(value) for name, value in json_members(request).items()}

    def _told(self, document: Mapping[str, object]) -> Mapping[str, object]:
        dialect = self.dialect
        names = [dialect.granted.get(name, name) for name in str(document.get("scope", "")).split()]
        scope = {
            "text": " ".join(filter(None, names)),
            "list": [name for name in names if name],
            "commas": ",".join(filter(None, names)),
        }[dialect.scope_as]
        told = {**document, "token_type": dialect.token_type, "scope": scope}
        told = {name: value for name, value in told.items() if name not in dialect.left_out}
        if not dialect.token_type:
            del told["token_type"]
        if "scope" in told:
            told[dialect.scope_member] = told.pop("scope")
        return {**dialect.added, **({dialect.token_member: told} if dialect.token_member else told)}

    def _in_form(self, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        if not self.dialect.form_answers or "application/json" in request.header("accept"):
            return answer
        body = urlencode(json.loads(answer.body)).encode("ascii")
        return HttpResponse(answer.status, (("Content-Type", FORM),), body)

    def _refusal(self, status: int, error: str, words: str, answer: HttpResponse) -> HttpResponse:
        match self.dialect.errors:
            case "rfc":
                document: dict[str, object] = {"error": error, "error_description": words}
            case "id and message":
                document = {"id": error, "message": words}
            case "status and message":
                document = {"status": status, "message": error}
            case "message":
                document = {"object": "error", "status": status, "code": error, "message": words}
            case "ok":
                status, document = 200, {"ok": False, "error": error}
            case "200":
                status, document = 200, {"error": error, "error_description": words}
        return replace(json_reply(document, status), headers=answer.headers)

    def _userinfo(self, request: HttpRequest, now: float) -> HttpResponse:
        if request.method != self.dialect.userinfo:
            return text_reply(405, "This method is not for this path.", ("Allow", self.dialect.userinfo))
        answer = super().handle(request, now)
        if answer.status != 200 or not self.dialect.account:
            return answer
        return json_reply({self.dialect.account: json.loads(answer.body)["sub"]})

    def _given_up(self, request: HttpRequest, now: float) -> HttpResponse:
        issued = self._ledger.access_tokens.get(bearer_token(request))
        if issued is None or not self._ledger.valid(issued, now):
            refused = Refused("invalid_auth", "There is no such token.", status=401)
            return self._refusal(refused.status, refused.error, refused.description, error_reply(refused))
        self._ledger.revoke(issued.grant)
        return json_reply({"ok": True})
