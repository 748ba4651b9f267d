"""Reading connected Moodles again and again, and `meitheal sync` with what it says."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from factories import make_settings
from live_moodle import Moodle
from moodle_pairs import COURSE, Pairs, furnish
from sqlalchemy import select, update

from lti_tool.activities.models import Activity
from lti_tool.lti.http import Http
from lti_tool.ops import sync_commands
from lti_tool.ops.errors import CommandFailed
from lti_tool.people.models import Course, LmsGroup, Platform
from lti_tool.privacy.sealing import Masters
from lti_tool.store import jobs
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job
from moodle_sync import client, sync
from moodle_sync.models import MoodleCourse, MoodleSite, MoodleWrite

PEOPLE, GROUPS = "core_enrol_get_enrolled_users", "core_group_get_course_groups"
PLATFORM = "Coláiste Abhainn Rua"


@pytest.fixture
def here(
    database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str, monkeypatch: pytest.MonkeyPatch
) -> Pairs:
    """A course whose groups stand for schools, and a second one."""
    monkeypatch.setattr(client, "PAUSES_S", (0.0,))
    made = furnish(database, masters, clock, moodle.school, platform_id)
    made.change(MoodleCourse, MoodleCourse.course_id == made.course_id, groups_are="school")
    with database.write() as session:
        deployment = session.scalars(select(Course.deployment_id)).one()
        course = Course(deployment_id=deployment, context_key="context:3", title="Portfolios", created_at=clock())
        session.add(course)
        session.flush()
        session.add(Activity(course_id=course.id, resource_link_id="2", status="open", created_at=clock()))
    moodle.school.web_services.calls.clear()
    return made


def work(here: Pairs, http: Http) -> None:
    with here.database.write() as session:
        sync.look_after(session, here.clock())
    job = partial(sync.read_due, database=here.database, masters=here.masters, http=http, clock=here.clock)
    jobs.run_due(here.database, {sync.JOB: job}, (), here.clock)


def problems(here: Pairs) -> tuple[str, list[str]]:
    with here.database.read() as session:
        return (
            session.scalars(select(MoodleSite.problem)).one(),
            sorted(session.scalars(select(MoodleCourse.problem))),
        )


def test_each_course_is_read_every_three_hours_by_one_call(here: Pairs, moodle: Moodle, http: Http, clock: Any) -> None:
    work(here, http)
    # The second course has no groups; that nothing was known of it is a change, too.
    assert moodle.calls == {PEOPLE: 2, GROUPS: 2}
    work(here, http)
    assert moodle.calls == {PEOPLE: 2, GROUPS: 2}
    clock.advance(sync.FRESH_FOR.total_seconds())
    work(here, http)
    assert moodle.calls == {PEOPLE: 4, GROUPS: 2} and problems(here) == ("", ["", ""])
    here.change(Platform, Platform.id == here.platform_id, status="suspended")
    clock.advance(sync.FRESH_FOR.total_seconds())
    work(here, http)
    assert moodle.calls == {PEOPLE: 4, GROUPS: 2}


def test_a_course_that_is_gone_does_not_stand_in_the_way_and_a_wrong_token_ends_it(
    here: Pairs, moodle: Moodle, http: Http, clock: Any
) -> None:
    del moodle.school.courses[COURSE]
    work(here, http)
    assert problems(here) == ("", ["", "invalidrecord"]) and moodle.calls[PEOPLE] == 2
    clock.advance(sync.FRESH_FOR.total_seconds())
    moodle.goes_wrong("invalidtoken", count=99)
    work(here, http)
    assert problems(here)[0] == "invalidtoken" and moodle.calls[PEOPLE] == 3
    with here.database.read() as session:
        given_up = session.execute(select(Job.kind, Job.last_error).where(Job.given_up_at.is_not(None))).one()
        assert tuple(given_up) == (sync.JOB, "moodle_invalidtoken")
    moodle.heal()
    clock.advance(sync.FRESH_FOR.total_seconds())
    work(here, http)
    assert problems(here)[0] == ""


def test_a_moodle_that_is_away_is_asked_again_later(here: Pairs, moodle: Moodle, http: Http, clock: Any) -> None:
    moodle.goes_wrong("maintenance", count=99)
    work(here, http)
    assert problems(here)[0] == "maintenance" and PEOPLE in moodle.calls
    moodle.heal()
    clock.advance(60)
    work(here, http)
    assert problems(here) == ("", ["", ""])


def test_a_run_that_takes_long_asks_for_another_one(
    here: Pairs, moodle: Moodle, http: Http, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "_RUN", timedelta(seconds=-1))
    with here.database.write() as session:
        sync.look_after(session, clock())
    payload = {"platform_id": here.platform_id}
    sync.read_due(payload, database=here.database, masters=here.masters, http=http, clock=clock)
    assert moodle.calls == {}
    with here.database.read() as session:
        assert session.execute(select(Job.kind, Job.generation)).one() == (sync.JOB, 1)


@pytest.fixture
def synced(here: Pairs, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `meitheal sync` on the rows of this test; lines of standard output and of standard error."""
    monkeypatch.setattr(sync_commands, "utcnow", here.clock)
    monkeypatch.setattr(sync_commands, "open_queue", lambda _settings: type("Queue", (), {"wake": lambda: None}))

    def run(platform_id: str = "", course: str = "", *, dry_run: bool = False) -> tuple[list[str], list[str]]:
        try:
            sync_commands.sync(make_settings(), here.database, platform_id, course, dry_run=dry_run)
        except CommandFailed as error:
            assert "Not everything could be read" in str(error)
        said = capsys.readouterr()
        return said.out.splitlines(), said.err.splitlines()

    return run


