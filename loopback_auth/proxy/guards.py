"""Who may use the proxy, and for what: decided for each request before anything is forwarded.

A web page in the person's browser must not be able to use it: it could not read a token, but act with it.
Browsers say who they are by `Origin` and `Sec-Fetch-Site`, which no page can change, and they are refused,
also with the address of a name that has been bound anew to this machine (the check of `Host`). What is left,
old browsers that send neither, does not know the secret in the path.

Source: Fetch §3.2 (`Origin`); Fetch Metadata Request Headers §2; RFC 9110 §7.4, §9.3.6, §9.3.8, §17.1.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loopback_auth.proxy.headers import OVERRIDES
from loopback_auth.proxy.target import check_target

SAFE = ("GET", "HEAD", "OPTIONS")
WRITING = ("POST", "PUT", "PATCH", "DELETE")
"""The usual ones of the other methods, all of which are forwarded."""
"""Methods that change nothing at the server (RFC 9110 §9.2.1); TRACE is forwarded in no case."""
NEVER = ("CONNECT", "TRACE")
"""CONNECT would reach other hosts, and TRACE answers with what was sent, the token included."""
BROWSER = ("Origin", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-User")
"""Fields of browsers; Node.js sends `Sec-Fetch-Mode` too, and is none."""
LENGTH_DIGITS = 18
"""RFC 9110 §8.6: a recipient MUST anticipate large numbers; longer ones Python refuses to read in the end."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not forwarded.

    Args:
        status: of the answer.
        text: a sentence for the people who read the answer.
        error: the type of the error in `Proxy-Status` (RFC 9209 §2.3).
        headers: more fields of the answer.
        told: it is reported to the person as well, because it may be an attack, or a mistake in a setting.
    """

    status: int
    text: str
    error: str = "http_request_denied"
    headers: tuple[tuple[str, str], ...] = ()
    told: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules by which one proxy forwards a request, or refuses it.

    Args:
        authorities: allowed values of `Host`; None: any, on a Unix socket.
        mount: a slash and the secret of the path; empty: there is none.
        read_only: only safe methods.
        name: by which this proxy recognises a request that it has sent itself (`Via`).
    """

    authorities: frozenset[str] | None
    mount: str
    read_only: bool
    name: str

    def refusal(
        self, method: str, target: str, fields: Mapping[str, str], *, upgrade: bool
    ) -> Refusal | None:
        """Return why a request is not forwarded; None when it is.

        Args:
            method: as received.
            target: as received, in any form (RFC 9112 §3.2).
            fields: of the header, whose names are compared without case.
            upgrade: it asks to go on as a websocket.
        """
        if method in NEVER:
            allowed = SAFE if self.read_only else (*SAFE, *WRITING)
            return Refusal(405, f"This proxy does not forward {method}.", headers=_allow(allowed))
        host = fields.get("Host", "").lower()
        if self.authorities is not None and host not in self.authorities:
            return Refusal(421, "This proxy is not reached by this host name.", told=True)
        if any(name in fields for name in BROWSER):
            text = "This proxy is for programs: pages in a browser cannot use it."
            return Refusal(403, text, told=True)
        rest = self.below(target, host)
        if rest is None:
            return Refusal(404, "There is nothing at this address.", "http_request_error")
        if self.read_only and (why := _why_writing(method, fields, upgrade=upgrade)):
            return Refusal(405, f"This proxy is read-only: {why}.", headers=_allow(SAFE))
        if why := check_target(rest):
            return Refusal(400, f"This request is not forwarded: {why}.", "http_request_error")
        if fields.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
            # What is inside the chunks would be taken for the content itself (RFC 9112 §6.1).
            return Refusal(501, "This transfer coding is not known here.", "http_request_error")
        if len(fields.get("Content-Length", "")) > LENGTH_DIGITS:
            return Refusal(400, "The length of this request is too large.", "http_request_error")
        if "Via" in fields and any(self.name in one for name, one in fields.items() if name.lower() == "via"):
            return Refusal(508, "This proxy forwards to itself.", "proxy_loop_detected", told=True)
        return None

    def below(self, target: str, host: str) -> str | None:
        """Return the path and query behind the mount; None when the mount, or the host, is another one.

        Source: RFC 9112 §3.2.2 (a server MUST accept the absolute form).
        """
        if not target.startswith("/"):
            scheme, mark, rest = target.partition("://")
            authority, slash, path = rest.partition("/")
            if scheme.lower() != "http" or not mark or authority.lower() != host:
                return None
            target = slash + path
        if not self.mount:
            return target or "/"
        size = len(self.mount)
        # Compared as bytes: text beyond ASCII would raise.
        if not hmac.compare_digest(target[:size].encode("utf-8", "surrogateescape"), self.mount.encode()):
            return None
        rest = target[size:]
        if rest.startswith("/"):
            return rest
        return f"/{rest}" if rest[:1] in ("", "?") else None


def final_recipient(method: str, fields: Mapping[str, str]) -> bool:
    """Return whether a request must be answered here: OPTIONS whose way ends at this proxy.

    Source: RFC 9110 §7.6.2.
    """
    return method == "OPTIONS" and fields.get("Max-Forwards", "").strip() == "0"


def _allow(methods: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return (("Allow", ", ".join(methods)),)


def _why_writing(method: str, fields: Mapping[str, str], *, upgrade: bool) -> str:
    if method not in SAFE:
        return f"{method} is not forwarded"
    if upgrade:
        return "a websocket is not forwarded"
    # For servers that pass fields on as variables both signs are the same (RFC 3875 §4.1.18).
    if any(name.lower().replace("_", "-") in OVERRIDES for name in fields):
        return "the method cannot be overridden by a header"
    return ""
