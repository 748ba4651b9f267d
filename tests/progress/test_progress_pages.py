"""The trainer's page through the app: steps and dates, and no content in the queries behind it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from factories import MadeCourse, make_course
from flask import Flask
from sqlalchemy import LargeBinary, insert, update

from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Invitation, Pair
from lti_tool.people.models import Membership, Person
from lti_tool.protocols.recipe import REFLECTION, TOGETHER
from lti_tool.store.base import Base, new_id
from lti_tool.store.database import Database

PROCESS_TABLES = {
    "activities", "activity_facilitators", "activity_participants", "activity_schools", "activity_trainers", "courses",
    "critical_friends", "cycles", "deployments", "memberships", "moodle_sites", "nudges", "own_protocols",
    "pair_members", "pairs", "people", "platforms", "protocol_versions", "sign_ins", "stage_marks",
}  # fmt: skip
"""All that a trainer's page may read; of critical friends whether oneself is one, of a Moodle whether there is one."""


def pair_up(database: Database, course: MadeCourse, clock: Any, host: int, coach: int) -> str:
    with database.write() as session:
        invitation = Invitation(
            activity_id=course.activity_id,
            host_id=course.teachers[host],
            coach_id=course.teachers[coach],
            created_at=clock.now,
            expires_at=clock.now + timedelta(days=14),
        )
        session.add(invitation)
        session.flush()
        return pairing.accept(session, invitation.id, clock.now)


def move(database: Database, pair_id: str, stage: str, clock: Any, submitted: tuple[str, ...] = ()) -> None:
    """Puts a pair's cycle at a stage, with reflections submitted by some members."""
    with database.write() as session:
        cycle_id = session.scalars(
            update(Cycle).where(Cycle.pair_id == pair_id).values(stage=stage).returning(Cycle.id)
        )
        found = cycle_id.one()
        for member in submitted:
            session.add(StageMark(cycle_id=found, stage=REFLECTION, membership_id=member, at=clock.now))


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=9, protocol="collegial", now=clock.now)


