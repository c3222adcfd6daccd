"""The same as `read_json`, in a program that imports asyncio."""

import asyncio  # noqa: F401
import json
import sys

with open(sys.argv[1]) as file:  # noqa: PTH123 - pathlib costs
    sys.stdout.write(json.load(file)["tokens"]["access_token"] + "\n")
