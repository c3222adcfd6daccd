"""An authorization server that asks nobody: the other side of every measurement.

    authorization_server.py [CERTIFICATE_AND_KEY]

Serves on a free port of 127.0.0.1, over https with a certificate, and prints the port. Its issuer may have
the path `/tenant`, without which msal does nothing.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import ssl
import sys
import time
from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode

from aiohttp import web

PATHS = {"authorization": "authorize", "token": "token"}

_pending: dict[str, Mapping[str, str]] = {}


async def metadata(request: web.Request) -> web.Response:
    """Describe the server (RFC 8414 §3.2)."""
    issuer = f"{request.scheme}://{request.host}{request.path.partition('/.well-known')[0]}"
    endpoints = {f"{name}_endpoint": f"{issuer}/{path}" for name, path in PATHS.items()}
    offered = {"response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"]}
    return web.json_response({"issuer": issuer, **offered, **endpoints})


async def authorize(request: web.Request) -> web.Response:
    """Approve at once (RFC 6749 §4.1.2)."""
    query = request.query
    code = secrets.token_urlsafe(16)
    _pending[code] = query
    answer = {"code": code, "state": query["state"]}
    if query.get("response_mode") == "form_post":
        inputs = "".join(f'<input name="{name}" value="{escape(value)}">' for name, value in answer.items())
        form = f'<form method="post" action="{escape(query["redirect_uri"])}">{inputs}</form>'
        return web.Response(text=form, content_type="text/html")
    return web.Response(status=302, headers={"Location": f"{query['redirect_uri']}?{urlencode(answer)}"})


async def token(request: web.Request) -> web.Response:
    """Redeem a code once, with its verifier (RFC 7636 §4.6)."""
    form = await request.post()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
    asked = _pending.pop(str(form["code"]), {})
    if challenge.decode().rstrip("=") != asked.get("code_challenge"):
        return web.json_response({"error": "invalid_grant"}, status=400)
    answer = {"access_token": "bench-token", "token_type": "Bearer", "expires_in": 3600}
    scope = asked.get("scope", "").split()
    if "offline_access" in scope:
        answer["refresh_token"] = "bench-refresh-token"
    if "openid" in scope:
        issuer = f"{request.scheme}://{request.host}{request.path.removesuffix('/token')}"
        answer["id_token"] = id_token(issuer, asked)
    return web.json_response(answer)


def id_token(issuer: str, asked: Mapping[str, str]) -> str:
    """Say who signed in, without a signature (OpenID Connect Core §2 allows that for a code)."""
    claims = {"iss": issuer, "aud": asked["client_id"], "sub": "1", "nonce": asked.get("nonce", "")}
    times = {"iat": int(time.time()), "exp": int(time.time()) + 3600}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, {**claims, **times}))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


async def main() -> None:
    """Serve until killed."""
    app = web.Application()
    for path in ("", "/tenant"):
        app.add_routes(
            [
                web.get(f"{path}/.well-known/openid-configuration", metadata),
                web.get(f"{path}/authorize", authorize),
                web.post(f"{path}/token", token),
            ]
        )
    context = None
    if len(sys.argv) > 1:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[1])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
