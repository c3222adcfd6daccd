"""Which names mean that a value is secret."""

from __future__ import annotations

import pytest

from loopback_auth.trace.secret_names import is_secret


@pytest.mark.parametrize(
    "name",
    [
        *(
            "refreshToken",
            "apiKey",
            "api_key",
            "X-API-Key",
            "idToken",
            "accessToken",
            "AccessToken",
            "id-token",
        ),
        *("clientSecret", "client-secret", "consumer_secret", "authToken", "csrfToken", "oauth_token"),
        *("tokens", "access_tokens", "secretKey", "secret_access_key", "privateKey", "private_key", "bearer"),
        *("creds", "csrf", "passcode", "pwd", "SAMLResponse", "totp", "xsrf", "authKey", "encryption_key"),
        *("token0", "password_2", "client_secret_1"),
        *("id_jwt", "license-key", "masterKey", "signing_key", "Subscription-Key"),
        *("jwt", "userPassword", "passphrase", "sessionId", "deviceCode", "codeVerifier", "Authorization"),
    ],
)
def test_secrets_are_known_by_their_names_however_these_are_spelt(name: str) -> None:
    """Vendors write camel case, blanks and hyphens, and none of them asks us."""
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("token_type", "tokenType", "expires_in", "scope", "token_endpoint", "client_id", "error_code"),
        *("code_challenge", "response_type", "response_mode", "request_parameter_supported", "key", "keys"),
        *("public_key", "status", "email", "ticket_url", "state_supported", "", "_", "-"),
    ],
)
def test_what_is_no_secret_shows(name: str) -> None:
    """Who looks for a mistake needs to see what there is."""
    assert not is_secret(name)
