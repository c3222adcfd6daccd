"""A credential helper of git, as git-credential-oauth is: a token from the browser in place of a password.

    git config credential.helper "/path/to/git_credential.py https://id.example"

It keeps nothing: git does, the refresh token included (gitcredentials(7), git-credential(1)).
"""

import sys

from loopback_auth import ClientConfig, SignInRequired, login_sync, refresh_sync

_, issuer, action = sys.argv
client = ClientConfig.at(issuer, client_id="loopback-auth-demo", scope="profile offline_access")
asked = dict(line.strip().split("=", 1) for line in sys.stdin if "=" in line)
if action == "get":
    try:
        tokens = refresh_sync(client, asked.get("oauth_refresh_token") or "none")
    except SignInRequired:
        tokens = login_sync(client).tokens
    print(f"username=oauth2\npassword={tokens.access_token}\noauth_refresh_token={tokens.refresh_token}")
    print(f"password_expiry_utc={tokens.expires_at or 0:.0f}")
