"""A token as Google's libraries read it from a command (executable-sourced credentials).

The command is in the configuration of a workload identity pool (`credential_source.executable.command`). The
library sends the token to Google's Security Token Service, which gives an access token of Google for it.
Libraries read stderr as a part of the answer, so the command must not write to it.

Source: https://google.aip.dev/auth/4117 (external accounts) and
https://cloud.google.com/iam/docs/workload-identity-federation-with-other-providers, executable-sourced.
"""

from __future__ import annotations

import json

from loopback_auth.outputs.timestamps import LAST_SECOND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopback_auth.outputs.credential import Credential

ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
TYPE_VARIABLE = "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE"
"""Environment variable in which the library says which type its configuration names."""
REVOKE_VARIABLE = "GOOGLE_EXTERNAL_ACCOUNT_REVOKE"
"""Environment variable that is 1 when the library wants the token to be revoked, and none to be given."""


def google(credential: Credential, *, token_type: str = "", revokes: bool = False) -> str:
    """Return the answer of a successful command: one line of JSON.

    Args:
        credential: whose token it is. The pool checks its issuer and audience, so it has to be a JWT.
        token_type: that the configuration names (`subject_token_type`); empty: that of an ID token, or of a
            JWT for an access token.
        revokes: the library wants the token to be revoked, and none to be given.

    Raises:
        ConfigError: the library wants something else, such as SAML, or a revocation.

    Source: https://google.aip.dev/auth/4117, executable-sourced credentials; RFC 8693 §3 (the types).
    """
    if revokes or token_type not in ("", ID_TOKEN, JWT):
        from loopback_auth.errors import ConfigError  # Start-up.

        if revokes:
            raise ConfigError(
                "The library asks for the token to be revoked, and this output only gives it.",
                hint="Sign out here.",
            )
        raise ConfigError(
            f"The configuration asks for a token of the type {ascii(token_type)[1:-1][:80]}.",
            hint=f"Set subject_token_type to {ID_TOKEN} in the configuration.",
        )
    answer: dict[str, object] = {
        "version": 1,
        "success": True,
        "token_type": token_type or (ID_TOKEN if credential.of == "id_token" else JWT),
        "id_token": credential.token,
    }
    if credential.expires_at is not None:
        answer["expiration_time"] = int(min(credential.expires_at, LAST_SECOND))
    return json.dumps(answer) + "\n"
