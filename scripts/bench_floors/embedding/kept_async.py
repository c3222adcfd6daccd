"""Print a kept token from a coroutine: kept_async.py ISSUER FOLDER."""

import asyncio
import sys

from with_loopback_auth import source

print(asyncio.run(source(*sys.argv[1:]).token()))
