"""Totals for those above: what is counted, who sees it, and that nobody is found by subtracting."""

import re
from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from browsers import Browser, recorded
from conftest import Clock
from factories import MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from lti_tool import worker
from lti_tool.cycles.models import Cycle, CycleMember, StageMark
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation
from lti_tool.people.models import Membership, Person, School
from lti_tool.privacy.keyring import Keyring
from lti_tool.progress.totals import service
from lti_tool.progress.totals.models import SchoolTotals
from lti_tool.progress.totals.rules import FEWEST_PEOPLE, Counts, Totals, is_due, move, shown
from lti_tool.protocols.recipe import REFLECTION
from lti_tool.schools import service as schools
from lti_tool.settings import Settings
from lti_tool.store.database import Database

# The rules, as tables.


@pytest.mark.parametrize(
    ("kept", "now", "then"),
    [
        (Counts(), Counts(4, 0, 0), Totals(None, None, None)),
        (Counts(), Counts(5, 0, 0), Totals(5, None, None)),
        (Counts(), Counts(13, 8, 0), Totals(10, 5, None)),
        # Who has not submitted is a group of two.
        (Counts(), Counts(13, 11, 0), Totals(10, None, None)),
        # All have.
        (Counts(), Counts(13, 13, 0), Totals(10, 10, None)),
        # Of those who submitted three have not finished.
        (Counts(), Counts(20, 13, 10), Totals(20, 10, None)),
        (Counts(), Counts(20, 13, 8), Totals(20, 10, 5)),
        # One more or one less moves nothing, whatever the next multiple of five is.
        (Counts(14, 0, 0), Counts(15, 0, 0), Totals(10, None, None)),
        (Counts(15, 0, 0), Counts(14, 0, 0), Totals(15, None, None)),
        (Counts(14, 0, 0), Counts(19, 0, 0), Totals(15, None, None)),
        (Counts(12, 0, 0), Counts(7, 0, 0), Totals(5, None, None)),
        (Counts(7, 0, 0), Counts(0, 0, 0), Totals(None, None, None)),
        # A part that did not move with its whole would be larger than it.
        (Counts(20, 15, 0), Counts(14, 12, 0), Totals(10, None, None)),
    ],
)
def test_what_is_shown_after_a_month(kept: Counts, now: Counts, then: Totals) -> None:
    assert shown(move(kept, now)) == then


def test_it_is_counted_once_a_month() -> None:
    assert is_due(None, date(2026, 11, 22))
    assert not is_due(date(2026, 11, 1), date(2026, 11, 30))
    assert is_due(date(2026, 11, 30), date(2026, 12, 1))
    assert is_due(date(2026, 12, 31), date(2027, 1, 1))


# Differencing: random people, months and schools; every figure that anybody was ever shown.

_People = frozenset[int]
_FIGURES = ("taking_part", "submitted", "finished")


@st.composite
def histories(draw: st.DrawFn) -> list[dict[int, tuple[_People, _People, _People]]]:
    """Months → schools → the people whom each figure counts. People come, go, do things, and change schools."""
    where = {person: draw(st.integers(0, 2)) for person in range(draw(st.integers(4, 45)))}
    steps = dict.fromkeys(where, 0)
    people = st.sets(st.sampled_from(sorted(where)), max_size=draw(st.sampled_from([1, 3, 12, 45])))
    months = []
    for _ in range(draw(st.integers(1, 8))):
        for person in draw(people):
            steps[person] = min(3, steps[person] + draw(st.integers(0, 3)))
        for person in draw(people):
            steps[person] = 0
        for person in draw(people):
            where[person] = draw(st.integers(0, 2))
        found: dict[int, list[set[int]]] = defaultdict(lambda: [set(), set(), set()])
        for person, step in steps.items():
            for figure in range(step):
                found[where[person]][figure].add(person)
        months.append({school: tuple(map(frozenset, found[school])) for school in range(3)})
    return months  # type: ignore[return-value]


