"""Sentences about links: what each kind is for, and what people ask about it. Only tables."""

from __future__ import annotations

from collections.abc import Mapping

from loopback_auth.compare.judging.verdicts import failed
from loopback_auth.explain.rules import Rule
from loopback_auth.explain.story_words import STEPS, VENDOR, Sentence

SUMMARIES: Mapping[str, Sentence] = {
    "by reference": (
        "The browser brings a reference to a request that the program pushed or signed before.",
        "RFC 9126 §4; RFC 9101 §5",
    ),
    "authorization response": ("The browser brings a response to the redirect URI.", "RFC 6749 §4.1.2"),
    "token request": (
        "These are the parameters of a token request, which is a POST request and no link.",
        "RFC 6749 §4.1.3, §3.2",
    ),
    "device verification page": STEPS["device verification page"],
    "ticket approval page": (
        "The page on which the user approves a ticket: a login that a program has begun.",
        VENDOR,
    ),
    "logout request": (
        "The browser asks the server to end the session of the user.",
        "OpenID Connect RP-Initiated Logout 1.0 §2",
    ),
    "metadata request": (
        "At this address a server publishes its endpoints and what it supports.",
        "RFC 8414 §3",
    ),
    "start page": (
        "This is the start page of a login of this program: it redirects to the provider, once.",
        "jupyter/notebook#4260",
    ),
    "OAuth 1.0": ("This is a link of OAuth 1.0, another protocol, which is not explained here.", "RFC 5849"),
    "SAML": (
        "This is a link of SAML, another protocol, which is not explained here.",
        "SAML 2.0 Bindings §3.4",
    ),
    "other": ("Nothing in this link belongs to a sign-in with OAuth.", ""),
}
"""What a link is, by its kind."""

TITLES: Mapping[str, str] = {
    "other": "link without a sign-in",
    "OAuth 1.0": "link of OAuth 1.0",
    "SAML": "link of SAML",
}
"""Titles by kind of link, where the name of the kind itself is not a title."""

NOTES: Mapping[str, str] = {
    "nothing sent": "Nothing was sent: this is what can be read from the link alone.",
    "no beginning": "The link has no beginning, so it is not said which server or program it goes to.",
    "cut": (
        "There is one parameter only. If there should be more, the shell has cut the link at the &: put the "
        "link in quotes, or pass it on the standard input."
    ),
    "by reference": "The parameters are elsewhere, so nothing is said about what they lack.",
}
"""What the reader needs to know first."""

_STOPPED = (
    "The browser shows an error at this address. What now?",
    "The program that waited there has ended, or is on another machine. If a login asks you to paste the "
    "address, paste it there. Do not give it to another person or page: a request for it is phishing.",
    "RFC 8252 §7.3; RFC 6749 §10.12",
)

ANSWERS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "authorization response": (
        (
            "What happens with it?",
            "The program at this address compares the state with the one that it sent, and exchanges the "
            "code. A code can be exchanged once, and for some minutes only.",
            "RFC 6749 §4.1.2, §4.1.3",
        ),
        _STOPPED,
    ),
    "refused": (_STOPPED,),
    "device verification page": (
        (
            "Who made the code?",
            "The server, when a program asked for it. The program polls with another, longer code, and gets "
            "the tokens as soon as a user approves.",
            "RFC 8628 §3.2, §3.4",
        ),
        (
            "Another person sent me this link. What now?",
            "Do not approve. The program that gets the tokens is theirs, and the access is to your account.",
            "RFC 8628 §5.4",
        ),
    ),
    "ticket approval page": (
        (
            "What happens after the approval?",
            "The page redirects nowhere. The program that has created the ticket polls, and gets the token.",
            VENDOR,
        ),
        (
            "Another person sent me this link. What now?",
            "Do not approve. The program that created the ticket gets the token, and the access is to your "
            "account.",
            "RFC 8628 §5.4",
        ),
    ),
    "metadata request": (
        (
            "How are these metadata explained?",
            "With doctor --issuer ISSUER, where ISSUER is the address without /.well-known/ and what "
            "follows.",
            "RFC 8414 §3",
        ),
    ),
    "other": (
        (
            "What else can be explained?",
            "The demands of an API or MCP server: explain mcp URL. A flow at a server: explain code "
            "--issuer URL.",
            "RFC 9728 §5.1",
        ),
    ),
}
"""Question, answer and source, by kind of link; a response that refuses has its own."""

ARGUMENTS: Rule[str] = Rule(
    "secret-in-arguments",
    "medium",
    "No secret was typed as an argument of a command",
    "CWE-214; RFC 6750 §5.3",
    "Pass it on the standard input: explain - reads it there. The history of the shell keeps what was typed.",
    failed,
)
"""The rule about how the text came; it judges what was typed, in a sentence."""
