"""The table of the flows, and the list of a server's endpoints; every other list of them is made from these.

This module is read before the browser is started, so it has plain classes and imports only the words. The
function that runs a flow is in `flows.catalog`, the conditions for its use are in `plan`, and its known risks
are in `compare.judging.known_rows`.
"""

from __future__ import annotations

from loopback_auth.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    FlowName = Literal[
        "code", "token", "id_token", "id_token token", "code id_token", "ticket", "device", "paste"
    ]
    """A flow that a caller can name."""
    ChoosableFlow = Literal["code", "ticket", "device", "paste"]
    """A flow that the program can choose by itself."""
    TwoStepFlow = Literal["ticket", "device", "paste"]
    """A flow that one process can begin and another one finish."""


TIMEOUT = 300.0
"""Seconds that a person gets to sign in and approve, unless a ticket or a device code has a lifetime."""

_TWO_ENDPOINTS = ("authorization_endpoint", "token_endpoint")


class FlowTraits:
    """The properties of a flow by which other modules decide.

    Args:
        name: of the flow, as in `--flow`; for a response type that type (RFC 6749 §3.1.1).
        summary: what happens, in one or two sentences.
        source: clause or public page that defines it.
        variant_of: the flow that this is a form of, for forms that only a comparison and an explanation list
            separately; empty: it is not a form of another flow.
        needs_port: the browser brings the response to a port of this machine.
        brings_code: an authorization code comes through the browser.
        begun_by: name of the request that begins it, where the person approves on any device.
        polled_by: name of the request that the program repeats until the person has approved there.
        approved_by_anybody: nothing but the name of the account shows that the person who approved is the
            person who started (RFC 6749 §10.16; RFC 8628 §5.4).
        two_step: one process can begin it and another can finish it, because no port has to stay open.
        choosable: it may be chosen by the program; the implicit grant may not (RFC 9700 §2.1.2).
        compared: `compare` runs it unless other flows are named.
        needs: what must be known about a provider that offers the flow: "ticket" (its contract), or endpoints
            by their names in the metadata. An issuer is enough in their place, since it may publish them.
        awaited: completes "Waiting for ...".
        title: begins "... has ended".
        key: the key that shows its link, and what the key is for; empty: no key does.
        approved_with: what the person needs in order to approve, "link" or "code".
    """

    __slots__ = (
        "approved_by_anybody",
        "approved_with",
        "awaited",
        "begun_by",
        "brings_code",
        "choosable",
        "compared",
        "key",
        "name",
        "needs",
        "needs_port",
        "polled_by",
        "source",
        "summary",
        "title",
        "two_step",
        "variant_of",
    )

    def __init__(
        self,
        name: FlowName | Literal["code form_post", "code + par", "code + dpop", "resource"],
        summary: str,
        source: str,
        *,
        variant_of: FlowName | Literal[""] = "",
        needs_port: bool = False,
        brings_code: bool = False,
        begun_by: str = "",
        polled_by: str = "",
        approved_by_anybody: bool = False,
        two_step: bool = False,
        choosable: bool = False,
        compared: bool = False,
        needs: tuple[str, ...] = _TWO_ENDPOINTS,
        awaited: str = Words.AWAITED_BROWSER,
        title: str = Words.FLOW_BROWSER,
        key: str = "",
        approved_with: str = "link",
    ) -> None:
        self.name: str = name
        self.summary: str = summary
        self.source: str = source
        self.variant_of = variant_of
        self.needs_port: bool = needs_port
        self.brings_code: bool = brings_code
        self.begun_by: str = begun_by
        self.polled_by: str = polled_by
        self.approved_by_anybody: bool = approved_by_anybody
        self.two_step: bool = two_step
        self.choosable: bool = choosable
        self.compared: bool = compared
        self.needs: tuple[str, ...] = needs
        self.awaited: str = awaited
        self.title: str = title
        self.key: str = key
        self.approved_with: str = approved_with

    @property
    def offered_by(self) -> tuple[str, ...]:
        """What to look for in the settings of a provider: one of these is there if it offers the flow."""
        named = ("issuer", "resource_server")
        return self.needs[:1] if self.needs == ("ticket",) else (self.needs[0], *named)

    @property
    def polled(self) -> bool:
        """Whether the person approves on any device, and the program asks until that is done."""
        return bool(self.polled_by)

    @property
    def brings_tokens(self) -> bool:
        """Whether the browser brings tokens, and nothing is exchanged for them."""
        return self.needs_port and not self.brings_code


