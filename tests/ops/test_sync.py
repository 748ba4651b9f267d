"""What the operator can ask for at once, and sees of what has not arrived."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from factories import make_course
from sqlalchemy import select, update

from lti_tool import cli
from lti_tool.activities.models import Activity
from lti_tool.completion.models import Delivery
from lti_tool.ops import doctor
from lti_tool.ops.config import load
from lti_tool.people.models import Course, Deployment, Person, Platform
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """An installation in the present folder, with one delivery that stopped and one that waits."""
    monkeypatch.chdir(tmp_path)
    for name in ("MEITHEAL_CONFIG", "MEITHEAL_SECRET_KEY", "MEITHEAL_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert cli.run(["init"]) == cli.run(["db", "upgrade"]) == 0
    database = Database(f"sqlite:///{tmp_path}/var/meitheal.db")
    made, asleep = make_course(database), make_course(database)
    now = datetime.now(UTC)
    with database.write() as session:
        session.execute(update(Course).values(memberships_url="https://lms.example/memberships"))
        session.execute(update(Activity).values(reports_completion=True))
        session.execute(update(Platform).where(Platform.id == asleep.platform_id).values(status="suspended"))
        for membership, status, problem in (
            (made.teachers[0], "stopped", "not_gradable"),
            (made.teachers[1], "waiting", ""),
            (made.teachers[2], "sent", ""),
        ):
            session.add(
                Delivery(
                    activity_id=made.activity_id, membership_id=membership, status=status, problem=problem,
                    completed_at=now, attempts=9,
                )
            )  # fmt: skip
    return database


def test_sync_asks_for_everything_once_and_says_so(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.run(["sync"]) == 0
    assert capsys.readouterr().out == "Scoil Éanna: asked for 1 rosters and 2 completions.\n"
    with database.read() as session:
        assert sorted(session.scalars(select(Job.kind))) == ["completion", "roster"]
        assert sorted(map(tuple, session.execute(select(Delivery.status, Delivery.attempts)))) == [
            ("sent", 9),
            ("waiting", 0),
            ("waiting", 0),
        ]


def test_a_dry_run_asks_for_nothing_and_options_choose(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with database.read() as session:
        platform, course = session.execute(
            select(Platform.id, Course.id)
            .join(Deployment, Deployment.platform_id == Platform.id)
            .join(Course, Course.deployment_id == Deployment.id)
            .where(Platform.status == "active")
        ).one()
    capsys.readouterr()
    assert cli.run(["sync", "--dry-run"]) == 0
    assert capsys.readouterr().out == "Scoil Éanna: would ask for 1 rosters and 2 completions.\n"
    assert cli.run(["sync", "--platform", "nobody"]) == 2
    with database.read() as session:
        assert session.scalars(select(Job.kind)).all() == []
    capsys.readouterr()
    assert cli.run(["sync", "--platform", platform, "--course", course]) == 0
    assert capsys.readouterr().out == "Scoil Éanna: asked for 1 rosters and 0 completions.\n"
    with database.read() as session:
        assert session.scalars(select(Job.kind)).all() == ["roster"]


def test_deliveries_are_listed_without_names(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert cli.run(["deliveries"]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Scoil Éanna / CPC 2026/27 / Coaching cycle 1: 1 stopped (not_gradable) since ")
    assert "gradebook role" in lines[0] and "1 waiting (new)" in lines[1]
    with database.read() as session:
        assert not any(name in said for name in session.scalars(select(Person.family_name)))
    with database.write() as session:
        session.execute(update(Delivery).values(status="sent"))
    assert cli.run(["deliveries"]) == 0
    assert capsys.readouterr() == ("", "Everything has arrived.\n")


def test_the_doctor_names_what_stopped(database: Database) -> None:
    found = [each for each in doctor.examine(load(None), lambda: datetime.now(UTC)) if "gradebook" in each.text]
    assert [each.level for each in found] == ["note"]
    assert "1 × “Completed” did not get into the gradebook (not_gradable)" in found[0].text
    assert "meitheal sync" in found[0].text
