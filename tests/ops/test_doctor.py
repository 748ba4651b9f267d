"""The doctor finds each thing that is broken, and says what to do."""

from datetime import timedelta

import pytest
from conftest import Clock
from factories import make_course, make_settings
from pytest_httpserver import HTTPServer
from sqlalchemy import text, update

from lti_tool.ops import doctor
from lti_tool.ops.config import fresh_keys
from lti_tool.people.models import Course, Deployment, Platform
from lti_tool.settings import Settings
from lti_tool.store import jobs, migrate
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.store.jobs import JobFailed
from lti_tool.store.jobs_models import Job


@pytest.fixture
def healthy(database: Database, database_url: str, tmp_path: object, httpserver: HTTPServer) -> Settings:
    """Settings of an installation whose every part works."""
    Base.metadata.drop_all(database.engine)
    migrate.upgrade(database)
    httpserver.expect_request("/healthz").respond_with_data("ok\n")
    return make_settings(
        database_url=database_url,
        queue_url=f"sqlite:///{tmp_path}/queue.db",
        public_url=httpserver.url_for("").rstrip("/"),
    )


def examine(settings: Settings, clock: Clock) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"ok": [], "note": [], "bad": []}
    for finding in doctor.examine(settings, clock):
        found[finding.level].append(finding.text)
    return found


def connect(database: Database, server: HTTPServer) -> None:
    make_course(database)
    with database.write() as session:
        session.execute(update(Platform).values(jwks_url=server.url_for("/jwks"), token_url=server.url_for("/token")))
        session.execute(update(Course).values(memberships_url=server.url_for("/memberships")))


def test_a_healthy_installation(healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer) -> None:
    connect(database, httpserver)
    httpserver.expect_request("/jwks").respond_with_json({"keys": [{"kty": "RSA"}]})
    httpserver.expect_request("/token").respond_with_json({"access_token": "t", "token_type": "Bearer"})
    found = examine(healthy, clock)
    assert found["bad"] == found["note"] == []
    assert any("gives access tokens" in line for line in found["ok"])


def test_an_installation_without_an_lms_says_how_to_invite_one(healthy: Settings, clock: Clock) -> None:
    found = examine(healthy, clock)
    assert found["bad"] == []
    assert found["note"] == ["No LMS is connected yet. Run: meitheal platform invite NAME"]


def test_a_database_that_is_away_or_old_ends_the_examination(
    healthy: Settings, database: Database, clock: Clock
) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'elsewhere'"))
    assert "meitheal db upgrade" in examine(healthy, clock)["bad"][0]
    Base.metadata.drop_all(database.engine)
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    assert "has no tables yet" in examine(healthy, clock)["bad"][0]
    away = healthy.model_copy(update={"database_url": "postgresql+psycopg://x@127.0.0.1:1/none"})
    assert "does not answer" in examine(away, clock)["bad"][0]


def test_a_queue_that_is_down(healthy: Settings, clock: Clock) -> None:
    down = healthy.model_copy(update={"queue_url": "redis://127.0.0.1:1/0"})
    assert "Check queue_url" in examine(down, clock)["bad"][0]


def test_work_that_nobody_does(healthy: Settings, database: Database, clock: Clock) -> None:
    with database.write() as session:
        jobs.enqueue(session, "roster", "a", {}, clock())
    assert examine(healthy, clock)["bad"] == []
    clock.advance(timedelta(minutes=20).total_seconds())
    assert "20 minutes: no worker runs" in examine(healthy, clock)["bad"][0]


def test_work_that_was_given_up(healthy: Settings, database: Database, clock: Clock) -> None:
    with database.write() as session:
        jobs.enqueue(session, "roster", "a", {}, clock())

    def refuse(_payload: object) -> None:
        raise JobFailed("roster_refused", final=True)

    jobs.run_due(database, {"roster": refuse}, (), clock)
    assert "1 × roster was given up after many attempts (roster_refused)." in examine(healthy, clock)["note"]
    with database.write() as session:
        session.execute(update(Job).values(given_up_at=None))


def test_another_master_key_does_not_open_the_signing_keys(healthy: Settings, clock: Clock) -> None:
    examine(healthy, clock)
    other = make_settings(
        database_url=healthy.database_url,
        queue_url=healthy.queue_url,
        public_url=healthy.public_url,
        master_key=fresh_keys()["master_key"],
    )
    assert "do not open with this master_key" in examine(other, clock)["bad"][0]


def test_an_address_that_does_not_lead_here(healthy: Settings, clock: Clock, httpserver: HTTPServer) -> None:
    httpserver.clear()
    httpserver.expect_request("/healthz").respond_with_data("<html>Welcome to nginx</html>")
    assert "Check the proxy" in examine(healthy, clock)["note"][0]
    httpserver.clear()
    nowhere = healthy.model_copy(update={"public_url": "http://127.0.0.1:1"})
    assert "meitheal serve" in examine(nowhere, clock)["note"][0]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(200, {"keys": []}, "holds no keys"), (404, {}, "holds no keys (status 404)"), (200, [], "holds no keys")],
)
def test_a_platform_without_readable_keys(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer, status: int, body: object, said: str
) -> None:
    connect(database, httpserver)
    httpserver.expect_request("/jwks").respond_with_json(body, status=status)
    httpserver.expect_request("/token").respond_with_json({"error": "invalid_client"}, status=400)
    found = examine(healthy, clock)
    assert said in found["bad"][0]
    assert "HTTP 400 invalid_client" in found["bad"][1]
    assert "/lti/jwks.json" in found["bad"][1]


def test_a_platform_in_a_private_network_that_is_not_allowed(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    connect(database, httpserver)
    with database.write() as session:
        session.execute(update(Course).values(memberships_url=""))
        session.execute(update(Platform).values(jwks_url="https://10.1.2.3/jwks"))
    assert "[network] allow_private" in examine(healthy, clock)["bad"][0]


def test_what_waits_for_the_operator(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    connect(database, httpserver)
    httpserver.expect_request("/jwks").respond_with_json({"keys": [{}]})
    httpserver.expect_request("/token").respond_with_json({"access_token": "t"})
    with database.write() as session:
        session.execute(update(Deployment).values(status="pending"))
    (note,) = examine(healthy, clock)["note"]
    assert "--deployment 1" in note
    with database.write() as session:
        session.execute(update(Platform).values(status="pending"))
    (note,) = examine(healthy, clock)["note"]
    assert "meitheal platform approve" in note
    with database.write() as session:
        session.execute(update(Platform).values(status="suspended"))
    (note,) = examine(healthy, clock)["note"]
    assert "is suspended" in note
