"""Proofs of possession: the examples of RFC 9449, and every MUST in it that binds a client."""

from __future__ import annotations

import re
import threading
import traceback
from dataclasses import replace

import pytest
from dpop_samples import KEY, OTHER_KEY, digest, is_signed, proof_of, read_proof
from hypothesis import given
from hypothesis import strategies as st
from protocol_samples import ISSUER, METADATA, PROPERTY

from loopback_auth.errors import ConfigError, StoreError
from loopback_auth.http_messages import HttpRequest, HttpResponse, Stamp
from loopback_auth.protocol.dpop import DpopKey, check_offered, proof, target, thumbprint
from loopback_auth.protocol.dpop_answers import MOST_ORIGINS, Proofs, Prover, error_in, nonce_in

# RFC 9449: the key of figure 4, its thumbprint in figure 9, the proofs of figures 2 and 13 and their token.
RFC_KEY = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}
RFC_THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
RFC_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpD"
    "a0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6"
    "IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGU"
    "uY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NV"
    "Y-FNyJK70nfbV37xRZT3Lg"
)
RFC_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_ATH = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
RFC_NONCE = "eyJ7S_zG.eyJH0-Z.HX4w-7v"

STAMP = Stamp(1_562_262_616.0, "-BwC3ESc6acc2lTc")
TOKEN_ENDPOINT = f"{ISSUER}/token"
DATE = "Thu, 04 Jul 2019 17:50:16 GMT"  # 1_562_262_616


def in_frames(secret: str, exc: BaseException) -> list[str]:
    """List the local variables that show a secret, as a reporter of errors writes them down.

    The frames of the tests themselves do not count, nor do chained errors of other packages.
    """
    frames = [frame for frame, _ in traceback.walk_tb(exc.__traceback__)]
    ours = [frame for frame in frames if str(frame.f_globals["__name__"]).startswith("loopback_auth")]
    found = [(name, repr(value)) for frame in ours for name, value in frame.f_locals.items()]
    assert ours
    return [name for name, shown in found if secret in shown]


def refusal(error: str, *headers: tuple[str, str], at: float = STAMP.wall) -> HttpResponse:
    """An answer of a token endpoint (figure 20)."""
    body = b'{"error": "%s"}' % error.encode()
    return HttpResponse(400, (("Content-Type", "application/json"), *headers), body, at)


def wants(nonce: str, error: str = "use_dpop_nonce") -> HttpResponse:
    """An answer of a token endpoint that names a nonce."""
    return refusal(error, ("DPoP-Nonce", nonce))


def test_rfc9449_4_2_the_proof_of_a_token_request() -> None:
    """Figures 2 to 4: type, algorithm and key in the header, four claims below it."""
    made = read_proof(proof(DpopKey(KEY), "POST", "https://server.example.com/token", STAMP))

    public = {name: KEY[name] for name in ("kty", "crv", "x", "y")}
    assert made.header == {"typ": "dpop+jwt", "alg": "ES256", "jwk": public}
    assert made.claims == read_proof(RFC_PROOF).claims


def test_rfc9449_4_2_the_jwk_must_not_have_the_private_key() -> None:
    """Every server sees the header of a proof."""
    text = proof(DpopKey(KEY), "POST", TOKEN_ENDPOINT, STAMP)

    assert KEY["d"] not in text
    assert "d" not in read_proof(text).header["jwk"]  # type: ignore[operator]


def test_rfc9449_4_2_the_htu_has_neither_query_nor_fragment() -> None:
    """A server compares it with the target of the request without them."""
    made = read_proof(proof(DpopKey(KEY), "GET", "https://resource.example.org/protected?a=1#b", STAMP))

    assert made.claims["htu"] == "https://resource.example.org/protected"


def test_rfc9449_4_2_the_ath_is_the_hash_of_the_token() -> None:
    """Figure 13: a proof is for one token."""
    url = "https://resource.example.org/protectedresource"
    made = read_proof(proof(DpopKey(KEY), "GET", url, STAMP, access_token=RFC_TOKEN))

    assert made.claims["ath"] == RFC_ATH == digest(RFC_TOKEN)


def test_rfc9449_4_2_the_nonce_must_be_the_one_of_the_server() -> None:
    """Figure 21."""
    made = read_proof(proof(DpopKey(KEY), "POST", TOKEN_ENDPOINT, STAMP, nonce=RFC_NONCE))

    assert made.claims["nonce"] == RFC_NONCE


