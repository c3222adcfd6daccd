"""What each request, parameter and secret of a sign-in is for: a sentence each, with its source.

Only tables: `story` and `story_questions` choose from them by what a trace shows. Where a sentence is true
only for one variant, its key names the variant.
"""

from __future__ import annotations

from collections.abc import Mapping

Sentence = tuple[str, str]
"""A sentence, and the clause or page behind it."""

VENDOR = "{contract}"
"""Is replaced by the source of the vendor's contract."""

STEPS: Mapping[str, Sentence] = {
    "bind": (
        "The program opens a port on this machine first, because the redirect URI contains the number of the "
        "port.",
        "RFC 8252 §7.3",
    ),
    "open": (
        "The browser first opens a page of the program, whose address contains nothing of the request. The "
        "page redirects to the provider. The visit proves that this browser can reach the program.",
        "jupyter/notebook#4260",
    ),
    "open link": ("The program shows the link. It can be opened on any machine.", "aws/aws-cli#9098"),
    "invite": ("The user opens this address, on this machine or on another one, and approves.", VENDOR),
    "invite device": (
        "The user opens this address, compares the code, and approves.",
        "RFC 8628 §3.3, §3.3.1",
    ),
    "paste": (
        "The user copies the whole address from the address bar into the terminal.",
        "RFC 6749 §4.1.2",
    ),
    "done": ("The program checks the tokens before it uses them.", "RFC 9700 §4.5.3.2"),
    "request without a token": (
        "The program asks the resource without a token. The response demands one, and says where the "
        "resource describes itself.",
        "RFC 9728 §5.1",
    ),
    "request without a token unchallenged": (
        "This response demands no token. MCP servers may answer POST requests only, so the program sends the "
        "first message of an MCP client.",
        "RFC 9728 §5",
    ),
    "resource metadata request": (
        "The resource names the servers that issue its tokens, and the scopes. The resource in the response "
        "must be the one that was asked; otherwise a resource could get tokens that are for another one.",
        "RFC 9728 §3.3, §7.3",
    ),
    "resource metadata request missing": (
        "There are no metadata of the resource at this address, so the program tries the next one.",
        "RFC 9728 §3.1",
    ),
    "registration request": (
        "The program has no client ID at this server, so it registers itself. The redirect URI is the one "
        "that it listens on already.",
        "RFC 7591 §3",
    ),
    "metadata request": (
        "The server publishes its endpoints and what it supports. The issuer in the response must be the one "
        "that was asked.",
        "RFC 8414 §3.3",
    ),
    "metadata request missing": (
        "The server has no metadata at this address, so the program tries the next one.",
        "RFC 8414 §5",
    ),
    "key set request": (
        "The program fetches the keys that verify the signature of the ID token.",
        "OpenID Connect Core 1.0 §3.1.3.7",
    ),
    "pushed authorization request": (
        "The program sends the parameters to the server directly. The browser gets only a reference to them.",
        "RFC 9126 §2",
    ),
    "authorization request": (
        "The browser brings the request to the server: which client asks, for which scope, and where the "
        "response should go.",
        "RFC 6749 §4.1.1",
    ),
    "authorization request fragment": (
        "The browser brings the request to the server. It asks for the token itself, not for a code.",
        "RFC 6749 §4.2.1",
    ),
    "authorization request refused": (
        "The server shows an error and does not redirect the browser. It must not redirect when the client "
        "or the redirect URI is unknown.",
        "RFC 6749 §4.1.2.1",
    ),
    "approve": (
        "The user signs in at the server and approves. The program sees nothing of this.",
        "RFC 6749 §3.1",
    ),
    "authorization response": (
        "The server redirects the browser to the redirect URI, with a code in the address. The code can be "
        "exchanged once, and only for a short time.",
        "RFC 6749 §4.1.2",
    ),
    "authorization response form_post": (
        "The browser sends the code in a form. So the code is not in the address bar or the history.",
        "OAuth 2.0 Form Post Response Mode §2",
    ),
    "authorization response refused": (
        "The server redirects the browser with an error. No access was granted.",
        "RFC 6749 §4.1.2.1",
    ),
    "authorization response tokens": (
        "The browser sends the tokens in a form. They are not in the address bar or the history, but they "
        "are in a page.",
        "OAuth 2.0 Form Post Response Mode §2",
    ),
    "authorization response unseen": (
        "The browser comes back with the response after the # of the address. Recordings leave that part "
        "out.",
        "RFC 6749 §4.2.2",
    ),
    "authorization response fragment": (
        "The response is after the # of the address. The browser never sends that part to a server; only a "
        "script in the browser can read it.",
        "RFC 6749 §4.2.2, §4.2 (D-F)",
    ),
    "authorization response paste": (
        "The server redirects the browser to an address that the browser cannot open. The code is in that "
        "address.",
        "RFC 6749 §4.1.2",
    ),
    "fragment relay": (
        "A script in the program's own page reads the fragment, sends it to the program, and clears the "
        "address bar.",
        "RFC 6749 §4.2 (D-F)",
    ),
    "token request": (
        "The program sends the code to the server and gets the tokens. The browser does not see this "
        "request.",
        "RFC 6749 §4.1.3",
    ),
    "token request browser": (
        "A script in the browser exchanges the code, so the tokens come to that page.",
        "RFC 6749 §4.1.3",
    ),
    "refresh request": ("The program exchanges a refresh token for a new access token.", "RFC 6749 §6"),
    "UserInfo request": (
        "The program asks whose account it is. This is the first use of the access token.",
        "OpenID Connect Core 1.0 §5.3",
    ),
    "revocation request": ("The program revokes the token. It cannot be used afterwards.", "RFC 7009 §2.1"),
    "introspection request": ("A server asks whether a token is valid.", "RFC 7662 §2"),
    "device authorization request": (
        "The program gets two codes: a long one (the device code), which it keeps and polls with, and a "
        "short one (the user code) for the user.",
        "RFC 8628 §3.1",
    ),
    "device verification page": (
        "The user opens the page on any device, and compares or types the user code.",
        "RFC 8628 §3.3",
    ),
    "device token request": (
        "The program asks whether the user has approved, as often as the server allows. Now the response "
        "contains the tokens.",
        "RFC 8628 §3.4",
    ),
    "device token request pending": (
        "The program asks whether the user has approved. Not yet: the program waits, then asks again.",
        "RFC 8628 §3.5",
    ),
    "ticket request": (
        "The program asks for a ticket and gets its ID. The request proves nothing about the program, and "
        "the ticket is not bound to it.",
        VENDOR,
    ),
    "ticket request bound": (
        "The program asks for a ticket and gets its ID. A code challenge binds the ticket to this program.",
        VENDOR,
    ),
    "ticket approval page": ("The browser opens the provider's page for this ticket.", VENDOR),
    "ticket approval": (
        "The server records the user's decision in the ticket. No redirect follows.",
        VENDOR,
    ),
    "ticket status request": (
        "The program asks whether the user has approved. The answer is yes.",
        VENDOR,
    ),
    "ticket status request pending": (
        "The program asks whether the user has approved. Not yet. The program can only ask: there is no "
        "callback.",
        VENDOR,
    ),
    "ticket exchange": (
        "The program exchanges the approved ticket for the token. Anyone who has the ID can do this.",
        VENDOR,
    ),
    "ticket exchange bound": (
        "The program exchanges the approved ticket for the token. The code verifier proves that it is the "
        "program that started.",
        VENDOR,
    ),
    "account request": (
        "The program asks whose account it is. This is the first use of the access token.",
        VENDOR,
    ),
    "ticket clean-up": ("The program deletes the ticket, which is not needed any more.", VENDOR),
}
"""What each step or request is for, by its name; a variant may follow the name."""