@pytest.fixture
def trainer(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Browser:
    return Browser(app, database, clock, course.trainer, course.activity_id)


def counts(page: str) -> dict[str, int]:
    """The table behind the bar: step → teachers."""
    rows = re.findall(r'<th scope="row"><svg.*?</svg> (.*?)</th>\s*<td>(\d+)</td>', page, re.DOTALL)
    return {title: int(count) for title, count in rows}


def test_each_teacher_counts_at_their_step(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    move(database, pair_up(database, course, clock, 0, 1), TOGETHER, clock)
    move(database, pair_up(database, course, clock, 2, 3), REFLECTION, clock, (course.teachers[2],))
    paused = pair_up(database, course, clock, 4, 5)
    with database.write() as session:
        pairing.pause_pair(session, paused, course.teachers[4], clock.now)
        session.execute(update(Membership).where(Membership.id == course.teachers[8]).values(welcomed_at=None))
    page = trainer.get("/")
    found = counts(page)
    assert sum(found.values()) == 9
    assert found["Not opened yet"] == 1
    assert found["No partner"] == 4, "a paused pair is not told apart"
    assert found["Reflection submitted"] == 1
    assert found["Coaching each other"] == 2 and "visit" not in page, "which step of it would tell how far they go"
    assert sorted(found.values()) == [0, 1, 1, 1, 2, 4]
    assert "9 teachers, 2 pairs" in page
    label = re.findall(r'aria-label="([^"]*No partner 4[^"]*)"', page)
    assert label, "the bar says in words what it shows"


def test_only_who_submitted_is_named_with_the_date(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    move(database, pair_up(database, course, clock, 0, 1), REFLECTION, clock, (course.teachers[1],))
    page = trainer.get("/progress")
    assert "Seán Ó Dónaill" in page and "Niamh" not in page


def test_names_are_in_alphabetical_order_whenever_they_submitted(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    pair = pair_up(database, course, clock, 0, 1)
    move(database, pair, REFLECTION, clock, (course.teachers[1],))
    clock.advance(60)
    move(database, pair, REFLECTION, clock, (course.teachers[0],))
    page = trainer.get("/progress")
    assert page.index("Niamh Ní Bhriain") < page.index("Seán Ó Dónaill")


def test_an_empty_activity_says_what_to_do(app: Flask, database: Database, clock: Any) -> None:
    empty = make_course(database, teachers=0, now=clock.now)
    page = Browser(app, database, clock, empty.trainer, empty.activity_id).get("/")
    assert "No teacher is here yet" in page and "Enrol teachers" in page


@pytest.mark.parametrize("who", ["guest", "leader", "administrator", "teacher"])
def test_the_page_is_for_the_trainer(app: Flask, database: Database, clock: Any, course: MadeCourse, who: str) -> None:
    member = course.teachers[0] if who == "teacher" else getattr(course, who)
    assert Browser(app, database, clock, member, course.activity_id).status("/progress") == 404


def test_a_trainer_elsewhere_is_no_trainer_here(app: Flask, database: Database, clock: Any, course: MadeCourse) -> None:
    other = make_course(database, now=clock.now)
    assert Browser(app, database, clock, other.trainer, course.activity_id).status("/progress") == 404


def test_a_trainer_who_leads_the_school_sees_no_names(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    move(database, pair_up(database, course, clock, 0, 1), REFLECTION, clock, (course.teachers[1],))
    with database.write() as session:
        session.execute(update(Membership).where(Membership.id == course.trainer).values(is_leader=True))
    assert trainer.status("/progress") == 404
    assert "Seán" not in trainer.get("/")


def test_no_statement_behind_the_page_touches_content(
    database: Database, clock: Any, course: MadeCourse, trainer: Browser
) -> None:
    move(database, pair_up(database, course, clock, 0, 1), REFLECTION, clock, course.teachers[:2])
    sealed = {
        column.name
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert {"sealed", "place"} <= sealed, "the tables of content are known here"
    assert not PROCESS_TABLES & {"texts", "reflection_versions", "meetings", "cycle_members", "invitations"}
    # Wishes for the next cycle, pauses and answers to invitations are nobody's above either.
    sealed |= {"wish", "wished_at", "paused_at", "answered_at"}
    for path in ("/", "/progress?page=1&days=7"):
        with recorded(database) as statements:
            assert "Pairs that stand still" in trainer.get(path)
        assert len(statements) > 3
        for statement, _ in statements:
            # Who pauses in a group is left out of those in one, as a pair of which one pauses is.
            words = set(re.findall(r"\w+", statement.lower().replace("pair_members.paused_at is null", "")))
            read = words & set(Base.metadata.tables)
            assert read <= PROCESS_TABLES, statement
            assert not words & sealed, statement


def test_the_page_costs_the_same_with_thirty_and_with_three_thousand_members(
    app: Flask, database: Database, clock: Any
) -> None:
    seen = []
    for members in (30, 3000):
        made = make_course(database, teachers=30, now=clock.now)
        pair = pair_up(database, made, clock, 0, 1)
        move(database, pair, REFLECTION, clock, made.teachers[:2])
        crowd(database, made, clock, members - 30)
        with database.write() as session:
            session.execute(update(Cycle).values(stage_since=clock.now - timedelta(days=20)))
        browser = Browser(app, database, clock, made.trainer, made.activity_id)
        browser.get("/")
        with recorded(database) as statements:
            page = browser.get("/")
        assert sum(counts(page).values()) == members
        assert len(page) < 200_000
        with recorded(database) as nudging:
            # Of the first pair both have submitted; the others stand still.
            nudged = browser.post("/nudges/pairs").location.partition("told=")[2]
        assert nudged == ("sent" if members == 3000 else "none")
        seen.append((len(statements), len(nudging) - (nudged == "sent")))
    assert seen[0] == seen[1]
    assert max(seen[0]) <= 12


def crowd(database: Database, course: MadeCourse, clock: Any, count: int) -> None:
    """More teachers, every second in a pair that is somewhere, half of the pairs with a reflection."""
    if not count:
        return
    with database.write() as session:
        platform_id = course.platform_id
        people = [
            {
                "id": new_id(),
                "platform_id": platform_id,
                "sub": new_id(),
                "name": f"Teacher {i}",
                "created_at": clock.now,
            }
            for i in range(count)
        ]
        session.execute(insert(Person), people)
        members = [
            {
                "id": new_id(),
                "course_id": course.course_id,
                "person_id": person["id"],
                "lms_role": "learner",
                "welcomed_at": clock.now,
                "created_at": clock.now,
            }
            for person in people
        ]
        session.execute(insert(Membership), members)
        for number in range(0, count - 1, 4):
            pairs_of = [members[number]["id"], members[number + 1]["id"]]
            pair_id = pairing._begin(session, pairs_of[0], pairs_of[1], course.activity_id, clock.now)
            assert session.get(Pair, pair_id)
