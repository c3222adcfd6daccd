"""The notes, questions and answers of an explanation, and who could have taken a secret.

Only tables: `narration` and `story_questions` choose from them, and fill in what a trace shows. The sentence
for each request, parameter and secret is in `story_words`.
"""

from __future__ import annotations

from collections.abc import Mapping

NOTES: Mapping[str, str] = {
    "rehearsed": (
        "Nothing was sent to {provider}: this is what the program does, rehearsed in memory. Only the "
        "response fields that the program uses are shown."
    ),
    "asked": (
        "The resource and its server were asked just now, without a token. Nothing was registered, and no "
        "one signed in: what follows these requests is rehearsed in memory."
    ),
    "demo": "https://as.example stands for the demonstration server.",
    "port": "PORT stands for any free port.",
    "client_id": "CLIENT_ID stands for your client ID.",
    "published": (
        "The provider publishes the addresses in braces; they were not fetched.{see} To fill them in, pass "
        "--token-endpoint URL, and so on."
    ),
    "see": " To see them: {commands}.",
    "from_response": (
        "An address in braces that says 'from the response' is chosen by the provider, and is another one "
        "each time."
    ),
    "no_token_request": (
        "The recording does not show the code exchange: the token request goes from the program to the "
        "server, and a browser does not see it."
    ),
    "no_polls": "The recording does not show the polling: the program polls, and a browser does not see it.",
    "refused": "The sign-in was refused ({reason}).",
}
"""What the reader needs to know beforehand."""

QUESTIONS: Mapping[str, str] = {
    "ticket": "What is a ticket?",
    "server": "How does the program find the server where the user signs in?",
    "client_id": "Where does the client ID come from?",
    "resource": "What is the token good for?",
    "approval": "How does the program learn of the approval?",
    "redirect_uri": "What is the redirect URI for?",
    "no_redirect_uri": "Why is the redirect URI ignored?",
    "code": "Does response_type=code work, and where is its token endpoint?",
    "token_endpoint": "Where is the token endpoint, and what does it require?",
    "access_token": "Where does the access token appear, and can code in the browser read it?",
}
"""What people ask about a flow."""

ANSWERS: Mapping[str, str] = {
    "ticket": (
        "The program creates a ticket ({create}) and gets its ID. The user approves the ticket in a browser. "
        "{finish} {holder} No standard describes tickets: they are this vendor's method for programs to "
        "which the browser cannot be redirected."
    ),
    "ticket exchange": "Then the program exchanges the ticket for the token ({exchange}).",
    "ticket poll": "Then the next status request returns the token.",
    "ticket holder": "Anyone who has the ID can do that.",
    "ticket holder bound": "Only a program that also has the code verifier can do that.",
    "ticket holder more": "Only a program that also has what came with the ID can do that.",
    "server": (
        "It asks the resource ({request}). The response demands a token. The metadata of the resource "
        "({metadata}) name the issuers of such tokens: {issuers}. The program takes the first one at which "
        "it can sign in."
    ),
    "client_id": (
        "The program registers itself at the server ({request}), and keeps what it gets for the next time. "
        "The server cannot know whether the name that the user sees is the right one."
    ),
    "resource": (
        "For {resource} alone. The program names that resource in the authorization request and in the token "
        "request, and another resource should refuse the token."
    ),
    "approval polled": "By polling: {poll}, here {times}.{until}{no_callback}",
    "approval no callback": " There is no callback: the server sent no request to the program.",
    "approval until": " It asks{pace} until {member} is {value}.{gone}",
    "approval pace": " at most once every {seconds:g} s",
    "approval gone": (
        " A response with status {statuses} also ends the polling: the ticket was denied, has expired, or is "
        "unknown."
    ),
    "approval pasted": "The user copies the address with the response and pastes it.",
    "approval relayed": (
        "The browser comes back to the redirect URI, and a script in the page there sends the response to "
        "the program."
    ),
    "approval redirected": "The browser brings the response to {url}, where the program receives it.",
    "redirect_uri": (
        "It tells the server where to redirect the browser: {uri}. The server must compare it with the "
        "registered ones, character by character{exactly}"
    ),
    "redirect_uri exact": ".",
    "redirect_uri loopback": "; the port of a loopback address may differ.",
    "no_redirect_uri": (
        "Nothing comes back through the browser. No request of this flow carries a redirect_uri, and the "
        "approval page does not redirect the browser: the server only records the approval."
    ),
    "code": (
        "Yes: that is the code flow; see explain code {provider}. Its token endpoint is "
        "{token_endpoint}{secret}."
    ),
    "code secret": ", which requires a client secret",
    "token_endpoint": "{url}.{proofs}{warning}",
    "token_endpoint proofs": " It requires {proofs}.",
    "token_endpoint code_verifier": "the code verifier (code_verifier)",
    "token_endpoint client_secret": "the client secret (client_secret)",
    "token_endpoint warning": " A secret that is shipped with a program is not secret.",
    "access_token fragment": (
        "The browser carries it after the # of the address, where scripts, extensions and the history "
        "can read it."
    ),
    "access_token page": (
        "The browser carries it through a page, which its scripts and the browser's extensions can read."
    ),
    "access_token response": (
        "It is sent only between the program and {provider}, first in the response to the {request}. No "
        "page, script or extension in the browser sees it.{but}"
    ),
    "access_token request": (
        "It is sent only between the program and {provider}, first in the {request}. No page, script or "
        "extension in the browser sees it.{but}"
    ),
    "access_token but": (
        " But the browser sees {secrets}, and the first program that exchanges it gets the token."
    ),
}
"""Answers by the key of the question; what is answered, or a part of it, may follow the key."""

TAKERS: Mapping[str, str] = {
    "program": "anyone who has a copy of the program, if it is shipped with one",
    "processes": "anyone who lists the processes of this machine",
    "screen": "anyone who sees the link or the screen",
    "history": "anyone who reads the address bar or the history",
    "extensions": "extensions of the browser",
    "document": "anyone who reads the document",
    "port": "another program that has taken the port",
    "clipboard": "programs that read the clipboard",
    "only": "no one, because only the program and {provider} have it",
    "only inside TLS": "no one, because only the program and {provider} have it, and it is sent inside TLS",
}
"""Who could have taken a secret."""
