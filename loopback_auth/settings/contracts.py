"""The ticket contracts of the known vendors, as data: one `TicketContract` each.

A contract describes what the vendor's own, published client does, and contains nothing that is not published.
The demo server supports every one of them, so that the tests can run them.
"""

from __future__ import annotations

from loopback_auth.device_and_ticket import TicketContract, TicketRequest

# https://github.com/netlify/open-api: swagger.yml, paths /oauth/tickets; the approval page and the account
# call as in https://github.com/netlify/cli. Revocation is what the web interface's own logout does.
NETLIFY = TicketContract(
    base="https://api.netlify.com/api/v1",
    ui="https://app.netlify.com",
    create=TicketRequest(
        "POST", "{base}/oauth/tickets?client_id={client_id}", "json", (("message", "{message}"),)
    ),
    extract={"id": "id"},
    browser_url="{ui}/authorize?response_type=ticket&ticket={id}",
    poll=TicketRequest("GET", "{base}/oauth/tickets/{id}"),
    done_path="authorized",
    done_value=True,
    gone=(401, 404, 410),
    exchange=TicketRequest("POST", "{base}/oauth/tickets/{id}/exchange"),
    token_path="access_token",
    account=TicketRequest("GET", "{base}/user"),
    account_paths=("user_email", "email", "full_name"),
    revoke=TicketRequest("DELETE", "{base}/access_tokens/revoke", ok=(200, 204)),
    source="https://github.com/netlify/open-api",
)

# https://github.com/npm/npm-profile: lib/index.js, loginWeb. 202 with Retry-After is "not yet"; a registry
# without it answers 4xx or 500 at once.
NPM = TicketContract(
    base="https://registry.npmjs.org",
    create=TicketRequest("POST", "{base}/-/v1/login", "json"),
    extract={"browser_url": "loginUrl", "poll_url": "doneUrl"},
    browser_url="{browser_url}",
    poll=TicketRequest("GET", "{poll_url}"),
    done_path="token",
    pending=(202,),
    unsupported=(400, 500),
    token_path="token",
    account=TicketRequest("GET", "{base}/-/whoami"),
    account_paths=("username",),
    polled_at_base=True,
    source="https://github.com/npm/npm-profile",
)

# https://github.com/heroku/heroku-cli-command: src/login.ts. One long poll; the client polls again after
# a 5xx, which their router sends when it has waited long enough. `ui` is their API.
HEROKU = TicketContract(
    base="https://cli-auth.heroku.com",
    ui="https://api.heroku.com",
    create=TicketRequest("POST", "{base}/auth", "json", (("description", "{message}"),)),
    extract={"browser_url": "browser_url", "poll_url": "cli_url", "poll_token": "token"},
    browser_url="{browser_url}",
    poll=TicketRequest("GET", "{poll_url}", headers=(("Authorization", "Bearer {poll_token}"),)),
    done_path="access_token",
    token_path="access_token",
    account=TicketRequest(
        "GET", "{ui}/account", headers=(("Accept", "application/vnd.heroku+json; version=3"),)
    ),
    timeout=600.0,
    long_poll=True,
    source="https://github.com/heroku/heroku-cli-command",
)

# https://github.com/stripe/stripe-cli: pkg/login. A redirect at the creation means the device grant.
STRIPE = TicketContract(
    base="https://dashboard.stripe.com",
    create=TicketRequest("POST", "{base}/stripecli/auth", "form", (("device_name", "{message}"),)),
    extract={"browser_url": "browser_url", "poll_url": "poll_url", "user_code": "verification_code"},
    browser_url="{browser_url}",
    poll=TicketRequest("GET", "{poll_url}"),
    done_path="redeemed",
    done_value=True,
    unsupported=(301, 302, 303, 307, 308),
    token_path="testmode_key_secret",
    account_paths=("account_display_name", "account_id"),
    timeout=120.0,
    source="https://github.com/stripe/stripe-cli",
)

# https://github.com/DopplerHQ/cli: pkg/cmd/login.go and pkg/http/api.go. 409 is "not yet".
DOPPLER = TicketContract(
    base="https://api.doppler.com",
    create=TicketRequest("GET", "{base}/v3/auth/cli/generate/2", parameters=(("hostname", "{message}"),)),
    extract={"user_code": "code", "poll_token": "polling_code", "browser_url": "auth_url"},
    browser_url="{browser_url}",
    poll=TicketRequest("POST", "{base}/v3/auth/cli/authorize", "json", (("code", "{poll_token}"),)),
    done_path="token",
    pending=(409,),
    token_path="token",
    account_paths=("name",),
    interval=2.0,
    source="https://github.com/DopplerHQ/cli",
)

CONTRACTS = {"netlify": NETLIFY, "npm": NPM, "heroku": HEROKU, "stripe": STRIPE, "doppler": DOPPLER}
