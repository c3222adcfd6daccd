"""A script that asks with `input` and tells with `logging`; on stdout is the account.

prompt.py ISSUER FLOW
"""

import logging
import sys
from typing import Literal

from loopback_auth import ClientConfig, LoopbackAuthError, SignIn, login_sync
from loopback_auth.events import log_to


def confirm(sign_in: SignIn) -> bool:
    """Ask whether the account is the right one."""
    return input(f"{sign_in.account} has approved. Is that you? ") == "yes"


def paste(_: object) -> str:
    """Ask for the address on which the browser ended."""
    return input("Address: ")


_, issuer, way = sys.argv
flow: Literal["device", "paste"] = "device" if way == "device" else "paste"
logging.basicConfig(level=logging.INFO)
client = ClientConfig.at(issuer, client_id="loopback-auth-demo", scope="profile email")
notify = log_to(logging.getLogger("script"))
try:
    sign_in = login_sync(client, allowed_flows={flow}, confirm=confirm, paste=paste, notify=notify)
    print(sign_in.account)
except LoopbackAuthError as error:
    sys.exit(f"{error.message} {error.hint}")
