"""The tool against each LMS that the sandbox plays, over real HTTP: registered, launched, its roster read, activities
placed by selecting content, and completion told to its gradebook."""

from typing import Any

import pytest
from cycles.pair_at_work import Desk, make_cycle
from factories import MadeCourse
from flask import Flask
from forms import Form
from interop.platforms import (
    ALL,
    NIAMH,
    SEAN,
    SECOND_TRAINER,
    TOOL,
    TRAINER,
    Lms,
    OpenLms,
    Row,
    Visitor,
    add,
    connect,
    each_lms,
    read_roster,
    register,
    work,
)
from sqlalchemy import func, select, update

from lti_tool.activities.models import Activity
from lti_tool.cycles.models import Cycle, StageMark
from lti_tool.lms.families import family_of
from lti_tool.people import registry
from lti_tool.people.models import Course, Deployment, Membership, Person, Platform
from lti_tool.protocols.recipe import REFLECTION
from lti_tool.sandbox.app import PERSONALITIES
from lti_tool.sandbox.people import CourseRole
from lti_tool.store.database import Database


def test_no_lms_is_left_out() -> None:
    assert tuple(PERSONALITIES) == ALL


def memberships(database: Database) -> dict[str, str]:
    """What each person is in the course, by the LMS's user id."""
    with database.read() as session:
        rows = session.execute(
            select(Person.sub, Membership.lms_role)
            .join(Membership, Membership.person_id == Person.id)
            .where(Membership.is_active)
        )
        return {row.sub: row.lms_role for row in rows}


@each_lms
def test_launches_and_the_whole_roster(row: Row, open_lms: OpenLms, app: Flask, database: Database, clock: Any) -> None:
    lms = open_lms(row.name)
    connect(row, lms, database, clock)
    link = lms.place()
    course = lms.school.courses["2"]
    lms.school.add_people(course, 450, CourseRole.STUDENT)
    Visitor(app, lms, TRAINER, link)
    Visitor(app, lms, SECOND_TRAINER, link)
    read_roster(app, database, clock)
    known = memberships(database)
    assert set(known) == set(course.members)
    trainer = lms.school.person(TRAINER)
    assert trainer
    assert known[trainer.id] == "instructor"
    # Moodle's roster calls a non-editing teacher a Learner, whom the launch called Instructor.
    second_trainer = lms.school.person(SECOND_TRAINER)
    assert second_trainer and known[second_trainer.id] == "instructor"
    assert known["3"] == "learner"
    # Somebody who was named by the roster only comes in person, and remains one person.
    Visitor(app, lms, NIAMH, link)
    assert memberships(database) == known


@each_lms
def test_a_registration_tells_which_lms_it_is(row: Row, open_lms: OpenLms, database: Database, clock: Any) -> None:
    lms = open_lms(row.name)
    connect(row, lms, database, clock)
    with database.read() as session:
        platform = session.scalars(select(Platform)).one()
        assert family_of(platform.family).display_name == row.product
        assert platform.token_audience == (lms.school.personality.quirks.token_audience or "")
        assert session.scalars(select(Deployment.deployment_id)).all() == ["1"]


@each_lms
def test_a_launch_after_the_keys_changed(
    row: Row, open_lms: OpenLms, app: Flask, database: Database, clock: Any
) -> None:
    """As Brightspace does every hour: the tool sees an unknown key and asks again."""
    lms = open_lms(row.name)
    connect(row, lms, database, clock)
    link = lms.place()
    Visitor(app, lms, TRAINER, link)
    lms.browser.post("/sandbox/faults", json={"rotate_keys": True, "keep_old": False})
    clock.advance(31)
    Visitor(app, lms, TRAINER, link)


