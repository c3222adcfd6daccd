"""What each request, parameter and secret of a sign-in is for, in a sentence, with the clause that says so.

Tables and nothing else: what is told of a sign-in is chosen in `story` by what its trace shows. Where a
sentence holds for one kind of flow alone, its key names the kind.
"""

from __future__ import annotations

from collections.abc import Mapping

Told = tuple[str, str]
"""A sentence, and its source."""

VENDOR = "{contract}"
"""Stands for the source of the vendor's contract."""

STEPS: Mapping[str, Told] = {
    "bind": (
        "The program listens on this machine before it asks for anything: only so does it know its redirect "
        "URI.",
        "RFC 8252 §7.3",
    ),
    "open": (
        "The browser starts at a page of the program's own, whose address says nothing of the request. It "
        "leads on to the provider, and that somebody came shows that this browser can come back.",
        "jupyter/notebook#4260",
    ),
    "open link": ("The program shows the link; whoever opens it may be on any machine.", "aws/aws-cli#9098"),
    "invite": ("The person is asked to approve at this address, on this machine or another.", VENDOR),
    "invite device": (
        "The person is asked to approve at this address, and compares the code.",
        "RFC 8628 §3.3, §3.3.1",
    ),
    "paste": (
        "The person copies the whole address from the address bar into the terminal.",
        "RFC 6749 §4.1.2",
    ),
    "done": ("The tokens are checked, and only now are they handed out.", "RFC 9700 §4.5.3.2"),
    "metadata request": (
        "The server publishes its addresses and what it can do; it has to name the very issuer that was "
        "asked.",
        "RFC 8414 §3.3",
    ),
    "metadata request missing": (
        "The program looks here first, and goes on to the next address where there is nothing.",
        "RFC 8414 §5",
    ),
    "key set request": (
        "The keys by which the signature of the ID token is checked.",
        "OpenID Connect Core 1.0 §3.1.3.7",
    ),
    "pushed authorization request": (
        "The program hands the parameters to the server itself; the browser gets no more than a reference.",
        "RFC 9126 §2",
    ),
    "authorization request": (
        "The browser takes the request to the server, which now knows who asks for what, and where to "
        "answer.",
        "RFC 6749 §4.1.1",
    ),
    "authorization request fragment": (
        "The browser takes the request to the server. It asks for the token itself, not for a code.",
        "RFC 6749 §4.2.1",
    ),
    "authorization request refused": (
        "The server answers with an error and sends the browser nowhere, as it has to where it does not know "
        "the client or the redirect URI.",
        "RFC 6749 §4.1.2.1",
    ),
    "approve": (
        "They have proven who they are. How that is done is up to the server; the program sees none of it.",
        "RFC 6749 §3.1",
    ),
    "authorization response": (
        "The server sends the browser back to the redirect URI with a code in the address. It can be "
        "redeemed once, and soon.",
        "RFC 6749 §4.1.2",
    ),
    "authorization response form_post": (
        "The browser brings the code in a form, so that it is in no address and no history.",
        "OAuth 2.0 Form Post Response Mode §2",
    ),
    "authorization response refused": (
        "The server sends the browser back with an error: nothing was granted.",
        "RFC 6749 §4.1.2.1",
    ),
    "authorization response tokens": (
        "The browser brings the tokens themselves in a form: in no address and no history, but in a page.",
        "OAuth 2.0 Form Post Response Mode §2",
    ),
    "authorization response unseen": (
        "The browser comes back with the answer behind the # of the address, which recordings leave out.",
        "RFC 6749 §4.2.2",
    ),
    "authorization response fragment": (
        "The answer is behind the # of the address. No request carries that part: only a script in the "
        "browser can read it.",
        "RFC 6749 §4.2.2, §4.2 (D-F)",
    ),
    "authorization response paste": (
        "The server sends the browser to an address that it cannot open from where it is; the code is in it.",
        "RFC 6749 §4.1.2",
    ),
    "fragment relay": (
        "A script of the program's own page reads the fragment, hands it to the program, and clears the "
        "address bar.",
        "RFC 6749 §4.2 (D-F)",
    ),
    "token request": (
        "The program redeems the code, straight at the server: no browser sees this.",
        "RFC 6749 §4.1.3",
    ),
    "token request browser": (
        "A script in the browser redeems the code, so that the tokens come to that page.",
        "RFC 6749 §4.1.3",
    ),
    "refresh request": ("A refresh token is turned into a fresh access token.", "RFC 6749 §6"),
    "UserInfo request": (
        "Whose account is it? This is the first use of the token.",
        "OpenID Connect Core 1.0 §5.3",
    ),
    "revocation request": ("The token is given up: nobody can use it afterwards.", "RFC 7009 §2.1"),
    "introspection request": ("Somebody asks the server what a token is worth.", "RFC 7662 §2"),
    "device authorization request": (
        "The program asks for two codes: a long one, which it keeps and asks with, and a short one for the "
        "person.",
        "RFC 8628 §3.1",
    ),
    "device verification page": (
        "The person opens the page on any device, and sees or enters the short code.",
        "RFC 8628 §3.3",
    ),
    "device token request": (
        "Has the person approved? The program asks, no more often than the server allows; the tokens are in "
        "the answer.",
        "RFC 8628 §3.4",
    ),
    "device token request pending": (
        "Has the person approved? Not yet; the program waits before it asks again.",
        "RFC 8628 §3.5",
    ),
    "ticket request": (
        "The program asks for a ticket and gets its id. Nothing proves who asks, and nothing is bound to it.",
        VENDOR,
    ),
    "ticket request bound": (
        "The program asks for a ticket and gets its id. A code challenge binds the ticket to this program.",
        VENDOR,
    ),
    "ticket approval page": ("The browser shows the provider's page for this ticket.", VENDOR),
    "ticket approval": ("The person's decision is noted on the ticket. No redirect follows.", VENDOR),
    "ticket status request": (
        "Has the person approved? Yes.",
        VENDOR,
    ),
    "ticket status request pending": (
        "Has the person approved? Not yet. There is no other way to know: nobody calls the program back.",
        VENDOR,
    ),
    "ticket exchange": (
        "The approved ticket is turned into the token, straight at the server. Whoever has the id can do "
        "this.",
        VENDOR,
    ),
    "ticket exchange bound": (
        "The approved ticket is turned into the token; the code verifier proves that it is the same program.",
        VENDOR,
    ),
    "account request": ("Whose account is it? This is the first use of the token.", VENDOR),
    "ticket clean-up": ("The ticket is removed, as it is of no use any more.", VENDOR),
}
"""By name of a step or request, where needed with the kind of flow or a circumstance behind."""

