"""Serve oidc-provider-mock from a process of its own: its warnings of old interfaces are its own affair.

Its issuer goes to stdout as one line of JSON; it runs until stdin ends, so that it never outlives the tests.
"""

import json
import os
import sys

# Authlib refuses http otherwise, also on this machine.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from oidc_provider_mock import User, run_server_in_thread

with run_server_in_thread(user_claims=[User(sub="ada", claims={"email": "ada@example.org"})]) as server:
    sys.stdout.write(json.dumps({"either": f"http://127.0.0.1:{server.server_port}"}) + "\n")
    sys.stdout.flush()
    sys.stdin.read()
