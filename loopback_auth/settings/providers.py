"""The presets: settings for well-known authorization servers, as data.

The keys of a preset are names of settings, and also `title`, `source` (a public page that states the
endpoints) and `note` (one sentence for people: what to register there). What a provider publishes in its
metadata is not repeated here. A preset has no client, because everybody registers their own. Servers with a
domain of their own are in `templates`; which preset is used is decided in `presets`.

A redirect URI has a port if the provider compares redirect URIs byte for byte. It has none if the provider
ignores the port of a loopback redirect URI (RFC 8252 §7.3); the same is assumed when there is no
`redirect_uri`.

This module is loaded before the browser is started, and imports next to nothing.
"""

from __future__ import annotations

EXACT_LOCALHOST = "http://localhost:8400/callback"
EXACT_LOOPBACK = "http://127.0.0.1:8400/callback"

PRESETS: dict[str, dict[str, object]] = {
    "atlassian": {
        "title": "Atlassian (Jira, Confluence)",
        "source": "https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/",
        "note": f"Create an OAuth 2.0 (3LO) app with the callback URL {EXACT_LOCALHOST} and the User "
        "identity API; add offline_access to the scope for a refresh token.",
        "authorization_endpoint": "https://auth.atlassian.com/authorize",
        "token_endpoint": "https://auth.atlassian.com/oauth/token",
        "userinfo_endpoint": "https://api.atlassian.com/me",
        "client_auth": "client_secret_post",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "read:me",
        "audience": "api.atlassian.com",
        "prompt": "consent",
        "account_fields": ("email", "name", "account_id"),
        # 403 unauthorized_client "refresh_token is invalid":
        # https://github.com/raycast/extensions/issues/11836
        "dead_refresh_errors": ("unauthorized_client",),
    },
    "bitbucket": {
        "title": "Bitbucket Cloud",
        "source": "https://developer.atlassian.com/cloud/bitbucket/oauth-2/",
        "note": f"Add an OAuth consumer with the callback URL {EXACT_LOOPBACK} in the workspace settings; "
        "its permissions, among them Account: Read, are the scope.",
        "authorization_endpoint": "https://bitbucket.org/site/oauth2/authorize",
        "token_endpoint": "https://bitbucket.org/site/oauth2/access_token",
        "userinfo_endpoint": "https://api.bitbucket.org/2.0/user",
        "client_auth": "client_secret_basic",
        "redirect_uri": EXACT_LOOPBACK,
        # "Cloning a repository with an access token", on the page above.
        "hosts": ("bitbucket.org",),
        "token_username": "x-token-auth",
        "account_fields": ("username", "nickname", "display_name"),
        # "Invalid refresh_token": https://github.com/readthedocs/readthedocs.org/issues/2992
        "dead_refresh_errors": ("invalid_request",),
    },
    "codeberg": {
        "title": "Codeberg",
        # The server is Forgejo; this is the page of the project it was forked from.
        "source": "https://docs.gitea.com/development/oauth2-provider",
        "note": "Create an OAuth2 application with the redirect URI http://127.0.0.1/callback, not "
        "confidential; without scopes its tokens may do everything you may do.",
        "authorization_endpoint": "https://codeberg.org/login/oauth/authorize",
        "token_endpoint": "https://codeberg.org/login/oauth/access_token",
        "userinfo_endpoint": "https://codeberg.org/login/oauth/userinfo",
        # Of the applications that it knows from the start, two are credential helpers of git:
        # https://forgejo.org/docs/latest/admin/oauth2-provider/
        "hosts": ("codeberg.org",),
    },
    "digitalocean": {
        "title": "DigitalOcean",
        "source": "https://docs.digitalocean.com/reference/api/oauth/",
        "note": f"Register an OAuth application with the callback URL {EXACT_LOOPBACK}; a public one "
        "needs no client secret. The scope is read unless you ask for more.",
        "authorization_endpoint": "https://cloud.digitalocean.com/v1/oauth/authorize",
        "token_endpoint": "https://cloud.digitalocean.com/v1/oauth/token",
        "revocation_endpoint": "https://cloud.digitalocean.com/v1/oauth/revoke",
        "client_auth": "client_secret_post",
        "secret_optional": True,
        "redirect_uri": EXACT_LOOPBACK,
    },
    "discord": {
        "title": "Discord",
        "source": "https://docs.discord.com/developers/topics/oauth2",
        "note": f"Create an application and add the redirect {EXACT_LOOPBACK}; switch Public Client on to do "
        "without a client secret.",
        # Its metadata are public: https://github.com/discord/discord-api-docs/issues/8534
        "issuer": "https://discord.com",
        "revocation_endpoint": "https://discord.com/api/oauth2/token/revoke",
        "userinfo_endpoint": "https://discord.com/api/users/@me",
        "redirect_uri": EXACT_LOOPBACK,
        "scope": "identify",
        "account_fields": ("username", "global_name", "id"),
    },
    "doppler": {
        "title": "Doppler",
        "source": "https://github.com/DopplerHQ/cli",
        "note": "Nothing to register: it signs in by ticket only, as doppler login does.",
        "ticket": "doppler",
        "flow": "ticket",
    },
    "dropbox": {
        "title": "Dropbox",
        "source": "https://www.dropbox.com/developers/reference/oauth-guide",
        "note": f"Create an app in the App Console with the redirect URI {EXACT_LOCALHOST}; with PKCE it "
        "needs no client secret.",
        "authorization_endpoint": "https://www.dropbox.com/oauth2/authorize",
        "token_endpoint": "https://api.dropboxapi.com/oauth2/token",
        "userinfo_endpoint": "https://api.dropboxapi.com/2/users/get_current_account",
        "userinfo_method": "POST",
        # It ends the refresh token too: https://www.dropbox.com/developers/documentation/http/documentation
        "revoke_method": "POST",
        "revoke_url": "https://api.dropboxapi.com/2/auth/token/revoke",
        "redirect_uri": EXACT_LOCALHOST,
        # Without it there is no refresh token.
        "extra": {"token_access_type": "offline"},
    },
    "github": {
        "title": "GitHub",
        "source": "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
        "note": "Register an OAuth app with the callback URL http://127.0.0.1/callback, any port will do; "
        "GitHub wants the client secret, with PKCE too.",
        "authorization_endpoint": "https://github.com/login/oauth/authorize",
        "token_endpoint": "https://github.com/login/oauth/access_token",
        "device_authorization_endpoint": "https://github.com/login/device/code",
        "userinfo_endpoint": "https://api.github.com/user",
        "client_auth": "client_secret_post",
        # ghcr.io takes no tokens of OAuth apps, only personal ones: https://docs.github.com/en/packages/
        # working-with-a-github-packages-registry/working-with-the-container-registry
        "hosts": ("github.com", "gist.github.com"),
        "account_fields": ("login",),
        "dead_refresh_errors": ("bad_refresh_token",),
        # What a scope includes:
        # https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
        "scope_aliases": {
            "user:email": "user",
            "user:follow": "user",
            "read:user": "user",
            "public_repo": "repo",
            "repo:status": "repo",
            "read:org": "write:org admin:org",
            "write:org": "admin:org",
        },
    },
    "gitlab": {
        "title": "GitLab.com",
        "source": "https://docs.gitlab.com/api/oauth2/",
        "note": "Add an application with the redirect URI http://127.0.0.1/callback, not confidential, and "
        "the scopes openid and email; for another GitLab give its address with --issuer.",
        "issuer": "https://gitlab.com",
        "device_authorization_endpoint": "https://gitlab.com/oauth/authorize_device",
        # "Access Git over HTTPS with access token", on the page above.
        "hosts": ("gitlab.com",),
        "token_username": "oauth2",
        "scope": "openid email",
    },
    "google": {
        "title": "Google",
        "source": "https://developers.google.com/identity/protocols/oauth2/native-app",
        "note": "Create an OAuth client ID of the type Desktop app, which needs no redirect URI; Google "
        "wants its client secret though it is none (RFC 8252 §8.5).",
        "issuer": "https://accounts.google.com",
        "client_auth": "client_secret_post",
        "scope": "openid email",
        "extra": {"access_type": "offline"},
        # Both forms: https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
        "allowed_issuer": "accounts.google.com",
        "approval_hosts": ("www.google.com",),
    },
    "heroku": {
        "title": "Heroku",
        "source": "https://devcenter.heroku.com/articles/oauth",
        "note": f"Create a client with heroku clients:create NAME {EXACT_LOCALHOST}; ask for scope global to "
        "do more than identify the account.",
        "authorization_endpoint": "https://id.heroku.com/oauth/authorize",
        "token_endpoint": "https://id.heroku.com/oauth/token",
        "client_auth": "client_secret_post",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "identity",
        # Errors are {id, message}: https://devcenter.heroku.com/articles/platform-api-reference#errors
        "dead_refresh_errors": ("unauthorized",),
        # As its own command line signs in: with neither a client nor a scope.
        "ticket": "heroku",
    },
    "huggingface": {
        "title": "Hugging Face",
        "source": "https://huggingface.co/docs/hub/oauth",
        # Any loopback port: https://github.com/huggingface/hub-docs/pull/2680; public applications and device
        # codes: https://github.com/huggingface/hub-docs/pull/2211
        "note": "Create an application in your settings with the redirect URL http://127.0.0.1/callback, any "
        "port will do, and the scopes openid and profile; a public one needs no client secret.",
        "issuer": "https://huggingface.co",
        "device_authorization_endpoint": "https://huggingface.co/oauth/device",
        "approval_hosts": ("hf.co",),
        # With the scopes read-repos and write-repos, of the page above.
        "hosts": ("huggingface.co",),
        "scope": "openid profile",
    },
    "linear": {
        "title": "Linear",
        "source": "https://linear.app/developers/oauth-2-0-authentication",
        "note": f"Create an OAuth2 application with the callback URL {EXACT_LOCALHOST}; with PKCE it needs "
        "no client secret. Linear separates scopes by commas, which is done for you.",
        "authorization_endpoint": "https://linear.app/oauth/authorize",
        "token_endpoint": "https://api.linear.app/oauth/token",
        "client_auth": "client_secret_post",
        "secret_optional": True,
        "revoke_method": "POST",
        "revoke_url": "https://api.linear.app/oauth/revoke",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "read",
        "scope_separator": ",",
    },
    "linkedin": {
        "title": "LinkedIn",
        "source": "https://learn.microsoft.com/en-us/linkedin/shared/authentication/"
        "authorization-code-flow-native",
        "note": "Create an app with the product Sign In with LinkedIn using OpenID Connect, and ask "
        "LinkedIn to enable PKCE for it; then any port of 127.0.0.1 will do, without a client secret.",
        # The other address wants a client secret and refuses a code verifier.
        "authorization_endpoint": "https://www.linkedin.com/oauth/native-pkce/authorization",
        "token_endpoint": "https://www.linkedin.com/oauth/v2/accessToken",
        "userinfo_endpoint": "https://api.linkedin.com/v2/userinfo",
        "client_auth": "none",
        "scope": "openid profile email",
        # https://github.com/authlib/authlib/issues/763 and https://github.com/panva/openid-client/issues/826
        "nonce": False,
        "token_types": ("none",),
    },
    "netlify": {
        "title": "Netlify",
        # The API, without the token endpoint, is described in https://github.com/netlify/open-api
        "source": "https://answers.netlify.com/t/any-usage-documentation-for-the-oauth-api-endpoints/23863",
        "note": "Create an OAuth app under User settings, Applications, with the redirect URI "
        f"{EXACT_LOCALHOST}, or give the one you registered with --redirect-uri: it is compared exactly, and "
        "the code is exchanged only with the client secret.",
        "authorization_endpoint": "https://app.netlify.com/authorize",
        "token_endpoint": "https://api.netlify.com/oauth/token",
        "userinfo_endpoint": "https://api.netlify.com/api/v1/user",
        "client_auth": "client_secret_basic",
        # The consent page does not pass the challenge on, and a verifier without one is an invalid_grant.
        "pkce": False,
        "redirect_uri": EXACT_LOCALHOST,
        "account_fields": ("email", "full_name", "id"),
        "ticket": "netlify",
        # As https://github.com/netlify/cli reads them.
        "environment": {"ticket_base": "NETLIFY_API_URL", "ticket_ui": "NETLIFY_WEB_UI"},
    },
    "notion": {
        "title": "Notion",
        "source": "https://developers.notion.com/reference/create-a-token",
        "note": f"Create a public connection with the redirect URI {EXACT_LOCALHOST}; it has a client "
        "secret.",
        "authorization_endpoint": "https://api.notion.com/v1/oauth/authorize",
        "token_endpoint": "https://api.notion.com/v1/oauth/token",
        "client_auth": "client_secret_basic",
        "token_body": "json",
        "pkce": False,
        "redirect_uri": EXACT_LOCALHOST,
        "extra": {"owner": "user"},
    },
    "npm": {
        "title": "npm registry",
        "source": "https://github.com/npm/npm-profile",
        "note": "Nothing to register: it signs in by ticket only, as npm login does in the web.",
        "ticket": "npm",
        "flow": "ticket",
    },
    "slack": {
        "title": "Slack (as a user)",
        "source": "https://docs.slack.dev/authentication/using-pkce",
        "note": f"Create an app with the redirect URL {EXACT_LOCALHOST}, switch PKCE on, and give user "
        "scopes with --scope; it needs no client secret.",
        "authorization_endpoint": "https://slack.com/oauth/v2/authorize",
        "token_endpoint": "https://slack.com/api/oauth.v2.access",
        "redirect_uri": EXACT_LOCALHOST,
        "scope_parameter": "user_scope",
        "scope_separator": ",",
        # What is granted to the person is not at the top:
        # https://docs.slack.dev/reference/methods/oauth.v2.access
        "access_token_path": "authed_user.access_token",
        "token_types": ("user",),
        # https://github.com/slackapi/node-slack-sdk/issues/2038
        "dead_refresh_errors": ("invalid_refresh_token", "refresh_token_expired"),
        # https://docs.slack.dev/reference/methods/auth.revoke
        "revoke_method": "POST",
        "revoke_url": "https://slack.com/api/auth.revoke",
    },
    "spotify": {
        "title": "Spotify",
        "source": "https://developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow",
        "note": "Create an app with the redirect URI http://127.0.0.1/callback, any port will do, but "
        "localhost is refused; with PKCE it needs no client secret.",
        "authorization_endpoint": "https://accounts.spotify.com/authorize",
        "token_endpoint": "https://accounts.spotify.com/api/token",
        "userinfo_endpoint": "https://api.spotify.com/v1/me",
        "account_fields": ("email", "display_name", "id"),
    },
    "stripe": {
        "title": "Stripe",
        "source": "https://github.com/stripe/stripe-cli",
        "note": "Nothing to register: it signs in by ticket only, as stripe login does, and brings a "
        "restricted key for test mode.",
        "ticket": "stripe",
        "flow": "ticket",
    },
    "twitch": {
        "title": "Twitch",
        "source": "https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/",
        "note": f"Register an application with the redirect URL {EXACT_LOCALHOST}; a public one has no "
        "client secret and signs in by device code only.",
        "authorization_endpoint": "https://id.twitch.tv/oauth2/authorize",
        "token_endpoint": "https://id.twitch.tv/oauth2/token",
        "device_authorization_endpoint": "https://id.twitch.tv/oauth2/device",
        "revocation_endpoint": "https://id.twitch.tv/oauth2/revoke",
        "client_auth": "client_secret_post",
        "redirect_uri": EXACT_LOCALHOST,
        "approval_hosts": ("www.twitch.tv",),
        "device_scope_parameter": "scopes",
    },
    "vercel": {
        "title": "Vercel",
        "source": "https://vercel.com/docs/sign-in-with-vercel/manage-from-dashboard",
        "note": f"Create an app for Sign in with Vercel with the callback URL {EXACT_LOCALHOST}; its client "
        "authentication may be none, or a client secret.",
        "issuer": "https://vercel.com",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "openid email profile offline_access",
    },
    "zoom": {
        "title": "Zoom",
        "source": "https://developers.zoom.us/docs/integrations/oauth/",
        "note": "Create an app with the redirect URL http://127.0.0.1/callback, any port will do, and use "
        "its public client ID, which needs no client secret.",
        "authorization_endpoint": "https://zoom.us/oauth/authorize",
        "token_endpoint": "https://zoom.us/oauth/token",
        "revocation_endpoint": "https://zoom.us/oauth/revoke",
    },
}
