"""A second opinion: a platform that others wrote (lti1p3platform) logs in, launches and gives out a token.

Only its core is used; its framework part imports `pkg_resources`, which a Python without setuptools lacks.
"""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from flask import Flask
from flask.testing import FlaskClient
from lti1p3platform.exceptions import LtiException
from lti1p3platform.ltiplatform import LTI1P3PlatformConfAbstract
from lti1p3platform.message_launch import LTIAdvantageMessageLaunchAbstract
from lti1p3platform.oidc_login import OIDCLoginAbstract
from lti1p3platform.registration import Registration
from lti1p3platform.request import Request
from pytest_httpserver import HTTPServer
from sqlalchemy import select

from lti_tool.lti.access_tokens import Client
from lti_tool.people import registry
from lti_tool.people.models import Course, Membership, Person
from lti_tool.people.registry import NewPlatform
from lti_tool.store.database import Database

TOOL = "http://localhost:8000"
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


class Configuration(LTI1P3PlatformConfAbstract):
    def init_platform_config(self, **kwargs: Any) -> None:
        self._registration = kwargs["registration"]

    def get_registration_by_params(self, **kwargs: Any) -> Registration:
        raise NotImplementedError


class Login(OIDCLoginAbstract):
    def set_lti_message_hint(self, **kwargs: Any) -> None:
        self._lti_message_hint = kwargs["hint"]

    def get_redirect(self, url: str) -> str:
        return url


class Query(Request):
    def build_metadata(self, request: Any) -> Any:
        return {"method": "GET", "form_data": {}, "get_data": request, "headers": {}, "path": "/auth"}


class MessageLaunch(LTIAdvantageMessageLaunchAbstract):
    def render_launch_form(self, launch_data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return launch_data


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def registration(httpserver: HTTPServer, key: rsa.RSAPrivateKey, database: Database, clock: Any) -> Registration:
    """The tool registered at the platform, and the platform at the tool."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    made = (
        Registration()
        .set_iss(httpserver.url_for("").rstrip("/"))
        .set_client_id("interop")
        .set_deployment_id("d-1")
        .set_launch_url(f"{TOOL}/lti/launch")
        .set_oidc_login_url(f"{TOOL}/lti/login")
        .set_platform_private_key(private)
        .set_platform_public_key(public)
    )
    httpserver.expect_request("/jwks").respond_with_json({"keys": made.get_jwks()})
    with database.write() as session:
        registry.add(
            session,
            NewPlatform(
                name="Interop",
                issuer=httpserver.url_for("").rstrip("/"),
                client_id="interop",
                authorization_url=httpserver.url_for("/auth"),
                token_url=httpserver.url_for("/token"),
                jwks_url=httpserver.url_for("/jwks"),
                deployment_id="d-1",
            ),
            clock(),
        )
    return made


def message(registration: Registration, asked: dict[str, str]) -> dict[str, Any]:
    launch = MessageLaunch(Query(asked), Configuration(registration=registration))
    launch.set_user_data(
        "person-7", ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"], "Máire Ní Bhriain"
    )
    launch.set_resource_link_claim("link-1", "Coaching", "Coaching cycle 1")
    launch.set_launch_context_claim("course-1", ["CourseSection"], "CPC 2026/27", "CPC26")
    launch.set_nrps(f"{registration.get_iss()}/memberships")
    sent: dict[str, Any] = launch.lti_launch()
    return sent


def test_login_and_launch(client: FlaskClient, registration: Registration, database: Database) -> None:
    login = Login(None, Configuration(registration=registration))
    login.set_lti_message_hint(hint="link-1")
    begin = urlsplit(login.initiate_login("person-7"))
    answer = client.get(begin.path, query_string=begin.query)
    while answer.headers["Location"].startswith("/lti/login"):
        answer = client.get(answer.headers["Location"])
    assert answer.status_code == 303
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert asked["redirect_uri"] == f"{TOOL}/lti/launch"
    sent = message(registration, asked)
    answer = client.post(urlsplit(sent["launch_url"]).path, data={"id_token": sent["id_token"], "state": sent["state"]})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert re.fullmatch(r"/at/[0-9a-z]{16}/", answer.headers["Location"])
    with database.read() as session:
        row = session.execute(
            select(Person.name, Course.title, Course.memberships_url, Membership.lms_role)
            .join_from(Membership, Person, Person.id == Membership.person_id)
            .join(Course, Course.id == Membership.course_id)
        ).one()
    assert tuple(row) == ("Máire Ní Bhriain", "CPC 2026/27", f"{registration.get_iss()}/memberships", "instructor")


def test_its_token_service_accepts_our_assertion(
    app: Flask, client: FlaskClient, registration: Registration, httpserver: HTTPServer, database: Database
) -> None:
    registration.set_tool_key_set(client.get("/lti/jwks.json").get_json())
    platform = Configuration(registration=registration)
    httpserver.expect_request("/token", method="POST").respond_with_handler(
        lambda request: _json(platform.get_access_token(request.form.to_dict()))
    )
    client_of_ours = Client("platform", "interop", httpserver.url_for("/token"))
    token = app.extensions["meitheal"].lti.tokens.get(client_of_ours, [ROSTER])
    assert platform.validate_token(token, allowed_scopes=[ROSTER])


def test_it_refuses_an_assertion_of_another_key(app: Flask, client: FlaskClient, registration: Registration) -> None:
    registration.set_tool_key_set({"keys": []})
    with pytest.raises(LtiException):
        Configuration(registration=registration).tool_validate_and_decode(
            app.extensions["meitheal"].lti.keys.sign({"iss": "interop"})
        )


def _json(body: Any) -> Any:
    from flask import json
    from werkzeug import Response

    return Response(json.dumps(body), mimetype="application/json")
