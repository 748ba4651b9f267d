"""Reading a course of a Moodle: one call where nothing changed, groups that stand for schools, and nobody made up."""

from typing import Any

import pytest
from live_moodle import Moodle
from moodle_pairs import COURSE, Pairs, furnish
from sqlalchemy import delete, func, select, update
from sqlalchemy.event import listen

from lti_tool.people.models import Course, LmsGroup, LmsGroupMember, Membership, Person, School
from lti_tool.privacy.sealing import Masters
from lti_tool.sandbox.people import CourseRole
from lti_tool.schools import service as schools
from lti_tool.store.database import Database
from moodle_sync import roster, sync
from moodle_sync.client import MoodleClient
from moodle_sync.errors import NotFound, OutcomeUnknown
from moodle_sync.models import MoodleCourse, MoodleSite
from moodle_sync.sync import Outcome

PEOPLE, GROUPS = "core_enrol_get_enrolled_users", "core_group_get_course_groups"
ARTS = "Arts and practical subjects"


@pytest.fixture
def here(database: Database, masters: Masters, clock: Any, moodle: Moodle, platform_id: str) -> Pairs:
    made = furnish(database, masters, clock, moodle.school, platform_id)
    moodle.school.web_services.calls.clear()
    return made


def read(here: Pairs, services: MoodleClient, *, dry_run: bool = False) -> Outcome:
    with here.database.read() as session:
        (course,) = roster.courses(session, here.platform_id)
    return sync.read(here.database, services, course, here.clock, dry_run=dry_run)


def groups_of(here: Pairs) -> dict[str, int]:
    """Name → how many are in it."""
    with here.database.read() as session:
        rows = session.execute(
            select(LmsGroup.name, func.count(LmsGroupMember.membership_id))
            .outerjoin(LmsGroupMember, LmsGroupMember.group_id == LmsGroup.id)
            .group_by(LmsGroup.id)
        )
        return {row[0]: row[1] for row in rows}


def works_at(here: Pairs, sub: str) -> tuple[str | None, str]:
    with here.database.read() as session:
        row = session.execute(
            select(School.name, Person.school_said_by)
            .select_from(Person)
            .outerjoin(School, School.id == Person.school_id)
            .where(Person.sub == sub, Person.platform_id == here.platform_id)
        ).one()
        return row.name, row.school_said_by


def stand_for(here: Pairs, what: str) -> int:
    with here.database.write() as session:
        return roster.stand_for(session, here.course_id, what, here.clock())


def everything(here: Pairs) -> list[Any]:
    with here.database.read() as session:
        return [
            sorted(map(repr, session.execute(select(table.__table__)).all()))
            for table in (LmsGroup, LmsGroupMember, MoodleCourse, MoodleSite, Person, School, Membership)
        ]


def test_a_course_costs_one_call_while_it_stays_as_it_is(here: Pairs, moodle: Moodle, services: MoodleClient) -> None:
    first = read(here, services).changed
    assert (first.groups, first.members, first.is_new) == (3, 24, True)
    assert moodle.calls == {PEOPLE: 1, GROUPS: 1}
    assert groups_of(here) == {ARTS: 8, "Languages": 8, "Sciences and mathematics": 8}
    kept = everything(here)
    assert not read(here, services).changed.is_new
    assert moodle.calls == {PEOPLE: 2, GROUPS: 1}
    assert everything(here) == kept


def test_what_changes_in_moodle_changes_here(here: Pairs, moodle: Moodle, services: MoodleClient) -> None:
    read(here, services)
    course = moodle.school.courses[COURSE]
    languages, sciences = (next(each for each in course.groups if each.name.startswith(name)) for name in "LS")
    languages.name = "Teangacha"
    moved = sorted(sciences.members)[:3]
    sciences.members -= set(moved)
    languages.members |= set(moved)
    course.groups = [each for each in course.groups if each.name != ARTS]
    changed = read(here, services).changed
    # One renamed, one gone with its eight, and three who left one group and came into another.
    assert (changed.groups, changed.members) == (2, 6)
    assert groups_of(here) == {"Teangacha": 11, "Sciences and mathematics": 5}


def test_whoever_comes_to_the_tool_later_is_found_in_their_group(
    here: Pairs, services: MoodleClient, moodle: Moodle
) -> None:
    sub = sorted(moodle.school.courses[COURSE].groups[0].members)[0]
    with here.database.write() as session:
        session.execute(update(Person).where(Person.sub == sub).values(sub="999999"))
    assert read(here, services).changed.members == 23
    with here.database.write() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == len(here.people), "nobody is added"
        session.execute(update(Person).where(Person.sub == "999999").values(sub=sub))
    assert read(here, services).changed.members == 1


def test_groups_that_stand_for_schools_say_who_works_where_unless_somebody_knows_better(
    here: Pairs, moodle: Moodle, services: MoodleClient
) -> None:
    read(here, services)
    arts = sorted(next(each for each in moodle.school.courses[COURSE].groups if each.name == ARTS).members)
    own, listed, both, other = arts[:4]
    with here.database.write() as session:
        mine = schools.add_school(session, here.platform_id, "Scoil Bhríde", "person", here.clock())
        file = schools.add_school(session, here.platform_id, "Coláiste Éanna", "file", here.clock())
        schools.say_school(session, here.people[own], mine, "person")
        schools.say_school(session, here.people[listed], file, "file")
    assert stand_for(here, "school") == 22
    assert works_at(here, own) == ("Scoil Bhríde", "person")
    assert works_at(here, listed) == ("Coláiste Éanna", "file")
    assert works_at(here, other) == (ARTS, "group")
    # In two groups one works at neither, for nobody knows which it is.
    moodle.school.courses[COURSE].groups[0].members |= {both, other}
    moodle.school.courses[COURSE].groups[2].members.discard(other)
    assert read(here, services).changed.schools == 2
    assert works_at(here, both) == (None, "")
    assert works_at(here, other) == (moodle.school.courses[COURSE].groups[0].name, "group")
    # Taken back, with what nobody uses any more.
    assert stand_for(here, "") == 21
    assert works_at(here, other) == (None, "") and works_at(here, own) == ("Scoil Bhríde", "person")
    with here.database.read() as session:
        assert set(session.scalars(select(School.name))) == {"Scoil Bhríde", "Coláiste Éanna"}