PARAMETERS: Mapping[str, Told] = {
    "response_type": ("what the browser is to bring back", "RFC 6749 §3.1.1"),
    "response_type ticket": ("that a ticket is to be approved; the browser brings nothing back", VENDOR),
    "response_mode": ("how it is to bring it", "OAuth 2.0 Multiple Response Types §2.1"),
    "client_id": ("which program asks; no secret", "RFC 6749 §2.2"),
    "client_secret": ("proves that it is that program, as long as it is secret", "RFC 6749 §2.3.1"),
    "redirect_uri": ("where to answer; nowhere else", "RFC 6749 §3.1.2"),
    "state": ("comes back unchanged: an answer without it is a stranger's", "RFC 6749 §10.12"),
    "nonce": (
        "comes back in the ID token, which so belongs to this request",
        "OpenID Connect Core 1.0 §3.1.2.1",
    ),
    "scope": ("what the token may do", "RFC 6749 §3.3"),
    "code_challenge": ("hash of a secret that only the program knows", "RFC 7636 §4.2"),
    "code_verifier": ("that secret: who redeems is who began", "RFC 7636 §4.5"),
    "code": ("buys the tokens once", "RFC 6749 §4.1.2"),
    "iss": ("which server answers", "RFC 9207 §2"),
    "grant_type": ("what is being redeemed", "RFC 6749 §4.1.3"),
    "device_code": ("what the program asks with", "RFC 8628 §3.2"),
    "user_code": ("what the person compares or enters", "RFC 8628 §3.2"),
    "verification_uri": ("where the person goes", "RFC 8628 §3.2"),
    "verification_uri_complete": ("the same with the code in it", "RFC 8628 §3.3.1"),
    "interval": ("seconds between two questions, at least", "RFC 8628 §3.2"),
    "expires_in": ("seconds for which it is good", "RFC 6749 §5.1"),
    "request_uri": ("reference to what was pushed", "RFC 9126 §2.2"),
    "access_token": ("opens the account, for whoever has it", "RFC 6750 §1.2"),
    "refresh_token": ("gets fresh access tokens without the person", "RFC 6749 §1.5"),
    "id_token": ("says who signed in", "OpenID Connect Core 1.0 §2"),
    "ticket": ("which ticket is to be approved", VENDOR),
    "authorized": ("whether the person has approved", VENDOR),
    "error": ("why not", "RFC 6749 §4.1.2.1, §5.2"),
    "error access_denied": ("the person, or the server for them, said no", "RFC 6749 §4.1.2.1"),
    "error authorization_pending": ("not approved yet; ask again", "RFC 8628 §3.5"),
    "error expired_token": ("nobody approved in time; begin anew", "RFC 8628 §3.5"),
    "error invalid_client": (
        "the server does not know the client, or how it proved itself is wrong",
        "RFC 6749 §5.2",
    ),
    "error invalid_grant": (
        "what was redeemed is used, expired, revoked or another client's, or the redirect URI or the code "
        "verifier is not that of the authorization request",
        "RFC 6749 §5.2; RFC 7636 §4.6",
    ),
    "error invalid_request": (
        "something is missing, malformed, or there twice",
        "RFC 6749 §4.1.2.1, §5.2",
    ),
    "error invalid_scope": ("the scope is unknown, or more than may be asked for", "RFC 6749 §4.1.2.1, §5.2"),
    "error slow_down": ("not approved yet; ask less often", "RFC 8628 §3.5"),
    "error unauthorized_client": (
        "the client is not allowed to sign in this way",
        "RFC 6749 §4.1.2.1, §5.2",
    ),
}
"""By name on the wire, where needed with the value behind."""

