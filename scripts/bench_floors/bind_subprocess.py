"""The least before a browser starts, with socket and subprocess alone."""

import os
import socket
import subprocess

listener = socket.create_server(("127.0.0.1", 0))
subprocess.Popen([os.environ["BROWSER"], f"http://127.0.0.1:{listener.getsockname()[1]}/"])  # noqa: S603
listener.accept()