@each_lms
def test_selected_activities_are_placed_and_open_for_teachers(
    row: Row, open_lms: OpenLms, app: Flask, database: Database, clock: Any
) -> None:
    lms = open_lms(row.name)
    connect(row, lms, database, clock)
    titles = ["Cycle before Easter", "Back at Easter"][: row.items]
    told = select_content(app, lms, reports_completion=False)
    assert "Added to the course" in told
    placed = lms.asked("activities")
    assert [one["title"] for one in placed] == titles
    assert lms.asked("columns") == []
    for one in placed:
        # A teacher may come before the trainer ever opened it: it is set up already.
        assert "To look at our questions." in Visitor(app, lms, NIAMH, one["launch"]).page()
        Visitor(app, lms, TRAINER, one["launch"])
    with database.read() as session:
        known = session.execute(select(Activity.title, Activity.resource_link_id, Activity.status)).all()
    assert sorted(map(tuple, known)) == sorted((one["title"], one["id"], "open") for one in placed)


@each_lms
@pytest.mark.parametrize("way", ["selected, with its column", "placed by title, without one"])
def test_a_teacher_s_own_tap_reaches_the_gradebook(
    row: Row, way: str, open_lms: OpenLms, app: Flask, database: Database, clock: Any
) -> None:
    lms = open_lms(row.name)
    connect(row, lms, database, clock)
    if way == "selected, with its column":
        select_content(app, lms, reports_completion=True)
        link = lms.asked("activities")[0]["launch"]
        assert len(lms.asked("columns")) == 1
    else:
        link = lms.place()
        Visitor(app, lms, TRAINER, link).send("set-up", {"what": "cycle:collegial", "completion": "yes"})
        assert lms.asked("columns") == []
    niamh = Visitor(app, lms, NIAMH, link)
    placed = lms.asked("activities")[0]["id"]
    submit_reflection(database, clock, placed)
    assert "gradebook" in niamh.page("completion")
    assert lms.asked("grades") == []
    assert "on its way" in niamh.send("completion/tell", {})
    work(app, database, clock)
    (grade,) = lms.asked("grades")
    (column,) = lms.asked("columns")
    assert (grade["user"], grade["score"], grade["maximum"], grade["feedback"]) == ("3", 1, 1, "Completed")
    assert (grade["line_item"], column["tag"]) == (column["line_item"], "completion")
    assert column["activity"] == placed
    assert "gradebook of your course was told" in niamh.page("completion")
    lms.log_in(TRAINER)
    assert '<span class="quiet">Completed</span>' in lms.browser.get("/course/2/grades").text
    # Nobody else is there, and nobody is told twice.
    work(app, database, clock)
    assert lms.asked("grades") == [grade]


def test_who_leaves_is_no_longer_offered_and_keeps_what_is_theirs(
    open_lms: OpenLms, app: Flask, database: Database, clock: Any
) -> None:
    """Over a roster of several pages, of which only the last does not name Seán any more."""
    lms = open_lms("brightspace")
    register(lms, database, clock)
    lms.school.add_people(lms.school.courses["2"], 450, CourseRole.STUDENT)
    coaching, reflection = lms.place("Cycle 1"), lms.place("Back at Easter")
    Visitor(app, lms, TRAINER, coaching).send("set-up", {"what": "cycle:collegial"})
    Visitor(app, lms, TRAINER, reflection).send("set-up", {"what": "reflection:reflection"})
    read_roster(app, database, clock)
    niamh, sean = Visitor(app, lms, NIAMH, coaching), Visitor(app, lms, SEAN, reflection)
    for one in (niamh, sean):
        one.send("welcome", {})
    sean.send("reflections", {"number": "1"})
    written = Desk(sean.client, sean.home.rstrip("/"), the_cycle(database))
    written.save_json("tried", "Silence after a question")
    assert "Seán Ó Dónaill" in niamh.page("partner?q=Seán")

    assert lms.browser.post("/sandbox/enrolments", json={"user": SEAN, "role": None}).status_code == 200
    clock.advance(60)
    read_roster(app, database, clock)
    assert "Seán Ó Dónaill" not in niamh.page("partner?q=Seán")
    assert "Silence after a question" not in sean.page() and "Begin reflection" not in sean.page()

    assert lms.browser.post("/sandbox/enrolments", json={"user": SEAN, "role": "student"}).status_code == 200
    back = Visitor(app, lms, SEAN, reflection)
    assert "Silence after a question" in Desk(back.client, back.home.rstrip("/"), the_cycle(database)).get("reflect")
    assert "Seán Ó Dónaill" in niamh.page("partner?q=Seán")


