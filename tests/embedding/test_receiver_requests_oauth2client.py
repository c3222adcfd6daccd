"""requests_oauth2client speaks the protocol, our receiver receives the redirect."""

from __future__ import annotations

import pytest
from requests_oauth2client import BearerToken, OAuth2Client
from requests_oauth2client.exceptions import AuthorizationResponseError

from loopback_auth import LoopbackReceiver
from loopback_auth.events import silent
from loopback_auth.testing import SimulatedUser, serve


def sign_in(issuer: str, user: SimulatedUser) -> BearerToken:
    """Sign in with requests_oauth2client, and show the user what came of it."""
    with LoopbackReceiver(open_browser=user.open, notify=silent) as receiver:
        client = OAuth2Client(
            token_endpoint=f"{issuer}/token",
            authorization_endpoint=f"{issuer}/authorize",
            issuer=issuer,
            client_id="loopback-auth-demo",
            redirect_uri=receiver.redirect_uri,
            authorization_response_iss_parameter_supported=True,
            testing=True,  # It refuses http otherwise, also on this machine.
        )
        request = client.authorization_request(scope="profile")
        response = request.validate_callback(receiver.visit_sync(request.uri).url)
        return client.authorization_code(response)


def test_requests_oauth2client() -> None:
    """It checks the state and the issuer (RFC 9207) in the URL that it is given."""
    user = SimulatedUser()
    with serve() as server:
        assert sign_in(server.issuer, user).access_token
        assert "Signed in" in user.page_sync()


def test_refusal() -> None:
    """The page shows the denial, whatever the error of the library says."""
    user = SimulatedUser("deny")
    with serve() as server:
        with pytest.raises(AuthorizationResponseError):
            sign_in(server.issuer, user)
        assert "You denied the request" in user.page_sync()