def test_the_command_reads_and_says_what_changed_and_a_dry_run_writes_nothing(
    here: Pairs, synced: Any, moodle: Moodle, http: Http
) -> None:
    here.pair()
    here.pair()
    asked = f"{PLATFORM}: asked for 0 rosters and 0 completions."
    numbers = "3 groups, 24 members of groups, 24 schools of people."
    assert synced(dry_run=True) == (
        [
            f"{PLATFORM}: would ask for 0 rosters and 0 completions.",
            f"{PLATFORM}: read 2 courses of Moodle, 0 as they were. Would change: {numbers}",
            f"{PLATFORM}: CPC: 2 groups would be made.",
        ],
        [],
    )
    reads = {PEOPLE: 2, GROUPS: 2}
    assert moodle.calls == reads
    with here.database.read() as session:
        for table in (LmsGroup, MoodleWrite, Job):
            assert session.scalars(select(table)).all() == []
        assert set(session.scalars(select(MoodleCourse.read_at))) == {None}
    assert synced() == (
        [
            asked,
            f"{PLATFORM}: read 2 courses of Moodle, 0 as they were. Changed: {numbers}",
            f"{PLATFORM}: 2 changes wait to be written to Moodle; a worker does it.",
        ],
        [],
    )
    here.work(http)
    moodle.school.web_services.calls.clear()
    # What was just written is no change; an unchanged course is one call.
    assert synced() == ([asked, f"{PLATFORM}: read 2 courses of Moodle, 2 as they were."], [])
    assert moodle.calls == {PEOPLE: 2}


def test_one_course_or_one_platform_alone(here: Pairs, synced: Any, moodle: Moodle) -> None:
    out, _err = synced(course="3")
    assert out[1] == f"{PLATFORM}: read 1 courses of Moodle, 0 as they were." and moodle.calls == {PEOPLE: 1, GROUPS: 1}
    out, err = synced(platform_id="another")
    assert out == [] and "No platform is active" in err[0]
    with here.database.write() as session:
        session.execute(update(Platform).values(status="suspended"))
    assert synced()[0] == [] and moodle.calls[PEOPLE] == 1


def test_what_cannot_be_read_is_said_with_what_helps(here: Pairs, synced: Any, moodle: Moodle) -> None:
    del moodle.school.courses[COURSE]
    out, err = synced()
    assert out[1] == f"{PLATFORM}: read 1 courses of Moodle, 0 as they were."
    assert err == [f"{PLATFORM} / CPC: Moodle refused {PEOPLE} (invalidrecord)."]
    moodle.goes_wrong("invalidtoken", count=99)
    _out, (said,) = synced()
    assert said.startswith(f"{PLATFORM}: Moodle refused") and "meitheal moodle connect" in said
    assert moodle.school.web_services.token not in said
