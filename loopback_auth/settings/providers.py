"""Presets: how well-known authorization servers want to be spoken to, as data.

The keys of a preset are the names of settings, besides `title`, `source` (a public page that states the
endpoints) and `note` (one sentence for people: what to register there). What a provider publishes under its
issuer is not repeated here. A client is never part of a preset: whoever signs in has registered their own.

A fixed port stands where the provider compares redirect URIs byte for byte; none stands where it ignores the
port of a loopback redirect (RFC 8252 §7.3), which is also what happens when there is no `redirect_uri`.

This module imports nothing: it is loaded before the browser is started.
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
        "account_fields": ("username", "nickname", "display_name"),
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
    },
    "digitalocean": {
        "title": "DigitalOcean",
        "source": "https://docs.digitalocean.com/reference/api/oauth/",
        "note": f"Register an OAuth application with the callback URL {EXACT_LOOPBACK}; the scope is read "
        "unless you ask for more.",
        "authorization_endpoint": "https://cloud.digitalocean.com/v1/oauth/authorize",
        "token_endpoint": "https://cloud.digitalocean.com/v1/oauth/token",
        "client_auth": "client_secret_post",
        "redirect_uri": EXACT_LOOPBACK,
    },
    "discord": {
        "title": "Discord",
        "source": "https://docs.discord.com/developers/topics/oauth2",
        "note": f"Create an application and add the redirect {EXACT_LOOPBACK}; switch Public Client on to do "
        "without a client secret.",
        "authorization_endpoint": "https://discord.com/oauth2/authorize",
        "token_endpoint": "https://discord.com/api/oauth2/token",
        "revocation_endpoint": "https://discord.com/api/oauth2/token/revoke",
        "userinfo_endpoint": "https://discord.com/api/users/@me",
        "redirect_uri": EXACT_LOOPBACK,
        "scope": "identify",
        "account_fields": ("username", "global_name", "id"),
    },
    "dropbox": {
        "title": "Dropbox",
        "source": "https://www.dropbox.com/developers/reference/oauth-guide",
        "note": f"Create an app in the App Console with the redirect URI {EXACT_LOCALHOST}; with PKCE it "
        "needs no client secret.",
        "authorization_endpoint": "https://www.dropbox.com/oauth2/authorize",
        "token_endpoint": "https://api.dropboxapi.com/oauth2/token",
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
        "account_fields": ("login",),
    },
    "gitlab": {
        "title": "GitLab.com",
        "source": "https://docs.gitlab.com/api/oauth2/",
        "note": "Add an application with the redirect URI http://127.0.0.1/callback, not confidential, and "
        "the scopes openid and email; for another GitLab give its address with --issuer.",
        "issuer": "https://gitlab.com",
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
    },
    "huggingface": {
        "title": "Hugging Face",
        "source": "https://huggingface.co/docs/hub/oauth",
        "note": f"Create an application in your settings with the redirect URL {EXACT_LOCALHOST} and the "
        "scopes openid and profile.",
        "issuer": "https://huggingface.co",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "openid profile",
    },
    "linear": {
        "title": "Linear",
        "source": "https://linear.app/developers/oauth-2-0-authentication",
        "note": f"Create an OAuth2 application with the callback URL {EXACT_LOCALHOST}; Linear separates "
        "scopes by commas, which is done for you.",
        "authorization_endpoint": "https://linear.app/oauth/authorize",
        "token_endpoint": "https://api.linear.app/oauth/token",
        "client_auth": "client_secret_post",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "read",
        "scope_separator": ",",
    },
    "microsoft": {
        "title": "Microsoft (work, school and personal accounts)",
        "source": "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
        "note": "Register an app with the platform Mobile and desktop applications and the redirect URI "
        "http://localhost, any port will do; for one tenant add --issuer "
        "https://login.microsoftonline.com/TENANT/v2.0 --scope 'openid email'.",
        # The metadata for "common" names the issuer with a literal {tenantid}, which no ID token carries:
        # hence endpoints instead of an issuer, no openid scope, and the account from Microsoft Graph.
        "authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "device_authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
        "userinfo_endpoint": "https://graph.microsoft.com/v1.0/me",
        "redirect_uri": "http://localhost",
        "scope": "User.Read offline_access",
        "account_fields": ("mail", "userPrincipalName", "email", "displayName"),
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
    "npm": {
        "title": "npm registry",
        "source": "https://github.com/npm/npm-profile",
        "note": "Nothing to register: it signs in by ticket only, as npm login does in the web.",
        "ticket": "npm",
        "flow": "ticket",
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
    "vercel": {
        "title": "Vercel",
        "source": "https://vercel.com/.well-known/oauth-authorization-server",
        "note": f"Create an app for Sign in with Vercel with the callback URL {EXACT_LOCALHOST} and a client "
        "secret.",
        "issuer": "https://vercel.com",
        "client_auth": "client_secret_basic",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "openid email profile",
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