@pytest.mark.parametrize(
    ("url", "htu"),
    [
        ("HTTPS://Server.Example:443/Path?q", "https://server.example/Path"),
        ("http://127.0.0.1:80", "http://127.0.0.1/"),
        ("https://server.example?q", "https://server.example/"),
        ("https://server.example:8443/a", "https://server.example:8443/a"),
        ("https://[2001:DB8::1]:443/a", "https://[2001:db8::1]/a"),
        ("https://user:secret@server.example/a", "https://server.example/a"),
        ("https://server.example/a%2fb/%7e;c=d", "https://server.example/a%2fb/%7e;c=d"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/"),
        ("https://server.example/a b/\u00e9", "https://server.example/a%20b/%C3%A9"),
    ],
)
def test_rfc9449_4_3_the_htu_is_normalized(url: str, htu: str) -> None:
    """Servers that compare strings and those that normalize both accept it; a password never gets into it."""
    assert target(url) == htu


def test_rfc7638_3_1_the_thumbprint_of_the_example() -> None:
    """Figure 9 of RFC 9449; the order of the members does not matter."""
    assert thumbprint(RFC_KEY) == thumbprint(dict(reversed(RFC_KEY.items()))) == RFC_THUMBPRINT


def test_the_clock_of_the_server_counts() -> None:
    """Ours may be wrong by hours."""
    made = read_proof(proof(DpopKey(KEY), "POST", TOKEN_ENDPOINT, STAMP, skew=-3600.5))

    assert made.claims["iat"] == 1_562_262_616 - 3601


def test_a_changed_proof_is_noticed() -> None:
    """Our reader of proofs checks the signature; otherwise these tests would show little."""
    header, claims, signature = RFC_PROOF.split(".")

    assert is_signed(RFC_PROOF)
    assert not is_signed(f"{header}.{claims[:-2]}AA.{signature}")


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"d": ""},
        {"d": OTHER_KEY["d"]},  # of another public key
        {"x": KEY["x"][:-1]},
        {"y": "+" * 43},
        {"d": "A" * 43},  # zero
        {"d": "_" * 43},  # more than the order of the curve
        {"x": "A" * 43},  # no point of the curve
    ],
)
def test_a_key_that_is_none_is_refused(changes: dict[str, str]) -> None:
    """Proofs that no server accepts would look like a fault of the server; what is kept is damaged."""
    with pytest.raises(StoreError) as caught:
        DpopKey({**KEY, **changes})

    assert KEY["d"] not in str(caught.value)
    assert not in_frames(KEY["d"], caught.value)
    assert not in_frames(OTHER_KEY["d"], caught.value)


@pytest.mark.parametrize("missing", ["kty", "crv", "x", "y", "d"])
def test_a_key_with_a_member_missing_is_refused(missing: str) -> None:
    """A file may be cut, or have the public key alone."""
    with pytest.raises(StoreError):
        DpopKey({name: value for name, value in KEY.items() if name != missing})


def test_no_repr_shows_the_private_key() -> None:
    """Reporters of errors write down the values of every frame."""
    prover = Prover(DpopKey(KEY))

    assert KEY["d"] not in f"{prover!r} {prover.key!r} {vars(prover)!r}"


def test_rfc9449_5_1_a_server_without_es256_is_refused() -> None:
    """Before the person is asked."""
    document = {"dpop_signing_alg_values_supported": ["RS256", "PS256"]}
    with pytest.raises(ConfigError) as caught:
        check_offered(replace(METADATA, document=document))

    assert caught.value.parameter == "dpop"


def test_rfc9449_5_1_a_server_that_lists_nothing_is_doubted() -> None:
    """It may support DPoP all the same; if it does not, it ignores the proof."""
    assert check_offered(METADATA)
    assert not check_offered(replace(METADATA, document={"dpop_signing_alg_values_supported": ["ES256"]}))
    assert not check_offered(replace(METADATA, discovered=False))  # Its metadata was not read.


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("DPoP-Nonce", ""),),
        (("DPoP-Nonce", "two words"),),
        (("DPoP-Nonce", 'with"quote'),),
        (("DPoP-Nonce", "back\\slash"),),
        (("DPoP-Nonce", "caf\xe9"),),
        (("DPoP-Nonce", "line\r\nbreak"),),
        (("DPoP-Nonce", "n" * 4097),),
        (("DPoP-Nonce", "one"), ("dpop-nonce", "two")),
        (("DPoP-Nonce", "one, two"),),
    ],
)
def test_rfc9449_8_1_what_is_not_a_nonce_is_ignored(headers: tuple[tuple[str, str], ...]) -> None:
    """What a server sends goes into our next proof; of two headers none is meant for sure (§8)."""
    assert nonce_in(HttpResponse(400, headers)) == ""


