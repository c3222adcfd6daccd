"""The least that prints a kept token: read a JSON file and write one member."""

import json
import sys

with open(sys.argv[1]) as file:  # noqa: PTH123 - pathlib costs
    sys.stdout.write(json.load(file)["tokens"]["access_token"] + "\n")
