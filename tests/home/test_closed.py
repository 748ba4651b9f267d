"""An activity that is closed for new beginnings, one that is meant for others, and days that shut nobody out."""

import html
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from browsers import Browser
from cycles.pair_at_work import Room, open_room
from factories import A_TEACHER, MadeCourse, make_course
from flask import Flask
from home.placed import add_activity
from sqlalchemy import func, select, update

from lti_tool.activities.models import Activity, ActivityParticipant
from lti_tool.cycles.models import Cycle
from lti_tool.pairing.models import Invitation, Pair
from lti_tool.people.models import Membership
from lti_tool.privacy.rules import Action, ActivityFacts, may
from lti_tool.store.database import Database
from lti_tool.web.home import Landing, landing

CLOSED = "This activity is closed for new beginnings."


@pytest.mark.parametrize(
    ("changes", "status", "begins"),
    [
        ({}, "open", True),
        ({}, "archived", False),
        ({}, "new", False),
        ({"is_in_audience": False}, "open", False),
        ({"is_trainer": True}, "open", False),
        ({"is_leader": True}, "open", False),
        ({"is_active": False}, "open", False),
        ({"lms_role": "instructor"}, "open", False),
        ({"course_id": "other"}, "open", False),
    ],
)
def test_who_may_begin_something(changes: dict[str, Any], status: str, begins: bool) -> None:
    assert may(replace(A_TEACHER, **changes), Action.BEGIN, ActivityFacts("course", status)) is begins


@pytest.fixture
def course(database: Database, clock: Any) -> MadeCourse:
    return make_course(database, teachers=4, now=clock.now)


@pytest.fixture
def arrive(app: Flask, database: Database, clock: Any, course: MadeCourse) -> Callable[[int], Browser]:
    return lambda teacher: Browser(app, database, clock, course.teachers[teacher], course.activity_id)


def change(database: Database, activity_id: str, **values: Any) -> None:
    with database.write() as session:
        session.execute(update(Activity).where(Activity.id == activity_id).values(**values))


def read(browser: Browser, path: str = "/") -> str:
    return html.unescape(browser.get(path))


# Closed for new beginnings


def test_without_a_partner_nothing_begins_any_more(
    database: Database, course: MadeCourse, arrive: Callable[[int], Browser]
) -> None:
    niamh, sean, grainne = (arrive(teacher) for teacher in range(3))
    niamh.post(f"/partner/{course.teachers[1]}")
    with database.read() as session:
        invitation = session.scalars(select(Invitation.id)).one()
    change(database, course.activity_id, status="archived")
    for browser in (niamh, sean, grainne):
        page = read(browser)
        assert CLOSED in page and "Find a partner" not in page and page.count("<h1") == 1
        assert CLOSED in read(browser, "/partner") and "Invite Oisín" not in read(browser, "/partner")
    assert "Yes, coach together" not in read(sean) and "No, thank you" in read(sean)
    assert "Take it back" in read(niamh)
    for browser, path in (
        (grainne, f"/partner/{course.teachers[3]}"),
        (sean, f"/invitations/{invitation}/accept"),
        (sean, "/begin"),
    ):
        answer = browser.post(path)
        assert answer.status_code == 409 and CLOSED in answer.get_data(as_text=True), path
    assert grainne.status(f"/partner/{course.teachers[3]}") == 409
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Pair)) == 0
    assert sean.post(f"/invitations/{invitation}/decline").status_code == 303
    assert niamh.post(f"/invitations/{invitation}/withdraw").status_code == 303


@pytest.fixture
def room(app: Flask, database: Database, clock: Any) -> Room:
    return open_room(app, database, clock, "light")


def test_what_runs_goes_on_to_its_end_and_no_next_cycle_begins(database: Database, room: Room) -> None:
    room.start_together()
    change(database, room.course.activity_id, status="archived")
    assert CLOSED in room.host.home() and "What runs here goes on." in room.host.home()
    room.talk_before()
    room.host.get("after")
    room.host.press("after/done", text__next_steps="Next")
    for desk in (room.host, room.coach):
        desk.get("reflect")
        desk.press("reflect/submit", text__own_learning="Learned")
        assert desk.status == 303
    page = room.host.get("end")
    assert CLOSED in page and "Swap roles" not in page and "End this pair" in page
    for desk in (room.host, room.coach):
        desk.post("end", wish="swap")
        assert desk.status == 409
    with database.read() as session:
        assert session.scalars(select(Cycle.status)).all() == ["finished"]


@pytest.mark.parametrize("values", [{"is_active": False}, {"is_leader": True}])
def test_whoever_takes_part_no_more_begins_no_next_cycle(
    database: Database, room: Room, values: dict[str, bool]
) -> None:
    with database.write() as session:
        session.execute(update(Cycle).values(status="finished"))
        session.execute(update(Membership).where(Membership.id == room.course.teachers[0]).values(**values))
    page = room.host.get("end")
    assert "You do not take part in this activity now" in page and CLOSED not in page and "Swap roles" not in page
    room.host.post("end", wish="swap")
    assert room.host.status == 409
    assert "Swap roles" in room.coach.get("end")


