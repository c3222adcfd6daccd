"""A program that carries this package in itself, as a zipapp, as a shiv, or as PyInstaller has frozen it.

carried ISSUER FOLDER sign-in | whoami | receive | begin | finish HANDLE | logout
"""

import asyncio
import logging
import sys

import aiohttp
import httpx
import requests

from loopback_auth import ClientConfig, FileTokenStore, LoopbackReceiver, Program, TokenSource
from loopback_auth.clients import aiohttp as for_aiohttp
from loopback_auth.clients import httpx as for_httpx
from loopback_auth.clients import requests as for_requests
from loopback_auth.events import log_to
from loopback_auth.two_step import PendingSignIn, PendingStore, begin_sync, resume_sync

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4"/></svg>'
PROGRAM = Program("Träger", language="de", logo=LOGO)


async def ask(url: str, source: TokenSource) -> str:
    """Ask who the token belongs to."""
    async with aiohttp.ClientSession(middlewares=[for_aiohttp.bearer(source)]) as web, web.get(url) as answer:
        return str((await answer.json())["sub"])


def main() -> None:
    """Do what the arguments say."""
    _, issuer, folder, action, *rest = sys.argv
    logging.basicConfig(level=logging.INFO)
    client = ClientConfig.at(issuer, client_id="loopback-auth-demo", scope="openid profile offline_access")
    notify = log_to(logging.getLogger("carried"))
    source = TokenSource(client, store=FileTokenStore(folder), program=PROGRAM, notify=notify)
    pendings = PendingStore(f"{folder}-pending")
    match action:
        case "sign-in":
            kept = source.sign_in_sync()
            print(kept.account, kept.id_token.signature if kept.id_token else "")
        case "whoami":
            with httpx.Client(auth=for_httpx.BearerAuth(source)) as web:
                print(web.get(f"{issuer}/resource").json()["sub"])
            with requests.Session() as session:
                session.auth = for_requests.BearerAuth(source)
                print(session.get(f"{issuer}/resource", timeout=60).json()["sub"])
            print(asyncio.run(ask(f"{issuer}/resource", source)))
        case "receive":
            with LoopbackReceiver(program=PROGRAM) as receiver:
                url = f"{issuer}/authorize?response_type=code&client_id={client.client_id}&state=of-my-own"
                url += f"&code_challenge_method=S256&code_challenge={'c' * 43}&scope=profile"
                parameters = receiver.visit_sync(f"{url}&redirect_uri={receiver.redirect_uri}")
                print(*sorted(parameters))
        case "begin":
            pending = begin_sync(client, "device")
            pendings.save(pending)
            print(pending.handle, pending.url, pending.user_code)
        case "finish":
            found = pendings.load(rest[0])
            if isinstance(found, PendingSignIn):
                print(resume_sync(found, save=pendings.save, wait=30.0).account)
        case "logout":
            print(source.logout_sync())


if __name__ == "__main__":
    main()