FLOWS = (
    FlowTraits(
        "code",
        "The browser is redirected to this machine with a code, which the program exchanges for tokens.",
        "RFC 8252 §7.3",
        needs_port=True,
        brings_code=True,
        choosable=True,
        compared=True,
    ),
    FlowTraits(
        "code form_post",
        "The browser posts a form with a code to this machine. The program exchanges it for tokens.",
        "OAuth 2.0 Form Post Response Mode §2",
        variant_of="code",
        needs_port=True,
        brings_code=True,
        compared=True,
    ),
    FlowTraits(
        "code + par",
        "The program sends its request to the server first. The browser only carries a reference to it.",
        "RFC 9126 §1",
        variant_of="code",
        needs_port=True,
        brings_code=True,
        compared=True,
    ),
    FlowTraits(
        "code + dpop",
        "The tokens are bound to a key of the program. A copy of them is of no use without the key.",
        "RFC 9449 §2",
        variant_of="code",
        needs_port=True,
        brings_code=True,
        compared=True,
    ),
    FlowTraits(
        "resource",
        "Only the URL of a resource is known. It names the server, and the program registers itself there.",
        "RFC 9728 §5",
        variant_of="code",
        needs_port=True,
        brings_code=True,
        compared=True,
    ),
    FlowTraits(
        "token",
        "The browser is redirected to this machine with the access token itself in the URL fragment.",
        "RFC 9700 §2.1.2",
        needs_port=True,
        approved_by_anybody=True,
        compared=True,
    ),
    FlowTraits(
        "id_token",
        "The browser is redirected with an ID token in the URL fragment. There is no access token.",
        "OpenID Connect Core 1.0 §3.2",
        needs_port=True,
    ),
    FlowTraits(
        "id_token token",
        "The browser is redirected with an access token and an ID token in the URL fragment.",
        "OpenID Connect Core 1.0 §3.2",
        needs_port=True,
    ),
    FlowTraits(
        "code id_token",
        "The browser is redirected with a code and an ID token. The program exchanges the code.",
        "OpenID Connect Core 1.0 §3.3",
        needs_port=True,
        brings_code=True,
    ),
    FlowTraits(
        "ticket",
        "The program creates a ticket, and the user approves it. The program polls, then exchanges it.",
        "https://github.com/netlify/open-api",
        begun_by="ticket request",
        polled_by="ticket status request",
        approved_by_anybody=True,
        two_step=True,
        choosable=True,
        compared=True,
        needs=("ticket",),
        awaited=Words.AWAITED_TICKET,
        title=Words.FLOW_TICKET,
        key=Words.KEY_TICKET,
    ),
    FlowTraits(
        "device",
        "The server issues a short code, and the user approves it. The program polls for the tokens.",
        "RFC 8628 §1",
        begun_by="device authorization request",
        polled_by="device token request",
        approved_by_anybody=True,
        two_step=True,
        choosable=True,
        compared=True,
        needs=("device_authorization_endpoint", "token_endpoint"),
        awaited=Words.AWAITED_DEVICE,
        title=Words.FLOW_DEVICE,
        key=Words.KEY_DEVICE,
        approved_with="code",
    ),
    FlowTraits(
        "paste",
        "The user copies a URL with a code to the program. The program exchanges the code for tokens.",
        "RFC 8252 §7.3",
        brings_code=True,
        two_step=True,
        choosable=True,
        compared=True,
        awaited=Words.AWAITED_PASTE,
        title=Words.FLOW_PASTE,
    ),
)
"""Every flow, in the order in which they are chosen, compared and listed."""

ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
)
"""The endpoints by their names in the metadata (RFC 8414 §2), which name fields and settings as well."""

BY_NAME: dict[str, FlowTraits] = {flow.name: flow for flow in FLOWS}
NAMES = tuple(flow.name for flow in FLOWS if not flow.variant_of)
"""All flows that a caller can name."""
REDIRECTING = tuple(flow.name for flow in FLOWS if flow.needs_port and not flow.variant_of)
NO_REDIRECT = tuple(flow.name for flow in FLOWS if not flow.needs_port)
"""Flows that need no browser to reach this machine."""
POLLED = tuple(flow.name for flow in FLOWS if flow.polled)
APPROVED_BY_ANYBODY = tuple(flow.name for flow in FLOWS if flow.approved_by_anybody)
TWO_STEP: tuple[TwoStepFlow, ...] = tuple(flow.name for flow in FLOWS if flow.two_step)  # type: ignore[misc]
"""A test compares it with its type."""
CHOOSABLE: tuple[ChoosableFlow, ...] = tuple(  # The same.
    flow.name  # type: ignore[misc]
    for flow in FLOWS
    if flow.choosable
)
COMPARED = tuple(flow.name for flow in FLOWS if flow.compared)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Make the types from the table, for code that reads annotations at run time (PEP 562)."""
        names = {"FlowName": NAMES, "ChoosableFlow": CHOOSABLE, "TwoStepFlow": TWO_STEP}.get(name)
        if names is None:  # Also asked for `__path__`, whenever something is imported from here.
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from typing import Literal  # Start-up: the browser would have to wait for it.

        return Literal[names]