def test_who_teaches_the_course_for_moodle_is_an_instructor_until_a_launch_says_else(
    here: Pairs, moodle: Moodle, services: MoodleClient, clock: Any
) -> None:
    course = moodle.school.courses[COURSE]
    silent, launched = here.waiting[:2]
    with here.database.write() as session:
        session.execute(update(Membership).where(Membership.id == here.members[launched]).values(launched_at=clock()))
    course.members |= {silent: CourseRole.TEACHER, launched: CourseRole.TEACHER}
    assert read(here, services).changed.roles == 1
    with here.database.read() as session:
        roles = {row.id: row.lms_role for row in session.execute(select(Membership.id, Membership.lms_role))}
    assert roles[here.members[silent]] == "instructor" and roles[here.members[launched]] == "learner"


def test_many_schools_are_said_at_once(here: Pairs, services: MoodleClient) -> None:
    read(here, services)
    statements: list[str] = []
    listen(here.database.engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    # Three schools, with two statements for each of them that is made and two for those in it.
    assert stand_for(here, "school") == 24 and len(statements) <= 24
    statements.clear()
    assert stand_for(here, "") == 24 and len(statements) <= 12


def test_groups_that_the_tool_made_are_none_of_the_school_s(
    here: Pairs, moodle: Moodle, services: MoodleClient, http: Any
) -> None:
    read(here, services)
    here.pair()
    here.work(http)
    assert len(moodle.school.courses[COURSE].groups) == 4
    # Nothing that anybody else did has changed.
    assert not read(here, services).changed.is_new and len(groups_of(here)) == 3
    with here.database.write() as session:
        session.execute(delete(LmsGroupMember))
        session.execute(delete(LmsGroup))
        session.execute(update(MoodleCourse).values(fingerprint=""))
    assert read(here, services).changed.groups == 3


def test_a_group_of_a_pair_that_somebody_deleted_or_emptied_is_brought_back(
    here: Pairs, moodle: Moodle, services: MoodleClient, http: Any, clock: Any
) -> None:
    id_ = here.pair()
    here.work(http)
    course = moodle.school.courses[COURSE]

    def ours() -> list[set[str]]:
        return [each.members for each in course.groups if each.id_number.startswith(roster.OURS)]

    for spoil in (lambda: course.groups.pop(), lambda: ours()[0].clear()):
        spoil()
        clock.advance(3600)
        read(here, services, dry_run=True)
        here.work(http)
        assert ours() != [set(here.subs[id_])]
        read(here, services)
        here.work(http)
        assert ours() == [set(here.subs[id_])] and here.state(id_) == ("done", "")
    # Whoever is not enrolled any more makes nobody look again.
    del course.members[here.subs[id_][0]]
    ours()[0].discard(here.subs[id_][0])
    clock.advance(3600)
    read(here, services)
    assert here.state(id_) == ("done", "")


def test_a_dry_run_says_the_same_and_keeps_nothing(here: Pairs, services: MoodleClient) -> None:
    stand_for(here, "school")
    kept = everything(here)
    said = read(here, services, dry_run=True).changed
    assert everything(here) == kept
    assert said == read(here, services).changed and said.schools == 24


def test_a_course_that_is_gone_says_so_and_keeps_what_is_known(
    here: Pairs, moodle: Moodle, services: MoodleClient
) -> None:
    read(here, services)
    del moodle.school.courses[COURSE]
    outcome = read(here, services)
    assert isinstance(outcome.problem, NotFound) and not outcome.ends_all
    with here.database.read() as session:
        assert session.scalars(select(MoodleCourse.problem)).one() == "invalidrecord"
    assert len(groups_of(here)) == 3


@pytest.mark.parametrize("said", [None, {}, [1], [{}], [{"id": "x"}], [{"id": 3, "groups": [{"id": -1, "name": ""}]}]])
def test_an_answer_that_no_moodle_gives_is_an_error(monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    class Odd:
        def call(self, *_: Any, **__: Any) -> Any:
            return said

    with pytest.raises(OutcomeUnknown):
        roster.read(Odd(), 2)  # type: ignore[arg-type]


def test_only_courses_of_this_moodle_in_which_the_tool_is_used(here: Pairs, clock: Any) -> None:
    with here.database.write() as session:
        deployment = session.scalars(select(Course.deployment_id)).one()
        for key in ("link:7", "context:abc", "context:0", "context:3"):
            session.add(Course(deployment_id=deployment, context_key=key, title=key, created_at=clock()))
    with here.database.read() as session:
        assert [each.moodle_id for each in roster.courses(session, here.platform_id)] == [int(COURSE)]
        assert roster.courses(session, here.platform_id, "3") == []
        assert len(roster.courses(session, here.platform_id, COURSE)) == 1
        assert len(roster.courses(session, here.platform_id, here.course_id)) == 1
