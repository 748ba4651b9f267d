"""When people can meet, as those who propose times and book them ask it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from browsers import recorded
from factories import MadeCourse, make_course
from rounds.proposed import keyring_of
from schedule.written import ics_of
from sqlalchemy import select, update

from lti_tool.cycles.models import Cycle, CycleMember, Meeting
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation, Pair
from lti_tool.people.models import Membership, Person, School
from lti_tool.schedule import ics, school_weeks, times, timetables, week
from lti_tool.schedule.models import ReturnMeeting, Timetable
from lti_tool.schedule.timetable import Calendar, Grid, Span
from lti_tool.store.database import Database

MONDAY = date(2026, 11, 30)
AT = datetime(2026, 12, 1, 10, tzinfo=UTC)


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    clock.now = datetime(2026, 11, 25, 9, tzinfo=UTC)
    return make_course(database, teachers=6, protocol="collegial", now=clock.now)


def person_of(database: Database, membership: str) -> str:
    with database.read() as session:
        return session.scalars(select(Membership.person_id).where(Membership.id == membership)).one()


def pair_up(database: Database, course: MadeCourse, clock: Any, host: str, coach: str) -> tuple[str, str]:
    """(Pair, cycle) of two who say yes to each other."""
    where = {"course_id": course.course_id, "activity_id": course.activity_id}
    with database.write() as session:
        pairing.invite(session, host_id=host, coach_id=coach, now=clock(), **where)
        invitation = session.scalars(select(Invitation.id).where(Invitation.host_id == host)).all()[-1]
        pair = pairing.accept(session, invitation, clock())
        return pair, session.scalars(select(Cycle.id).where(Cycle.pair_id == pair)).one()


def meet(database: Database, cycle: str, at: datetime, kind: str = "visit", minutes: int = 40) -> None:
    with database.write() as session:
        by = session.scalars(select(CycleMember.person_id).where(CycleMember.cycle_id == cycle)).first()
        session.add(Meeting(cycle_id=cycle, kind=kind, starts_at=at, minutes=minutes, place=b"", set_by=by))


def test_each_is_free_by_the_bells_of_their_own_school(database: Database, clock: Any, course: MadeCourse) -> None:
    keyring, people = keyring_of(database), [person_of(database, each) for each in course.teachers]
    grid = Grid({f"0-{lesson}": "open" if lesson else "free" for lesson in range(6)})
    late = week.primary()
    with database.write() as session:
        school = School(platform_id=course.platform_id, name="Scoil", created_at=clock())
        session.add(school)
        session.flush()
        session.execute(update(Person).where(Person.id == people[1]).values(school_id=school.id))
        timetables.say_grid(session, keyring, people[0], grid, clock())
        timetables.say_grid(session, keyring, people[1], grid, clock())
        timetables.say_address(session, keyring, people[2], "https://x.example/a.ics", clock())
        timetables.say_calendar(session, keyring, people[3], Calendar("rubbish"), clock())
        stripped = ics.strip(ics_of(clock(), "2B"), zone="UTC", since=clock().date())
        timetables.say_calendar(session, keyring, people[4], Calendar(stripped.ics, {"2B": "open"}), clock())
        school_weeks.say(session, course.course_id, school.id, late, 0, clock())
    with database.read() as session, recorded(database) as statements:
        found = times.of(session, keyring, people, course.course_id, MONDAY, MONDAY, clock())
    assert len(statements) <= 3, "one more is to the keyring"
    assert set(found) == {people[0], people[1], people[4]}, "who said nothing that can be read is not there"
    assert found[people[0]].lessons[0].start == datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
    assert found[people[1]].lessons[0].start == datetime(2026, 11, 30, 9, 55, tzinfo=UTC)
    assert [slot.title for slot in found[people[4]].lessons] == ["2B"]
    with database.read() as session:
        zoned = times.of(session, keyring, people, course.course_id, MONDAY, MONDAY, clock(), zone="Europe/Paris")
    assert zoned[people[0]].lessons[0].start == datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
    assert zoned[people[1]] == found[people[1]], "whose school has said its own"


def test_a_week_by_thumb_counts_by_the_bells_of_the_course_in_which_it_was_said(
    database: Database, clock: Any, course: MadeCourse
) -> None:
    """Somebody may be in two courses whose trainers said different bells."""
    keyring, me = keyring_of(database), person_of(database, course.teachers[0])
    other = make_course(database, protocol="light", now=clock())
    with database.write() as session:
        school_weeks.say(session, other.course_id, None, week.primary(), 0, clock())
        timetables.say_grid(session, keyring, me, Grid({"0-1": "open"}, course.course_id), clock())
    begins = []
    for asks in (course, other):
        with database.read() as session:
            found = times.of(session, keyring, [me], asks.course_id, MONDAY, MONDAY, clock())
        begins.append(found[me].lessons[0].start)
    assert begins == [datetime(2026, 11, 30, 9, 30, tzinfo=UTC)] * 2


def test_what_is_booked_anywhere_takes_time_until_its_cycle_is_over(
    database: Database, clock: Any, course: MadeCourse
) -> None:
    host, coach, third = course.teachers[:3]
    pair, cycle = pair_up(database, course, clock, host, coach)
    elsewhere = make_course(database, teachers=2, protocol="collegial", now=clock())
    people = [person_of(database, each) for each in (host, coach, third)]
    with database.write() as session:
        # The same person in another course.
        session.execute(update(Membership).where(Membership.id == elsewhere.teachers[0]).values(person_id=people[0]))
    _other_pair, other = pair_up(database, elsewhere, clock, elsewhere.teachers[0], elsewhere.teachers[1])
    meet(database, cycle, AT)
    meet(database, other, AT - timedelta(hours=1), "before", 20)
    with database.write() as session:
        back = {"kind": "visit", "starts_at": AT + timedelta(days=1), "minutes": 60, "made_at": clock()}
        session.add(ReturnMeeting(pair_id=pair, host_id=coach, **back))

    def taken(**but: str) -> dict[str, list[Span]]:
        with database.read() as session, recorded(database) as statements:
            found = times.taken(session, people, AT.date(), AT.date() + timedelta(days=1), **but)
        assert len(statements) == 2
        return found

    visit, talk = Span(AT, AT + timedelta(minutes=40)), Span(AT - timedelta(hours=1), AT - timedelta(minutes=40))
    way_back = Span(AT + timedelta(days=1), AT + timedelta(days=1, hours=1))
    assert taken() == {people[0]: [talk, visit, way_back], people[1]: [visit, way_back]}
    assert taken(but_cycle=cycle) == {people[0]: [talk, way_back], people[1]: [way_back]}
    assert taken(but_cycle=cycle, but_pair=pair) == {people[0]: [talk]}
    with database.write() as session:
        session.execute(update(Cycle).where(Cycle.id == other).values(status="finished"))
        session.execute(update(Pair).where(Pair.id == pair).values(status="ended"))
        left = update(CycleMember).where(CycleMember.cycle_id == cycle, CycleMember.person_id == people[1])
        session.execute(left.values(left_at=clock()))
    assert taken() == {people[0]: [visit]}
    with database.read() as session:
        assert times.taken(session, people, date(2026, 12, 4), date(2026, 12, 5)) == {}
        assert times.taken(session, [], MONDAY, MONDAY) == {}


def test_two_changes_of_a_timetable_leave_one_and_one_key(database: Database, clock: Any, course: MadeCourse) -> None:
    keyring, me = keyring_of(database), person_of(database, course.teachers[0])
    for number in range(3):
        with database.write() as session:
            timetables.say_grid(session, keyring, me, Grid({"0-0": "open" if number % 2 else "free"}), clock())
    with database.read() as session:
        assert session.execute(select(Timetable.revision, Timetable.read_again_at)).one() == (3, None)
        kept = timetables.mine(session, keyring, me, clock())
    assert kept and kept.said == Grid({"0-0": "free"})
