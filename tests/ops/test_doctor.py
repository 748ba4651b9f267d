"""The doctor finds each thing that is broken, and says what to do."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Clock
from cryptography.hazmat.primitives.asymmetric import rsa
from factories import make_course, make_settings
from jwt.algorithms import RSAAlgorithm
from pydantic import SecretBytes
from pytest_httpserver import HTTPServer
from schedule.mail_server import MailServer
from sqlalchemy import text, update
from werkzeug import Response

from lti_tool.activities.models import Activity
from lti_tool.ops import doctor
from lti_tool.ops.config import fresh_keys
from lti_tool.people.models import Course, Deployment, Membership, Platform
from lti_tool.privacy import keyring_store
from lti_tool.privacy.keyring import Keyring
from lti_tool.settings import Settings
from lti_tool.store import jobs
from lti_tool.store.base import Base
from lti_tool.store.database import Database
from lti_tool.store.jobs import JobFailed
from lti_tool.store.jobs_models import Job

OPENED = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
KEYS = {"keys": [RSAAlgorithm.to_jwk(_KEY, as_dict=True) | {"kid": "k1", "alg": "RS256", "use": "sig"}]}


@pytest.fixture
def healthy(database: Database, database_url: str, tmp_path: object, httpserver: HTTPServer) -> Settings:
    """Settings of an installation whose every part works."""
    Base.metadata.drop_all(database.engine)
    place = f"sqlite:///{tmp_path}/apart/keyring.db"
    keyring = Database(place)
    keyring_store.upgrade(database, keyring)
    keyring.dispose()
    httpserver.expect_request("/healthz").respond_with_data("ok\n")
    return make_settings(
        database_url=database_url,
        keyring_url=place,
        queue_url=f"sqlite:///{tmp_path}/queue.db",
        public_url=httpserver.url_for("").rstrip("/"),
    )


def examine(settings: Settings, clock: Clock) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"ok": [], "note": [], "bad": []}
    for finding in doctor.examine(settings, clock):
        found[finding.level].append(finding.text)
    return found


def connect(database: Database, server: HTTPServer, path: str = "", name: str = "Scoil Éanna") -> str:
    """A platform at `path` of the server, with a course that was opened; its id."""
    made = make_course(database)
    mine = Platform.id == made.platform_id
    with database.write() as session:
        session.execute(
            update(Platform)
            .where(mine)
            .values(name=name, jwks_url=server.url_for(f"{path}/jwks"), token_url=server.url_for(f"{path}/token"))
        )
        session.execute(
            update(Course)
            .where(Course.id == made.course_id)
            .values(memberships_url=server.url_for(f"{path}/memberships"))
        )
        session.execute(
            update(Activity)
            .where(Activity.course_id == made.course_id)
            .values(line_items_url=server.url_for(f"{path}/columns"))
        )
        session.execute(update(Membership).where(Membership.id == made.trainer).values(launched_at=OPENED))
    return made.platform_id


def serve(server: HTTPServer, path: str = "", *, but: str = "") -> None:
    """Answers as an LMS whose every part works, but for one address."""
    for name, body in (
        ("jwks", KEYS),
        ("token", {"access_token": "t", "token_type": "Bearer"}),
        ("memberships", {"members": [{"user_id": "1"}]}),
        ("columns", []),
    ):
        if name != but:
            server.expect_request(f"{path}/{name}").respond_with_json(body)


def test_a_healthy_installation(healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer) -> None:
    connect(database, httpserver)
    serve(httpserver)
    found = examine(healthy, clock)
    assert found["bad"] == found["note"] == []
    said = "\n".join(found["ok"])
    for line in (
        "Scoil Éanna: its keys can be read (1).",
        "Scoil Éanna: it gives access tokens.",
        "Scoil Éanna: the roster of the course opened last can be read (1 people on its first page).",
        "Scoil Éanna: the gradebook's columns can be read (0).",
        "Scoil Éanna: an activity was opened last on 2026-09-01.",
    ):
        assert line in said


def test_a_roster_and_a_gradebook_that_are_kept_back_and_where_to_allow_them(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    connect(database, httpserver)
    serve(httpserver, but="memberships")
    httpserver.expect_request("/memberships").respond_with_data("", 403)
    (bad,) = examine(healthy, clock)["bad"]
    assert "cannot be read (refused: HTTP 403). In Moodle:" in bad
    assert "Names and Role Provisioning" in bad
    with database.write() as session:
        session.execute(update(Platform).values(family="canvas"))
    assert "Developer Keys" in examine(healthy, clock)["bad"][0]
    with database.write() as session:
        session.execute(update(Course).values(memberships_url=""))
        session.execute(update(Activity).values(line_items_url=""))
    found = examine(healthy, clock)
    assert found["bad"] == []
    assert "offer no roster" in found["note"][0]
    assert any("only activities that report completion need one" in line for line in found["ok"])


def test_an_lms_from_which_nobody_has_come_yet(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    connect(database, httpserver)
    serve(httpserver)
    with database.write() as session:
        session.execute(update(Membership).values(launched_at=None))
    found = examine(healthy, clock)
    assert found["bad"] == []
    assert found["note"] == ["Scoil Éanna: nobody has opened an activity yet."]


def test_one_slow_lms_and_one_dead_one_keep_nobody_waiting(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    dead = connect(database, httpserver, "/dead", "B dead one")
    connect(database, httpserver, "/good", "C good one")
    with database.write() as session:
        session.execute(
            update(Platform)
            .where(Platform.id == dead)
            .values(jwks_url="http://127.0.0.1:1/jwks", token_url="http://127.0.0.1:1/token")
        )
    serve(httpserver, "/good")
    asked = threading.Event()

    def slowly(_request: object) -> Response:
        asked.wait(20)
        return Response(json.dumps(KEYS))

    told = []
    # A server answers one request after the other, so the slow LMS has one of its own.
    with HTTPServer() as slow:
        connect(database, slow, name="A slow one")
        serve(slow, but="jwks")
        slow.expect_request("/jwks").respond_with_handler(slowly)
        for finding in doctor.examine(healthy, clock):
            told.append(finding.text)
            if "C good one: an activity was opened" in finding.text:
                # The slow one is only let go once the good one was told.
                asked.set()
    assert asked.is_set()
    names = [line.partition(":")[0] for line in told if " one:" in line]
    assert names.index("C good one") < names.index("A slow one")
    assert "B dead one: an activity was opened last on 2026-09-01." in told
    assert any(line.startswith("B dead one: its key set") and "cannot be read" in line for line in told)


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
        keyring_url=healthy.keyring_url,
        queue_url=healthy.queue_url,
        public_url=healthy.public_url,
        master_key=fresh_keys()["master_key"],
    )
    bad = examine(other, clock)["bad"]
    assert "sealed by a master key that is not in the settings" in bad[0]
    assert "do not open with this master_key" in bad[1]


def test_a_master_key_that_changes(healthy: Settings, clock: Clock) -> None:
    examine(healthy, clock)
    changed = healthy.model_copy(
        update={"master_key": SecretBytes(b"n" * 32), "old_master_keys": (healthy.master_key,)}
    )
    assert "Run: meitheal keys reseal" in "".join(examine(changed, clock)["note"])


def test_a_keyring_that_is_missing_is_not_made_anew(healthy: Settings, clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.db"
    moved = healthy.model_copy(update={"keyring_url": f"sqlite:///{file}"})
    assert "There is no keyring where keyring_url says" in examine(moved, clock)["bad"][0]
    assert not file.exists()
    away = healthy.model_copy(update={"keyring_url": "postgresql+psycopg://x@127.0.0.1:1/none"})
    assert "There is no keyring where keyring_url says" in examine(away, clock)["bad"][0]


def test_a_keyring_in_the_database_of_the_data(healthy: Settings, database: Database, clock: Clock) -> None:
    beside = healthy.model_copy(update={"keyring_url": ""})
    keyring = Keyring.of(beside, database)
    keyring_store.create_tables(keyring.database)
    keyring.database.dispose()
    is_apart = database.engine.dialect.name == "sqlite"
    assert ("keep it apart" in "".join(examine(beside, clock)["bad"])) is not is_apart


def test_what_a_restore_left_aside(healthy: Settings, database: Database, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "meitheal.db.before-restore").touch()
    noted = "".join(examine(healthy, clock)["note"])
    assert ("Delete it once you are sure" in noted) is (database.engine.dialect.name == "sqlite")


@pytest.mark.parametrize(
    ("changes", "level", "sentence"),
    [
        ({}, "ok", "takes mail."),
        ({"tls": "starttls"}, "bad", 'Try "starttls" with port 587'),
        ({"port": 1}, "bad", "does not answer"),
        ({"host": ""}, "", ""),
    ],
)
def test_a_mail_server_is_tried_without_sending(
    healthy: Settings, clock: Clock, changes: dict[str, Any], level: str, sentence: str
) -> None:
    server = MailServer()
    try:
        mail = {"host": "127.0.0.1", "port": server.port, "tls": "none", "from": "c@tool.example"} | changes
        settings = healthy.model_copy(update={"mail": make_settings(mail=mail).mail})
        found = [each for each in doctor.examine(settings, clock) if "mail server" in each.text]
        assert [each.level for each in found] == ([level] if level else []) and server.messages == []
        assert all(sentence in each.text for each in found)
    finally:
        server.stop()


def test_an_address_that_does_not_lead_here(healthy: Settings, clock: Clock, httpserver: HTTPServer) -> None:
    httpserver.clear()
    httpserver.expect_request("/healthz").respond_with_data("<html>Welcome to nginx</html>")
    assert "Check the proxy" in examine(healthy, clock)["note"][0]
    httpserver.clear()
    nowhere = healthy.model_copy(update={"public_url": "http://127.0.0.1:1"})
    assert "meitheal serve" in examine(nowhere, clock)["note"][0]


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, {"keys": []}, "holds no keys"),
        (200, {"keys": [{"kty": "RSA"}]}, "holds no keys"),
        (404, {}, "(no key set in an answer with status 404)"),
        (200, [], "cannot be read"),
    ],
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
    assert len(found["bad"]) == 2, "without a token the roster is not tried"


def test_a_platform_in_a_private_network_that_is_not_allowed(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    connect(database, httpserver)
    serve(httpserver, but="jwks")
    with database.write() as session:
        session.execute(update(Platform).values(jwks_url="https://10.1.2.3/jwks"))
    assert "[network] allow_private" in examine(healthy, clock)["bad"][0]


def test_what_waits_for_the_operator(
    healthy: Settings, database: Database, clock: Clock, httpserver: HTTPServer
) -> None:
    connect(database, httpserver)
    serve(httpserver)
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