def test_rfc9449_8_the_nonce_of_figure_20() -> None:
    """The name of the header is matched without case."""
    assert nonce_in(HttpResponse(400, (("dpop-nonce", f" {RFC_NONCE} "),))) == RFC_NONCE


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refusal("use_dpop_nonce"), "use_dpop_nonce"),
        (refusal("invalid_dpop_proof"), "invalid_dpop_proof"),
        (refusal("invalid_grant"), ""),
        (replace(refusal("use_dpop_nonce"), status=200), ""),
        (HttpResponse(400, (), b'{"error": ["use_dpop_nonce"]}'), ""),
        (HttpResponse(400, (), b"[" * 100_000), ""),
        (HttpResponse(400, (), b"\xff\xfe use_dpop_nonce"), ""),
        # Figures 24, 16 and 18, and two headers.
        (
            HttpResponse(401, (("WWW-Authenticate", 'DPoP error="use_dpop_nonce", algs="ES256"'),)),
            "use_dpop_nonce",
        ),
        (HttpResponse(401, (("WWW-Authenticate", 'DPoP error="invalid_token", algs="ES256"'),)), ""),
        (HttpResponse(401, (("WWW-Authenticate", 'Bearer error="use_dpop_nonce", DPoP algs="ES256"'),)), ""),
        (
            HttpResponse(
                401,
                (("WWW-Authenticate", "Bearer"), ("www-authenticate", 'dpop error="Use_DPoP_Nonce"')),
            ),
            "use_dpop_nonce",
        ),
    ],
)
def test_rfc9449_8_and_9_where_an_error_stands(answer: HttpResponse, error: str) -> None:
    """In the body of an authorization server, in the challenge of a resource server."""
    assert error_in(answer) == error


def asked_again(prover: Prover, *answers: HttpResponse) -> list[dict[str, object]]:
    """Send a request for as long as an answer asks for another try; return the claims of each."""
    proofs, sent = Proofs(prover), []
    for number, answer in enumerate(answers):
        stamp = Stamp(STAMP.wall, f"stamp-{number}")
        sent.append(read_proof(proofs.next("POST", TOKEN_ENDPOINT, stamp)).claims)
        if not proofs.again(TOKEN_ENDPOINT, answer):
            break
    return sent


def test_rfc9449_8_a_nonce_is_used_once_it_is_known() -> None:
    """The request is sent again with it, and the next one has it from the beginning."""
    prover = Prover(DpopKey(KEY))
    first = asked_again(prover, wants("one"), HttpResponse(200))
    second = asked_again(prover, HttpResponse(200))

    assert [each.get("nonce") for each in (*first, *second)] == [None, "one", "one"]


def test_rfc9449_7_3_every_try_has_a_proof_of_its_own() -> None:
    """A server refuses a `jti` that it has seen."""
    sent = asked_again(Prover(DpopKey(KEY)), wants("one"), HttpResponse(200))

    assert [each["jti"] for each in sent] == ["stamp-0", "stamp-1"]


def test_rfc9449_8_2_the_client_must_use_a_new_nonce_that_comes_with_a_success() -> None:
    """A server saves a refusal by this."""
    prover = Prover(DpopKey(KEY))
    asked_again(prover, HttpResponse(200, (("DPoP-Nonce", "next"),)))

    assert prover.nonce(TOKEN_ENDPOINT) == "next"


def test_rfc9449_9_a_nonce_is_used_only_at_the_server_that_issued_it() -> None:
    """Another server would refuse it, and must not see it."""
    prover = Prover(DpopKey(KEY))
    prover.learn("https://one.example/token", wants("of-one"))
    prover.learn("https://two.example:8443/x", wants("of-two"))

    found = {
        url: prover.nonce(url)
        for url in ("https://ONE.example:443/other?x", "https://two.example/x", "https://two.example:8443/")
    }
    assert list(found.values()) == ["of-one", "", "of-two"]


def test_a_nonce_that_changes_each_time_is_no_loop() -> None:
    """Such a server gets its refusal back to the person."""
    answers = [wants(f"nonce-{number}") for number in range(9)]

    assert len(asked_again(Prover(DpopKey(KEY)), *answers)) == 2


@pytest.mark.parametrize("answer", [refusal("use_dpop_nonce"), wants(" "), wants("old")])
def test_without_a_new_nonce_nothing_is_sent_again(answer: HttpResponse) -> None:
    """The same request would get the same answer."""
    prover = Prover(DpopKey(KEY))
    prover.learn(TOKEN_ENDPOINT, wants("old"))

    assert len(asked_again(prover, answer, HttpResponse(200))) == 1


