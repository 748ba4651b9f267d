"""A sandbox without sockets, a clock the test turns, and a small tool of the test's own."""

import functools
import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from flask.testing import FlaskClient
from forms import Form
from requests.adapters import BaseAdapter
from werkzeug.test import TestResponse

from lti_tool.sandbox import School, create_app

PLATFORM = "http://127.0.0.1:8088"
TOOL = "http://127.0.0.1:5999"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCOPES = (
    AGS + "lineitem",
    AGS + "lineitem.readonly",
    AGS + "result.readonly",
    AGS + "score",
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
    "https://purl.imsglobal.org/spec/lti-ts/scope/toolsetting",
)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Clock:
    def __init__(self) -> None:
        self.seconds = 1795302187.25

    def __call__(self) -> float:
        return self.seconds


class Key:
    """An RSA key of a tool, with its name."""

    def __init__(self) -> None:
        self.kid = secrets.token_hex(8)
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwk(self) -> dict[str, Any]:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": "RS256", "use": "sig"}

    def sign(self, claims: dict[str, Any], algorithm: str = "RS256", **headers: Any) -> str:
        return jwt.encode(claims, self.private, algorithm=algorithm, headers={"kid": self.kid, **headers})


@functools.cache
def _first_key() -> Key:
    return Key()


class FakeTool(BaseAdapter):
    """A tool that registers itself, shows its keys and signs what the test tells it to."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        super().__init__()
        self.app = app
        self.clock = clock
        self.key = _first_key()
        self.published = [self.key]
        self.keys_are_down = False
        self.registers = True
        self.registration_status = 0
        self.registration_answer: dict[str, Any] = {}
        self.registration_headers: dict[str, str] = {}
        self.configuration: dict[str, Any] = {}
        self.key_requests = 0
        self.metadata = {
            "application_type": "web",
            "response_types": ["id_token"],
            "grant_types": ["client_credentials", "implicit"],
            "initiate_login_uri": TOOL + "/lti/login",
            "redirect_uris": [TOOL + "/lti/launch"],
            "client_name": "Meitheal",
            "jwks_uri": TOOL + "/lti/jwks",
            "token_endpoint_auth_method": "private_key_jwt",
            "scope": " ".join(SCOPES),
            "https://purl.imsglobal.org/spec/lti-tool-configuration": {
                "domain": "127.0.0.1:5999",
                "description": "peer coaching",
                "target_link_uri": TOOL + "/lti/launch",
                "custom_parameters": {
                    "context_history": "$Context.id.history",
                    "resource_history": "$ResourceLink.id.history",
                    "groups": "$Moodle.Person.userGroupIds",
                    "username": "$User.username",
                    "cs": "$Context.sourcedId",
                },
                "claims": ["iss", "sub", "name", "given_name", "family_name", "email"],
                "messages": [
                    {"type": "LtiResourceLinkRequest"},
                    {"type": "LtiDeepLinkingRequest", "target_link_uri": TOOL + "/lti/launch"},
                ],
            },
        }

    @property
    def client_id(self) -> str:
        return str(self.registration_answer["client_id"])

    @property
    def school(self) -> School:
        school = self.app.extensions["sandbox"]
        assert isinstance(school, School)
        return school

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        if address.path == "/lti/jwks":
            self.key_requests += 1
            if self.keys_are_down:
                raise requests.ConnectionError("the tool is down")
            return _answer(request, 200, json.dumps({"keys": [key.jwk() for key in self.published]}))
        if address.path == "/lti/register":
            return _answer(request, 200, self._register(dict(parse_qsl(address.query))))
        return _answer(request, 404, "no such page")

    def close(self) -> None:
        pass

    def _register(self, query: dict[str, str]) -> str:
        if not self.registers:
            return "this invitation was used before"
        client = self.app.test_client()
        self.configuration = client.get(query["openid_configuration"].removeprefix(PLATFORM)).get_json()
        answer = self.post_registration(query["registration_token"])
        self.registration_status = answer.status_code
        self.registration_answer = answer.get_json()
        self.registration_headers = dict(answer.headers)
        return f"registered, and {query.get('invite', 'nothing')} was kept"

    def post_registration(self, token: str | None, metadata: Any = None) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.app.test_client().post(
            "/mod/lti/openid-registration.php", json=self.metadata if metadata is None else metadata, headers=headers
        )

    def registers_now(self) -> "FakeTool":
        answer = self.app.test_client().post("/sandbox/tools", json={"url": TOOL + "/lti/register?invite=once"})
        assert answer.status_code == 201, answer.text
        return self

    def assertion(self, **changes: Any) -> dict[str, Any]:
        now = int(self.clock())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": PLATFORM + "/mod/lti/token.php",
            "iat": now,
            "exp": now + 300,
            "jti": secrets.token_hex(8),
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def ask_token(self, assertion: str, scope: str = " ".join(SCOPES), **changes: str | None) -> TestResponse:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            "scope": scope,
            **changes,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return self.app.test_client().post("/mod/lti/token.php", data=sent)

    def token(self, *scopes: str) -> str:
        answer = self.ask_token(self.key.sign(self.assertion()), " ".join(scopes or SCOPES))
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["access_token"])

    def call(
        self, method: str, address: str, body: Any = None, *, media: str | None = None, token: str | None = None
    ) -> TestResponse:
        """Call a service with a token for everything; `media` is what a GET accepts or another method sends."""
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        if media and method == "GET":
            headers["Accept"] = media
        data = body if isinstance(body, str) or body is None else json.dumps(body)
        return self.app.test_client().open(
            address.removeprefix(PLATFORM),
            method=method,
            data=data,
            headers=headers,
            content_type=media if method != "GET" else None,
        )


def _answer(request: requests.PreparedRequest, status: int, body: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.url = str(request.url)
    response.request = request
    response._content = body.encode()
    response.encoding = "utf-8"
    return response


class Browser:
    """A browser logged in at the sandbox, which walks a launch as far as the tool's door."""

    def __init__(self, app: Flask, user: str | None) -> None:
        self.client: FlaskClient = app.test_client()
        if user is not None:
            assert self.client.post("/sandbox/login", json={"user": user}).status_code == 200

    def form(self, answer: TestResponse) -> Form:
        assert answer.status_code == 200, answer.text
        return Form(answer.text)

    def begin(self, activity: Any) -> dict[str, str]:
        """Click an activity: the fields of the login initiation."""
        form = self.form(self.client.get(f"/mod/lti/launch.php?id={activity.module_id}"))
        assert (form.method, form.action) == ("post", TOOL + "/lti/login")
        return form.fields

    def select(self, tool: FakeTool, course: str = "2") -> dict[str, str]:
        """Ask for a content selection: the fields of the login initiation."""
        deployment = tool.school.tool_by_client(tool.client_id)
        assert deployment
        address = f"/mod/lti/contentitem.php?course={course}&id={deployment.deployment_id}"
        return self.form(self.client.get(address)).fields

    def authentication(self, login: dict[str, str], **changes: str | None) -> dict[str, str]:
        """What a tool asks after `login`."""
        asked = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": login["client_id"],
            "redirect_uri": TOOL + "/lti/launch",
            "login_hint": login["login_hint"],
            "lti_message_hint": login["lti_message_hint"],
            "state": "state-1",
            "nonce": "nonce-1",
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def authenticate(self, login: dict[str, str], **changes: str | None) -> dict[str, str]:
        """The fields that reach the tool's redirect URI: id_token and state, or error."""
        form = self.form(self.client.get("/mod/lti/auth.php", query_string=self.authentication(login, **changes)))
        if form.action == "/mod/lti/auth.php":
            form = self.form(self.client.post(form.action, data=form.fields))
        assert form.action == TOOL + "/lti/launch"
        return form.fields

    def launch(self, activity: Any) -> dict[str, Any]:
        """Header and claims of a launch, checked against the sandbox's published keys."""
        return self.decoded(self.authenticate(self.begin(activity)))

    def decoded(self, posted: dict[str, str]) -> dict[str, Any]:
        token = posted["id_token"]
        header = jwt.get_unverified_header(token)
        keys = self.client.get("/mod/lti/certs.php").get_json()["keys"]
        key = next(one for one in keys if one["kid"] == header["kid"])
        claims = jwt.decode(
            token,
            jwt.PyJWK(key),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
        other = {name: value for name, value in posted.items() if name != "id_token"}
        return {"header": header, "claims": claims, "other_form": other}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Flask:
    return create_app(PLATFORM, clock=clock)


@pytest.fixture
def school(app: Flask) -> School:
    school = app.extensions["sandbox"]
    assert isinstance(school, School)
    return school


@pytest.fixture
def stranger(app: Flask, clock: Clock, school: School) -> FakeTool:
    """A tool that is reachable but not registered."""
    tool = FakeTool(app, clock)
    school.http.mount(TOOL, tool)
    return tool


@pytest.fixture
def tool(stranger: FakeTool) -> FakeTool:
    """A registered, active tool."""
    return stranger.registers_now()


@pytest.fixture
def activity(tool: FakeTool, school: School) -> Any:
    """An activity like the one of the recordings, with a column in the gradebook."""
    registered = school.tool_by_client(tool.client_id)
    assert registered
    return school.add_activity(
        school.courses["2"], registered, "Coaching cycle 1", custom={"activity": "cycle-1"}, gradable=True
    )


@pytest.fixture
def browser(app: Flask) -> Callable[[str | None], Browser]:
    return lambda user: Browser(app, user)
