"""What a program that embeds us opens by itself."""

from __future__ import annotations

from loopback_auth.demo.tickets import demo_contract
from loopback_auth.flow_table import CHOOSABLE
from loopback_auth.model import ClientConfig, Provider, ServerMetadata
from loopback_auth.plan.routes import NOBODY_CONFIRMS
from loopback_auth.signin.embedded_plan import planned

ISSUER = "https://as.example"
CONTRACT = demo_contract("netlify", ISSUER, binding=False)
CLIENT = ClientConfig(Provider("example", ServerMetadata(ISSUER), ticket=CONTRACT), "client")


def test_what_anybody_could_approve_is_not_opened_where_nobody_confirms() -> None:
    """RFC 6749 §10.16: the account may be an attacker's, and the program would never know."""
    for pastes in (False, True):
        silent = planned(CLIENT, None, CHOOSABLE, opener=True, pastes=pastes)
        asking = planned(CLIENT, None, CHOOSABLE, opener=True, pastes=pastes, confirms=True)

        assert {route.flow for route in silent.routes} == {"code", "paste"} if pastes else {"code"}
        assert {route.flow for route in asking.routes} >= {"code", "ticket", "device"}
        assert silent.refused["ticket"] == silent.refused["device"] == NOBODY_CONFIRMS


def test_what_is_wanted_by_name_is_opened() -> None:
    """Who names a flow has decided."""
    for flow in ("ticket", "device"):
        assert planned(CLIENT, flow, CHOOSABLE).route(flow)
