"""The check of a connection finds each thing that is broken, at its step, against a platform on this machine."""

import json
from datetime import datetime
from typing import Any

import pytest
from conftest import Clock
from cryptography.hazmat.primitives.asymmetric import rsa
from factories import MadeCourse, make_course
from jwt.algorithms import RSAAlgorithm
from pytest_httpserver import HTTPServer
from sqlalchemy import update
from werkzeug import Request, Response

from lti_tool.activities.models import Activity
from lti_tool.lti.service import LtiDoor
from lti_tool.people.connection import STEPS, ConnectionTarget, Finding, check_connection, target_of
from lti_tool.people.models import Course, Membership, Platform
from lti_tool.settings import Settings
from lti_tool.store.database import Database

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
KEYS = {"keys": [RSAAlgorithm.to_jwk(KEY, as_dict=True) | {"kid": "k1", "alg": "RS256", "use": "sig"}]}


class Lms:
    """Answers that can be broken one by one."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.keys: Any = KEYS
        self.token = Response('{"access_token": "t", "token_type": "Bearer"}', mimetype="application/json")
        self.members: Any = {"members": [{"user_id": "1"}, {"user_id": "2"}]}
        self.columns: Any = [{"id": "https://lms.example/1"}]
        self.scopes: list[str] = []
        server.expect_request("/jwks").respond_with_handler(lambda _: Response(json.dumps(self.keys)))
        server.expect_request("/token").respond_with_handler(self._token)
        server.expect_request("/members").respond_with_handler(lambda _: self._answer(self.members))
        server.expect_request("/columns").respond_with_handler(lambda _: self._answer(self.columns))

    def _token(self, request: Request) -> Response:
        self.scopes.append(request.form["scope"])
        return self.token

    def _answer(self, body: Any) -> Response:
        return Response(status=body) if isinstance(body, int) else Response(json.dumps(body))


@pytest.fixture
def lms(httpserver: HTTPServer) -> Lms:
    return Lms(httpserver)


@pytest.fixture
def made(database: Database, lms: Lms) -> MadeCourse:
    """A platform whose courses nobody has opened yet."""
    course = make_course(database)
    with database.write() as session:
        session.execute(update(Platform).values(jwks_url=f"{lms.url}/jwks", token_url=f"{lms.url}/token"))
    return course


def launched(database: Database, made: MadeCourse, now: datetime, *, services: str) -> None:
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == made.trainer).values(launched_at=now))
        session.execute(update(Course).where(Course.id == made.course_id).values(memberships_url=f"{services}/members"))
        session.execute(
            update(Activity).where(Activity.course_id == made.course_id).values(line_items_url=f"{services}/columns")
        )


def target(database: Database, platform_id: str) -> ConnectionTarget:
    with database.read() as session:
        found = target_of(session, platform_id)
    assert found
    return found


def check(settings: Settings, database: Database, clock: Clock, made: MadeCourse) -> dict[str, Finding]:
    door = LtiDoor(settings, database, clock)
    door.keys.jwks()
    findings = check_connection(door, target(database, made.platform_id))
    assert tuple(finding.step for finding in findings) == STEPS
    return {finding.step: finding for finding in findings}


def test_a_connection_that_works(
    settings: Settings, database: Database, clock: Clock, lms: Lms, made: MadeCourse
) -> None:
    launched(database, made, clock(), services=lms.url)
    found = check(settings, database, clock, made)
    assert {finding.code for finding in found.values()} == {"ok"}
    assert (found["keys"].count, found["roster"].count, found["line_items"].count) == (1, 2, 1)
    assert len(lms.scopes) == 2


def test_before_the_first_launch_keys_and_token_are_tried(
    settings: Settings, database: Database, clock: Clock, lms: Lms, made: MadeCourse
) -> None:
    found = check(settings, database, clock, made)
    assert [finding.code for finding in found.values()] == ["ok", "ok", "not_launched", "not_launched"]
    assert found["roster"].level == "note"


def test_services_that_no_launch_has_named(
    settings: Settings, database: Database, clock: Clock, lms: Lms, made: MadeCourse
) -> None:
    with database.write() as session:
        session.execute(update(Membership).values(launched_at=clock()))
    found = check(settings, database, clock, made)
    assert (found["roster"].code, found["line_items"].code) == ("not_offered", "not_offered")


@pytest.mark.parametrize(
    ("change", "step", "code", "detail"),
    [
        ({"keys": {"keys": []}}, "keys", "unusable", ""),
        ({"keys": {"keys": [{"kty": "RSA", "kid": "1", "n": "AQAB", "e": "AQAB"}]}}, "keys", "unusable", ""),
        ({"keys": []}, "keys", "unreadable", "no key set"),
        ({"token": Response('{"error": "invalid_client"}', 400)}, "token", "refused", "HTTP 400 invalid_client"),
        ({"token": Response("<html>", 404)}, "token", "refused", "HTTP 404"),
        ({"token": Response("<html>", 200)}, "token", "malformed", "JSON"),
        ({"token": Response("", 503)}, "token", "busy", "503"),
        ({"token": Response("", 500)}, "token", "unreachable", "500"),
        ({"members": 403}, "roster", "refused", "403"),
        ({"members": 401}, "roster", "unauthorized", "401"),
        ({"members": {"people": []}}, "roster", "malformed", "no list"),
        ({"columns": 500}, "line_items", "unreachable", "500"),
        ({"columns": {"items": []}}, "line_items", "malformed", "no list"),
    ],
)
def test_what_is_broken_is_found_at_its_step(
    settings: Settings,
    database: Database,
    clock: Clock,
    lms: Lms,
    made: MadeCourse,
    change: dict[str, Any],
    step: str,
    code: str,
    detail: str,
) -> None:
    launched(database, made, clock(), services=lms.url)
    for name, value in change.items():
        setattr(lms, name, value)
    found = check(settings, database, clock, made)
    bad = {finding.step: finding for finding in found.values() if finding.level == "bad"}
    assert list(bad) == [step]
    assert bad[step].code == code
    assert detail in bad[step].detail


def test_without_a_token_the_services_are_not_tried(
    settings: Settings, database: Database, clock: Clock, lms: Lms, made: MadeCourse
) -> None:
    launched(database, made, clock(), services=lms.url)
    lms.token = Response('{"error": "invalid_client"}', 401)
    found = check(settings, database, clock, made)
    assert (found["roster"].code, found["line_items"].code) == ("untried", "untried")


def test_an_lms_that_grants_none_of_the_services(
    settings: Settings, database: Database, clock: Clock, lms: Lms, made: MadeCourse
) -> None:
    lms.token = Response('{"error": "invalid_scope"}', 400)
    found = check(settings, database, clock, made)
    assert (found["token"].level, found["token"].code) == ("note", "no_scope")


def test_addresses_that_may_not_be_called(database: Database, clock: Clock, lms: Lms, made: MadeCourse) -> None:
    from factories import make_settings

    found = check(make_settings(network={"allow_private": []}), database, clock, made)
    assert (found["keys"].code, found["token"].code) == ("address", "refused")


def test_a_token_in_memory_does_not_hide_that_there_is_none_any_more(
    settings: Settings, database: Database, clock: Clock, lms: Lms, made: MadeCourse
) -> None:
    door = LtiDoor(settings, database, clock)
    wanted = target(database, made.platform_id)
    assert check_connection(door, wanted)[1].code == "ok"
    lms.token = Response('{"error": "invalid_client"}', 400)
    assert check_connection(door, wanted)[1].code == "refused"


def test_the_course_that_was_opened_last_is_tried(
    settings: Settings, database: Database, clock: Clock, lms: Lms, made: MadeCourse
) -> None:
    launched(database, made, clock(), services=lms.url)
    other = make_course(database)
    with database.write() as session:
        session.execute(update(Course).where(Course.id == other.course_id).values(memberships_url="https://x.example"))
        session.execute(update(Membership).where(Membership.course_id == other.course_id).values(launched_at=clock()))
    found = target(database, made.platform_id)
    assert found.memberships_url == f"{lms.url}/members", "not that of another platform"
    assert found.last_launch_at == clock()
    with database.read() as session:
        assert target_of(session, "nobody") is None
