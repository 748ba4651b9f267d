"""A platform of the tests' own that signs with its own keys, and a browser that walks through the door.

Only the network is replaced: what the tool would fetch comes from `Network`, which counts the calls.
"""

import json
import threading
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask import Flask
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from werkzeug.test import TestResponse

from lti_tool.lti.http import CallFailed, Response
from lti_tool.people import registry
from lti_tool.people.registry import NewPlatform
from lti_tool.store.database import Database

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
PUBLIC_URL = "http://localhost:8000"
TARGET = f"{PUBLIC_URL}/lti/launch"
ISSUER = "https://lms.example"
CLIENT_ID = "client-1"
ABSENT = object()
"""Value of a claim that the token leaves out."""


@cache
def rsa_key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same keys for the whole run: making one takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(key: rsa.RSAPrivateKey, kid: str | None, **changes: Any) -> dict[str, Any]:
    jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk = {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "alg": "RS256", "use": "sig", "kid": kid} | changes
    return {name: value for name, value in jwk.items() if value is not None}


def ec_jwk(kid: str, **changes: Any) -> dict[str, Any]:
    jwk = ECAlgorithm.to_jwk(ec_key().public_key(), as_dict=True)
    return {key: jwk[key] for key in ("kty", "crv", "x", "y")} | {"kid": kid} | changes


class Network:
    """What the tool reaches instead of the network: bodies by URL, calls counted."""

    def __init__(self) -> None:
        self.bodies: dict[str, Any] = {}
        self.calls: list[str] = []
        self.is_down = False
        self.delay = threading.Event()
        self.delay.set()

    def request(self, _method: str, url: str, **_options: Any) -> Response:
        self.calls.append(url)
        self.delay.wait(5)
        if self.is_down or url not in self.bodies:
            raise CallFailed("down")
        return Response(200, {}, json.dumps(self.bodies[url]).encode())


@dataclass
class Asked:
    """What the tool asked of the platform at the end of a login."""

    url: str
    state: str
    nonce: str
    parameters: dict[str, str]


@dataclass
class FakePlatform:
    """One registration, as the platform's side sees it."""

    issuer: str = ISSUER
    client_id: str = CLIENT_ID
    deployment_id: str = "1"
    kid: str = "key-1"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa_key(1))
    id: str = ""

    @property
    def jwks_url(self) -> str:
        return f"{self.issuer}/{self.client_id}/jwks"

    def claims(self, nonce: str, moment: float, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """A Moodle launch of a teacher; `changes` replaces claims, or drops those that are ABSENT."""
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "3",
            "nonce": nonce,
            "iat": int(moment),
            "exp": int(moment) + 60,
            "name": "Seán Ní Dhomhnaill",
            "given_name": "Seán",
            "family_name": "Ní Dhomhnaill",
            "email": "teacher01@example.test",
            CLAIM + "version": "1.3.0",
            CLAIM + "message_type": "LtiResourceLinkRequest",
            CLAIM + "deployment_id": self.deployment_id,
            CLAIM + "target_link_uri": TARGET,
            CLAIM + "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            CLAIM + "context": {"id": "2", "label": "CPC26", "title": "CPC 2026/27", "type": ["CourseSection"]},
            CLAIM + "resource_link": {"id": "1", "title": "Coaching cycle 1", "description": ""},
            CLAIM + "launch_presentation": {"locale": "en", "return_url": f"{self.issuer}/return?course=2"},
        } | (changes or {})
        return {name: value for name, value in claims.items() if value is not ABSENT}

    def sign(self, claims: Any, **header: Any) -> str:
        headers = {"kid": self.kid} | header
        return jwt.api_jws.encode(
            json.dumps(claims).encode(), self.key, algorithm="RS256", headers={k: v for k, v in headers.items() if v}
        )


class Door:
    """The served tool with one platform registered, and what a browser and an LMS do with it."""

    def __init__(self, app: Flask, database: Database, clock: Any) -> None:
        self.app = app
        self.database = database
        self.clock = clock
        self.network = Network()
        self.tool = app.extensions["meitheal"]
        self.tool.lti.http.request = self.network.request
        self.platform = self.register(FakePlatform())

    def register(self, platform: FakePlatform, **changes: str) -> FakePlatform:
        with self.database.write() as session:
            line = registry.add(
                session,
                NewPlatform(
                    name="School",
                    issuer=platform.issuer,
                    client_id=platform.client_id,
                    authorization_url=f"{platform.issuer}/auth?fixed=1",
                    token_url=f"{platform.issuer}/token",
                    jwks_url=platform.jwks_url,
                    deployment_id=platform.deployment_id,
                    **changes,
                ),
                self.clock(),
            )
        platform.id = line.id
        self.network.bodies[platform.jwks_url] = {"keys": [rsa_jwk(platform.key, platform.kid)]}
        return platform

    def browser(self, *, cookies: bool = True) -> FlaskClient:
        """A browser; one that has been here before, so that cookies are known to work."""
        client = self.app.test_client(use_cookies=cookies)
        if cookies:
            client.set_cookie("__Host-cookies", "1", domain="localhost")
        return client

    def login_parameters(self, **changes: Any) -> dict[str, Any]:
        given = {
            "iss": self.platform.issuer,
            "client_id": self.platform.client_id,
            "login_hint": "3",
            "target_link_uri": TARGET,
            "lti_message_hint": '{"cmid":3,"launchid":"ltilaunch1_1947416983"}',
            "lti_deployment_id": "1",
        } | changes
        return {name: value for name, value in given.items() if value is not ABSENT}

    def login(self, client: FlaskClient, **changes: Any) -> TestResponse:
        return client.post("/lti/login", data=self.login_parameters(**changes))

    def begin(self, client: FlaskClient, **changes: Any) -> Asked:
        answer = self.login(client, **changes)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return asked(answer.headers["Location"])

    def token(self, begun: Asked, changes: dict[str, Any] | None = None, **header: Any) -> str:
        claims = self.platform.claims(begun.nonce, self.clock().timestamp(), changes)
        return self.platform.sign(claims, **header)

    def post(self, client: FlaskClient, begun: Asked, token: str) -> TestResponse:
        return client.post("/lti/launch", data={"state": begun.state, "id_token": token})

    def launch(
        self, client: FlaskClient | None = None, changes: dict[str, Any] | None = None, **header: Any
    ) -> TestResponse:
        """Login and launch in one browser, with some claims or header fields changed."""
        client = client or self.browser()
        begun = self.begin(client)
        return self.post(client, begun, self.token(begun, changes, **header))


def asked(url: str) -> Asked:
    given = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return Asked(url, given["state"], given["nonce"], given)


def is_let_in(answer: TestResponse) -> bool:
    return (
        answer.status_code == 303
        and answer.headers["Location"].startswith("/at/")
        and any(cookie.startswith("__Host-at-") for cookie in answer.headers.getlist("Set-Cookie"))
    )


def assert_page(answer: TestResponse, status: int, words: str) -> str:
    """An error page for a person: this status, these words, a reference number, and no way in."""
    page = answer.get_data(as_text=True)
    assert answer.status_code == status, page
    assert words in page
    assert 'class="reference"' in page
    assert "Traceback" not in page
    assert not any(cookie.startswith("__Host-at-") for cookie in answer.headers.getlist("Set-Cookie"))
    return page
