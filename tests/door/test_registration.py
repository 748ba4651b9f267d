"""Dynamic registration: by a one-time invite or open with approval, against an LMS that a test server plays."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from factories import make_settings
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import func, select
from werkzeug import Request, Response

from lti_tool.lti.models import Invite
from lti_tool.people import registry
from lti_tool.people.models import Deployment, Platform
from lti_tool.settings import Settings
from lti_tool.store.database import Database
from lti_tool.web.app import create_app

TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"


class Lms:
    """Plays the registration of a real Moodle, from its recorded answers."""

    def __init__(self, server: HTTPServer, recorded: dict[str, Any]) -> None:
        self.origin = server.url_for("").rstrip("/")
        self.address = f"{self.origin}/mod/lti/openid-configuration.php"
        text = json.dumps(recorded["openid_configuration"])
        self.configuration = json.loads(text.replace("http://127.0.0.1:8088", self.origin))
        self.answer: Any = recorded["registration_response"]["body"]
        self.status = recorded["registration_response"]["status"]
        self.received: list[Request] = []
        server.expect_request("/mod/lti/openid-configuration.php").respond_with_handler(self._describe)
        server.expect_request("/mod/lti/openid-registration.php").respond_with_handler(self._register)
        server.expect_request("/moved").respond_with_handler(
            lambda _request: Response(status=302, headers={"Location": self.address})
        )

    def _describe(self, _request: Request) -> Response:
        body = self.configuration
        return Response(body if isinstance(body, bytes) else json.dumps(body), mimetype="application/json")

    def _register(self, request: Request) -> Response:
        request.get_data()
        self.received.append(request)
        body = self.answer
        return Response(body if isinstance(body, bytes) else json.dumps(body), self.status, mimetype="application/json")


@pytest.fixture
def lms(httpserver: HTTPServer, recorded: dict[str, Any]) -> Lms:
    return Lms(httpserver, recorded)


@pytest.fixture
def invite(database: Database, clock: Any) -> str:
    with database.write() as session:
        return registry.invite(session, "St. Brigid's", clock()).code


@pytest.fixture
def open_app(database: Database, clock: Any) -> Iterator[Flask]:
    made = create_app(make_settings(registration={"mode": "open"}), database=database, clock=clock)
    made.config["PROPAGATE_EXCEPTIONS"] = False
    yield made


def register(app: Flask, lms: Lms, invite: str | None = None, **changes: str) -> Any:
    given = {"openid_configuration": lms.address, "registration_token": "lms-token"} | changes
    if invite is not None:
        given["invite"] = invite
    return app.test_client().get("/lti/register", query_string=given)


def platforms(database: Database) -> list[Platform]:
    with database.read() as session:
        found = list(session.scalars(select(Platform)))
        session.expunge_all()
        return found


def is_free(database: Database, code: str, clock: Any) -> bool:
    with database.write() as session:
        reserved = registry.reserve_invite(session, code, clock())
        if reserved:
            registry.release_invite(session, reserved.id)
        return reserved is not None


def test_an_invited_lms_is_registered_and_active(app: Flask, database: Database, lms: Lms, invite: str) -> None:
    answer = register(app, lms, invite)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200, page
    assert "activate the tool there" in page
    assert 'data-door="registered"' in page
    assert f"frame-ancestors {lms.origin}" in answer.headers["Content-Security-Policy"]
    (platform,) = platforms(database)
    assert (platform.name, platform.family, platform.status) == ("St. Brigid's", "moodle", "active")
    assert (platform.issuer, platform.client_id) == (lms.origin, "QGtP0Dl53xuK0UI")
    assert platform.authorization_url == f"{lms.origin}/mod/lti/auth.php"
    assert platform.jwks_url == f"{lms.origin}/mod/lti/certs.php"
    with database.read() as session:
        assert session.execute(select(Deployment.deployment_id, Deployment.status)).all() == [("1", "active")]


def test_what_the_lms_is_told(app: Flask, lms: Lms, invite: str) -> None:
    register(app, lms, invite)
    (request,) = lms.received
    assert request.headers["Authorization"] == "Bearer lms-token"
    told = request.get_json()
    assert told["redirect_uris"] == ["http://localhost:8000/lti/launch"]
    assert told["initiate_login_uri"] == "http://localhost:8000/lti/login"
    assert told["token_endpoint_auth_method"] == "private_key_jwt"
    assert told["scope"].split() == [
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
        "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
        "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly",
        "https://purl.imsglobal.org/spec/lti-ags/scope/score",
    ]
    assert told[TOOL]["domain"] == "localhost:8000"
    assert "email" not in told[TOOL]["claims"]


def test_an_invite_serves_once(app: Flask, database: Database, lms: Lms, invite: str) -> None:
    assert register(app, lms, invite).status_code == 200
    lms.answer = lms.answer | {"client_id": "other"}
    assert register(app, lms, invite).status_code == 403
    assert len(platforms(database)) == len(lms.received) == 1


def test_an_invite_used_twice_at_the_same_moment_serves_once(
    app: Flask, database: Database, lms: Lms, invite: str
) -> None:
    barrier = threading.Barrier(2)
    statuses: list[int] = []

    def run() -> None:
        barrier.wait()
        statuses.append(register(app, lms, invite).status_code)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 403]
    assert len(platforms(database)) == 1


def test_an_invite_expires(app: Flask, database: Database, clock: Any, lms: Lms, invite: str) -> None:
    clock.advance(7 * 24 * 3_600)
    assert register(app, lms, invite).status_code == 403
    assert lms.received == platforms(database) == []


@pytest.mark.parametrize("code", [None, "", "x", "\0", "é", "' OR 1=1 --", "x" * 5_000])
def test_no_invite_or_a_made_up_one(app: Flask, database: Database, lms: Lms, invite: str, code: str | None) -> None:
    assert register(app, lms, code).status_code == 403
    assert lms.received == platforms(database) == []


def test_the_stored_hash_is_no_invite(app: Flask, database: Database, lms: Lms, invite: str) -> None:
    with database.read() as session:
        stored = session.scalars(select(Invite.code_hash)).one()
    assert invite not in stored
    assert register(app, lms, stored).status_code == 403


def test_a_link_checker_does_not_use_the_invite_up(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str
) -> None:
    query = {"invite": invite, "openid_configuration": lms.address}
    app.test_client().head("/lti/register", query_string=query)
    assert app.test_client().get("/lti/register", query_string={"invite": invite}).status_code == 200
    assert is_free(database, invite, clock)


def _without(key: str) -> Any:
    return lambda configuration: {name: value for name, value in configuration.items() if name != key}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _c: b"<html>", "could not be read"),
        (lambda _c: [], "could not be read"),
        (lambda _c: b"[" * 50_000, "could not be read"),
        (lambda _c: b"x" * 300_000, "could not be read"),
        (_without("issuer"), "not where it says"),
        (lambda c: c | {"issuer": "https://evil.example"}, "not where it says"),
        (lambda c: c | {"issuer": c["issuer"].replace("http:", "https:")}, "not where it says"),
        (lambda c: c | {"issuer": c["issuer"] + "@evil.example"}, "not where it says"),
        (lambda c: c | {"issuer": 7}, "not where it says"),
        (_without("authorization_endpoint"), "could not be read"),
        (_without("token_endpoint"), "could not be read"),
        (_without("jwks_uri"), "could not be read"),
        (_without("registration_endpoint"), "could not be read"),
        (lambda c: c | {"jwks_uri": "http://10.0.0.1/jwks"}, "may not be used"),
        (lambda c: c | {"jwks_uri": "https://192.168.1.1/jwks"}, "may not be used"),
        (lambda c: c | {"token_endpoint": "file:///etc/passwd"}, "may not be used"),
        (lambda c: c | {"authorization_endpoint": "javascript:alert(1)"}, "may not be used"),
        (lambda c: c | {"registration_endpoint": "https://169.254.169.254/latest"}, "may not be used"),
        (lambda c: c | {"registration_endpoint": "https://user:pass@localhost/"}, "may not be used"),
    ],
)
def test_a_description_that_is_wrong_or_hostile(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str, change: Any, reason: str
) -> None:
    lms.configuration = change(lms.configuration)
    answer = register(app, lms, invite)
    assert answer.status_code == 400
    assert reason in answer.get_data(as_text=True)
    assert lms.received == platforms(database) == []
    assert is_free(database, invite, clock)


@pytest.mark.parametrize(
    "address",
    [
        "x",
        "file:///etc/passwd",
        "ftp://lms.example/x",
        "gopher://127.0.0.1:6379/_x",
        "http://10.1.2.3/openid",
        "https://10.1.2.3/openid",
        "https://[::ffff:192.168.0.1]/openid",
        "https://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/",
        "http://[::1",
        "https://user:secret@lms.example/",
        "https://lms.example\\@127.0.0.1/",
        "https://127.0.0.1:0/",
        "https://127.0.0.1:99999/",
        "https://x" + "y" * 5_000,
        "https://lms.example/\r\nX: y",
    ],
)
def test_an_address_that_is_not_called(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str, address: str
) -> None:
    assert register(app, lms, invite, openid_configuration=address).status_code == 400
    assert is_free(database, invite, clock)


def test_a_description_is_not_followed_elsewhere(app: Flask, database: Database, lms: Lms, invite: str) -> None:
    assert register(app, lms, invite, openid_configuration=f"{lms.origin}/moved").status_code == 400
    assert platforms(database) == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "invalid"}),
        (403, {}),
        (500, {}),
        (302, {}),
        (200, []),
        (200, b"<html>"),
        (200, {"client_id": ""}),
        (200, {"client_id": 7}),
        (200, {"client_id": "x" * 500}),
        (200, {"client_id": "a\nb"}),
    ],
)
def test_an_invite_is_not_lost_when_the_lms_fails(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str, status: int, body: Any
) -> None:
    good = lms.status, lms.answer
    lms.status, lms.answer = status, body
    assert register(app, lms, invite).status_code == 400
    assert platforms(database) == []
    assert is_free(database, invite, clock)
    lms.status, lms.answer = good
    assert register(app, lms, invite).status_code == 200


def test_an_invite_is_free_again_after_a_crash(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str
) -> None:
    with database.write() as session:
        registry.reserve_invite(session, invite, clock())
    assert register(app, lms, invite).status_code == 403
    clock.advance(181)
    assert register(app, lms, invite).status_code == 200


def test_the_same_registration_twice_changes_nothing(
    app: Flask, database: Database, clock: Any, lms: Lms, invite: str
) -> None:
    register(app, lms, invite)
    with database.write() as session:
        second = registry.invite(session, "Second", clock()).code
    assert register(app, lms, second).status_code == 409
    (platform,) = platforms(database)
    assert platform.name == "St. Brigid's"
    assert is_free(database, second, clock)


@pytest.mark.parametrize("deployment", [None, "", 7, "x" * 300])
def test_an_lms_that_names_no_deployment_yet(
    app: Flask, database: Database, lms: Lms, invite: str, deployment: object
) -> None:
    lms.answer = lms.answer | {TOOL: {"deployment_id": deployment}}
    page = register(app, lms, invite).get_data(as_text=True)
    assert "Open an activity once" in page
    with database.read() as session:
        assert session.scalar(select(func.count(Deployment.id))) == 0


def test_scopes_that_the_lms_does_not_offer_are_not_asked_for(app: Flask, lms: Lms, invite: str) -> None:
    lms.configuration = lms.configuration | {"scopes_supported": ["openid", 7]}
    register(app, lms, invite)
    assert lms.received[0].get_json()["scope"] == ""


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ("https://api.brightspace.com/auth/token", "https://api.brightspace.com/auth/token"),
        # Canvas writes the bare name of a host, which it refuses itself as an audience.
        ("canvas.instructure.com", ""),
        ("javascript:alert(1)", ""),
        ("https://lms.example/" + "x" * 1_000, ""),
        (7, ""),
        (None, ""),
    ],
)
def test_the_audience_of_token_requests(
    app: Flask, database: Database, lms: Lms, invite: str, named: object, kept: str
) -> None:
    lms.configuration = lms.configuration | {"authorization_server": named}
    assert register(app, lms, invite).status_code == 200
    assert platforms(database)[0].token_audience == kept


def test_selecting_content_is_asked_for_where_the_lms_offers_it(app: Flask, lms: Lms, invite: str) -> None:
    register(app, lms, invite)
    messages = lms.received[0].get_json()[TOOL]["messages"]
    address = "http://localhost:8000/lti/launch"
    assert [(each["type"], each["target_link_uri"]) for each in messages] == [
        ("LtiResourceLinkRequest", address),
        ("LtiDeepLinkingRequest", address),
    ]
    assert messages[1]["placements"] == ["ContentArea"]


@pytest.mark.parametrize("offered", [None, "LtiDeepLinkingRequest", [], [{"type": "LtiResourceLinkRequest"}, "x", {}]])
def test_and_nowhere_else(app: Flask, lms: Lms, invite: str, offered: object) -> None:
    lms.configuration[PLATFORM]["messages_supported"] = offered
    register(app, lms, invite)
    assert [each["type"] for each in lms.received[0].get_json()[TOOL]["messages"]] == ["LtiResourceLinkRequest"]


def test_without_a_token_none_is_sent(app: Flask, lms: Lms, invite: str) -> None:
    register(app, lms, invite, registration_token="")
    assert "Authorization" not in lms.received[0].headers


def test_open_registration_waits_for_approval(open_app: Flask, database: Database, lms: Lms, clock: Any) -> None:
    page = register(open_app, lms).get_data(as_text=True)
    assert "have to approve your LMS" in page
    (platform,) = platforms(database)
    assert (platform.status, platform.name) == ("pending", lms.origin)
    login = {
        "iss": lms.origin,
        "login_hint": "3",
        "target_link_uri": "http://localhost:8000/lti/launch",
    }
    client = open_app.test_client()
    client.set_cookie("__Host-cookies", "1", domain="localhost")
    answer = client.get("/lti/login", query_string=login)
    assert answer.status_code == 403 and "Not open yet" in answer.get_data(as_text=True)
    with database.write() as session:
        registry.approve(session, platform.id, clock())
    assert client.get("/lti/login", query_string=login).status_code == 303


def test_an_invite_counts_in_an_open_installation_too(
    open_app: Flask, database: Database, lms: Lms, invite: str
) -> None:
    assert register(open_app, lms, "wrong").status_code == 403
    assert register(open_app, lms, invite).status_code == 200
    assert platforms(database)[0].status == "active"


def test_loopback_is_refused_unless_the_settings_allow_it(
    database: Database, clock: Any, lms: Lms, invite: str
) -> None:
    strict: Settings = make_settings(network={"allow_private": []})
    answer = register(create_app(strict, database=database, clock=clock), lms, invite)
    assert answer.status_code == 400
    assert "may not be used" in answer.get_data(as_text=True)
    assert lms.received == []


def test_our_keys_and_addresses_are_public(app: Flask) -> None:
    answer = app.test_client().get("/lti/jwks.json")
    (key,) = answer.get_json()["keys"]
    assert set(key) == {"kty", "n", "e", "alg", "use", "kid"}
    assert answer.headers["Cache-Control"] == "public, max-age=600"
    config = app.test_client().get("/lti/config.json").get_json()
    assert config["oidc_initiation_url"] == "http://localhost:8000/lti/login"
    assert config["public_jwk_url"] == "http://localhost:8000/lti/jwks.json"