def test_a_pair_can_pause_go_on_and_end_where_nothing_begins(database: Database, room: Room) -> None:
    change(database, room.course.activity_id, status="archived")
    for path, said in (
        ("pair/pause", "You have paused with Seán"),
        ("pair/resume", "Get started with Seán"),
        ("pair/end", CLOSED),
    ):
        answer = room.host.client.post(f"{room.host.at}/{path}", data={"csrf_token": room.host.token()})
        assert answer.status_code == 303
        page = room.host.home()
        assert said in page and "Find another partner" not in page
        other = room.coach.home()
        assert "Find another partner" not in other and "invite somebody else" not in other
    assert "Cycle 1 with Seán" in room.host.home(), "what was written stays readable"


def test_a_reflection_that_was_begun_is_finished_and_no_further_one_begins(
    app: Flask, database: Database, clock: Any, course: MadeCourse
) -> None:
    activity = add_activity(database, course, clock.now, kind="reflection")
    niamh, sean = (Browser(app, database, clock, teacher, activity) for teacher in course.teachers[:2])
    address = niamh.post("/reflections").location
    change(database, activity, status="archived")
    assert "Go on with your reflection" in read(niamh)
    cycle = address.rsplit("/", 2)[-2]
    assert niamh.post(f"/cycles/{cycle}/reflect/submit", **{"text-own_learning": "Learned"}).status_code == 303
    page = read(niamh)
    assert "Your reflection is submitted" in page and CLOSED in page and "Begin reflection" not in page
    assert CLOSED in read(sean) and "Write your reflection" not in read(sean)
    for browser in (niamh, sean):
        assert browser.post("/reflections", number="2").status_code == 409
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Cycle)) == 1


# Meant for others


def test_landing_of_whom_the_activity_is_not_meant_for() -> None:
    outside = replace(A_TEACHER, is_in_audience=False)
    for status in ("open", "archived"):
        assert landing(outside, ActivityFacts("course", status)) is Landing.NOT_FOR_YOU
    assert landing(replace(outside, is_welcomed=False), ActivityFacts("course", "open")) is Landing.NOT_FOR_YOU
    assert landing(outside, ActivityFacts("course", "new")) is Landing.NOT_OPEN
    assert landing(outside, ActivityFacts("other", "open")) is Landing.GUEST
    assert landing(replace(outside, lms_role="instructor"), ActivityFacts("course", "open")) is Landing.GUEST
    assert landing(replace(outside, is_trainer=True), ActivityFacts("course", "open")) is Landing.PROGRESS
    assert landing(replace(outside, is_leader=True), ActivityFacts("course", "open")) is Landing.ABOVE


def test_a_teacher_for_whom_it_is_not_meant_is_told_whom_to_ask_and_keeps_what_is_theirs(
    database: Database, room: Room
) -> None:
    course = room.course
    change(database, course.activity_id, audience="chosen")
    with database.write() as session:
        session.add(ActivityParticipant(activity_id=course.activity_id, membership_id=course.teachers[1]))
    for desk in (room.host, room.desk_of(course.teachers[2])):
        page = desk.home()
        assert "This activity is meant for other teachers" in page and "ask the trainer of the activity" in page
        assert ("Cycle 1 with Seán" in page) == (desk is room.host)
        for path in ("partner", "pair"):
            assert desk.client.get(f"{desk.at}/{path}").status_code == 404
    room.host.press("start/save", text__norms="We still talk on Fridays.")
    assert "We still talk on Fridays." in room.host.get("start"), "what runs goes on"
    assert "Sign what you agreed" in room.coach.home()


# Days


def said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


@pytest.mark.parametrize("kind", ["cycle", "pairing", "reflection"])
def test_days_are_said_and_shut_nobody_out(
    app: Flask, database: Database, clock: Any, course: MadeCourse, kind: str
) -> None:
    activity = add_activity(database, course, clock.now, kind=kind)
    niamh = Browser(app, database, clock, course.teachers[0], activity)
    today = clock.now.date()
    soon, later, past = today + timedelta(days=9), today + timedelta(days=40), today - timedelta(days=9)

    change(database, activity, starts_on=soon, ends_on=later)
    assert f"Starts on {said(soon)} · Until {said(later)}" in read(niamh)
    change(database, activity, starts_on=past, ends_on=later)
    assert f"Until {said(later)}" in read(niamh) and "Starts on" not in read(niamh)
    change(database, activity, starts_on=past, ends_on=past)
    assert f"Until {said(past)}" in read(niamh)
    if kind == "reflection":
        assert niamh.post("/reflections").status_code == 303
    else:
        assert niamh.post(f"/partner/{course.teachers[1]}").status_code == 303
    change(database, activity, starts_on=None, ends_on=None)
    assert "Until" not in read(niamh).replace("until", "")


def test_the_welcome_says_the_days_too(app: Flask, database: Database, clock: Any, course: MadeCourse) -> None:
    with database.write() as session:
        session.execute(update(Membership).values(welcomed_at=None))
    soon = clock.now.date() + timedelta(days=9)
    change(database, course.activity_id, starts_on=soon)
    page = read(Browser(app, database, clock, course.teachers[0], course.activity_id))
    assert "Welcome, Niamh" in page and f"Starts on {said(soon)}" in page


def test_the_days_stand_on_the_page_of_a_running_cycle(database: Database, room: Room, clock: Any) -> None:
    later = clock().date() + timedelta(days=40)
    change(database, room.course.activity_id, ends_on=later)
    assert f"Until {said(later)}" in room.host.home()
