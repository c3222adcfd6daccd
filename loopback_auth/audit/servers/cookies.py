"""The cookies of one visit to a server: as a browser sends them back, as far as a login page needs that.

Kept by origin and name. Paths and domains are not looked at: a visit is short, and a cookie is never sent to
another origin than the one that has set it.

Source: RFC 6265 §4.1, §4.2, §5.3.
"""

from __future__ import annotations

from loopback_auth.http_messages import HttpRequest, HttpResponse
from loopback_auth.protocol.urls import origin
from loopback_auth.records import replace


class Cookies:
    """Keeps the cookies of a visit."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, str]] = {}

    def learn(self, url: str, response: HttpResponse) -> None:
        """Keep the cookies that a response sets, and forget those that it deletes.

        Args:
            url: that was requested.
            response: untrusted.

        Source: RFC 6265 §5.2, §5.3.
        """
        kept = self._kept.setdefault(origin(url), {})
        for line in set_cookies(response):
            pair, _, attributes = line.partition(";")
            name, _, value = pair.strip().partition("=")
            names = {
                one.partition("=")[0].strip().lower(): one.partition("=")[2] for one in attributes.split(";")
            }
            max_age = names.get("max-age", "").strip()
            if max_age == "0" or max_age.startswith("-") or "1970" in names.get("expires", ""):
                kept.pop(name, None)
            elif name:
                kept[name] = value

    def added(self, request: HttpRequest) -> HttpRequest:
        """Return a request with the cookies of its origin.

        Source: RFC 6265 §5.4.
        """
        kept = self._kept.get(origin(request.url), {})
        if not kept:
            return request
        line = "; ".join(f"{name}={value}" for name, value in kept.items())
        return replace(request, headers=(*request.headers, ("Cookie", line)))


def set_cookies(response: HttpResponse) -> list[str]:
    """Return the lines with which a response sets cookies.

    Source: RFC 6265 §4.1.
    """
    return [value for name, value in response.headers if name.lower() == "set-cookie"]
