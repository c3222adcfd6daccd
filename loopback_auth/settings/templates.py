"""The templates: presets for servers whose domain differs from user to user, as data.

`{domain}` is replaced by the value of `--domain`, or of the key `domain` in a table: a host, with the path to
a tenant or a realm if there are several. A template with a `domain` has a default. Everything else is as in
`providers`.
"""

from __future__ import annotations

from loopback_auth.settings.providers import EXACT_LOCALHOST

ENTRA: dict[str, object] = {
    # https://learn.microsoft.com/en-us/javascript/api/@azure/msal-node/interactionrequiredautherrorcodes
    "dead_refresh_errors": ("interaction_required", "login_required", "consent_required"),
    "approval_hosts": ("microsoft.com", "www.microsoft.com", "login.microsoft.com"),
}
"""What Microsoft's servers have in common, whichever tenants they serve."""

TEMPLATES: dict[str, dict[str, object]] = {
    "auth0": {
        "title": "Auth0 (your tenant)",
        "source": "https://auth0.com/docs/get-started/authentication-and-authorization-flow/"
        "authorization-code-flow-with-pkce",
        "note": f"Create a Native application with the callback URL {EXACT_LOCALHOST}; the domain is that of "
        "your tenant, such as --domain example.eu.auth0.com.",
        # Auth0 ends its issuer with a slash.
        "issuer": "https://{domain}/",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "openid email offline_access",
    },
    "cognito": {
        "title": "Amazon Cognito (your user pool)",
        "source": "https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html",
        "note": f"Create an app client with the callback URL {EXACT_LOCALHOST}; the domain is that of your "
        "user pool's issuer, such as --domain cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example.",
        "issuer": "https://{domain}",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "openid email",
    },
    "entra": {
        "title": "Microsoft Entra ID (one tenant)",
        "source": "https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc",
        "note": "Register an app with the platform Mobile and desktop applications and the redirect URI "
        "http://localhost, any port will do; the domain is the ID of your tenant, as in --domain TENANT.",
        "issuer": "https://login.microsoftonline.com/{domain}/v2.0",
        "redirect_uri": "http://localhost",
        "scope": "openid email offline_access",
        **ENTRA,
    },
    "keycloak": {
        "title": "Keycloak (your realm)",
        "source": "https://www.keycloak.org/securing-apps/oidc-layers",
        "note": "Create a client without client authentication and with the redirect URI "
        "http://127.0.0.1/callback, any port will do; the domain ends with your realm, such as "
        "--domain id.example.com/realms/example.",
        "issuer": "https://{domain}",
        "scope": "openid email",
    },
    "microsoft": {
        "title": "Microsoft (work, school and personal accounts)",
        "source": "https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow",
        "note": "Register an app with the platform Mobile and desktop applications and the redirect URI "
        "http://localhost, any port will do; for one tenant add --domain TENANT, or use entra.",
        # The metadata for "common" names the issuer with a literal {tenantid}, which no ID token carries:
        # hence endpoints instead of an issuer, no openid scope, and the account from Microsoft Graph.
        "authorization_endpoint": "https://login.microsoftonline.com/{domain}/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/{domain}/oauth2/v2.0/token",
        "device_authorization_endpoint": "https://login.microsoftonline.com/{domain}/oauth2/v2.0/devicecode",
        "userinfo_endpoint": "https://graph.microsoft.com/v1.0/me",
        "domain": "common",
        "redirect_uri": "http://localhost",
        "scope": "User.Read offline_access",
        **ENTRA,
        "account_fields": ("mail", "userPrincipalName", "email", "displayName"),
    },
    "okta": {
        "title": "Okta (your organization)",
        "source": "https://developer.okta.com/docs/guides/implement-grant-type/authcodepkce/main/",
        "note": f"Create a Native application with the sign-in redirect URI {EXACT_LOCALHOST}; the domain is "
        "that of your organization, such as --domain example.okta.com, or of an authorization server in it, "
        "such as --domain example.okta.com/oauth2/default.",
        "issuer": "https://{domain}",
        "redirect_uri": EXACT_LOCALHOST,
        "scope": "openid email offline_access",
    },
    "salesforce": {
        "title": "Salesforce",
        "source": "https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/"
        "sfdx_dev_auth_connected_app.htm",
        "note": "Create an app with the callback URL http://localhost:1717/OauthRedirect; its client secret "
        "can be optional. For your own domain or a sandbox add --domain, such as test.salesforce.com.",
        "issuer": "https://{domain}",
        "domain": "login.salesforce.com",
        "redirect_uri": "http://localhost:1717/OauthRedirect",
        "scope": "openid api refresh_token",
    },
}