def the_cycle(database: Database) -> str:
    """The id of the only cycle there is."""
    with database.read() as session:
        return session.scalars(select(Cycle.id)).one()


def select_content(app: Flask, lms: Lms, *, reports_completion: bool) -> str:
    """A trainer selects as many activities as the LMS takes; the LMS's page after the tool's answer reached it."""
    trainer = Visitor(app, lms, TRAINER, lms.selection)
    several = 'type="checkbox" name="want"' in trainer.page()
    fields: dict[str, Any] = {
        "want": ["cycle:collegial", "reflection:reflection"] if several else "cycle:collegial",
        "title-cycle-collegial": "Cycle before Easter",
        "purpose-cycle-collegial": "To look at our questions.",
        "title-reflection-reflection": "Back at Easter",
        "purpose-reflection-reflection": "To look at our questions.",
    }
    if reports_completion:
        fields["completion-cycle-collegial"] = "yes"
    answer = Form(trainer.send("select", fields))
    assert answer.action.startswith(lms.address), answer.action
    sent = lms.browser.post(answer.action.removeprefix(lms.address), data=answer.fields)
    assert sent.status_code == 200, sent.text
    return str(sent.text)


def submit_reflection(database: Database, clock: Any, link: str) -> None:
    """Lets Niamh come to the end of a cycle with somebody, without walking through it."""
    with database.write() as session:
        activity = session.scalars(select(Activity).where(Activity.resource_link_id == link)).one()
        niamh = session.execute(
            select(Membership.id, Membership.person_id, Person.platform_id)
            .join(Person, Person.id == Membership.person_id)
            .where(Person.sub == "3")
        ).one()
        partner = Person(platform_id=niamh.platform_id, sub="4", created_at=clock())
        session.add(partner)
        session.flush()
        coach = Membership(course_id=activity.course_id, person_id=partner.id, lms_role="learner", created_at=clock())
        session.add(coach)
        session.execute(update(Membership).values(welcomed_at=clock()))
        session.flush()
        course = MadeCourse("", "", "", activity.id, "", "", "", "", (niamh.id, coach.id))
    cycle_id = make_cycle(database, course, clock())
    with database.write() as session:
        session.add(StageMark(cycle_id=cycle_id, stage=REFLECTION, membership_id=niamh.id, at=clock()))


def test_two_schools_that_share_an_issuer_stay_apart(
    open_lms: OpenLms, app: Flask, database: Database, clock: Any
) -> None:
    for _ in range(2):
        lms = open_lms("canvas")
        add(lms, database, clock)
        Visitor(app, lms, TRAINER, lms.place())
    with database.read() as session:
        assert session.scalar(select(func.count(Platform.id.distinct())).where(Platform.family == "canvas")) == 2
        assert session.scalar(select(func.count(Course.id))) == 2


def test_an_issuer_is_believed_only_from_its_own_address(open_lms: OpenLms, database: Database, clock: Any) -> None:
    """Canvas's own configuration is at its issuer's address; anybody else's that names Canvas is refused."""
    lms = open_lms("canvas")
    with database.write() as session:
        code = registry.invite(session, "School", clock()).code
    answer = lms.browser.post("/sandbox/tools", json={"url": registry.registration_url(TOOL, code)})
    assert answer.status_code == 502 and "not where it says" in answer.get_json()["error"]
    with database.read() as session:
        assert session.scalar(select(func.count(Platform.id))) == 0
