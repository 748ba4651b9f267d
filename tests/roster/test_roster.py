"""The roster in the database: added in bulk, roles never lowered, people missed only after a complete reading."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial

import pytest
from conftest import Clock
from factories import MadeCourse, make_course
from roster_platform import RecordedPlatform, recorded
from sqlalchemy import event, select, update
from werkzeug import Response

from lti_tool.lti.launch import Launch
from lti_tool.lti.names_roles import Member
from lti_tool.people import arrival, roster
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.store import jobs
from lti_tool.store.database import Database
from lti_tool.store.jobs_models import Job

LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"


@pytest.fixture
def course(database: Database, clock: Clock) -> MadeCourse:
    return make_course(database, teachers=2, now=clock())


def member(user_id: str, *roles: str, name: str = "") -> Member:
    return Member(user_id, name, "", "", roles or ("Learner",))


def apply(database: Database, course: MadeCourse, clock: Clock, *members: Member) -> roster.Applied:
    return roster.apply(database, course.course_id, course.platform_id, members, begun_at=clock(), now=clock())


def people(database: Database, course: MadeCourse) -> dict[str, tuple[str, str, bool, bool]]:
    """sub → (name, role, administrator, active) of the course."""
    with database.read() as session:
        rows = session.execute(
            select(Person.sub, Person.name, Membership.lms_role, Membership.is_administrator, Membership.is_active)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.course_id == course.course_id)
        )
        return {sub: (name, role, administrator, active) for sub, name, role, administrator, active in rows}


def subs(database: Database, *membership_ids: str) -> list[str]:
    with database.read() as session:
        rows = session.execute(select(Membership.id, Person.sub).join(Person, Person.id == Membership.person_id))
        found = {row.id: row.sub for row in rows}
    return [found[membership_id] for membership_id in membership_ids]


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", count)
    yield seen
    event.remove(database.engine, "before_cursor_execute", count)


def test_new_people_come_with_name_and_role(database: Database, course: MadeCourse, clock: Clock) -> None:
    apply(database, course, clock, member("a", name="Niamh Byrne"), member("b", "Instructor"), member("c", "Mentor"))
    found = people(database, course)
    assert found["a"] == ("Niamh Byrne", "learner", False, True)
    assert found["b"] == ("", "instructor", False, True)
    assert found["c"] == ("", "other", False, True)
    with database.read() as session:
        assert session.execute(select(Course.roster_read_at)).scalar_one() == clock()


def test_reading_twice_changes_nothing_and_a_withheld_name_erases_none(
    database: Database, course: MadeCourse, clock: Clock
) -> None:
    apply(database, course, clock, member("a", name="Niamh Byrne"))
    before = people(database, course)
    apply(database, course, clock, member("a"))
    assert people(database, course) == before
    apply(database, course, clock, member("a", name="Niamh Ní Bhroin"))
    assert people(database, course)["a"][0] == "Niamh Ní Bhroin"


def test_a_role_is_raised_and_never_lowered(database: Database, course: MadeCourse, clock: Clock) -> None:
    trainer, administrator, teacher = subs(database, course.trainer, course.administrator, course.teachers[0])
    apply(
        database, course, clock,
        member(trainer, "Learner"), member(administrator, "Learner"), member(teacher, "Instructor"),
    )  # fmt: skip
    found = people(database, course)
    assert found[trainer][1] == "instructor", "Moodle's roster calls a non-editing teacher a Learner"
    assert found[administrator][1:3] == ("learner", True)
    assert found[teacher][1] == "instructor"
    apply(database, course, clock, member(teacher, "Mentor"))
    assert people(database, course)[teacher][1] == "instructor"


def test_moodle_s_odd_administrator_role_is_seen(database: Database, course: MadeCourse, clock: Clock) -> None:
    apply(
        database, course, clock, member("a", "Learner", "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator")
    )
    assert people(database, course)["a"][1:3] == ("learner", True)


def test_who_is_missed_becomes_inactive_and_comes_back(database: Database, course: MadeCourse, clock: Clock) -> None:
    first, second = subs(database, *course.teachers)
    applied = apply(database, course, clock, member(first))
    assert applied == roster.Applied(members=1, deactivated=5)
    assert people(database, course)[first][3] is True
    assert people(database, course)[second][3] is False
    apply(database, course, clock, member(first), member(second))
    assert people(database, course)[second][3] is True


def test_who_launched_since_the_reading_began_is_not_missed(
    database: Database, course: MadeCourse, clock: Clock
) -> None:
    (teacher,) = subs(database, course.teachers[0])
    with database.write() as session:
        session.execute(
            update(Membership)
            .where(Membership.id == course.teachers[0])
            .values(launched_at=clock() + timedelta(seconds=1))
        )
    apply(database, course, clock, member("a"))
    assert people(database, course)[teacher][3] is True


def test_the_same_user_id_of_another_platform_is_another_person(
    database: Database, course: MadeCourse, clock: Clock
) -> None:
    other = make_course(database, teachers=1, now=clock())
    apply(database, course, clock, member("7", name="Here"))
    apply(database, other, clock, member("7", name="There"))
    assert people(database, course)["7"][0] == "Here"
    assert people(database, other)["7"][0] == "There"


def test_ten_thousand_members_take_seconds_and_a_constant_number_of_statements_per_thousand(
    database: Database, course: MadeCourse, clock: Clock
) -> None:
    members = [member(str(number), name=f"Teacher {number}") for number in range(10_000)]
    for expected_gone in (6, 0):
        begun = time.process_time()
        with counted(database) as statements:
            applied = apply(database, course, clock, *members)
        assert applied == roster.Applied(10_000, expected_gone)
        assert len(statements) <= 10 * 2 + 3
        # Seconds of our own work: what else the machine does meanwhile is no matter of this test.
        assert time.process_time() - begun < 15
    with counted(database) as statements:
        applied = apply(database, course, clock, *members[:1])
    assert applied.deactivated == 9_999
    assert len(statements) <= 2 + 2 + 10
    assert len(people(database, course)) == 10_006


def read_course(database: Database, platform: RecordedPlatform, clock: Clock) -> int:
    handler = partial(roster.read, database=database, http=platform.http(), tokens=platform.tokens(), clock=clock)
    return jobs.run_due(database, {roster.JOB: handler}, (), clock)


def connect(database: Database, platform: RecordedPlatform, **course_values: object) -> None:
    with database.write() as session:
        session.execute(update(Platform).values(token_url=f"{platform.url}/token"))
        session.execute(update(Course).values({"memberships_url": platform.memberships_url, **course_values}))


def ask(database: Database, now: datetime) -> bool:
    with database.write() as session:
        return roster.request_if_stale(session, session.scalars(select(Course)).one(), now)


@pytest.mark.usefixtures("course")
def test_a_launch_asks_once_an_hour(database: Database, platform: RecordedPlatform, clock: Clock) -> None:
    assert ask(database, clock()) is False, "the platform offers no roster"
    connect(database, platform)
    platform.serve_roster()
    assert ask(database, clock()) is True
    assert ask(database, clock()) is True
    assert read_course(database, platform, clock) == 1
    assert ask(database, clock()) is False
    clock.advance(3600)
    assert ask(database, clock()) is True


def test_the_job_reads_moodle_s_recorded_course(
    database: Database, course: MadeCourse, platform: RecordedPlatform, clock: Clock
) -> None:
    connect(database, platform)
    platform.serve_roster()
    ask(database, clock())
    assert read_course(database, platform, clock) == 1
    found = people(database, course)
    named = {entry["user_id"]: entry["name"] for entry in recorded("nrps_all")["body"]["members"]}
    assert {sub: name for sub, (name, *_rest) in found.items() if sub in named} == named
    assert sum(active for *_rest, active in found.values()) == 62


def test_a_reading_that_fails_changes_nothing_and_is_retried(
    database: Database, course: MadeCourse, platform: RecordedPlatform, clock: Clock
) -> None:
    connect(database, platform)
    platform.serve(lambda _request: Response("", 503, headers={"Retry-After": "600"}))
    before = people(database, course)
    ask(database, clock())
    read_course(database, platform, clock)
    assert people(database, course) == before
    with database.read() as session:
        job = session.scalars(select(Job)).one()
        assert session.execute(select(Course.roster_read_at)).scalar_one() is None
    assert job.last_error == "roster_busy"
    assert job.due_at >= clock() + timedelta(seconds=600)
    ask(database, clock())
    assert read_course(database, platform, clock) == 0, "another launch does not shorten the wait"


@pytest.mark.usefixtures("course")
def test_a_platform_that_says_no_is_asked_again_an_hour_later(
    database: Database, platform: RecordedPlatform, clock: Clock
) -> None:
    connect(database, platform)
    platform.token_answer = lambda: Response('{"error": "invalid_scope"}', 400)
    ask(database, clock())
    assert read_course(database, platform, clock) == 1
    ask(database, clock())
    assert read_course(database, platform, clock) == 0
    clock.advance(3600)
    ask(database, clock())
    assert read_course(database, platform, clock) == 1
    with database.write() as session:
        roster.request(session, session.execute(select(Course.id)).scalar_one(), clock())
    assert read_course(database, platform, clock) == 1, "on demand means now"


@pytest.mark.usefixtures("course")
def test_a_suspended_platform_and_a_course_that_is_gone_leave_nothing_to_do(
    database: Database, platform: RecordedPlatform, clock: Clock
) -> None:
    connect(database, platform)
    ask(database, clock())
    with database.write() as session:
        session.execute(update(Platform).values(status="suspended"))
        roster.request(session, "0000000000000000", clock())
    assert read_course(database, platform, clock) == 2
    assert platform.token_forms == []
    with database.read() as session:
        assert session.scalars(select(Job)).all() == []


def standing(database: Database) -> roster.RosterState:
    with database.read() as session:
        return roster.state_of(session, session.scalars(select(Course.id)).one())


def ask_now(database: Database, now: datetime) -> None:
    with database.write() as session:
        roster.request(session, session.scalars(select(Course.id)).one(), now)


@pytest.mark.usefixtures("course")
def test_where_a_reading_stands(database: Database, platform: RecordedPlatform, clock: Clock) -> None:
    assert standing(database) == roster.RosterState(is_offered=False, read_at=None, is_waiting=False, problem="")
    connect(database, platform)
    ask_now(database, clock())
    assert standing(database) == roster.RosterState(is_offered=True, read_at=None, is_waiting=True, problem="")
    platform.serve(lambda _request: Response("", 503))
    read_course(database, platform, clock)
    assert standing(database) == roster.RosterState(
        is_offered=True, read_at=None, is_waiting=True, problem="roster_busy"
    )
    platform.server.clear()
    platform.server.expect_request("/token", method="POST").respond_with_handler(platform._token)
    platform.serve_roster()
    clock.advance(60)
    # Asked for once more: it does not wait for the next attempt.
    ask_now(database, clock())
    read_course(database, platform, clock)
    first = clock()
    assert standing(database) == roster.RosterState(is_offered=True, read_at=first, is_waiting=False, problem="")
    clock.advance(60)
    platform.server.clear()
    platform.token_answer = lambda: Response('{"error": "invalid_scope"}', 400)
    platform.server.expect_request("/token", method="POST").respond_with_handler(platform._token)
    clock.advance(3600)
    platform.now = clock()
    ask_now(database, clock())
    read_course(database, platform, clock)
    # What was read stays; the platform said no, and nothing waits any more.
    said_no = roster.RosterState(is_offered=True, read_at=first, is_waiting=False, problem="roster_refused")
    assert standing(database) == said_no


def test_a_launch_takes_a_role_away_that_the_roster_gave(database: Database, course: MadeCourse, clock: Clock) -> None:
    """A roster only raises: what somebody is no longer is learned from their own launch."""
    (teacher,) = subs(database, course.teachers[0])
    apply(database, course, clock, member(teacher, "Instructor"))
    apply(database, course, clock, member(teacher, "Learner"))
    assert people(database, course)[teacher][1] == "instructor"
    with database.write() as session:
        platform_id, deployment = session.execute(
            select(Platform.id, Deployment.deployment_id)
            .join(Deployment, Deployment.platform_id == Platform.id)
            .where(Deployment.id == course.deployment_id)
        ).one()
        context = session.scalars(select(Course.context_key).where(Course.id == course.course_id)).one()
        said = Launch(deployment, teacher, "link", roles=(LEARNER,), context_id=context.removeprefix("context:"))
        arrived = arrival.arrive(session, platform_id, said, clock())
    assert arrived and arrived.membership_id == course.teachers[0]
    assert people(database, course)[teacher][1] == "learner"


def test_one_person_in_two_sections_has_the_roles_of_both(
    database: Database, course: MadeCourse, platform: RecordedPlatform, clock: Clock
) -> None:
    entries = [
        {"user_id": "90", "roles": ["Learner"]},
        {
            "user_id": "90",
            "roles": ["Instructor", "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"],
        },
        {"user_id": "91", "name": "Niamh Byrne", "roles": ["Learner"], "status": "Inactive"},
        {"user_id": "91", "name": "Niamh Byrne", "roles": ["Mentor"]},
    ]
    connect(database, platform)
    platform.serve_roster([{"members": entries[:2]}, {"members": entries[2:]}])
    ask(database, clock())
    assert read_course(database, platform, clock) == 1
    found = people(database, course)
    assert found["90"] == ("", "instructor", True, True)
    # A membership that ended lends no role.
    assert found["91"] == ("Niamh Byrne", "other", False, True)
