"""Random requests at every address of the door: whatever comes, no 5xx and nobody let in."""

import os
import random
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from door.fake_platform import TARGET, Door

ADDRESSES = (
    "/lti/register",
    "/lti/login",
    "/lti/launch",
    "/lti/launch/stored",
    "/lti/continue",
    "/lti/jwks.json",
    "/lti/config.json",
)
NAMES = (
    *("iss", "login_hint", "target_link_uri", "client_id", "lti_message_hint", "lti_storage_target", "cookie_check"),
    *("new_tab", "id_token", "state", "error", "error_description", "secret", "code", "at", "openid_configuration"),
    *("registration_token", "invite"),
)
SHORT_RUN = int(os.environ.get("MEITHEAL_FUZZ", "150"))


def junk(chance: random.Random) -> bytes:
    kind = chance.randrange(7)
    if kind == 0:
        return chance.randbytes(chance.randrange(60))
    if kind == 1:
        return chance.choice(
            [b"", b"0", b"null", b"[]", b"{}", b"\0", b"-1", b"%", b"%00", b"\xff\xfe", b"\xed\xa0\x80"]
        )
    if kind == 2:
        return chance.choice([b"a", b"\xc3\xa9", b"[", b"../", b"%25"]) * chance.randrange(1, 4_000)
    if kind == 3:
        return b".".join(chance.randbytes(8).hex().encode() for _ in range(chance.randrange(5)))
    if kind == 4:
        return chance.choice([b"' OR 1=1 --", b"<script>alert(1)</script>", b"{{7*7}}", b"\r\nX: y", b"${x}"])
    if kind == 5:
        return b"https://" + chance.randbytes(6).hex().encode() + b"/" + chance.randbytes(3)
    return "".join(chr(chance.randrange(0x20, 0xD000)) for _ in range(chance.randrange(30))).encode()


def known(chance: random.Random, name: str, door: Door, begun: Any) -> bytes:
    good = {
        "iss": "https://lms.example",
        "client_id": "client-1",
        "login_hint": "3",
        "target_link_uri": TARGET,
        "state": begun.state,
        "cookie_check": "1",
        "lti_storage_target": "_parent",
        "openid_configuration": "https://lms.example/openid",
    }
    if name == "id_token":
        claim = chance.choice(["exp", "aud", "nonce", "iss"])
        return door.token(begun, {claim: chance.choice([None, 7, [], {}, "x", 10**400, -1, "\ud800"])}).encode()
    return good.get(name, "1").encode()


def encoded(pairs: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs)


def run(door: Door, address: str, rounds: int, seed: int) -> None:
    chance = random.Random(f"{address} {seed}")
    browser = door.browser()
    begun = door.begin(browser)
    for number in range(rounds):
        pairs = [
            (name, known(chance, name, door, begun) if chance.random() < 0.6 else junk(chance))
            for name in chance.choices(NAMES, k=chance.randrange(9))
        ]
        options: dict[str, Any] = {"method": chance.choice(["GET", "POST", "POST", "HEAD", "PUT", "OPTIONS", "DELETE"])}
        if chance.random() < 0.5:
            options["query_string"] = encoded(pairs)
        else:
            options["data"] = encoded(pairs) if chance.random() < 0.8 else junk(chance)
            options["content_type"] = chance.choice(
                [
                    "application/x-www-form-urlencoded",
                    "application/x-www-form-urlencoded; charset=utf-16",
                    "multipart/form-data; boundary=x",
                    "multipart/form-data",
                    "application/json",
                    "",
                    "é",
                ]
            )
        headers = {
            "Origin": chance.choice(["http://localhost:8000", "null", "https://[", "x"]),
            "Accept-Language": chance.choice(["ga", "en", "x" * 500, "*;q=9", "\xff"]),
        }
        if chance.random() < 0.2:
            headers["Cookie"] = chance.choice(
                ["__Host-cookies=1; __Host-cookies=2", "=; ;", "__Host-login-x=\xff", "a" * 999]
            )
        client = browser if chance.random() < 0.5 else door.browser(cookies=False)
        answer = client.open(address, headers=headers, **options)
        assert answer.status_code < 500, (number, options)
        assert not answer.headers.get("Location", "").startswith("/at/"), (number, options)


@pytest.mark.parametrize("address", ADDRESSES)
def test_random_requests_break_nothing(door: Door, address: str) -> None:
    run(door, address, SHORT_RUN, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("address", ADDRESSES)
def test_many_random_requests_break_nothing(door: Door, address: str) -> None:
    run(door, address, max(2_000, SHORT_RUN), seed=random.randrange(10**9))
