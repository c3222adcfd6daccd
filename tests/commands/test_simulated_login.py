"""The person that is played at the demonstration: what they are shown, and what becomes of their troubles."""

from __future__ import annotations

import pytest

from loopback_auth.api import login
from loopback_auth.commands._simulated import WatchedUser
from loopback_auth.commands.demo import demo_client, signing_server
from loopback_auth.demo.serve import serve_demo
from loopback_auth.demo.user import SimulatedUser
from loopback_auth.errors import TransportError
from loopback_auth.events import silent
from loopback_auth.settings import Settings, resolve
from loopback_auth.signin import session
from loopback_auth.signin.planning import plan_for
from loopback_auth.store.memory import MemoryTokenStore
from loopback_auth.words import Words


def settings() -> Settings:
    """Return those of the demonstration."""
    return resolve(provider="", flags={}, environ={}, config={}, config_path="config.toml")


@pytest.mark.parametrize("simulated", [True, False])
async def test_the_last_page_says_who_has_approved(*, simulated: bool) -> None:
    """Whoever looks at what the simulated browser was shown must not take it for a sign-in of their own."""
    user = SimulatedUser()
    async with serve_demo(server_factory=signing_server) as demo:
        client = demo_client(demo.issuer, settings(), simulated_person=simulated)
        sign_in = await login(client, open_browser=user.open, notify=silent, flow="code")
        assert sign_in.simulated_person is simulated
        page = await user.page()

    assert (Words.SUCCESS_SIMULATED in page) is simulated


async def test_what_goes_wrong_in_the_simulated_browser_ends_the_sign_in() -> None:
    """Nobody is there who could open the link another time."""
    store = MemoryTokenStore()

    async with serve_demo(half_close=["/authorize"]) as demo:
        person = WatchedUser()
        with pytest.raises(TransportError, match="simulated user agent"):
            await person.through(
                session.sign_in(
                    demo_client(demo.issuer, settings(), simulated_person=True),
                    plan_for(settings(), unconfirmed=False, simulate=True),
                    notify=silent,
                    store=store,
                    open_browser=person.open,
                )
            )
    assert store.names() == ()
