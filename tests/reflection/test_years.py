"""The long view: own goals, next steps and reflections over time (R15, R76), for the person alone."""

import html
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from browsers import Browser, recorded
from cycles.pair_at_work import Desk, Room, open_room
from factories import MadeCourse, make_course, sign_in
from flask import Flask
from home.placed import add_activity
from ownership.conftest import pass_on_to
from sqlalchemy import event, select, update

from lti_tool.cycles.models import Cycle, CycleMember
from lti_tool.ownership import erasure
from lti_tool.people.models import Course, Membership
from lti_tool.reflection import year_views
from lti_tool.reflection.rules import Term, term_of
from lti_tool.store.database import Database

MARK = "canary-"


@pytest.fixture
def room(app: Flask, database: Database, clock: Callable[[], datetime]) -> Room:
    """A light cycle that both have written in and reflected on."""
    made = open_room(app, database, clock, "light")
    pass_on_to(made, "start", "before", "after", now=clock())
    made.host.post("texts/goal", text=f"{MARK}goal")
    made.coach.post("texts/next_steps", text=f"{MARK}next")
    for desk, who in ((made.host, "host"), (made.coach, "coach")):
        desk.post("texts/hopes", text=f"{MARK}{who}-hopes")
        desk.post("texts/happened", text=f"{MARK}{who}-submitted")
        desk.post("texts/own_learning", text=f"{MARK}{who}-learned")
        desk.get("reflect")
        desk.press("reflect/submit")
        desk.post("texts/own_next", text=f"{MARK}{who}-draft")
    return made


def years(desk: Desk, query: str = "") -> str:
    answer = desk.client.get(f"{desk.at}/years{query}")
    assert answer.status_code == 200, answer.status
    return html.unescape(answer.get_data(as_text=True))


def alone(
    app: Flask, database: Database, clock: Any, course: MadeCourse, protocol: str, teacher: int = 0
) -> tuple[Browser, Desk]:
    """A reflection without a partner that a teacher has begun, in an activity of its own."""
    activity = add_activity(database, course, clock(), title=f"About {protocol}", kind="reflection", protocol=protocol)
    browser = Browser(app, database, clock, course.teachers[teacher], activity)
    begun = browser.post("/reflections", number="1").location.rsplit("/", 2)[-2]
    return browser, Desk(browser.client, browser.at, begun)


def test_goal_next_steps_and_what_was_submitted_stand_side_by_side(room: Room) -> None:
    page = years(room.host)
    for text in (
        f"{MARK}goal",
        f"{MARK}next",
        f"{MARK}host-submitted",
        f"{MARK}host-learned",
        "with Seán",
        "Version 1",
    ):
        assert text in page, text
    for text in (f"{MARK}coach", f"{MARK}host-draft", f"{MARK}host-hopes"):
        assert text not in page, text
    page = years(room.coach)
    assert "The goal (Niamh)" in page and f"{MARK}coach-submitted" in page and f"{MARK}host-submitted" not in page
    for path in (f"cycles/{room.cycle_id}/reflect", "cycles", "mine"):
        assert f"{room.host.at}/years" in room.host.client.get(f"{room.host.at}/{path}").get_data(as_text=True), path


def test_whose_goal_was_read_is_told_that_it_was(room: Room, clock: Any) -> None:
    clock.advance(3600)
    years(room.coach)
    looked = room.host.client.get(f"{room.host.at}/looked").get_data(as_text=True)
    assert "over the years" in looked and "Seán" in looked