@given(histories())
def test_no_group_below_five_comes_out_by_subtracting(
    months: list[dict[int, tuple[_People, _People, _People]]],
) -> None:
    kept = dict.fromkeys(range(3), Counts())
    last: dict[tuple[int, int], tuple[int, _People]] = {}
    """(school, figure) → what was shown, and whom it counted."""
    ever: list[int] = []
    for month in months:
        for school, groups in month.items():
            kept[school] = move(kept[school], Counts(*map(len, groups)))
            totals = shown(kept[school])
            figures = [getattr(totals, figure) for figure in _FIGURES]
            for number, figure in enumerate(figures):
                if figure is None:
                    continue
                ever.append(figure)
                before, counted = last.get((school, number), (0, frozenset()))
                if figure == before:
                    continue
                now = groups[number]
                assert figure <= len(now), "not more than there are"
                assert len(now ^ counted) >= FEWEST_PEOPLE, "it moves when five people have changed, not earlier"
                for whole in groups[:number]:
                    assert len(whole - now) not in range(1, FEWEST_PEOPLE), "nor may too few be left out"
                last[school, number] = (figure, now)
            whole_to_part = [figure for figure in figures if figure is not None]
            assert whole_to_part == sorted(whole_to_part, reverse=True)
    # Between schools, months, and wholes and parts, and of any sum of them.
    assert all(figure >= FEWEST_PEOPLE for figure in ever)
    for one, other in combinations([*ever, sum(ever)], 2):
        assert one == other or abs(one - other) >= FEWEST_PEOPLE


# What is counted, and for whom.


@pytest.fixture
def made(database: Database, clock: Clock) -> MadeCourse:
    return make_course(database, teachers=12, now=clock.now)


def count(database: Database, now: datetime) -> bool:
    with database.write() as session:
        return service.count_month(session, now)


def kept(database: Database, made: MadeCourse, school_id: str | None = None) -> tuple[int, int, int] | None:
    with database.read() as session:
        row = session.scalars(
            select(SchoolTotals).where(
                SchoolTotals.platform_id == made.platform_id, SchoolTotals.school_id.is_not_distinct_from(school_id)
            )
        ).one_or_none()
    return (row.taking_part, row.submitted, row.finished) if row else None


def submit(database: Database, made: MadeCourse, pairs: int, now: datetime, *, finished: bool) -> None:
    """Cycles of the first teachers, two and two, in which both have submitted."""
    with database.write() as session:
        for host, coach in zip(made.teachers[: 2 * pairs : 2], made.teachers[1 : 2 * pairs : 2], strict=True):
            pairing.invite(
                session,
                host_id=host,
                coach_id=coach,
                course_id=made.course_id,
                activity_id=made.activity_id,
                now=now,
            )
            pairing.accept(session, session.scalars(select(Invitation.id).where(Invitation.host_id == host)).one(), now)
        members = session.execute(select(CycleMember.cycle_id, CycleMember.membership_id)).all()
        session.execute(
            insert(StageMark),
            [{"cycle_id": cycle, "membership_id": each, "stage": REFLECTION, "at": now} for cycle, each in members],
        )
        if finished:
            session.execute(update(Cycle).values(status="finished", finished_at=now))


def test_each_teacher_counts_once_for_what_they_did(database: Database, clock: Clock, made: MadeCourse) -> None:
    submit(database, made, 3, clock(), finished=True)
    for kind in ("reflection", "pairing"):
        add_activity(database, made, clock(), kind=kind)
    assert count(database, clock())
    assert kept(database, made) == (12, 6, 6)


def test_a_submission_in_a_cycle_that_is_not_finished_is_one(
    database: Database, clock: Clock, made: MadeCourse
) -> None:
    submit(database, made, 3, clock(), finished=False)
    count(database, clock())
    assert kept(database, made) == (12, 6, 0)


def test_who_does_not_take_part_is_not_counted(database: Database, clock: Clock, made: MadeCourse) -> None:
    person = select(Membership.person_id).where(Membership.id == made.teachers[2]).scalar_subquery()
    with database.write() as session:
        for membership, values in (
            (made.teachers[0], {"is_active": False}),
            (made.teachers[1], {"is_leader": True}),
            (made.teachers[3], {"welcomed_at": None}),
        ):
            session.execute(update(Membership).where(Membership.id == membership).values(**values))
        session.execute(update(Person).where(Person.id == person).values(is_leader=True))
    count(database, clock())
    assert kept(database, made) == (8, 0, 0)


def test_a_no_a_pause_or_a_change_of_partner_moves_nothing(database: Database, clock: Clock, made: MadeCourse) -> None:
    submit(database, made, 3, clock(), finished=False)
    count(database, clock())
    before = kept(database, made)
    with database.write() as session:
        pair = session.scalars(select(Cycle.pair_id)).first()
        assert pair
        pairing.end_pair(session, pair, clock())
        session.execute(delete(SchoolTotals))
    count(database, clock())
    assert kept(database, made) == before


def test_people_of_several_schools_count_for_theirs_alone(database: Database, clock: Clock, made: MadeCourse) -> None:
    with database.write() as session:
        here, there = (schools.add_school(session, made.platform_id, name, "file", clock()) for name in ("A", "B"))
        for school, teachers in ((here, made.teachers[:6]), (there, made.teachers[6:11])):
            people = select(Membership.person_id).where(Membership.id.in_(teachers)).scalar_subquery()
            session.execute(update(Person).where(Person.id.in_(people)).values(school_id=school))
    count(database, clock())
    assert (kept(database, made, here), kept(database, made, there)) == ((6, 0, 0), (5, 0, 0))
    # Who belongs to no school that is known counts nowhere: a total of all would give the small ones away.
    assert kept(database, made) == (0, 0, 0)


