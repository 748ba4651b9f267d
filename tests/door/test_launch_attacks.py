"""Attacks on the launch, through the served tool: each line of what a launch checks has somebody who tries."""

import base64
import hmac
import json
import threading
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from door.fake_platform import (
    ABSENT,
    CLAIM,
    PUBLIC_URL,
    TARGET,
    Door,
    FakePlatform,
    assert_page,
    ec_jwk,
    ec_key,
    is_let_in,
    rsa_jwk,
    rsa_key,
)
from sqlalchemy import func, select

from lti_tool.lti.models import Login
from lti_tool.people import registry
from lti_tool.people.models import Deployment, SignIn

NOT_GENUINE = "This launch is not genuine"
AGAIN = "Please open the activity again"


def sessions(door: Door) -> int:
    with door.database.read() as session:
        return session.scalar(select(func.count(SignIn.id))) or 0


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header: Any, claims: Any, signature: bytes = b"") -> str:
    return ".".join((b64(json.dumps(header).encode()), b64(json.dumps(claims).encode()), b64(signature)))


def claims_of(door: Door, nonce: str) -> dict[str, Any]:
    return door.platform.claims(nonce, door.clock().timestamp())


# Once, and by whom it was begun


def test_the_same_pair_opens_nothing_in_another_browser(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    token = door.token(begun)
    assert is_let_in(door.post(browser, begun, token))
    assert_page(door.post(door.browser(), begun, token), 409, AGAIN)
    assert sessions(door) == 1


def test_the_same_pair_in_the_same_browser_makes_no_second_session(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    token = door.token(begun)
    first = door.post(browser, begun, token)
    again = door.post(browser, begun, token)
    assert again.status_code == 303
    assert again.headers["Location"] == first.headers["Location"]
    assert not again.headers.getlist("Set-Cookie")
    assert sessions(door) == 1


def test_a_replay_after_the_session_cookie_is_gone_asks_to_launch_again(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    token = door.token(begun)
    handle = door.post(browser, begun, token).headers["Location"].split("/")[2]
    browser.delete_cookie(f"__Host-at-{handle}", domain="localhost")
    assert_page(door.post(browser, begun, token), 409, AGAIN)
    assert sessions(door) == 1


def test_a_used_state_with_a_new_token_is_refused(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    assert is_let_in(door.post(browser, begun, door.token(begun)))
    other = door.browser()
    stolen = door.token(begun, {"sub": "99"})
    assert_page(door.post(other, begun, stolen), 409, AGAIN)


@pytest.mark.parametrize("round_number", range(3))
def test_of_two_at_the_same_moment_exactly_one_is_let_in(door: Door, round_number: int) -> None:
    first, second = door.browser(), door.browser()
    begun = door.begin(first)
    name = next(cookie.key for cookie in first._cookies.values() if cookie.key.startswith("__Host-login-"))
    second.set_cookie(name, first.get_cookie(name, domain="localhost").value, domain="localhost")
    token = door.token(begun)
    door.launch()  # the platform's keys are known, so that both run straight into the store
    before = sessions(door)
    barrier = threading.Barrier(2)
    answers: list[Any] = []

    def post(client: Any) -> None:
        barrier.wait()
        answers.append(door.post(client, begun, token))

    threads = [threading.Thread(target=post, args=(client,)) for client in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(is_let_in(answer) for answer in answers) == [False, True]
    assert all(answer.status_code < 500 for answer in answers)
    assert sessions(door) - before == 1


def test_two_first_launches_of_a_course_at_the_same_moment_make_one_course(door: Door) -> None:
    door.launch(changes={CLAIM + "context": {"id": "warm"}})
    browsers = [door.browser() for _ in range(4)]
    begun = [door.begin(browser) for browser in browsers]
    tokens = [door.token(each, {"sub": str(number)}) for number, each in enumerate(begun)]
    barrier = threading.Barrier(4)
    answers: list[Any] = []

    def post(number: int) -> None:
        barrier.wait()
        answers.append(door.post(browsers[number], begun[number], tokens[number]))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(is_let_in(answer) for answer in answers)


def test_the_nonce_of_another_login_is_refused(door: Door) -> None:
    browser = door.browser()
    one, other = door.begin(browser), door.begin(browser)
    assert_page(door.post(browser, one, door.token(other)), 403, NOT_GENUINE)
    assert sessions(door) == 0


def test_another_browsers_launch_is_refused(door: Door) -> None:
    victim, attacker = door.browser(), door.browser()
    begun = door.begin(attacker)
    assert_page(door.post(victim, begun, door.token(begun)), 403, "began somewhere else")


def test_a_browser_without_cookies_is_refused(door: Door) -> None:
    begun = door.begin(door.browser())
    assert_page(door.post(door.browser(cookies=False), begun, door.token(begun)), 403, "began somewhere else")


def test_the_cookie_of_another_login_is_refused(door: Door) -> None:
    attacker, victim = door.browser(), door.browser()
    begun = door.begin(attacker)
    door.begin(victim)
    own = next(cookie for cookie in victim._cookies.values() if cookie.key.startswith("__Host-login-"))
    wanted = next(cookie for cookie in attacker._cookies.values() if cookie.key.startswith("__Host-login-"))
    victim.set_cookie(wanted.key, own.value, domain="localhost")
    assert_page(door.post(victim, begun, door.token(begun)), 403, "began somewhere else")


@pytest.mark.parametrize("value", ["", "x", "é", "0" * 64, "\ud800"])
def test_a_guessed_login_cookie_is_refused(door: Door, value: str) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    name = next(cookie.key for cookie in browser._cookies.values() if cookie.key.startswith("__Host-login-"))
    other = door.browser(cookies=False)
    answer = other.post(
        "/lti/launch",
        data={"state": begun.state, "id_token": door.token(begun)},
        headers={"Cookie": f"{name}={value.encode('utf-8', 'replace').decode('latin-1')}"},
    )
    assert_page(answer, 403, "began somewhere else")


def test_a_login_is_good_for_minutes(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    door.clock.advance(601)
    assert_page(door.post(browser, begun, door.token(begun)), 403, "That took too long")


@pytest.mark.parametrize("state", ["", "x", "../..", "é" * 50, "0" * 5_000, "\0", "' OR 1=1 --"])
def test_a_made_up_state_is_refused(door: Door, state: str) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    answer = browser.post("/lti/launch", data={"state": state, "id_token": door.token(begun)})
    assert answer.status_code in (400, 403)
    assert sessions(door) == 0


def test_what_is_stored_opens_nothing(door: Door) -> None:
    """Somebody who reads the database finds hashes, and cannot finish a launch with them."""
    browser = door.browser()
    begun = door.begin(browser)
    with door.database.read() as session:
        row = session.execute(select(Login)).scalar_one()
    stored = {str(value) for value in vars(row).values()}
    secret = next(c.value for c in browser._cookies.values() if c.key.startswith("__Host-login-"))
    assert not stored & {begun.state, begun.nonce, secret}
    answer = browser.post("/lti/launch", data={"state": row.state_hash, "id_token": door.token(begun)})
    assert answer.status_code == 403


# Signature


def test_no_signature_at_all(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    for algorithm in ("none", "None", "NONE", ""):
        token = unsigned({"alg": algorithm, "kid": "key-1"}, claims_of(door, begun.nonce))
        assert_page(door.post(browser, begun, token), 403, NOT_GENUINE)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_the_public_key_as_a_shared_secret(door: Door, digest: str) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    public = door.platform.key.public_key()
    names = {"sha256": "HS256", "sha384": "HS384", "sha512": "HS512"}
    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(rsa_jwk(door.platform.key, "key-1")).encode(),
    ):
        token = unsigned({"alg": names[digest], "kid": "key-1"}, claims_of(door, begun.nonce))
        signed = token.rpartition(".")[0]
        forged = f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"
        assert_page(door.post(browser, begun, forged), 403, NOT_GENUINE)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "ES256K", "EdDSA", "RS256 ", "rs256"])
def test_an_algorithm_that_is_not_allowed(door: Door, algorithm: str) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    token = unsigned({"alg": algorithm, "kid": "key-1"}, claims_of(door, begun.nonce), b"x" * 256)
    assert_page(door.post(browser, begun, token), 403, NOT_GENUINE)


def test_an_allowed_algorithm_that_the_key_is_not_for(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    token = unsigned({"alg": "ES256", "kid": "key-1"}, claims_of(door, begun.nonce), b"x" * 64)
    assert_page(door.post(browser, begun, token), 403, NOT_GENUINE)


def test_another_key_under_the_right_name(door: Door) -> None:
    door.launch()
    door.platform.key = rsa_key(2)
    assert_page(door.launch(), 403, NOT_GENUINE)


def test_changed_claims_under_a_good_signature(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    header, _, signature = door.token(begun).split(".")
    payload = b64(json.dumps(claims_of(door, begun.nonce) | {"sub": "1"}).encode())
    assert_page(door.post(browser, begun, f"{header}.{payload}.{signature}"), 403, NOT_GENUINE)


def test_keys_that_the_token_brings_or_points_to_are_not_looked_at(door: Door) -> None:
    evil = FakePlatform(key=rsa_key(2), kid="evil")
    for header in (
        {"jwk": rsa_jwk(evil.key, "evil")},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": [b64(b"cert")]},
        {"jwk": rsa_jwk(evil.key, "key-1"), "kid": "key-1"},
    ):
        browser = door.browser()
        begun = door.begin(browser)
        token = evil.sign(claims_of(door, begun.nonce), **header)
        assert door.post(browser, begun, token).status_code == 403
    assert set(door.network.calls) <= {door.platform.jwks_url}
    assert sessions(door) == 0


def test_a_good_token_that_also_names_a_key_elsewhere_is_read_with_the_known_key(door: Door) -> None:
    assert is_let_in(door.launch(None, None, jku="https://evil.example/jwks"))
    assert door.network.calls == [door.platform.jwks_url]


@pytest.mark.parametrize("kid", [None, "", 7, ["key-1"], {"a": 1}, "x" * 300])
def test_a_key_id_is_needed(door: Door, kid: object) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    header = {"alg": "RS256"} | ({} if kid is None else {"kid": kid})
    token = unsigned(header, claims_of(door, begun.nonce), b"x" * 256)
    assert_page(door.post(browser, begun, token), 403, NOT_GENUINE)


def test_a_critical_header_that_nobody_understands(door: Door) -> None:
    assert_page(door.launch(None, None, crit=["exp"], exp=1), 403, NOT_GENUINE)


def test_an_unencoded_payload(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    header = {"alg": "RS256", "kid": "key-1", "b64": False, "crit": ["b64"]}
    token = unsigned(header, claims_of(door, begun.nonce), b"x" * 256)
    assert_page(door.post(browser, begun, token), 403, NOT_GENUINE)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        "\0",
        "e30.e30.",
        "W10.e30.AA",
        "x" * 200_000,
        b64(b"[" * 50_000) + ".e30.AA",
        b64(b'{"alg":"RS256","kid":"key-1","x":' + b"[" * 30_000) + ".e30.AA",
        b64(b'{"alg":"RS256","kid":"key-1","n":' + b"9" * 6_000 + b"}") + ".e30.AA",
        b64(b'{"alg":["RS256"],"kid":"key-1"}') + ".e30.AA",
        b64(b'{"alg":"RS256","kid":"key-1"}') + ".!!!.AA",
        b64(b'{"alg":"RS256","kid":"\\ud800"}') + ".e30.AA",
        b64(b'{"alg":"RS256","kid":"key-1","typ":"JWE","enc":"A256GCM"}') + ".e30.AA.AA.AA",
    ],
)
def test_what_is_no_token(door: Door, token: str) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    assert_page(door.post(browser, begun, token), 403, "")


@pytest.mark.parametrize("payload", [b"[]", b'"text"', b"null", b"7", b"\xff\xfe", b"{", b"[" * 20_000, b"NaN"])
def test_a_signed_payload_that_is_no_object(door: Door, payload: bytes) -> None:
    import jwt

    browser = door.browser()
    begun = door.begin(browser)
    token = jwt.api_jws.encode(payload, door.platform.key, algorithm="RS256", headers={"kid": "key-1"})
    assert_page(door.post(browser, begun, token), 403, NOT_GENUINE)


def test_es256_is_as_good_as_rs256(door: Door) -> None:
    import jwt

    door.network.bodies[door.platform.jwks_url] = {"keys": [ec_jwk("ec-1")]}
    browser = door.browser()
    begun = door.begin(browser)
    token = jwt.encode(claims_of(door, begun.nonce), ec_key(), algorithm="ES256", headers={"kid": "ec-1"})
    assert is_let_in(door.post(browser, begun, token))


# Who it is from, whom it is for, when


@pytest.mark.parametrize(
    "issuer", [ABSENT, "", "https://lms.example/", "https://evil.example", None, ["https://lms.example"]]
)
def test_another_issuer(door: Door, issuer: object) -> None:
    assert_page(door.launch(changes={"iss": issuer}), 403, NOT_GENUINE)


@pytest.mark.parametrize(
    "audience",
    [ABSENT, None, "", "other", "client-1 ", "CLIENT-1", [], ["other"], {"client-1": 1}, [["client-1"]], 1],
)
def test_another_audience(door: Door, audience: object) -> None:
    assert_page(door.launch(changes={"aud": audience}), 403, NOT_GENUINE)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["client-1", "other"]},
        {"aud": ["other", "client-1"], "azp": "other"},
        {"aud": ["client-1"], "azp": "other"},
        {"aud": "client-1", "azp": "other"},
        {"aud": "client-1", "azp": None},
        {"aud": ["client-1", "other"], "azp": ["client-1"]},
    ],
)
def test_an_authorised_party_that_is_not_us(door: Door, changes: dict[str, Any]) -> None:
    assert_page(door.launch(changes=changes), 403, NOT_GENUINE)


@pytest.mark.parametrize(
    "changes",
    [{"aud": ["client-1"]}, {"aud": ["other", "client-1"], "azp": "client-1"}, {"azp": "client-1"}],
)
def test_an_audience_list_that_names_us_is_good(door: Door, changes: dict[str, Any]) -> None:
    assert is_let_in(door.launch(changes=changes))


@pytest.mark.parametrize("claim", ["exp", "iat"])
@pytest.mark.parametrize("value", [ABSENT, None, "", "1795302187", True, [1], {"s": 1}, float("nan"), float("inf")])
def test_a_moment_that_is_none(door: Door, claim: str, value: object) -> None:
    assert_page(door.launch(changes={claim: value}), 400, claim)


@pytest.mark.parametrize(
    ("exp", "iat", "words"),
    [
        (-61, -120, "That took too long"),
        (-3600, -3700, "That took too long"),
        (-(10**12), 0, "That took too long"),
        (60, 61, "The clocks differ"),
        (10**9, 10**8, "The clocks differ"),
        (60, -3_661, "That took too long"),
        (10**9, -(10**9), "That took too long"),
    ],
)
def test_expired_too_old_or_from_the_future(door: Door, exp: int, iat: int, words: str) -> None:
    now = int(door.clock().timestamp())
    assert_page(door.launch(changes={"exp": now + exp, "iat": now + iat}), 403, words)


@pytest.mark.parametrize(("exp", "iat"), [(-59, -119), (65, 5), (119, 59), (60, -3_600), (0.5, -0.5)])
def test_a_clock_that_is_a_little_off_is_good(door: Door, exp: float, iat: float) -> None:
    now = door.clock().timestamp()
    assert is_let_in(door.launch(changes={"exp": now + exp, "iat": now + iat}))


def test_not_valid_yet(door: Door) -> None:
    assert_page(door.launch(changes={"nbf": door.clock().timestamp() + 61}), 403, "The clocks differ")


@pytest.mark.parametrize("nonce", [ABSENT, None, "", "other", 7, ["x"], "\ud800", "x" * 10_000])
def test_another_nonce(door: Door, nonce: object) -> None:
    assert_page(door.launch(changes={"nonce": nonce}), 403, NOT_GENUINE)


# Claims


@pytest.mark.parametrize("version", [ABSENT, None, "", "1.3", "1.3.1", "1.1", 1.3, ["1.3.0"]])
def test_another_version(door: Door, version: object) -> None:
    assert_page(door.launch(changes={CLAIM + "version": version}), 400, "version")


@pytest.mark.parametrize(
    "message", [ABSENT, None, "", "LtiSubmissionReviewRequest", "ltiresourcelinkrequest", ["x"], {}]
)
def test_an_unknown_message(door: Door, message: object) -> None:
    assert_page(door.launch(changes={CLAIM + "message_type": message}), 400, "The tool cannot do this")


@pytest.mark.parametrize("deployment", [ABSENT, None, "", 1, ["1"], "x" * 300, "1\0", "\ud800"])
def test_a_deployment_that_is_no_id(door: Door, deployment: object) -> None:
    assert_page(door.launch(changes={CLAIM + "deployment_id": deployment}), 400, "deployment_id")


def test_a_new_deployment_waits_for_the_operator(door: Door) -> None:
    for _ in range(2):
        assert_page(door.launch(changes={CLAIM + "deployment_id": "2"}), 403, "Not open here yet")
    assert sessions(door) == 0
    with door.database.write() as session:
        waiting = session.scalars(select(Deployment.deployment_id).where(Deployment.status == "pending")).all()
        assert waiting == ["2"]
        registry.approve(session, door.platform.id, door.clock(), deployment_id="2")
    assert is_let_in(door.launch(changes={CLAIM + "deployment_id": "2"}))


def test_the_launch_of_a_waiting_deployment_cannot_be_used_again(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    token = door.token(begun, {CLAIM + "deployment_id": "2"})
    door.post(browser, begun, token)
    with door.database.write() as session:
        registry.approve(session, door.platform.id, door.clock(), deployment_id="2")
    assert_page(door.post(browser, begun, token), 409, AGAIN)


@pytest.mark.parametrize(
    "target",
    [
        ABSENT,
        None,
        "",
        "https://evil.example/lti/launch",
        f"{PUBLIC_URL}/other",
        TARGET + "?x=1",
        TARGET.upper(),
        [TARGET],
    ],
)
def test_a_target_other_than_the_logins(door: Door, target: object) -> None:
    assert_page(door.launch(changes={CLAIM + "target_link_uri": target}), 400, "The link leads somewhere else")


@pytest.mark.parametrize("link", [ABSENT, None, {}, [], "1", {"id": ""}, {"id": None}, {"id": 7}, {"id": "x" * 300}])
def test_a_launch_of_no_link(door: Door, link: object) -> None:
    assert_page(door.launch(changes={CLAIM + "resource_link": link}), 400, "resource_link.id")


@pytest.mark.parametrize("sub", [ABSENT, None, ""])
def test_an_anonymous_launch_is_told_why_not(door: Door, sub: object) -> None:
    assert_page(door.launch(changes={"sub": sub}), 403, "We would like to know who you are")


@pytest.mark.parametrize("sub", [7, True, ["3"], {"id": "3"}, "x" * 300, "3\0", "\ud800", "a\nb"])
def test_a_person_that_is_no_id(door: Door, sub: object) -> None:
    assert_page(door.launch(changes={"sub": sub}), 400, "sub")


@pytest.mark.parametrize("context", [{"id": 7}, {"id": "x" * 300}, {"id": "2\0"}, {"id": ["2"]}, {"id": False}])
def test_a_context_that_is_no_id(door: Door, context: object) -> None:
    assert_page(door.launch(changes={CLAIM + "context": context}), 400, "context.id")


# Platforms that may not launch


@pytest.mark.parametrize(("status", "words"), [("pending", "Not open yet"), ("suspended", "Closed for now")])
def test_a_platform_that_may_not_launch(door: Door, status: str, words: str) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    with door.database.write() as session:
        from lti_tool.people.models import Platform

        session.get_one(Platform, door.platform.id).status = status
    assert_page(door.post(browser, begun, door.token(begun)), 403, words)
    assert_page(door.login(browser), 403, words)


def test_a_suspended_platform_ends_running_sessions(door: Door) -> None:
    browser = door.browser()
    where = door.launch(browser).headers["Location"]
    with door.database.write() as session:
        registry.suspend(session, door.platform.id)
    assert browser.get(where).status_code == 401


def test_the_keys_of_one_school_open_nothing_at_another_of_the_same_issuer(door: Door) -> None:
    other = door.register(FakePlatform(client_id="client-2", key=rsa_key(2), kid="key-2"))
    browser = door.browser()
    begun = door.begin(browser)
    token = other.sign(claims_of(door, begun.nonce) | {"aud": ["client-1", "client-2"], "azp": "client-1"})
    assert_page(door.post(browser, begun, token), 403, "The signature could not be checked")
    token = other.sign(other.claims(begun.nonce, door.clock().timestamp()))
    assert door.post(browser, begun, token).status_code == 403


# The platform's own error, reload, back


def test_the_platforms_error_is_shown(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    answer = browser.post(
        "/lti/launch",
        data={"error": "invalid_request", "error_description": "No <b>hint</b>", "state": begun.state},
    )
    page = assert_page(answer, 403, "invalid_request No &lt;b&gt;hint&lt;/b&gt;")
    assert "Go back to your course" in page


@pytest.mark.parametrize("state", ["", "unknown", "other"])
def test_nobody_else_writes_on_the_error_page(door: Door, state: str) -> None:
    if state == "other":
        state = door.begin(door.browser()).state
    answer = door.browser().post(
        "/lti/launch", data={"error": "x", "error_description": "Call 555 1234 now", "state": state}
    )
    assert "555" not in assert_page(answer, 403, "Your LMS did not open the activity")


def test_coming_back_by_get_is_polite(door: Door) -> None:
    answer = door.browser().get("/lti/launch")
    assert_page(answer, 405, AGAIN)
    assert door.browser().get("/lti/launch/stored").status_code == 405


@pytest.mark.parametrize("name", ["state", "id_token"])
def test_a_parameter_that_comes_twice_is_refused(door: Door, name: str) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    given = {"state": [begun.state], "id_token": [door.token(begun)]}
    given[name] *= 2
    assert_page(browser.post("/lti/launch", data=given), 400, name)


def test_too_much_at_once(door: Door) -> None:
    browser = door.browser()
    begun = door.begin(browser)
    answer = browser.post("/lti/launch", data={"state": begun.state, "id_token": "x" * 1_200_000})
    assert_page(answer, 413, "too much")
