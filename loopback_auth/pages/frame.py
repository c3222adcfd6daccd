"""The frame of every page: its skeleton, what text goes through to become HTML, and its headers.

Decides what may run in a page and what its headers say. A page loads nothing from anywhere and treats every
argument as hostile text: cleaned for display, escaped for HTML, never part of a script. Which pages there
are is decided elsewhere.

The address of a page may hold an authorization code, so each response refuses caches, referrers, frames
and openers (RFC 6749 §3.1.2.5, RFC 9700 §4.2.4). There is never a Strict-Transport-Security header: it
would turn every later http page of this host into an error, for other programs too.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from functools import cache
from html import escape
from string import Template

from loopback_auth.errors import ConfigError
from loopback_auth.http_messages import HttpResponse
from loopback_auth.redact import server_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HERE = __name__.rpartition(".")[0]
_COMMON_HEADERS = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)

_ORIGIN = re.compile(
    r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?(?=[/?#]|\Z)", re.IGNORECASE | re.ASCII
)

_ANY_STYLE = "'unsafe-inline'"


class Look:
    """What differs from the pages of one program to those of another.

    Args:
        language: a tag of RFC 5646.
        name: of the program; empty: it has none.
        icon: URL of its logo, with the image in it; empty: it has none.
        style: rules that follow ours.
        any_style: a page of the program's own may come in place of this one.
    """

    def __init__(
        self,
        *,
        language: str = "en",
        name: str = "",
        icon: str = "",
        style: str = "",
        any_style: bool = False,
    ) -> None:
        self.language: str = language
        self.name: str = name
        self.icon: str = icon
        self.style: str = style
        self.any_style: bool = any_style

    def brand(self) -> str:
        """Return the line above each page, as HTML; empty for a program that says nothing of itself."""
        logo = f'<img src="{self.icon}" alt="">' if self.icon else ""
        name = f"<span>{escape(self.name)}</span>" if self.name else ""
        return f'<header class="brand">{logo}{name}</header>\n' if logo or name else ""


def safe_headers() -> tuple[tuple[str, str], ...]:
    """Give the security headers of an answer without a page: a redirect or an empty body.

    Source: RFC 6749 §3.1.2.5; RFC 9700 §4.2.4; RFC 9111 §5.2.2.5.
    """
    return (*_COMMON_HEADERS, ("Content-Security-Policy", _policy(form_action="'none'")))


def page(
    status: int,
    *,
    title: str,
    body: str,
    script: str = "",
    attributes: str = "",
    form_action: str = "'none'",
    footer: str,
    tone: str = "plain",
    look: Look | None = None,
) -> HttpResponse:
    """Put a body into the skeleton.

    Args:
        status: HTTP status.
        title: HTML already.
        body: the same.
        script: the only one that may run.
        attributes: of the body element, HTML already, with an address of ours that the script asks.
        form_action: where forms may go, as a policy says it.
        footer: who speaks here, HTML already.
        tone: `plain`, or `bad` for what did not succeed.
        look: what differs from program to program; None: nothing does.
    """
    look = look or Look()
    style = file_text("style.css") + look.style
    html = fill(
        "page.html",
        language=escape(look.language),
        title=title,
        of_whom=f" - {escape(look.name)}" if look.name else "",
        icon=look.icon or "data:,",
        brand=look.brand(),
        style=style,
        tone=tone,
        body=body,
        footer=footer,
        attributes=attributes,
        script=f"<script>{script}</script>" if script else "",
    )
    # The page that comes in place of a waiting one is shown under the policy of the waiting one.
    source = _ANY_STYLE if look.any_style and attributes else _hash_source(style)
    policy = _policy(form_action=form_action, style=source, script=script, connect=bool(attributes))
    return _response(status, html, policy)


def foreign_page(status: int, html: str, *, script: str) -> HttpResponse:
    """Make a response of HTML that is not ours: with styles in it, but nothing loaded and nothing run.

    Args:
        status: HTTP status.
        html: a whole page.
        script: of ours, which runs at its end.
    """
    policy = _policy(form_action="'none'", style=_ANY_STYLE, script=script)
    return _response(status, f"{html}<script>{script}</script>", policy)


def data_url(logo: str | bytes) -> str:
    """Write an image into a URL; what is shown as an image runs no script, loads nothing (SVG 2 §2.2.3)."""
    kind, content = ("svg+xml", logo.encode("utf-8", "replace")) if isinstance(logo, str) else ("png", logo)
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _response(status: int, html: str, policy: str) -> HttpResponse:
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        *_COMMON_HEADERS,
        ("Content-Security-Policy", policy),
    )
    return HttpResponse(status, headers, html.encode("utf-8", "replace"))


def fill(name: str, *, package: str = _HERE, **values: str) -> str:
    """Put HTML into the places of a file that lies beside the modules of a package."""
    return _template(name, package).substitute(values)


@cache
def file_text(name: str, package: str = _HERE) -> str:
    """Read a file that lies beside the modules of a package, be it in a folder, a zip or a frozen program.

    Raises:
        ConfigError: it is not there.
    """
    try:
        read = _read(package, name)
    except (OSError, AttributeError):
        raise ConfigError(
            f"A file of this package is missing: {name} of {package}",
            hint="Install the package whole; with PyInstaller add --collect-data loopback_auth.",
        ) from None
    # Line ends become \n on every system, as the browser sees them before it hashes.
    return read.decode("utf-8").replace("\r\n", "\n")


def _read(package: str, name: str) -> bytes:
    # Asked of the loader of the package, for a zip and a frozen program have no folder for it. So does
    # `pkgutil.get_data`, whose import costs more than all pages together.
    module = sys.modules[package]
    path = os.path.join(os.path.dirname(module.__file__ or ""), name)  # noqa: PTH118, PTH120 - no file system
    loader: Any = module.__loader__
    read: bytes = loader.get_data(path)
    return read


def escaped(text: str) -> str:
    """Make HTML of a text that may come from a stranger: cleaned for display, then escaped."""
    return escape(server_text(text))


def sentence(text: str, **fields: str) -> str:
    """Make HTML of a sentence of ours, and put HTML into its fields."""
    return escape(text, quote=False).format(**fields)


def paragraph(text: str, *, style: str) -> str:
    """Make a paragraph of such a text, and none of an empty one."""
    shown = escaped(text)
    return f'<p class="{style}">{shown}</p>' if shown else ""


def form_source(url: str) -> str:
    """Name the origin of a URL as a policy can, refusing whatever could smuggle in a directive."""
    origin = _ORIGIN.match(url)
    if origin is None:
        raise ConfigError(
            "A page cannot send its form there: not an absolute http or https URL",
            hint="Use a redirect URI such as http://127.0.0.1:8080/callback.",
        )
    scheme, host, port = origin.groups("")
    # A source cannot be an IPv6 address (CSP Level 3 §2.3.1), and browsers ignore one: the scheme has to do.
    return f"{scheme}:" if host.startswith("[") else f"{scheme}://{host}{port}"


def _policy(*, form_action: str, style: str = "", script: str = "", connect: bool = False) -> str:
    """Spell a policy that allows these styles and exactly this script (CSP Level 3 §2.3.1, §6.7.3)."""
    directives = [
        "default-src 'none'",
        "base-uri 'none'",
        f"form-action {form_action}",
        "frame-ancestors 'none'",
    ]
    if style:
        # A page names an empty icon, or browsers look for one at an address of ours, and Firefox complains.
        directives += [f"style-src {style}", "img-src data:"]
    if script:
        directives.append(f"script-src {_hash_source(script)}")
    if connect:
        directives.append("connect-src 'self'")
    return "; ".join(directives)


@cache
def _template(name: str, package: str) -> Template:
    return Template(file_text(name, package))


@cache
def _hash_source(inline: str) -> str:
    digest = base64.b64encode(hashlib.sha256(inline.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
