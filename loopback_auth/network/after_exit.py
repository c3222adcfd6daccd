"""The last page can be loaded for a moment after the program has ended, which does not wait for that.

A person who reloads the page, or a slow tab, would otherwise find a closed port where the page said how the
sign-in ended. But the caller of the program wants its exit status now. So where the system can fork (Linux),
a child process serves the page. It has the listening sockets and nothing else of the program: no terminal, no
pipe that a reader waits for, no lock; it has a session of its own and ends after little more than a second.

Only a port that the system chose is kept open: a registered one must be free for the next sign-in at once. A
program that embeds the package is never forked; there, the port closes with the sign-in.

Source: fork(2); RFC 9110 §9.2.2 (a GET may be repeated); close_range(2).
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import pairwise

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.cookies import WithoutCookies

Respond = Callable[[HttpRequest, socket.socket], HttpResponse | None]

AFTER_EXIT_SECONDS = 1.5
"""Seconds that the last page stays up."""
REQUEST_SECONDS = 0.5
REQUEST_LIMIT = 256 * 1024


def serve_after_exit(sockets: Sequence[socket.socket], answer: Respond) -> None:
    """Let a child process answer on listening sockets, and close them here."""
    try:
        if _is_child():
            _forget_the_rest({one.fileno() for one in sockets})
            _serve(sockets, answer)
    finally:
        for one in sockets:
            one.close()


def _is_child() -> bool:
    """Fork; return whether this is the child process, which must not return from here."""
    if sys.platform == "win32":
        return False
    with warnings.catch_warnings():
        # Other threads do not exist in the child, which needs nothing that they might hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return os.fork() == 0
        except OSError:
            return False


def _forget_the_rest(kept: set[int]) -> None:
    """Close all files but these, restore the signals that end a process, and leave the terminal."""
    if sys.platform == "win32":
        return
    os.setsid()
    for ends in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(ends, signal.SIG_DFL)
    signal.alarm(int(AFTER_EXIT_SECONDS) + 2)
    edges = [-1, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for low, high in pairwise(edges):
        os.closerange(low + 1, high)
    for number in range(3):
        if number not in kept:
            os.open(os.devnull, os.O_RDWR)


def _serve(sockets: Sequence[socket.socket], answer: Respond) -> None:
    """Answer requests, one after the other, until the time is over; the process ends here."""
    try:
        over = time.monotonic() + AFTER_EXIT_SECONDS
        while (left := over - time.monotonic()) > 0:
            for ready in select.select(sockets, [], [], left)[0]:
                try:
                    connection, _ = ready.accept()
                except OSError:
                    continue
                with connection:
                    _respond(connection, answer, min(REQUEST_SECONDS, max(left, 0.01)))
    finally:
        os._exit(0)


def _respond(connection: socket.socket, answer: Respond, seconds: float) -> None:
    connection.settimeout(seconds)
    try:
        request = _read(connection)
        page = answer(request, connection) if request is not None else None
        if page is None:
            return
        headers = [*page.headers, ("Content-Length", str(len(page.body))), ("Connection", "close")]
        head = [f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}"]
        head += [f"{name}: {value}" for name, value in [*headers, ("Server", "loopback_auth")]]
        connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + page.body)
    except (OSError, ValueError):
        return


def _read(connection: socket.socket) -> HttpRequest | None:
    """Read a request as far as the last page depends on it; None if it is not a request."""
    without, received = WithoutCookies(), bytearray()
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        received += without.feed(piece)
        if not piece or len(received) > REQUEST_LIMIT:
            return None
    head, _, body = received.partition(b"\r\n\r\n")
    line, *fields = head.decode("utf-8", "surrogateescape").split("\r\n")
    method, url, _ = line.split(" ")
    split = (one.partition(":") for one in fields)
    headers = tuple((name, value.strip(" \t")) for name, _, value in split)
    length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
    while len(body) < min(length, REQUEST_LIMIT):
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    return HttpRequest(method, url, headers, bytes(body[:length]))
