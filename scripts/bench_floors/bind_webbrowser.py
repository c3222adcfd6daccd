"""The least before a browser starts, with socket and webbrowser."""

import socket
import webbrowser

listener = socket.create_server(("127.0.0.1", 0))
webbrowser.open(f"http://127.0.0.1:{listener.getsockname()[1]}/")
listener.accept()