def test_it_reaches_over_courses_and_stays_after_they_ended(
    app: Flask, room: Room, database: Database, clock: Any
) -> None:
    with database.write() as session:
        session.execute(update(Cycle).values(started_at=datetime(2025, 5, 6, tzinfo=UTC)))
        person = session.scalar(select(Membership.person_id).where(Membership.id == room.course.teachers[0]))
        deployment = session.scalar(select(Course.deployment_id))
        later = Course(deployment_id=deployment, context_key="context:later", title="CPC later", created_at=clock())
        session.add(later)
        session.flush()
        member = Membership(
            course_id=later.id, person_id=person, lms_role="learner", welcomed_at=clock(), created_at=clock()
        )
        session.add(member)
        session.flush()
        there = replace(room.course, course_id=later.id, teachers=(member.id,))
        # The old course is over for them.
        session.execute(update(Membership).where(Membership.id == room.course.teachers[0]).values(is_active=False))
    _browser, desk = alone(app, database, clock, there, "reflection")
    desk.post("texts/own_learning", text=f"{MARK}later")
    desk.get("reflect")
    desk.press("reflect/submit")
    page = years(desk)
    assert "Summer 2025" in page and "May 2025" in page and "CPC 2026/27" in page and "CPC later" in page
    assert page.index(f"{MARK}later") < page.index(f"{MARK}goal"), "the newest first"
    assert f"/cycles/{desk.cycle_id}/reflect" in page
    assert f"/cycles/{room.cycle_id}/" not in page, "its own pages are those of another activity"
    # Also by the way in of the course that they left.
    assert f"{MARK}goal" in years(room.host)


def test_nobody_else_reads_any_of_it(app: Flask, room: Room, database: Database, clock: Any) -> None:
    elsewhere = make_course(database, teachers=1, now=clock())
    course = room.course
    others = (course.trainer, course.guest, course.leader, course.administrator, course.teachers[2])
    for member, activity in [(who, course.activity_id) for who in others] + [
        (elsewhere.teachers[0], elsewhere.activity_id)
    ]:
        client = app.test_client()
        prefix = sign_in(database, client, member, activity, clock())
        for query in ("", "?page=2", "?show=pillars", f"?person={room.cycle_id}"):
            assert MARK not in client.get(f"{prefix}/years{query}").get_data(as_text=True), (member, query)


def test_the_name_of_a_partner_who_is_gone_is_gone(app: Flask, room: Room, database: Database, clock: Any) -> None:
    with database.write() as session:
        person = session.scalar(select(Membership.person_id).where(Membership.id == room.course.teachers[0]))
        assert person
        erasure.erase(session, app.extensions["meitheal"].keyring, person, clock())
    page = years(room.coach)
    assert "a former colleague" in page and "Niamh" not in page
    assert f"{MARK}goal" not in page and f"{MARK}coach-submitted" in page and f"{MARK}next" in page


def test_sixty_cycles_cost_what_one_costs(app: Flask, room: Room, database: Database, clock: Any) -> None:
    def cost() -> tuple[int, int]:
        years(room.host)  # what is looked at is noted once an hour
        opened: list[str] = []
        keyring = app.extensions["meitheal"].keyring.database.engine

        def note(*rest: Any) -> None:
            opened.append(rest[2])

        event.listen(keyring, "before_cursor_execute", note)
        with recorded(database) as statements:
            page = years(room.host)
        event.remove(keyring, "before_cursor_execute", note)
        assert "canary-goal" in page
        return len(statements), len(opened)

    one = cost()
    with database.write() as session:
        first = session.execute(select(Cycle)).scalar_one()
        members = session.execute(select(CycleMember)).scalars().all()
        columns = [column.name for column in Cycle.__table__.columns]
        for number in range(2, 61):
            values = {name: getattr(first, name) for name in columns}
            of = f"{number:016d}"
            begun = first.started_at - timedelta(days=20 * number)
            session.execute(Cycle.__table__.insert().values(values | {"id": of, "number": number, "started_at": begun}))
            for member in members:
                kept = {column.name: getattr(member, column.name) for column in CycleMember.__table__.columns}
                session.execute(CycleMember.__table__.insert().values(kept | {"cycle_id": of}))
    assert cost() == one
    assert one[0] <= 12 and one[1] <= 1, one
    page = years(room.host, "?page=2")
    assert "page 2 of 10" in page and "canary-goal" not in page and "Older ones" in page
    assert "page 1 of 10" in years(room.host, "?page=99")
    for odd in ("?page=0", "?page=-4", "?page=x", "?page=" + "9" * 40, "?show=%00", "?show=nonsense&page="):
        years(room.host, odd)


