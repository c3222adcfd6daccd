"""The numbered error codes of Microsoft Entra ID (AADSTS…) that a sign-in meets, after its own list.

Only a table. Microsoft says that the codes may change and shows the current text at
https://login.microsoftonline.com/error?code=NUMBER. Sentences are ours, not quoted.

Source: https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

from collections.abc import Mapping

SOURCE = "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes"
LOOK_UP = "https://login.microsoftonline.com/error?code={number}"

NUMBERED: Mapping[str, tuple[str, str]] = {
    "50001": (
        "The resource is disabled, or does not exist in this tenant.",
        "Check the resource or the scope: it has to be written exactly as the API has it.",
    ),
    "50011": (
        "The redirect URI is missing, or is not one of those that are registered for the application.",
        "Add the redirect URI under Authentication, as Mobile and desktop applications for a program.",
    ),
    "50020": (
        "The account is from another tenant or identity provider, and is not a guest in this tenant.",
        "Sign in with another account, invite the account as a guest, or use the tenant of the account.",
    ),
    "50034": (
        "There is no such account in this directory.",
        "Check the account name and the tenant, or add the account as a guest.",
    ),
    "50057": ("The account is disabled.", "Ask the administrator to enable the account."),
    "50058": (
        "The user is not signed in, and the request said prompt=none.",
        "Leave prompt=none out, so that the user can sign in.",
    ),
    "50076": (
        "A second factor is required now, by a policy or because the place has changed.",
        "Sign in again in the browser, with the second factor.",
    ),
    "50079": (
        "The user has to register a second factor first.",
        "Sign in again in the browser, and register the second factor.",
    ),
    "50105": (
        "The user is not assigned to the application.",
        "Ask the administrator to assign the user, or to drop the requirement of an assignment.",
    ),
    "50126": ("The user name or the password is wrong.", "Type them again, or reset the password."),
    "50147": (
        "The size of the code_challenge is wrong.",
        "Send the S256 challenge: 43 characters of base64url without padding.",
    ),
    "50173": (
        "The refresh token was revoked by the user or an administrator.",
        "Sign in again.",
    ),
    "50194": (
        "The application is registered for one tenant, and the request went to /common.",
        "Use the address of the tenant, or make the application multitenant.",
    ),
    "50199": (
        "The user was asked to confirm that this is the application that should be signed in to.",
        "Confirm, and go on: no action is required.",
    ),
    "501481": (
        "The code_verifier does not fit the code_challenge of the authorization request.",
        "Keep the verifier of each login apart: another login may have overwritten it.",
    ),
    "53000": (
        "A policy requires a compliant device, and this device is not compliant.",
        "Enrol the device, or sign in on another one.",
    ),
    "53003": (
        "A Conditional Access policy blocks this login.",
        "Ask the administrator which policy it is; some block the device code flow.",
    ),
    "54005": (
        "The code was exchanged before.",
        "Sign in again, and exchange each code once.",
    ),
    "65001": (
        "Neither the user nor an administrator has consented to this application and these permissions.",
        "Sign in in the browser and consent, or ask an administrator to consent.",
    ),
    "65004": ("The user declined to consent.", "Sign in again and consent."),
    "70000": ("The refresh token is not valid.", "Sign in again."),
    "70002": ("The client secret does not fit the client.", "Correct the client secret."),
    "70003": ("The grant type is not supported.", "Enable the grant, or choose another flow."),
    "70008": (
        "The code or refresh token has expired or was revoked.",
        "Sign in again.",
    ),
    "70011": (
        "A scope is not valid.",
        "Write the scope with the address of its API, and name the scopes of one API only.",
    ),
    "70016": (
        "This is not a failure: the user has not approved the device code yet.",
        "Poll again, not earlier than the interval allows.",
    ),
    "70018": ("The user typed a wrong user code.", "Type the code again, or begin again."),
    "70019": ("The device code has expired.", "Begin the device login again."),
    "70043": (
        "The refresh token is older than the sign-in frequency of a policy allows.",
        "Sign in again.",
    ),
    "90002": (
        "There is no such tenant.",
        "Check the tenant in the address, and whether it is in another national cloud.",
    ),
    "90014": ("A required field is missing in the request.", "Compare the request with the documentation."),
    "90094": (
        "Only an administrator can consent to these permissions.",
        "Ask an administrator to consent, or request other permissions.",
    ),
    "500011": (
        "The API that the scope names is not in this tenant.",
        "Check the tenant and the scope, or ask an administrator to add the API.",
    ),
    "650057": (
        "The API is not listed in the permissions of the application's registration.",
        "Add the permission under API permissions.",
    ),
    "700016": (
        "The application is not in this tenant.",
        "Check the client ID and the tenant in the address.",
    ),
    "700025": (
        "The application is registered as a public client, and sent a secret or an assertion.",
        "Leave the client secret out.",
    ),
    "700054": (
        "The request asked for an ID token from the authorization endpoint, which is switched off.",
        "Use response_type=code, or enable ID tokens under Authentication.",
    ),
    "700082": (
        "The refresh token has expired because it was not used for a long time.",
        "Sign in again.",
    ),
    "700084": (
        "The refresh token was issued to a single-page application, and its fixed lifetime is over.",
        "Sign in again. For a program register Mobile and desktop applications in place of it.",
    ),
    "900144": (
        "A parameter is missing in the body of the request.",
        "Send the parameters as a form; the message names the missing one.",
    ),
    "900561": (
        "The endpoint was called with the wrong HTTP method, for example with GET in place of POST.",
        "Send a POST request; the back button of a browser causes this, too.",
    ),
    "7000215": (
        "The client secret is wrong.",
        "Use the value of the secret, not its ID.",
    ),
    "7000218": (
        "The application is registered as confidential, and sent neither a secret nor an assertion.",
        "Allow public client flows under Authentication, or send the client secret.",
    ),
    "7000222": ("The client secret has expired.", "Make a new client secret."),
    "9002313": (
        "The request is malformed.",
        "Compare each parameter with the documentation; a code may have been cut or encoded twice.",
    ),
}
"""What happened and what to do, by the number."""