def test_a_wrong_clock_is_corrected_by_the_date_of_the_server() -> None:
    """Once; later requests to that server have its time from the beginning, and no other server has."""
    prover = Prover(DpopKey(KEY))
    ours = STAMP.wall + 7200
    sent = []
    for answer in (refusal("invalid_dpop_proof", ("Date", DATE), at=ours), HttpResponse(200)):
        proofs = Proofs(prover)
        sent.append(read_proof(proofs.next("POST", TOKEN_ENDPOINT, replace(STAMP, wall=ours))).claims["iat"])
        proofs.again(TOKEN_ENDPOINT, answer)

    assert sent == [ours, STAMP.wall]
    assert prover.skew("https://other.example/") == 0.0


@pytest.mark.parametrize(
    ("date", "ours"),
    [
        (DATE, STAMP.wall + 1.9),  # chance
        ("", STAMP.wall + 7200),
        ("yesterday", STAMP.wall + 7200),
        ("Thu, 04 Jul 99999 17:50:16 GMT", STAMP.wall),
        (("9" * 5000), STAMP.wall),
    ],
)
def test_a_proof_that_is_refused_for_another_reason_is_not_sent_again(date: str, ours: float) -> None:
    """The clock is right, or nothing says how wrong it is."""
    answer = refusal("invalid_dpop_proof", ("Date", date), at=ours)

    assert len(asked_again(Prover(DpopKey(KEY)), answer, HttpResponse(200))) == 1


def test_a_wrong_clock_and_a_nonce_cost_three_tries_at_most() -> None:
    """The worst server: every answer has another nonce and another time."""
    answers = [
        refusal("invalid_dpop_proof", ("DPoP-Nonce", f"n{hour}"), ("Date", DATE), at=STAMP.wall + 3600 * hour)
        for hour in range(1, 9)
    ]

    assert len(asked_again(Prover(DpopKey(KEY)), *answers)) <= 3


def test_nonce_first_and_then_the_clock() -> None:
    """A server that checks the nonce before the time needs two corrections."""
    late = refusal("invalid_dpop_proof", ("DPoP-Nonce", "two"), ("Date", DATE), at=STAMP.wall + 600)
    sent = asked_again(Prover(DpopKey(KEY)), wants("one"), late, HttpResponse(200))

    assert [(each.get("nonce"), each["iat"]) for each in sent] == [
        (None, STAMP.wall),
        ("one", STAMP.wall),
        ("two", STAMP.wall - 600),
    ]


def test_a_program_that_talks_to_many_servers_remembers_the_latest() -> None:
    """Memory is bounded; what is forgotten costs one more try."""
    prover = Prover(DpopKey(KEY))
    for number in range(MOST_ORIGINS + 1):
        prover.learn(f"https://s{number}.example/", wants(f"n{number}"))

    assert prover.nonce("https://s0.example/") == ""
    assert prover.nonce(f"https://s{MOST_ORIGINS}.example/") == f"n{MOST_ORIGINS}"


def test_threads_may_share_a_prover() -> None:
    """An HTTP client is used by many; none of them may meet a dictionary that changes while it is read."""
    prover, failures = Prover(DpopKey(KEY)), list[BaseException]()

    def talk(thread: int) -> None:
        try:
            for number in range(3 * MOST_ORIGINS):
                prover.learn(f"https://s{thread}-{number}.example/", wants("n"))
                prover.nonce("https://s1-1.example/")
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert not failures


@PROPERTY
@given(st.text(max_size=200), st.text(max_size=200), st.binary(max_size=200), st.integers(100, 599))
def test_no_answer_makes_the_reading_fail(nonce: str, challenge: str, body: bytes, status: int) -> None:
    """All of it comes from any server that the program talks to; what is read goes into a header."""
    headers = (("DPoP-Nonce", nonce), ("WWW-Authenticate", f"DPoP {challenge}"), ("Date", challenge))
    answer = HttpResponse(status, headers, body, STAMP.wall)

    assert re.fullmatch(r"[!#-\[\]-~]*", nonce_in(answer))
    assert error_in(answer) in ("", "use_dpop_nonce", "invalid_dpop_proof")
    Prover(DpopKey(KEY)).learn_time(TOKEN_ENDPOINT, answer)


def test_a_request_has_one_proof() -> None:
    """Our reader counts them: more than one header is refused by servers (RFC 9449 §4.3)."""
    text = proof(DpopKey(KEY), "GET", ISSUER, STAMP)

    with pytest.raises(AssertionError):
        proof_of(HttpRequest("GET", ISSUER, (("DPoP", text), ("dpop", text))))