SECRETS: Mapping[str, Told] = {
    "access_token": ("Opens the account to whoever has it, until it ends or is revoked.", "RFC 6750 §1.2"),
    "refresh_token": ("Gets fresh access tokens, often for a long time.", "RFC 6749 §6"),
    "id_token": (
        "Says who signed in; it opens nothing, but it is personal.",
        "OpenID Connect Core 1.0 §2, §17.1",
    ),
    "client_secret": (
        "Lets anybody pose as this program. What is shipped with a program is no secret.",
        "RFC 8252 §8.5",
    ),
    "code": ("Buys the tokens for whoever redeems it first.", "RFC 6749 §10.5"),
    "code bound": ("Buys the tokens, but only together with the code verifier.", "RFC 7636 §1"),
    "code_verifier": ("Makes the code worth something. It is sent once, with the code.", "RFC 7636 §4.5"),
    "device_code": (
        "Gets the tokens for whoever asks with it once the person has approved.",
        "RFC 8628 §5.2",
    ),
    "user_code": (
        "Lets whoever enters it approve, in the name of whoever they are. A stranger's code signs a "
        "stranger's program in.",
        "RFC 8628 §5.4",
    ),
    "ticket": ("Gets the token for whoever asks first, once the person has approved.", VENDOR),
    "ticket bound": ("Gets the token, but only together with the code verifier.", VENDOR),
    "state": ("Shows which answer is ours. It is of no use once the answer is here.", "RFC 6749 §10.12"),
    "nonce": ("Ties the ID token to this request. It opens nothing.", "OpenID Connect Core 1.0 §3.1.2.1"),
    "request_uri": ("Stands for the pushed request; it can be used once.", "RFC 9126 §2.2"),
    "start_key": ("Opens the program's own page once, and with it this sign-in.", "jupyter/notebook#4260"),
}
"""By kind of secret; `bound` where a verifier has to come with it."""
