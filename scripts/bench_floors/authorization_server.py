"""An authorization server that asks nobody: the other side of every measurement.

    authorization_server.py [CERTIFICATE_AND_KEY]

Serves on a free port of 127.0.0.1, over https with a certificate, and prints the port.
"""

import asyncio
import base64
import hashlib
import secrets
import ssl
import sys
from urllib.parse import urlencode

from aiohttp import web

_pending: dict[str, str] = {}


async def authorize(request: web.Request) -> web.Response:
    """Approve at once (RFC 6749 §4.1.2)."""
    query = request.query
    code = secrets.token_urlsafe(16)
    _pending[code] = query["code_challenge"]
    answer = urlencode({"code": code, "state": query["state"]})
    return web.Response(status=302, headers={"Location": f"{query['redirect_uri']}?{answer}"})


async def token(request: web.Request) -> web.Response:
    """Redeem a code once, with its verifier (RFC 7636 §4.6)."""
    form = await request.post()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
    if challenge.decode().rstrip("=") != _pending.pop(str(form["code"]), ""):
        return web.json_response({"error": "invalid_grant"}, status=400)
    return web.json_response({"access_token": "bench-token", "token_type": "Bearer", "expires_in": 3600})


async def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.add_routes([web.get("/authorize", authorize), web.post("/token", token)])
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
