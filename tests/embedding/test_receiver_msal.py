"""msal speaks the protocol, our receiver receives the redirect."""

from __future__ import annotations

from pathlib import Path

import pytest
from msal import PublicClientApplication

from embedding.tenant import tenant
from loopback_auth import LoopbackReceiver
from loopback_auth.events import silent
from loopback_auth.testing import SimulatedUser, serve


def sign_in(app: PublicClientApplication, scopes: list[str], user: SimulatedUser) -> dict[str, object]:
    """Sign in with msal, and show the user what came of it."""
    with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
        flow = app.initiate_auth_code_flow(scopes, receiver.redirect_uri, response_mode="form_post")
        result = app.acquire_token_by_auth_code_flow(flow, receiver.visit_sync(flow["auth_uri"]))
        if "error" in result:
            receiver.fail(result["error"])
        return dict(result)


@pytest.mark.parametrize(("decision", "title"), [("approve", "Signed in"), ("deny", "Not signed in")])
def test_msal(decision: str, title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own receiver shows success before the code is exchanged."""
    user = SimulatedUser("approve" if decision == "approve" else "deny")
    with serve() as server, tenant(server, tmp_path) as (issuer, ca_file):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
        app = PublicClientApplication("loopback-auth-demo", oidc_authority=issuer)
        result = sign_in(app, ["email"], user)
        page = user.page_sync()

    assert ("access_token" in result) is (decision == "approve"), result
    assert title in page