# The end of a programme


def test_own_goals_and_reflections_stand_beside_the_end_of_a_programme(
    app: Flask, room: Room, database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    niamh, desk = alone(app, database, clock, room.course, "programme")
    page = desk.get("reflect")
    for text in (f"{MARK}goal", f"{MARK}next", f"{MARK}host-submitted"):
        assert text in page, text
    assert f"{MARK}coach" not in page and f"{MARK}host-draft" not in page
    desk.post("texts/own_learning", text=f"{MARK}in-the-end")
    desk.get("reflect")
    desk.press("reflect/submit")
    with recorded(database) as statements:
        desk.get("reflect")
    assert len(statements) <= 12, "\n\n".join(each[0][:300] for each in statements)
    trainer = Browser(app, database, clock, room.course.trainer, None)
    for path in ("/", "/progress", "/years", f"/cycles/{desk.cycle_id}/reflect"):
        assert MARK not in trainer.client.get(trainer.at + path).get_data(as_text=True), path
    clock.advance(60)
    _other, plain = alone(app, database, clock, room.course, "reflection")
    assert MARK not in plain.get("reflect"), "beside no other reflection"
    monkeypatch.setattr(year_views, "BESIDE", 1)
    assert f"{MARK}goal" not in desk.get("reflect"), "only the newest ones: the rest is one link away"
    assert niamh.get("/")


# Oneself, by pillar


def test_a_view_of_oneself_by_pillar_is_repeated_and_read_over_time(
    app: Flask, room: Room, database: Database, clock: Any
) -> None:
    browser, desk = alone(app, database, clock, room.course, "pillars")
    page = desk.get("reflect")
    assert "<h2>Lesson design</h2>" in page and 'id="frames"' not in page, "its questions are what it is about"
    page = desk.press("reflect/submit")
    assert desk.status == 409, "nothing is not submitted"
    desk.get("reflect")
    desk.press("reflect/submit", text__design_now=f"{MARK}first")
    again = Desk(browser.client, browser.at, browser.post("/reflections", number="2").location.rsplit("/", 2)[-2])
    again.get("reflect")
    again.press("reflect/submit", text__design_now=f"{MARK}second", text__technology_help=f"{MARK}tablets")
    page = years(desk, "?show=pillars")
    design = page.partition("<h2>Lesson design</h2>")[2].partition("</section>")[0]
    assert f"{MARK}first" in design and f"{MARK}second" in design and f"{MARK}tablets" not in design
    assert "<h2>Communication" not in page, "what was left out is not there"
    assert f"{MARK}goal" not in page and f"{MARK}goal" in years(desk)
    for member in (room.course.trainer, room.course.leader, room.course.teachers[1]):
        client = app.test_client()
        prefix = sign_in(database, client, member, room.course.activity_id, clock())
        assert f"{MARK}first" not in client.get(f"{prefix}/years?show=pillars").get_data(as_text=True)
    with recorded(database) as statements:
        years(desk, "?show=pillars")
    assert len(statements) <= 12


@pytest.mark.parametrize(
    ("day", "term"),
    [
        (date(2026, 8, 1), Term(2026, 2)),
        (date(2026, 12, 31), Term(2026, 2)),
        (date(2027, 1, 1), Term(2027, 0)),
        (date(2027, 3, 31), Term(2027, 0)),
        (date(2027, 4, 1), Term(2027, 1)),
        (date(2027, 7, 31), Term(2027, 1)),
    ],
)
def test_the_terms_of_a_school_year(day: date, term: Term) -> None:
    assert term_of(day) == term
    assert term.name in ("spring", "summer", "autumn")
