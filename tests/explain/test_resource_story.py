"""What `explain mcp URL` tells: what the resource has answered, then a rehearsal with its addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loopback_auth.compare.running.simulate import Entropy
from loopback_auth.demo.features import Features
from loopback_auth.demo.memory import MemoryWorld
from loopback_auth.demo.server import DemoServer
from loopback_auth.explain.narration import Story
from loopback_auth.explain.resource_story import resource_story
from loopback_auth.flows.resource import find_resource
from loopback_auth.model import ClientConfig
from loopback_auth.trace.recorder import Recorder

ISSUER = "https://id.example"
URL = f"{ISSUER}/mcp"


def told(*, client_id: str = "", registration: bool = True) -> Story:
    """Ask a server of another name than the one of the rehearsal."""
    features = replace(Features(), registration=registration)
    server = DemoServer(ISSUER, entropy=Entropy("asked"), features=features)
    client = ClientConfig.for_resource(URL, client_id=client_id)
    recorder = Recorder("resource", ground="live", provider="id.example", clock=lambda: 0.0)
    access = MemoryWorld(server, observer=recorder).run(find_resource(client))
    return resource_story(client, access, recorder.trace())


def test_every_address_is_that_of_the_resource_or_its_server() -> None:
    """A reader copies them."""
    story = told()
    requests = [step.request for step in story.scenes if step.request]

    assert "as.example" not in repr(story)
    assert requests[:3] == [
        f"GET {URL}",
        f"GET {ISSUER}/.well-known/oauth-protected-resource/mcp",
        f"GET {ISSUER}/.well-known/oauth-authorization-server",
    ]
    assert f"POST {ISSUER}/register" in requests
    assert f"POST {ISSUER}/token" in requests


def test_what_was_asked_has_its_answers_and_the_rest_does_not_claim_any() -> None:
    """The demonstration cannot know how a page of that server answers."""
    steps = {step.title: step for step in told().scenes}
    asked = {value.name: value.value for value in steps["resource metadata request"].received}

    assert (steps["resource metadata request"].status, steps["authorization request"].status) == (200, 0)
    assert (asked["resource"], asked["authorization_servers"]) == (URL, ISSUER)


@pytest.mark.parametrize("registration", [True, False])
def test_nothing_is_registered_where_the_client_has_an_id(registration: bool) -> None:
    """It is the one that was registered by hand."""
    titles = [step.title for step in told(client_id="mine", registration=registration).scenes]

    assert "registration request" not in titles
    assert titles[-1] == "Signed in."


def test_steps_are_numbered_in_the_order_in_which_they_are_told() -> None:
    """Answers refer to them."""
    numbers = [number for step in told().scenes for number in step.steps]

    assert numbers == sorted(set(numbers))
