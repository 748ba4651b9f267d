"""Keys of platforms: asked for rarely, once for many, kept while the platform is down."""

import threading
from typing import Any

import pytest
from door.fake_platform import Door, FakePlatform, assert_page, ec_jwk, is_let_in, rsa_jwk, rsa_key

from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.web.app import create_app

UNKNOWN = "The signature could not be checked"
DOWN = "Your LMS does not answer"


def publish(door: Door, *jwks: Any) -> None:
    door.network.bodies[door.platform.jwks_url] = {"keys": list(jwks)}


def test_keys_are_read_once_an_hour(door: Door) -> None:
    for _ in range(3):
        assert is_let_in(door.launch())
    assert len(door.network.calls) == 1
    door.clock.advance(3_601)
    assert is_let_in(door.launch())
    assert len(door.network.calls) == 2


def test_a_key_that_was_withdrawn_is_not_believed_after_the_hour(door: Door) -> None:
    door.launch()
    publish(door, rsa_jwk(rsa_key(2), "key-2"))
    door.clock.advance(3_601)
    assert_page(door.launch(), 403, UNKNOWN)


def test_a_restarted_tool_needs_no_call(door: Door) -> None:
    door.launch()
    door.tool = create_app(door.tool.settings, database=door.database, clock=door.clock).extensions["meitheal"]
    door.app.extensions["meitheal"] = door.tool
    door.tool.lti.http.request = door.network.request
    door.network.is_down = True
    assert is_let_in(door.launch())
    assert len(door.network.calls) == 1


def test_a_rotated_key_is_found_at_once_after_the_cool_down(door: Door) -> None:
    door.launch()
    door.clock.advance(31)
    publish(door, rsa_jwk(rsa_key(2), "key-2"))
    door.platform.key, door.platform.kid = rsa_key(2), "key-2"
    assert is_let_in(door.launch())
    assert len(door.network.calls) == 2


def test_a_flood_of_unknown_key_ids_is_one_call(door: Door) -> None:
    door.launch()
    door.clock.advance(60)
    for number in range(20):
        assert_page(door.launch(None, None, kid=f"unknown-{number}"), 403, UNKNOWN)
    assert len(door.network.calls) == 2
    assert is_let_in(door.launch())


def test_a_flood_at_a_platform_that_is_down_is_one_call(door: Door) -> None:
    door.network.is_down = True
    for _ in range(5):
        assert_page(door.launch(), 503, DOWN)
    assert len(door.network.calls) == 1
    door.network.is_down = False
    door.clock.advance(31)
    assert is_let_in(door.launch())


def test_old_keys_are_used_while_the_platform_is_down(door: Door) -> None:
    door.launch()
    door.network.is_down = True
    door.clock.advance(5 * 3_600)
    for _ in range(3):
        assert is_let_in(door.launch())
    assert len(door.network.calls) == 2


def test_but_not_for_ever(door: Door) -> None:
    door.launch()
    door.network.is_down = True
    door.clock.advance(8 * 24 * 3_600)
    assert_page(door.launch(), 503, DOWN)


def test_many_waiters_share_one_call(door: Door) -> None:
    door.network.delay.clear()
    browsers = [door.browser() for _ in range(6)]
    begun = [door.begin(browser) for browser in browsers]
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda b=browser, a=each: answers.append(door.post(b, a, door.token(a))))
        for browser, each in zip(browsers, begun, strict=True)
    ]
    for thread in threads:
        thread.start()
    door.network.delay.set()
    for thread in threads:
        thread.join()
    assert [is_let_in(answer) for answer in answers] == [True] * 6
    assert len(door.network.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"keys": 7},
        {"keys": {}},
        {"keys": [7, None, "x", []]},
        {"keys": []},
        "text",
        None,
        {"keys": [{}] * 9_999},
    ],
)
def test_a_key_set_that_is_none(door: Door, body: object) -> None:
    door.network.bodies[door.platform.jwks_url] = body
    assert door.launch().status_code in (403, 503)


GOOD = rsa_jwk(rsa_key(1), "key-1")


@pytest.mark.parametrize(
    "jwk",
    [
        GOOD | {"use": "enc"},
        GOOD | {"key_ops": ["sign"]},
        GOOD | {"alg": "RS512"},
        GOOD | {"alg": "ES256"},
        GOOD | {"alg": "HS256"},
        GOOD | {"alg": 7},
        GOOD | {"kty": "oct", "k": GOOD["n"]},
        GOOD | {"kty": "EC"},
        GOOD | {"n": "AQAB"},
        GOOD | {"n": "!!!"},
        GOOD | {"n": 7},
        GOOD | {"n": "A" * 3_000},
        GOOD | {"n": "_" * 1_900},
        GOOD | {"e": ""},
        GOOD | {"e": "AA"},
        {key: value for key, value in GOOD.items() if key != "kid"},
        {key: value for key, value in GOOD.items() if key != "n"},
        ec_jwk("key-1", alg="RS256"),
        ec_jwk("key-1", crv="P-521"),
        ec_jwk("key-1", x="AA"),
        rsa_jwk(rsa_key(3, 1024), "key-1"),
    ],
)
def test_a_key_that_is_not_for_this(door: Door, jwk: dict[str, Any]) -> None:
    publish(door, jwk)
    assert_page(door.launch(), 403, UNKNOWN)
    publish(door, jwk, GOOD | {"kid": "key-2"})
    door.platform.kid = "key-2"
    door.clock.advance(31)
    assert is_let_in(door.launch())


def test_a_key_without_an_algorithm_is_good(door: Door) -> None:
    publish(door, rsa_jwk(rsa_key(1), "key-1", alg=None, use=None))
    assert is_let_in(door.launch())


def test_of_two_keys_with_one_id_the_first_counts(door: Door) -> None:
    publish(door, GOOD, rsa_jwk(rsa_key(2), "key-1"))
    assert is_let_in(door.launch())
    door.platform.key = rsa_key(2)
    assert_page(door.launch(), 403, "This launch is not genuine")


def test_a_private_key_published_by_mistake_is_not_kept(door: Door) -> None:
    publish(door, GOOD | {"d": "c2VjcmV0", "p": "c2VjcmV0"})
    assert is_let_in(door.launch())
    with door.database.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT keys FROM platform_key_sets").scalar()
    assert "c2VjcmV0" not in str(kept)


def test_keys_of_an_earlier_address_are_not_used(door: Door) -> None:
    door.launch()
    keys: PlatformKeys = door.tool.lti.platform_keys
    door.network.is_down = True
    for address in ("https://elsewhere.example/jwks", "https://elsewhere.example/jwks"):
        with pytest.raises(Exception, match="keys_unreachable"):
            keys.find(door.platform.id, address, "key-1")


def test_each_platform_has_its_own_keys(door: Door) -> None:
    other = door.register(FakePlatform(issuer="https://other.example", client_id="o", key=rsa_key(2)))
    assert is_let_in(door.launch())
    door.platform = other
    assert is_let_in(door.launch())
    door.platform = FakePlatform(issuer="https://other.example", client_id="o", key=rsa_key(1))
    assert_page(door.launch(), 403, "This launch is not genuine")