def test_a_platform_that_becomes_a_school_keeps_its_totals(database: Database, clock: Clock, made: MadeCourse) -> None:
    count(database, clock())
    with database.write() as session:
        school = schools.add_school(session, made.platform_id, "Scoil Éanna", "charter", clock())
        session.execute(update(Membership).where(Membership.id == made.teachers[0]).values(is_active=False))
    clock.advance(32 * 24 * 3600)
    count(database, clock())
    assert kept(database, made, school) == (12, 0, 0), "one who left moves nothing"


def test_nothing_moves_within_a_month(database: Database, clock: Clock, made: MadeCourse) -> None:
    clock.now = clock.now.replace(day=3)
    assert count(database, clock())
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id.in_(made.teachers[:6])).values(is_active=False))
    for days in (1, 10, 24):
        assert not count(database, clock() + timedelta(days=days))
        assert kept(database, made) == (12, 0, 0)
    assert count(database, clock() + timedelta(days=30))
    assert kept(database, made) == (6, 0, 0)


def test_the_worker_counts(settings: Settings, database: Database, clock: Clock, made: MadeCourse) -> None:
    tasks = worker.periodic(settings, database, Keyring.of(settings, database), clock)
    task = next(task for task in tasks if task.name == "count_totals")
    task.run()
    task.run()
    assert kept(database, made) == (12, 0, 0)


# The page.


@pytest.fixture
def arrive(app: Flask, database: Database, clock: Clock, made: MadeCourse) -> Any:
    return lambda membership: Browser(app, database, clock, membership, made.activity_id)


def figures(page: str) -> list[str]:
    card = page.partition('id="totals-title"')[2].partition("</section>")[0]
    return re.findall(r"<dd>(.*?)</dd>", card)


def test_those_above_see_rounded_numbers_and_nobody(
    database: Database, clock: Clock, made: MadeCourse, arrive: Any
) -> None:
    submit(database, made, 3, clock(), finished=True)
    for who in (made.leader, made.administrator):
        assert "Nothing was counted yet" in arrive(who).get("/school")
    count(database, clock())
    with database.read() as session:
        names = session.scalars(select(Person.name).join(Membership).where(Membership.id.in_(made.teachers))).all()
    for who in (made.leader, made.administrator):
        browser = arrive(who)
        with recorded(database) as statements:
            page = browser.get("/school")
        assert len(statements) <= 12
        assert figures(page) == ["10 or more", "5 or more", "5 or more"]
        assert "rounded down to a multiple of five" in page and not [name for name in names if name in page]


def test_few_are_not_shown_and_the_page_is_never_live(
    database: Database, clock: Clock, made: MadeCourse, arrive: Any
) -> None:
    leader = arrive(made.leader)
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id.in_(made.teachers[4:])).values(is_active=False))
    count(database, clock())
    assert figures(leader.get("/school")) == ["Not shown"] * 3
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id.in_(made.teachers)).values(is_active=True))
    assert figures(leader.get("/school")) == ["Not shown"] * 3


def test_a_leader_sees_the_school_they_work_in_and_no_other(
    database: Database, clock: Clock, made: MadeCourse, arrive: Any
) -> None:
    with database.write() as session:
        here, there = (schools.add_school(session, made.platform_id, name, "file", clock()) for name in ("A", "B"))
        for school, members in ((here, (made.leader,)), (there, made.teachers)):
            people = select(Membership.person_id).where(Membership.id.in_(members)).scalar_subquery()
            session.execute(update(Person).where(Person.id.in_(people)).values(school_id=school))
    count(database, clock())
    leader, administrator = arrive(made.leader), arrive(made.administrator)
    for asked in ("", f"?school={there}", "?school=", "?school=%00"):
        page = leader.get("/school" + asked)
        assert figures(page) == ["Not shown"] * 3 and there not in page
    assert figures(administrator.get("/school")) == []
    assert figures(administrator.get(f"/school?school={there}"))[0] == "10 or more"
    assert figures(administrator.get(f"/school?school={here}"))[0] == "Not shown"


def test_totals_go_with_their_school(database: Database, clock: Clock, made: MadeCourse) -> None:
    with database.write() as session:
        school = schools.add_school(session, made.platform_id, "A", "file", clock())
    count(database, clock())
    with database.write() as session:
        session.execute(delete(School).where(School.id == school))
    assert kept(database, made, school) is None
